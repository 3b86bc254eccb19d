// The range of the page: zooming, pausing, the address, and the way back.

import assert from "node:assert/strict";
import { drag, drawn, plotBox, query, ranges, waitFor, withPage } from "./browser.mjs";

export const tests = {
  async a_drag_zooms_every_chart_and_back_undoes_it(browser) {
    await withPage(browser, { context: { viewport: { width: 1280, height: 1200 } } }, async ({ page }) => {
      await drawn(page);
      const [before] = await ranges(page);
      await drag(page, 0.3, 0.6);
      await page.waitForFunction(() => new URL(location.href).searchParams.get("live") === "0");
      const [from, to] = [Date.parse(query(page).get("from")) / 1000, Date.parse(query(page).get("to")) / 1000];
      const share = (to - from) / (before.to - before.from);
      assert.ok(share > 0.25 && share < 0.35, `the zoom shows ${share} of what it was`);
      await page.waitForFunction(
        ([from, to]) => {
          const near = [...document.querySelectorAll(".drawing[data-from]")].filter((one) => one.getBoundingClientRect().top < innerHeight);
          return near.length > 1 && near.every((one) => Number(one.dataset.from) === from && Number(one.dataset.to) === to);
        },
        [from, to],
      );
      await page.goBack();
      await page.waitForFunction(
        (span) => [...document.querySelectorAll(".drawing[data-from]")].some((one) => Math.abs(Number(one.dataset.to) - Number(one.dataset.from) - span) < 1),
        before.to - before.from,
      );
      assert.notEqual(query(page).get("live"), "0");
    });
  },

  async double_click_and_z_zoom_out(browser) {
    await withPage(browser, {}, async ({ page }) => {
      await drawn(page);
      await drag(page, 0.4, 0.7);
      await page.waitForFunction(() => location.search.includes("live=0"));
      await page.keyboard.press("z");
      await page.waitForFunction(() => !location.search.includes("live=0"));
      await drag(page, 0.2, 0.5);
      await page.waitForFunction(() => location.search.includes("live=0"));
      const box = await plotBox(page);
      await page.mouse.dblclick(box.x + box.width / 2, box.y + box.height / 2);
      await page.waitForFunction(() => !location.search.includes("live=0"));
    });
  },

  async the_address_holds_the_range(browser) {
    const to = Math.floor(Date.now() / 1000) - 30;
    const from = to - 120;
    const iso = (time) => new Date(time * 1000).toISOString().replace(".000Z", "Z");
    await withPage(browser, { path: `/?from=${iso(from)}&to=${iso(to)}&live=0` }, async ({ page }) => {
      await page.waitForSelector(".drawing[data-from] canvas");
      assert.deepEqual((await ranges(page))[0], { from, to });
      await page.getByRole("button", { name: /go live/ }).click();
      await page.waitForFunction(() => location.search.includes("live=1"));
      await page.locator(".presets").getByRole("button", { name: "5 min", exact: true }).click();
      await page.waitForFunction(() => location.search === "?from=now-5m&to=now&live=1");
      await page.waitForFunction(() => {
        const one = document.querySelector(".drawing[data-from]");
        return Math.round(Number(one.dataset.to) - Number(one.dataset.from)) === 300;
      });
      await page.keyboard.press("t");
      await page.getByPlaceholder("45m, 3h, 2d").fill("nonsense");
      await page.keyboard.press("Enter");
      await page.getByRole("alert").waitFor();
      await page.getByPlaceholder("45m, 3h, 2d").fill("45m");
      await page.keyboard.press("Enter");
      await page.waitForFunction(() => location.search === "?from=now-45m&to=now&live=1");
    });
  },

  async space_stops_the_screen_and_space_follows_again(browser) {
    await withPage(browser, {}, async ({ page }) => {
      await drawn(page);
      await page.keyboard.press("Space");
      await page.waitForSelector(".live-button.paused");
      assert.equal(query(page).get("live"), "0");
      // The charts are drawn up to whole seconds, as the address has them, in the frame after that.
      await page.waitForFunction(() => {
        const { from, to } = document.querySelector(".drawing[data-to]").dataset;
        const address = new URLSearchParams(location.search);
        return Number(from) * 1000 === Date.parse(address.get("from")) && Number(to) * 1000 === Date.parse(address.get("to"));
      });
      const [stopped] = await ranges(page);
      await page.waitForFunction(() => /[3-9]\D*s behind/.test(document.querySelector(".live-button").textContent));
      assert.deepEqual((await ranges(page))[0], stopped);
      await page.keyboard.press("Space");
      await page.waitForSelector(".live-button.live");
      await page.waitForFunction((to) => Number(document.querySelector(".drawing[data-to]").dataset.to) > to, stopped.to);
    });
  },

  async a_resting_pointer_pauses_softly_and_crosshairs_agree(browser) {
    await withPage(browser, { context: { viewport: { width: 1280, height: 1200 } } }, async ({ page }) => {
      await drawn(page);
      const rest = async (shift) => {
        const box = await plotBox(page);
        await page.mouse.move(box.x + box.width * 0.5 + shift, box.y + box.height / 2);
      };
      await rest(0);
      await page.waitForFunction(() => /Paused, ([2-9]|\d\d+) *s behind/.test(document.querySelector(".live-button.soft")?.textContent.replace(/\s/g, " ") ?? ""));
      // A chart that was drawn anew after the pointer had come learns of it when it moves again.
      let moves = 0;
      await waitFor(async () => {
        await rest(++moves % 2);
        const times = await page.evaluate(() =>
          [...document.querySelectorAll(".chart")]
            .filter((chart) => chart.querySelector(".drawing canvas") && chart.querySelector(".legend") && chart.getBoundingClientRect().top < innerHeight)
            .map((chart) => chart.querySelector(".legend thead th.value").textContent),
        );
        assert.ok(times.length > 1 && times.every((time) => /^\d\d:\d\d:\d\d$/.test(time)), `legends show ${times}`);
        const seconds = times.map((time) => time.split(":").reduce((sum, part) => sum * 60 + Number(part), 0));
        const apart = Math.max(...seconds) - Math.min(...seconds);
        assert.ok(Math.min(apart, 86_400 - apart) <= 5, `crosshairs stand at ${times}`);
      });
      const box = await plotBox(page);
      await page.mouse.move(box.x + 5, box.y - 60);
      await page.waitForSelector(".live-button.live");
    });
  },

  async two_fingers_zoom_and_one_moves_the_crosshair(browser) {
    const context = { viewport: { width: 390, height: 1400 }, isMobile: true, hasTouch: true };
    await withPage(browser, { context }, async ({ page }) => {
      await drawn(page);
      // Without a series of its own there is nothing that a crosshair could show.
      await page.waitForFunction(() => document.querySelector(".chart .legend tbody tr")?.closest(".chart") === document.querySelector(".chart"));
      const touch = await page.context().newCDPSession(page);
      let box = await plotBox(page);
      const fingers = (...places) => places.map((place, id) => ({ id, x: box.x + box.width * place, y: box.y + box.height / 2 }));
      await touch.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: fingers(0.5) });
      await touch.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
      await page.waitForFunction(() => /^\d\d:\d\d:\d\d$/.test(document.querySelector(".legend thead th.value")?.textContent ?? ""));
      const [before] = await ranges(page);
      // The verdict above may have come meanwhile, and moved the chart.
      box = await plotBox(page);
      await touch.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: fingers(0.4, 0.6) });
      await touch.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: fingers(0.3, 0.7) });
      await touch.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: fingers(0.2, 0.8) });
      await touch.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
      await page.waitForFunction(() => location.search.includes("live=0"));
      const share = (Date.parse(query(page).get("to")) - Date.parse(query(page).get("from"))) / 1000 / (before.to - before.from);
      assert.ok(share > 0.3 && share < 0.37, `two fingers showed ${share} of what it was`);
    });
  },

  async every_key_of_the_sheet_works(browser) {
    await withPage(browser, {}, async ({ page }) => {
      await drawn(page);
      await page.keyboard.press("?");
      await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor({ state: "hidden" });
      assert.equal(await page.locator(".unit-switch").textContent(), "bit");
      await page.keyboard.press("u");
      await page.waitForFunction(() => document.querySelector(".unit-switch").textContent === "B");
      await page.waitForFunction(() => /B\/s/.test(document.querySelector('[data-tile="throughput"] .suffix').textContent));
      await page.keyboard.press("d");
      assert.equal(await page.locator("html").getAttribute("data-theme"), "dark");
      await page.keyboard.press("d");
      assert.equal(await page.locator("html").getAttribute("data-theme"), "light");
      await page.keyboard.press("ArrowLeft");
      await page.waitForFunction(() => location.search.includes("live=0"));
      await page.keyboard.press("ArrowRight");
      await page.keyboard.press("ArrowRight");
      await page.waitForSelector(".live-button.live");
      await page.keyboard.press("g");
      await page.keyboard.press("i");
      await page.waitForFunction(() => location.pathname === "/interfaces");
      await page.keyboard.press("g");
      await page.keyboard.press("o");
      await page.waitForFunction(() => location.pathname === "/");
      await page.reload();
      assert.equal(await page.locator("html").getAttribute("data-theme"), "light", "the theme was forgotten");
    });
  },
};
