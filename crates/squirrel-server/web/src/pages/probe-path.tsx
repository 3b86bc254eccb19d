// The path to a target: who stands where, what is lost there and whether that means anything; and how it changed.

import { shareText } from "../lib/share";
import { visible } from "../lib/text";
import { momentText } from "../lib/time";
import { show } from "../lib/units";
import type { PathAddress, PathChanged, PathDocument, ProbeDetail } from "../state/probe-types";

type Path = NonNullable<ProbeDetail["path"]>;

/** Changes that are listed at once; the others come when they are asked for. */
const LISTED = 5;

export function Hops({ path }: { path: Path }) {
  if (!path.document) return <p class="card empty">The path is being traced for the first time.</p>;
  return (
    <section class="card breakdown hops" aria-labelledby="hops-title" data-hops>
      <header>
        <h2 id="hops-title">The path now</h2>
        <p class="note">{path.document.protocol.toUpperCase()}, {path.document.hops.length === 1 ? "1 place" : `${path.document.hops.length} places`}{path.document.reached ? "" : ", the target did not answer"}</p>
      </header>
      <p class="path-verdict">{visible(path.document.verdict)}</p>
      <HopTable document={path.document} />
    </section>
  );
}

export function HopTable({ document }: { document: PathDocument }) {
  return (
    <div class="breakdown hops">
      <div class="scroll" tabIndex={0} role="region" aria-label="Places of the path">
        <table>
          <thead>
            <tr>
              <th scope="col">Hop</th>
              <th scope="col">Host</th>
              <th scope="col" class="value">Loss</th>
              <th scope="col" class="value">Median</th>
              <th scope="col" class="value">95 %</th>
              <th scope="col" class="value">Longest</th>
              <th scope="col">What it means</th>
            </tr>
          </thead>
          <tbody>
            {document.hops.flatMap(({ ttl, addresses }) => addresses.map((one, i) => <Hop key={`${ttl} ${i}`} ttl={i === 0 ? ttl : null} one={one} />))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

/** Loss that is real, as against answers that a router only limits. */
const REAL = new Set(["loss_goes_on", "loss_begins", "refuses"]);

function Hop({ ttl, one }: { ttl: number | null; one: PathAddress }) {
  const micros = (value: number | undefined) => show(value === undefined ? null : value / 1e6, "seconds", "bits");
  const network = [one.as_number === null ? "" : `AS${one.as_number}`, one.as_name ?? "", ...one.mpls.map((label) => `MPLS ${label.label}`)].filter((part) => part !== "");
  return (
    <tr class={one.current ? undefined : "former"} data-verdict={one.verdict}>
      <th scope="row">{ttl ?? ""}</th>
      <td><span class="hop-host">{one.address === null ? <span class="dim">no answer</span> : <bdi>{visible(one.address)}</bdi>}{network.length > 0 && <span class="note"><bdi>{network.map(visible).join(", ")}</bdi></span>}</span></td>
      <td class={REAL.has(one.verdict) && (one.loss_ratio ?? 0) > 0 ? "value trouble" : "value"}>{one.address === null ? "–" : shareText(one.loss_ratio)}</td>
      <td class="value">{micros(one.rtt_us?.p50)}</td>
      <td class="value">{micros(one.rtt_us?.p95)}</td>
      <td class="value">{micros(one.rtt_us?.max)}</td>
      <td class="note-cell">{visible(one.note)}</td>
    </tr>
  );
}

export function PathChanges({ path, now }: { path: Path; now: number }) {
  const { changes, forgotten } = path;
  if (changes.length === 0) return null;
  const [first, rest] = [changes.slice(0, LISTED), changes.slice(LISTED)];
  return (
    <section class="card breakdown" aria-labelledby="changes-title" data-changes>
      <header>
        <h2 id="changes-title">Changes of the path</h2>
        <p class="note">{changes.length}, the newest first{forgotten > 0 && `; ${forgotten} older ones are not kept`}</p>
      </header>
      <ul class="changes">{first.map((change) => <Change key={change.at} change={change} now={now} />)}</ul>
      {rest.length > 0 && (
        <details class="more">
          <summary>{rest.length} more</summary>
          <ul class="changes">{rest.map((change) => <Change key={change.at} change={change} now={now} />)}</ul>
        </details>
      )}
    </section>
  );
}

function Change({ change, now }: { change: PathChanged; now: number }) {
  return (
    <li>
      <time>{momentText(change.at, now)}</time>
      <Route word="Before" hops={change.from} others={change.to} mark="gone" />
      <Route word="After" hops={change.to} others={change.from} mark="new" />
    </li>
  );
}

/** Hosts in order, those that the other side does not have at the same place marked. */
function Route({ word, hops, others, mark }: { word: string; hops: readonly (string | null)[]; others: readonly (string | null)[]; mark: "gone" | "new" }) {
  return (
    <p class="route">
      <b>{word}:</b>
      {hops.map((host, i) => (
        <span key={i}>
          {i > 0 && "→ "}
          <span class={host !== others[i] ? mark : undefined}>{host === null ? "?" : <bdi>{visible(host)}</bdi>}</span>
        </span>
      ))}
    </p>
  );
}
