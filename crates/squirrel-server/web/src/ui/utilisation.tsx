// The share of a link's speed that its busier direction uses.

import { digits } from "../lib/units";

export function Utilisation({ share }: { share: number | null }) {
  if (share === null) return <span class="dim" title="What this link can carry is not known.">–</span>;
  const level = share >= 0.9 ? "bad" : share >= 0.7 ? "warning" : "ok";
  return (
    <span class={`utilisation ${level}`}>
      <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
        <rect class="track" width="100" height="6" rx="3" />
        <rect class="used" width={Math.min(100, Math.max(share > 0 ? 0.8 : 0, share * 100))} height="6" />
      </svg>
      <span class="value">{digits(Math.min(share, 9.99) * 100)}&nbsp;%</span>
    </span>
  );
}
