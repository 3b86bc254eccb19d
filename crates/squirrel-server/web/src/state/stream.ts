// The live stream: one connection for the whole page, which carries every query that some part of
// the page wants each second.

import { batch, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { clockSkew, type Sample, type VectorSeries, type Verdict } from "./api";
import { held, liveEdge } from "./range";

/** What one query answers at one moment. */
export type Answer =
  | { resultType: "vector"; result: VectorSeries[] }
  | { resultType: "scalar"; result: Sample }
  | { error: string };

/** One second's answers. */
export interface Tick {
  time: number;
  answers: ReadonlyMap<string, Answer>;
}

export type Connection =
  | { state: "connecting" }
  | { state: "live" }
  | { state: "hidden" }
  | { state: "lost"; since: number; attempts: number };

export const tick = signal<Tick | null>(null);
/** What figures outside charts show: the newest tick, or the one at which the user stopped the screen. */
export const shown = signal<Tick | null>(null);
export const verdict = signal<Verdict | null>(null);
export const connection = signal<Connection>({ state: "connecting" });
/** When the last tick arrived, by the browser's steady clock (milliseconds). */
export const arrivedAt = signal(0);

/** The last answer of each query that was none of a failure, and when. */
const good = new Map<string, { time: number; series: readonly VectorSeries[] }>();
/** Seconds for which a query that fails now and then is taken to have answered as before. */
const GOOD_FOR = 5;

/** How often each query is wanted. */
const wanted = new Map<string, number>();
let source: EventSource | null = null;
/** Everything wanted when the stream was opened; the stream carries the first `QUERIES_MAX` of it. */
let asked: readonly string[] = [];
let attempts = 0;
let retryTimer: ReturnType<typeof setTimeout> | undefined;
let watchdog: ReturnType<typeof setTimeout> | undefined;
let changeTimer: ReturnType<typeof setTimeout> | undefined;

/** The server's limit for one stream. */
const QUERIES_MAX = 64;
const NO_ANSWER: Answer = { error: "The stream brought no answer to this query." };
const TOO_MANY: Answer = { error: `This page asks for more than the ${QUERIES_MAX} queries that a live stream carries.` };
/** A stream that says nothing for so long is dead, whatever TCP thinks. */
const SILENCE_MS = 10_000;
const RETRY_MS = [500, 1000, 2000, 4000, 8000, 15_000];

/** Asks the stream for these queries while the component stands on the page. */
export function useLiveQueries(queries: readonly string[]): void {
  const key = queries.join("\n");
  useEffect(() => want(queries), [key]);
}

/** Asks the stream for these queries; the result takes that back. */
export function want(queries: readonly string[]): () => void {
  for (const query of queries) wanted.set(query, (wanted.get(query) ?? 0) + 1);
  changed();
  return () => {
    for (const query of queries) {
      const left = (wanted.get(query) ?? 1) - 1;
      if (left > 0) wanted.set(query, left);
      else wanted.delete(query);
    }
    changed();
  };
}

/** A page that is left and one that is entered change the set many times: the stream is opened once. */
function changed(): void {
  clearTimeout(changeTimer);
  changeTimer = setTimeout(() => {
    const next = [...wanted.keys()].sort();
    if (next.join("\n") !== asked.join("\n") || (source === null && attempts === 0)) open();
  }, 20);
}

function open(): void {
  close();
  if (document.hidden) return;
  asked = [...wanted.keys()].sort();
  const address = `/api/stream?${asked.slice(0, QUERIES_MAX).map((query) => `query=${encodeURIComponent(query)}`).join("&")}`;
  const opened = new EventSource(address);
  source = opened;
  opened.addEventListener("tick", (event) => {
    if (source === opened) receive((event as MessageEvent<string>).data);
  });
  // EventSource would try again by itself in some cases and not in others; here it is one way for all.
  opened.addEventListener("error", () => {
    if (source === opened) lost();
  });
  watch();
}

function close(): void {
  clearTimeout(retryTimer);
  clearTimeout(watchdog);
  source?.close();
  source = null;
}

function watch(): void {
  clearTimeout(watchdog);
  watchdog = setTimeout(lost, SILENCE_MS);
}

function lost(): void {
  close();
  attempts++;
  const now = connection.value;
  connection.value = { state: "lost", since: now.state === "lost" ? now.since : Date.now(), attempts };
  retryTimer = setTimeout(open, RETRY_MS[Math.min(attempts, RETRY_MS.length) - 1]);
}

/** Tries at once instead of at the next turn. */
export function retryNow(): void {
  clearTimeout(retryTimer);
  open();
}

function receive(data: string): void {
  const message = JSON.parse(data) as { time: number; results: Answer[]; verdict: Verdict | null };
  watch();
  attempts = 0;
  batch(() => {
    if (connection.value.state !== "live") connection.value = { state: "live" };
    const skew = message.time - Date.now() / 1000;
    // Both clocks are read at about this moment, so a difference is the clocks' own.
    if (Math.abs(skew - clockSkew.value) > 2) clockSkew.value = skew;
    arrivedAt.value = performance.now();
    if (message.verdict) verdict.value = message.verdict;
    liveEdge.value = message.time;
    const answers = new Map(asked.map((query, i): [string, Answer] => [query, message.results[i] ?? (i < QUERIES_MAX ? NO_ANSWER : TOO_MANY)]));
    for (const query of good.keys()) if (!answers.has(query)) good.delete(query);
    for (const [query, answer] of answers) if (!("error" in answer)) good.set(query, { time: message.time, series: seriesIn(answer) });
    tick.value = { time: message.time, answers };
    if (!held.value) shown.value = tick.value;
  });
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    // Browsers allow six connections to one server: a tab that nobody sees gives its own back.
    close();
    connection.value = { state: "hidden" };
  } else if (source === null) {
    attempts = 0;
    connection.value = { state: "connecting" };
    open();
  }
});

/** What an answer holds; a scalar is one series without labels. */
export const seriesIn = (answer: Exclude<Answer, { error: string }>): readonly VectorSeries[] =>
  answer.resultType === "vector" ? answer.result : [{ metric: {}, value: answer.result }];

/**
 * The series that a query answered in `from`, or lately where it failed: a server that is busy for a second must not
 * empty the page. None while it is not known.
 */
export function seriesOf(from: Tick | null, query: string): readonly VectorSeries[] {
  const answer = from?.answers.get(query);
  if (!from || !answer) return [];
  if (!("error" in answer)) return seriesIn(answer);
  const lately = good.get(query);
  return lately && Math.abs(from.time - lately.time) <= GOOD_FOR ? lately.series : [];
}
