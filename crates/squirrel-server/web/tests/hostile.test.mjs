// Names that others chose, from the kernel through the real daemon to the page. `cargo xtask test`
// plants them in a network namespace, and says in SQUIRREL_HOSTILE what it planted and how it is to
// be shown: [{ device, shown, alias, shownAlias }], the first with traffic.

import assert from "node:assert/strict";
import { drawn, painted, waitFor, withPage } from "./browser.mjs";

export const planted = JSON.parse(process.env.SQUIRREL_HOSTILE || "[]");

/** Whatever could reorder, hide or move what stands around it. */
// eslint-disable-next-line no-control-regex
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u206f]/;
/** Elements that no page of ours has within its content. */
const FOREIGN = "main img, main script, main iframe, main object, main style, main link, main form, main b b";
const quoted = (text) => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
const form = (request) => new URLSearchParams(request.postData() ?? "");

/** Opens a page on which every dialogue is a fault. */
const withoutDialogues = (browser, path, body) =>
  withPage(browser, { path }, async (opened) => {
    const dialogues = [];
    opened.page.on("dialog", (dialogue) => {
      dialogues.push(dialogue.message());
      return dialogue.dismiss();
    });
    await body(opened);
    assert.deepEqual(dialogues, [], "a name was run as a script");
    assert.doesNotMatch(await opened.page.title(), /owned/);
    assert.equal(await opened.page.locator(FOREIGN).count(), 0, "an element was made of a name");
    assert.doesNotMatch(await opened.page.locator("body").innerText(), HIDDEN);
  });

/** What stands in the row of a device: the texts of its name and alias, and what they are made of. */
const rowOf = (page, device) =>
  page.waitForFunction((device) => {
    const head = [...document.querySelectorAll("tr[data-device]")].find((row) => row.dataset.device === device)?.querySelector("th");
    if (!head) return null;
    return {
      name: head.querySelector("a").textContent,
      alias: head.querySelector(".alias")?.textContent,
      title: head.querySelector(".alias")?.title,
      elements: [...head.querySelectorAll("*")].map((one) => one.localName),
      address: head.querySelector("a").getAttribute("href"),
    };
  }, device);

export const tests = {
  async planted_names_stand_in_the_list_as_text(browser) {
    await withoutDialogues(browser, "/interfaces", async ({ page }) => {
      for (const { device, shown, shownAlias } of planted) {
        await waitFor(async () => {
          const row = await (await rowOf(page, device)).jsonValue();
          assert.deepEqual({ name: row.name, alias: row.alias, title: row.title }, { name: shown, alias: shownAlias, title: shownAlias });
          assert.deepEqual(row.elements, ["a", "bdi", "span", "bdi"], `${shown}: the row has other elements`);
          assert.equal(row.address.split("?")[0], `/interfaces/${encodeURIComponent(device)}`);
        });
      }
    });
  },

  async planted_names_are_found_by_the_filter(browser) {
    await withoutDialogues(browser, "/interfaces", async ({ page }) => {
      await rowOf(page, planted[0].device);
      for (const { device } of planted) {
        // Nobody can type a control character: the longest part without one must do.
        const word = device.match(/[\x21-\x7e]+/g).reduce((a, b) => (b.length > a.length ? b : a));
        await page.getByRole("searchbox").fill(word);
        await page.waitForFunction(() => document.querySelectorAll("tr[data-device]").length === 1);
        await rowOf(page, device);
      }
    });
  },

  async the_page_of_a_planted_name_opens_and_draws(browser) {
    for (const [index, { device, shown, shownAlias }] of planted.entries()) {
      await withoutDialogues(browser, "/interfaces", async ({ page, requests }) => {
        await rowOf(page, device);
        requests.length = 0;
        await page.evaluate((name) => [...document.querySelectorAll("tr[data-device]")].find((row) => row.dataset.device === name).querySelector("a").click(), device);
        for (const again of [false, true]) {
          if (again) await page.reload();
          await page.waitForFunction((text) => document.querySelector("h1")?.textContent === text, shown);
          await page.waitForSelector(".facts");
          // The accounting has a row of the very same name.
          await page.waitForSelector('[data-books="row"]');
          assert.equal(new URL(page.url()).pathname, `/interfaces/${encodeURIComponent(device)}`);
          assert.equal(await page.locator(".page-head .alias").textContent(), shownAlias);
          await drawn(page);
        }
        const [throughput] = await painted(page);
        assert.ok(throughput > 500, `${shown}: the first chart has ${throughput} painted pixels`);
        const ranges = requests.filter((request) => request.url().endsWith("/api/v1/query_range"));
        const ours = ranges.filter((request) => form(request).get("query").includes(`device=${quoted(device)}`));
        assert.ok(ours.length > 0, `${shown}: no query has the name: ${ranges.map((request) => form(request).get("query"))}`);
        // The page gave up those that were under way when it was loaded again: they have no answer.
        const answers = (await Promise.all(ours.map((request) => request.response()))).filter((answer) => answer !== null);
        assert.ok(answers.length > 0, `${shown}: no query with the name was answered`);
        for (const answer of answers) assert.equal(answer.status(), 200, form(answer.request()).get("query"));
        if (index === 0) await page.waitForFunction(() => /[1-9]/.test(document.querySelector(".facts .number")?.textContent ?? ""));
      });
    }
  },

  async a_query_with_a_planted_name_finds_exactly_that_interface(browser) {
    await withoutDialogues(browser, "/interfaces", async ({ page }) => {
      for (const { device, alias } of planted) {
        await rowOf(page, device);
        const answer = await page.evaluate(async (query) => {
          const asked = await fetch("/api/v1/query", { method: "POST", body: new URLSearchParams({ query }) });
          return asked.json();
        }, `node_network_info{device=${quoted(device)},ifalias=${quoted(alias)}}`);
        assert.equal(answer.status, "success", JSON.stringify(answer));
        assert.deepEqual(answer.data.result.map(({ metric }) => [metric.device, metric.ifalias]), [[device, alias]]);
      }
    });
  },
};
