// Whether the screen follows the present, how far behind it is, and the button that changes it.

import { useEffect, useState } from "preact/hooks";
import { spanText } from "../lib/time";
import { serverNow } from "../state/api";
import { held, hold, range, resume, softHeldAt, viewport } from "../state/range";
import { arrivedAt, connection } from "../state/stream";
import { Icon } from "./icons";

export function LiveButton() {
  useEachSecond();
  const state = connection.value.state;
  if (!range.value.live) {
    const behind = serverNow() - viewport.value.to;
    const word = held.value ? "Paused" : "Past";
    return (
      <button type="button" class="live-button paused" onClick={resume} title="Follow the present (Space)">
        <Icon name="play" />
        <span>{word}<span class="wide-only">, {spanText(Math.max(0, behind))} behind</span> — {held.value ? "resume" : "go live"}</span>
      </button>
    );
  }
  if (softHeldAt.value !== null) {
    const behind = Math.max(0, serverNow() - softHeldAt.value);
    return (
      <button type="button" class="live-button soft" onClick={resume} title="Follow the present (Space)">
        <Icon name="pause" />
        <span>Paused, {Math.round(behind)}&nbsp;s behind<span class="wide-only"> — resume</span></span>
      </button>
    );
  }
  const lag = Math.max(0, (performance.now() - arrivedAt.value) / 1000);
  const word = state === "live" ? "Live" : state === "connecting" ? "Connecting" : "Waiting";
  return (
    <button type="button" class={`live-button ${state}`} onClick={hold} title="Stop the screen (Space)">
      <span class="dot" aria-hidden="true" />
      <span>{word}{state === "live" && <span class="lag"> {lag.toFixed(1)}&nbsp;s</span>}</span>
    </button>
  );
}

/** Draws the caller anew each half second: it shows how old something is. */
function useEachSecond(): void {
  const [, draw] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => draw((count) => count + 1), 500);
    return () => clearInterval(timer);
  }, []);
}
