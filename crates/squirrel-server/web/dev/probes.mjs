// Synthetic targets of scheduled probes: what /api/probes says, filtered and cut as the server does it, and their series.

import { rare, wave } from "./series.mjs";

const HOSTILE = "<img src=x onerror=alert(1)>\u202e\u001b[31m";
const SPANS = { "1h": [60, 60], "1d": [1800, 48], "7d": [10_800, 56], "30d": [43_200, 60] };
const ORDER = ["down", "unreachable", "unknown", "up"];
const DAY = 86_400;
/** Days are counted whole: what runs out so much after the ninth is nine days away however slowly the page asks. */
const HOUR = 3600;

const now = () => Date.now() / 1000;

function minute(name, loss, base) {
  const at = (factor) => wave(name, now(), base) * factor;
  return { sent: 60, loss, round_trip: [[0, at(0.6)], [5, at(0.7)], [25, at(0.85)], [50, at(1)], [75, at(1.2)], [95, at(1.9)], [99, at(2.4)], [100, at(3)]], jitter: base / 20, mos: loss > 0.02 ? 3.2 : 4.36 };
}

function target(job, instance, { kind = "ping", group = "Berlin", state = "up", ago = 5400, loss = 0, base = 0.012, ...more } = {}) {
  const pings = kind === "ping" && state === "up";
  return {
    job, instance, kind, module: null, ip: null, group, parents: [], interval: kind === "ping" ? 1 : 30, state, since: now() - ago, at: now() - 1,
    seconds: state === "up" ? wave(instance, now(), base) : null, address: "192.0.2.7", why: null, minute: pings ? minute(instance, loss, base) : null, objective: null, window: null,
    certificate_expires: null, heartbeat: [], availability: null, budget: null, ...more,
  };
}

/** The targets of a mock's host: `none`, `many` (a thousand), or a few of each kind. */
function targetsOf(host) {
  if (host.probes === "none") return [];
  if (host.probes === "many") {
    return Array.from({ length: 1000 }, (_, i) => target("fleet", `host-${i}.example`, { group: `rack ${i % 12}`, state: i % 97 === 5 ? "down" : "up", why: i % 97 === 5 ? "no answer within 2 s" : null, base: 0.001 + (i % 40) / 1000 }));
  }
  const list = [
    target("edge", "gw.example", { objective: 0.999, window: 30 * DAY }),
    target("edge", "berlin-2.example", { loss: 0.025, base: 0.048 }),
    target("edge", "store.example", { state: "down", ago: 754, why: "no answer within 2 s" }),
    target("edge", "store-db.example", { state: "unreachable", ago: 750, parents: ["store.example"] }),
    target("shop", "https://shop.example/", { kind: "http", group: "web", base: 0.18, objective: 0.9995, window: 30 * DAY, certificate_expires: now() + 61 * DAY + HOUR, module: "http_2xx" }),
    target("shop", "https://pay.example/", { kind: "http", group: "web", base: 1.2, certificate_expires: now() + 9 * DAY + HOUR }),
    target("names", "192.0.2.53:53", { kind: "dns", group: "web", base: 0.006 }),
    target("mail", "mx.example:25", { kind: "tcp", group: null, base: 0.02 }),
    target("clock", "ntp.example", { kind: "ntp", group: null, state: "unknown", ago: 4 }),
    target("way", "far.example", { kind: "path", group: "Berlin", base: 0.09 }),
  ];
  if (host.hostile) list.unshift(target(HOSTILE, `"}or{x="/?#%2f${HOSTILE}`, { state: "down", why: `</p><script>document.title='owned'</script>${HOSTILE}`, group: HOSTILE, module: HOSTILE, parents: [HOSTILE], objective: 0.9, window: DAY }));
  return list;
}

const statesOf = (list) => Object.fromEntries(ORDER.map((state) => [state, list.filter((one) => one.state === state).length]));

function withRecord(one, span) {
  if (!span) return one;
  const heartbeat = Array.from({ length: span.buckets }, (_, i) => {
    if (i < 4 && one.kind === "tcp") return null;
    if (one.state === "down" && i === span.buckets - 1) return 0.2;
    if (one.state === "unknown") return null;
    return rare(`${one.instance}${span.name}`, i * 23, 1) ? 0.94 : 1;
  });
  const known = one.state !== "unknown";
  const availability = { day: known ? 0.99996 : null, week: known ? 1 : null, month: known ? 0.9983 : null };
  const budget = one.objective && { available: 0.9996, left: 0.6, burn_hour: 0.4, burn_six_hours: 1.2 };
  return { ...one, heartbeat, availability, budget };
}

function spanOf(name) {
  if (!name) return null;
  const [bucket, buckets] = SPANS[name];
  return { name, from: Math.ceil(now() / bucket) * bucket - bucket * buckets, bucket, buckets };
}

