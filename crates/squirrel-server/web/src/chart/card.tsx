// One chart with its title, its legend and its explanation.

import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type uPlot from "uplot";
import type { Subject } from "../lib/promql";
import { type Scale, scaleFor } from "../lib/units";
import type { ChartSpec } from "../state/api";
import { paint, throughput } from "../state/preferences";
import { chartWidth, viewport } from "../state/range";
import { Explain } from "./explain";
import { ChartNote } from "./note";
import { type Feed, useFeed } from "./feed";
import { describe } from "./describe";
import { Legend } from "./legend";
import { dataOf, makePlot } from "./plot";
import { useSoftHold } from "./soft-hold";

const HEIGHT = 190;

export function ChartCard({ spec, subject }: { spec: ChartSpec; subject?: Subject | undefined }) {
  const frame = useRef<HTMLElement>(null);
  const [seen, visible] = useVisible(frame);
  const feed = useFeed(spec.queries, seen, subject);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const cursorRow = useSignal<number | null>(null);
  const scale = useSignal<Scale>({ factor: 1, suffix: "" });
  const titleId = `chart-${spec.id}`;

  return (
    <section class="card chart" ref={frame} aria-labelledby={titleId} data-chart={spec.id}>
      <header>
        <h3 id={titleId}>{spec.title}</h3>
        <span class="chart-unit" aria-hidden="true">{scale.value.suffix}</span>
        <Explain spec={spec} />
      </header>
      <Drawing spec={spec} feed={feed} visible={visible} hidden={hidden} cursorRow={cursorRow} scale={scale} />
      <ChartNote feed={feed} />
      <Legend spec={spec} feed={feed} cursorRow={cursorRow} hidden={hidden} onHidden={setHidden} />
    </section>
  );
}

interface DrawingProps {
  spec: ChartSpec;
  feed: Feed;
  visible: boolean;
  hidden: ReadonlySet<string>;
  cursorRow: { value: number | null };
  scale: { value: Scale };
}

/** The canvas. It is made anew when the set of series, the colours or the unit change, and else fed. */
function Drawing({ spec, feed, visible, hidden, cursorRow, scale }: DrawingProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const width = useWidth(place);
  const made = useRef("");
  const softHold = useSoftHold();
  const failed = feed.state.value.kind === "failed";

  const draw = useMemo(
    () => () => {
      const target = place.current;
      if (!target || width === 0) return;
      const columns = feed.columns;
      const shape = JSON.stringify([
        columns.series.map((series) => [series.key, hidden.has(series.key)]),
        paint.value,
        throughput.value,
        width,
      ]);
      if (shape !== made.current || !plot.current) {
        plot.current?.destroy();
        plot.current = makePlot(target, columns, {
          unit: spec.unit,
          throughput: throughput.value,
          width,
          height: HEIGHT,
          hidden,
          onCursor: (row) => (cursorRow.value = row),
          onScale: (next) => (scale.value = next),
        });
        made.current = shape;
      }
      const { from, to } = viewport.value;
      const data = dataOf(columns);
      const current = plot.current;
      current.batch(() => {
        current.setData(data, false);
        current.setScale("x", { min: from, max: to });
      });
      target.dataset["from"] = String(from);
      target.dataset["to"] = String(to);
    },
    [feed, width, hidden, spec],
  );

  useFrames(() => {
    // Read here so that a change of any of these asks for a frame.
    void [feed.version.value, viewport.value, paint.value, throughput.value];
    return visible;
  }, draw, [feed, visible, draw]);
  useEffect(() => () => plot.current?.destroy(), []);
  useLayoutEffect(() => {
    if (scale.value.suffix === "") scale.value = scaleFor(spec.unit, 0, throughput.peek());
  }, []);

  void feed.version.value;
  return (
    <div
      class={failed ? "drawing stale" : "drawing"}
      ref={place}
      role="img"
      aria-label={describe(spec, feed.columns, throughput.value)}
      {...softHold}
    />
  );
}

/** Calls `draw` once in the next animation frame after anything that `depends` reads has changed. */
function useFrames(depends: () => boolean, draw: () => void, inputs: unknown[]): void {
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
function useVisible(element: { current: HTMLElement | null }): [boolean, boolean] {
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

function useWidth(element: { current: HTMLElement | null }): number {
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
