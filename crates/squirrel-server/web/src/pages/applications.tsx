// "What do my instrumented programs see?" — all applications that tell of themselves.

import { visible } from "../lib/text";
import { momentText, spanText } from "../lib/time";
import { digits, show, type Unit } from "../lib/units";
import { type Application, type ApplicationList, serverNow } from "../state/api";
import { applicationFailure, type Column, figuresOf, LIST_QUERIES, useApplications } from "../state/applications";
import { throughput } from "../state/preferences";
import { applicationPath } from "../state/route";
import { shown, useLiveQueries } from "../state/stream";
import { Headline, LevelIcon } from "../ui/level";
import { Link } from "../ui/link";
import { ConnectOne } from "./connect-one";

const COLUMNS: readonly { key: Column; title: string; unit: Unit; explain: string }[] = [
  { key: "connections", title: "Connections", unit: "count", explain: "open now" },
  { key: "receive", title: "Receive", unit: "bits_per_second", explain: "over the last minute" },
  { key: "transmit", title: "Transmit", unit: "bits_per_second", explain: "over the last minute" },
  { key: "messages", title: "Messages", unit: "per_second", explain: "a second, over the last minute" },
  { key: "errors", title: "Errors", unit: "ratio", explain: "share of the messages, over the last minute" },
  { key: "p95", title: "Latency 95 %", unit: "seconds", explain: "one message in twenty took longer, over the last five minutes" },
];
const QUERIES = Object.values(LIST_QUERIES);

export function ApplicationsPage() {
  useLiveQueries(QUERIES);
  const list = useApplications();
  const failure = applicationFailure.value;
  return (
    <>
      <header class="page-head">
        <h1>Applications</h1>
        {list && list.applications.length > 0 && <p class="dim">{list.applications.length}</p>}
      </header>
      {failure !== null && <p class="card empty" role="alert">The list of applications cannot be read: {visible(failure)}</p>}
      {list === null ? failure === null && <p class="empty">Asking who reports…</p> : <Listed list={list} />}
    </>
  );
}

function Listed({ list }: { list: ApplicationList }) {
  return (
    <>
      <Headline level={list.level} sentence={visible(list.sentence)} />
      {list.applications.length > 0 && <Table applications={list.applications} />}
      <Refusals list={list} />
      {list.enabled && list.applications.length === 0 && <ConnectOne />}
      {list.applications.length > 0 && (
        <details class="card more">
          <summary>Connect another application</summary>
          <ConnectOne />
        </details>
      )}
    </>
  );
}

function Table({ applications }: { applications: readonly Application[] }) {
  const figures = new Map(COLUMNS.map(({ key }) => [key, figuresOf(key)]));
  return (
    <div class="card table-card">
      <table class="applications">
        <thead>
          <tr>
            <th scope="col">Application</th>
            {COLUMNS.map(({ key, title, explain }) => <th key={key} scope="col" class="value" title={explain}>{title}</th>)}
            <th scope="col" class="value">Alerts</th>
          </tr>
        </thead>
        <tbody>
          {applications.map((one) => (
            <tr key={one.application} data-application={one.application} class={one.state}>
              <th scope="row">
                <LevelIcon level={one.level} />
                <span class="who">
                  <Link to={applicationPath(one.application)}><bdi>{visible(one.application)}</bdi></Link>
                  <span class="sentence">{stateText(one)}</span>
                </span>
              </th>
              {COLUMNS.map(({ key, title, unit }) => {
                const value = one.state === "live" ? figures.get(key)?.get(one.application) : undefined;
                return <td key={key} class={`value cell-${key}`} data-label={title}>{show(value, unit, throughput.value)}</td>;
              })}
              <td class={alertsOf(one) > 0 ? "value cell-alerts trouble" : "value cell-alerts"} data-label="Alerts">{one.state === "live" ? digits(alertsOf(one), true) : "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const alertsOf = (one: Application): number => one.instances.filter((instance) => instance.state === "live").reduce((count, instance) => count + instance.alerts.length, 0);

/** What stands below the name: since when it is silent, or what it is about. */
export function stateText(one: Application): string {
  if (one.silent_since !== null) {
    const now = shown.value?.time ?? serverNow();
    return `Silent since ${momentText(one.silent_since, now)}, for ${spanText(Math.max(0, now - one.silent_since))}`;
  }
  return visible(one.sentence);
}

/** Reports that were not taken: their senders see nothing of themselves on this page. */
function Refusals({ list }: { list: ApplicationList }) {
  if (list.refusals.length === 0) return null;
  const count = list.refusals.length;
  return (
    <details class="card more refusals" open={list.applications.length === 0}>
      <summary>{count === 1 ? "One report was" : `${count} kinds of reports were`} not taken since the daemon started</summary>
      <ul>
        {list.refusals.map(({ at, application, sentence }) => (
          <li key={`${application} ${sentence}`}>
            <time>{momentText(at, list.time)}</time>{" "}
            {application !== "" && <><b><bdi>{visible(application)}</bdi></b>: </>}{visible(sentence)}
          </li>
        ))}
      </ul>
    </details>
  );
}
