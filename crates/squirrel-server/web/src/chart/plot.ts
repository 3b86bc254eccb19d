// One uPlot drawing: axes, colours and gestures. What it shows is handed to it each time.

import uPlot from "uplot";
import { colourName, strokes } from "../lib/palette";
import { digits, type Scale, scaleFor, type Throughput, type Unit } from "../lib/units";
import { zoomOut, zoomTo } from "../state/range";
import type { Columns, Series } from "./columns";
import { pinch } from "./touch";

export interface PlotOptions {
  unit: Unit;
  throughput: Throughput;
  width: number;
  height: number;
  hidden: ReadonlySet<string>;
  /** The row under the crosshair, or null when there is none. */
  onCursor: (row: number | null) => void;
  /** The scale that the vertical axis chose. */
  onScale: (scale: Scale) => void;
}

/** A style sheet's colour as the canvas needs it. */
function resolver(): (variable: string) => string {
  const probe = document.createElement("span");
  document.body.append(probe);
  const known = new Map<string, string>();
  const resolve = (variable: string): string => {
    let colour = known.get(variable);
    if (colour === undefined) {
      probe.style.color = `var(${variable})`;
      colour = getComputedStyle(probe).color;
      known.set(variable, colour);
    }
    return colour;
  };
  queueMicrotask(() => probe.remove());
  return resolve;
}

const withAlpha = (colour: string, alpha: number): string =>
  colour.replace(/^rgb\(([^)]+)\)$/, (_, parts: string) => `rgba(${parts}, ${alpha})`);

const FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

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
    cursor: {
      y: false,
      drag: { x: true, y: false, setScale: false, dist: 5 },
      sync: {
        key: "page",
        setSeries: false,
        scales: ["x", null],
        filters: { pub: (type: string) => type === "mousemove" || type === "mouseleave", sub: () => true },
      },
      points: { size: 7, width: 2 },
      bind: {
        dblclick: () => () => {
          zoomOut();
          return null;
        },
      },
    },
    scales: {
      x: { time: true, auto: false },
      y: { range: (_plot, low, high) => verticalRange(low, high, mirrored, options.unit) },
    },
    axes: [
      {
        stroke: axisColour,
        font: FONT,
        size: 26,
        gap: 6,
        space: 70,
        grid: { show: false },
        ticks: { stroke: gridColour, width: 1, size: 4 },
        values: TIME_LABELS,
      },
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
    series: [{}, ...seriesOptions(columns, colour, options.hidden)],
    hooks: {
      setCursor: [
        (plot) => {
          const { idx, left } = plot.cursor;
          options.onCursor(idx === null || idx === undefined || (left ?? -1) < 0 ? null : idx);
        },
      ],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width < 5) return;
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          zoomTo(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
        },
      ],
    },
  };
  const plot = new uPlot(settings, dataOf(columns), target);
  pinch(plot);
  return plot;
}

/** The columns as uPlot wants them: what is mirrored goes below zero. */
export function dataOf(columns: Columns): uPlot.AlignedData {
  return [
    columns.times,
    ...columns.series.map((series) => (series.mirrored ? series.values.map((value) => (value === null ? null : -value)) : series.values)),
  ];
}

function seriesOptions(columns: Columns, colour: (variable: string) => string, hidden: ReadonlySet<string>): uPlot.Series[] {
  const styles = seriesStyles(columns);
  const alpha = columns.series.length <= 2 ? 0.16 : columns.series.length <= 6 ? 0.07 : 0;
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
function digitsOfAxis(value: number): string {
  if (value === 0) return "0";
  const text = value >= 1000 ? digits(value) : String(Number(value.toPrecision(4)));
  return text.length > 6 ? value.toPrecision(2) : text;
}

const pad = (value: number): string => String(value).padStart(2, "0");
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** 24-hour clock; seconds only where ticks are closer than a minute, days where they are far apart. */
const TIME_LABELS: uPlot.Axis.DynamicValues = (plot, splits, _axis, _space, increment) => {
  let day = -1;
  const width = plot.bbox.width / devicePixelRatio;
  return splits.map((time) => {
    // A label with seconds is wider than the room beside the plot.
    if (increment < 60 && plot.valToPos(time, "x") > width - 8) return "";
    const date = new Date(time * 1000);
    const newDay = day !== -1 && date.getDate() !== day;
    day = date.getDate();
    const dayText = `${date.getDate()} ${MONTHS[date.getMonth()]}`;
    if (increment >= 86_400 || (newDay && date.getHours() === 0 && date.getMinutes() === 0)) return dayText;
    const minutes = `${pad(date.getHours())}:${pad(date.getMinutes())}`;
    return increment < 60 ? `${minutes}:${pad(date.getSeconds())}` : minutes;
  });
};
