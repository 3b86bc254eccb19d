// What the page does when something is wrong: with the connection, with an answer, with a name.

import assert from "node:assert/strict";
import { devices } from "../dev/series.mjs";
import { drawn, painted, waitFor, withPage } from "./browser.mjs";

/** What the browser itself says about a connection that a test cut. */
const CUT = [/ERR_CONNECTION|ERR_EMPTY|ERR_INCOMPLETE|Failed to load resource|net::ERR/];
const form = (request) => new URLSearchParams(request.postData() ?? "");

export const tests = {
  async a_lost_connection_is_told_and_the_gap_is_filled(browser) {
    await withPage(browser, { path: "/?from=now-5m&to=now&live=1", ignore: CUT }, async ({ page, proxy, requests }) => {
      await drawn(page);
      const histories = () => requests.filter((request) => request.url().endsWith("/api/v1/query_range"));
      // A history that is under way when the connection goes is rightly asked for again, whole: all are there, and the stream is beyond them.
      for (let seen = -1; seen < histories().length; ) {
        seen = histories().length;
        await Promise.all(histories().map(async (request) => (await request.response())?.finished()));
      }
      const newest = Math.max(...histories().map((request) => Number(form(request).get("end"))));
      await page.waitForFunction((newest) => Number(document.querySelector(".drawing[data-to]").dataset.to) >= newest, newest);
      proxy.cut();
      await page.waitForFunction(() => /attempt ([4-9]|\d\d)/.test(document.querySelector(".banner")?.textContent ?? ""));
      const lastBefore = await page.evaluate(() => Number(document.querySelector(".drawing[data-to]").dataset.to));
      const pixels = await painted(page);
      assert.ok(pixels.every((count) => count > 500), "what was drawn went away with the connection");
      requests.length = 0;
      proxy.mend();
      await page.waitForFunction(() => !document.querySelector(".banner"));
      await page.waitForFunction((last) => Number(document.querySelector(".drawing[data-to]").dataset.to) > last + 3, lastBefore);
      const fills = await waitFor(histories);
      for (const request of fills) {
        const [start, end] = [Number(form(request).get("start")), Number(form(request).get("end"))];
        assert.ok(start <= lastBefore + 1 && end > lastBefore, `the gap after ${lastBefore} was asked for as ${start} to ${end}`);
        assert.ok(start > lastBefore - 60, `all of the history was asked for again: ${start} to ${end}, and only what follows ${lastBefore} was missing`);
      }
    });
  },

  async a_hidden_tab_gives_its_stream_back(browser) {
    await withPage(browser, {}, async ({ page, proxy }) => {
      await drawn(page);
      // One for the whole page; a slow browser opens it before all charts stand, and again after.
      await waitFor(() => assert.equal(proxy.seen.streams, 1, "there is one stream for the whole page"));
      const hide = (hidden) =>
        page.evaluate((hidden) => {
          Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }, hidden);
      await hide(true);
      await waitFor(() => proxy.seen.streams === 0);
      await hide(false);
      await waitFor(() => proxy.seen.streams === 1);
      await page.waitForSelector(".live-button.live");
    });
  },

  async a_failed_query_keeps_what_was_drawn_and_says_why(browser) {
    await withPage(browser, { ignore: [/503/] }, async ({ page }) => {
      await drawn(page);
      await page.route("**/api/v1/query_range", (route) =>
        route.fulfill({ status: 503, contentType: "application/json", body: JSON.stringify({ status: "error", errorType: "timeout", error: "query timed out in expression evaluation" }) }),
      );
      await page.locator(".presets").getByRole("button", { name: "1 h", exact: true }).click();
      await page.getByText("query timed out in expression evaluation").first().waitFor();
      await page.waitForSelector(".drawing.stale canvas");
      assert.ok((await painted(page)).every((count) => count > 500));
      await page.unroute("**/api/v1/query_range");
      // Nobody has to do anything for the page to come right again.
      await page.waitForFunction(() => !document.querySelector(".drawing.stale") && !document.querySelector(".chart-note.failed"));
    });
  },

  async a_verdict_says_what_is_wrong_and_what_to_check(browser) {
    await withPage(browser, { mock: { bad: true } }, async ({ page }) => {
      await page.waitForSelector(".verdict.bad");
      assert.match(await page.locator(".verdict-line").innerText(), /eth1 drops 38 packets a second/);
      await page.locator(".finding summary").first().click();
      await page.getByText("Ring size: ethtool -g eth1").waitFor();
    });
  },

  async an_empty_place_says_why_it_is_empty(browser) {
    await withPage(browser, { mock: {} }, async ({ page }) => {
      await drawn(page);
      await page.waitForFunction(() => /modprobe nf_conntrack/.test(document.querySelector('[data-tile="conntrack"]').textContent));
      await page.locator('[data-chart="conntrack"]').scrollIntoViewIfNeeded();
      await page.waitForFunction(() => /modprobe nf_conntrack/.test(document.querySelector('[data-chart="conntrack"] .chart-note')?.textContent ?? ""));
    });
  },

  async a_chart_explains_itself_and_its_legend_isolates_a_series(browser) {
    await withPage(browser, { mock: {} }, async ({ page }) => {
      await drawn(page);
      await page.getByRole("button", { name: "Explain Throughput" }).click();
      await page.getByText("A link that is full delays and drops everything on it.").waitFor();
      await page.keyboard.press("Escape");
      const legend = page.locator('[data-chart="throughput"] .legend button');
      await legend.first().click();
      await waitFor(async () => assert.equal(await page.locator('[data-chart="throughput"] .legend button[aria-pressed="true"]').count(), 1));
      await legend.first().click();
      await waitFor(async () => assert.equal(await page.locator('[data-chart="throughput"] .legend button[aria-pressed="false"]').count(), 0));
    });
  },

  async hostile_names_are_inert_text(browser) {
    await withPage(browser, { path: "/interfaces", mock: { hostile: true } }, async ({ page }) => {
      await page.waitForSelector('tr[data-device="lo"]');
      const text = await page.locator(".interfaces").innerText();
      assert.ok(text.includes("<img src=x>") && text.includes("<script>document.title='owned'</script>"), text);
      assert.ok(text.includes("ab⟨U+202E⟩0hte") && text.includes("bell␇␛[31m") && text.includes("line␊break␉tab␀null"), text);
      // eslint-disable-next-line no-control-regex
      assert.doesNotMatch(text, /[\u0000-\u0008\u000b-\u001f\u202a-\u202e\u2066-\u2069\u0080-\u009f]/);
      assert.equal(await page.locator("main img, main script").count(), 0);
      for (const { device } of devices(true).slice(devices(false).length)) {
        await page.evaluate((name) => [...document.querySelectorAll("tr[data-device]")].find((row) => row.dataset.device === name).querySelector("a").click(), device);
        await page.waitForFunction((name) => decodeURIComponent(location.pathname.slice("/interfaces/".length)) === name, device);
        // The mock answers only for the very same name, so a row proves that PromQL carried it whole.
        await page.waitForFunction(() => document.querySelectorAll(".chart .legend tbody tr").length > 0);
        await page.waitForSelector(".facts");
        await page.reload();
        await page.waitForSelector(".facts");
        await page.goBack();
        await page.waitForSelector('tr[data-device="lo"]');
      }
      assert.doesNotMatch(await page.title(), /owned/);
    });
  },

  async thousands_of_interfaces_are_drawn_as_a_window(browser) {
    await withPage(browser, { path: "/interfaces", mock: { many: 1500 } }, async ({ page }) => {
      await page.waitForSelector('tr[data-device="veth0"]');
      const rows = () => page.locator("tr[data-device]").count();
      assert.ok((await rows()) < 200, `${await rows()} rows stand on the page`);
      // The page becomes longer or shorter when the height of a row is known.
      await page.waitForFunction(() => {
        scrollTo(0, document.body.scrollHeight);
        return document.querySelector('tr[data-device="veth1499"]');
      });
      assert.ok((await rows()) < 200);
    });
  },
};
