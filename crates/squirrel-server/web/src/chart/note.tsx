// What stands in a chart when there is nothing to draw, and why.

import { missingSentence } from "../lib/reasons";
import { spanText } from "../lib/time";
import { serverNow } from "../state/api";
import { unavailableSentence } from "../state/health";
import type { Feed } from "./feed";

export function ChartNote({ feed }: { feed: Feed }) {
  void feed.version.value;
  const state = feed.state.value;
  const empty = feed.columns.series.length === 0;
  if (state.kind === "failed") {
    const age = state.since === null ? "" : ` What is drawn is ${spanText(Math.max(0, serverNow() - state.since))} old.`;
    return <p class="chart-note failed" role="status">{state.why}{age}</p>;
  }
  if (!empty) return null;
  if (state.kind === "loading") return <p class="chart-note skeleton" aria-hidden="true" />;
  const asked = feed.liveQueries.join(" ");
  const reason = unavailableSentence(asked) ?? missingSentence(asked);
  return (
    <p class="chart-note">
      {reason ?? "Nothing of this kind was seen in the chosen time."}
    </p>
  );
}
