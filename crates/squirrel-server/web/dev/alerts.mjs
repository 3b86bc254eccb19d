// Synthetic alerts: what /api/alerts says, and what becomes of changes. Each mock has its own desk.

import { wave } from "./series.mjs";

/** The mock's token; a daemon has one in its data directory. */
export const TOKEN = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const HOSTILE = "<img src=x onerror=alert(1)>\u202e\u001b[31m";
const BUSY = 'max by (instance, device) (rate(node_network_transmit_bytes_total[5m]) / squirrel_network_capacity_bytes_per_second)';

const CHECKS = {
  check_1: "Who transmits: backups and copies can be limited or moved.",
  check_2: "The negotiated speed: below what the link can do, it is the cable or the other end.",
  check_3: "The queue of the interface (tc -s qdisc): its length is delay for everybody.",
};

let numbers = 0;

function alert(alertname, { severity = "warning", device = "eth0", state = "firing", rank = 2, labels = {}, annotations = {}, ago = 754, ...more } = {}) {
  const starts = Date.now() / 1000 - ago;
  return {
    fingerprint: (++numbers).toString(16).padStart(16, "a"), state, severity_rank: rank,
    labels: { alertname, device, instance: "web-1.example:7775", job: "squirrel", severity, ...labels },
    annotations: { summary: `${device} of web-1.example transmits at 96.2% of its speed`, description: "The link is nearly full: what this host sends waits in its queue.", threshold: "90%", ...CHECKS, ...annotations },
    value: 0.962, threshold: 0.9, query: `(${BUSY}) > 0.9`, value_query: BUSY, source: "built-in;squirrel", starts_at: starts, ends_at: null, generator_url: "",
    held: [], silenced_by: [], inhibited_by: [], muted_by: [], acknowledgement: null, flapping_percent: 0, told: state === "firing" ? ["ops"] : [], receivers: ["ops", "chat"], escalates_at: null,
    ...more,
  };
}

/** What one mock knows of alerts. `host.alerts`: `none`, `storm`, or nothing for a few of each kind. */
export function makeDesk(host) {
  numbers = 0;
  const now = Date.now() / 1000;
  const down = alert("TargetDown", { severity: "critical", rank: 4, device: "eth1", value: 0, threshold: 1, query: "up < 1", value_query: "up", annotations: { summary: "Nothing is known of db-1.example", threshold: "1" } });
  const busy = alert("LinkTransmitBusy", { told: ["ops", "chat"] });
  const silenced = alert("LinkFlaps", { device: "eth2", silenced_by: ["5e9d1f0a-1"], held: ["silence 5e9d1f0a-1"], told: [] });
  const behind = alert("Loss", { device: "wg0", inhibited_by: [down.fingerprint], held: [`behind alert ${down.fingerprint}`], told: [] });
  const taken = alert("CertificateExpires", { severity: "info", rank: 1, acknowledgement: { who: "Ann", comment: "the new one is ordered", at: now - 300, until: null } });
  const pending = alert("ConntrackNearlyFull", { state: "pending", ago: 42 });
  const over = alert("UdpReceiveDrops", { state: "inactive", ago: 3600, ends_at: now - 900 });
  const some = [down, busy, taken, silenced, behind, pending, over];
  const alerts = host.alerts === "none" ? [] : host.alerts === "storm" ? Array.from({ length: 1000 }, (_, i) => alert("LinkDown", { device: `veth${i}` })) : some;
  if (host.hostile) {
    const told = { labels: { [`__proto__`]: "x", evil: HOSTILE, script: "<script>document.title='owned'</script>" }, annotations: { summary: `</p><script>document.title='owned'</script>${HOSTILE}`, description: HOSTILE, check_1: HOSTILE } };
    alerts.unshift(alert(HOSTILE, { severity: HOSTILE, rank: 4, source: HOSTILE, muted_by: [HOSTILE], ...told }));
  }
  const group = { key: '{}:{alertname="LinkTransmitBusy"}', labels: { alertname: "LinkTransmitBusy" }, members: [busy.fingerprint], channels: ["ops"] };
  const delivery = (state, more) => ({ channel: "ops", group: group.key, reason: "new", state, attempts: 1, accepted_at: now - 700, at: now - 699, answer: null, instead_of: null, ...more });
  const desk = {
    schema: 1, alerts, alerts_left_out: 0, groups: [group], problems: [], quiet_until: null,
    silences: host.alerts === "none" ? [] : [
      { id: "5e9d1f0a-1", state: "active", matchers: ['alertname="LinkFlaps"', 'device=~"eth.*"'], starts_at: now - 60, ends_at: now + 7140, updated_at: now - 60, author: host.hostile ? HOSTILE : "Bob", comment: host.hostile ? HOSTILE : "the switch is replaced", takes: 1 },
      { id: "5e9d1f0a-0", state: "expired", matchers: ['device="eth1"'], starts_at: now - 9000, ends_at: now - 1800, updated_at: now - 9000, author: "Bob", comment: "", takes: 0 },
    ],
    history: host.alerts === "none" ? [] : [
      { at: now - 699, event: "told", fingerprint: null, subject: group.key, detail: "ops: new (alerts: 1)" },
      { at: now - 754, event: "fired", fingerprint: busy.fingerprint, subject: '{alertname="LinkTransmitBusy",device="eth0"}', detail: host.hostile ? HOSTILE : "" },
    ],
    deliveries: host.alerts === "none" ? [] : [delivery("delivered", { answer: "250 2.0.0 Ok: queued" }), delivery("given_up", { channel: "chat", attempts: 7, answer: host.hostile ? HOSTILE : "503 Service Unavailable" })],
    channels: host.channels === "none" ? [] : [{ name: "ops", kind: "email", waiting: 0, failing: false }, { name: "chat", kind: "slack", waiting: 2, failing: host.alerts !== "none" }],
  };
  if (host.alerts !== "none") desk.problems.push("/etc/squirrel/rules/net.yml:14:22: expr is no PromQL: unexpected end of input, expected an expression\nnone of its rules is in force");
  if (host.hostile) desk.problems.push(`/etc/${HOSTILE}.yml:1:1: ${HOSTILE}`);
  return desk;
}

