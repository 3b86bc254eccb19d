// One application in depth: is it well, what does it do now, and its charts.

import { useMemo, useState } from "preact/hooks";
import { ChartGrid } from "../chart/grid";
import { scopeOf } from "../lib/promql";
import { visible } from "../lib/text";
import { momentText, spanText } from "../lib/time";
import { digits } from "../lib/units";
import { type Application, type ApplicationAlert, type ApplicationInstance, serverNow } from "../state/api";
import { applicationFailure, errorKinds, failureKinds, mcpOperations, messageTypes, rateWindow, useApplications } from "../state/applications";
import { seriesOf, shown, useLiveQueries } from "../state/stream";
import { Icon } from "../ui/icons";
import { Headline, LevelIcon } from "../ui/level";
import { Link } from "../ui/link";
import { BreakdownTable, FAILURES, FailureName, PERCENTILES, Told } from "./application-tables";
import { stateText } from "./applications";

/** Chart windows: a rate needs three reports. */
const CHART_WINDOW = 5;
const TABLE_WINDOW = 60;

export function ApplicationPage({ name }: { name: string }) {
  const list = useApplications();
  const one = list?.applications.find((candidate) => candidate.application === name);
  // Only then is it known over which time its rates are to be taken.
  const known = list !== null || applicationFailure.value !== null;
  const [instance, setInstance] = useState<string | null>(null);
  const least = rateWindow(one, CHART_WINDOW);
  const subject = useMemo(() => ({ scope: scopeOf(name, instance ?? undefined), leastWindow: least }), [name, instance, least]);
  return (
    <>
      <header class="page-head">
        <Link to="/applications" class="back" label="All applications"><Icon name="back" /></Link>
        <h1><bdi>{visible(name)}</bdi></h1>
        {one && <span class={`state ${one.state === "live" ? "up" : "off"}`}><span class="state-dot" aria-hidden="true" />{one.state}</span>}
        {one && one.instances.length > 1 && <InstanceChoice instances={one.instances} chosen={instance} onChoose={setInstance} />}
      </header>
      {one ? <Headline level={one.level} sentence={stateText(one)} /> : list && (
        <p class="card empty">No application of this name is known now. Its history, if there is one, stands below.</p>
      )}
      {applicationFailure.value !== null && <p class="card empty" role="alert">How it does cannot be read: {visible(applicationFailure.value)}</p>}
      {one && <Alerts instances={one.instances} />}
      {known && (
        <>
          <Tables scope={subject.scope} window={rateWindow(one, TABLE_WINDOW)} />
          <ChartGrid page="application" subject={subject} />
          <ToldCharts subject={subject} live={one?.state === "live"} />
        </>
      )}
      {one && <Instances application={one} />}
    </>
  );
}

function InstanceChoice({ instances, chosen, onChoose }: { instances: readonly ApplicationInstance[]; chosen: string | null; onChoose: (name: string | null) => void }) {
  return (
    <label class="instance-choice">
      <span>Instance</span>
      <select value={chosen ?? ""} onChange={(event) => onChoose(event.currentTarget.value === "" ? null : event.currentTarget.value)}>
        <option value="">All {instances.length} together</option>
        {instances.map((one) => <option key={one.instance} value={one.instance}>{visible(one.instance)}{one.state === "silent" ? " (silent)" : ""}</option>)}
      </select>
    </label>
  );
}