const refuse = (error, status = 400) => [status, { status: "error", errorType: "bad_data", error }];

/** What /api/probes answers. The filter here knows words only, and `field:word` of three fields. */
export function probesPage(host, parameters) {
  const all = targetsOf(host);
  let chosen = all.filter((one) => ["group", "state", "job"].every((name) => !parameters.has(name) || one[name] === parameters.get(name)));
  for (const word of (parameters.get("filter") ?? "").split(/\s+/).filter(Boolean)) {
    const [, field, value] = /^(\w+):(.*)$/.exec(word) ?? [];
    if (field && !["group", "state", "kind"].includes(field)) return refuse(`invalid parameter "filter": column 1: there is no field "${field}"`);
    chosen = chosen.filter((one) => (field ? String(one[field]) === value : one.instance.includes(word)));
  }
  const sort = parameters.get("sort") ?? "state";
  const figure = { took: (one) => one.seconds, loss: (one) => one.minute?.loss, mos: (one) => one.minute?.mos, state: (one) => ORDER.indexOf(one.state), instance: (one) => one.instance }[sort];
  const sign = parameters.get("order") === "desc" ? -1 : 1;
  chosen.sort((a, b) => {
    const [x, y] = [figure(a) ?? null, figure(b) ?? null];
    if (x === null || y === null) return (x === null) - (y === null);
    return sign * (x < y ? -1 : x > y ? 1 : 0);
  });
  const [offset, limit] = ["offset", "limit"].map((name) => Number(parameters.get(name) ?? 0));
  const history = spanOf(parameters.get("history"));
  const states = statesOf(all);
  const groups = [...new Set(all.map((one) => one.group))].map((group) => ({ group, states: statesOf(all.filter((one) => one.group === group)) }));
  const sentence = all.length === 0 ? "Nothing is probed on a schedule: [[probe]] tables of the configuration name targets." : states.down > 0 ? `${states.down} of ${all.length} targets are down: ${all.find((one) => one.state === "down").instance}.` : `All ${all.length} targets do what they should.`;
  return [200, {
    schema: "squirrel.probes/1", time: now(), level: all.length === 0 ? "unknown" : states.down > 0 ? "bad" : "ok", sentence, states, groups,
    total: all.length, matched: chosen.length, offset, limit, sort, order: sign < 0 ? "desc" : "asc", history, notes: host.probes === "notes" ? ["The history cannot be told: query timed out"] : [],
    probes: chosen.slice(offset, offset + limit).map((one) => withRecord(one, history)),
  }];
}

const hop = (ttl, address, p50, { loss = 0, verdict = "good", note = "", ...more } = {}) => ({
  ttl,
  addresses: [{
    address, as_number: null, as_name: null, sent: 600, received: Math.round(600 * (1 - loss)), loss_ratio: loss, rtt_us: p50 === null ? null : { min: p50 * 0.8, p50, p95: p50 * 1.6, p99: p50 * 2, max: p50 * 2.4, mean: p50, stddev: 1 },
    verdict, note, current: true, mpls: [], ...more,
  }],
});

function pathOf(one) {
  const hostile = one.instance.includes("<img");
  const hops = [
    hop(1, "192.0.2.1", 400),
    hop(2, hostile ? HOSTILE : "198.51.100.1", 2100, { loss: 0.62, verdict: "limits_answers", note: hostile ? HOSTILE : "It limits its answers: the loss does not continue behind it.", as_number: 64496, as_name: hostile ? HOSTILE : "Example Carrier" }),
    hop(3, null, null, { loss: 1, verdict: "silent", note: "Nobody answers here; packets go on." }),
    hop(4, "203.0.113.9", 31_000, { loss: 0.02, verdict: "loss_begins", note: "Loss begins here and goes on behind it.", mpls: [{ label: 24_001 }] }),
    hop(5, "203.0.113.77", 90_000, { loss: 0.021, verdict: "loss_goes_on", note: "" }),
  ];
  const document = { schema: "squirrel.path/1", time: now() - 20, target: one.instance, address: "203.0.113.77", protocol: "icmp", reached: true, outcome: "loss", verdict: hostile ? HOSTILE : "2.1 % of the packets to far.example are lost, from hop 4 on.", at_ttl: 4, hops, changes: [], changed: 0 };
  const change = (ago, from, to) => ({ at: now() - ago, from: ["192.0.2.1", from, null, "203.0.113.9", "203.0.113.77"], to: ["192.0.2.1", to, null, "203.0.113.9", "203.0.113.77"] });
  return { document, changes: [change(300, "198.51.100.2", "198.51.100.1"), change(9000, "198.51.100.1", "198.51.100.2")], forgotten: 3 };
}

