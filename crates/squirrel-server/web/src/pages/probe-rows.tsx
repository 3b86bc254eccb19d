// Rows of targets: how each stands, its last figures and its past.

import { shareText } from "../lib/share";
import { visible } from "../lib/text";
import { momentText, roughSpan } from "../lib/time";
import { digits, show } from "../lib/units";
import type { Level } from "../state/api";
import type { Probe, ProbesPage, ProbeState, SpanName } from "../state/probe-types";
import { keyOfProbe } from "../state/probes";
import { probePath } from "../state/route";
import { Heartbeat } from "../ui/heartbeat";
import { Icon, type IconName } from "../ui/icons";
import { Link } from "../ui/link";

export function ProbeRows({ now }: { now: ProbesPage }) {
  return (
    <tbody>
      {now.probes.map((one) => (
        <tr key={keyOfProbe(one)} data-probe={one.instance} class={one.state}>
          <th scope="row" class="cell-target">
            <StateMark state={one.state} />
            <span class="who">
              <Link to={probePath(one.job, one.instance)}><bdi>{visible(one.instance)}</bdi></Link>
              <span class="sentence">{one.state === "down" && one.why ? <bdi>{visible(one.why)}</bdi> : <WhatItIs one={one} />}</span>
            </span>
          </th>
          <td class="cell-state" data-label="State"><StateText one={one} now={now.time} /></td>
          <td class="value cell-last" data-label="Last"><OrDash text={lastText(one)} /></td>
          <td class={(one.minute?.loss ?? 0) > 0 ? "value cell-loss trouble" : "value cell-loss"} data-label="Loss"><OrDash text={shareText(one.minute?.loss)} /></td>
          <td class="value cell-mos" data-label="Call score"><CallScore mos={one.minute?.mos ?? null} /></td>
          <td class="cell-beats"><Heartbeat beats={one.heartbeat} span={now.history} /></td>
          <td class="value cell-available" data-label="Available"><OrDash text={shareText(availableOver(one, now.history?.name))} /></td>
          <td class="value cell-certificate" data-label="Certificate"><CertificateDays at={one.certificate_expires} now={now.time} /></td>
        </tr>
      ))}
    </tbody>
  );
}

/** Where there is no figure, cards of small screens leave the place out. */
const OrDash = ({ text }: { text: string }) => (text === "–" ? <span class="dim">–</span> : <>{text}</>);

const MARKS: Record<ProbeState, { level: Level; icon: IconName; word: string }> = {
  down: { level: "bad", icon: "bad", word: "Down" },
  unreachable: { level: "warning", icon: "unknown", word: "Unreachable" },
  unknown: { level: "unknown", icon: "unknown", word: "Unknown" },
  up: { level: "ok", icon: "check", word: "Up" },
};

const EXPLAINED: Record<ProbeState, string> = {
  down: "It does not do what it should",
  unreachable: "What it lies behind is down: nothing is known of itself",
  unknown: "Nothing is known yet",
  up: "It does what it should",
};

/** A shape and a colour; the word stands in the row. */
export function StateMark({ state }: { state: ProbeState }) {
  const { level, icon, word } = MARKS[state];
  return <span class={`level ${level}`} title={EXPLAINED[state]}><Icon name={icon} /><span class="sr-only">{word}: </span></span>;
}

export function StateText({ one, now }: { one: Probe; now: number }) {
  return (
    <span class={`probe-state ${one.state}`} title={EXPLAINED[one.state]}>
      <b>{MARKS[one.state].word}</b>
      {one.since !== null && <span class="dim" title={momentText(one.since, now)}> {roughSpan(Math.max(0, now - one.since))}</span>}
    </span>
  );
}

function WhatItIs({ one }: { one: Probe }) {
  const parts = [one.kind, ...(one.group === null ? [] : [one.group]), one.job];
  return <bdi>{parts.map(visible).join(" · ")}</bdi>;
}

/** The round trip or the duration of the last probe; nothing for one that failed. */
export const lastText = (one: Probe): string => (one.state === "down" || one.seconds === null ? "–" : show(one.seconds, "seconds", "bits"));

/** Above 4.03 people are satisfied, below 3.6 many are not (ITU-T G.107, Annex B). */
export function CallScore({ mos }: { mos: number | null }) {
  if (mos === null) return <span class="dim">–</span>;
  const word = mos >= 4.03 ? "good" : mos >= 3.6 ? "fair" : "poor";
  return <span class={word === "poor" ? "trouble" : undefined}>{mos.toFixed(1)} <span class="dim">{word}</span></span>;
}

export function CertificateDays({ at, now }: { at: number | null; now: number }) {
  if (at === null) return <span class="dim">–</span>;
  const days = Math.floor((at - now) / 86_400);
  if (days < 0) return <span class="trouble">expired</span>;
  return <span class={days < 14 ? "trouble" : undefined} title={`until ${new Date(at * 1000).toISOString().slice(0, 10)}`}>{digits(days, true)}&nbsp;d</span>;
}

export function availableOver(one: Probe, span: SpanName | undefined): number | null {
  const { availability } = one;
  if (availability === null) return null;
  if (span === "30d") return availability.month;
  return span === "7d" ? availability.week : availability.day;
}
