// What every browser test stands on: a page that is watched, and questions to ask of it.

import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { startMock } from "../dev/mock-server.mjs";
import { startProxy } from "./proxy.mjs";

const CHROMIUM = process.env.SQUIRREL_CHROMIUM ?? "/usr/bin/chromium";
const ARGUMENTS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];
/** A hang takes this long to be found; no passing test waits for it, on however slow a machine. */
export const PATIENCE_MS = 60_000;
/** The browser says so of a canvas whose pixels are read twice, as the tests do and the page never does. */
const READ_BY_TESTS = /willReadFrequently/;

export const launch = () => chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS, timeout: PATIENCE_MS });

/**
 * Asks again, each time the event loop comes round, until the answer is neither false nor empty and no
 * assertion within the question fails. In the end the last of these is what is told.
 */
export async function waitFor(question) {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    let failure = `waited in vain: ${question}`;
    try {
      const answer = await question();
      if (answer !== false && !(Array.isArray(answer) && answer.length === 0)) return answer;
    } catch (error) {
      if (!(error instanceof assert.AssertionError)) throw error;
      failure = error;
    }
    if (Date.now() > until) assert.fail(failure);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/**
 * Opens a watched page in a context of its own, runs `body`, and then holds that the page had no
 * error, broke no rule of its policy and asked no other host. `mock` options ask for a synthetic
 * host; without them the daemon at SQUIRREL_URL is used where there is one.
 */
export async function withPage(browser, { path = "/", mock = null, context = {}, ignore = [] }, body) {
  const daemon = mock === null ? process.env.SQUIRREL_URL : undefined;
  const server = daemon ? null : await startMock({ host: { hostile: false, bad: false, ...mock } });
  const proxy = await startProxy(daemon ?? server.url);
  const opened = await browser.newContext({ viewport: { width: 1280, height: 900 }, timezoneId: "UTC", ...context });
  const page = await opened.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const faults = [];
  const requests = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") faults.push(`console ${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("request", (request) => requests.push(request));
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
  });
  try {
    await page.goto(proxy.url + path);
    await body({ page, proxy, requests, server });
    const unexpected = faults.filter((fault) => ![READ_BY_TESTS, ...ignore].some((pattern) => pattern.test(fault)));
    assert.deepEqual(unexpected, [], "the page had errors");
    const strangers = requests.map((request) => request.url()).filter((url) => !url.startsWith(`${proxy.url}/`) && !url.startsWith("data:"));
    assert.deepEqual(strangers, [], "the page asked another host");
  } finally {
    await opened.close();
    await proxy.close();
    await server?.close();
  }
}

/** Waits until the page has drawn numbers: the first charts have series, and the stream runs. */
export async function drawn(page) {
  await page.waitForSelector(".live-button.live, .live-button.soft, .live-button.paused");
  await page.waitForFunction(() => document.querySelectorAll(".chart .legend tbody tr").length > 0);
  await page.waitForFunction(() => document.querySelectorAll(".drawing[data-to] canvas").length > 0);
}

/** The ranges that the charts near the screen show. */
export const ranges = (page) =>
  page.evaluate(() => {
    const near = [...document.querySelectorAll(".drawing[data-from]")].filter((drawing) => drawing.getBoundingClientRect().top < innerHeight);
    return near.map((drawing) => ({ from: Number(drawing.dataset.from), to: Number(drawing.dataset.to) }));
  });

/** How many pixels of each chart's canvas are painted; a chart that counts as drawn has more than this. */
export const PAINTED = 500;

/**
 * How many pixels are painted of each chart that is on the screen and has series. Waits until all of
 * them are drawn, for a daemon that has just started brings some charts a second after others; what is
 * blank after that stays blank, and the counts say which.
 */
export async function painted(page) {
  const count = (least) => {
    const counts = [...document.querySelectorAll(".chart")]
      .filter((chart) => chart.querySelector(".legend tbody tr") && chart.getBoundingClientRect().top < innerHeight)
      .map((chart) => {
        const canvas = chart.querySelector("canvas");
        if (!canvas) return 0;
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        let count = 0;
        for (let i = 3; i < data.length; i += 4) if (data[i] > 0) count++;
        return count;
      });
    return least === null || (counts.length > 0 && counts.every((n) => n > least)) ? counts : null;
  };
  try {
    const counts = await page.waitForFunction(count, PAINTED, { timeout: PATIENCE_MS });
    return await counts.jsonValue();
  } catch {
    return page.evaluate(count, null);
  }
}

/** The box of the first chart's plotting area. */
export async function plotBox(page) {
  await page.locator(".chart .drawing").first().scrollIntoViewIfNeeded();
  // The plot inside may just be made anew: asked in one go, the answer is of one plot.
  const handle = await page.waitForFunction(() => {
    const box = document.querySelector(".chart .u-over")?.getBoundingClientRect();
    return box && box.width > 0 ? { x: box.x, y: box.y, width: box.width, height: box.height } : null;
  });
  return handle.jsonValue();
}

/**
 * Drags across a chart, from and to shares of its width, until that has changed the address: a plot that is
 * made anew meanwhile, because its first series came, knows nothing of the drag, and a person drags again.
 */
export async function drag(page, from, to) {
  const address = () => page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => resolve(location.href))));
  const before = await address();
  for (let tries = 0; tries < 5 && (await address()) === before; tries++) {
    const box = await plotBox(page);
    const y = box.y + box.height / 2;
    await page.mouse.move(box.x + box.width * from, y);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * ((from + to) / 2), y, { steps: 4 });
    await page.mouse.move(box.x + box.width * to, y, { steps: 4 });
    await page.mouse.up();
  }
}

export const query = (page) => new URL(page.url()).searchParams;
