// One uPlot drawing: axes, colours and gestures. What it shows is handed to it each time.

import uPlot from "uplot";
import { colourName, strokes } from "../lib/palette";
import { digits, type Scale, scaleFor, type Throughput, type Unit } from "../lib/units";
import type { Columns, Series } from "./columns";
import { cursor, FONT, gestures, resolver, timeAxis, withAlpha } from "./plot-frame";
import { pinch } from "./touch";

export interface PlotOptions {
  unit: Unit;
  throughput: Throughput;
  width: number;
  height: number;
  hidden: ReadonlySet<string>;
  /** Series are parts of a whole, drawn one upon the other. */
  stacked: boolean;
  /** The row under the crosshair, or null when there is none. */
  onCursor: (row: number | null) => void;
  /** The scale that the vertical axis chose. */
  onScale: (scale: Scale) => void;
}

/** Draws `columns` into `target`. Make a new one when the series, the theme or the unit change. */
export function makePlot(target: HTMLElement, columns: Columns, options: PlotOptions): uPlot {
  const colour = resolver();
  const axisColour = colour("--chart-axis");
  const gridColour = colour("--chart-grid");
  let scale: Scale = { factor: 1, suffix: "" };
  const mirrored = columns.series.some((series) => series.mirrored);

  const settings: uPlot.Options = {
    width: options.width,
    height: options.height,
    padding: [8, 18, 0, 0],
    legend: { show: false },
    cursor: cursor(),
    scales: {
      x: { time: true, auto: false },
      y: { range: (_plot, low, high) => verticalRange(low, high, mirrored, options.unit) },
    },
    axes: [
      timeAxis(colour),
      {
        stroke: axisColour,
        font: FONT,
        size: 44,
        gap: 6,
        space: 28,
        grid: { stroke: gridColour, width: 1 },
        ticks: { show: false },
        ...(options.unit === "bytes" ? { splits: binarySplits } : {}),
        ...(options.unit === "count" ? { incrs: WHOLE_STEPS } : {}),
        values: (_plot, splits) => {
          // Without a series there is no scale that would mean something.
          if (columns.series.length === 0) return splits.map(() => "");
          const largest = Math.max(...splits.map(Math.abs));
          const next = scaleFor(options.unit, largest, options.throughput);
          if (next.suffix !== scale.suffix) options.onScale(next);
          scale = next;
          return splits.map((value) => digitsOfAxis(Math.abs(value) * next.factor));
        },
      },
    ],
    series: [{}, ...seriesOptions(columns, colour, options)],
    hooks: gestures(options.onCursor),
  };
  if (options.stacked) settings.bands = bandsOf(columns, colour, options.hidden);
  const plot = new uPlot(settings, dataOf(columns, options), target);
  pinch(plot);
  return plot;
}

/** The columns as uPlot wants them: what is mirrored goes below zero, parts of a whole stand on those before them. */
export function dataOf(columns: Columns, { stacked, hidden }: { stacked: boolean; hidden: ReadonlySet<string> }): uPlot.AlignedData {
  if (stacked) return [columns.times, ...stack(columns, hidden)];
  return [
    columns.times,
    ...columns.series.map((series) => (series.mirrored ? series.values.map((value) => (value === null ? null : -value)) : series.values)),
  ];
}

/** The room between each part and the one below it. */
function bandsOf(columns: Columns, colour: (variable: string) => string, hidden: ReadonlySet<string>): uPlot.Band[] {
  const styles = seriesStyles(columns);
  const shown = columns.series.flatMap((series, i) => (hidden.has(series.key) ? [] : [{ place: i + 1, key: series.key }]));
  return shown.slice(1).map(({ place, key }, i) => ({
    series: [place, shown[i]?.place ?? 0],
    fill: withAlpha(colour(styles.get(key)?.variable ?? "--series-0"), STACK_ALPHA),
  }));
}

const STACK_ALPHA = 0.45;

