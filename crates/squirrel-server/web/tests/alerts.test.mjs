// The Alerts page: what fires and against what, who was told, and what can be done. All but the first against the
// mock, which knows what its alerts do.

import assert from "node:assert/strict";
import { fire, TOKEN } from "../dev/alerts.mjs";
import { painted, waitFor, withPage } from "./browser.mjs";

const place = (name) => `[data-place="${name}"]`;
const rowOf = (page, name) => page.locator("[data-alert]").filter({ has: page.locator(".alert-name").getByRole("link", { name, exact: true }) });
const ready = (page) => page.waitForSelector(".live-button.live");
/** What the browser says of an answer that a test wants to be a refusal. */
const REFUSED = [/40[01]|503/];

/** Fills in the token where it is asked for. */
async function giveToken(page, token) {
  await page.getByRole("textbox", { name: "Token" }).fill(token);
  await page.getByRole("button", { name: "Go on" }).click();
}

export const tests = {
  async the_page_of_alerts_shows_what_the_server_answers(browser) {
    await withPage(browser, { path: "/alerts" }, async ({ page }) => {
      await page.waitForSelector('.verdict .verdict-line, main [role="alert"]');
      assert.equal(await page.locator('main [role="alert"]').count(), 0, await page.locator("main").innerText());
      assert.equal(await page.locator('[data-table="channels"]').count(), 1);
      // An alert may begin or end between the page's question and this one.
      await waitFor(async () => {
        const answer = await page.evaluate(async () => (await fetch("/api/alerts")).json());
        const says = answer.alerts.some((one) => one.state === "firing") ? /fire|taken care|held back/ : /All is well: no alert fires/;
        assert.match(await page.locator(".verdict-line").innerText(), says);
      });
    });
  },

  async alerts_stand_where_they_belong_with_value_and_threshold(browser) {
    await withPage(browser, { path: "/alerts", mock: {} }, async ({ page }) => {
      await page.waitForSelector(".verdict.bad");
      assert.match(await page.locator(".verdict-line").innerText(), /2 alerts fire and wait for somebody; 1 is taken care of; 2 are held back; 1 pending\..*through chat/);
      const names = async (where) => page.locator(`${place(where)} .alert-name a`).allInnerTexts();
      assert.deepEqual(await names("open"), ["TargetDown", "LinkTransmitBusy"]);
      assert.deepEqual(await names("acknowledged"), ["CertificateExpires"]);
      assert.deepEqual(await names("held"), ["LinkFlaps", "Loss"]);
      assert.deepEqual(await names("pending"), ["ConntrackNearlyFull"]);
      assert.deepEqual(await names("over"), ["UdpReceiveDrops"]);
      const busy = rowOf(page, "LinkTransmitBusy");
      assert.match(await busy.locator(".alert-value").innerText(), /^96\.2\s% against 90\s%$/);
      assert.match(await busy.locator(".since").innerText(), /^since (\d+ \w+ )?\d\d:\d\d:\d\d, 1\d\smin$/);
      await busy.getByText("What to check first").click();
      await busy.getByText("The negotiated speed").waitFor();
      assert.match(await rowOf(page, "LinkFlaps").locator(".reasons").innerText(), /Silenced until .* by Bob: the switch is replaced/);
      assert.match(await rowOf(page, "Loss").locator(".reasons").innerText(), /Held back by TargetDown/);
      assert.match(await rowOf(page, "CertificateExpires").locator(".reasons").innerText(), /Ann takes care since .*: the new one is ordered/);
      assert.match(await page.locator(".problems").innerText(), /net\.yml:14:22: expr is no PromQL[^]*none of its rules is in force/);
      assert.match(await page.title(), /Alerts · Squirrel/);
    });
  },

  async an_alert_of_ephemeral_ports_names_the_destination(browser) {
    await withPage(browser, { path: "/alerts", mock: {} }, async ({ page, server }) => {
      fire(server.desk, "EphemeralPortsNearExhausted");
      await rowOf(page, "EphemeralPortsNearExhausted").locator(".alert-name a").click();
      const row = page.locator('[data-table="ports"] tbody tr');
      await row.waitFor();
      assert.match(await row.innerText(), /10\.0\.0\.2 port 443\s+10\.0\.0\.1\s+27948\s+27001\s+99\.0\s%/);
    });
  },

  async one_alert_has_its_chart_deliveries_and_history(browser) {
    await withPage(browser, { path: "/alerts", mock: {} }, async ({ page }) => {
      await rowOf(page, "LinkTransmitBusy").locator(".alert-name a").click();
      await page.waitForFunction(() => document.querySelector("h1")?.textContent === "LinkTransmitBusy");
      const legend = page.locator('[data-chart="alert-value"] .legend tbody tr');
      await legend.nth(1).waitFor();
      assert.deepEqual(await legend.locator("th").allInnerTexts(), ["value", "threshold"], "series of other devices are not this alert's");
      await page.waitForFunction(() => /90\.0\s%/.test(document.querySelectorAll('[data-chart="alert-value"] .legend tr')[2]?.textContent ?? ""));
      const pixels = await painted(page);
      assert.ok(pixels.every((count) => count > 500), `blank chart: ${pixels}`);
      assert.match(await page.locator('[data-table="deliveries"]').innerText(), /ops[^]*delivered[^]*250 2\.0\.0 Ok[^]*chat[^]*given up[^]*503/);
      assert.match(await page.locator('[data-table="history"]').innerText(), /told[^]*fired/);
      assert.match(await page.locator(".facts").innerText(), /Told\s+ops, chat \(given up\)[^]*Goes to\s+ops, chat/);
      const address = page.url();
      await page.reload();
      await page.waitForFunction(() => /LinkTransmitBusy · Squirrel/.test(document.title));
      assert.equal(new URL(page.url()).pathname, new URL(address).pathname);
      await page.getByRole("link", { name: "All alerts" }).click();
      await page.waitForSelector(place("open"));
    });
  },

  async an_alert_that_is_not_known_any_more_says_so(browser) {
    await withPage(browser, { path: "/alerts/00000000deadbeef", mock: {} }, async ({ page }) => {
      await page.getByText("No alert with the number 00000000deadbeef is known now").waitFor();
      assert.equal(await page.locator("[data-chart]").count(), 0);
    });
  },

  async the_token_is_asked_for_once_and_never_in_an_address(browser) {
    await withPage(browser, { path: "/alerts", mock: {}, ignore: REFUSED }, async ({ page, requests, server }) => {
      await rowOf(page, "TargetDown").getByRole("button", { name: "Acknowledge TargetDown" }).click();
      await page.getByLabel("Your name").fill("Eve");
      await page.getByLabel("Comment").fill("on my way");
      await page.getByRole("button", { name: "Acknowledge", exact: true }).click();
      await page.getByText("/var/lib/squirrel/token").waitFor();
      await giveToken(page, "not the token");
      await page.getByText("That is not this daemon’s token").waitFor();
      assert.equal(await page.evaluate(() => sessionStorage.length), 0, "a refused token is not kept");
      await giveToken(page, TOKEN);
      await page.waitForFunction((where) => /TargetDown/.test(document.querySelector(where)?.textContent ?? ""), place("acknowledged"));
      assert.match(await rowOf(page, "TargetDown").locator(".reasons").innerText(), /^Eve takes care since .*: on my way$/);
      // The list may have been asked for in its turn before the form knew that it was done.
      await page.locator(".notice", { hasText: "You take care of TargetDown" }).waitFor();
      assert.equal(await page.locator("dialog[open]").count(), 0);

      await page.getByRole("button", { name: "Take the acknowledgement of TargetDown back" }).click();
      await page.waitForFunction((where) => /TargetDown/.test(document.querySelector(where)?.textContent ?? ""), place("open"));
      assert.equal(server.desk.alerts.find((one) => one.labels.alertname === "TargetDown").acknowledgement, null);
      assert.ok(requests.every((request) => !request.url().includes(TOKEN)), "the token stands in an address");
      assert.ok(!page.url().includes(TOKEN));
      assert.ok(await page.evaluate((token) => !Object.values(localStorage).includes(token), TOKEN), "the token outlives the tab");
    });
  },

  async an_alert_is_silenced_by_its_labels_and_the_silence_ends(browser) {
    await withPage(browser, { path: "/alerts", mock: {}, ignore: REFUSED }, async ({ page, server }) => {
      await rowOf(page, "LinkTransmitBusy").getByRole("button", { name: "Silence LinkTransmitBusy" }).click();
      await page.getByText(/^Takes 1 of the 5 alerts firing now/).waitFor();
      for (const name of ["job", "severity", "instance"]) await page.getByRole("checkbox", { name: new RegExp(`^${name} = `) }).uncheck();
      await page.getByRole("combobox", { name: "For" }).fill("soon");
      await page.getByLabel("Your name").fill("Eve");
      await page.getByRole("button", { name: "Silence", exact: true }).click();
      await page.getByText("Write for how long").waitFor();
      await page.getByRole("combobox", { name: "For" }).fill("30m");
      const begun = Date.now() / 1000;
      await page.getByRole("button", { name: "Silence", exact: true }).click();
      await giveToken(page, TOKEN);
      await page.waitForFunction((where) => /LinkTransmitBusy/.test(document.querySelector(where)?.textContent ?? ""), place("held"));
      const made = server.desk.silences[0];
      assert.deepEqual(made.matchers, ['alertname="LinkTransmitBusy"', 'device="eth0"']);
      const from = made.ends_at - 1800;
      assert.ok(from > begun - 60 && from < Date.now() / 1000 + 60, `it ends at ${made.ends_at}, and was asked for after ${begun}`);
      assert.equal(made.author, "Eve");

      await page.getByRole("button", { name: /^End the silence of alertname="LinkTransmitBusy"/ }).click();
      await page.waitForFunction((where) => /LinkTransmitBusy/.test(document.querySelector(where)?.textContent ?? ""), place("open"));
      await page.getByText("2 silences are over").waitFor();
    });
  },

  async a_silence_of_ones_own_conditions_says_what_is_wrong_with_them(browser) {
    await withPage(browser, { path: "/alerts", mock: {}, ignore: REFUSED }, async ({ page, server }) => {
      await page.evaluate((token) => sessionStorage.setItem("squirrel.token", token), TOKEN);
      await page.getByRole("button", { name: "New silence…" }).click();
      await page.getByLabel("Your name").fill("Eve");
      const save = page.getByRole("button", { name: "Silence", exact: true });
      await save.click();
      await page.getByText("Name at least one condition").waitFor();
      await page.getByLabel("Conditions, one a line").fill("what is this");
      await save.click();
      await page.getByText(/"what is this" is no condition on a label/).waitFor();
      await page.getByLabel("Conditions, one a line").fill('device=~"veth.*"\n\nseverity!="critical"');
      await save.click();
      await page.waitForSelector('[data-silence="made-2"]');
      assert.deepEqual(server.desk.silences[0].matchers, ['device=~"veth.*"', 'severity!="critical"']);
    });
  },

  async a_channel_is_tried_and_its_answer_is_shown(browser) {
    await withPage(browser, { path: "/alerts", mock: {} }, async ({ page }) => {
      await page.getByRole("button", { name: "Send a test through ops" }).click();
      await page.getByRole("button", { name: "Cancel" }).click();
      assert.equal((await page.locator('[data-channel="ops"] [role="status"]').innerText()).trim(), "", "nothing was sent");
      await page.getByRole("button", { name: "Send a test through ops" }).click();
      await giveToken(page, TOKEN);
      await page.locator('[data-channel="ops"]').getByText("delivered: 250 2.0.0 Ok: queued").waitFor();
      await page.getByRole("button", { name: "Send a test through chat" }).click();
      await page.locator('[data-channel="chat"]').getByText("given up: 503 Service Unavailable").waitFor();
      assert.match(await page.locator('[data-channel="chat"] .state').innerText(), /fails/);
    });
  },

  async a_new_alert_is_counted_on_every_page_and_told_aloud(browser) {
    await withPage(browser, { path: "/alerts", mock: { alerts: "none" } }, async ({ page, server }) => {
      await page.waitForSelector(".verdict.ok");
      assert.match(await page.locator(".verdict-line").innerText(), /All is well: no alert fires\./);
      await page.getByText("Nothing fires and nothing is pending.").waitFor();
      assert.equal(await page.locator(".rail-count").count(), 0);
      fire(server.desk, "DefaultRouteGone", { severity: "critical", rank: 4, annotations: { summary: "There is no way out" } });
      await page.waitForSelector('.rail-count.bad[data-count="1"]');
      const announced = page.locator("[data-announcement]");
      assert.equal(await announced.getAttribute("aria-live"), "polite");
      assert.equal(await announced.textContent(), "New alert: There is no way out");
      await page.keyboard.press("g");
      await page.keyboard.press("o");
      await page.locator(".verdict-alerts a").waitFor();
      assert.match(await page.locator(".verdict-alerts").innerText(), /^One alert waits for somebody/);
      await page.locator(".verdict-alerts a").click();
      await page.waitForSelector(place("open"));
    });
  },

  async without_a_channel_the_page_says_that_nobody_would_be_told(browser) {
    await withPage(browser, { path: "/alerts", mock: { alerts: "none", channels: "none" } }, async ({ page }) => {
      await page.getByRole("heading", { name: "Nobody would be told" }).waitFor();
      assert.match(await page.locator(".connect pre").innerText(), /\[\[notify\.email\]\]/);
    });
  },

  async a_storm_of_alerts_is_drawn_in_part(browser) {
    await withPage(browser, { path: "/alerts", mock: { alerts: "storm" } }, async ({ page }) => {
      await page.waitForSelector(place("open"));
      assert.equal(await page.locator("[data-alert]").count(), 50);
      assert.match(await page.locator(".rail-count").innerText(), /99\+$/);
      await page.getByRole("button", { name: "Show all 1000" }).click();
      await page.waitForFunction(() => document.querySelectorAll("[data-alert]").length === 1000);
    });
  },

  async alerts_that_cannot_be_read_keep_the_last_ones_and_say_why(browser) {
    await withPage(browser, { path: "/alerts", mock: {}, ignore: REFUSED }, async ({ page }) => {
      await page.waitForSelector(place("open"));
      await page.route("**/api/alerts", (route) => route.fulfill({ status: 503, contentType: "application/json", body: '{"status":"error","error":"the daemon is about to stop"}' }));
      await page.getByText("The alerts cannot be read: the daemon is about to stop").waitFor();
      assert.equal(await rowOf(page, "TargetDown").count(), 1);
      await page.unroute("**/api/alerts");
      await page.waitForFunction(() => !document.querySelector('[role="alert"]'));
    });
  },

  async labels_and_texts_of_alerts_stay_text_at_every_width(browser) {
    for (const width of [1280, 390, 320]) {
      for (const where of ["list", "one", "form"]) {
        await withPage(browser, { path: "/alerts", mock: { hostile: true }, context: { viewport: { width, height: 800 } } }, async ({ page }) => {
          await page.waitForSelector(place("held"));
          const evil = page.locator("[data-alert]").filter({ hasText: "onerror" }).first();
          if (where === "one") {
            await evil.getByRole("link").first().click();
            await page.waitForSelector('[data-chart="alert-value"]');
          }
          if (where === "form") await evil.getByRole("button", { name: /^Silence / }).click();
          await ready(page);
          assert.doesNotMatch(await page.title(), /owned/);
          assert.equal(await page.locator("main img, main script, dialog img, dialog script, main b b, main p p").count(), 0, "an element was made of a name");
          // eslint-disable-next-line no-control-regex
          assert.doesNotMatch(await page.locator("body").innerText(), /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e]/);
          const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
          assert.ok(content <= window, `${where} at ${width}: ${content} > ${window}`);
        });
      }
    }
  },

  async alerts_are_legible_in_dark_and_light_and_reached_by_keys(browser) {
    for (const colorScheme of ["dark", "light"]) {
      await withPage(browser, { path: "/", mock: {}, context: { colorScheme } }, async ({ page }) => {
        await page.waitForSelector(".rail-count");
        await page.keyboard.press("g");
        await page.keyboard.press("l");
        await page.waitForSelector(place("over"));
        const ratios = await page.evaluate(() => {
          const luminance = (colour) => {
            const [r, g, b] = colour.match(/[\d.]+/g).slice(0, 3).map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const ratio = (a, b) => (Math.max(luminance(a), luminance(b)) + 0.05) / (Math.min(luminance(a), luminance(b)) + 0.05);
          const ground = getComputedStyle(document.querySelector(".alert-list")).backgroundColor;
          const count = getComputedStyle(document.querySelector(".rail-count"));
          const texts = [".alert-list .note", ".label", ".reasons", ".since", ".check-more summary", ".alert-value .dim", ".trouble"];
          return [["count", ratio(count.color, count.backgroundColor)], ...texts.map((text) => [text, ratio(getComputedStyle(document.querySelector(text)).color, ground)])];
        });
        for (const [text, ratio] of ratios) assert.ok(ratio >= 4.5, `${colorScheme}: contrast of ${text} is ${ratio.toFixed(2)}`);
        const button = page.getByRole("button", { name: "Acknowledge TargetDown" });
        for (let presses = 0; presses < 60 && !(await button.evaluate((one) => one === document.activeElement)); presses++) await page.keyboard.press("Tab");
        await page.keyboard.press("Enter");
        await page.getByRole("dialog", { name: "Take care of TargetDown" }).waitFor();
        await page.keyboard.press("Escape");
        await page.waitForFunction(() => !document.querySelector("dialog[open]"));
        await waitFor(async () => assert.ok(await button.evaluate((one) => one === document.activeElement), "the focus came back"));
        const tree = await page.locator("main").ariaSnapshot();
        for (const part of ['heading "Alerts"', 'heading "Firing 2"', 'region "Channels"', 'button "Silence TargetDown"']) assert.ok(tree.includes(part), `${part} in ${tree}`);
      });
    }
  },
};
