// One chart with its title, its legend and its explanation.

import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type uPlot from "uplot";
import type { Subject } from "../lib/promql";
import { type Scale, scaleFor } from "../lib/units";
import type { ChartSpec } from "../state/api";
import { paint, throughput } from "../state/preferences";
import { viewport } from "../state/range";
import { Explain } from "./explain";
import { ChartNote } from "./note";
import { type Feed, useFeed } from "./feed";
import { describe } from "./describe";
import { useFrames, useVisible, useWidth } from "./drawing-hooks";
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
  const stacked = spec.stacked ?? false;

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
          stacked,
          onCursor: (row) => (cursorRow.value = row),
          onScale: (next) => (scale.value = next),
        });
        made.current = shape;
      }
      const { from, to } = viewport.value;
      const data = dataOf(columns, { stacked, hidden });
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