function stack(columns: Columns, hidden: ReadonlySet<string>): (number | null)[][] {
  const base = new Array<number>(columns.times.length).fill(0);
  return columns.series.map((series) =>
    series.values.map((value, i) => {
      if (value === null || hidden.has(series.key)) return value;
      return (base[i] = (base[i] ?? 0) + value);
    }),
  );
}

function seriesOptions(columns: Columns, colour: (variable: string) => string, { hidden, stacked }: PlotOptions): uPlot.Series[] {
  const styles = seriesStyles(columns);
  const alpha = stacked ? 0 : columns.series.length <= 2 ? 0.16 : columns.series.length <= 6 ? 0.07 : 0;
  return columns.series.map((series) => {
    const style = styles.get(series.key);
    const stroke = colour(style?.variable ?? "--series-0");
    const options: uPlot.Series = {
      label: series.label,
      stroke,
      width: 1.5,
      dash: style?.dash ?? [],
      show: !hidden.has(series.key),
      spanGaps: false,
      // A lone sample between two holes has no line; without a point nobody would see it.
      points: { show: true, size: 5, stroke, fill: stroke, filter: (_plot, index) => lonePoints(columns, index) },
    };
    // The lowest part stands on zero; those above it are bands.
    if (stacked && columns.series.find((one) => !hidden.has(one.key)) === series) {
      options.fill = withAlpha(stroke, STACK_ALPHA);
      options.fillTo = 0;
    }
    if (alpha > 0 && !series.threshold) {
      options.fill = withAlpha(stroke, alpha);
      options.fillTo = 0;
    }
    return options;
  });
}

function lonePoints(columns: Columns, index: number): number[] {
  const values = columns.series[index - 1]?.values ?? [];
  const lone: number[] = [];
  for (let i = 0; i < values.length; i++) {
    if (values[i] != null && values[i - 1] == null && values[i + 1] == null) lone.push(i);
  }
  return lone;
}

/** How each series is drawn, by its key. */
export function seriesStyles(columns: Columns): Map<string, { variable: string; dash: number[] }> {
  const names = columns.series.map((series) => colourName(series.label));
  const byStroke = strokes(names);
  const styleOf = (series: Series, name: string) => (series.threshold ? THRESHOLD : (byStroke.get(name) ?? { variable: "--series-0", dash: [] }));
  return new Map(columns.series.map((series, i) => [series.key, styleOf(series, names[i] ?? "")]));
}

const THRESHOLD = { variable: "--bad", dash: [7, 4] };

/** From zero for everything; both halves of a mirrored chart get the room that they need. */
function verticalRange(low: number | null, high: number | null, mirrored: boolean, unit: Unit): [number, number] {
  const least = unit === "seconds" ? 1e-5 : unit === "ratio" ? 1e-4 : unit === "number" ? 1e-6 : unit === "bits_per_second" ? 1000 : 1;
  let top = Math.max(high ?? 0, 0) * 1.08;
  let bottom = Math.min(low ?? 0, 0) * 1.08;
  if (top - bottom < least) {
    top = least;
    bottom = mirrored ? -least : 0;
  }
  if (mirrored) {
    const room = (top - bottom) * 0.06;
    return [Math.min(bottom, -room), Math.max(top, room)];
  }
  return [bottom, top];
}

/** There is no half socket. */
const WHOLE_STEPS = Array.from({ length: 12 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat();

function binarySplits(_plot: uPlot, _axis: number, low: number, high: number): number[] {
  const step = 2 ** Math.ceil(Math.log2((high - low) / 5 || 1));
  const splits: number[] = [];
  for (let at = Math.ceil(low / step) * step; at <= high; at += step) splits.push(at);
  return splits;
}

/** Tick marks are round numbers: all their digits, no more. */
export function digitsOfAxis(value: number): string {
  if (value === 0) return "0";
  const text = value >= 1000 ? digits(value) : String(Number(value.toPrecision(4)));
  return text.length > 6 ? value.toPrecision(2) : text;
}
