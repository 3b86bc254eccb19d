// A probe at once, beside the schedule: who may ask for it shows the daemon's token.

import { useState } from "preact/hooks";
import { visible } from "../lib/text";
import { show } from "../lib/units";
import { act, whyOf } from "../state/change";
import type { ProbeRan } from "../state/probe-types";
import { LevelIcon } from "../ui/level";
import { HopTable } from "./probe-path";

export type Outcome = { kind: "ran"; ran: ProbeRan } | { kind: "failed"; why: string };

/** A target's probe by hand; `after` is called when it ended. */
export function useRun(job: string, instance: string, after: () => void): { running: boolean; outcome: Outcome | null; run: () => void } {
  const [running, setRunning] = useState(false);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const probe = async () => {
    setRunning(true);
    setOutcome(null);
    try {
      const ran = await act<ProbeRan>("/api/probes/run", { job, instance });
      if (ran) setOutcome({ kind: "ran", ran });
      after();
    } catch (error) {
      setOutcome({ kind: "failed", why: whyOf(error) });
    } finally {
      setRunning(false);
    }
  };
  return { running, outcome, run: () => void probe() };
}

/** What it brought; nothing before. */
export const RunResult = ({ of }: { of: Outcome | null }) => <div class="run-place" role="status">{of && <Result of={of} />}</div>;

function Result({ of }: { of: Outcome }) {
  if (of.kind === "failed") return <p class="card empty" role="alert">It was not probed: {visible(of.why)}</p>;
  const { ran } = of;
  return (
    <section class="card run-result" data-run={ran.success ? "success" : "failure"} aria-label="The probe by hand">
      <h2><LevelIcon level={ran.success ? "ok" : "bad"} /> {ran.success ? "It does what it should" : "It does not do what it should"}, after {show(ran.seconds, "seconds", "bits")}</h2>
      {ran.log.length > 0 && <ol>{ran.log.map((line, i) => <li key={i}>{visible(line)}</li>)}</ol>}
      {ran.path && <HopTable document={ran.path} />}
      {ran.samples.length > 0 && (
        <details>
          <summary>Its {ran.samples.length} numbers</summary>
          <pre tabIndex={0}>{ran.samples.map(([name, value]) => `${visible(name)} ${value}`).join("\n")}</pre>
        </details>
      )}
    </section>
  );
}
