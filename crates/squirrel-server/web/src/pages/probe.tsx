// One target in depth: how it stands, its round trips or phases, its path, and what its objective has left.

import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { ChartCard } from "../chart/card";
import { HeatMap } from "../chart/heatmap";
import { SmokeCard } from "../chart/smoke";
import { chartsOf } from "../lib/probe-charts";
import { scopeOfProbe } from "../lib/promql";
import { shareText } from "../lib/share";
import { visible } from "../lib/text";
import { spanText } from "../lib/time";
import { show } from "../lib/units";
import { charts, type ChartSpec } from "../state/api";
import type { Probe, ProbeDetail } from "../state/probe-types";
import { page, useProbe } from "../state/probes";
import { probePath } from "../state/route";
import { Heartbeat } from "../ui/heartbeat";
import { Icon } from "../ui/icons";
import { Headline } from "../ui/level";
import { Link } from "../ui/link";
import { Hops, PathChanges } from "./probe-path";
import { type Outcome, RunResult, useRun } from "./probe-run";
import { CallScore, CertificateDays, lastText, StateText } from "./probe-rows";

export function ProbePage({ job, instance }: { job: string; instance: string }) {
  const { detail, failure, refresh } = useProbe(job, instance);
  const { running, outcome, run } = useRun(job, instance, refresh);
  return (
    <>
      <header class="page-head">
        <Link to="/probes" class="back" label="All probes"><Icon name="back" /></Link>
        <h1><bdi>{visible(instance)}</bdi></h1>
        {detail && <StateText one={detail.probe} now={detail.time} />}
        {detail && <button type="button" class="button push" disabled={running} onClick={run}>{running ? "Probing…" : "Probe now"}</button>}
      </header>
      {failure !== null && <p class="card empty" role="alert">How it stands cannot be read: {visible(failure)}</p>}
      {detail === null ? failure === null && <p class="empty">Asking how it stands…</p> : <Known detail={detail} outcome={outcome} />}
    </>
  );
}

function Known({ detail, outcome }: { detail: ProbeDetail; outcome: Outcome | null }) {
  const { probe, path } = detail;
  const scope = scopeOfProbe(probe.job, probe.instance);
  // Pings and paths have their figures once a minute, or with each probe where these are further apart; checks with each.
  const byMinutes = probe.kind === "ping" || probe.kind === "path";
  const leastWindow = Math.ceil(byMinutes ? Math.max(70, probe.interval * 1.2) : Math.max(5, probe.interval * 2.2));
  const changedAt = useMemo(() => path?.changes.map((change) => change.at) ?? [], [JSON.stringify(path?.changes.map((change) => change.at))]);
  return (
    <>
      <Headline level={detail.level} sentence={visible(detail.sentence)} />
      <RunResult of={outcome} />
      <Facts detail={detail} />
      {detail.notes.map((note) => <p key={note} class="note" role="status">{visible(note)}</p>)}
      {probe.kind === "ping" && <SmokeCard scope={scope} leastWindow={leastWindow} />}
      {path && <HeatMap scope={scope} leastWindow={leastWindow} changes={changedAt} />}
      {path && <Hops path={path} />}
      {path && <PathChanges path={path} now={detail.time} />}
      <Charts kind={probe.kind} scope={scope} leastWindow={leastWindow} />
      <LastWords lines={detail.last_words} failed={probe.state === "down"} />
    </>
  );
}

function Charts({ kind, scope, leastWindow }: { kind: string; scope: string; leastWindow: number }) {
  const subject = useMemo(() => ({ scope, leastWindow }), [scope, leastWindow]);
  const traffic = useTraffic();
  return (
    <div class="chart-grid">
      {chartsOf(kind).map((spec) => <ChartCard key={spec.id} spec={spec} subject={subject} />)}
      {traffic && <ChartCard key="traffic" spec={traffic} />}
    </div>
  );
}

/** What this host moved meanwhile: latency that rises with it is the host's own queue. */
function useTraffic(): ChartSpec | null {
  const [spec, setSpec] = useState<ChartSpec | null>(null);
  useEffect(() => {
    charts().then(
      (all) => {
        const own = all.find((one) => one.id === "throughput");
        if (own) setSpec({ ...own, title: "This host’s own traffic", help: `${own.help} Latency that rises whenever this does arises in this host’s own queue or uplink, not at the target.` });
      },
      // The page stands without it.
      () => undefined,
    );
  }, []);
  return spec;
}

