// Synthetic applications: what /api/applications says of them, and their figures.

import { rare, wave } from "./series.mjs";

const HOSTILE = "<img src=x onerror=alert(1)>\u202e\u001b[31m";
const TYPES = { shop: ["order", "search", "invoice"], "mcp-files": ["tools/call read_file", "tools/call search", "tools/list", "ping"] };
const TOOLS = [["tools/call", "read_file", 0.004], ["tools/call", "search", 0.35], ["tools/list", "", 0.0008], ["ping", "", 0.0002]];

const FAILURES = {
  shop: [{ message_type: "order", failure_class: "unanswered", error_type: "unanswered" }],
  "mcp-files": [
    { role: "server", mcp_method_name: "tools/call", gen_ai_tool_name: "search", failure_class: "tool", error_type: "tool_error" },
    { role: "server", mcp_method_name: "tools/call", gen_ai_tool_name: "search", failure_class: "protocol", error_type: "invalid_params" },
  ],
};

const alert = (number, name, state, level, sentence) => ({ number, at: Date.now() / 1000 - 90 + number, name, state, level, sentence, value: 9, threshold: 8 });

function instance(name, { silent = null, alerts = [], told = alerts, refused = 0, pid = 4711, version = "" } = {}) {
  const now = Date.now() / 1000;
  return {
    instance: name, pid, state: silent === null ? "live" : "silent", started: now - 5400, last_report: silent ?? now - 1, silent_since: silent,
    interval_seconds: 5, protocol_version: version, series: silent === null ? 214 : 0, refused,
    refused_sentences: refused > 0 ? [`${refused} metrics are not kept: there are too many series.`] : [],
    lost: { reports: 0, metrics: 0, alerts: 0 }, alerts, told,
  };
}

/** What the mock's host has; `none` for nobody, `hostile` for names that try to break the page. */
export function applicationList(host) {
  const now = Date.now() / 1000;
  const base = { time: now, enabled: true, refusals: [] };
  if (host.applications === "none") return { ...base, level: "unknown", sentence: "No application has told anything of itself yet.", applications: [] };
  if (host.applications === "off") return { ...base, enabled: false, level: "unknown", sentence: "Reports of applications are switched off in the configuration.", applications: [] };
  const rate = alert(3, "receive_rate", "raised", "warning", "Received bytes a second are 9.2 MB/s, above 8 MB/s.");
  const types = alert(2, "types_full", "told", "warning", "All 100 message types are taken: further ones are counted as other.");
  const gone = now - 754;
  const applications = [
    { application: "shop", level: "warning", sentence: rate.sentence, state: "live", silent_since: null, instances: [instance("web-1:4711", { alerts: [rate], told: [rate, types] }), instance("web-1:4712", { pid: 4712, silent: now - 60 })] },
    { application: "mcp-files", level: "ok", sentence: "No alert: 1 instance, 214 series.", state: "live", silent_since: null, instances: [instance("web-1:990", { pid: 990, version: "2025-11-25" })] },
    { application: "importer", level: "unknown", sentence: "No report for 12 min: it has stopped, or cannot reach this daemon.", state: "silent", silent_since: gone, instances: [instance("nightly", { silent: gone })] },
  ];
  if (host.hostile) {
    const bad = alert(1, HOSTILE, "raised", "bad", `</p><script>document.title='owned'</script>${HOSTILE}`);
    applications.unshift({ application: HOSTILE, level: "bad", sentence: bad.sentence, state: "live", silent_since: null, instances: [instance(`"} or up{x="`, { alerts: [bad], refused: 3, version: "<b>1</b>\u200b" }), instance("__proto__", { pid: 0 })] });
  }
  return {
    ...base, level: applications[0].level, sentence: `${applications[0].application}: ${applications[0].sentence}`, applications,
    refusals: host.hostile ? [{ at: now - 9, application: HOSTILE, sentence: "the report is not as it should be, near \"pid\": <script>" }] : [],
  };
}

const unquote = (text) => text?.replace(/\\(.)/g, (_, c) => (c === "n" ? "\n" : c));

