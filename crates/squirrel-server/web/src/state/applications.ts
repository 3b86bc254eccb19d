// Applications that tell of themselves: who they are, asked for with each tick, and their figures,
// which the stream brings.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Labels } from "../lib/promql";
import { ApiError, type Application, applications as fetchApplications, type ApplicationList, numberOf } from "./api";
import { held } from "./range";
import { seriesOf, shown, tick } from "./stream";

export const applicationList = signal<ApplicationList | null>(null);
/** Why the list is not fresh; null while it is. */
export const applicationFailure = signal<string | null>(null);

let asking = false;

function ask(): void {
  // A slow server gets no second question, and a stopped screen keeps what it shows.
  if (asking || (held.peek() && applicationList.peek())) return;
  asking = true;
  fetchApplications()
    .then(
      (list) => {
        applicationList.value = list;
        applicationFailure.value = null;
      },
      (error: unknown) => (applicationFailure.value = error instanceof ApiError ? error.message : String(error)),
    )
    .finally(() => (asking = false));
}

/** Keeps the list fresh while the component stands. */
export function useApplications(): ApplicationList | null {
  useEffect(() => {
    ask();
    return tick.subscribe(ask);
  }, []);
  return applicationList.value;
}

/** Of one that reports each fifteen seconds, a minute has four samples. */
const RATE_SECONDS = 60;
/** Percentiles of less are those of few messages. */
export const QUANTILE_SPAN = "5m";

/** Of one that is known only from its history; most report more often. */
const USUAL_INTERVAL = 15;

/** Seconds over which rates of an application are taken: three of its reports or more. */
export function rateWindow(application: Application | undefined, least: number): number {
  const intervals = (application?.instances ?? []).map((one) => one.interval_seconds).filter((interval) => interval > 0);
  return Math.max(least, Math.ceil(3 * (intervals.length > 0 ? Math.max(...intervals) : USUAL_INTERVAL)));
}

const JOB = 'job="application"';
const DURATIONS = ["squirrel_message_duration_seconds", "mcp_server_operation_duration_seconds", "mcp_client_operation_duration_seconds"];

const sum = (metric: string, more = "", window = RATE_SECONDS): string =>
  `sum by (application) (rate(${metric}{${JOB}${more}}[${window}s]))`;

/** What the list shows of each application; the key is the column's. */
export const LIST_QUERIES = {
  connections: `sum by (application) (squirrel_connections_active{${JOB}})`,
  receive: `8 * ${sum("process_network_io_bytes_total", ',network_io_direction="receive"')}`,
  transmit: `8 * ${sum("process_network_io_bytes_total", ',network_io_direction="transmit"')}`,
  messages: sum("squirrel_messages_total"),
  // One that never met an error has no such series, and a share of zero.
  errors: `(${sum("squirrel_protocol_errors_total")} or 0 * ${sum("squirrel_messages_total")}) / (${sum("squirrel_messages_total")} > 0)`,
  // One application has one of these; the union is of what each has.
  p95: DURATIONS.map((name) => `histogram_quantile(0.95, sum by (application, le) (rate(${name}_bucket{${JOB}}[${QUANTILE_SPAN}])))`).join(" or "),
} as const;

export type Column = keyof typeof LIST_QUERIES;

/** The figures of all applications, by name; what is not told is missing. */
export function figuresOf(column: Column): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const { metric, value } of seriesOf(shown.value, LIST_QUERIES[column])) {
    const number = numberOf(value[1]);
    if (Number.isFinite(number)) found.set(metric["application"] ?? "", number);
  }
  return found;
}

/** A table of one application: for each key (a message type, a method and a tool) some figures. */
export interface Breakdown {
  labels: readonly string[];
  queries: Readonly<Record<string, string>>;
  /** Which failures are of its rows, and the key of the rate of those that were answered. One query serves all tables. */
  failures?: { query: string; answered: string; are: (labels: Labels) => boolean };
}

const quantiles = (metric: string, labels: string, scope: string) =>
  Object.fromEntries(
    [["p50", 0.5], ["p95", 0.95], ["p99", 0.99]].map(([name, q]) => [
      name,
      `histogram_quantile(${q}, sum by (le, ${labels}) (rate(${metric}_bucket{${JOB},${scope}}[${QUANTILE_SPAN}])))`,
    ]),
  ) as Record<string, string>;

const FAILURE_LABELS = ["message_type", "role", "mcp_method_name", "gen_ai_tool_name", "failure_class", "error_type"];

const failureRate = (scope: string, window: number): string =>
  `sum by (${FAILURE_LABELS.join(", ")}) (rate(squirrel_message_failures_total{${JOB},${scope}}[${window}s]))`;

