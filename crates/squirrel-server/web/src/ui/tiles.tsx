// Six figures that say how the host does, each with its last five minutes.

import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { Columns, Query } from "../chart/columns";
import { type Feed, useRecentFeed } from "../chart/feed";
import { figure, show, type Unit } from "../lib/units";
import { charts, type ChartSpec } from "../state/api";
import { unavailableSentence } from "../state/health";
import { throughput } from "../state/preferences";
import { held, liveEdge } from "../state/range";
import { connection } from "../state/stream";
import { Icon, type IconName } from "./icons";
import { Sparkline } from "./sparkline";

interface TileSpec {
  id: string;
  title: string;
  unit: Unit;
  /** What the figures are called; the first is the large one. */
  legends: readonly string[];
  /** Either queries of the server's chart table: the chart, and which of its queries … */
  chart?: string;
  pick?: readonly number[];
  /** … or queries of its own. */
  exprs?: readonly string[];
  /** Both figures are of one size, with an arrow each. */
  pair?: boolean;
  /** What stands below the figures. */
  foot?: string;
  /** The top of the sparkline's scale where the unit has one. */
  top?: number;
}

const total = (metric: string): string => `sum(rate(${metric}[$window]))`;

const TILES: readonly TileSpec[] = [
  {
    id: "throughput",
    title: "Throughput",
    unit: "bits_per_second",
    legends: ["received", "transmitted"],
    chart: "throughput",
    pick: [0, 1],
    pair: true,
    foot: "in and out of this host",
  },
  {
    id: "errors",
    title: "Errors and drops",
    unit: "per_second",
    legends: ["errors", "drops"],
    exprs: [
      `${total("node_network_receive_errs_total")} + ${total("node_network_transmit_errs_total")}`,
      `${total("node_network_receive_drop_total")} + ${total("node_network_transmit_drop_total")}`,
    ],
  },
  { id: "retransmissions", title: "Retransmitted", unit: "ratio", legends: ["of TCP segments"], chart: "retransmissions", pick: [0] },
  { id: "rtt", title: "Round-trip time", unit: "seconds", legends: ["median", "99 %"], chart: "round-trip-time", pick: [0, 2] },
  {
    id: "sockets",
    title: "TCP connections",
    unit: "count",
    legends: ["established", "TIME_WAIT"],
    exprs: ["node_netstat_Tcp_CurrEstab", "node_sockstat_TCP_tw"],
  },
  { id: "conntrack", title: "Connection tracking", unit: "ratio", legends: ["of the table"], chart: "conntrack", pick: [0], top: 1 },
];

const SPAN = 300;
const EVERY = 2;

export function Tiles() {
  const [table, setTable] = useState<readonly ChartSpec[] | null>(null);
  const live = connection.value.state === "live";
  useEffect(() => {
    if (table) return;
    // A failure is told where the charts would stand.
    charts().then(setTable, () => undefined);
  }, [live]);
  return (
    <div class="tiles">
      {TILES.map((spec) => {
        const queries = table && queriesOf(spec, table);
        return queries ? <Tile key={spec.id} spec={spec} queries={queries} /> : <TileFrame key={spec.id} spec={spec} />;
      })}
    </div>
  );
}

/** The tile's queries; null where the server's table does not have them. The same array each time. */
function queriesOf(spec: TileSpec, table: readonly ChartSpec[]): readonly Query[] | null {
  const known = QUERIES.get(spec);
  if (known) return known;
  const chart = table.find((candidate) => candidate.id === spec.chart);
  const exprs = spec.exprs ?? (spec.pick ?? []).map((index) => chart?.queries[index]?.expr ?? "");
  if (exprs.some((expr) => expr === "")) return null;
  const queries = exprs.map((expr, i) => ({ legend: spec.legends[i] ?? "", expr, mirrored: false }));
  QUERIES.set(spec, queries);
  return queries;
}
const QUERIES = new Map<TileSpec, readonly Query[]>();

function TileFrame({ spec, children }: { spec: TileSpec; children?: ComponentChildren }) {
  return (
    <section class="card tile" aria-label={spec.title} data-tile={spec.id}>
      <h2>{spec.title}</h2>
      {children}
    </section>
  );
}

function Tile({ spec, queries }: { spec: TileSpec; queries: readonly Query[] }) {
  const feed = useRecentFeed(queries, SPAN, EVERY);
  const version = feed.version.value;
  // A stopped screen keeps the figures of that moment.
  const stopped = held.value;
  const moment = useMemo(
    () => ({ lines: queries.map((_, i) => lineOf(feed.columns, i)), to: liveEdge.peek() }),
    [stopped ? null : version, stopped],
  );
  const { lines, to } = moment;
  const big = figure(lines[0]?.now, spec.unit, throughput.value);
  return (
    <TileFrame spec={spec}>
      {spec.pair ? (
        <p class="tile-pair">
          {lines.map((line, i) => <PairFigure key={i} icon={i === 0 ? "down" : "up"} legend={spec.legends[i] ?? ""} value={line.now} unit={spec.unit} series={i} />)}
        </p>
      ) : (
        <p class="tile-figure">
          <span class="number">{big.number}</span> <span class="suffix">{big.suffix}</span>
        </p>
      )}
      <TileFoot spec={spec} feed={feed} second={lines[1]} />
      <div class="tile-spark">
        {lines.map((line, i) => (
          <Sparkline key={i} times={line.times} values={line.values} variable={`--series-${i}`} from={to - SPAN} to={to} top={spec.top ?? topOf(lines)} />
        ))}
      </div>
    </TileFrame>
  );
}

function PairFigure({ icon, legend, value, unit, series }: { icon: IconName; legend: string; value: number | null; unit: Unit; series: number }) {
  const text = figure(value, unit, throughput.value);
  return (
    <span class={`pair-figure series-${series}`}>
      <Icon name={icon} />
      <span class="sr-only">{legend} </span>
      <span class="number">{text.number}</span> <span class="suffix">{text.suffix}</span>
    </span>
  );
}

/** Below the figure: what it counts, the second figure, or why there is none. */
function TileFoot({ spec, feed, second }: { spec: TileSpec; feed: Feed; second: Line | undefined }) {
  if (feed.columns.series.length === 0) {
    const state = feed.state.value;
    const why =
      unavailableSentence(feed.liveQueries.join(" ")) ??
      (state.kind === "failed" ? state.why : state.kind === "loading" ? "Reading…" : "No data yet.");
    return <p class="tile-foot why" title={why}>{why}</p>;
  }
  if (spec.foot) return <p class="tile-foot">{spec.foot}</p>;
  return (
    <p class="tile-foot">
      {spec.legends[0]}
      {second && <span>, <b>{show(second.now, spec.unit, throughput.value)}</b> {spec.legends[1]}</span>}
    </p>
  );
}

interface Line {
  times: readonly number[];
  values: readonly (number | null)[];
  now: number | null;
}

/** The first series of a query; the tiles' queries give one. Copied, as the columns go on growing. */
function lineOf(columns: Columns, query: number): Line {
  const series = columns.series.find((candidate) => candidate.query === query);
  return { times: [...columns.times], values: [...(series?.values ?? [])], now: series?.now ?? null };
}

function topOf(lines: readonly Line[]): number {
  let top = 0;
  for (const line of lines) for (const value of line.values) if (value !== null && value > top) top = value;
  return top || 1;
}
