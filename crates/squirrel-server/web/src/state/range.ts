// The one time range of the page: what the address says, what zooming and pausing change, and the
// window that charts show at this moment.

import { computed, signal } from "@preact/signals";
import { isoText, parseSpan, spanCode } from "../lib/time";
import { serverNow } from "./api";

/** Either the last `span` seconds, moving, or a fixed piece of the past. */
export type Range = { live: true; span: number } | { live: false; from: number; to: number };

export const PRESETS = [300, 900, 3600, 6 * 3600, 86_400, 7 * 86_400, 30 * 86_400] as const;
const DEFAULT_SPAN = 900;
/** A zoom below this shows nothing: there is one sample a second. */
const SHORTEST = 5;
const LONGEST = 10 * 366 * 86_400;

export const range = signal<Range>(fromAddress(location.search));
/** The span to go back to when a fixed range is left. */
const lastSpan = signal(range.value.live ? range.value.span : DEFAULT_SPAN);

/** The user stopped the screen with the space bar or the button: everything stands still. */
export const held = signal(false);
/** The time at which charts stopped because the pointer rests on one of them; null while they move. */
export const softHeldAt = signal<number | null>(null);
/** The time up to which the live stream has told. Charts end here. */
export const liveEdge = signal(serverNow());

/** What charts show now. */
export const viewport = computed(() => {
  const current = range.value;
  if (!current.live) return { from: current.from, to: current.to };
  const to = softHeldAt.value ?? liveEdge.value;
  return { from: to - current.span, to };
});

/** Seconds between points: about two pixels of a chart's width each, on a grid that all charts share. */
export const step = computed(() => {
  const current = range.value;
  const span = current.live ? current.span : current.to - current.from;
  const points = Math.min(500, Math.max(150, chartWidth.value / 1.5));
  return STEPS.find((size) => span / size <= points) ?? STEPS.at(-1) ?? 1;
});
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 604_800];
export const chartWidth = signal(600);

function fromAddress(search: string): Range {
  const parameters = new URLSearchParams(search);
  const from = parameters.get("from");
  const to = parameters.get("to");
  const span = parseSpan(/^now-(.+)$/.exec(from ?? "")?.[1] ?? "");
  if (span !== null && span >= SHORTEST && span <= LONGEST && (to === null || to === "now")) return { live: true, span };
  const [start, end] = [timeOf(from), timeOf(to)];
  if (start !== null && end !== null && end - start >= 1) return { live: false, from: start, to: end };
  return { live: true, span: DEFAULT_SPAN };
}

function timeOf(text: string | null): number | null {
  if (text === null) return null;
  const time = /^\d{9,11}(\.\d+)?$/.test(text) ? Number(text) : Date.parse(text) / 1000;
  return Number.isFinite(time) ? time : null;
}

function toAddress(value: Range): string {
  return value.live
    ? `?from=now-${spanCode(value.span)}&to=now&live=1`
    : `?from=${isoText(value.from)}&to=${isoText(value.to)}&live=0`;
}

/** What the history keeps with an entry that a zoom made. */
interface ZoomState {
  zoomed: true;
}

function change(next: Range, how: "push" | "replace", state: ZoomState | null = null): void {
  const address = location.pathname + toAddress(next);
  if (how === "push") history.pushState(state, "", address);
  else history.replaceState(state ?? history.state, "", address);
  softHeldAt.value = null;
  if (next.live) lastSpan.value = next.span;
  range.value = next;
}

/** The last `span` seconds, moving. */
export function showLast(span: number): void {
  held.value = false;
  change({ live: true, span: Math.min(LONGEST, Math.max(SHORTEST, Math.round(span))) }, "push");
}

/** A fixed piece of the past. */
export function showBetween(from: number, to: number): void {
  held.value = false;
  change(between(from, to), "push");
}

/** Zooms all charts into a piece of what they show; the browser's Back undoes it. */
export function zoomTo(from: number, to: number): void {
  held.value = false;
  change(between(from, to), "push", { zoomed: true });
}

/** Undoes the last zoom, or shows twice the time. */
export function zoomOut(): void {
  if ((history.state as ZoomState | null)?.zoomed) {
    history.back();
    return;
  }
  const { from, to } = viewport.value;
  const span = to - from;
  if (range.value.live) showLast(PRESETS.find((preset) => preset > span * 1.01) ?? span * 2);
  else showBetween(from - span / 2, Math.min(serverNow(), to + span / 2));
}

/** Shifts the window by a part of itself. */
export function shift(part: number): void {
  const { from, to } = viewport.value;
  const by = (to - from) * part;
  if (to + by >= serverNow()) resume();
  else showBetween(from + by, to + by);
}

function between(from: number, to: number): Range {
  const middle = (from + to) / 2;
  const half = Math.max(SHORTEST, to - from) / 2;
  return { live: false, from: Math.round(middle - half), to: Math.round(middle + half) };
}

/** Stops the screen where it is. The address then holds the window, so it can be shared. */
export function hold(): void {
  const { from, to } = viewport.value;
  if (!range.value.live) return;
  change({ live: false, from: Math.round(from), to: Math.round(to) }, "replace");
  held.value = true;
}

/** Follows the present again. */
export function resume(): void {
  held.value = false;
  softHeldAt.value = null;
  if (!range.value.live) change({ live: true, span: lastSpan.value }, "replace");
}

/** Space: stops what moves, and moves what stands. */
export function toggleHold(): void {
  if (range.value.live) hold();
  else resume();
}

addEventListener("popstate", () => {
  const next = fromAddress(location.search);
  held.value = false;
  softHeldAt.value = null;
  if (next.live) lastSpan.value = next.span;
  if (JSON.stringify(next) !== JSON.stringify(range.value)) range.value = next;
});
