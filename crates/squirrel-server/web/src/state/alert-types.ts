// The shapes of `GET /api/alerts` and of what can be done about alerts. Times are seconds since 1970.

import type { Labels } from "../lib/promql";

/** An alert and where it stands. */
export interface Alert {
  /** Sixteen hexadecimal digits. */
  fingerprint: string;
  /** `inactive`: it is over. */
  state: "firing" | "pending" | "inactive";
  labels: Labels;
  annotations: Labels;
  /** From 0, harmless, to 4, critical. */
  severity_rank: number;
  value: number | null;
  threshold: number | null;
  query: string;
  /** The query without its comparison, where it has one. */
  value_query: string | null;
  /** File and group of the rule. */
  source: string;
  starts_at: number;
  ends_at: number | null;
  /** Everything that holds it back, in words. */
  held: string[];
  silenced_by: string[];
  inhibited_by: string[];
  muted_by: string[];
  acknowledgement: { who: string; comment: string; at: number; until: number | null } | null;
  flapping_percent: number;
  /** Channels that were told that it fires. */
  told: string[];
  /** Channels that its routes name. */
  receivers: string[];
  escalates_at: number | null;
}

/** Alerts that are told together. */
export interface AlertGroup {
  key: string;
  labels: Labels;
  members: string[];
  channels: string[];
}

export interface Silence {
  id: string;
  state: "active" | "pending" | "expired";
  /** Conditions, one a text. */
  matchers: string[];
  starts_at: number;
  ends_at: number;
  updated_at: number;
  author: string;
  comment: string;
  /** How many firing alerts it takes now. */
  takes: number;
}

/** Something that happened. */
export interface AlertEvent {
  at: number;
  event: string;
  fingerprint: string | null;
  subject: string;
  detail: string;
}

/** What became of a message. */
export interface Delivery {
  channel: string;
  group: string;
  reason: string;
  state: "waiting" | "delivered" | "replaced" | "given_up" | "lost";
  attempts: number;
  accepted_at: number;
  at: number;
  answer: string | null;
  instead_of: string | null;
}

export interface Channel {
  name: string;
  kind: string;
  waiting: number;
  failing: boolean;
}

export interface AlertsDocument {
  time: number;
  alerts: Alert[];
  alerts_left_out: number;
  groups: AlertGroup[];
  silences: Silence[];
  history: AlertEvent[];
  deliveries: Delivery[];
  channels: Channel[];
  problems: string[];
  quiet_until: number | null;
}

/** What came of a change. */
export interface Done {
  id?: string;
  alerts?: number;
  delivery?: Delivery;
}
