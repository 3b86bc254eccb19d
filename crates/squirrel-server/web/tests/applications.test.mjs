// The Applications page: who reports, how it does, and what is said when nobody does. Always against the
// mock, which knows what its applications do; the real ones are tested by the program's own tests.

import assert from "node:assert/strict";
import { drawn, painted, withPage } from "./browser.mjs";

const row = (name) => `tr[data-application="${name}"]`;
const cell = (page, name, column) => page.locator(`${row(name)} .cell-${column}`).innerText();

export const tests = {
  async the_list_of_applications_says_first_how_they_do(browser) {
    await withPage(browser, { path: "/applications", mock: {} }, async ({ page }) => {
      await page.waitForSelector(".verdict.warning");
      assert.match(await page.locator(".verdict-line").innerText(), /shop: Received bytes a second/);
      await page.waitForFunction((selector) => /\d/.test(document.querySelector(`${selector} .cell-messages`)?.textContent ?? ""), row("shop"));
      assert.match(await cell(page, "shop", "connections"), /^\d+$/);
      assert.match(await cell(page, "shop", "receive"), /bit\/s$/);
      assert.match(await cell(page, "shop", "errors"), /%$/);
      assert.match(await cell(page, "mcp-files", "p95"), /ms$/);
      assert.equal(await cell(page, "shop", "alerts"), "1");
      assert.equal(await page.locator(`${row("shop")} .level.warning`).count(), 1);
      assert.match(await page.locator(`${row("importer")} th`).innerText(), /Silent since (\d+ \w+ )?\d\d:\d\d:\d\d, for 12\.\d/);
      assert.equal(await cell(page, "importer", "messages"), "\u2013", "a silent one has no figures of now");
      const before = await cell(page, "shop", "messages");
      await page.waitForFunction(([selector, old]) => document.querySelector(`${selector} .cell-messages`).textContent !== old, [row("shop"), before]);
    });
  },

  async one_application_has_tables_charts_and_alerts(browser) {
    await withPage(browser, { path: "/applications", mock: {} }, async ({ page }) => {
      await page.locator(`${row("shop")} a`).click();
      await page.waitForFunction(() => location.pathname === "/applications/shop" && document.querySelector("h1")?.textContent === "shop");
      await page.waitForFunction(() => document.title === "shop · Squirrel");
      await drawn(page);
      assert.match(await page.locator(".alerts li").first().innerText(), /above 8 MB\/s.* since (\d+ \w+ )?\d\d:\d\d:\d\d/);
      const types = page.locator('[data-breakdown="types"] tbody tr');
      await types.first().waitFor();
      assert.deepEqual((await types.locator("th").allInnerTexts()).sort(), ["invoice", "order", "search"]);
      assert.deepEqual(await page.locator('[data-breakdown="types"] thead th').allInnerTexts(), ["Type", "Received", "Sent", "Failures", "Failed", "Median", "95 %", "99 %"]);
      assert.equal(await page.locator('[data-breakdown="mcp-server"], [data-chart^="app-mcp"]').count(), 0, "no MCP where none is spoken");
      const pixels = await painted(page);
      assert.ok(pixels.length > 0 && pixels.every((count) => count > 500), `blank charts: ${pixels}`);
      await page.keyboard.press("g");
      await page.keyboard.press("a");
      await page.waitForSelector(row("importer"));
    });
  },

  async one_instance_can_be_looked_at_alone(browser) {
    await withPage(browser, { path: "/applications/shop", mock: {} }, async ({ page, requests }) => {
      await drawn(page);
      const form = (request) => new URLSearchParams(request.postData() ?? "").get("query");
      const one = page.waitForRequest((request) => request.url().endsWith("/query_range") && form(request).includes('application="shop",instance="web-1:4712"'));
      await page.getByLabel("Instance").selectOption("web-1:4712");
      await one;
      const windows = requests.filter((request) => request.url().endsWith("/query_range")).map((request) => /\[(\d+)s\]/.exec(form(request))?.[1]);
      assert.ok(windows.every((seconds) => seconds === undefined || Number(seconds) >= 15), `three reports of five seconds: ${windows}`);
    });
  },

  async mcp_shows_each_method_and_tool(browser) {
    await withPage(browser, { path: "/applications/mcp-files", mock: {} }, async ({ page }) => {
      const table = page.locator('[data-breakdown="mcp-server"]');
      await table.waitFor();
      const names = await table.locator("tbody th").allInnerTexts();
      assert.deepEqual(names.sort(), ["ping", "tools/call read_file", "tools/call search", "tools/list"]);
      assert.deepEqual(await table.locator("thead th").allInnerTexts(), ["Method", "Rate", "Failures", "Failed", "Median", "95 %", "99 %"]);
      await page.waitForSelector('[data-chart="app-mcp-tools"]');
      assert.equal(await page.locator('[data-chart="app-latency"]').count(), 0, "an empty chart tells nothing");
      assert.deepEqual(await page.locator('[data-breakdown="types"] thead th').allInnerTexts(), ["Type", "Received", "Sent"]);
    });
  },

  async failures_stand_beside_the_method_and_tool_that_failed(browser) {
    await withPage(browser, { path: "/applications/mcp-files", mock: {} }, async ({ page }) => {
      const operations = page.locator('[data-breakdown="mcp-server"] tbody tr');
      const cells = async (name) => operations.filter({ has: page.locator("th", { hasText: name }) }).locator("td").allInnerTexts();
      await operations.first().waitFor();
      await page.waitForFunction(() => document.querySelectorAll('[data-breakdown="mcp-server"] thead th').length === 7);
      const [, failures, share] = await cells("tools/call search");
      assert.match(failures, /^0?\.\d+|^[1-9]/, "the tool that fails has a rate of failures");
      assert.match(share, /^[1-9][\d.]*\s?%$/);
      const [, none, noShare] = await cells("tools/list");
      assert.deepEqual([parseFloat(none), parseFloat(noShare)], [0, 0], `what never failed has failures of zero: ${none}, ${noShare}`);
      const kinds = await page.locator('[data-breakdown="failures"] tbody th').allInnerTexts();
      assert.deepEqual(kinds.sort(), ["tools/call search, protocol: invalid_params", "tools/call search, tool: tool_error"]);
      await page.waitForSelector('[data-chart="app-mcp-failures"]');
      assert.equal(await page.locator('[data-chart="app-connect-phases"]').count(), 0, "no parts of connecting where none are told");
    });
  },

  async a_page_with_every_chart_asks_no_more_than_a_stream_carries(browser) {
    await withPage(browser, { path: "/applications", mock: {} }, async ({ page }) => {
      await page.waitForSelector(row("importer"));
      // Of one that is silent every chart is there; a slow browser opens the stream before all of them stand, and again after.
      const queriesOf = (address) => new URL(address).searchParams.getAll("query");
      const whole = page.waitForRequest((request) => request.url().includes("/api/stream?") && queriesOf(request.url()).length > 40);
      await page.locator(`${row("importer")} a`).click();
      const address = (await whole).url();
      for (const id of ["app-bandwidth", "app-latency", "app-mcp-failures", "app-requests-active"]) await page.waitForSelector(`[data-chart="${id}"]`);
      const queries = queriesOf(address);
      assert.ok(queries.some((query) => query.includes("requests_active")) && queries.some((query) => query.includes("message_failures")), "the stream was opened before the page stood");
      assert.ok(queries.length > 40 && queries.length < 64, `${queries.length} queries; of more than 64 the rest is cut`);
      assert.ok(address.length < 16_000, `an address of ${address.length} octets is refused by servers on the way`);
    });
  },

  async parts_of_connecting_are_drawn_where_wrappers_tell_them(browser) {
    await withPage(browser, { path: "/applications/shop", mock: {} }, async ({ page }) => {
      const chart = page.locator('[data-chart="app-connect-phases"]');
      await chart.waitFor();
      await chart.scrollIntoViewIfNeeded();
      await chart.locator(".legend tbody tr").nth(2).waitFor();
      const legend = await chart.locator(".legend tbody").innerText();
      for (const phase of ["dns", "tcp", "tls"]) assert.ok(legend.includes(phase), `${phase} in ${legend}`);
      await page.waitForSelector('[data-chart="app-first-byte"]');
    });
  },

  async without_an_application_the_page_says_how_to_connect_one(browser) {
    await withPage(browser, { path: "/applications", mock: { applications: "none" } }, async ({ page, proxy, server }) => {
      await page.waitForSelector(".connect pre");
      const code = await page.locator(".connect").innerText();
      for (const part of ["squirrel-monitor-export", "ExportFormat::Squirrel", new URL(proxy.url).host, "install(&monitor)", "start().await"]) {
        assert.ok(code.includes(part), `${part} in ${code}`);
      }
      server.host.applications = "some";
      await page.waitForSelector(row("shop"));
      server.host.applications = "off";
      await page.waitForFunction(() => /switched off/.test(document.querySelector(".verdict-line")?.textContent ?? ""));
      assert.equal(await page.locator(".connect").count(), 0, "who may not connect is not told how");
    });
  },

  async names_of_applications_stay_text(browser) {
    for (const [width, path] of [[1280, "/applications"], [390, "/applications"], [320, "/applications"], [390, "first"], [1280, "first"]]) {
      const context = { viewport: { width, height: 800 } };
      await withPage(browser, { path: "/applications", mock: { hostile: true }, context }, async ({ page }) => {
        await page.waitForSelector(".verdict.bad");
        await page.locator(".applications tbody tr").first().waitFor();
        if (path === "first") {
          await page.locator(".applications tbody a").first().click();
          await page.waitForSelector('[data-breakdown="errors"]');
          await page.waitForFunction(() => document.querySelectorAll(".chart .legend tbody tr").length > 0);
        }
        assert.doesNotMatch(await page.title(), /owned/);
        assert.equal(await page.locator("main img, main script, main b b, main p p").count(), 0, "an element was made of a name");
        // eslint-disable-next-line no-control-regex
        assert.doesNotMatch(await page.locator("body").innerText(), /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e]/);
        const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
        assert.ok(content <= window, `${path} at ${width}: ${content} > ${window}`);
      });
    }
  },

  async a_list_that_cannot_be_read_keeps_the_last_one_and_says_why(browser) {
    await withPage(browser, { path: "/applications", mock: {}, ignore: [/503/] }, async ({ page }) => {
      await page.waitForSelector(row("shop"));
      await page.route("**/api/applications", (route) => route.fulfill({ status: 503, contentType: "application/json", body: '{"status":"error","error":"the daemon is about to stop"}' }));
      await page.waitForSelector('[role="alert"]');
      assert.match(await page.locator('[role="alert"]').innerText(), /cannot be read: the daemon is about to stop/);
      assert.equal(await page.locator(row("shop")).count(), 1);
      await page.unroute("**/api/applications");
      await page.waitForFunction(() => !document.querySelector('[role="alert"]'));
    });
  },

  async applications_are_legible_in_dark_and_light_and_reached_by_keys(browser) {
    for (const colorScheme of ["dark", "light"]) {
      await withPage(browser, { path: "/applications", mock: {}, context: { colorScheme } }, async ({ page }) => {
        await page.waitForSelector(row("importer"));
        const ratios = await page.evaluate(() => {
          const luminance = (colour) => {
            const [r, g, b] = colour.match(/[\d.]+/g).slice(0, 3).map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const ground = luminance(getComputedStyle(document.querySelector(".table-card")).backgroundColor);
          return [".applications thead th", ".applications .sentence", ".applications .silent a", ".applications .value", ".more summary"].map((selector) => {
            const text = luminance(getComputedStyle(document.querySelector(selector)).color);
            return [selector, (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05)];
          });
        });
        for (const [selector, ratio] of ratios) assert.ok(ratio >= 4.5, `${colorScheme}: contrast of ${selector} is ${ratio.toFixed(2)}`);
        for (let presses = 0; presses < 40; presses++) {
          await page.keyboard.press("Tab");
          if (await page.evaluate(() => document.activeElement?.textContent === "shop")) break;
        }
        await page.keyboard.press("Enter");
        await page.waitForFunction(() => document.querySelector("h1")?.textContent === "shop");
        // The tables of messages come with the first tick.
        await page.getByRole("heading", { name: "Messages by type", level: 2 }).waitFor();
        const tree = await page.locator("main").ariaSnapshot();
        for (const part of ['heading "shop"', "status", 'heading "Messages by type"', "columnheader"]) assert.ok(tree.includes(part), `${part} in ${tree}`);
      });
    }
  },
};