export function messageTypes(scope: string, window: number): Breakdown {
  const rate = (direction: string) =>
    `sum by (message_type) (rate(squirrel_messages_total{${JOB},${scope},network_io_direction="${direction}"}[${window}s]))`;
  return {
    labels: ["message_type"],
    queries: {
      receive: rate("receive"),
      transmit: rate("transmit"),
      answered: `sum by (message_type) (rate(squirrel_message_duration_seconds_count{${JOB},${scope}}[${window}s]))`,
      ...quantiles("squirrel_message_duration_seconds", "message_type", scope),
    },
    failures: { query: failureRate(scope, window), answered: "answered", are: (labels) => Boolean(labels["message_type"]) },
  };
}

export function mcpOperations(role: "server" | "client", scope: string, window: number): Breakdown {
  const metric = `mcp_${role}_operation_duration_seconds`;
  const labels = ["mcp_method_name", "gen_ai_tool_name"];
  const rate = `sum by (${labels.join(", ")}) (rate(${metric}_count{${JOB},${scope}}[${window}s]))`;
  return {
    labels,
    queries: { rate, ...quantiles(metric, labels.join(", "), scope) },
    failures: { query: failureRate(scope, window), answered: "rate", are: (of) => of["role"] === role },
  };
}

/** Who failed, and how: a tool that failed is told from an error of the protocol. */
export function failureKinds(scope: string, window: number): Breakdown {
  const total = `sum by (${FAILURE_LABELS.join(", ")}) (squirrel_message_failures_total{${JOB},${scope}})`;
  return { labels: FAILURE_LABELS, queries: { rate: failureRate(scope, window), total } };
}

export function errorKinds(scope: string, window: number): Breakdown {
  const of = `squirrel_protocol_errors_total{${JOB},${scope}}`;
  return {
    labels: ["error_type"],
    queries: { rate: `sum by (error_type) (rate(${of}[${window}s]))`, total: `sum by (error_type) (${of})` },
  };
}

export interface BreakdownRow {
  key: string;
  labels: Labels;
  figures: Readonly<Record<string, number>>;
}

interface Gathered {
  key: string;
  labels: Labels;
  figures: Record<string, number>;
}

/** The rows of a table, as the stream's newest answers have them; the busiest first. */
export function rowsOf(breakdown: Breakdown): BreakdownRow[] {
  const rows = new Map<string, Gathered>();
  const rowOf = (labels: Labels): Gathered => {
    const key = JSON.stringify(breakdown.labels.map((label) => labels[label] ?? ""));
    const row = rows.get(key) ?? { key, labels, figures: {} };
    rows.set(key, row);
    return row;
  };
  for (const [name, query] of Object.entries(breakdown.queries)) {
    for (const { metric, value } of seriesOf(shown.value, query)) {
      const number = numberOf(value[1]);
      const row = rowOf(metric);
      if (Number.isFinite(number)) row.figures[name] = number;
    }
  }
  if (breakdown.failures) addFailures(breakdown.failures, rowOf, rows);
  const busy = (row: BreakdownRow): number => (row.figures["rate"] ?? 0) + (row.figures["receive"] ?? 0) + (row.figures["transmit"] ?? 0);
  return [...rows.values()].sort((a, b) => busy(b) - busy(a) || (a.key < b.key ? -1 : 1));
}

/**
 * Failures a second, and their share of the requests that ended: the answered ones, and those that nobody answered.
 * What is not as its protocol wants it (conformance) may be no request at all, and stands in the table of failures only.
 */
function addFailures({ query, answered, are }: NonNullable<Breakdown["failures"]>, rowOf: (labels: Labels) => Gathered, rows: ReadonlyMap<string, Gathered>): void {
  const unanswered = new Map<Gathered, number>();
  for (const { metric, value } of seriesOf(shown.value, query)) {
    const number = numberOf(value[1]);
    const kind = metric["failure_class"];
    if (!are(metric) || kind === "conformance" || !Number.isFinite(number)) continue;
    const row = rowOf(metric);
    row.figures["failures"] = (row.figures["failures"] ?? 0) + number;
    if (kind === "unanswered") unanswered.set(row, (unanswered.get(row) ?? 0) + number);
  }
  for (const row of rows.values()) {
    const requests = row.figures[answered];
    const silent = unanswered.get(row);
    // What never failed has no series that says so.
    if (requests !== undefined) row.figures["failures"] ??= 0;
    const ended = (requests ?? 0) + (silent ?? 0);
    if (ended > 0) row.figures["failed"] = Math.min(1, (row.figures["failures"] ?? 0) / ended);
  }
}
