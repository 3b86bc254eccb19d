// The shapes of /api/probes and of one target.

import type { Level } from "./api";

export type ProbeState = "down" | "unreachable" | "unknown" | "up";
export type SpanName = "1h" | "1d" | "7d" | "30d";

export interface ProbeMinute {
  sent: number;
  loss: number;
  /** Percentile and seconds. */
  round_trip: [number, number][];
  jitter: number | null;
  mos: number | null;
}

/** One target. */
export interface Probe {
  job: string;
  instance: string;
  kind: string;
  module: string | null;
  /** The version of IP that it is asked by, where the configuration says one. */
  ip: number | null;
  group: string | null;
  parents: string[];
  interval: number;
  state: ProbeState;
  since: number | null;
  at: number | null;
  seconds: number | null;
  address: string | null;
  why: string | null;
  minute: ProbeMinute | null;
  objective: number | null;
  window: number | null;
  certificate_expires: number | null;
  /** Shares of answered probes, the oldest first; null where nothing is known. */
  heartbeat: (number | null)[];
  availability: { day: number | null; week: number | null; month: number | null } | null;
  budget: { available: number | null; left: number | null; burn_hour: number | null; burn_six_hours: number | null } | null;
}

export type ProbeStates = Record<ProbeState, number>;

export interface Span {
  name: SpanName;
  from: number;
  bucket: number;
  buckets: number;
}

export interface ProbesPage {
  time: number;
  level: Level;
  sentence: string;
  states: ProbeStates;
  groups: { group: string | null; states: ProbeStates }[];
  total: number;
  matched: number;
  offset: number;
  limit: number;
  history: Span | null;
  notes: string[];
  probes: Probe[];
}

export interface PathAddress {
  address: string | null;
  as_number: number | null;
  as_name: string | null;
  sent: number;
  received: number;
  loss_ratio: number | null;
  rtt_us: { min: number; p50: number; p95: number; max: number } | null;
  verdict: string;
  note: string;
  current: boolean;
  mpls: { label: number }[];
}

export interface PathDocument {
  time: number;
  target: string;
  protocol: string;
  reached: boolean;
  outcome: string;
  verdict: string;
  hops: { ttl: number; addresses: PathAddress[] }[];
}

export interface PathChanged {
  at: number;
  from: (string | null)[];
  to: (string | null)[];
}

export interface ProbeDetail {
  time: number;
  level: Level;
  sentence: string;
  history: Span | null;
  notes: string[];
  probe: Probe;
  last_words: string[];
  path: { document: PathDocument | null; changes: PathChanged[]; forgotten: number } | null;
}

/** What a probe by hand brought. */
export interface ProbeRan {
  success: boolean;
  seconds: number;
  log: string[];
  samples: [string, number][];
  path: PathDocument | null;
}
