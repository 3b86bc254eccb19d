// A pointer that rests on a chart stops all of them, so that what is read does not slide away.
// A pointer that was forgotten there must not stop the page for ever.

import { useEffect, useMemo } from "preact/hooks";
import { liveEdge, range, softHeldAt } from "../state/range";

const FORGOTTEN_MS = 20_000;
let forgotten: ReturnType<typeof setTimeout> | undefined;

function stop(): void {
  if (range.peek().live && softHeldAt.peek() === null) softHeldAt.value = liveEdge.peek();
  clearTimeout(forgotten);
  forgotten = setTimeout(release, FORGOTTEN_MS);
}

function release(): void {
  clearTimeout(forgotten);
  softHeldAt.value = null;
}

/** Handlers for the element that holds a chart. */
export function useSoftHold() {
  useEffect(() => release, []);
  return useMemo(
    () => ({
      onPointerEnter: stop,
      onPointerMove: stop,
      onPointerDown: stop,
      onPointerLeave: (event: PointerEvent) => {
        // A finger leaves the glass to let the eye read: only the timer, or Resume, goes on then.
        if (event.pointerType === "mouse") release();
      },
    }),
    [],
  );
}
