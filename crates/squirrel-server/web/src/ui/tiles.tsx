// Six figures that say how the host does, each with its last five minutes.

import { useMemo } from "preact/hooks";
import type { Columns, Query, Series } from "../chart/columns";
import { type Feed, useRecentFeed } from "../chart/feed";
import { figure, type Unit } from "../lib/units";
import { unavailableSentence } from "../state/health";
import { interfaces, RECEIVE, TRANSMIT } from "../state/interfaces";
import { throughput } from "../state/preferences";
import { held, liveEdge } from "../state/range";
import { Icon, type IconName } from "./icons";
import { Sparkline } from "./sparkline";

interface TileSpec {
  id: string;
  title: string;
  unit: Unit;
  /** Each query gives one figure; the first is the large one. */
  queries: readonly (Query & { icon?: IconName })[];
  /** Sums the series of physical interfaces; others add up to the same bytes again. */
  physical?: boolean;
  /** The top of the sparkline's scale where the unit has one. */
  top?: number;
}

const query = (legend: string, expr: string, icon?: IconName) => ({ legend, expr, mirrored: false, ...(icon ? { icon } : {}) });
const total = (metric: string): string => `sum(rate(${metric}[$window]))`;

const TILES: readonly TileSpec[] = [
  {
    id: "throughput",
    title: "Throughput",
    unit: "bits_per_second",
    physical: true,
    queries: [query("received", RECEIVE, "down"), query("sent", TRANSMIT, "up")],
  },
  {
    id: "errors",
    title: "Errors and drops",
    unit: "per_second",
    queries: [
      query("errors", `${total("node_network_receive_errs_total")} + ${total("node_network_transmit_errs_total")}`),
      query("drops", `${total("node_network_receive_drop_total")} + ${total("node_network_transmit_drop_total")}`),
    ],
  },
  {
    id: "retransmissions",
    title: "Retransmitted",
    unit: "ratio",
    queries: [
      query("of segments", "rate(node_netstat_Tcp_RetransSegs[$window]) / (rate(node_netstat_Tcp_OutSegs[$window]) > 0)"),
    ],
  },
  {
    id: "rtt",
    title: "Round-trip time",
    unit: "seconds",
    queries: [
      query("median", 'squirrel_tcp_round_trip_time_seconds{quantile="0.5"}'),
      query("99 %", 'squirrel_tcp_round_trip_time_seconds{quantile="0.99"}'),
    ],
  },
  {
    id: "sockets",
    title: "TCP connections",
    unit: "count",
    queries: [query("established", "node_netstat_Tcp_CurrEstab"), query("in TIME_WAIT", "node_sockstat_TCP_tw")],
  },
  {
    id: "conntrack",
    title: "Connection tracking",
    unit: "ratio",
    top: 1,
    queries: [query("of the table", "node_nf_conntrack_entries / node_nf_conntrack_entries_limit")],
  },
];

const SPAN = 300;

export function Tiles() {
  return <div class="tiles">{TILES.map((spec) => <Tile key={spec.id} spec={spec} />)}</div>;
}

function Tile({ spec }: { spec: TileSpec }) {
  const feed = useRecentFeed(spec.queries, SPAN, 2, 2000);
  void feed.version.value;
  const physical = physicalDevices();
  // A stopped screen keeps the figures of that moment.
  const stopped = held.value;
  const lines = useMemo(
    () => spec.queries.map((_, i) => sumOf(feed.columns, i, spec.physical ? physical : null)),
    [stopped ? 0 : feed.version.value, stopped ? "" : physical],
  );
  const main = lines[0];
  const big = figure(main?.now, spec.unit, throughput.value);
  const empty = feed.columns.series.length === 0;
  return (
    <section class="card tile" aria-label={spec.title} data-tile={spec.id}>
      <h2>{spec.title}</h2>
      {spec.queries.length === 2 && spec.physical ? (
        <p class="tile-pair">
          {lines.map((line, i) => <PairFigure key={i} icon={spec.queries[i]?.icon ?? "down"} legend={spec.queries[i]?.legend ?? ""} value={line.now} unit={spec.unit} series={i} />)}
        </p>
      ) : (
        <p class="tile-figure">
          <span class="number">{big.number}</span> <span class="suffix">{big.suffix}</span>
        </p>
      )}
      <TileFoot spec={spec} feed={feed} empty={empty} rest={lines.slice(1)} />
      <div class="tile-spark">
        {lines.map((line, i) => (
          <Sparkline key={i} times={line.times} values={line.values} variable={`--series-${i}`} from={liveEdge.value - SPAN} to={liveEdge.value}
            top={spec.top ?? topOf(lines)} />
        ))}
      </div>
    </section>
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
function TileFoot({ spec, feed, empty, rest }: { spec: TileSpec; feed: Feed; empty: boolean; rest: Line[] }) {
  if (empty) {
    const state = feed.state.value;
    const why =
      unavailableSentence(feed.liveQueries.join(" ")) ??
      (state.kind === "failed" ? state.why : state.kind === "loading" ? "Reading…" : "No data yet.");
    return <p class="tile-foot why" title={why}>{why}</p>;
  }
  if (spec.physical) return <p class="tile-foot">over physical interfaces</p>;
  const [first, second] = spec.queries;
  return (
    <p class="tile-foot">
      {first?.legend}
      {second && rest[0] && (
        <span>, <b>{figure(rest[0].now, spec.unit, throughput.value).number} {figure(rest[0].now, spec.unit, throughput.value).suffix}</b> {second.legend}</span>
      )}
    </p>
  );
}

interface Line {
  times: readonly number[];
  values: readonly (number | null)[];
  now: number | null;
}

/** The sum of a query's series; of those of the named devices, where names are given. */
function sumOf(columns: Columns, query: number, devices: string | null): Line {
  const names = devices === null ? null : new Set(devices.split("\n"));
  const wanted = columns.series.filter((series) => series.query === query && (names === null || names.has(series.labels["device"] ?? "")));
  if (wanted.length === 1) return { times: columns.times, values: [...(wanted[0] as Series).values], now: (wanted[0] as Series).now };
  const values = columns.times.map((_, row) => add(wanted.map((series) => series.values[row] ?? null)));
  return { times: columns.times, values, now: add(wanted.map((series) => series.now)) };
}

function add(values: readonly (number | null)[]): number | null {
  let sum: number | null = null;
  for (const value of values) if (value !== null) sum = (sum ?? 0) + value;
  return sum;
}

function topOf(lines: readonly Line[]): number {
  let top = 0;
  for (const line of lines) for (const value of line.values) if (value !== null && value > top) top = value;
  return top || 1;
}

/** The physical interfaces, or all but loopback on a host (a container, say) that has none. */
function physicalDevices(): string {
  const all = interfaces.value;
  const physical = all.filter((one) => one.physical);
  return (physical.length > 0 ? physical : all.filter((one) => one.device !== "lo")).map((one) => one.device).join("\n");
}
