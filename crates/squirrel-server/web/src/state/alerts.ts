// Alerts: asked for often while their page is open and now and then for the count beside its name.

import { computed, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Labels } from "../lib/promql";
import type { Unit } from "../lib/units";
import type { Alert, AlertsDocument } from "./alert-types";
import { alerts as fetchAlerts, ApiError, type Level } from "./api";
import { held } from "./range";
import { tick } from "./stream";

export const alertsDocument = signal<AlertsDocument | null>(null);
/** Why the document is not fresh; null while it is. */
export const alertsFailure = signal<string | null>(null);
/** What fires since the last answer, for those who do not see the list. */
export const announcement = signal("");

/** Milliseconds between questions, on the page of alerts and on the others. */
const OFTEN = 1_900;
const SELDOM = 9_900;

/** How many components show the alerts themselves. */
let watchers = 0;
let pending: Promise<void> | null = null;
let askedAt = -Infinity;
let known: ReadonlySet<string> | null = null;

/** Asks again, after a question that is under way: its answer may be from before a change. */
export function refreshAlerts(): Promise<void> {
  const mine = (pending ?? Promise.resolve()).then(ask).finally(() => {
    if (pending === mine) pending = null;
  });
  pending = mine;
  return mine;
}

async function ask(): Promise<void> {
  askedAt = performance.now();
  try {
    take(await fetchAlerts());
  } catch (error) {
    alertsFailure.value = error instanceof ApiError ? error.message : String(error);
  }
}

function take(next: AlertsDocument): void {
  alertsDocument.value = next;
  alertsFailure.value = null;
  const firing = next.alerts.filter((one) => one.state === "firing" && needsSomebody(one));
  const fresh = known === null ? [] : firing.filter((one) => !known?.has(one.fingerprint));
  known = new Set(firing.map((one) => one.fingerprint));
  if (fresh.length === 0) return;
  const names = fresh.slice(0, 3).map((one) => summaryOf(one)).join("; ");
  announcement.value = fresh.length === 1 ? `New alert: ${names}` : `${fresh.length} new alerts: ${names}`;
}

function askInTurn(): void {
  // A slow server gets no second question, and a stopped screen keeps what it shows.
  if (pending || (held.peek() && alertsDocument.peek())) return;
  if (performance.now() - askedAt >= (watchers > 0 ? OFTEN : SELDOM)) void refreshAlerts();
}

/** Keeps the document fresh while the frame of the page stands. */
export function useAlertCount(): void {
  useEffect(() => {
    if (alertsDocument.peek() === null) void refreshAlerts();
    return tick.subscribe(askInTurn);
  }, []);
}

/** The document, asked for often while the component stands. */
export function useAlerts(): AlertsDocument | null {
  useEffect(() => {
    watchers++;
    if (!held.peek()) void refreshAlerts();
    return () => {
      watchers--;
    };
  }, []);
  return alertsDocument.value;
}

/** Whether nothing holds it back and nobody takes care of it. */
const needsSomebody = (one: Alert): boolean => one.held.length === 0 && one.acknowledgement === null;

/** Where an alert stands in the list. */
export type Place = "open" | "acknowledged" | "held" | "pending" | "over";

export function placeOf(one: Alert): Place {
  if (one.state !== "firing") return one.state === "pending" ? "pending" : "over";
  if (one.held.length > 0) return "held";
  return one.acknowledgement === null ? "open" : "acknowledged";
}

export const levelOf = (one: Alert): Level => (one.severity_rank >= 3 ? "bad" : one.severity_rank === 2 ? "warning" : "unknown");

export const nameOf = (one: Alert): string => one.labels["alertname"] ?? one.fingerprint;

/** What is wrong, in the rule's words where it has some. */
export const summaryOf = (one: Alert): string => one.annotations["summary"] || one.annotations["description"] || nameOf(one);

/** Firing alerts that nothing holds back and nobody takes care of, and how bad the worst is. */
export const openAlerts = computed((): { count: number; level: Level } => {
  const open = (alertsDocument.value?.alerts ?? []).filter((one) => placeOf(one) === "open");
  const worst = Math.max(-1, ...open.map((one) => one.severity_rank));
  return { count: open.length, level: worst >= 3 ? "bad" : worst === 2 ? "warning" : "unknown" };
});

/** What to look at first: the annotations `check_1`, `check_2` …, in this order. */
export function checksOf(one: Alert): string[] {
  return Object.entries(one.annotations)
    .flatMap(([name, text]) => {
      const number = /^check_(\d+)$/.exec(name)?.[1];
      return number === undefined || text === "" ? [] : [{ number: Number(number), text }];
    })
    .sort((a, b) => a.number - b.number)
    .map(({ text }) => text);
}

/** The unit of an alert's value. Rules have none; the built-in ones write their threshold as people read it. */
export function unitOf(one: Alert): Unit {
  const written = /^[\d.]+\s*(%|s|ms)$/.exec(one.annotations["threshold"] ?? "")?.[1];
  if (written === undefined) return "number";
  return written === "%" ? "ratio" : "seconds";
}

/** Whether a series of the rule's query is this alert's: rules add labels, so only those of the series are compared. */
export function isSeriesOf(one: Alert, labels: Labels): boolean {
  return Object.entries(labels).every(([name, value]) => name === "__name__" || name === "alertname" || (one.labels[name] ?? "") === value);
}