/** The series of a question about applications; null for another question. */
export function applicationSeries(expr, time, host) {
  if (!expr.includes('job="application"')) return null;
  const asked = unquote(/[{,]application="((?:\\.|[^"\\])*)"/.exec(expr)?.[1]);
  const live = applicationList(host).applications.filter((one) => one.state === "live").map((one) => one.application);
  const names = live.filter((name) => asked === undefined || name === asked);
  const by = /by \(([^)]*)\)/.exec(expr)?.[1].split(", ").filter((label) => label !== "le") ?? [];
  const isMcp = (name) => name === "mcp-files";
  const value = (seed, base) => wave(`${seed}${/transmit/.test(expr) ? "out" : ""}`, time, base);
  const quantile = { "0.5": 1, "0.95": 6, "0.99": 15 }[/histogram_quantile\(([\d.]+)/.exec(expr)?.[1]];
  return names.flatMap((application) => {
    const own = (labels) => Object.fromEntries(by.map((label) => [label, { application, ...labels }[label] ?? ""]));
    const types = TYPES[application] ?? TYPES.shop;
    if (asked === undefined) {
      if (/active/.test(expr)) return [[own({}), Math.round(value(application, 40))]];
      if (/histogram_quantile/.test(expr)) return [[own({}), value(application + "p95", 0.024)]];
      if (/protocol_errors/.test(expr)) return [[own({}), value(application + "e", 0.004)]];
      return [[own({}), value(application, /io_bytes/.test(expr) ? 4e6 : 120)]];
    }
    if (by.includes("__name__")) {
      const names = isMcp(application) ? ["mcp_server_operation_duration_seconds_count"] : ["squirrel_message_duration_seconds_count", "squirrel_connection_phase_duration_seconds_count"];
      return names.map((name) => [{ __name__: name }, 4]);
    }
    if (/message_failures/.test(expr)) {
      if (/role="client"/.test(expr) || (/role="server"/.test(expr) && !isMcp(application))) return [];
      const all = host.hostile ? [{ message_type: HOSTILE, failure_class: HOSTILE, error_type: HOSTILE }] : (FAILURES[application] ?? []);
      return all.map((labels) => [own(labels), /^sum by \([^)]*\) \(squirrel/.test(expr) ? 37 : wave(labels.error_type + "f", time, 0.4)]);
    }
    if (/connection_(lifetime|phase|time_to)|io_errors|requests_active/.test(expr)) {
      if (isMcp(application)) return [];
      if (by.includes("phase")) return ["dns", "tcp", "tls"].map((phase, i) => [own({ phase }), quantile ? wave(phase, time, 0.004 * (i + 1)) : rare(phase, time, 1)]);
      if (by.includes("error_type")) return ["connection_reset", "timed_out"].map((kind) => [own({ error_type: kind }), rare(kind, time, 1)]);
      return [[{}, quantile ? wave("transport", time, 0.02) * quantile : Math.round(wave("in flight", time, 6))]];
    }
    if (/mcp_client/.test(expr)) return [];
    if (/mcp_server/.test(expr)) {
      if (!isMcp(application)) return [];
      const rows = by.includes("gen_ai_tool_name") && /gen_ai_tool_name!=/.test(expr) ? TOOLS.filter(([, tool]) => tool) : TOOLS;
      return rows.map(([method, tool, seconds]) => [own({ mcp_method_name: method, gen_ai_tool_name: tool }), quantile ? wave(method + tool, time, seconds) * quantile : wave(method + tool, time, 3)]);
    }
    if (/message_duration/.test(expr) && isMcp(application)) return [];
    if (/squirrel_protocol_errors_total.*\/|attempts_total.*\//.test(expr)) return [[{}, value(application + "share", 0.01)]];
    if (by.includes("error_type")) return ["tool_error", host.hostile ? HOSTILE : "timeout"].map((kind) => [own({ error_type: kind }), /^sum by \(error_type\) \(squirrel/.test(expr) ? 412 : rare(kind, time, 2)]);
    if (by.includes("message_type")) {
      const all = host.hostile ? [...types, HOSTILE] : types;
      return all.map((type, i) => [own({ message_type: type }), quantile ? value(type + "q", 0.002 * (i + 1)) * quantile : value(type, 30 / (i + 1))]);
    }
    if (quantile) return [[{}, value(application + "q", 0.003) * quantile]];
    if (/active/.test(expr)) return [[{}, Math.round(value(application, 40))]];
    return [[{}, value(application, /io_bytes/.test(expr) ? 4e6 : 20)]];
  });
}
