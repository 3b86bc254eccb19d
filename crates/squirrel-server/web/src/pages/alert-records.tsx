// Who was told, and what happened: the tables below the alerts.

import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";
import { visible } from "../lib/text";
import { momentText } from "../lib/time";
import { digits } from "../lib/units";
import type { AlertEvent, AlertsDocument, Channel, Delivery } from "../state/alert-types";
import { nameOf } from "../state/alerts";
import { act, whyOf } from "../state/change";
import { alertPath } from "../state/route";
import { Link } from "../ui/link";

/** The labels of a group, by its key: the route before them is of no interest to whoever reads what happened. */
function groupText(key: string): string {
  const [, labels] = /^\{[^]*\}:(\{[^]*\})$/.exec(key) ?? [];
  if (labels === undefined) return key;
  return labels === "{}" ? "all alerts of the route" : labels;
}

/** A card with one table that scrolls within itself. */
export function TableCard({ title, note, children, name }: { title: string; note?: string; children: ComponentChildren; name: string }) {
  const id = useId();
  return (
    <section class="card breakdown" aria-labelledby={id} data-table={name}>
      <header><h2 id={id}>{title}</h2>{note && <span class="note">{note}</span>}</header>
      <div class="scroll" tabIndex={0} role="region" aria-labelledby={id}>{children}</div>
    </section>
  );
}

export function Channels({ page }: { page: AlertsDocument }) {
  if (page.channels.length === 0) {
    return (
      <section class="card connect" aria-label="Channels" data-table="channels">
        <h2>Nobody would be told</h2>
        <p>No channel is configured, so alerts are seen on this page only. In the configuration, for instance:</p>
        <pre tabIndex={0}>{'[[notify.email]]\nname = "mail"\nhost = "mail.example.net"\nfrom = "Squirrel <squirrel@example.net>"\nto = ["ops@example.net"]'}</pre>
      </section>
    );
  }
  return (
    <TableCard title="Channels" name="channels">
      <table>
        <thead><tr><th scope="col">Channel</th><th scope="col">Kind</th><th scope="col">State</th><th scope="col" class="value">Waiting</th><th scope="col">Test</th></tr></thead>
        <tbody>{page.channels.map((one) => <ChannelRow key={one.name} one={one} />)}</tbody>
      </table>
    </TableCard>
  );
}

function ChannelRow({ one }: { one: Channel }) {
  const [said, setSaid] = useState("");
  const [busy, setBusy] = useState(false);
  const test = async () => {
    setBusy(true);
    setSaid("Sending…");
    try {
      const done = await act("/api/notify/test", { channel: one.name });
      setSaid(done?.delivery ? deliveryText(done.delivery) : "");
    } catch (error) {
      setSaid(whyOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <tr data-channel={one.name}>
      <th scope="row"><bdi>{visible(one.name)}</bdi></th>
      <td>{visible(one.kind)}</td>
      <td><span class={`state ${one.failing ? "down" : "up"}`}><span class="state-dot" aria-hidden="true" />{one.failing ? "fails" : "works"}</span></td>
      <td class="value">{digits(one.waiting, true)}</td>
      <td class="cell-test">
        <button type="button" class="button" disabled={busy} onClick={test} aria-label={`Send a test through ${visible(one.name)}`}>Send a test</button>{" "}
        <span role="status">{visible(said)}</span>
      </td>
    </tr>
  );
}

/** Where a message stands, as a word. */
export const STATES: Record<Delivery["state"], string> = { waiting: "waits", delivered: "delivered", replaced: "replaced", given_up: "given up", lost: "lost" };

function deliveryText(one: Delivery): string {
  const answer = one.answer ? `: ${one.answer}` : "";
  return `${STATES[one.state] ?? one.state}${one.state === "waiting" && one.attempts > 0 ? " for another attempt" : ""}${answer}`;
}

export function Deliveries({ rows, now, note }: { rows: readonly Delivery[]; now: number; note: string }) {
  if (rows.length === 0) return null;
  return (
    <TableCard title="Deliveries" note={note} name="deliveries">
      <table>
        <thead>
          <tr><th scope="col">Decided</th><th scope="col">Channel</th><th scope="col">Why</th><th scope="col">State</th><th scope="col" class="value">Attempts</th><th scope="col">Answer</th><th scope="col">Of</th></tr>
        </thead>
        <tbody>
          {rows.map((one, i) => (
            <tr key={`${one.accepted_at} ${one.channel} ${one.group} ${i}`}>
              <th scope="row"><time>{momentText(one.accepted_at, now)}</time></th>
              <td><bdi>{visible(one.channel)}</bdi>{one.instead_of && <span class="dim"> instead of <bdi>{visible(one.instead_of)}</bdi></span>}</td>
              <td>{visible(one.reason)}</td>
              <td class={one.state === "given_up" || one.state === "lost" ? "trouble" : undefined}>{STATES[one.state] ?? visible(one.state)}</td>
              <td class="value">{digits(one.attempts, true)}</td>
              <td class="long">{one.answer === null ? <span class="dim">–</span> : <bdi>{visible(one.answer)}</bdi>}</td>
              <td class="long dim"><bdi title={visible(one.group)}>{visible(groupText(one.group))}</bdi></td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableCard>
  );
}

export function History({ rows, page, note }: { rows: readonly AlertEvent[]; page: AlertsDocument; note: string }) {
  if (rows.length === 0) return null;
  return (
    <TableCard title="History" note={note} name="history">
      <table>
        <thead><tr><th scope="col">When</th><th scope="col">What</th><th scope="col">Of</th><th scope="col">More</th></tr></thead>
        <tbody>
          {rows.map((one, i) => (
            <tr key={`${one.at} ${one.event} ${i}`}>
              <th scope="row"><time>{momentText(one.at, page.time)}</time></th>
              <td>{visible(one.event.replace(/_/g, " "))}</td>
              <td class="long"><Subject of={one} page={page} /></td>
              <td class="long">{visible(one.detail)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableCard>
  );
}

function Subject({ of, page }: { of: AlertEvent; page: AlertsDocument }) {
  const alert = page.alerts.find((one) => one.fingerprint === of.fingerprint);
  const text = <bdi title={visible(of.subject)}>{visible(alert ? nameOf(alert) : groupText(of.subject))}</bdi>;
  return alert ? <Link to={alertPath(alert.fingerprint)}>{text}</Link> : text;
}
