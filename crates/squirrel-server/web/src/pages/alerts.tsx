// "What fires, why, and who was told?"

import { visible } from "../lib/text";
import { momentText } from "../lib/time";
import type { AlertsDocument } from "../state/alert-types";
import { alertsFailure, openAlerts, placeOf, type Place, useAlerts } from "../state/alerts";
import type { Level } from "../state/api";
import { Notice } from "../ui/alert-actions";
import { openSilence } from "../ui/alert-dialogs";
import { Headline } from "../ui/level";
import { Channels, Deliveries, History } from "./alert-records";
import { AlertLists } from "./alert-rows";
import { Silences } from "./alert-silences";

export function AlertsPage() {
  const page = useAlerts();
  return (
    <>
      <header class="page-head">
        <h1>Alerts</h1>
        <button type="button" class="button push" onClick={() => openSilence(null)}>New silence…</button>
      </header>
      <Failure />
      <Notice />
      {page === null ? alertsFailure.value === null && <p class="empty">Asking what fires…</p> : <Listed page={page} />}
    </>
  );
}

/** Why what stands on the page is not fresh. */
export function Failure() {
  const why = alertsFailure.value;
  return why === null ? null : <p class="card empty" role="alert">The alerts cannot be read: {visible(why)}</p>;
}

function Listed({ page }: { page: AlertsDocument }) {
  const { level, sentence } = judge(page);
  return (
    <>
      <Headline level={level} sentence={visible(sentence)} />
      {page.quiet_until !== null && <p class="card hint">Quiet hours until {momentText(page.quiet_until, page.time)}: what can wait is told after them.</p>}
      <Problems of={page.problems} />
      <AlertLists page={page} />
      {page.alerts.length === 0 && <p class="card empty">Nothing fires and nothing is pending. What ends stays on this page for a while.</p>}
      <Silences page={page} />
      <Channels page={page} />
      <Deliveries rows={page.deliveries} now={page.time} note="the newest first" />
      <History rows={page.history} page={page} note="the newest first" />
    </>
  );
}

/** The page in one sentence. */
function judge(page: AlertsDocument): { level: Level; sentence: string } {
  const count = (place: Place) => page.alerts.filter((one) => placeOf(one) === place).length;
  const [open, taken, held, pending] = [count("open"), count("acknowledged"), count("held"), count("pending")];
  const failing = page.channels.filter((one) => one.failing).map((one) => one.name);
  const parts: string[] = [];
  if (open > 0) parts.push(open === 1 ? "1 alert fires and waits for somebody" : `${open} alerts fire and wait for somebody`);
  if (taken > 0) parts.push(taken === 1 ? "1 is taken care of" : `${taken} are taken care of`);
  if (held > 0) parts.push(held === 1 ? "1 is held back" : `${held} are held back`);
  if (open + taken + held === 0) parts.push("All is well: no alert fires");
  if (pending > 0) parts.push(`${pending} pending`);
  let sentence = `${parts.join("; ")}.`;
  if (page.problems.length > 0) sentence += " Not all rule files could be read.";
  if (failing.length > 0) sentence += ` Nobody is told through ${failing.join(", ")}: every attempt fails.`;
  const troubled = taken > 0 || page.problems.length > 0 || failing.length > 0;
  const worst = open > 0 ? openAlerts.value.level : "ok";
  return { level: worst !== "bad" && troubled ? "warning" : worst, sentence };
}

/** Rule files that are not in force as they stand, with line and column. */
function Problems({ of }: { of: readonly string[] }) {
  if (of.length === 0) return null;
  return (
    <section class="card problems" aria-labelledby="problems-title">
      <h2 id="problems-title">Rule files with problems</h2>
      <ul>
        {of.map((problem) => (
          <li key={problem}>{problem.split("\n").map((line, i) => (i === 0 ? <code key={i}>{visible(line)}</code> : <span key={i}>{visible(line)}</span>))}</li>
        ))}
      </ul>
    </section>
  );
}
