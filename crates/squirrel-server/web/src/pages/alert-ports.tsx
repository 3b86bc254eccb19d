// Who uses up the ephemeral ports: for the one alert that cannot say it in a label, since addresses never become labels.

import { useEffect, useState } from "preact/hooks";
import { visible } from "../lib/text";
import { digits } from "../lib/units";
import type { Alert } from "../state/alert-types";
import { nameOf } from "../state/alerts";
import { ephemeralPorts, type PortsDocument } from "../state/api";
import { TableCard } from "./alert-records";

/** Destinations that are shown. */
const MOST = 5;

export function PortsOf({ one }: { one: Alert }) {
  return nameOf(one) === "EphemeralPortsNearExhausted" && one.state !== "inactive" ? <Ports /> : null;
}

function Ports() {
  const [found, setFound] = useState<PortsDocument | null>(null);
  const [why, setWhy] = useState("");
  useEffect(() => {
    ephemeralPorts().then(setFound, (error: unknown) => setWhy(error instanceof Error ? error.message : String(error)));
  }, []);
  if (found === null) return why === "" ? null : <p class="card hint">Which destination cannot be told: {visible(why)}</p>;
  return (
    <TableCard title="Destinations with most ports in use" note={`ports ${found.first} to ${found.last}, as of now`} name="ports">
      <table>
        <thead><tr><th scope="col">Destination</th><th scope="col">From</th><th scope="col" class="value">In use</th><th scope="col" class="value">Of these in TIME_WAIT</th><th scope="col" class="value">Share</th></tr></thead>
        <tbody>
          {found.destinations.slice(0, MOST).map((to) => (
            <tr key={`${to.local_address} ${to.remote_address} ${to.remote_port}`}>
              <th scope="row">{visible(to.remote_address)} port {to.remote_port}</th>
              <td>{visible(to.local_address)}</td>
              <td class="value">{to.used}</td>
              <td class="value">{to.time_wait}</td>
              <td class="value">{digits(100 * to.ratio)} %</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableCard>
  );
}
