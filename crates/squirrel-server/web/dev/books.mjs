// The mock's accounting: what each interface carried since it began, and how that is made up. Bytes grow with time at the
// pace of the interface, and the parts add up to them.
//
// `host.books` chooses: by default what sockets tell ("sampled"), "exact" as with level "packets", "late" as with packets
// that were counted later, "refused" as where they cannot be, "own" without privileges, "off", or "absent" without rows.

import { devices } from "./series.mjs";

/** The accounting began so many seconds before the mock did. */
const BEGAN = Math.floor(Date.now() / 1000) - 7_500;

const MEANINGS = {
  payload: "Payload of sockets: the tables of processes and connections tell whose.",
  headers: "Headers of the packets of these sockets, and payload that was sent again.",
  routed: "Packets that this host passed on from one interface to another.",
  icmp: "ICMP and ICMPv6: echoes, errors, neighbour discovery.",
  multicast: "Multicast and broadcast that arrived, for the kernel itself or for nobody here.",
  kernel_packets: "Packets of the kernel itself: ICMP, ARP, neighbour discovery, the outside of tunnels.",
  unknown: "No counter of the kernel tells what this was: other protocols than IP (ARP among them), raw packets, a part of a stream that came twice. Level `packets` counts each frame.",
};

/** Shares of each reason of the bytes in and out; payload has what is left. */
const SAMPLED = [
  ["headers", "headers", 0.043, 0.061],
  ["forwarded", "routed", 0.11, 0.078],
  ["kernel", "icmp", 0.0021, 0.0009],
  ["kernel", "multicast", 0.0064, 0],
  ["unexplained", "unknown", 0.0037, 0.00002],
];
const EXACT = [
  ["headers", "headers", 0.043, 0.061],
  ["forwarded", "routed", 0.11, 0.078],
  ["kernel", "kernel_packets", 0.0085, 0.0009],
];
const PARTS = ["attributed", "headers", "forwarded", "kernel", "unexplained"];

function row(one, seconds, exact) {
  const total = { receive: Math.floor((one.rate / 8) * seconds), transmit: Math.floor((one.out / 8) * seconds) };
  const entries = (exact ? EXACT : SAMPLED).map(([part, reason, receive, transmit]) => ({
    part, reason, meaning: MEANINGS[reason],
    receive_bytes: Math.ceil(total.receive * receive), transmit_bytes: Math.ceil(total.transmit * transmit),
  }));
  const rest = (way) => entries.reduce((left, entry) => left - entry[`${way}_bytes`], total[way]);
  entries.unshift({ part: "attributed", reason: "payload", meaning: MEANINGS.payload, receive_bytes: rest("receive"), transmit_bytes: rest("transmit") });
  const sums = PARTS.flatMap((part) =>
    ["receive", "transmit"].map((way) => [`${part}_${way}_bytes`, entries.reduce((sum, entry) => sum + (entry.part === part ? entry[`${way}_bytes`] : 0), 0)]),
  );
  return {
    name: one.device, index: 1, namespace: 4_026_531_840, namespace_name: null,
    receive_bytes: total.receive, transmit_bytes: total.transmit, receive_rate: one.rate / 8, transmit_rate: one.out / 8,
    ...Object.fromEntries(sums),
    entries: entries.filter((entry) => entry.receive_bytes + entry.transmit_bytes > 0),
    counted_elsewhere: one.device === "lo" ? "loopback: it never leaves this host" : one.kind === "bridge" ? "made of other interfaces, which are counted" : null,
    source: exact ? "exact" : "sampled",
  };
}

function level(kind) {
  const sockets = "The kernel counts the bytes of each socket by process, TCP and UDP, from the first to the last.";
  if (kind === "exact" || kind === "late") return { name: "packets", meaning: `${sockets} It counts each packet of the interfaces too.`, next: null, missing: [] };
  if (kind === "own") {
    return {
      name: "own", meaning: "Only the sockets of one's own processes have an owner.",
      next: "To see the owners of all sockets run as root, or with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH.", missing: [],
    };
  }
  const refused = kind === "refused" ? [{ part: "packets", reason: "this kernel has no tcx, which came with Linux 6.6" }] : [];
  return { name: "sockets", meaning: sockets, next: "Counting each packet in the kernel (level `packets`) makes the interfaces' books exact.", missing: refused };
}

/** Status and body of `/api/live/books`. */
export function books(host, parameters) {
  if (host.books === "off") {
    const error = "there is no accounting yet: the first reading is under way, or accounting is \"off\" in the configuration";
    return [503, { status: "error", errorType: "unavailable", error }];
  }
  const time = Math.floor(Date.now() / 1000);
  const asked = parameters.get("interface");
  const all = host.books === "absent" ? [] : devices(host.hostile, host.many);
  // A container may have an interface of the same name: its bytes are not the host's.
  const container = { ...row({ device: "eth0", rate: 8e3, out: 8e3 }, time - BEGAN, false), namespace: 4_026_532_001, namespace_name: "shop" };
  const rows = [container, ...all.map((one) => row(one, time - BEGAN, host.books === "exact"))];
  return [200, {
    schema: "squirrel.live/1", time, since: BEGAN, level: level(host.books),
    interfaces: rows.filter((one) => asked === null || one.name === asked),
    unattributed: [], totals: {}, lost_events: host.books === "refused" ? 12 : 0, pruned: 0, sampling: host.books === "refused" ? 4 : 1,
  }];
}

/** The accounting among the collectors, where the configuration switched it off. */
export const accountingCollector = (host) =>
  host.books === "off" ? [{ name: "accounting", state: "disabled", sentence: "Switched off by level under [accounting] in the configuration.", rows: 0, duration_seconds: 0, faults: [] }] : [];
