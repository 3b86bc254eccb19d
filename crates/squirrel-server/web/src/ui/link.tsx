// A link within the dashboard: an ordinary one for the browser (open in a new tab, copy), without a
// reload for a plain click.

import type { ComponentChildren } from "preact";
import { range } from "../state/range";
import { navigate } from "../state/route";

interface Props {
  to: string;
  children: ComponentChildren;
  class?: string;
  current?: boolean;
  label?: string;
}

export function Link({ to, children, current, label, ...rest }: Props) {
  // The address holds the range; reading it here keeps the link's own address right.
  void range.value;
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(to);
  };
  return (
    <a href={to + location.search} onClick={follow} aria-current={current ? "page" : undefined} aria-label={label} {...rest}>
      {children}
    </a>
  );
}
