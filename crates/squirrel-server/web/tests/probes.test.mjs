// The pages of probes: the list, and one target. All but the first against the mock, which knows its targets.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { TOKEN } from "../dev/alerts.mjs";
import { PAINTED, painted, query, waitFor, withPage } from "./browser.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const rows = (page) => page.locator("tr[data-probe]");
const rowOf = (page, name) => page.locator(`tr[data-probe="${name}"]`);
const names = (page) => rows(page).evaluateAll((all) => all.map((row) => row.dataset.probe));
const listed = (page) => page.waitForSelector("tr[data-probe] svg.heartbeat");
const PING = "/probes/edge/gw.example";
const PATH = "/probes/way/far.example";
const PHONE = { viewport: { width: 320, height: 700 }, isMobile: true, hasTouch: true };

/** What axe finds wrong with the page: rules of WCAG 2.2, levels A and AA. */
async function faultsOf(page) {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const found = await globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] });
    return found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`);
  });
}

/** How many pixels of a canvas are painted. */
const paintedOf = (page, selector) =>
  page.evaluate((selector) => {
    const canvas = document.querySelector(selector);
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let i = 3; i < data.length; i += 4) if (data[i] > 0) count++;
    return count;
  }, selector);

export const tests = {
  async the_page_of_probes_shows_what_the_server_answers(browser) {
    await withPage(browser, { path: "/probes" }, async ({ page }) => {
      await page.waitForSelector('.verdict .verdict-line, main [role="alert"]');
      assert.equal(await page.locator('main [role="alert"]').count(), 0, await page.locator("main").innerText());
      // A target may have come to another state between the page's question and this one.
      const answer = await waitFor(async () => {
        const answer = await page.evaluate(async () => (await fetch("/api/probes")).json());
        const line = await page.locator("main .verdict-line").innerText();
        assert.ok(line.includes(answer.sentence), `the page says "${line}", the server "${answer.sentence}"`);
        return answer;
      });
      if (answer.total === 0) await page.getByRole("heading", { name: "Have something probed" }).waitFor();
      assert.match(await page.title(), /Probes · Squirrel/);
    });
  },

  async targets_stand_with_state_figures_and_past(browser) {
    await withPage(browser, { path: "/probes", mock: {} }, async ({ page }) => {
      await listed(page);
      assert.deepEqual((await names(page)).slice(0, 3), ["store.example", "store-db.example", "ntp.example"], "the worst are first");
      const text = async (name, cell) => (await rowOf(page, name).locator(`.cell-${cell}`).innerText()).replace(/\s+/g, " ");
      assert.match(await text("store.example", "state"), /^Down 1[23](\.\d)? min$/);
      assert.match(await text("store.example", "target"), /no answer within 2 s/);
      assert.match(await text("store-db.example", "state"), /^Unreachable/);
      assert.match(await text("gw.example", "last"), /^[\d.]+ ms$/);
      assert.equal(await text("berlin-2.example", "loss"), "2.50 %");
      assert.equal(await text("berlin-2.example", "mos"), "3.2 poor");
      assert.equal(await text("https://pay.example/", "certificate"), "9 d");
      assert.equal(await text("gw.example", "available"), "99.99 %", "99.996 % is not 100 %");
      const beats = rowOf(page, "store.example").getByRole("img");
      assert.match(await beats.getAttribute("aria-label"), /^The last day: failures in \d+ of 48 parts, the last from .*, in the worst 20\.00\s% answered\.$/);
      assert.match(await rowOf(page, "ntp.example").getByRole("img").getAttribute("aria-label"), /nothing is known/);
      // Without colour too: failures reach higher than what is good.
      const tops = await rowOf(page, "store.example").evaluate((row) => ["up", "down"].map((kind) => Math.min(...row.querySelector(`.beat-${kind}`).getAttribute("d").match(/M[\d.]+ ([\d.]+)/g).map((start) => Number(start.split(" ")[1])))));
      assert.ok(tops[1] < tops[0], `${tops}`);
    });
  },

  async filter_group_state_and_order_are_the_servers(browser) {
    await withPage(browser, { path: "/probes", mock: {} , ignore: [/400/] }, async ({ page, requests }) => {
      await listed(page);
      await page.keyboard.press("/");
      await page.keyboard.type("shop");
      await page.waitForFunction(() => document.querySelectorAll("tr[data-probe]").length === 1);
      assert.equal(await page.locator(".page-head .dim").innerText(), "1 of 10");
      await page.getByRole("searchbox").fill("colour:red");
      await page.getByText(/there is no field "colour"/).waitFor();
      await page.getByRole("searchbox").fill("nobody");
      await page.getByRole("button", { name: "Show all" }).click();
      await page.waitForFunction(() => document.querySelectorAll("tr[data-probe]").length === 10);
      await page.getByRole("button", { name: "Down 1" }).click();
      await page.waitForFunction(() => document.querySelectorAll("tr[data-probe]").length === 1);
      await page.getByRole("button", { name: "All", exact: true }).click();
      await page.getByRole("combobox", { name: /^Group/ }).selectOption("web");
      await page.waitForFunction(() => document.querySelectorAll("tr[data-probe]").length === 3);
      await page.getByRole("combobox", { name: /^Group/ }).selectOption("");
      await page.getByRole("button", { name: "Last", exact: true }).click();
      await page.waitForFunction(() => document.querySelector("tr[data-probe]")?.dataset.probe.startsWith("https://"));
      assert.equal(await page.locator('th[aria-sort="descending"]').innerText(), "Last");
      await page.getByLabel("Heartbeats").selectOption("30d");
      await page.waitForFunction(() => /The last 30 days/.test(document.querySelector("svg.heartbeat")?.getAttribute("aria-label") ?? ""));
      const asked = requests.map((request) => new URL(request.url())).filter((url) => url.pathname === "/api/probes");
      assert.ok(asked.some((url) => url.searchParams.get("sort") === "took" && url.searchParams.get("order") === "desc"));
      await rowOf(page, "gw.example").getByRole("link").click();
      await page.waitForSelector('[data-chart="probe-smoke"]');
      await page.goBack();
      await listed(page);
      assert.equal(await page.getByLabel("Heartbeats").inputValue(), "30d", "what was chosen is forgotten");
    });
  },

  async a_thousand_targets_come_fifty_at_a_time(browser) {
    await withPage(browser, { path: "/probes", mock: { probes: "many" } }, async ({ page, proxy }) => {
      await listed(page);
      assert.equal(await rows(page).count(), 50);
      assert.equal(await page.locator(".page-head .dim").innerText(), "1000");
      const nodes = await page.evaluate(() => document.querySelectorAll("main *").length);
      assert.ok(nodes < 2_000, `${nodes} elements`);
      await page.getByRole("button", { name: "Next" }).click();
      await page.getByText("51–100 of 1000").waitFor();
      const second = await names(page);
      assert.equal(new Set(second).size, 50);
      await page.getByRole("button", { name: "Previous" }).click();
      await page.getByText("1–50 of 1000").waitFor();
      const [first] = await names(page);
      assert.ok(!second.includes(first));
      const largest = Math.max(...proxy.seen.answers.filter((answer) => answer.path.startsWith("/api/probes")).map((answer) => answer.bytes));
      assert.ok(largest < 80_000, `${largest} bytes for one page`);
    });
  },

  async a_record_that_cannot_be_read_is_said_and_the_states_stand(browser) {
    await withPage(browser, { path: "/probes", mock: { probes: "notes" } }, async ({ page }) => {
      await page.waitForSelector("tr[data-probe]");
      await page.getByText("The history cannot be told: query timed out").waitFor();
    });
  },

  async a_pinged_target_shows_smoke_loss_and_its_budget(browser) {
    await withPage(browser, { path: `${PING}?from=now-6h&to=now`, mock: {} }, async ({ page }) => {
      await page.waitForFunction(() => /median .* 95 of 100 within .* most loss/.test(document.querySelector(".smoke")?.getAttribute("aria-label") ?? ""));
      await page.waitForSelector(".smoke canvas");
      const pixels = await painted(page);
      assert.ok(pixels.every((count) => count > PAINTED), `blank charts: ${pixels}`);
      await waitFor(async () => assert.ok((await paintedOf(page, ".smoke canvas")) > 10_000, "there is no smoke"));
      // Bars of loss hang from the upper edge, in a colour that nothing else there has.
      const loss = () =>
        page.evaluate(() => {
          const canvas = document.querySelector(".smoke canvas");
          const { data } = canvas.getContext("2d").getImageData(60, 10, canvas.width - 90, 4);
          let count = 0;
          for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 200 && data[i] > data[i + 2] + 60) count++;
          return count;
        });
      await waitFor(async () => assert.ok((await loss()) > 0, "loss is not drawn"));
      assert.match(await page.locator(".smoke-legend").innerText(), /median\s+[\d.]+\sms[^]*half[^]*nine of ten[^]*loss/);
      assert.match(await page.locator(".budget").innerText(), /99\.96\s% answered: 60\.00\s% of the error budget is left; in the last hour it went 0\.4 times/);
      for (const id of ["probe-loss", "probe-jitter", "probe-mos", "throughput"]) await waitFor(async () => assert.equal(await page.locator(`[data-chart="${id}"]`).count(), 1, id));
      assert.match(await page.title(), /gw\.example · Squirrel/);
    });
  },

  async a_drag_on_smoke_and_on_hops_zooms_all(browser) {
    for (const [path, plot] of [[PING, ".smoke[data-to] .u-over"], [PATH, ".heatmap canvas[data-to]"]]) {
      await withPage(browser, { path: `${path}?from=now-1h&to=now`, mock: {} }, async ({ page }) => {
        await page.waitForSelector(plot);
        await page.waitForFunction(() => document.querySelectorAll(".drawing[data-to] canvas").length > 0);
        const box = await page.locator(plot).boundingBox();
        const y = box.y + box.height / 2;
        await page.mouse.move(box.x + box.width * 0.4, y);
        await page.mouse.down();
        await page.mouse.move(box.x + box.width * 0.5, y, { steps: 3 });
        await page.mouse.move(box.x + box.width * 0.6, y, { steps: 3 });
        await page.mouse.up();
        await page.waitForFunction(() => new URLSearchParams(location.search).get("live") === "0");
        const [from, to] = ["from", "to"].map((name) => Date.parse(query(page).get(name)) / 1000);
        assert.ok(Math.abs(to - from - 720) < 90, `${path}: zoomed to ${to - from} s`);
        await page.waitForFunction((from) => [...document.querySelectorAll(".smoke, .heatmap canvas")].every((one) => Math.abs(Number(one.dataset.from) - from) < 2), from);
        await page.goBack();
        await page.waitForFunction(() => new URLSearchParams(location.search).get("from") === "now-1h");
      });
    }
  },

  async phases_stand_one_upon_the_other(browser) {
    await withPage(browser, { path: `/probes/shop/${encodeURIComponent("https://shop.example/")}`, mock: {} }, async ({ page }) => {
      const legend = page.locator('[data-chart="probe-http-phases"] .legend tbody th');
      await legend.nth(4).waitFor();
      assert.deepEqual(await legend.allInnerTexts(), ["resolve", "connect", "tls", "processing", "transfer"]);
      await painted(page);
      // The sum is drawn: the axis reaches beyond the largest phase alone.
      const drawing = page.locator('[data-chart="probe-http-phases"] .drawing');
      await waitFor(async () => assert.match(await drawing.getAttribute("aria-label"), /processing: [\d.]+\sms now/));
      assert.match(await page.locator(".facts").innerText(), /Certificate\s+6[01]\s?d/);
    });
  },

  async a_path_has_hops_heat_map_and_changes(browser) {
    await withPage(browser, { path: `${PATH}?from=now-6h&to=now`, mock: {} }, async ({ page }) => {
      await page.waitForFunction(() => /5 places/.test(document.querySelector(".heatmap-plot")?.getAttribute("aria-label") ?? ""));
      assert.match(await page.locator(".heatmap-plot").getAttribute("aria-label"), /loss that goes on to the end at hops 2, 4, 5;|no loss that goes on/);
      assert.match(await page.locator(".heatmap-plot").getAttribute("aria-label"), /the path changed 2 times/);
      // The sentence stands before the cells are drawn.
      await waitFor(async () => assert.ok((await paintedOf(page, ".heatmap canvas")) > 20_000, "the map is blank"));
      const hops = page.locator("[data-hops] tbody tr");
      assert.equal(await hops.count(), 5);
      assert.match(await hops.nth(1).innerText(), /62\.00\s%[^]*the loss does not continue behind it/);
      assert.equal(await hops.nth(1).locator(".trouble").count(), 0, "a router that limits its answers is no trouble");
      assert.equal(await hops.nth(3).locator(".trouble").count(), 1);
      const change = page.locator(".changes li").first();
      assert.match(await change.innerText(), /Before:[^]*198\.51\.100\.2[^]*After:[^]*198\.51\.100\.1/);
      assert.deepEqual([await change.locator(".gone").allInnerTexts(), await change.locator(".new").allInnerTexts()], [["198.51.100.2"], ["198.51.100.1"]]);
      assert.match(await page.locator("[data-changes]").innerText(), /3 older ones are not kept/);
      await page.locator(".heatmap-plot").focus();
      await page.keyboard.press("ArrowLeft");
      await page.keyboard.press("ArrowDown");
      await page.getByText(/^\d\d:\d\d:\d\d, hop 2: [\d.]+\s(ms|µs), unanswered 60\.00\s%, (which does not go on|of which)/).waitFor();
    });
  },

  async a_probe_by_hand_asks_for_the_token_and_shows_what_came(browser) {
    await withPage(browser, { path: PATH, mock: {}, ignore: [/401/] }, async ({ page, requests }) => {
      await page.getByRole("button", { name: "Probe now" }).click();
      await page.getByRole("textbox", { name: "Token" }).fill("wrong");
      await page.getByRole("button", { name: "Go on" }).click();
      await page.getByText("That is not this daemon’s token").waitFor();
      await page.getByRole("textbox", { name: "Token" }).fill(TOKEN);
      await page.getByRole("button", { name: "Go on" }).click();
      const result = page.locator('[data-run="success"]');
      await result.waitFor();
      assert.match(await result.innerText(), /It does what it should[^]*12\.3\sms[^]*an answer after 12\.3 ms/);
      assert.equal(await result.locator("tbody tr").count(), 5, "the path that was traced");
      assert.ok(requests.every((request) => !request.url().includes(TOKEN)), "the token stands in an address");
    });
    await withPage(browser, { path: "/probes/edge/store.example", mock: {} }, async ({ page }) => {
      await page.evaluate((token) => sessionStorage.setItem("squirrel.token", token), TOKEN);
      await page.getByRole("button", { name: "Probe now" }).click();
      await page.locator('[data-run="failure"]').waitFor();
      await page.getByText("What happened in the last probe").waitFor();
      await page.locator(".more li", { hasText: "no answer within 2 s" }).waitFor();
    });
  },

  async a_target_that_is_not_probed_any_more_says_so(browser) {
    await withPage(browser, { path: "/probes/edge/gone.example", mock: {}, ignore: [/404/] }, async ({ page }) => {
      await page.getByText(/no target "gone\.example" of "edge" is probed/).waitFor();
      assert.equal(await page.locator("[data-chart]").count(), 0);
    });
  },

  async hostile_targets_are_text_on_every_page(browser) {
    await withPage(browser, { path: "/probes", mock: { hostile: true } }, async ({ page }) => {
      const dialogues = [];
      page.on("dialog", (dialogue) => {
        dialogues.push(dialogue.message());
        return dialogue.dismiss();
      });
      await listed(page);
      await rows(page).first().getByRole("link").click();
      await page.waitForSelector("[data-hops] tbody tr");
      await page.waitForFunction(() => document.querySelectorAll(".drawing[data-to] canvas").length > 0);
      for (const again of [false, true]) {
        if (again) {
          await page.reload();
          await page.waitForSelector("[data-hops] tbody tr");
        }
        assert.equal(await page.locator("main img, main script, main b b").count(), 0, "an element was made of a name");
        // eslint-disable-next-line no-control-regex
        assert.doesNotMatch(await page.locator("body").innerText(), /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
        assert.doesNotMatch(await page.title(), /owned/);
      }
      assert.deepEqual(dialogues, []);
    });
  },

  async nothing_bars_those_who_do_not_see_or_point(browser) {
    for (const [path, ready] of [["/probes", "tr[data-probe] svg.heartbeat"], [PING, ".smoke canvas"], [PATH, ".heatmap canvas[data-to]"], [`/probes/shop/${encodeURIComponent("https://shop.example/")}`, ".drawing[data-to] canvas"]]) {
      for (const colorScheme of ["light", "dark"]) {
        await withPage(browser, { path, mock: {}, context: { colorScheme, reducedMotion: "reduce" } }, async ({ page }) => {
          await page.waitForSelector(ready);
          assert.deepEqual(await faultsOf(page), [], `${path} ${colorScheme}`);
        });
      }
    }
  },

  async phones_show_targets_without_sideways_scroll(browser) {
    for (const path of ["/probes", PING, PATH]) {
      await withPage(browser, { path, mock: { hostile: path === "/probes" }, context: PHONE }, async ({ page }) => {
        await page.waitForSelector("tr[data-probe] svg.heartbeat, .smoke canvas, .heatmap canvas[data-to]");
        const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
        assert.ok(content <= window, `${path}: ${content} > ${window}`);
        if (path === "/probes") await page.getByLabel("Sort").selectOption("loss");
      });
    }
  },
};
