// Pages load, draw, move, and fit.

import assert from "node:assert/strict";
import { drawn, painted, waitFor, withPage } from "./browser.mjs";

const PAGES = ["/", "/interfaces", "/interfaces/lo", "/alerts", "/probes"];

export const tests = {
  async the_overview_loads_and_draws(browser) {
    await withPage(browser, {}, async ({ page }) => {
      await drawn(page);
      await page.waitForFunction(() => (document.querySelector(".verdict-line")?.textContent ?? "").length > 10 && document.querySelector(".verdict-icon"));
      assert.match(await page.title(), /Overview · Squirrel/);
      await page.waitForFunction(() => /\d/.test(document.querySelector('[data-tile="throughput"] .number')?.textContent ?? ""));
      const pixels = await painted(page);
      assert.ok(pixels.length > 0 && pixels.every((count) => count > 500), `blank charts: ${pixels}`);
      assert.equal(await page.getByRole("main").count(), 1);
      assert.equal(await page.getByRole("navigation").count(), 1);
      // Of a daemon that has just started this chart may have no series yet, though others have.
      const first = page.locator(".chart .drawing").first();
      await waitFor(async () => assert.match(await first.getAttribute("aria-label"), /now, peak .* at \d\d:\d\d:\d\d/));
    });
  },

  async figures_change_each_second(browser) {
    await withPage(browser, {}, async ({ page }) => {
      await drawn(page);
      await page.evaluate(() => {
        const seen = (globalThis.seen = { ticks: [], edges: [] });
        new EventSource("/api/stream").addEventListener("tick", (event) => seen.ticks.push(JSON.parse(event.data).time));
        const drawing = document.querySelector(".drawing[data-to]");
        new MutationObserver(() => {
          const to = Number(drawing.dataset.to);
          if (to !== seen.edges.at(-1)) seen.edges.push(to);
        }).observe(drawing, { attributes: true });
      });
      // The drawing goes with the ticks of the stream. A busy browser may draw two at once: three in a row are waited for.
      await waitFor(async () => {
        const { ticks, edges } = await page.evaluate(() => globalThis.seen);
        const isDrawn = ticks.map((time) => edges.includes(time));
        assert.ok(isDrawn.some((_, i) => i >= 2 && isDrawn[i - 2] && isDrawn[i - 1] && isDrawn[i]), `ticks at ${ticks}, drawings up to ${edges}`);
        const followed = edges.filter((edge) => ticks.includes(edge));
        assert.ok(followed.every((edge, i) => i === 0 || edge > followed[i - 1]), `the drawing went back: ${edges}`);
      });
      const figures = () => page.evaluate(() => [...document.querySelectorAll(".tile .number, .legend .strong")].map((one) => one.textContent).join("|"));
      const before = await figures();
      await page.waitForFunction((old) => [...document.querySelectorAll(".tile .number, .legend .strong")].map((one) => one.textContent).join("|") !== old, before);
    });
  },

  async the_list_of_interfaces_sorts_and_filters(browser) {
    await withPage(browser, { path: "/interfaces" }, async ({ page }) => {
      await page.waitForSelector('tr[data-device="lo"]');
      await page.keyboard.press("/");
      await page.keyboard.type("lo state:up");
      await page.waitForSelector('tr[data-device="lo"]');
      await page.getByRole("searchbox").fill("-lo");
      await page.waitForFunction(() => !document.querySelector('tr[data-device="lo"]'));
      await page.getByRole("searchbox").fill("no such interface anywhere");
      await page.getByRole("button", { name: "Clear the filter" }).click();
      // "5" where all are shown, "2 of 5" where a filter holds; how many there are is the host's own affair.
      await page.waitForFunction(() => /^\d+$/.test(document.querySelector(".page-head .dim").textContent) && document.querySelector('tr[data-device="lo"]'));
      await page.getByRole("button", { name: "Receive" }).click();
      assert.equal(await page.locator('th[aria-sort="descending"]').innerText(), "Receive");
      await page.locator('tr[data-device="lo"] a').click();
      await page.waitForFunction(() => location.pathname === "/interfaces/lo" && document.querySelector("h1")?.textContent === "lo");
      await drawn(page);
      await page.goBack();
      await page.waitForSelector('tr[data-device="lo"]');
    });
  },

  async phones_have_no_sideways_scroll(browser) {
    for (const width of [320, 390]) {
      for (const path of PAGES) {
        const context = { viewport: { width, height: 700 }, isMobile: true, hasTouch: true };
        await withPage(browser, { path, context }, async ({ page }) => {
          await page.waitForSelector(".live-button.live");
          if (path === "/alerts" || path === "/probes") await page.waitForSelector(".verdict-line");
          else if (path === "/interfaces") await page.waitForSelector('tr[data-device="lo"]');
          else {
            // Charts are drawn where they are near the screen, and on a phone much stands above those of an interface.
            await page.waitForSelector(".chart");
            if (path === "/interfaces/lo") await page.waitForSelector('[data-books="row"]');
            await page.locator(".chart").first().evaluate((chart) => chart.scrollIntoView());
            await drawn(page);
          }
          const [content, window, bar] = await page.evaluate(() => [
            document.documentElement.scrollWidth,
            document.documentElement.clientWidth,
            Math.round(innerHeight - document.querySelector(".rail").getBoundingClientRect().bottom),
          ]);
          assert.ok(content <= window, `${path} at ${width}: ${content} > ${window}`);
          assert.equal(bar, 0, `${path} at ${width}: the bar is not at the bottom`);
        });
      }
    }
  },

  async dark_and_light_are_both_legible(browser) {
    const grounds = [];
    for (const colorScheme of ["dark", "light"]) {
      await withPage(browser, { context: { colorScheme, reducedMotion: "reduce" } }, async ({ page }) => {
        await drawn(page);
        const look = await page.evaluate(() => {
          const channels = (colour) => colour.match(/[\d.]+/g).slice(0, 3).map(Number);
          const luminance = (colour) => {
            const [r, g, b] = channels(colour).map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const ratio = (a, b) => (Math.max(luminance(a), luminance(b)) + 0.05) / (Math.min(luminance(a), luminance(b)) + 0.05);
          const ground = getComputedStyle(document.querySelector(".chart")).backgroundColor;
          const texts = [".chart h3", ".legend thead th.value", ".tile h2", ".tile .number", ".legend td.value"];
          return {
            ground: luminance(ground),
            ratios: texts.map((text) => [text, ratio(getComputedStyle(document.querySelector(text)).color, ground)]),
            moving: getComputedStyle(document.querySelector(".dot")).animationName,
          };
        });
        for (const [text, ratio] of look.ratios) assert.ok(ratio >= 4.5, `${colorScheme}: contrast of ${text} is ${ratio.toFixed(2)}`);
        assert.equal(look.moving, "none", "motion though less was asked for");
        grounds.push(look.ground);
      });
    }
    assert.ok(grounds[0] < 0.1 && grounds[1] > 0.8, `grounds: ${grounds}`);
  },

  async a_change_of_theme_paints_charts_anew(browser) {
    await withPage(browser, { context: { colorScheme: "dark" } }, async ({ page }) => {
      await drawn(page);
      /** The commonest colour of the first canvas that is not transparent; null while it is `old`. */
      const axisColour = (old) => {
        const canvas = document.querySelector(".chart canvas");
        if (!canvas) return null;
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        const counts = new Map();
        for (let i = 0; i < data.length; i += 4) {
          if (data[i + 3] < 250) continue;
          const key = `${data[i]},${data[i + 1]},${data[i + 2]}`;
          counts.set(key, (counts.get(key) ?? 0) + 1);
        }
        const colour = [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? null;
        return colour === old ? null : colour;
      };
      const dark = await (await page.waitForFunction(axisColour, null)).jsonValue();
      await page.getByRole("button", { name: "Theme: system" }).click();
      await page.getByRole("button", { name: "Theme: dark" }).click();
      await page.getByRole("button", { name: "Theme: light" }).waitFor();
      await page.waitForFunction(() => document.documentElement.dataset.theme === "light");
      await page.waitForFunction(() => document.querySelector(".drawing[data-to] canvas"));
      await page.waitForFunction(axisColour, dark);
    });
  },

  async the_first_load_is_small(browser) {
    await withPage(browser, {}, async ({ page, proxy }) => {
      await drawn(page);
      const files = proxy.seen.answers.filter((answer) => !answer.path.startsWith("/api/"));
      const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
      const paint = await page.evaluate(() => performance.getEntriesByType("paint").find((entry) => entry.name === "first-contentful-paint")?.startTime);
      console.log(`      first load: ${files.length} files, ${(bytes / 1024).toFixed(1)} KB compressed; first paint after ${paint?.toFixed(0)} ms`);
      assert.ok(files.length >= 4 && files.length < 40, `${files.length} files`);
      assert.ok(files.every((file) => file.encoding), "a file was sent without compression");
      assert.ok(bytes > 10_000 && bytes < 150 * 1024, `${bytes} bytes`);
    });
  },
};
