// Where a chart's numbers come from: the history of the range, then the stream, and a query for
// whatever the stream missed.

import { computed, signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { fillIn, LIVE_WINDOW, windowFor, type Subject } from "../lib/promql";
import { ApiError, queryRange, serverNow, type VectorSeries } from "../state/api";
import { range, step } from "../state/range";
import { seriesIn, tick, type Tick, useLiveQueries } from "../state/stream";
import { Columns, gapFrom, type Query } from "./columns";

export type FeedState =
  | { kind: "loading" }
  | { kind: "ready" }
  /** What was there before is still shown; `since` is the time up to which it is good. */
  | { kind: "failed"; why: string; since: number | null };

/** What a feed shows: a range of the past, or the last seconds, moving. */
export type Extent = { live: true; span: number } | { live: false; from: number; to: number };

/** Seconds until a history that failed is asked for again. */
const RETRY_AFTER = 5;

export class Feed {
  columns: Columns;
  /** Counts up with each change of the columns. */
  readonly version = signal(0);
  readonly state = signal<FeedState>({ kind: "loading" });
  /** The queries that the stream answers for this feed. */
  readonly liveQueries: readonly string[];
  private abort: AbortController | null = null;
  private extent: Extent = { live: true, span: 300 };
  private step = 1;
  private filling = false;
  private loaded = false;
  /** What was asked for and failed; the stream's next seconds ask again. */
  private owed: { extent: Extent; step: number; after: number } | null = null;

  constructor(
    private readonly queries: readonly Query[],
    private readonly subject?: Subject,
    private readonly seriesMax?: number,
  ) {
    this.columns = new Columns(queries, 1, seriesMax);
    this.liveQueries = queries.map((query) => fillIn(query.expr, LIVE_WINDOW, subject));
  }

  /** Loads the history; what is shown stays until the new numbers are there. */
  async load(extent: Extent, step: number): Promise<void> {
    this.abort?.abort();
    const abort = new AbortController();
    this.abort = abort;
    this.extent = extent;
    const to = extent.live ? serverNow() : extent.to;
    const from = extent.live ? to - extent.span : extent.from;
    const start = Math.floor(from / step) * step;
    const end = Math.min(Math.ceil(to / step) * step, Math.floor(serverNow() / step) * step);
    try {
      const answers = await this.ask(start, Math.max(start, end), step, abort.signal);
      const fresh = new Columns(this.queries, step, this.seriesMax);
      fresh.putHistory(start, Math.max(start, end), answers);
      this.step = step;
      this.columns = fresh;
      this.loaded = true;
      this.owed = null;
      this.state.value = { kind: "ready" };
      this.version.value++;
    } catch (error) {
      if (!abort.signal.aborted) this.owed = { extent, step, after: serverNow() + RETRY_AFTER };
      this.fail(error, abort);
    }
  }

  /** Takes one second of the stream. */
  take(now: Tick): void {
    if (this.owed && now.time > this.owed.after) {
      // Not again while that one is under way: a slow server gets no second load.
      this.owed.after = Infinity;
      void this.load(this.owed.extent, this.owed.step);
    }
    if (!this.extent.live || !this.loaded) return;
    const last = this.columns.lastTime;
    if (last !== null && now.time - last > gapFrom(this.step) && !this.filling) void this.fill(last, now.time);
    if (this.filling) return;
    const answers: (readonly VectorSeries[])[] = [];
    let failure: string | null = null;
    for (const query of this.liveQueries) {
      const answer = now.answers.get(query);
      if (!answer) return;
      if ("error" in answer) failure = answer.error;
      answers.push("resultType" in answer ? seriesIn(answer) : []);
    }
    if (failure !== null) {
      this.state.value = { kind: "failed", why: failure, since: last };
    } else {
      // A history that failed is still owed: only its own success takes that back.
      if (this.state.value.kind === "failed" && !this.owed) this.state.value = { kind: "ready" };
      this.columns.putTick(now.time, answers);
      this.columns.dropBefore(now.time - this.extent.span - 2 * this.step);
    }
    this.version.value++;
  }

  /** Asks for what the stream did not bring while it was away. */
  private async fill(last: number, now: number): Promise<void> {
    this.filling = true;
    const abort = this.abort ?? new AbortController();
    const start = Math.floor(last / this.step) * this.step;
    const end = Math.floor(now / this.step) * this.step;
    try {
      const columns = this.columns;
      const answers = await this.ask(start, end, this.step, abort.signal);
      // A load that began meanwhile brings these numbers too.
      if (columns === this.columns) columns.putHistory(start, end, answers);
      this.version.value++;
    } catch (error) {
      this.fail(error, abort);
    } finally {
      this.filling = false;
    }
  }

  private ask(start: number, end: number, step: number, signal: AbortSignal) {
    return Promise.all(
      this.queries.map((query) => queryRange(fillIn(query.expr, windowFor(step), this.subject), start, end, step, signal)),
    );
  }

  private fail(error: unknown, abort: AbortController): void {
    if (abort.signal.aborted) return;
    const why = error instanceof ApiError ? error.message : String(error);
    this.state.value = { kind: "failed", why, since: this.columns.lastTime };
  }

  close(): void {
    this.abort?.abort();
  }
}

/** Changes whenever history must be loaded anew; does not change while a live range moves. */
const rangeKey = computed(() => JSON.stringify([range.value, step.value]));

/** A feed that follows the page's range while its component stands, from the first time `wanted` is true. */
export function useFeed(queries: readonly Query[], wanted: boolean, subject?: Subject): Feed {
  const feed = useMemo(() => new Feed(queries, subject), [queries, subject]);
  const key = rangeKey.value;
  useEffect(() => {
    if (wanted) void feed.load(range.peek(), step.peek());
  }, [feed, key, wanted]);
  useTicks(feed);
  return feed;
}

/** A feed of its own last `span` seconds: sparklines do not follow the page's range. */
export function useRecentFeed(queries: readonly Query[], span: number, every: number, seriesMax?: number): Feed {
  const feed = useMemo(() => new Feed(queries, undefined, seriesMax), [queries]);
  useEffect(() => {
    void feed.load({ live: true, span }, every);
  }, [feed, span, every]);
  useTicks(feed);
  return feed;
}

function useTicks(feed: Feed): void {
  useLiveQueries(feed.liveQueries);
  useEffect(() => {
    const stop = tick.subscribe((now) => {
      if (now) feed.take(now);
    });
    return () => {
      stop();
      feed.close();
    };
  }, [feed]);
}
