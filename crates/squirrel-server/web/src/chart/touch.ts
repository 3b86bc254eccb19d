// Fingers on a chart: one moves the crosshair, two zoom. Vertical movement still scrolls the page.

import type uPlot from "uplot";
import { viewport, zoomTo } from "../state/range";

export function pinch(plot: uPlot): void {
  const area = plot.over;
  let start: { a: number; b: number } | null = null;
  let end: { a: number; b: number } | null = null;

  const fingers = (event: TouchEvent): { a: number; b: number } | null => {
    const box = area.getBoundingClientRect();
    const [one, two] = [event.touches[0], event.touches[1]];
    if (!one || !two || box.width === 0) return null;
    const places = [(one.clientX - box.left) / box.width, (two.clientX - box.left) / box.width].sort((x, y) => x - y);
    return { a: places[0] ?? 0, b: places[1] ?? 0 };
  };

  area.addEventListener("touchstart", (event) => {
    start = fingers(event);
    end = start;
    moveCursor(event);
  }, { passive: true });
  area.addEventListener("touchmove", (event) => {
    if (event.touches.length === 2) end = fingers(event);
    else moveCursor(event);
  }, { passive: true });
  area.addEventListener("touchend", () => {
    if (!start || !end) return;
    const before = start.b - start.a;
    const after = end.b - end.a;
    if (Math.abs(after - before) > 0.05 && after > 0.02 && before > 0.02) {
      // What lay between the fingers at first lies between them at the end.
      const { from, to } = viewport.value;
      const span = ((to - from) * before) / after;
      const left = from + start.a * (to - from) - end.a * span;
      zoomTo(left, Math.min(left + span, Date.now() / 1000 + 60));
    }
    start = end = null;
  });

  function moveCursor(event: TouchEvent): void {
    const finger = event.touches[0];
    if (event.touches.length !== 1 || !finger) return;
    const box = area.getBoundingClientRect();
    plot.setCursor({ left: finger.clientX - box.left, top: finger.clientY - box.top });
  }
}
