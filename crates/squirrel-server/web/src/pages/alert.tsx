// One alert in depth: its value against its threshold, who was told, and what happened to it.

import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { ChartCard } from "../chart/card";
import { visible } from "../lib/text";
import { momentText } from "../lib/time";
import type { Alert, AlertsDocument, Delivery } from "../state/alert-types";
import { alertsDocument, checksOf, isSeriesOf, levelOf, nameOf, summaryOf, unitOf, useAlerts } from "../state/alerts";
import type { ChartSpec } from "../state/api";
import { AlertActions, Notice } from "../ui/alert-actions";
import { Checks, LabelList, Reasons, Severity, ValueText } from "../ui/alert-marks";
import { Icon } from "../ui/icons";
import { Headline } from "../ui/level";
import { Link } from "../ui/link";
import { Deliveries, History, STATES } from "./alert-records";
import { PortsOf } from "./alert-ports";
import { SinceText } from "./alert-rows";
import { Failure } from "./alerts";

/** What stands in the browser's title. */
export function alertTitle(fingerprint: string): string {
  const one = alertsDocument.value?.alerts.find((candidate) => candidate.fingerprint === fingerprint);
  return one ? visible(nameOf(one)) : "Alert";
}

export function AlertPage({ fingerprint }: { fingerprint: string }) {
  const page = useAlerts();
  const one = page?.alerts.find((candidate) => candidate.fingerprint === fingerprint);
  return (
    <>
      <header class="page-head">
        <Link to="/alerts" class="back" label="All alerts"><Icon name="back" /></Link>
        {one && <Severity of={one} />}
        <h1><bdi>{one ? visible(nameOf(one)) : "Alert"}</bdi></h1>
        {one && <span class="dim">{one.state === "inactive" ? "over" : one.state}</span>}
      </header>
      <Failure />
      <Notice />
      {page && (one ? <Known one={one} page={page} /> : (
        <p class="card empty">No alert with the number <bdi>{visible(fingerprint)}</bdi> is known now: it is over since long, or its rule is gone. The history of all alerts stands on <Link to="/alerts">their page</Link>.</p>
      ))}
      {page === null && <p class="empty">Asking what is known of it…</p>}
    </>
  );
}

function Known({ one, page }: { one: Alert; page: AlertsDocument }) {
  const checks = checksOf(one);
  const keys = new Set(page.groups.filter((group) => group.members.includes(one.fingerprint)).map((group) => group.key));
  const { description } = one.annotations;
  return (
    <>
      <Headline level={one.state === "firing" ? levelOf(one) : "unknown"} sentence={visible(summaryOf(one))} />
      <section class="card alert-about" aria-label="What can be done">
        <Reasons of={one} page={page} />
        {description && description !== summaryOf(one) && <p>{visible(description)}</p>}
        {checks.length > 0 && <div><h2>What to check first</h2><Checks lines={checks} /></div>}
        <AlertActions of={one} />
      </section>
      <Facts one={one} now={page.time} told={toldOf(one, page.deliveries.filter((delivery) => keys.has(delivery.group)))} />
      <PortsOf one={one} />
      <div class="chart-grid alert-chart"><Chart one={one} /></div>
      <Deliveries rows={page.deliveries.filter((delivery) => keys.has(delivery.group))} now={page.time} note="of the alerts that are told together with it" />
      <History rows={page.history.filter((event) => event.fingerprint === one.fingerprint || keys.has(event.subject))} page={page} note="of this alert and of those that are told with it" />
    </>
  );
}

/** Who was told; of a message that has not arrived it is said so. */
function toldOf(one: Alert, deliveries: readonly Delivery[]): string[] {
  return one.told.map((channel) => {
    const newest = deliveries.find((delivery) => delivery.channel === channel);
    return newest === undefined || newest.state === "delivered" ? channel : `${channel} (${STATES[newest.state] ?? newest.state})`;
  });
}

function Facts({ one, now, told }: { one: Alert; now: number; told: readonly string[] }) {
  return (
    <dl class="card facts alert-facts">
      <Fact name="Value"><ValueText of={one} /></Fact>
      <Fact name="How long"><SinceText of={one} now={now} /></Fact>
      <Fact name="Severity">{visible(one.labels["severity"] ?? "none told")}</Fact>
      <Fact name="Told"><Names of={told} without="nobody yet" /></Fact>
      <Fact name="Goes to"><Names of={one.receivers} without="no channel" /></Fact>
      {one.escalates_at !== null && <Fact name="Escalates">{momentText(one.escalates_at, now)}</Fact>}
      {one.flapping_percent >= 1 && <Fact name="Changes">in {Math.round(one.flapping_percent)} % of the last evaluations</Fact>}
      <Fact name="Rule" wide><bdi>{visible(one.source)}</bdi></Fact>
      <Fact name="Condition" wide><code>{visible(one.query)}</code></Fact>
      <Fact name="Labels" wide><LabelList of={one} all /></Fact>
    </dl>
  );
}

const Names = ({ of, without }: { of: readonly string[]; without: string }) => (of.length === 0 ? <span class="dim">{without}</span> : <bdi>{of.map(visible).join(", ")}</bdi>);

function Fact({ name, wide, children }: { name: string; wide?: boolean; children: ComponentChildren }) {
  return (
    <div class={wide ? "wide" : undefined}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** The course of the value, with the threshold as a line. */
function Chart({ one }: { one: Alert }) {
  const expr = one.value_query ?? one.query;
  const { fingerprint, threshold } = one;
  const unit = unitOf(one);
  const spec = useMemo<ChartSpec>(
    () => ({
      page: "alert",
      id: "alert-value",
      title: threshold === null ? "The condition’s value" : "Value against its threshold",
      unit,
      help: threshold === null ? "What the rule’s condition gives for this alert’s labels." : "What the rule compares, for this alert’s labels. The dashed line is the threshold.",
      queries: [
        { legend: "value", expr, mirrored: false, only: (labels) => isSeriesOf(one, labels) },
        ...(threshold === null ? [] : [{ legend: "threshold", expr: `vector(${threshold})`, mirrored: false, threshold: true }]),
      ],
    }),
    [fingerprint, expr, threshold, unit],
  );
  return <ChartCard key={`${expr} ${threshold} ${unit}`} spec={spec} />;
}
