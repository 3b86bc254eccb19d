// Everything asked of the server but the live stream, and the shapes of its answers.

import { signal } from "@preact/signals";
import type { Labels } from "../lib/promql";
import type { Unit } from "../lib/units";
import type { AlertsDocument } from "./alert-types";
import type { BooksDocument } from "./book-types";
import type { ProbeDetail, ProbesPage, SpanName } from "./probe-types";

/** One query of a chart, as the server's chart table declares it. */
export interface ChartQuery {
  legend: string;
  expr: string;
  mirrored: boolean;
  /** A limit that the others are held against. */
  threshold?: boolean;
  /** Which of its series are shown; all when not given. */
  only?: (labels: Labels) => boolean;
}

/** One chart of `/api/charts`. */
export interface ChartSpec {
  page: string;
  id: string;
  title: string;
  unit: Unit;
  help: string;
  queries: ChartQuery[];
  /** Its series are parts of a whole, drawn one upon the other. */
  stacked?: boolean;
}

/** One collector of `/api/collectors`. */
export interface Collector {
  name: string;
  state: "running" | "degraded" | "unavailable" | "disabled";
  /** For one that is unavailable: why, and what would help. */
  sentence: string;
  faults: { subject: string; reason: string }[];
}

export type Level = "ok" | "unknown" | "warning" | "bad";

/** One thing that is wrong. */
export interface Finding {
  check: string;
  level: Level;
  subject: string;
  sentence: string;
  check_first: string[];
}

/** Is the network fine, and if not, what is wrong. */
export interface Verdict {
  level: Level;
  sentence: string;
  findings: Finding[];
  not_judged: string[];
}

/** Ephemeral ports in use, and where most of them lead. */
export interface PortsDocument {
  first: number;
  last: number;
  destinations: { local_address: string; remote_address: string; remote_port: number; used: number; time_wait: number; ratio: number }[];
}

/** Whether an application speaks. */
export type ApplicationState = "live" | "silent";

/** Something that an application told. */
export interface ApplicationAlert {
  number: number;
  at: number;
  name: string;
  state: "raised" | "cleared" | "told";
  level: Level;
  sentence: string;
}

/** One process of an application. */
export interface ApplicationInstance {
  instance: string;
  pid: number;
  state: ApplicationState;
  started: number;
  last_report: number;
  silent_since: number | null;
  interval_seconds: number;
  protocol_version: string;
  series: number;
  refused: number;
  refused_sentences: string[];
  lost: { reports: number; metrics: number; alerts: number };
  /** Those that hold. */
  alerts: ApplicationAlert[];
  /** The newest first. */
  told: ApplicationAlert[];
}

/** One application of `/api/applications`. */
export interface Application {
  application: string;
  level: Level;
  sentence: string;
  state: ApplicationState;
  silent_since: number | null;
  instances: ApplicationInstance[];
}

export interface ApplicationList {
  time: number;
  enabled: boolean;
  level: Level;
  sentence: string;
  applications: Application[];
  refusals: { at: number; application: string; sentence: string }[];
}

/** One metric of `/api/catalogue`. */
export interface CatalogueEntry {
  name: string;
  help: string;
  why: string;
  check: string[];
}

export type Sample = [number, string];
export interface VectorSeries {
  metric: Labels;
  value: Sample;
}
export interface MatrixSeries {
  metric: Labels;
  values: Sample[];
}

/** A sample's value; Prometheus writes infinities in its own way. */
export function numberOf(text: string): number {
  if (text === "+Inf") return Infinity;
  return text === "-Inf" ? -Infinity : Number(text);
}

/** A failure with a sentence for the user. */
export class ApiError extends Error {
  /** The status of the answer; null when there was none. */
  constructor(message: string, readonly status: number | null = null) {
    super(message);
  }
}

/** Server clock minus browser clock, in seconds. */
export const clockSkew = signal(0);

/** The server's time, as well as it is known here. */
export const serverNow = (): number => Date.now() / 1000 + clockSkew.value;

let skewKnown = false;

/** An answer that took longer says nothing of the clock. */
const PROMPT_MS = 1000;

/** A `Date` header has whole seconds: it corrects only what is clearly wrong, and only the first time. */
function learnSkew(response: Response, tookMs: number): void {
  const date = Date.parse(response.headers.get("date") ?? "");
  if (skewKnown || Number.isNaN(date) || tookMs > PROMPT_MS) return;
  skewKnown = true;
  const skew = (date - Date.now()) / 1000;
  if (Math.abs(skew) > 2) clockSkew.value = skew;
}

async function call(path: string, init?: RequestInit): Promise<unknown> {
  const asked = performance.now();
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError("The server does not answer.");
  }
  learnSkew(response, performance.now() - asked);
  let body: unknown = null;
  try {
    body = await response.json();
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(`The server answered ${path} with status ${response.status} and no JSON.`, response.status);
  }
  if (!response.ok) {
    const said = (body as { error?: unknown } | null)?.error;
    throw new ApiError(typeof said === "string" ? said : `The server answered ${path} with status ${response.status}.`, response.status);
  }
  return body;
}

/** `POST /api/v1/query_range`. */
export async function queryRange(
  expr: string,
  start: number,
  end: number,
  step: number,
  abort: AbortSignal,
): Promise<MatrixSeries[]> {
  const body = new URLSearchParams({ query: expr, start: String(start), end: String(end), step: String(step) });
  const answer = (await call("/api/v1/query_range", { method: "POST", body, signal: abort })) as {
    data: { result: MatrixSeries[] };
  };
  return answer.data.result;
}

/** A resource that is asked for once and kept; a failed request is made again by the next asker. */
function once<T>(path: string, read: (body: unknown) => T): () => Promise<T> {
  let answer: Promise<T> | null = null;
  return () => {
    answer ??= call(path).then(read);
    answer.catch(() => (answer = null));
    return answer;
  };
}

/** All charts. */
export const charts = once("/api/charts", (body) => body as ChartSpec[]);

/** All declared metrics. */
export const catalogue = once("/api/catalogue", (body) => body as CatalogueEntry[]);

/** All applications, as they are now. */
export const applications = async (): Promise<ApplicationList> => (await call("/api/applications")) as ApplicationList;

/** All alerts, silences, and what was told to whom, as they are now. */
export const alerts = async (): Promise<AlertsDocument> => (await call("/api/alerts")) as AlertsDocument;

/** A page of targets. */
export const probesPage = async (parameters: URLSearchParams): Promise<ProbesPage> => (await call(`/api/probes?${parameters}`)) as ProbesPage;

/** One target, with its record over a span or without. */
export const probeOne = async (job: string, instance: string, history: SpanName | null): Promise<ProbeDetail> => {
  const parameters = new URLSearchParams({ job, instance, ...(history === null ? {} : { history }) });
  return (await call(`/api/probes/one?${parameters}`)) as ProbeDetail;
};

/** The books of the interfaces of this name. */
export const books = async (device: string): Promise<BooksDocument> => (await call(`/api/live/books?interface=${encodeURIComponent(device)}`)) as BooksDocument;

/** Where this host's ephemeral ports lead to, as of now. */
export const ephemeralPorts = async (): Promise<PortsDocument> => (await call("/api/live/ports")) as PortsDocument;

/** Changes something, with the daemon's token. */
export const change = (path: string, body: object, token: string): Promise<unknown> =>
  call(path, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });

/** All collectors, as they are now. */
export const collectors = async (): Promise<Collector[]> => (await call("/api/collectors")) as Collector[];

/** The verdict, before the stream brings it each second. */
export const verdict = async (): Promise<Verdict> => (await call("/api/verdict")) as Verdict;
