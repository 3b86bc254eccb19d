// All tests of the dashboard:  node tests/run.mjs [PART OF A NAME]
//
// Against the daemon at SQUIRREL_URL; without it, against the mock (which a few always use). Those of
// hostile.test.mjs run where SQUIRREL_HOSTILE says what names the daemon's host has. Ends with one
// line, "N passed, N failed", and status 1 when something failed.

import { launch } from "./browser.mjs";
import { tests as alerts } from "./alerts.test.mjs";
import { tests as applications } from "./applications.test.mjs";
import { tests as books } from "./books.test.mjs";
import { planted, tests as hostile } from "./hostile.test.mjs";
import { tests as probes } from "./probes.test.mjs";
import { tests as screens } from "./screens.test.mjs";
import { tests as time } from "./time.test.mjs";
import { tests as trouble } from "./trouble.test.mjs";
import { tests as units } from "./units.test.mjs";

// The mock serves dist/, which must be of these sources.
await import("../build.mjs");

const wanted = process.argv[2] ?? "";
const all = { ...units, ...screens, ...time, ...trouble, ...applications, ...alerts, ...probes, ...books, ...(planted.length > 0 ? hostile : {}) };
/** For tests that open many pages, on a machine that is slow and busy: only a hang takes so long. */
const LIMIT_MS = 600_000;
let passed = 0;
let failed = 0;

const browser = await launch();
for (const [name, test] of Object.entries(all)) {
  if (!name.includes(wanted)) continue;
  const began = performance.now();
  let timer;
  try {
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not done after ${LIMIT_MS / 1000} s`)), LIMIT_MS);
    });
    await Promise.race([test(browser), late]);
    passed++;
    console.log(`ok    ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed++;
    console.log(`FAIL  ${name}\n      ${String(error?.stack ?? error).replaceAll("\n", "\n      ")}`);
  } finally {
    clearTimeout(timer);
  }
}
await browser.close();
if (passed + failed === 0) {
  console.log(`no test has "${wanted}" in its name`);
  failed = 1;
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
