// The cells of hops by time: from series to rows, and onto the canvas.

import type { Columns } from "./columns";
import { resolver } from "./plot-frame";

/** Shades from fast to slow; the style sheet has a colour for each. */
export const STEPS = 7;
const ROW = 20;
const LEFT = 44;
const BOTTOM = 20;
const FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

export interface HopCells {
  hop: string;
  trips: readonly (number | null)[];
  /** Questions without an answer, as a share. */
  losses: readonly (number | null)[];
  /** What of it every place behind has too: only that is lost on the way. */
  real: readonly (number | null)[];
}

export interface Cells {
  times: readonly number[];
  hops: readonly HopCells[];
}

export function cellsOf(columns: Columns): Cells {
  const rows = new Map<string, { trips: readonly (number | null)[]; losses: readonly (number | null)[] }>();
  for (const series of columns.series) {
    const hop = series.labels["hop"];
    if (hop === undefined || !/^\d{1,3}$/.test(hop)) continue;
    const row = rows.get(hop) ?? { trips: [], losses: [] };
    if (series.query === 0) row.trips = series.values;
    else row.losses = series.values;
    rows.set(hop, row);
  }
  const sorted = [...rows].map(([hop, row]) => ({ hop, ...row })).sort((a, b) => Number(a.hop) - Number(b.hop));
  return { times: columns.times, hops: withReal(sorted, columns.times.length) };
}

/** A router that limits its answers loses nothing: loss is real where all behind it have it too. */
function withReal(hops: readonly Omit<HopCells, "real">[], rows: number): HopCells[] {
  const least = new Array<number | null>(rows).fill(null);
  const backwards = [...hops].reverse().map((hop) => {
    const real = least.map((behind, i) => {
      const own = hop.losses[i] ?? null;
      return (least[i] = own === null ? behind : behind === null ? own : Math.min(own, behind));
    });
    return { ...hop, real };
  });
  return backwards.reverse();
}

export const heightOf = (cells: Cells): number => Math.max(1, cells.hops.length) * ROW + BOTTOM;

interface Window {
  width: number;
  from: number;
  to: number;
}

/** The cell under a point of the canvas. */
export function placeOf(cells: Cells, { x, y, width, from, to }: Window & { x: number; y: number }): { row: number; hop: number } | null {
  const hop = Math.floor(y / ROW);
  const time = from + ((x - LEFT) / (width - LEFT)) * (to - from);
  const row = cells.times.findIndex((at) => at >= time);
  return hop < 0 || hop >= cells.hops.length || row < 0 ? null : { row, hop };
}

/** Shades by the logarithm: between 1 and 10 ms lies as much as between 10 and 100. */
function shader(cells: Cells): (seconds: number) => number {
  let [least, most] = [Infinity, 0];
  for (const { trips } of cells.hops) {
    for (const trip of trips) {
      if (trip === null || trip <= 0) continue;
      least = Math.min(least, trip);
      most = Math.max(most, trip);
    }
  }
  const [low, high] = [Math.log(least), Math.log(Math.max(most, least * 2))];
  return (seconds) => Math.min(STEPS - 1, Math.max(0, Math.floor(((Math.log(Math.max(seconds, 1e-7)) - low) / (high - low)) * STEPS)));
}

interface Scene extends Window {
  changes: readonly number[];
  pointed: { row: number; hop: number } | null;
}

export function drawCells(canvas: HTMLCanvasElement, cells: Cells, scene: Scene): void {
  const ratio = devicePixelRatio;
  const height = heightOf(cells);
  canvas.width = Math.round(scene.width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  if (!context) return;
  context.scale(ratio, ratio);
  const colour = resolver();
  const shades = Array.from({ length: STEPS }, (_, i) => colour(`--heat-${i}`));
  const shade = shader(cells);
  const plotted = scene.width - LEFT;
  const xOf = (time: number): number => LEFT + ((time - scene.from) / (scene.to - scene.from)) * plotted;
  const bottom = cells.hops.length * ROW;

  cells.hops.forEach(({ trips, losses, real }, hop) => {
    for (let i = 1; i < cells.times.length; i++) {
      const [trip, loss] = [trips[i] ?? null, losses[i] ?? null];
      if (trip === null && loss === null) continue;
      const [left, right] = [Math.max(LEFT, xOf(cells.times[i - 1] ?? 0)), Math.min(scene.width, xOf(cells.times[i] ?? 0))];
      if (right <= left) continue;
      const y = hop * ROW + 1;
      context.fillStyle = trip === null ? colour("--sunken") : (shades[shade(trip)] ?? "");
      context.fillRect(left, y, right - left + 0.4, ROW - 2);
      const lost = real[i] ?? 0;
      const mark = (share: number, variable: string) => {
        const tall = Math.max(3, share * (ROW - 2));
        context.fillStyle = colour(variable);
        context.fillRect(left, y + ROW - 2 - tall, Math.max(1.5, right - left + 0.4), tall);
      };
      if (lost > 0) mark(lost, "--bad");
      else if ((loss ?? 0) > 0) mark(0, "--dim");
    }
  });

  context.font = FONT;
  context.fillStyle = colour("--chart-axis");
  context.textBaseline = "middle";
  cells.hops.forEach(({ hop }, i) => context.fillText(`hop ${hop}`, 2, i * ROW + ROW / 2));
  drawTimes(context, scene, xOf, bottom);

  context.strokeStyle = colour("--text");
  context.setLineDash([3, 3]);
  for (const at of scene.changes) {
    const x = xOf(at);
    if (x < LEFT || x > scene.width) continue;
    context.beginPath();
    context.moveTo(x, 0);
    context.lineTo(x, bottom);
    context.stroke();
  }
  context.setLineDash([]);
  if (scene.pointed) {
    const { row, hop } = scene.pointed;
    const [left, right] = [xOf(cells.times[row - 1] ?? cells.times[row] ?? 0), xOf(cells.times[row] ?? 0)];
    context.strokeStyle = colour("--focus");
    context.lineWidth = 2;
    context.strokeRect(Math.max(LEFT, left), hop * ROW + 1, Math.max(2, right - left), ROW - 2);
  }
}

const SPACINGS = [60, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800];

function drawTimes(context: CanvasRenderingContext2D, scene: Scene, xOf: (time: number) => number, top: number): void {
  const wanted = ((scene.to - scene.from) / (scene.width - LEFT)) * 90;
  const spacing = SPACINGS.find((size) => size >= wanted) ?? 604_800;
  const offset = new Date(scene.from * 1000).getTimezoneOffset() * 60;
  const pad = (value: number): string => String(value).padStart(2, "0");
  for (let at = Math.ceil((scene.from - offset) / spacing) * spacing + offset; at <= scene.to; at += spacing) {
    const date = new Date(at * 1000);
    const text = spacing >= 86_400 ? `${date.getDate()}.${date.getMonth() + 1}.` : `${pad(date.getHours())}:${pad(date.getMinutes())}`;
    if (xOf(at) < scene.width - 34) context.fillText(text, xOf(at), top + BOTTOM / 2);
  }
}
