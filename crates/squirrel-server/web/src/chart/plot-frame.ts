// What all drawings have in common: colours, the axis of time, the crosshair and the gestures.

import type uPlot from "uplot";
import { zoomOut, zoomTo } from "../state/range";

/** A style sheet's colour as the canvas needs it. */
export function resolver(): (variable: string) => string {
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

export const withAlpha = (colour: string, alpha: number): string =>
  colour.replace(/^rgb\(([^)]+)\)$/, (_, parts: string) => `rgba(${parts}, ${alpha})`);

export const FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

/** One crosshair for all drawings of the page; a drag chooses what to zoom into. */
export const cursor = (): uPlot.Cursor => ({
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
});

/** What the crosshair and a drag do. */
export const gestures = (onCursor: (row: number | null) => void): uPlot.Hooks.Arrays => ({
  setCursor: [
    (plot) => {
      const { idx, left } = plot.cursor;
      onCursor(idx === null || idx === undefined || (left ?? -1) < 0 ? null : idx);
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
});

export const timeAxis = (colour: (variable: string) => string): uPlot.Axis => ({
  stroke: colour("--chart-axis"),
  font: FONT,
  size: 26,
  gap: 6,
  space: 70,
  grid: { show: false },
  ticks: { stroke: colour("--chart-grid"), width: 1, size: 4 },
  values: TIME_LABELS,
});

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
