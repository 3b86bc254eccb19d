// A chart's numbers as uPlot wants them: one column of times, and one of values for each series.
// History comes on an even grid; the live tail is averaged into the same grid as it grows, so that
// a chart of a day moves each second without holding 86 400 points.

import type { MatrixSeries, VectorSeries } from "../state/api";
import { numberOf } from "../state/api";
import { keyOf, type Labels, legendOf } from "../lib/promql";
import { byName, visible } from "../lib/text";

/** Where a series comes from. */
export interface Query {
  legend: string;
  expr: string;
  mirrored: boolean;
  /** A limit that the others are held against: a dashed line in its own colour. */
  threshold?: boolean;
  /** Which of its series are shown; all when not given. */
  only?: (labels: Labels) => boolean;
}

export interface Series {
  key: string;
  query: number;
  labels: Labels;
  label: string;
  mirrored: boolean;
  threshold: boolean;
  values: (number | null)[];
  /** The newest value of the stream or of the history. */
  now: number | null;
}

/** Series of one chart that are drawn; a chart of thousands of lines tells nothing and stops the browser. */
export const SERIES_MAX = 32;

/** Seconds without a tick that leave a point of the grid empty. */
export const gapFrom = (step: number): number => step + 2.5;

export class Columns {
  times: number[] = [];
  series: Series[] = [];
  /** Series that were left out. */
  omitted = 0;
  private bucket: { end: number; count: number; sums: Map<Series, { sum: number; count: number }> } | null = null;

  constructor(
    private readonly queries: readonly Query[],
    private readonly step: number,
    private readonly seriesMax: number = SERIES_MAX,
  ) {}

  get lastTime(): number | null {
    return this.times.at(-1) ?? null;
  }

  /** Takes the answers of a range query that ran from `start` to `end`; what stood there before is replaced. */
  putHistory(start: number, end: number, answers: readonly (readonly MatrixSeries[])[]): void {
    const keep = this.times.findIndex((time) => time >= start - this.step / 2);
    const kept = keep < 0 ? this.times.length : keep;
    this.cut(kept);
    const points = Math.floor((end - start) / this.step + 1e-6) + 1;
    for (let i = 0; i < points; i++) this.times.push(start + i * this.step);
    for (const series of this.series) for (let i = 0; i < points; i++) series.values.push(null);
    answers.forEach((matrix, query) => {
      for (const { metric, values } of matrix) {
        const series = this.find(query, metric);
        if (!series) continue;
        for (const [time, text] of values) {
          const index = kept + Math.round((time - start) / this.step);
          const value = numberOf(text);
          if (index < series.values.length) series.values[index] = Number.isFinite(value) ? value : null;
        }
        series.now = series.values.at(-1) ?? null;
      }
    });
    this.bucket = null;
  }

  /** Takes one second of the stream. */
  putTick(time: number, answers: readonly (readonly VectorSeries[])[]): void {
    const last = this.lastTime;
    if (last !== null && time <= last) return;
    const end = Math.ceil(time / this.step) * this.step;
    const continues = this.bucket !== null && this.bucket.end === end;
    if (!continues) {
      // A hole in time must be a hole in the line.
      if (last !== null && time - last > gapFrom(this.step)) this.appendRow(last + this.step);
      this.appendRow(time);
      this.bucket = { end, count: 0, sums: new Map() };
    }
    const row = this.times.length - 1;
    this.times[row] = time;
    for (const series of this.series) series.now = null;
    answers.forEach((vector, query) => {
      for (const { metric, value } of vector) {
        const series = this.find(query, metric);
        const number = numberOf(value[1]);
        if (!series || !Number.isFinite(number)) continue;
        series.now = number;
        const sums = this.bucket?.sums;
        const mean = sums?.get(series) ?? { sum: 0, count: 0 };
        mean.sum += number;
        mean.count++;
        sums?.set(series, mean);
        series.values[row] = mean.sum / mean.count;
      }
    });
  }

  /** Drops what lies before `time`; in portions, as each moves all columns. */
  dropBefore(time: number): void {
    const first = this.times.findIndex((at) => at >= time);
    if (first < 64) return;
    this.times.splice(0, first);
    for (const series of this.series) series.values.splice(0, first);
  }

  private appendRow(time: number): void {
    this.times.push(time);
    for (const series of this.series) series.values.push(null);
  }

  private cut(length: number): void {
    this.times.length = length;
    for (const series of this.series) series.values.length = length;
  }

  private find(query: number, labels: Labels): Series | undefined {
    const key = `${query} ${keyOf(labels)}`;
    const known = this.index.get(key);
    if (known) return known;
    const source = this.queries[query];
    if (!source || source.only?.(labels) === false) return undefined;
    if (this.series.length >= this.seriesMax) {
      if (!this.refused.has(key)) {
        this.refused.add(key);
        this.omitted++;
      }
      return undefined;
    }
    const label = visible(legendOf(source.legend, labels)) || visible(Object.values(labels).join(" ")) || "value";
    const values = new Array<number | null>(this.times.length).fill(null);
    const series = { key, query, labels, label, mirrored: source.mirrored, threshold: source.threshold ?? false, values, now: null };
    this.index.set(key, series);
    this.series.push(series);
    this.series.sort((a, b) => a.query - b.query || byName(a.label, b.label));
    return series;
  }
  private readonly index = new Map<string, Series>();
  private readonly refused = new Set<string>();
}
