// What the mock answers: each expression that it knows, as a function of time. Expressions are the
// ones of charts.json and of the page itself; another one is an error, so a typing mistake shows.

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

/** The series of an expression at one time. Throws for an expression that nothing declared. */
export function evaluate(expr, time, host) {
  const series = known.get(shape(expr));
  if (!series) throw new Error(`the mock does not know this expression: ${shape(expr)}`);
  const device = deviceOf(expr);
  return series(time, host)
    .filter(([labels]) => device === undefined || labels.device === device)
    .map(([labels, value]) => [{ ...labels, instance: "web-1.example:7775", job: "squirrel" }, value]);
}

const perDevice = (value) => (time, host) => devices(host.hostile, host.many).map((one) => [{ device: one.device }, value(one, time)]).filter(([, v]) => v !== null);
const single = (value) => (time) => [[{}, value(time)]];
const trouble = (kind) => (one, time) => (one.device === "eth1" && kind === "receive_drop" ? rare("eth1drop", time, 40) : 0);

define("node_network_info", (time, host) =>
  devices(host.hostile, host.many).map((one) => [
    { __name__: "node_network_info", device: one.device, operstate: one.operstate, adminstate: one.adminstate, address: one.address, duplex: one.duplex ?? "", ifalias: one.ifalias ?? "", broadcast: "" },
    1,
  ]),
);
define("squirrel_network_kind_info", () => []);
define("node_network_speed_bytes * 8", perDevice((one) => one.speed ?? null));
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
  define(`rate(node_network_${direction}_bytes_total{device="$device"}[$window]) * 8`, bits);
  define(`rate(node_network_${direction}_packets_total{device="$device"}[$window])`, perDevice((one, time) => wave(one.device + direction, time, one[key]) / 7200));
  define(`sum(rate(node_network_${direction}_errs_total[$window])) + sum(rate(node_network_transmit_errs_total[$window]))`, single(() => 0));
  define(`sum(rate(node_network_${direction}_drop_total[$window])) + sum(rate(node_network_transmit_drop_total[$window]))`, single((t) => rare("eth1drop", t, 40)));
  for (const kind of ["errs", "drop"]) {
    define(`rate(node_network_${direction}_${kind}_total{device="$device"}[$window])`, perDevice(trouble(`${direction}_${kind}`)));
    define(`rate(node_network_${direction}_${kind}_total[$window]) > 0`, (time) => (kind === "drop" && direction === "receive" ? [[{ device: "eth1" }, rare("eth1drop", time, 40)]] : []));
  }
}
define("increase(node_network_receive_errs_total[5m]) + increase(node_network_transmit_errs_total[5m])", perDevice(() => 0));
define("increase(node_network_receive_drop_total[5m]) + increase(node_network_transmit_drop_total[5m])", perDevice((one) => (one.device === "eth1" ? 217.4 : 0)));
define("rate(node_netstat_Tcp_RetransSegs[$window]) / (rate(node_netstat_Tcp_OutSegs[$window]) > 0)", single((t) => wave("retrans", t, 0.0011)));
define("rate(node_netstat_Tcp_RetransSegs[$window])", single((t) => wave("retrans", t, 3)));
define('squirrel_tcp_round_trip_time_seconds{quantile="0.5"}', single((t) => wave("rtt50", t, 0.0021)));
define('squirrel_tcp_round_trip_time_seconds{quantile="0.99"}', single((t) => wave("rtt99", t, 0.041)));
define("node_netstat_Tcp_CurrEstab", single((t) => Math.round(wave("estab", t, 240))));
define("node_sockstat_TCP_tw", single((t) => Math.round(wave("tw", t, 95))));
define("node_sockstat_TCP_mem_bytes", single((t) => wave("tcpmem", t, 3e7)));
define("node_nf_conntrack_entries / node_nf_conntrack_entries_limit", () => []);
define("node_tcp_connection_states", (time) =>
  [["established", 240], ["time_wait", 95], ["listen", 22], ["close_wait", 4], ["fin_wait2", 7]].map(([state, base]) => [{ state }, Math.round(wave(`tcp${state}`, time, base))]),
);
define("sum(rate(node_softnet_dropped_total[$window]))", single(() => 0));
define("sum(rate(node_softnet_times_squeezed_total[$window]))", single((t) => rare("squeeze", t, 12)));
