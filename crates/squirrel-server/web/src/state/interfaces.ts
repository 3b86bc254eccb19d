// The host's interfaces, put together from the stream's answers.

import { computed } from "@preact/signals";
import { byName } from "../lib/text";
import { numberOf } from "./api";
import { seriesOf, shown } from "./stream";

export interface Interface {
  device: string;
  alias: string;
  /** Up and able to carry traffic, as the kernel says it (RFC 2863): up, down, dormant, lowerlayerdown … */
  state: string;
  /** Whether the administrator wants it up. */
  wanted: boolean;
  hardwareAddress: string;
  duplex: string;
  /** Bits a second; null where the device does not say. */
  speed: number | null;
  mtu: number | null;
  addresses: string[];
  physical: boolean;
  /** What sort of virtual device: bridge, veth, vlan … Empty where it is not told. */
  kind: string;
  /** The bridge or bond that it is a port of; empty for none. */
  master: string;
  /** Bits a second. */
  receive: number | null;
  transmit: number | null;
  /** The busier direction's share of what the link can carry; null where that is not known. */
  utilisation: number | null;
  /** Of the last five minutes, both directions. */
  errors: number | null;
  drops: number | null;
}

export const RECEIVE = "rate(node_network_receive_bytes_total[$window]) * 8";
export const TRANSMIT = "rate(node_network_transmit_bytes_total[$window]) * 8";
const LIVE_RECEIVE = RECEIVE.replace("$window", "5s");
const LIVE_TRANSMIT = TRANSMIT.replace("$window", "5s");
const INFO = "node_network_info";
const KIND = "squirrel_network_interface_info";
const SPEED = "node_network_speed_bytes * 8";
/** Unlike the speed, never a number that a virtual device's driver made up. */
const CAPACITY = "squirrel_network_capacity_bytes_per_second * 8";
const MTU = "node_network_mtu_bytes";
const ADDRESSES = "node_network_address_info";
const ERRORS = "increase(node_network_receive_errs_total[5m]) + increase(node_network_transmit_errs_total[5m])";
const DROPS = "increase(node_network_receive_drop_total[5m]) + increase(node_network_transmit_drop_total[5m])";

/** What a page that shows interfaces asks the stream for. */
export const INTERFACE_QUERIES = [
  INFO, KIND, SPEED, CAPACITY, MTU, ADDRESSES, ERRORS, DROPS, LIVE_RECEIVE, LIVE_TRANSMIT,
] as const;

/** Names that the kernel's and the common tools' virtual devices have, for hosts that do not say the kind. */
const VIRTUAL_NAME = /^(lo|veth|docker|br|virbr|vnet|tap|tun|wg|tailscale|zt|dummy|ifb|bond|team|vlan|macvlan|cni|flannel|cali|cilium|lxc|lxd|podman|kube|sit|gre|ip6tnl|tunl|vxlan|nlmon|vti|erspan)/;

export const interfaces = computed((): Interface[] => {
  const now = shown.value;
  const all = new Map<string, Interface>();
  const entry = (device: string | undefined): Interface | null => {
    if (device === undefined) return null;
    let known = all.get(device);
    if (!known) {
      known = empty(device);
      all.set(device, known);
    }
    return known;
  };
  for (const { metric } of seriesOf(now, INFO)) {
    const found = entry(metric["device"]);
    if (!found) continue;
    found.alias = metric["ifalias"] ?? "";
    found.state = metric["operstate"] ?? "unknown";
    found.wanted = metric["adminstate"] !== "down";
    found.hardwareAddress = metric["address"] ?? "";
    found.duplex = metric["duplex"] ?? "";
  }
  const put = (query: string, set: (to: Interface, value: number) => void) => {
    for (const { metric, value } of seriesOf(now, query)) {
      const found = entry(metric["device"]);
      const number = numberOf(value[1]);
      if (found && Number.isFinite(number)) set(found, number);
    }
  };
  put(SPEED, (to, value) => (to.speed = value > 0 ? value : null));
  put(MTU, (to, value) => (to.mtu = value));
  put(ERRORS, (to, value) => (to.errors = value));
  put(DROPS, (to, value) => (to.drops = value));
  put(LIVE_RECEIVE, (to, value) => (to.receive = value));
  put(LIVE_TRANSMIT, (to, value) => (to.transmit = value));
  put(CAPACITY, (to, value) => {
    if (value > 0) to.utilisation = Math.max(to.receive ?? 0, to.transmit ?? 0) / value;
  });
  for (const { metric } of seriesOf(now, KIND)) {
    const found = entry(metric["device"]);
    if (!found) continue;
    if (metric["virtual"] !== undefined) found.physical = !/^(1|true|yes)$/.test(metric["virtual"]);
    found.kind = metric["kind"] ?? "";
    found.master = metric["master"] ?? "";
  }
  for (const { metric } of seriesOf(now, ADDRESSES)) {
    const prefix = metric["netmask"] ?? "";
    entry(metric["device"])?.addresses.push(`${metric["address"] ?? ""}${prefix === "" ? "" : `/${prefix}`}`);
  }
  for (const found of all.values()) {
    found.addresses.sort((a, b) => Number(a.includes(":")) - Number(b.includes(":")) || byName(a, b));
  }
  return [...all.values()].sort((a, b) => byName(a.device, b.device));
});

/** The name in an `instance` label, which every stored series carries. */
export const hostName = computed((): string => {
  const instance = seriesOf(shown.value, INFO)[0]?.metric["instance"] ?? "";
  return instance.replace(/:\d+$/, "") || location.hostname;
});

function empty(device: string): Interface {
  return {
    device,
    alias: "",
    state: "unknown",
    wanted: true,
    hardwareAddress: "",
    duplex: "",
    speed: null,
    mtu: null,
    addresses: [],
    physical: !VIRTUAL_NAME.test(device),
    kind: "",
    master: "",
    receive: null,
    transmit: null,
    utilisation: null,
    errors: null,
    drops: null,
  };
}
