// Hops by time: a row for each place of the path, a column for each moment; the darker, the longer the round trip, and
// loss as a mark of its own in the cell. Changes of the path are lines across.

import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { shareText } from "../lib/share";
import { clockText, momentText } from "../lib/time";
import { show } from "../lib/units";
import { paint } from "../state/preferences";
import { viewport, zoomOut, zoomTo } from "../state/range";
import type { Query } from "./columns";
import { useFrames, useVisible, useWidth } from "./drawing-hooks";
import { useFeed } from "./feed";
import { drawCells, heightOf, type Cells, cellsOf, placeOf, STEPS } from "./heatmap-cells";
import { ChartNote } from "./note";
import { useSoftHold } from "./soft-hold";

const QUERIES: readonly Query[] = [
  { legend: "{{hop}}", expr: 'max_over_time(squirrel_path_hop_round_trip_seconds{$scope,percentile="50"}[$window])', mirrored: false },
  { legend: "{{hop}} loss", expr: "max_over_time(squirrel_path_hop_loss_ratio{$scope}[$window])", mirrored: false },
];

interface Props {
  scope: string;
  leastWindow: number;
  /** Moments at which the path changed. */
  changes: readonly number[];
}

export function HeatMap({ scope, leastWindow, changes }: Props) {
  const frame = useRef<HTMLElement>(null);
  const place = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [seen, near] = useVisible(frame);
  const subject = useMemo(() => ({ scope, leastWindow }), [scope, leastWindow]);
  const feed = useFeed(QUERIES, seen, subject);
  const width = useWidth(place);
  const softHold = useSoftHold();
  const pointed = useSignal<{ row: number; hop: number } | null>(null);
  const dragged = useSignal<{ from: number; to: number } | null>(null);
  void feed.version.value;
  const cells = cellsOf(feed.columns);
  const latest = useRef(cells);
  latest.current = cells;

  const draw = useMemo(
    () => () => {
      const target = canvas.current;
      if (!target || width === 0) return;
      const { from, to } = viewport.value;
      drawCells(target, latest.current, { width, from, to, changes, pointed: pointed.value });
      target.dataset["from"] = String(from);
      target.dataset["to"] = String(to);
    },
    [width, changes],
  );
  useFrames(() => {
    void [feed.version.value, viewport.value, paint.value, pointed.value];
    return near;
  }, draw, [feed, near, draw]);

  const at = (event: PointerEvent) => {
    const box = canvas.current?.getBoundingClientRect();
    const { from, to } = viewport.peek();
    return box ? placeOf(latest.current, { x: event.clientX - box.left, y: event.clientY - box.top, width: box.width, from, to }) : null;
  };
  const onPointerMove = (event: PointerEvent) => {
    softHold.onPointerMove();
    const found = at(event);
    if (dragged.value) dragged.value = { ...dragged.value, to: share(event) };
    else pointed.value = found;
  };
  const share = (event: PointerEvent): number => {
    const box = place.current?.getBoundingClientRect();
    return box && box.width > 0 ? Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) : 0;
  };
  const onPointerDown = (event: PointerEvent) => {
    softHold.onPointerDown();
    if (event.pointerType !== "mouse" || event.button !== 0) return;
    place.current?.setPointerCapture(event.pointerId);
    dragged.value = { from: share(event), to: share(event) };
  };
  const onPointerUp = () => {
    const chosen = dragged.value;
    dragged.value = null;
    if (!chosen || Math.abs(chosen.to - chosen.from) * width < 5) return;
    const { from, to } = viewport.peek();
    const time = (part: number) => from + part * (to - from);
    zoomTo(time(Math.min(chosen.from, chosen.to)), time(Math.max(chosen.from, chosen.to)));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = KEYS[event.key];
    if (!step || cells.hops.length === 0) return;
    event.preventDefault();
    event.stopPropagation();
    const now = pointed.value ?? { row: cells.times.length - 1, hop: 0 };
    const clamp = (value: number, last: number) => Math.min(last, Math.max(0, value));
    pointed.value = { row: clamp(now.row + step[0], cells.times.length - 1), hop: clamp(now.hop + step[1], cells.hops.length - 1) };
  };
  useEffect(() => () => softHold.onPointerLeave(new PointerEvent("pointerleave", { pointerType: "mouse" })), []);

  const failed = feed.state.value.kind === "failed";
  return (
    <section class="card heatmap" ref={frame} aria-labelledby="heatmap-title" data-heatmap>
      <header>
        <h2 id="heatmap-title">Hops over time</h2>
        <Key />
      </header>
      <div class={failed ? "heatmap-plot stale" : "heatmap-plot"} ref={place} tabIndex={0} role="img" aria-label={sentence(cells, changes)}
        onPointerEnter={softHold.onPointerEnter} onPointerMove={onPointerMove} onPointerDown={onPointerDown} onPointerUp={onPointerUp}
        onPointerLeave={(event: PointerEvent) => { softHold.onPointerLeave(event); pointed.value = null; }} onKeyDown={onKeyDown} onDblClick={zoomOut}>
        <canvas ref={canvas} height={heightOf(cells)} />
        <Selection dragged={dragged.value} />
      </div>
      <p class="heatmap-say" aria-live="polite">{said(cells, pointed.value) ?? (cells.hops.length > 0 ? "Point at a cell, or use the arrow keys on the map." : "")}</p>
      <ChartNote feed={feed} />
    </section>
  );
}

