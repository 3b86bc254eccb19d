// A target's past as a row of bars: a low, even row is good. A bar of failures has another colour, another height and
// a gap in it, so that it is seen without colour too; a part of which nothing is known is a dot on the ground.

import { clockText, momentText } from "../lib/time";
import { shareText } from "../lib/share";
import type { Span } from "../state/probe-types";

const PITCH = 4;
const HEIGHT = 24;
/** Where a bar without failures begins, from above: failures stand out above it. */
const TOP = 6;
/** The least height of failures: one of a thousand must be seen. */
const LEAST = 9;

export function Heartbeat({ beats, span }: { beats: readonly (number | null)[]; span: Span | null }) {
  if (span === null || beats.length === 0) return <span class="heartbeat-none skeleton-line" aria-hidden="true" />;
  const { up, down, none } = pathsOf(beats);
  const sentence = beatsSentence(beats, span);
  return (
    <svg class="heartbeat" viewBox={`0 0 ${beats.length * PITCH - 1} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={sentence}>
      <title>{sentence}</title>
      <path class="beat-up" d={up} />
      <path class="beat-down" d={down} />
      <path class="beat-none" d={none} />
    </svg>
  );
}

function pathsOf(beats: readonly (number | null)[]): { up: string; down: string; none: string } {
  let [up, down, none] = ["", "", ""];
  beats.forEach((beat, i) => {
    const bar = (from: number, to: number) => `M${i * PITCH} ${from.toFixed(1)}h3V${to.toFixed(1)}h-3z`;
    if (beat === null) none += bar(HEIGHT - 3, HEIGHT);
    else if (beat >= 1) up += bar(TOP, HEIGHT);
    else {
      const failed = Math.max(LEAST, (1 - beat) * HEIGHT);
      down += bar(0, failed);
      if (beat > 0 && failed + 2 < HEIGHT) up += bar(failed + 2, HEIGHT);
    }
  });
  return { up, down, none };
}

const WORDS = { "1h": "The last hour", "1d": "The last day", "7d": "The last week", "30d": "The last 30 days" } as const;

/** The same in words. */
export function beatsSentence(beats: readonly (number | null)[], span: Span): string {
  const end = span.from + span.bucket * span.buckets;
  const failed = beats.flatMap((beat, i) => (beat !== null && beat < 1 ? [i] : []));
  const unknown = beats.filter((beat) => beat === null).length;
  if (unknown === beats.length) return `${WORDS[span.name]}: nothing is known.`;
  const parts: string[] = [];
  const last = failed.at(-1);
  if (last === undefined) parts.push("no failure");
  else {
    const at = span.from + last * span.bucket;
    const when = span.bucket < 3600 ? clockText(at).slice(0, 5) : momentText(at, end).slice(0, -3);
    const worst = Math.min(...failed.map((i) => beats[i] ?? 1));
    parts.push(`failures in ${failed.length} of ${beats.length} parts, the last from ${when}, in the worst ${shareText(worst)} answered`);
  }
  if (unknown > 0) parts.push(`nothing known of ${unknown}`);
  return `${WORDS[span.name]}: ${parts.join("; ")}.`;
}