/** What /api/live/ports answers. */
export const PORTS = {
  schema: "squirrel.live/1", first: 32768, last: 60999,
  destinations: [{ local_address: "10.0.0.1", remote_address: "10.0.0.2", remote_port: 443, used: 27948, time_wait: 27001, ratio: 0.99 }],
};

/** Lets another alert fire. */
export function fire(desk, name, more = {}) {
  desk.alerts.unshift(alert(name, { ago: 0, ...more }));
}

/** What a change answers: a status and a body. */
export function changeAlerts(desk, path, body) {
  const now = Date.now() / 1000;
  const refuse = (error) => [400, { status: "error", errorType: "bad_data", error }];
  const one = desk.alerts.find((candidate) => candidate.fingerprint === body.fingerprint);
  switch (path) {
    case "/api/silences": {
      const broken = body.matchers.find((text) => !/^\w+(=|!=|=~|!~)"(\\.|[^"\\])*"$/.test(text));
      if (broken !== undefined) return refuse(`${JSON.stringify(broken)} is no condition on a label: write name="value"`);
      const id = `made-${desk.silences.length}`;
      desk.silences.unshift({ id, state: "active", matchers: body.matchers, starts_at: now, ends_at: body.ends_at, updated_at: now, author: body.author, comment: body.comment, takes: 0 });
      for (const candidate of desk.alerts) {
        if (!body.matchers.every((text) => Object.entries(candidate.labels).some(([name, value]) => text === `${name}=${JSON.stringify(value)}`))) continue;
        candidate.silenced_by.push(id);
        candidate.held.push(`silence ${id}`);
      }
      return [200, { id }];
    }
    case "/api/silences/expire":
      desk.silences.find((silence) => silence.id === body.id).state = "expired";
      for (const candidate of desk.alerts) {
        candidate.silenced_by = candidate.silenced_by.filter((id) => id !== body.id);
        candidate.held = candidate.held.filter((text) => text !== `silence ${body.id}`);
      }
      return [200, { id: body.id }];
    case "/api/alerts/acknowledge":
      one.acknowledgement = { who: body.who, comment: body.comment, at: now, until: null };
      return [200, { alerts: 1 }];
    case "/api/alerts/unacknowledge":
      one.acknowledgement = null;
      return [200, { alerts: 1 }];
    case "/api/notify/test": {
      const answer = body.channel === "ops" ? { state: "delivered", answer: "250 2.0.0 Ok: queued" } : { state: "given_up", answer: "503 Service Unavailable" };
      return [200, { delivery: { channel: body.channel, group: "", reason: "test", attempts: 1, accepted_at: now, at: now, instead_of: null, ...answer } }];
    }
    default:
      return [404, { status: "error", error: `there is no ${path}` }];
  }
}

/** The series of an alert's chart; null for another question. Other devices have their own, which are not the alert's. */
export function alertSeries(expr, time) {
  const limit = /^vector\((-?[\d.e+]+)\)$/.exec(expr)?.[1];
  if (limit !== undefined) return [[{}, Number(limit)]];
  if (expr === "up") return ["eth1", "eth0"].map((device) => [{ __name__: "up", device }, device === "eth0" ? 1 : 0]);
  return expr === BUSY ? ["eth0", "eth1", "eth2"].map((device, i) => [{ device }, Math.min(1, 0.5 + wave(`busy${device}`, time, 0.5 - 0.2 * i))]) : null;
}
