// A stand-in for the daemon, to work on the page without one: the same routes, shapes and policy,
// with a synthetic host behind them.
//
//   node build.mjs && node dev/mock-server.mjs [PORT]
//
// As a module it is what the browser tests run against when no real daemon is given.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { changeAlerts, makeDesk, PORTS, TOKEN } from "./alerts.mjs";
import { applicationList } from "./applications.mjs";
import { evaluate } from "./answers.mjs";
import { accountingCollector, books } from "./books.mjs";
import { probeOne, probesPage, runProbe } from "./probes.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

export const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'";

const CATALOGUE = [
  { name: "node_network_receive_bytes_total", kind: "counter", unit: "bytes", help: "Bytes received by the interface.", why: "A link that is full delays and drops everything on it.", check: ["The interface's speed and utilisation", "Which process receives: squirrel top"], labels: ["device"] },
  { name: "node_network_transmit_bytes_total", kind: "counter", unit: "bytes", help: "Bytes sent by the interface.", why: "", check: [], labels: ["device"] },
  { name: "node_netstat_<protocol>_<counter>", kind: "untyped", unit: "", help: "A counter of the kernel's protocol statistics.", why: "Retransmissions are the first sign of loss.", check: ["Whether one peer or all are concerned"], labels: [] },
];
const COLLECTORS = [
  { name: "interfaces", state: "running", sentence: "", rows: 210, duration_seconds: 0.0007, faults: [] },
  { name: "conntrack", state: "unavailable", sentence: "Connection tracking is not loaded on this host: modprobe nf_conntrack would load it.", rows: 0, duration_seconds: 0, faults: [] },
];

const FINE = { level: "ok", sentence: "The network of this host is fine: 9 interfaces, 4 up with traffic, no loss worth a look.", findings: [], not_judged: ["Connection tracking is not loaded on this host."] };
const BAD = {
  level: "bad",
  sentence: "eth1 drops 38 packets a second, and one more finding.",
  findings: [
    { check: "interface_drops", level: "bad", subject: "eth1", sentence: "eth1 drops 38 packets a second on receive.", value: 38, expr: "x", check_first: ["Ring size: ethtool -g eth1", "Softnet drops on the CPU that serves the queue", "Whether the sender bursts above 10 Gbit/s"] },
    { check: "no_carrier", level: "warning", subject: "eth2", sentence: "eth2 should be up and has had no carrier for 3 h 12 min.", value: 1, expr: "x", check_first: ["The cable and the switch port", "ip link show eth2"] },
  ],
  not_judged: [],
};