/** What /api/probes/one answers. */
export function probeOne(host, parameters) {
  const [job, instance] = [parameters.get("job"), parameters.get("instance")];
  const one = targetsOf(host).find((candidate) => candidate.job === job && candidate.instance === instance);
  if (!one) return refuse(`no target ${JSON.stringify(instance)} of ${JSON.stringify(job)} is probed; /api/probes lists all`, 404);
  const history = spanOf(parameters.get("history"));
  const level = one.state === "up" ? "ok" : one.state === "unknown" ? "unknown" : "bad";
  const sentence = one.state === "up" ? `${instance} does what it should in 12.1 ms.` : `${instance} is ${one.state}${one.why ? `: ${one.why}` : "."}`;
  const hostile = instance.includes("<img");
  return [200, { schema: "squirrel.probes/1", time: now(), level, sentence, history, notes: [], probe: withRecord(one, history), last_words: one.state === "down" ? ["asked 192.0.2.7", one.why] : [], path: one.kind === "path" || hostile ? pathOf(one) : null }];
}

/** What a probe by hand brings. */
export function runProbe(host, { job, instance }) {
  const one = targetsOf(host).find((candidate) => candidate.job === job && candidate.instance === instance);
  if (!one) return refuse("no such target", 404);
  const success = one.state === "up";
  return [200, { success, seconds: 0.0123, log: ["asked 192.0.2.7 as 192.0.2.20", success ? "an answer after 12.3 ms" : (one.why ?? "no answer")], samples: [["probe_success", success ? 1 : 0], ['probe_icmp_duration_seconds{phase="rtt"}', 0.0123]], path: one.kind === "path" ? pathOf(one).document : null }];
}

const unquote = (text) => text?.replace(/\\(.)/g, (_, c) => (c === "n" ? "\n" : c));

/** The series of a question about one target; null for another question. */
export function probeSeries(expr, time, host) {
  if (!/(probe_|squirrel_path_)/.test(expr)) return null;
  const [job, instance] = ["job", "instance"].map((label) => unquote(new RegExp(`[{,]${label}="((?:\\\\.|[^"\\\\])*)"`).exec(expr)?.[1]));
  const one = targetsOf(host).find((candidate) => candidate.job === job && candidate.instance === instance);
  if (!one || one.state === "unknown") return [];
  const own = { job, instance };
  const each = 60 * Math.floor(time / 60);
  // Some is lost in one minute of each two hours, and else now and then: chance alone leaves whole nights without any.
  const loses = each % 7200 === 1200 || rare(instance, each / 40, 1) > 0;
  const lost = loses ? 0.05 + 0.3 * ((each / 60) % 3) / 3 : 0;
  const trip = wave(instance, each, 0.012);
  const factors = { 0: 0.6, 5: 0.72, 25: 0.88, 50: 1, 75: 1.25, 95: 2, 100: 3.1 };
  if (expr.includes("hop_round_trip")) return [1, 2, 4, 5].map((hop) => [{ ...own, hop: String(hop), percentile: "50" }, wave(`hop${hop}`, each, 0.0004 * 6 ** hop / 6)]);
  if (expr.includes("hop_loss")) return [1, 2, 3, 4, 5].map((hop) => [{ ...own, hop: String(hop) }, hop === 3 ? 1 : hop === 2 ? 0.6 : hop > 3 ? lost : 0]);
  if (expr.includes("round_trip")) return Object.entries(factors).filter(([p]) => expr.includes("=~") ? !["0", "100"].includes(p) : expr.includes(`"${p}"`)).map(([percentile, factor]) => [{ ...own, percentile }, trip * factor]);
  if (expr.includes("loss_ratio")) return [[own, lost]];
  if (expr.includes("jitter")) return [[own, trip / 15]];
  if (expr.includes("mos_score")) return [[own, lost > 0.1 ? 3.1 : 4.36]];
  if (expr.includes("http_duration")) return [["resolve", 0.004], ["connect", 0.012], ["tls", 0.03], ["processing", 0.11], ["transfer", 0.02]].filter(([phase]) => expr.includes(`"${phase}"`)).map(([phase, base]) => [{ ...own, phase }, wave(phase, each, base)]);
  if (expr.includes("dns_duration")) return [["resolve", 0.0002], ["connect", 0.0001], ["request", 0.006]].filter(([phase]) => expr.includes(`"${phase}"`)).map(([phase, base]) => [{ ...own, phase }, wave(phase, each, base)]);
  if (/duration.* - .*lookup/.test(expr)) return [[own, wave("talk", each, 0.02)]];
  if (expr.includes("lookup")) return [[own, wave("lookup", each, 0.003)]];
  if (expr.includes("probe_success")) return [[own, lost > 0 ? 0.95 : 1]];
  return [[own, trip]];
}
