// The charts of one target, by the kind of its probe. `$scope` stands for the matchers of its series.

import type { ChartSpec } from "../state/api";

const query = (legend: string, expr: string) => ({ legend, expr, mirrored: false });
const mean = (metric: string, more = ""): string => `avg_over_time(${metric}{$scope${more}}[$window])`;

/** Phases as they follow each other, the first below. */
const inOrder = (metric: string, names: readonly string[]) => names.map((name) => query(name, mean(metric, `,phase="${name}"`)));

const PHASES_HELP = "The phases of one probe, one upon the other: together they are how long it took. The one that grew says where to look: ";

const SUCCESS: ChartSpec = {
  page: "probe", id: "probe-success", title: "Answered", unit: "ratio",
  help: "The share of probes that were answered as they should be.",
  queries: [query("answered", mean("probe_success"))],
};
const DURATION: ChartSpec = {
  page: "probe", id: "probe-duration", title: "Duration", unit: "seconds",
  help: "How long a probe took, on the mean and in the worst case.",
  queries: [query("mean", mean("probe_duration_seconds")), query("slowest", "max_over_time(probe_duration_seconds{$scope}[$window])")],
};
const LOSS: ChartSpec = {
  page: "probe", id: "probe-loss", title: "Loss", unit: "ratio",
  help: "The share of questions without an answer, in the worst minute of each point. Above 1 % people feel it.",
  queries: [query("lost", "max_over_time(squirrel_probe_loss_ratio{$scope}[$window])")],
};
const JITTER: ChartSpec = {
  page: "probe", id: "probe-jitter", title: "Jitter", unit: "seconds",
  help: "By how much one round trip differs from the next, smoothed as RFC 3550 has it. Above 30 ms voice suffers.",
  queries: [query("jitter", mean("squirrel_probe_jitter_seconds"))],
};
const SCORE: ChartSpec = {
  page: "probe", id: "probe-mos", title: "Call score", unit: "number",
  help: "What a call would sound like by ITU-T G.107, from 1 (impossible) to 4.5: above 4 people are satisfied, below 3.6 many are not.",
  queries: [query("worst", "min_over_time(squirrel_probe_mos_score{$scope}[$window])"), { ...query("many complain", "vector(3.6)"), threshold: true }],
};
const phases = (id: string, title: string, help: string, queries: ChartSpec["queries"]): ChartSpec => ({ page: "probe", id, title, unit: "seconds", help: PHASES_HELP + help, stacked: true, queries });
const HTTP = phases("probe-http-phases", "Phases of HTTP", "resolving the name, connecting, TLS, waiting for the server, and the transfer of the answer.", [
  ...inOrder("probe_http_duration_seconds", ["resolve", "connect", "tls", "processing", "transfer"]),
]);
const DNS = phases("probe-dns-phases", "Phases of DNS", "finding the name server, connecting to it, and its answer.", inOrder("probe_dns_duration_seconds", ["resolve", "connect", "request"]));
const TCP = phases("probe-tcp-phases", "Phases of the connection", "finding the name, and then connecting and talking.", [
  query("resolve", mean("probe_dns_lookup_time_seconds")),
  query("connect and talk", `${mean("probe_duration_seconds")} - ${mean("probe_dns_lookup_time_seconds")}`),
]);

/** The charts of a kind of probe, the most telling first. */
export function chartsOf(kind: string): readonly ChartSpec[] {
  switch (kind) {
    case "ping":
      return [LOSS, JITTER, SCORE];
    case "path":
      return [SUCCESS];
    case "http":
      return [HTTP, SUCCESS];
    case "dns":
      return [DNS, SUCCESS];
    case "tcp":
      return [TCP, SUCCESS];
    default:
      return [DURATION, SUCCESS];
  }
}
