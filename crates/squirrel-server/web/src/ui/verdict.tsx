// The one sentence above everything, and behind it what is wrong and what to check first.

import { useEffect } from "preact/hooks";
import { visible } from "../lib/text";
import { type Finding, type Level, verdict as fetchVerdict } from "../state/api";
import { openAlerts } from "../state/alerts";
import { verdict } from "../state/stream";
import { Icon, type IconName } from "./icons";
import { Link } from "./link";

export const LEVEL_ICON: Record<Level, IconName> = { ok: "check", unknown: "unknown", warning: "warning", bad: "bad" };
export const LEVEL_WORD: Record<Level, string> = { ok: "Fine", unknown: "Not known", warning: "Warning", bad: "Bad" };

export function VerdictPanel() {
  useEffect(() => {
    if (verdict.peek()) return;
    fetchVerdict().then(
      (first) => (verdict.value ??= first),
      // The stream brings the verdict too; the banner tells when neither comes.
      () => undefined,
    );
  }, []);
  const now = verdict.value;
  if (!now) return <section class="verdict unknown"><p class="verdict-line">Waiting for the first verdict…</p></section>;
  return (
    <section class={`verdict ${now.level}`} aria-label="Verdict">
      <p class="verdict-line" role="status">
        <span class="verdict-icon" title={LEVEL_WORD[now.level]}><Icon name={LEVEL_ICON[now.level]} /></span>
        <span class="sr-only">{LEVEL_WORD[now.level]}: </span>
        <span>{visible(now.sentence)}</span>
      </p>
      {openAlerts.value.count > 0 && (
        <p class="verdict-alerts">
          <Link to="/alerts">{openAlerts.value.count === 1 ? "One alert waits" : `${openAlerts.value.count} alerts wait`} for somebody: see what fires and since when</Link>
        </p>
      )}
      {now.findings.length > 0 && (
        <ul class="findings">
          {now.findings.map((finding) => <FindingRow key={`${finding.check} ${finding.subject}`} finding={finding} />)}
        </ul>
      )}
      {now.not_judged.length > 0 && (
        <details class="not-judged">
          <summary>{now.not_judged.length === 1 ? "One thing" : `${now.not_judged.length} things`} could not be judged</summary>
          <ul>{now.not_judged.map((line) => <li key={line}>{visible(line)}</li>)}</ul>
        </details>
      )}
    </section>
  );
}

function FindingRow({ finding }: { finding: Finding }) {
  return (
    <li class={`finding ${finding.level}`}>
      <details>
        <summary>
          <span class="finding-icon" title={LEVEL_WORD[finding.level]}><Icon name={LEVEL_ICON[finding.level]} /></span>
          <span class="sr-only">{LEVEL_WORD[finding.level]}: </span>
          <span>{visible(finding.sentence)}</span>
        </summary>
        {finding.check_first.length > 0 && (
          <div class="check-first">
            <p class="lead">What to check first</p>
            <ol>{finding.check_first.map((line) => <li key={line}>{visible(line)}</li>)}</ol>
          </div>
        )}
      </details>
    </li>
  );
}
