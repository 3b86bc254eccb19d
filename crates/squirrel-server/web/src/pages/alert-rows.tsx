// Alerts in one list, by where they stand.

import { useState } from "preact/hooks";
import { visible } from "../lib/text";
import { momentText, roughSpan } from "../lib/time";
import type { Alert, AlertsDocument } from "../state/alert-types";
import { checksOf, nameOf, type Place, placeOf, summaryOf } from "../state/alerts";
import { alertPath } from "../state/route";
import { AlertActions } from "../ui/alert-actions";
import { Checks, LabelList, Reasons, Severity, ValueText } from "../ui/alert-marks";
import { Link } from "../ui/link";

const PLACES: readonly { place: Place; title: string; note: string }[] = [
  { place: "open", title: "Firing", note: "nobody takes care yet" },
  { place: "acknowledged", title: "Acknowledged", note: "they fire, and somebody takes care" },
  { place: "held", title: "Held back", note: "they fire, and nobody is told: silences, planned work, other alerts" },
  { place: "pending", title: "Pending", note: "the condition holds, not yet for long enough" },
  { place: "over", title: "Over", note: "they ended lately" },
];

/** Rows of one place until somebody asks for all: a storm must not stop the browser. */
const SHOWN = 50;

export function AlertLists({ page }: { page: AlertsDocument }) {
  return (
    <>
      {PLACES.map(({ place, title, note }) => {
        const rows = page.alerts.filter((one) => placeOf(one) === place);
        return rows.length > 0 && <AlertList key={place} place={place} title={title} note={note} rows={rows} page={page} />;
      })}
      {page.alerts_left_out > 0 && <p class="note">{page.alerts_left_out} more alerts are not listed here: <code>squirrel alerts</code> counts them all.</p>}
    </>
  );
}

function AlertList({ place, title, note, rows, page }: { place: Place; title: string; note: string; rows: readonly Alert[]; page: AlertsDocument }) {
  const [all, setAll] = useState(false);
  const id = `alerts-${place}`;
  return (
    <section class="card alert-list" aria-labelledby={id} data-place={place}>
      <header><h2 id={id}>{title} <span class="dim">{rows.length}</span></h2><span class="note">{note}</span></header>
      <ul>
        {(all ? rows : rows.slice(0, SHOWN)).map((one) => <Row key={one.fingerprint} one={one} page={page} />)}
      </ul>
      {!all && rows.length > SHOWN && <p class="rest"><button type="button" class="button" onClick={() => setAll(true)}>Show all {rows.length}</button></p>}
    </section>
  );
}

function Row({ one, page }: { one: Alert; page: AlertsDocument }) {
  const checks = checksOf(one);
  return (
    <li data-alert={one.fingerprint}>
      <Severity of={one} />
      <div class="alert-what">
        <p class="alert-name"><Link to={alertPath(one.fingerprint)}><bdi>{visible(nameOf(one))}</bdi></Link> <LabelList of={one} /></p>
        <p>{visible(summaryOf(one))}</p>
        <Reasons of={one} page={page} />
        {one.state !== "inactive" && checks.length > 0 && (
          <details class="check-more">
            <summary>What to check first</summary>
            <Checks lines={checks} />
          </details>
        )}
      </div>
      <div class="alert-now">
        {one.state !== "inactive" && <ValueText of={one} />}
        <SinceText of={one} now={page.time} />
      </div>
      {one.state === "firing" && <AlertActions of={one} />}
    </li>
  );
}

export function SinceText({ of, now }: { of: Alert; now: number }) {
  const begin = of.state === "inactive" ? (of.ends_at ?? of.starts_at) : of.starts_at;
  return <span class="since">{of.state === "inactive" ? "over since " : "since "}<time>{momentText(begin, now)}</time>, {roughSpan(now - begin)}</span>;
}