/** What holds, above everything else; what was told and is over, behind a click. */
function Alerts({ instances }: { instances: readonly ApplicationInstance[] }) {
  const now = shown.value?.time ?? serverNow();
  const several = instances.length > 1;
  const all = (pick: (one: ApplicationInstance) => readonly ApplicationAlert[]) =>
    instances.flatMap((one) => pick(one).map((alert) => ({ alert, instance: one.instance, silent: one.state === "silent" })));
  const raised = all((one) => one.alerts);
  const told = all((one) => one.told).sort((a, b) => b.alert.at - a.alert.at);
  if (raised.length + told.length === 0) return null;
  return (
    <section class="card alerts" aria-labelledby="alerts-title">
      <h2 id="alerts-title">Alerts</h2>
      {raised.length === 0 ? <p class="dim">None holds.</p> : (
        <ul>
          {raised.map(({ alert, instance, silent }) => (
            <li key={`${instance} ${alert.name}`}>
              <LevelIcon level={silent ? "unknown" : alert.level} />
              <span>{visible(alert.sentence)} <span class="dim">since {momentText(alert.at, now)}{several && <>, <bdi>{visible(instance)}</bdi></>}{silent && ", before it fell silent"}</span></span>
            </li>
          ))}
        </ul>
      )}
      {told.length > 0 && (
        <details>
          <summary>{told.length === 1 ? "The last one told" : `The last ${told.length} told`}</summary>
          <ul>
            {told.map(({ alert, instance }) => (
              <li key={`${instance} ${alert.number}`}>
                <time>{momentText(alert.at, now)}</time>
                <span>{alert.state === "cleared" ? "Over: " : ""}{visible(alert.sentence)}{several && <span class="dim"> <bdi>{visible(instance)}</bdi></span>}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

function Tables({ scope, window }: { scope: string; window: number }) {
  const tables = useMemo(
    () => ({
      types: messageTypes(scope, window),
      errors: errorKinds(scope, window),
      failures: failureKinds(scope, window),
      server: mcpOperations("server", scope, window),
      client: mcpOperations("client", scope, window),
    }),
    [scope, window],
  );
  const note = `Rates over ${spanText(window)}, percentiles over 5\u00a0min`;
  const rate = { key: "rate", title: "Rate", unit: "per_second" } as const;
  return (
    <div class="breakdowns">
      {(["server", "client"] as const).map((role) => (
        <BreakdownTable key={role} id={`mcp-${role}`} title={`MCP as a ${role}: methods and tools`} note={note} breakdown={tables[role]} first="Method"
          columns={[rate, ...FAILURES, ...PERCENTILES]}
          name={({ labels }) => <><Told text={labels["mcp_method_name"]} without="no method" />{labels["gen_ai_tool_name"] && <span class="tool"> <bdi>{visible(labels["gen_ai_tool_name"])}</bdi></span>}</>} />
      ))}
      <BreakdownTable id="types" title="Messages by type" note={note} breakdown={tables.types} first="Type"
        columns={[{ key: "receive", title: "Received", unit: "per_second" }, { key: "transmit", title: "Sent", unit: "per_second" }, ...FAILURES, ...PERCENTILES]}
        name={(row) => <Told text={row.labels["message_type"]} without="no type" />} />
      <BreakdownTable id="failures" title="Failures: whose, and how" note={`Rates over ${spanText(window)}`} breakdown={tables.failures} first="What failed"
        columns={[rate, { key: "total", title: "Since its start", unit: "count" }]}
        name={({ labels }) => <FailureName labels={labels} />} />
      <BreakdownTable id="errors" title="Errors by kind" note={`Rates over ${spanText(window)}`} breakdown={tables.errors} first="Kind"
        columns={[rate, { key: "total", title: "Since its start", unit: "count" }]}
        name={(row) => <Told text={row.labels["error_type"]} without="no kind" />} />
    </div>
  );
}

const MCP = ["mcp_server_operation_duration_seconds_count", "mcp_client_operation_duration_seconds_count"];
const MESSAGES = ["squirrel_message_duration_seconds_count"];
/** What only wrappers of connections and requests tell. */
const TRANSPORT = [
  "squirrel_connection_lifetime_seconds_count",
  "squirrel_connection_time_to_first_byte_seconds_count",
  "squirrel_connection_phase_duration_seconds_count",
  "squirrel_connection_phase_failures_total",
  "squirrel_io_errors_total",
  "squirrel_requests_active",
];

/** Latencies are told as those of MCP or as those of messages, and some things by few: empty charts tell nothing. */
function ToldCharts({ subject, live }: { subject: { scope: string; leastWindow: number }; live: boolean }) {
  // One question for all names: a page has a limited number of them.
  const asked = useMemo(
    () => [`count by (__name__) ({__name__=~"${[...MESSAGES, ...MCP, ...TRANSPORT].join("|")}",job="application",${subject.scope}})`],
    [subject.scope],
  );
  useLiveQueries(asked);
  const names = new Set(asked.flatMap((query) => seriesOf(shown.value, query).map(({ metric }) => metric["__name__"])));
  const tells = (some: readonly string[]): boolean => some.some((name) => names.has(name));
  // Of one that is silent only the history knows.
  return (
    <>
      {(!tells(MCP) || tells(MESSAGES) || !live) && <ChartGrid page="application-latency" subject={subject} />}
      {(tells(MCP) || !live) && <ChartGrid page="application-mcp" subject={subject} />}
      {(tells(TRANSPORT) || !live) && <ChartGrid page="application-transport" subject={subject} />}
    </>
  );
}

function Instances({ application }: { application: Application }) {
  const now = shown.value?.time ?? serverNow();
  return (
    <section class="card breakdown" aria-labelledby="instances-title" data-breakdown="instances">
      <header><h2 id="instances-title">{application.instances.length === 1 ? "The process" : "Processes"}</h2></header>
      <div class="scroll" tabIndex={0} role="region" aria-labelledby="instances-title">
        <table>
          <thead>
            <tr>
              <th scope="col">Instance</th>
              <th scope="col">State</th>
              <th scope="col" class="value">Process id</th>
              <th scope="col" class="value">Reports each</th>
              <th scope="col" class="value">Series</th>
              <th scope="col" class="value">Refused</th>
              <th scope="col" class="value">Lost reports</th>
              <th scope="col">Protocol</th>
            </tr>
          </thead>
          <tbody>
            {application.instances.map((one) => (
              <tr key={one.instance}>
                <th scope="row"><bdi>{visible(one.instance)}</bdi></th>
                <td>{one.silent_since === null ? "live" : `silent since ${momentText(one.silent_since, now)}`}</td>
                <td class="value">{one.pid === 0 ? "–" : one.pid}</td>
                <td class="value">{one.interval_seconds === 0 ? "–" : spanText(one.interval_seconds)}</td>
                <td class="value">{digits(one.series, true)}</td>
                <td class={one.refused > 0 ? "value trouble" : "value"} title={one.refused_sentences.map(visible).join("\n")}>{digits(one.refused, true)}</td>
                <td class={one.lost.reports > 0 ? "value trouble" : "value"}>{digits(one.lost.reports, true)}</td>
                <td>{one.protocol_version === "" ? <span class="dim">not told</span> : <bdi>{visible(one.protocol_version)}</bdi>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
