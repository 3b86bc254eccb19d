// The small parts by which an alert is recognised: how bad it is, its labels, its value, and why nobody is told.

import type { ComponentChildren } from "preact";
import { visible } from "../lib/text";
import { momentText } from "../lib/time";
import { nominal, show } from "../lib/units";
import type { Alert, AlertsDocument } from "../state/alert-types";
import { levelOf, nameOf, unitOf } from "../state/alerts";
import { throughput } from "../state/preferences";
import { alertPath } from "../state/route";
import { Icon } from "./icons";
import { Link } from "./link";

const ICON = { bad: "bad", warning: "warning", unknown: "info", ok: "check" } as const;

/** How bad: a shape, a colour and the rule's own word. */
export function Severity({ of }: { of: Alert }) {
  const level = of.state === "inactive" ? "ok" : levelOf(of);
  const word = of.state === "inactive" ? "over" : visible(of.labels["severity"] ?? "no severity");
  return <span class={`level ${level}`} title={word}><Icon name={ICON[level]} /><span class="sr-only">{word}: </span></span>;
}

/** Labels that stand elsewhere, or tell people nothing. */
const UNSHOWN = ["alertname", "severity", "job"];

export function LabelList({ of, all = false }: { of: Alert; all?: boolean }) {
  const labels = Object.entries(of.labels).filter(([name]) => all || !UNSHOWN.includes(name));
  return <span class="labels">{labels.map(([name, value]) => <span key={name} class="label"><bdi>{visible(name)}</bdi>=<b><bdi>{visible(value)}</bdi></b></span>)}</span>;
}

/** The value, and what it is held against. */
export function ValueText({ of }: { of: Alert }) {
  const unit = unitOf(of);
  return (
    <span class="alert-value">
      <b class="number">{show(of.value, unit, throughput.value)}</b>
      {of.threshold !== null && <span class="dim"> against {nominal(of.threshold, unit)}</span>}
    </span>
  );
}

/** Everything that holds an alert back, each with what is known of it. */
export function Reasons({ of, page }: { of: Alert; page: AlertsDocument }) {
  const parts: ComponentChildren[] = [];
  if (of.acknowledgement) {
    const { who, comment, at, until } = of.acknowledgement;
    parts.push(<><b><bdi>{visible(who)}</bdi></b> takes care since {momentText(at, page.time)}{until !== null && `, until ${momentText(until, page.time)}`}{comment && <>: {visible(comment)}</>}</>);
  }
  for (const id of of.silenced_by) {
    const silence = page.silences.find((one) => one.id === id);
    parts.push(silence
      ? <>Silenced until {momentText(silence.ends_at, page.time)} by <b><bdi>{visible(silence.author)}</bdi></b>{silence.comment && <>: {visible(silence.comment)}</>}</>
      : <>Silenced by {visible(id)}</>);
  }
  for (const fingerprint of of.inhibited_by) {
    const other = page.alerts.find((one) => one.fingerprint === fingerprint);
    parts.push(<>Held back by <Link to={alertPath(fingerprint)}><bdi>{visible(other ? nameOf(other) : fingerprint)}</bdi></Link></>);
  }
  for (const name of of.muted_by) parts.push(<>Held back: {visible(name)}</>);
  if (parts.length === 0) return null;
  return <ul class="reasons">{parts.map((part, i) => <li key={i}>{part}</li>)}</ul>;
}

/** What to look at first, in the rule's order. */
export function Checks({ lines }: { lines: readonly string[] }) {
  return <ol>{lines.map((line, i) => <li key={i}>{visible(line)}</li>)}</ol>;
}
