// When a drawing is drawn: near the screen, as wide as its place, and once in a frame.

import { useSignalEffect } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { chartWidth } from "../state/range";

/** Calls `draw` once in the next animation frame after anything that `depends` reads has changed. */
export function useFrames(depends: () => boolean, draw: () => void, inputs: unknown[]): void {
  const frame = useRef(0);
  const latest = useRef({ depends, draw });
  latest.current = { depends, draw };
  const request = () => {
    if (frame.current === 0) {
      frame.current = requestAnimationFrame(() => {
        frame.current = 0;
        latest.current.draw();
      });
    }
  };
  useSignalEffect(() => {
    if (latest.current.depends()) request();
  });
  useEffect(() => {
    if (latest.current.depends()) request();
  }, inputs);
  useEffect(() => () => cancelAnimationFrame(frame.current), []);
}

/** Whether the element was ever near the screen, and whether it is now. */
export function useVisible(element: { current: HTMLElement | null }): [boolean, boolean] {
  const [state, setState] = useState<[boolean, boolean]>([false, false]);
  useEffect(() => {
    const target = element.current;
    if (!target) return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        const near = entry?.isIntersecting ?? false;
        setState(([seen]) => [seen || near, near]);
      },
      { rootMargin: "300px" },
    );
    observer.observe(target);
    return () => observer.disconnect();
  }, []);
  return state;
}

export function useWidth(element: { current: HTMLElement | null }): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const target = element.current;
    if (!target) return;
    const observer = new ResizeObserver(([entry]) => {
      const next = Math.floor(entry?.contentRect.width ?? 0);
      setWidth(next);
      // One step for all charts keeps their crosshairs on the same rows; widths differ little.
      const rounded = Math.round(next / 100) * 100;
      if (rounded > 0 && Math.abs(rounded - chartWidth.peek()) >= 100) chartWidth.value = rounded;
    });
    observer.observe(target);
    return () => observer.disconnect();
  }, []);
  return width;
}
