// The page's arithmetic, without a browser: the sources are bundled and imported as they are.

import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** The exports of one source file. */
export async function load(file) {
  const { outputFiles } = await build({ entryPoints: [join(root, "src", file)], bundle: true, format: "esm", write: false, logLevel: "error" });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}

const rows = (values) => values.map(([time, value]) => [time, String(value)]);

export const tests = {
  async a_link_of_unknown_speed_is_not_said_to_be_idle() {
    const { missingSentence } = await load("lib/reasons.ts");
    const share = "rate(node_network_receive_bytes_total[5s]) / squirrel_network_capacity_bytes_per_second";
    assert.match(missingSentence(share), /speed of the link is not known/);
    assert.equal(missingSentence("rate(node_network_receive_bytes_total[5s])"), null);
  },

  async figures_have_three_digits_and_a_prefix() {
    const { nominal, show, speedText } = await load("lib/units.ts");
    for (const [value, unit, throughput, expected] of [
      [0, "bits_per_second", "bits", "0 bit/s"],
      [999.9, "bits_per_second", "bits", "1.00 kbit/s"],
      [1e6, "bits_per_second", "bits", "1.00 Mbit/s"],
      [1e6, "bits_per_second", "bytes", "125 kB/s"],
      [123_456_789, "bits_per_second", "bits", "123 Mbit/s"],
      [9_994, "packets_per_second", "bits", "9.99 kpkt/s"],
      [0.0123, "ratio", "bits", "1.23 %"],
      [0.0000012, "ratio", "bits", "<0.001 %"],
      [1, "ratio", "bits", "100 %"],
      [0.00042, "seconds", "bits", "420 µs"],
      [0.0421, "seconds", "bits", "42.1 ms"],
      [12.5, "seconds", "bits", "12.5 s"],
      [1536, "bytes", "bits", "1.50 KiB"],
      [1536, "traffic", "bits", "1.54 kB"],
      [999, "traffic", "bits", "999 B"],
      [12_345, "count", "bits", "12 345"],
      [4, "count", "bits", "4"],
      [65_536, "number", "bits", "65 536"],
      [0.25, "number", "bits", "0.25"],
      [3.2e6, "number", "bits", "3.20 M"],
      [null, "count", "bits", "–"],
      [NaN, "ratio", "bits", "–"],
      [Infinity, "ratio", "bits", "∞"],
    ]) {
      assert.equal(show(value, unit, throughput).replace(/[\u00a0\u202f]/g, " "), expected, `${value} ${unit}`);
    }
    for (const [value, unit, expected] of [[0.9, "ratio", "90 %"], [0.1, "seconds", "100 ms"], [0.00125, "number", "0.00125"], [9000, "number", "9 000"], [-5, "number", "-5"]]) {
      assert.equal(nominal(value, unit).replace(/[\u00a0\u202f]/g, " "), expected, `${value} ${unit}`);
    }
    assert.equal(speedText(1e10).replace("\u00a0", " "), "10 Gbit/s");
    assert.equal(speedText(2.5e9).replace("\u00a0", " "), "2.5 Gbit/s");
  },

  async a_bar_is_full_and_shows_whatever_there_is() {
    const { amountText, barSentence, partsOf, piecesOf, unexplainedSentence } = await load("lib/books.ts");
    const parts = ["attributed", "headers", "forwarded", "kernel", "unexplained"];
    const row = (source, ...bytes) => ({
      source, entries: [], receive_bytes: bytes.reduce((sum, one) => sum + one, 0), transmit_bytes: 0,
      ...Object.fromEntries(parts.flatMap((part, i) => [[`${part}_receive_bytes`, bytes[i]], [`${part}_transmit_bytes`, 0]])),
    });
    for (const [bytes, expected] of [
      [[1, 1, 1, 1, 0], [25, 25, 25, 25]],
      [[5e9, 0, 0, 0, 0], [100]],
      [[1e12, 0, 0, 0, 1], [99.2, 0.8]],
      [[1e12, 1, 1, 1, 1], [96.8, 0.8, 0.8, 0.8, 0.8]],
      [[0, 0, 0, 0, 0], []],
    ]) {
      const pieces = piecesOf(partsOf(row("exact", ...bytes), "receive"));
      assert.deepEqual(pieces.map((piece) => Number(piece.length.toFixed(6))), expected, `${bytes}`);
      pieces.forEach((piece, i) => assert.ok(Math.abs(piece.from - pieces.slice(0, i).reduce((sum, one) => sum + one.length, 0)) < 1e-9, `${bytes}: a gap`));
    }
    const plain = (text) => text.replace(/[\u00a0\u202f]/g, " ");
    assert.equal(plain(barSentence(row("sampled", 900, 99, 0, 0, 1), "receive")), "Received 1.00 kB: attributed to processes about 900 B, 90.00 %; headers and retransmissions about 99 B, 9.90 %; unexplained about 1 B, 0.10 %.");
    assert.equal(plain(barSentence(row("exact", 900, 100, 0, 0, 0), "receive")), "Received 1.00 kB: attributed to processes 900 B, 90.00 %; headers and retransmissions 100 B, 10.00 %.");
    assert.equal(barSentence(row("exact", 1, 0, 0, 0, 0), "transmit"), "Transmitted: nothing.");
    assert.equal(plain(unexplainedSentence(row("exact", 1e9, 0, 0, 0, 1))), "Unexplained: <0.01 % of what was received.");
    assert.equal(unexplainedSentence(row("exact", 1, 0, 0, 0, 0)), "Nothing is unexplained.");
    assert.equal(unexplainedSentence(row("exact", 0, 0, 0, 0, 0)), "Nothing was received or transmitted.");
    assert.deepEqual([amountText(1500, true), amountText(1500, false), amountText(0, true)].map(plain), ["~1.50 kB", "1.50 kB", "0 B"]);
  },

  async what_is_exact_is_not_told_to_count_packets() {
    const { bookReason, exactness } = await load("lib/reasons.ts");
    const entry = { part: "unexplained", reason: "unknown", meaning: "Level `packets` counts each frame.", receive_bytes: 1, transmit_bytes: 0 };
    assert.equal(bookReason(entry, "sampled"), entry.meaning);
    assert.match(bookReason(entry, "exact"), /passed between two readings, or their table was full\.$/);
    assert.equal(bookReason({ ...entry, part: "kernel", meaning: "ICMP." }, "exact"), "ICMP.");
    const level = (name, missing = []) => ({ name, meaning: "", next: null, missing });
    const row = { name: "eth0", source: "sampled" };
    assert.match(exactness(row, level("packets", [{ part: "packets of eth00", reason: "x" }])), /was not from the beginning/);
    assert.match(exactness(row, level("packets", [{ part: "packets of eth0", reason: "no room" }])), /Its packets are not counted: no room\.$/);
    assert.match(exactness(row, level("sockets", [{ part: "packets", reason: "It died." }])), /cannot be had: It died\.$/);
    assert.match(exactness({ name: "eth0", source: "unavailable" }, level("own")), /^Not known/);
  },

  async hidden_characters_are_made_visible() {
    const { visible, byName } = await load("lib/text.ts");
    for (const [text, expected] of [
      ["eth0", "eth0"],
      ["a\u0000b\u001b[0m\n", "a␀b␛[0m␊"],
      ["\u007f\u0085", "␡⟨U+0085⟩"],
      ["\u202eevil\u2066", "⟨U+202E⟩evil⟨U+2066⟩"],
      ["a\u200bb\ufeff", "a⟨U+200B⟩b⟨U+FEFF⟩"],
      ["\u{e0041}", "⟨U+E0041⟩"],
      ["büro-日本 🐿", "büro-日本 🐿"],
    ]) {
      assert.equal(visible(text), expected);
    }
    assert.deepEqual(["eth10", "eth2", "lo"].sort(byName), ["eth2", "eth10", "lo"]);
  },

  async names_enter_promql_whole() {
    const { escapeString, fillIn, legendOf, namesIn, scopeOf } = await load("lib/promql.ts");
    assert.equal(escapeString('a"b\\c\nd'), 'a\\"b\\\\c\\nd');
    assert.equal(fillIn('x{device="$device"}[$window]', 10, { device: '"} or y{z="' }), 'x{device="\\"} or y{z=\\""}[10s]');
    assert.equal(fillIn('x{device="$device"}[$window]', 5, { device: "$window $& $1" }), 'x{device="$window $& $1"}[5s]');
    const scope = scopeOf('"} or y{z="', "$window\n\\");
    assert.equal(fillIn("x{$scope}[$window]", 5, { scope, leastWindow: 45 }), 'x{application="\\"} or y{z=\\"",instance="$window\\n\\\\"}[45s]');
    assert.equal(fillIn("x{$scope}[$window]", 60, { scope: scopeOf("a"), leastWindow: 45 }), 'x{application="a"}[60s]');
    assert.equal(legendOf("{{device}} receive", { device: "{{device}}$&" }), "{{device}}$& receive");
    assert.equal(legendOf("{{ state }}", {}), "");
    assert.deepEqual(namesIn('rate(a_total{b="c_total"}[5s]) / d'), ["rate", "a_total", "b", "s", "d"]);
  },

  async spans_are_read_and_written() {
    const { parseSpan, spanCode, spanText } = await load("lib/time.ts");
    for (const [text, seconds] of [["90s", 90], ["15m", 900], ["1h30m", 5400], ["2 d", 172_800], ["1.5h", 5400], ["1w", 604_800], ["", null], ["5", null], ["-5m", null], ["5m ago", null]]) {
      assert.equal(parseSpan(text), seconds, text);
    }
    for (const seconds of [5, 90, 900, 5400, 172_800]) assert.equal(parseSpan(spanCode(seconds)), seconds);
    assert.equal(spanText(900).replace("\u00a0", " "), "15 min");
  },

  async a_colour_stays_with_its_name_and_no_two_series_look_alike() {
    const { strokes, colourName } = await load("lib/palette.ts");
    const alone = strokes(["eth0"]).get("eth0");
    assert.deepEqual(strokes(["eth0", "eth1", "wlan0"]).get("eth0"), alone);
    const names = Array.from({ length: 32 }, (_, i) => `veth${i}`);
    const looks = [...strokes(names).values()].map((stroke) => JSON.stringify(stroke));
    assert.equal(new Set(looks).size, 32);
    assert.equal(colourName("receive drops eth0"), colourName("transmit drops eth0"));
    assert.notEqual(colourName("received"), colourName("transmitted"));
    assert.notDeepEqual(strokes(["(receive)", "(transmit)"]).get("(receive)"), strokes(["(receive)", "(transmit)"]).get("(transmit)"));
  },

  async gaps_stay_gaps_and_are_filled_by_history() {
    const { Columns } = await load("chart/columns.ts");
    const columns = new Columns([{ legend: "{{device}}", expr: "x", mirrored: false }], 1);
    columns.putHistory(100, 104, [[{ metric: { device: "a" }, values: rows([[100, 1], [101, 2], [104, 5]]) }]]);
    assert.deepEqual(columns.series[0].values, [1, 2, null, null, 5]);
    const tick = (time, value) => columns.putTick(time, [[{ metric: { device: "a" }, value: [time, String(value)] }]]);
    tick(105, 6);
    tick(105, 99);
    tick(104, 99);
    assert.deepEqual(columns.times.slice(-2), [104, 105]);
    tick(110, 11);
    assert.deepEqual(columns.times.slice(-3), [105, 106, 110]);
    assert.deepEqual(columns.series[0].values.slice(-3), [6, null, 11], "a hole in time must be a hole in the line");
    columns.putHistory(105, 110, [[{ metric: { device: "a" }, values: rows([105, 106, 107, 108, 109, 110].map((time) => [time, time - 99])) }]]);
    assert.deepEqual(columns.times, [100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110]);
    assert.deepEqual(columns.series[0].values.slice(4), [5, 6, 7, 8, 9, 10, 11]);
    columns.putTick(111, [[]]);
    assert.equal(columns.series[0].values.at(-1), null, "a series that ended must not go on");
    assert.equal(columns.series[0].now, null);
  },

  async the_live_tail_is_averaged_into_the_grid_of_history() {
    const { Columns } = await load("chart/columns.ts");
    const columns = new Columns([{ legend: "x", expr: "x", mirrored: false }], 10);
    columns.putHistory(80, 100, [[{ metric: {}, values: rows([[80, 1], [90, 1], [100, 1]]) }]]);
    for (let time = 101; time <= 125; time++) columns.putTick(time, [[{ metric: {}, value: [time, String(time)] }]]);
    assert.deepEqual(columns.times, [80, 90, 100, 110, 120, 125]);
    assert.deepEqual(columns.series[0].values, [1, 1, 1, 105.5, 115.5, 123]);
    assert.equal(columns.series[0].now, 125);
  },

  async a_threshold_is_a_line_of_its_own_and_other_series_are_left_out() {
    const { Columns } = await load("chart/columns.ts");
    const queries = [
      { legend: "value", expr: "x", mirrored: false, only: (labels) => labels.device === "eth40" },
      { legend: "threshold", expr: "vector(0.9)", mirrored: false, threshold: true },
    ];
    const columns = new Columns(queries, 1, 3);
    const many = Array.from({ length: 50 }, (_, i) => ({ metric: { device: `eth${i}` }, values: rows([[0, i]]) }));
    columns.putHistory(0, 0, [many, [{ metric: {}, values: rows([[0, 0.9]]) }]]);
    columns.putTick(1, [[{ metric: { device: "eth1" }, value: [1, "7"] }, { metric: { device: "eth40" }, value: [1, "41"] }], [{ metric: {}, value: [1, "0.9"] }]]);
    assert.deepEqual(columns.series.map((one) => [one.label, one.threshold, one.values]), [["value", false, [40, 41]], ["threshold", true, [0.9, 0.9]]]);
    assert.equal(columns.omitted, 0, "what belongs to others is not missing");
  },

  async hostile_label_sets_are_kept_apart_and_limited() {
    const { Columns } = await load("chart/columns.ts");
    const columns = new Columns([{ legend: "{{device}}", expr: "x", mirrored: false }], 1, 3);
    const names = ["__proto__", "constructor", 'a","b":"c', "d", "e", "e"];
    columns.putHistory(0, 0, [names.map((device) => ({ metric: JSON.parse(JSON.stringify({ device })), values: rows([[0, "NaN"]]) }))]);
    assert.equal(columns.series.length, 3);
    assert.equal(columns.omitted, 2);
    assert.ok(columns.series.every((series) => series.values[0] === null), "NaN is not drawn");
  },
};
