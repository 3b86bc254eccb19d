// Bundles the dashboard: src/ and index.html into one folder of files named by their content,
// each also compressed, with a table (assets.tsv) from which build.rs makes the Rust side.
//
//   node build.mjs [--out DIR]        DIR is dist/ unless told

import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const root = dirname(fileURLToPath(import.meta.url));
const outFlag = process.argv.indexOf("--out");
const out = outFlag > 0 ? process.argv[outFlag + 1] : join(root, "dist");

/** Compressed bytes of everything that the first page loads; above it the build fails. */
const BUDGET_GZIP = 150 * 1024;

const TYPES = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

const bundled = await build({
  absWorkingDir: root,
  entryPoints: { app: "src/main.tsx", theme: "src/theme-first.ts" },
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022"],
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  outdir: "out",
  write: false,
  logLevel: "warning",
  // esbuild reads compiler options from here: the same as the checker's.
  tsconfig: join(root, "tsconfig.json"),
});

const hash = (bytes) => createHash("sha256").update(bytes).digest("hex").slice(0, 16);
const rows = [];
const names = {};

function emit(url, file, bytes, immutable) {
  const gzip = gzipSync(bytes, { level: 9 });
  const brotli = brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
  const type = TYPES[file.slice(file.lastIndexOf(".") + 1)];
  writeFileSync(join(out, file), bytes);
  writeFileSync(join(out, `${file}.gz`), gzip);
  writeFileSync(join(out, `${file}.br`), brotli);
  rows.push({ url, file, type, hash: hash(bytes), immutable, size: bytes.length, gzip: gzip.length, brotli: brotli.length });
}

/** Emits a file that the page refers to; its name holds its hash, so it may be kept for ever. */
function emitHashed(name, bytes) {
  const dot = name.lastIndexOf(".");
  const file = `${name.slice(0, dot)}-${hash(bytes)}${name.slice(dot)}`;
  names[name] = `assets/${file}`;
  emit(`/assets/${file}`, file, bytes, true);
}

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

for (const file of bundled.outputFiles) emitHashed(file.path.split("/").at(-1), Buffer.from(file.contents));
emitHashed("icon.svg", readFileSync(join(root, "src/icon.svg")));

const page = readFileSync(join(root, "index.html"), "utf8").replace(/\{\{([\w.-]+)\}\}/g, (_, name) => {
  if (!names[name]) throw new Error(`index.html refers to ${name}, which the build did not make`);
  return names[name];
});
emit("/", "index.html", Buffer.from(page), false);

const licences = ["preact", "@preact/signals", "@preact/signals-core", "uplot"].map((name) => {
  const about = JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8"));
  const text = readFileSync(join(root, "node_modules", name, "LICENSE"), "utf8");
  return `${name} ${about.version} (${about.license})\n\n${text.trim()}\n`;
});
TYPES.txt = "text/plain; charset=utf-8";
emit("/licences.txt", "licences.txt", Buffer.from(licences.join("\n----\n\n")), false);

rows.sort((a, b) => (a.url < b.url ? -1 : 1));
writeFileSync(
  join(out, "assets.tsv"),
  rows.map((r) => [r.url, r.file, r.type, r.hash, r.immutable ? 1 : 0].join("\t") + "\n").join(""),
);

const first = rows.filter((r) => r.url !== "/licences.txt");
const total = (key) => first.reduce((sum, r) => sum + r[key], 0);
for (const r of first) {
  console.log(`${r.file.padEnd(32)} ${String(r.size).padStart(7)}  gz ${String(r.gzip).padStart(6)}  br ${String(r.brotli).padStart(6)}`);
}
console.log(`${"first load".padEnd(32)} ${String(total("size")).padStart(7)}  gz ${String(total("gzip")).padStart(6)}  br ${String(total("brotli")).padStart(6)}`);
if (total("gzip") > BUDGET_GZIP) {
  console.error(`The first load has ${total("gzip")} bytes compressed; the budget is ${BUDGET_GZIP}.`);
  process.exit(1);
}
