// Targets of scheduled probes. How they stand is asked for every other second, their record twice a minute: it changes
// slowly and costs more. Sorting, filtering and paging are the server's.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ApiError, probeOne, probesPage as fetchPage } from "./api";
import type { Probe, ProbeDetail, ProbesPage, ProbeState, Span, SpanName } from "./probe-types";
import { held } from "./range";
import { tick } from "./stream";

/** Rows of a page. */
export const PAGE_ROWS = 50;

export interface Question {
  filter: string;
  group: string | null;
  state: ProbeState | null;
  sort: string;
  descending: boolean;
  offset: number;
  history: SpanName;
}

export const SPANS: readonly { name: SpanName; text: string }[] = [
  { name: "1h", text: "hour" },
  { name: "1d", text: "day" },
  { name: "7d", text: "week" },
  { name: "30d", text: "30 days" },
];

/** What the list shows; kept while a target's own page is looked at. */
export const question = signal<Question>({ filter: "", group: null, state: null, sort: "state", descending: false, offset: 0, history: "1d" });

/** Changes the question; whatever chooses other rows begins at the first of them. */
export function ask(change: Partial<Question>): void {
  question.value = { ...question.value, ...("offset" in change ? {} : { offset: 0 }), ...change };
}

const STATE_EVERY_MS = 1_900;
const RECORD_EVERY_MS = 29_000;

/** Something that is asked for again and again, the newest answer first. */
class Poll<T extends { history: Span | null }> {
  readonly value = signal<T | null>(null);
  readonly failure = signal<string | null>(null);
  private turn = 0;
  private pending = false;
  private askedAt = -Infinity;
  private recordAt = -Infinity;

  constructor(
    private readonly fetchIt: (withRecord: boolean) => Promise<T>,
    private readonly keep: (next: T, old: T) => T,
  ) {}

  /** Asks at once, for another question than before. */
  restart(): void {
    this.pending = false;
    this.recordAt = -Infinity;
    void this.next();
  }

  /** Asks if it is time. A slow server gets no second question, and a stopped screen keeps what it shows. */
  inTurn(): void {
    if (this.pending || (held.peek() && this.value.peek())) return;
    if (performance.now() - this.askedAt >= STATE_EVERY_MS) void this.next();
  }

  async next(): Promise<void> {
    const mine = ++this.turn;
    const now = performance.now();
    const withRecord = now - this.recordAt >= RECORD_EVERY_MS;
    this.pending = true;
    this.askedAt = now;
    try {
      const next = await this.fetchIt(withRecord);
      if (mine !== this.turn) return;
      if (withRecord) this.recordAt = now;
      const old = this.value.peek();
      this.value.value = next.history === null && old !== null ? this.keep(next, old) : next;
      this.failure.value = null;
    } catch (error) {
      if (mine === this.turn) this.failure.value = error instanceof ApiError ? error.message : String(error);
    } finally {
      if (mine === this.turn) this.pending = false;
    }
  }
}

export const keyOfProbe = (one: { job: string; instance: string }): string => JSON.stringify([one.job, one.instance]);

/** The row with the record of an older answer. */
const withRecordOf = (next: Probe, old: Probe | undefined): Probe =>
  old ? { ...next, heartbeat: old.heartbeat, availability: old.availability, budget: old.budget } : next;

const list = new Poll<ProbesPage>(
  (withRecord) => fetchPage(parameters(question.peek(), withRecord)),
  (next, old) => {
    const rows = new Map(old.probes.map((row) => [keyOfProbe(row), row]));
    return { ...next, history: old.history, notes: old.notes, probes: next.probes.map((row) => withRecordOf(row, rows.get(keyOfProbe(row)))) };
  },
);

export const page = list.value;
export const pageFailure = list.failure;

function parameters(asked: Question, withRecord: boolean): URLSearchParams {
  const all = new URLSearchParams({ limit: String(PAGE_ROWS), offset: String(asked.offset), sort: asked.sort, order: asked.descending ? "desc" : "asc" });
  if (asked.filter !== "") all.set("filter", asked.filter);
  if (asked.group !== null) all.set("group", asked.group);
  if (asked.state !== null) all.set("state", asked.state);
  if (withRecord) all.set("history", asked.history);
  return all;
}

/** Keeps the list fresh while the component stands. */
export function useProbes(): void {
  const asked = question.value;
  useEffect(() => {
    // Words that are being typed are not all asked about.
    const timer = setTimeout(() => list.restart(), page.peek() === null ? 0 : 150);
    return () => clearTimeout(timer);
  }, [asked]);
  useEffect(() => tick.subscribe(() => list.inTurn()), []);
}

let detail: { key: string; poll: Poll<ProbeDetail> } | null = null;

function detailOf(job: string, instance: string): Poll<ProbeDetail> {
  const key = keyOfProbe({ job, instance });
  if (detail?.key !== key) {
    const poll = new Poll<ProbeDetail>(
      (withRecord) => probeOne(job, instance, withRecord ? "1d" : null),
      (next, old) => ({ ...next, history: old.history, notes: old.notes, probe: withRecordOf(next.probe, old.probe) }),
    );
    detail = { key, poll };
  }
  return detail.poll;
}

/** One target, kept fresh while the component stands. */
export function useProbe(job: string, instance: string): { detail: ProbeDetail | null; failure: string | null; refresh: () => void } {
  const poll = detailOf(job, instance);
  useEffect(() => {
    poll.restart();
    return tick.subscribe(() => poll.inTurn());
  }, [poll]);
  return { detail: poll.value.value, failure: poll.failure.value, refresh: () => poll.restart() };
}
