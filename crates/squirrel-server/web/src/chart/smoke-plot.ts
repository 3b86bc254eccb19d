// The drawing of smoke: bands between percentiles, the median, and loss from above.

import uPlot from "uplot";
import { type Scale, scaleFor } from "../lib/units";
import type { Columns } from "./columns";
import { digitsOfAxis } from "./plot";
import { cursor, FONT, gestures, resolver, timeAxis, withAlpha } from "./plot-frame";
import { pinch } from "./touch";

const PERCENTILES = [0, 5, 25, 50, 75, 95, 100] as const;
/** From this share of lost questions on it is much. */
const MUCH = 0.1;
/** The least length of a bar of loss, as a part of the drawing's height. */
const LEAST = 0.03;

export interface Smoke {
  /** Times, then the percentiles from 0 to 100. */
  data: [number[], ...(number | null)[][]];
  loss: readonly (number | null)[];
  /** The newest row that has a figure. */
  lastRow: number | null;
  at: (percentile: number, row: number | null) => number | null;
}

type Values = (number | null)[];

/** The columns by what they mean; a percentile that there is no series of is nothing everywhere. */
export function smokeOf(columns: Columns): Smoke {
  const nothing: Values = new Array<number | null>(columns.times.length).fill(null);
  const of = (percentile: number): Values => columns.series.find((series) => series.labels["percentile"] === String(percentile))?.values ?? nothing;
  const loss = columns.series.find((series) => series.query === 3)?.values ?? nothing;
  const bands = PERCENTILES.map(of);
  let lastRow: number | null = null;
  for (let i = columns.times.length - 1; i >= 0 && lastRow === null; i--) if (loss[i] != null || bands[3]?.[i] != null) lastRow = i;
  const at = (percentile: number, row: number | null): number | null => {
    const place = PERCENTILES.indexOf(percentile as (typeof PERCENTILES)[number]);
    return row === null ? null : (bands[place]?.[row] ?? null);
  };
  return { data: [columns.times, ...bands], loss, lastRow, at };
}

interface Options {
  width: number;
  height: number;
  onCursor: (row: number | null) => void;
  onScale: (scale: Scale) => void;
}

/** A drawing in its place. */
export interface SmokePlot {
  put(smoke: Smoke, from: number, to: number): void;
  destroy(): void;
}

export function makeSmoke(target: HTMLElement, first: Smoke, options: Options): SmokePlot {
  const colour = resolver();
  const smoke = colour("--series-0");
  const [little, much] = [colour("--warning"), colour("--bad")];
  let scale: Scale = { factor: 1, suffix: "" };
  let latest = first;

  const drawLoss = (plot: uPlot): void => {
    const { ctx, bbox } = plot;
    const times = plot.data[0];
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (let i = 0; i < times.length; i++) {
      const loss = latest.loss[i] ?? null;
      if (loss === null || loss <= 0) continue;
      const time = times[i] ?? 0;
      // A point stands for the time since the one before it.
      const right = plot.valToPos(time, "x", true);
      const left = plot.valToPos(times[i - 1] ?? time, "x", true);
      ctx.fillStyle = loss >= MUCH ? much : little;
      ctx.fillRect(Math.min(left, right - 2 * devicePixelRatio), bbox.top, Math.max(2 * devicePixelRatio, right - left), Math.max(LEAST, loss) * bbox.height);
    }
    ctx.restore();
  };

  const invisible = { stroke: "transparent", width: 0, points: { show: false } };
  const plot = new uPlot(
    {
      width: options.width,
      height: options.height,
      padding: [8, 18, 0, 0],
      legend: { show: false },
      cursor: cursor(),
      scales: {
        x: { time: true, auto: false },
        y: { range: (_plot, _low, high) => [0, Math.max(1e-5, (high ?? 0) * 1.08)] },
      },
      axes: [
        timeAxis(colour),
        {
          stroke: colour("--chart-axis"),
          font: FONT,
          size: 44,
          gap: 6,
          space: 28,
          grid: { stroke: colour("--chart-grid"), width: 1 },
          ticks: { show: false },
          values: (_plot, splits) => {
            if (latest.lastRow === null) return splits.map(() => "");
            const next = scaleFor("seconds", Math.max(...splits), "bits");
            if (next.suffix !== scale.suffix) options.onScale(next);
            scale = next;
            return splits.map((value) => digitsOfAxis(value * next.factor));
          },
        },
      ],
      series: [
        {},
        ...PERCENTILES.map((percentile) =>
          percentile === 50 ? { label: "50", stroke: smoke, width: 2, spanGaps: false, points: { show: false } } : { label: String(percentile), ...invisible },
        ),
      ],
      bands: [
        { series: [7, 1], fill: withAlpha(smoke, 0.14) },
        { series: [6, 2], fill: withAlpha(smoke, 0.18) },
        { series: [5, 3], fill: withAlpha(smoke, 0.26) },
      ],
      hooks: { ...gestures(options.onCursor), drawAxes: [drawLoss] },
    },
    first.data,
    target,
  );
  pinch(plot);
  return {
    put(smoke, from, to) {
      latest = smoke;
      plot.batch(() => {
        plot.setData(smoke.data, false);
        plot.setScale("x", { min: from, max: to });
      });
    },
    destroy: () => plot.destroy(),
  };
}
