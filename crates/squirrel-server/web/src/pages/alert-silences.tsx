// Silences: those that hold or will, and those that are over.

import { useState } from "preact/hooks";
import { visible } from "../lib/text";
import { momentText, roughSpan } from "../lib/time";
import { digits } from "../lib/units";
import type { AlertsDocument, Silence } from "../state/alert-types";
import { act, notice, whyOf } from "../state/change";
import { TableCard } from "./alert-records";

export function Silences({ page }: { page: AlertsDocument }) {
  const lasting = page.silences.filter((one) => one.state !== "expired");
  const over = page.silences.filter((one) => one.state === "expired");
  if (lasting.length + over.length === 0) return null;
  return (
    <>
      {lasting.length > 0 && <TableCard title="Silences" name="silences"><SilenceTable rows={lasting} now={page.time} /></TableCard>}
      {over.length > 0 && (
        <details class="card more" data-table="silences-over">
          <summary>{over.length === 1 ? "One silence is" : `${over.length} silences are`} over</summary>
          <ul>
            {over.map((one) => (
              <li key={one.id}><time>{momentText(one.ends_at, page.time)}</time> <Conditions of={one} /> <span class="dim">by <bdi>{visible(one.author)}</bdi>{one.comment && <>: {visible(one.comment)}</>}</span></li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

const Conditions = ({ of }: { of: Silence }) => <span class="labels">{of.matchers.map((one) => <code key={one}><bdi>{visible(one)}</bdi></code>)}</span>;

function SilenceTable({ rows, now }: { rows: readonly Silence[]; now: number }) {
  return (
    <table>
      <thead>
        <tr><th scope="col">Conditions</th><th scope="col">State</th><th scope="col">Ends</th><th scope="col">By</th><th scope="col">Why</th><th scope="col" class="value">Takes</th><th scope="col"><span class="sr-only">End</span></th></tr>
      </thead>
      <tbody>
        {rows.map((one) => (
          <tr key={one.id} data-silence={one.id}>
            <th scope="row" class="long"><Conditions of={one} /></th>
            <td>{one.state === "pending" ? `from ${momentText(one.starts_at, now)}` : "active"}</td>
            <td>{momentText(one.ends_at, now)}<span class="dim">, in {roughSpan(one.ends_at - now)}</span></td>
            <td><bdi>{visible(one.author)}</bdi></td>
            <td class="long">{visible(one.comment)}</td>
            <td class="value">{digits(one.takes, true)}</td>
            <td><Expire of={one} /></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Expire({ of }: { of: Silence }) {
  const [wrong, setWrong] = useState<string | null>(null);
  const expire = async () => {
    setWrong(null);
    try {
      if (await act("/api/silences/expire", { id: of.id })) notice.value = `The silence of ${of.matchers.join(", ")} is over.`;
    } catch (error) {
      setWrong(whyOf(error));
    }
  };
  return (
    <>
      <button type="button" class="button" onClick={expire} aria-label={`End the silence of ${visible(of.matchers.join(", "))}`}>End now</button>
      {wrong !== null && <span class="wrong" role="alert"> {visible(wrong)}</span>}
    </>
  );
}
