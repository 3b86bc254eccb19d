// What the mock answers: each expression that it knows, as a function of time, and a guess for others.
// charts.json is what a real server answered for /api/charts; it may be older than the server.

import { alertSeries } from "./alerts.mjs";
import { applicationSeries } from "./applications.mjs";
import { probeSeries } from "./probes.mjs";
import { devices, rare, wave } from "./series.mjs";

const known = new Map();

/** Ranges and the device differ from request to request; the rest of an expression does not. */
function shape(expr) {
  return expr
    .replace(/device="(?:\\.|[^"\\])*"/g, 'device="$device"')
    .replace(/\[[^\]]*\]/g, "[]")
    .replace(/\s+/g, " ")
    .trim();
}

const deviceOf = (expr) => {
  const quoted = /device="((?:\\.|[^"\\])*)"/.exec(expr)?.[1];
  return quoted?.replace(/\\(.)/g, (_, c) => (c === "n" ? "\n" : c));
};

/** Declares an expression: `series(time, host)` gives `[labels, value]` pairs. */
export const define = (expr, series) => known.set(shape(expr), series);

/** The series of an expression at one time. Throws for what cannot be an expression. */
export function evaluate(expr, time, host) {
  const told = alertSeries(expr, time) ?? applicationSeries(expr, time, host) ?? probeSeries(expr, time, host);
  if (told) return told;
  const series = known.get(shape(expr)) ?? guess(shape(expr));
  if (!series) throw new Error(`the mock takes this for no expression: ${shape(expr)}`);
  const device = deviceOf(expr);
  return series(time, host)
    .filter(([labels]) => device === undefined || labels.device === device)
    .map(([labels, value]) => [{ ...labels, instance: "web-1.example:7775", job: "squirrel" }, value]);
}

const perDevice = (value) => (time, host) => devices(host.hostile, host.many).map((one) => [{ device: one.device }, value(one, time)]).filter(([, v]) => v !== null);
const single = (value) => (time) => [[{}, value(time)]];

define("node_network_info", (time, host) =>
  devices(host.hostile, host.many).map((one) => [
    { __name__: "node_network_info", device: one.device, operstate: one.operstate, adminstate: one.adminstate, address: one.address, duplex: one.duplex ?? "", ifalias: one.ifalias ?? "", broadcast: "" },
    1,
  ]),
);
define("squirrel_network_interface_info", (time, host) =>
  devices(host.hostile, host.many).map((one) => [{ device: one.device, kind: one.kind ?? "", master: one.master ?? "", virtual: one.kind || one.device === "lo" ? "true" : "false" }, 1]),
);
define("node_network_speed_bytes * 8", perDevice((one) => one.speed ?? null));
define("squirrel_network_capacity_bytes_per_second * 8", perDevice((one) => (one.kind ? null : (one.speed ?? null))));
define("node_network_mtu_bytes", perDevice((one) => one.mtu));
define("node_network_address_info", (time, host) =>
  devices(host.hostile, host.many).flatMap((one) =>
    one.addresses.map((text) => {
      const [address, netmask, scope] = text.split("/");
      return [{ device: one.device, address, netmask, scope }, 1];
    }),
  ),
);
for (const [direction, key] of [["receive", "rate"], ["transmit", "out"]]) {
  const bits = perDevice((one, time) => wave(one.device + direction, time, one[key]));
  define(`rate(node_network_${direction}_bytes_total[$window]) * 8`, bits);
  define(`8 * rate(node_network_${direction}_bytes_total{device="$device"}[$window])`, bits);
  define(`rate(node_network_${direction}_bytes_total{device="$device"}[$window]) / squirrel_network_capacity_bytes_per_second{device="$device"}`, perDevice((one, time) => (one.speed ? wave(one.device + direction, time, one[key]) / one.speed : null)));
  define(`rate(node_network_${direction}_packets_total{device="$device"}[$window])`, perDevice((one, time) => wave(one.device + direction, time, one[key]) / 7200));
  define(`sum by (device) (rate(node_network_${direction}_errs_total[$window])) > 0`, () => []);
  define(`sum by (device) (rate(node_network_${direction}_drop_total[$window])) > 0`, (time) => (direction === "receive" && rare("eth1drop", time, 40) ? [[{ device: "eth1" }, rare("eth1drop", time, 40)]] : []));
}
define("rate(node_network_receive_drop_total{device=\"$device\"}[$window])", perDevice((one, time) => (one.device === "eth1" ? rare("eth1drop", time, 40) : 0)));
define("increase(node_network_receive_errs_total[5m]) + increase(node_network_transmit_errs_total[5m])", perDevice(() => 0));
define("increase(node_network_receive_drop_total[5m]) + increase(node_network_transmit_drop_total[5m])", perDevice((one) => (one.device === "eth1" ? 217.4 : 0)));
define("sum(rate(node_network_receive_drop_total[$window])) + sum(rate(node_network_transmit_drop_total[$window]))", single((t) => rare("eth1drop", t, 40)));
define("rate(node_netstat_Tcp_RetransSegs[$window]) / (rate(node_netstat_Tcp_OutSegs[$window]) > 0)", single((t) => wave("retrans", t, 0.0011)));
for (const [percentile, seconds] of [["50", 0.0021], ["90", 0.012], ["99", 0.041]]) {
  define(`squirrel_tcp_round_trip_time_seconds{percentile="${percentile}"}`, single((t) => wave(`rtt${percentile}`, t, seconds)));
}
define("node_netstat_Tcp_CurrEstab", single((t) => Math.round(wave("estab", t, 240))));
define("node_sockstat_TCP_tw", single((t) => Math.round(wave("tw", t, 95))));
define("node_nf_conntrack_entries / (node_nf_conntrack_entries_limit > 0)", () => []);
define('sum by (state) (node_tcp_connection_states{state!~".*_queued_bytes"}) > 0', (time) =>
  [["established", 240], ["time_wait", 95], ["listen", 22], ["close_wait", 4], ["fin_wait2", 7]].map(([state, base]) => [{ state }, Math.round(wave(`tcp${state}`, time, base))]),
);
define('node_qdisc_backlog{device="$device"}', perDevice((one, time) => rare(`${one.device}backlog`, time, 90_000)));
define('node_network_carrier{device="$device"}', perDevice((one) => (one.operstate === "down" ? 0 : 1)));

/** Any other expression: throughput by what the host's interfaces carry, else quiet counters. */
function guess(expr) {
  if (/^8 \* \(sum/.test(expr)) {
    const [direction, key] = /receive/.test(expr) ? ["receive", "rate"] : ["transmit", "out"];
    return single((t) => devices(false).filter((one) => /^eth/.test(one.device)).reduce((sum, one) => sum + wave(one.device + direction, t, one[key]), 0));
  }
  if (expr.includes('device="$device"')) return perDevice(() => 0);
  if (/squeezed/.test(expr)) return single((t) => rare("squeeze", t, 12));
  return /^[\w\s()[\]{}"=~!.,<>+*/|:$-]+$/.test(expr) ? single(() => 0) : null;
}
