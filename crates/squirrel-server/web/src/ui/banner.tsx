// Says that the figures on the screen are not fresh, and what is done about it.

import { useEffect, useState } from "preact/hooks";
import { spanText } from "../lib/time";
import { connection, retryNow } from "../state/stream";

export function Banner() {
  const state = connection.value;
  const [, draw] = useState(0);
  const lost = state.state === "lost";
  useEffect(() => {
    if (!lost) return;
    const timer = setInterval(() => draw((count) => count + 1), 1000);
    return () => clearInterval(timer);
  }, [lost]);
  return (
    <div class="banner-place" role="status" aria-live="polite">
      {state.state === "lost" && (
        <p class="banner">
          <span>
            The connection to Squirrel was lost {spanText(Math.round((Date.now() - state.since) / 1000))} ago.
            What you see is from before; attempt {state.attempts} to reconnect.
          </span>
          <button type="button" class="button" onClick={retryNow}>Try now</button>
        </p>
      )}
    </div>
  );
}
