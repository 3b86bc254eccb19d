// "Does what we need answer, and how well?" — all targets of scheduled probes, a page at a time.

import { visible } from "../lib/text";
import type { ProbesPage as Page, ProbeState } from "../state/probe-types";
import { ask, page, PAGE_ROWS, pageFailure, question, type Question, SPANS, useProbes } from "../state/probes";
import { Icon } from "../ui/icons";
import { Headline } from "../ui/level";
import { ProbeRows } from "./probe-rows";

const COLUMNS: readonly { key: string | null; title: string; class: string }[] = [
  { key: "instance", title: "Target", class: "cell-target" },
  { key: "state", title: "State", class: "cell-state" },
  { key: "took", title: "Last", class: "value cell-last" },
  { key: "loss", title: "Loss", class: "value cell-loss" },
  { key: "mos", title: "Call score", class: "value cell-mos" },
  { key: null, title: "", class: "cell-beats" },
  { key: null, title: "Available", class: "value cell-available" },
  { key: null, title: "Certificate", class: "value cell-certificate" },
];
/** Those that begin with the smallest, or the first, when they are chosen. */
const ASCENDING = new Set(["instance", "state", "mos"]);

const STATES: readonly { state: ProbeState; word: string }[] = [
  { state: "down", word: "Down" },
  { state: "unreachable", word: "Unreachable" },
  { state: "unknown", word: "Unknown" },
  { state: "up", word: "Up" },
];

export function ProbesPage() {
  useProbes();
  const now = page.value;
  const failure = pageFailure.value;
  return (
    <>
      <header class="page-head">
        <h1>Probes</h1>
        {now && <p class="dim">{now.matched === now.total ? `${now.total}` : `${now.matched} of ${now.total}`}</p>}
        <label class="filter">
          <span class="sr-only">Filter by name, group, kind, state, address or figures</span>
          <Icon name="search" />
          <input type="search" data-filter placeholder="Filter: name, group:web, kind:http, loss:>0.01" value={question.value.filter} maxLength={500}
            onInput={(event) => ask({ filter: event.currentTarget.value })} />
        </label>
      </header>
      {failure !== null && <p class="card empty" role="alert">The targets cannot be read as asked for: {visible(failure)}</p>}
      {now === null ? failure === null && <p class="empty">Asking how the targets stand…</p> : <Listed now={now} />}
    </>
  );
}

function Listed({ now }: { now: Page }) {
  const asked = question.value;
  return (
    <>
      <Headline level={now.level} sentence={visible(now.sentence)} />
      {now.total === 0 ? <None /> : (
        <>
          <Choices now={now} asked={asked} />
          <div class="card table-card">
            {now.probes.length === 0 ? (
              <p class="empty">Nothing matches. <button type="button" class="button" onClick={() => ask({ filter: "", group: null, state: null })}>Show all</button></p>
            ) : (
              <table class="probes">
                <thead>
                  <tr>
                    {COLUMNS.map((column) => <HeadCell key={column.class} sort={column.key} title={column.title} class={column.class} asked={asked} />)}
                  </tr>
                </thead>
                <ProbeRows now={now} />
              </table>
            )}
          </div>
          <Pager now={now} />
          {now.notes.map((note) => <p key={note} class="note" role="status">{visible(note)}</p>)}
        </>
      )}
    </>
  );
}

function HeadCell({ sort, title, class: kind, asked }: { sort: string | null; title: string; class: string; asked: Question }) {
  const span = SPANS.find(({ name }) => name === asked.history);
  const text = kind === "cell-beats" ? `Last ${span?.text}` : title;
  const order = sort === asked.sort ? (asked.descending ? "descending" : "ascending") : undefined;
  const choose = () => ask({ sort: sort ?? "state", descending: sort === asked.sort ? !asked.descending : !ASCENDING.has(sort ?? "") });
  return (
    <th scope="col" class={kind} aria-sort={order}>
      {sort === null ? text : <button type="button" onClick={choose}>{text}</button>}
    </th>
  );
}

/** Which targets, and over which time. */
function Choices({ now, asked }: { now: Page; asked: Question }) {
  const { groups } = now;
  return (
    <div class="choices">
      <div class="presets" role="group" aria-label="State">
        <button type="button" aria-pressed={asked.state === null} onClick={() => ask({ state: null })}>All</button>
        {STATES.map(({ state, word }) => (now.states[state] > 0 || asked.state === state) && (
          <button key={state} type="button" aria-pressed={asked.state === state} onClick={() => ask({ state })}>{word} {now.states[state]}</button>
        ))}
      </div>
      {(groups.length > 1 || asked.group !== null) && (
        <label class="choice-field">
          <span>Group</span>
          <select value={asked.group ?? ""} onChange={(event) => ask({ group: event.currentTarget.value === "" ? null : event.currentTarget.value })}>
            <option value="">All {groups.length}</option>
            {groups.map(({ group, states }) => group !== null && <option key={group} value={group}>{visible(group)} {summary(states)}</option>)}
          </select>
        </label>
      )}
      <label class="choice-field">
        <span>Heartbeats</span>
        <select value={asked.history} onChange={(event) => ask({ history: event.currentTarget.value as Question["history"], offset: asked.offset })}>
          {SPANS.map(({ name, text }) => <option key={name} value={name}>Last {text}</option>)}
        </select>
      </label>
      <label class="choice-field sort-choice">
        <span>Sort</span>
        <select value={asked.sort} onChange={(event) => ask({ sort: event.currentTarget.value, descending: !ASCENDING.has(event.currentTarget.value) })}>
          {COLUMNS.map(({ key, title }) => key && <option key={key} value={key}>{title}</option>)}
        </select>
      </label>
    </div>
  );
}

function summary(states: Page["states"]): string {
  const all = states.down + states.unreachable + states.unknown + states.up;
  return states.down > 0 ? `(${states.down} of ${all} down)` : `(${all})`;
}

function Pager({ now }: { now: Page }) {
  if (now.matched <= PAGE_ROWS && now.offset === 0) return null;
  const last = Math.min(now.offset + now.probes.length, now.matched);
  return (
    <nav class="pager" aria-label="Pages of the list">
      <button type="button" class="button" disabled={now.offset === 0} onClick={() => ask({ offset: Math.max(0, now.offset - PAGE_ROWS) })}>Previous</button>
      <span role="status">{now.probes.length === 0 ? "none" : `${now.offset + 1}–${last}`} of {now.matched}</span>
      <button type="button" class="button" disabled={last >= now.matched} onClick={() => ask({ offset: now.offset + PAGE_ROWS })}>Next</button>
    </nav>
  );
}

const EXAMPLE = `[[probe]]
name = "edge"
kind = "ping"
targets = ["192.0.2.1", "router.example"]
interval = "1s"
group = "Berlin"`;

function None() {
  return (
    <section class="card connect">
      <h2>Have something probed</h2>
      <p>A table in the configuration names targets, and how they are asked. After a reload they stand here, with their history from then on.</p>
      <pre>{EXAMPLE}</pre>
    </section>
  );
}