const KEYS: Readonly<Record<string, readonly [number, number]>> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** The piece that a drag chooses; its place is set through the element, as the page's policy wants it. */
function Selection({ dragged }: { dragged: { from: number; to: number } | null }) {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const style = element.current?.style;
    if (!style || !dragged) return;
    style.left = `${Math.min(dragged.from, dragged.to) * 100}%`;
    style.width = `${Math.abs(dragged.to - dragged.from) * 100}%`;
  }, [dragged]);
  return dragged && <div class="heatmap-select" ref={element} />;
}

function said(cells: Cells, pointed: { row: number; hop: number } | null): string | null {
  const time = pointed && cells.times[pointed.row];
  const hop = pointed && cells.hops[pointed.hop];
  if (!pointed || time === null || time === undefined || !hop) return null;
  const [trip, loss] = [hop.trips[pointed.row] ?? null, hop.losses[pointed.row] ?? null];
  if (trip === null && loss === null) return `${clockText(time)}, hop ${hop.hop}: nothing known`;
  const real = hop.real[pointed.row] ?? null;
  const goesOn = loss === null || loss <= 0 ? "" : real === null || real <= 0 ? ", which does not go on behind it" : `, of which ${shareText(real)} goes on to the end`;
  return `${clockText(time)}, hop ${hop.hop}: ${trip === null ? "no answer" : show(trip, "seconds", "bits")}, unanswered ${shareText(loss)}${goesOn}`;
}

function sentence(cells: Cells, changes: readonly number[]): string {
  if (cells.hops.length === 0) return "Hops over time: no data.";
  // A place where nobody ever answers tells nothing.
  const answering = cells.hops.filter((hop) => hop.trips.some((trip) => trip != null));
  const losing = answering.filter((hop) => hop.real.some((loss) => loss != null && loss > 0)).map((hop) => hop.hop);
  const [first, last] = [cells.times[0] ?? 0, cells.times.at(-1) ?? 0];
  const changed = changes.filter((at) => at >= first && at <= last).length;
  const loss = losing.length === 0 ? "no loss that goes on to the end" : `loss that goes on to the end at ${losing.length === 1 ? "hop" : "hops"} ${losing.join(", ")}`;
  return `Hops over time, ${cells.hops.length === 1 ? "1 place" : `${cells.hops.length} places`} from ${momentText(first, last)} to ${clockText(last)}: ${loss}; the path changed ${changed === 1 ? "once" : `${changed} times`}.`;
}

function Key() {
  return (
    <span class="heatmap-legend" aria-hidden="true">
      <span>fast</span>
      <svg viewBox={`0 0 ${STEPS} 1`} preserveAspectRatio="none">
        {Array.from({ length: STEPS }, (_, i) => <rect key={i} x={i} width={1.02} height={1} class={`heat-${i}`} />)}
      </svg>
      <span>slow</span>
      <span><span class="key heat-loss" /> loss that goes on</span>
      <span><span class="key heat-unanswered" /> only unanswered</span>
      <span><span class="key heat-change" /> path changed</span>
    </span>
  );
}