function Facts({ detail }: { detail: ProbeDetail }) {
  const { probe, time, history } = detail;
  const { availability, minute } = probe;
  return (
    <dl class="card facts probe-facts">
      <Fact name={probe.kind === "ping" || probe.kind === "path" ? "Last round trip" : "Last duration"}><b class="number">{lastText(probe)}</b></Fact>
      {minute && <Fact name="Loss, last minute"><b class={minute.loss > 0 ? "number trouble" : "number"}>{shareText(minute.loss)}</b></Fact>}
      {minute?.jitter != null && <Fact name="Jitter"><b class="number">{show(minute.jitter, "seconds", "bits")}</b></Fact>}
      {minute?.mos != null && <Fact name="Call score"><b class="number"><CallScore mos={minute.mos} /></b></Fact>}
      {availability && <Fact name="Day, week, 30 days">{shareText(availability.day)}, {shareText(availability.week)}, {shareText(availability.month)}</Fact>}
      {probe.certificate_expires !== null && <Fact name="Certificate"><CertificateDays at={probe.certificate_expires} now={time} /></Fact>}
      <Fact name="Probed">{visible(probe.kind)}{probe.ip !== null && ` by IPv${probe.ip}`} each {spanText(probe.interval)}{probe.module !== null && <>, module <bdi>{visible(probe.module)}</bdi></>}</Fact>
      <Fact name="Table, group"><bdi>{visible(probe.job)}</bdi>{probe.group !== null && <>, <bdi>{visible(probe.group)}</bdi></>}</Fact>
      {probe.address !== null && <Fact name="Address"><code>{visible(probe.address)}</code></Fact>}
      {probe.parents.length > 0 && <Fact name="Behind"><Parents of={probe.parents} /></Fact>}
      {probe.budget && <Fact name={`Objective: ${shareText(probe.objective)} of ${spanText(probe.window ?? 30 * 86_400)}`} wide><Budget one={probe} /></Fact>}
      <Fact name="Last day" wide><Heartbeat beats={probe.heartbeat} span={history} /></Fact>
    </dl>
  );
}

function Fact({ name, wide, children }: { name: string; wide?: boolean; children: ComponentChildren }) {
  return (
    <div class={wide ? "wide" : undefined}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Parents by name; those of which the list of targets knows the table are links. */
function Parents({ of }: { of: readonly string[] }) {
  const known = page.value?.probes ?? [];
  return (
    <>
      {of.map((name, i) => {
        const one = known.find((row) => row.instance === name);
        return <span key={name}>{i > 0 && ", "}{one ? <Link to={probePath(one.job, one.instance)}><bdi>{visible(name)}</bdi></Link> : <bdi>{visible(name)}</bdi>}</span>;
      })}
    </>
  );
}

/** What is left of the failures that the objective allows, and how fast it goes. */
function Budget({ one }: { one: Probe }) {
  const { budget } = one;
  if (!budget || budget.left === null) return <span class="dim">{budget?.available == null ? "nothing is known yet" : `${shareText(budget.available)} answered: the objective allows no failure`}</span>;
  const { left, burn_hour } = budget;
  const kind = left <= 0 ? "spent" : left < 0.25 ? "low" : "good";
  const words = left <= 0 ? `overspent: ${(1 - left).toFixed(1)} times what is allowed` : `${shareText(left)} of the error budget is left`;
  const pace = burn_hour === null ? "" : burn_hour <= 0 ? "; none of it was spent in the last hour" : `; in the last hour it went ${burn_hour < 0.1 ? "less than 0.1" : burn_hour.toFixed(1)} times as fast as the objective allows`;
  return (
    <div class={`budget ${kind}`}>
      <span>{shareText(budget.available)} answered: {words}{pace}.</span>
      <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
        <rect class="track" width="100" height="8" />
        <rect class="left" width={Math.max(0, Math.min(1, left)) * 100} height="8" />
      </svg>
    </div>
  );
}

function LastWords({ lines, failed }: { lines: readonly string[]; failed: boolean }) {
  if (lines.length === 0) return null;
  return (
    <details class="card more" open={failed}>
      <summary>What happened in the last probe</summary>
      <ul>{lines.map((line, i) => <li key={i}>{visible(line)}</li>)}</ul>
    </details>
  );
}
