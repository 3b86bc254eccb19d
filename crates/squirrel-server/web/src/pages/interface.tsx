// One interface in depth: what it is, how it does now, where its bytes went, and its charts.

import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { ChartGrid } from "../chart/grid";
import { visible } from "../lib/text";
import { digits, show, speedText } from "../lib/units";
import { throughput } from "../state/preferences";
import { interfaces, type Interface } from "../state/interfaces";
import { interfacePath } from "../state/route";
import { shown } from "../state/stream";
import { Icon } from "../ui/icons";
import { Link } from "../ui/link";
import { StateBadge } from "../ui/state-badge";
import { Utilisation } from "../ui/utilisation";
import { InterfaceBooks } from "./interface-books";

export function InterfacePage({ device }: { device: string }) {
  const subject = useMemo(() => ({ device }), [device]);
  const one = interfaces.value.find((candidate) => candidate.device === device);
  return (
    <>
      <header class="page-head">
        <Link to="/interfaces" class="back" label="All interfaces"><Icon name="back" /></Link>
        <h1><bdi>{visible(device)}</bdi></h1>
        {one && <StateBadge of={one} />}
        {one?.alias && <p class="alias"><bdi>{visible(one.alias)}</bdi></p>}
      </header>
      {one ? <Facts one={one} /> : shown.value && (
        <p class="card empty">
          There is no interface of this name now. Its history, if there is one, stands below.
        </p>
      )}
      <InterfaceBooks device={device} />
      <ChartGrid page="interfaces" subject={subject} />
    </>
  );
}

function Facts({ one }: { one: Interface }) {
  return (
    <dl class="card facts">
      <Fact name="Receive"><Rate value={one.receive} /></Fact>
      <Fact name="Transmit"><Rate value={one.transmit} /></Fact>
      <Fact name="Used"><Utilisation share={one.utilisation} /></Fact>
      <Fact name="Speed">{one.speed === null ? "not told" : speedText(one.speed)}{one.duplex && one.duplex !== "unknown" ? `, ${visible(one.duplex)} duplex` : ""}</Fact>
      <Fact name="MTU">{one.mtu === null ? "–" : `${digits(one.mtu, true)} B`}</Fact>
      <Fact name="Errors in 5 min">{one.errors === null ? "–" : digits(Math.round(one.errors), true)}</Fact>
      <Fact name="Drops in 5 min">{one.drops === null ? "–" : digits(Math.round(one.drops), true)}</Fact>
      <Fact name="Kind">{one.physical ? "physical" : "virtual"}{one.kind && one.kind !== "physical" && one.kind !== "virtual" && `, ${visible(one.kind)}`}</Fact>
      {one.master && <Fact name="Port of"><Link to={interfacePath(one.master)}><bdi>{visible(one.master)}</bdi></Link></Fact>}
      {one.hardwareAddress && <Fact name="Hardware address"><code>{visible(one.hardwareAddress)}</code></Fact>}
      {one.addresses.length > 0 && (
        <Fact name="Addresses" wide>
          <span class="address-list">{one.addresses.map((address) => <code key={address}>{visible(address)}</code>)}</span>
        </Fact>
      )}
    </dl>
  );
}

const Rate = ({ value }: { value: number | null }) => <b class="number">{show(value, "bits_per_second", throughput.value)}</b>;

function Fact({ name, wide, children }: { name: string; wide?: boolean; children: ComponentChildren }) {
  return (
    <div class={wide ? "wide" : undefined}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