/** Starts the mock; `host` may be changed while it runs. */
export async function startMock({ port = 0, host = { hostile: false, bad: false } } = {}) {
  const assets = new Map(
    readFileSync(join(root, "dist/assets.tsv"), "utf8").trim().split("\n").map((row) => {
      const [url, file, type, hash, immutable] = row.split("\t");
      return [url, { file: join(root, "dist", file), type, hash, immutable: immutable === "1" }];
    }),
  );
  const charts = readFileSync(join(root, "dev/charts.json"), "utf8");
  const streams = new Set();
  const began = Date.now();
  const desk = makeDesk(host);

  const server = createServer((request, response) => {
    const url = new URL(request.url, "http://mock");
    response.setHeader("content-security-policy", POLICY);
    response.setHeader("x-content-type-options", "nosniff");
    response.setHeader("referrer-policy", "no-referrer");
    route(request, response, url).catch((error) => json(response, 500, { status: "error", error: String(error) }));
  });

  async function route(request, response, url) {
    const path = url.pathname;
    if (path === "/api/charts") return send(response, 200, "application/json", charts);
    if (path === "/api/collectors") return json(response, 200, [...COLLECTORS, ...accountingCollector(host)]);
    if (path === "/api/catalogue") return json(response, 200, CATALOGUE);
    if (path === "/api/applications") return json(response, 200, applicationList(host));
    if (path === "/api/alerts") return json(response, 200, { time: Date.now() / 1000, ...desk });
    if (path === "/api/probes") return json(response, ...probesPage(host, url.searchParams));
    if (path === "/api/probes/one") return json(response, ...probeOne(host, url.searchParams));
    if (path === "/api/probes/run" && request.method === "POST") return change(request, response, path);
    if (path === "/api/live/books") return json(response, ...books(host, url.searchParams));
    if (path === "/api/live/ports") return json(response, 200, PORTS);
    if (request.method === "POST" && /^\/api\/(silences|alerts|notify)\b/.test(path)) return change(request, response, path);
    if (path === "/api/verdict") return json(response, 200, verdict());
    if (path === "/api/stream") return stream(request, response, url.searchParams.getAll("query"));
    if (path === "/api/v1/query_range" && request.method === "POST") return queryRange(response, new URLSearchParams(await bodyOf(request)));
    if (path === "/readyz") return send(response, 200, "text/plain", "ready\n");
    return asset(request, response, path);
  }

  async function change(request, response, path) {
    const body = JSON.parse(await bodyOf(request));
    if (request.headers.authorization !== `Bearer ${TOKEN}`) {
      response.setHeader("www-authenticate", "Bearer");
      return json(response, 401, { status: "error", errorType: "bad_data", error: "whoever changes something shows the daemon's token" });
    }
    return json(response, ...(path === "/api/probes/run" ? runProbe(host, body) : changeAlerts(desk, path, body)));
  }

  function asset(request, response, path) {
    const page = path === "/index.html" || /^\/(interfaces|applications|alerts)(\/[^/]*)?$/.test(path) || /^\/probes(\/|(\/[^/]+){2})?$/.test(path);
    const found = assets.get(page ? "/" : path);
    if (!found) return send(response, 404, "text/plain", "not found\n");
    const accepted = String(request.headers["accept-encoding"] ?? "");
    const [suffix, encoding] = /\bbr\b/.test(accepted) ? [".br", "br"] : /\bgzip\b/.test(accepted) ? [".gz", "gzip"] : ["", null];
    if (encoding) response.setHeader("content-encoding", encoding);
    response.setHeader("etag", `"${found.hash}${suffix}"`);
    response.setHeader("cache-control", found.immutable ? "public, max-age=31536000, immutable" : "no-cache");
    return send(response, 200, found.type, readFileSync(found.file + suffix));
  }

  function queryRange(response, form) {
    const [start, end, step] = ["start", "end", "step"].map((name) => Number(form.get(name)));
    if (!(step > 0) || (end - start) / step > 11_000) {
      return json(response, 400, { status: "error", errorType: "bad_data", error: "exceeded maximum resolution of 11,000 points per timeseries" });
    }
    const series = new Map();
    try {
      for (let i = 0; start + i * step <= end + 1e-9; i++) {
        const time = start + i * step;
        // The synthetic host has existed for two days.
        if (time < began / 1000 - 2 * 86_400 || time > Date.now() / 1000) continue;
        for (const [metric, value] of evaluate(form.get("query"), time, host)) {
          const key = JSON.stringify(metric);
          if (!series.has(key)) series.set(key, { metric, values: [] });
          series.get(key).values.push([time, String(value)]);
        }
      }
    } catch (error) {
      return json(response, 400, { status: "error", errorType: "bad_data", error: error.message });
    }
    return json(response, 200, { status: "success", data: { resultType: "matrix", result: [...series.values()] } });
  }

  function stream(request, response, queries) {
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    const client = { response, queries };
    streams.add(client);
    request.on("close", () => streams.delete(client));
    response.write(": one event named tick follows each reading\n\n");
    tickTo(client, Math.floor(Date.now() / 1000));
  }

  function tickTo({ response, queries }, time) {
    const results = queries.map((query) => {
      try {
        return { resultType: "vector", result: evaluate(query, time, host).map(([metric, value]) => ({ metric, value: [time, String(value)] })) };
      } catch (error) {
        return { error: error.message };
      }
    });
    response.write(`id: ${time * 1000}\nevent: tick\ndata: ${JSON.stringify({ time, results, verdict: verdict() })}\n\n`);
  }

  const verdict = () => ({ time: Date.now() / 1000, ...(host.bad ? BAD : FINE) });
  const timer = setInterval(() => {
    const time = Math.floor(Date.now() / 1000);
    for (const client of streams) tickTo(client, time);
  }, 1000);

  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    host,
    desk,
    close() {
      clearInterval(timer);
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

function send(response, status, type, body) {
  response.writeHead(status, { "content-type": type });
  response.end(body);
}

const json = (response, status, value) => send(response, status, "application/json", JSON.stringify(value));

function bodyOf(request) {
  return new Promise((resolve, reject) => {
    let text = "";
    request.on("data", (part) => (text += part)).on("end", () => resolve(text)).on("error", reject);
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const mock = await startMock({ port: Number(process.argv[2] ?? 7776), host: { hostile: process.argv.includes("--hostile"), bad: process.argv.includes("--bad") } });
  console.log(mock.url);
}
