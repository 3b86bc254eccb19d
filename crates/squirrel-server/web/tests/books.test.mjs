// Where the bytes of an interface went: the section of its page. The first test asks the daemon where there is one; the
// others the mock, which knows its bytes.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { devices } from "../dev/series.mjs";
import { waitFor, withPage } from "./browser.mjs";
import { load } from "./units.test.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PHONE = { viewport: { width: 320, height: 700 }, isMobile: true, hasTouch: true };
const ROW = '[data-books="row"]';
const PARTS = ["attributed", "headers", "forwarded", "kernel", "unexplained"];

const plain = (text) => text.replace(/\s+/g, " ").trim();
const asOf = async (page) => Number(await page.locator("[data-as-of]").getAttribute("data-as-of"));
const section = async (page) => plain(await page.locator("[data-books]").innerText());
/** What a row of the table shows: the figures and shares of both directions. */
const figures = async (page, row) => (await page.locator(`${row} td`).allInnerTexts()).map(plain);
/** Questions for books that the page has asked by now. */
const asked = (requests) => requests.filter((request) => new URL(request.url()).pathname === "/api/live/books");

/** All that axe finds within the section: rules of WCAG 2.2, levels A and AA. */
async function faultsOf(page) {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const found = await globalThis.axe.run(".books", { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] });
    return found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`);
  });
}

/** Answers questions for books with a failure, until it is taken back. */
const fail = (page, status, error) =>
  page.route("**/api/live/books*", (route) => route.fulfill({ status, contentType: "application/json", body: JSON.stringify({ status: "error", errorType: "timeout", error }) }));

export const tests = {
  async the_figures_of_the_books_are_those_of_the_api(browser) {
    const { show } = await load("lib/units.ts");
    const { shareText } = await load("lib/share.ts");
    await withPage(browser, { path: "/interfaces/lo" }, async ({ page }) => {
      await page.waitForSelector(ROW);
      // Bytes go on while both are asked: the answer and the page must be of one moment.
      await waitFor(async () => {
        const answer = await page.evaluate(async () => (await fetch("/api/live/books?interface=lo")).json());
        const shown = await page.evaluate(() => ({
          time: Number(document.querySelector("[data-as-of]").dataset.asOf),
          totals: [...document.querySelectorAll("[data-way] .number")].map((one) => one.textContent),
          source: document.querySelector(".books-source").textContent,
          parts: [...document.querySelectorAll("tr[data-part]")].map((row) => [row.dataset.part, ...[...row.querySelectorAll("td")].map((cell) => cell.textContent)]),
        }));
        assert.equal(shown.time, answer.time);
        const row = answer.interfaces.find((one) => one.namespace_name === null);
        assert.deepEqual(shown.totals, [row.receive_bytes, row.transmit_bytes].map((bytes) => show(bytes, "traffic", "bits")));
        assert.equal(shown.source, row.source);
        const about = (bytes) => (row.source === "sampled" && bytes > 0 ? "~" : "");
        const cell = (part, way) => {
          const bytes = row[`${part}_${way}_bytes`];
          return `${about(bytes)}${show(bytes, "traffic", "bits")} ${shareText(bytes / row[`${way}_bytes`])}`;
        };
        assert.deepEqual(shown.parts, PARTS.map((part) => [part, cell(part, "receive"), cell(part, "transmit")]));
        for (const way of ["receive", "transmit"]) {
          assert.equal(PARTS.reduce((sum, part) => sum + row[`${part}_${way}_bytes`], 0), row[`${way}_bytes`], "the parts are not the counter");
        }
      });
    });
  },

  async each_part_has_its_piece_figure_share_and_reason(browser) {
    await withPage(browser, { path: "/interfaces/eth0", mock: {} }, async ({ page }) => {
      await page.waitForSelector(ROW);
      const pieces = (way) => page.locator(`[data-way="${way}"] rect[class^="part-"]`).evaluateAll((all) => all.map((one) => [one.getAttribute("class"), one.getBoundingClientRect().width]));
      for (const way of ["receive", "transmit"]) {
        const drawn = await pieces(way);
        assert.deepEqual(drawn.map(([name]) => name), PARTS.map((part) => `part-${part}`), way);
        const bar = await page.locator(`[data-way="${way}"] svg`).evaluate((one) => one.getBoundingClientRect().width);
        // A millionth is seen too, and the bar is full.
        assert.ok(drawn.every(([, width]) => width >= bar * 0.007), `${way}: ${drawn}`);
        assert.ok(Math.abs(drawn.reduce((sum, [, width]) => sum + width, 0) - bar) < 8, `${way}: ${drawn} of ${bar}`);
      }
      assert.equal(await page.locator(".books-reason").count(), 1, "only what is unexplained has its reason unasked");
      await page.getByRole("button", { name: "Show reasons" }).click();
      const [kernel] = await figures(page, 'tr[data-part="kernel"]');
      assert.match(kernel, /^~[\d.]+ GB 0\.85 %$/);
      assert.deepEqual(await page.locator(".books-entry").evaluateAll((rows) => rows.map((row) => row.dataset.reason)), ["multicast", "icmp"]);
      assert.match(plain(await page.locator('tr[data-reason="icmp"]').innerText()), /^icmp ICMP and ICMPv6: echoes, errors, neighbour discovery\. ~/);
      assert.match(plain(await page.locator('tr[data-part="forwarded"]').innerText()), /^Forwarded routed Packets that this host passed on .* ~[\d.]+ GB 11\.00 % /);
      assert.equal(plain(await page.locator("[data-unexplained]").innerText()), "Unexplained: 0.37 % of what was received, and <0.01 % of what was transmitted.");
      assert.match(plain(await page.locator('tr[data-part="unexplained"]').innerText()), /^Unexplained unknown No counter of the kernel tells what this was/);
      await page.reload();
      await page.waitForSelector(".books-entry");
      await page.getByRole("button", { name: "Hide reasons", expanded: true }).click();
      await waitFor(async () => assert.equal(await page.locator(".books-entry").count(), 0));
    });
  },

  async those_who_do_not_see_the_bars_are_told_them(browser) {
    await withPage(browser, { path: "/interfaces/eth0", mock: {} }, async ({ page }) => {
      const received = page.getByRole("img", { name: /^Received / });
      await received.waitFor();
      assert.match(
        plain(await received.getAttribute("aria-label")),
        /^Received [\d.]+ GB: attributed to processes about [\d.]+ GB, 83\.4\d %; headers and retransmissions about [\d.]+ GB, 4\.30 %; forwarded about [\d.]+ GB, 11\.00 %; other kernel traffic about [\d.]+ GB, 0\.85 %; unexplained about [\d.]+ MB, 0\.37 %\.$/,
      );
      assert.equal(await page.getByRole("img", { name: /^Transmitted / }).count(), 1);
      await page.getByRole("region", { name: "Where its bytes went" }).waitFor();
      await page.getByRole("rowheader", { name: /^Attributed to processes/ }).waitFor();
    });
    for (const colorScheme of ["light", "dark"]) {
      for (const [books, ready] of [[undefined, ROW], ["exact", ROW], ["off", '[data-books="empty"] .note']]) {
        await withPage(browser, { path: "/interfaces/eth0", mock: { books }, context: { colorScheme, reducedMotion: "reduce" }, ignore: [/503/] }, async ({ page }) => {
          await page.waitForSelector(ready);
          if (ready === ROW) await page.getByRole("button", { name: "Show reasons" }).click();
          assert.deepEqual(await faultsOf(page), [], `${books} ${colorScheme}`);
        });
      }
    }
  },

  async it_is_said_how_well_it_is_known_and_what_would_make_it_exact(browser) {
    for (const [books, badge, words] of [
      [undefined, "sampled", /worked out from what sockets and protocols count\. With level = "packets" under \[accounting\] .* exact from the next start/],
      ["own", "sampled", /With level = "packets" .* At the present level, own: To see the owners of all sockets run as root/],
      ["exact", "exact", /^Exact: the kernel counts each packet of this interface\.$/],
      ["late", "sampled", /counted by now, and was not from the beginning\. It is exact where level = "packets"/],
      ["refused", "sampled", /was asked for and cannot be had: this kernel has no tcx, which came with Linux 6\.6\.$/],
    ]) {
      await withPage(browser, { path: "/interfaces/eth0", mock: { books } }, async ({ page }) => {
        await page.waitForSelector(ROW);
        assert.equal(await page.locator(".books-source").innerText(), badge, books);
        assert.match(plain(await page.locator("[data-exactness]").innerText()), words, books);
        const text = await section(page);
        assert.equal(/~/.test(text), badge === "sampled", `${books}: what is worked out is marked, and nothing else`);
        assert.equal(/One connection in 4 is followed.*12 events of the kernel never arrived/.test(text), books === "refused");
      });
    }
  },

  async the_books_are_those_of_this_hosts_interface_and_not_of_a_containers(browser) {
    await withPage(browser, { path: "/interfaces/eth0", mock: {} }, async ({ page, requests }) => {
      await page.waitForSelector(ROW);
      assert.match(plain(await page.locator('[data-way="receive"]').innerText()), /^Received \d+ GB$/, "the container's eth0 carried less than 10 MB");
      const [first] = asked(requests);
      assert.equal(new URL(first.url()).searchParams.get("interface"), "eth0", "only its own rows are asked for");
    });
  },

  async no_books_say_why_there_are_none(browser) {
    for (const [path, books, words] of [
      ["/interfaces/eth0", "off", /Nobody counts whose bytes these are\. Switched off by level under \[accounting\] in the configuration\. With level = "sockets" the books are kept/],
      ["/interfaces/eth0", "absent", /The books have no row of this interface: it is not there any more, or came after they were closed at \d\d:\d\d:\d\d/],
      ["/interfaces/gone0", undefined, /The books have no row of this interface/],
      ["/interfaces/eth2", undefined, /Nothing was received or transmitted\./],
    ]) {
      await withPage(browser, { path, mock: { books }, ignore: [/503/] }, async ({ page }) => {
        await waitFor(async () => assert.match(await section(page), words));
        assert.equal(await page.locator("[data-books] table").count(), 0, `${path}: a table of nothing`);
        await page.waitForSelector(".chart");
      });
    }
  },

  async a_failed_question_keeps_the_last_answer_and_says_since_when(browser) {
    await withPage(browser, { path: "/interfaces/eth0", mock: {}, ignore: [/503/] }, async ({ page }) => {
      await page.waitForSelector(ROW);
      await fail(page, 503, "too many questions at once");
      const note = page.locator(".books-failure");
      await note.waitFor();
      const time = await asOf(page);
      const clock = new Date(time * 1000).toISOString().slice(11, 19);
      // Around midnight the day stands before it.
      assert.match(plain(await note.innerText()), new RegExp(`^No newer figures since (\\d+ \\w+ )?${clock}: too many questions at once$`));
      assert.match((await figures(page, 'tr[data-part="attributed"]'))[0], /^~\d+ GB 83\.\d\d %$/, "what was known went away");
      await page.unroute("**/api/live/books*");
      // Nobody has to do anything for the page to come right again.
      await note.waitFor({ state: "detached" });
      assert.ok((await asOf(page)) > time);
    });
  },

  async a_first_question_that_failed_is_asked_again(browser) {
    await withPage(browser, { path: "/interfaces", mock: {}, ignore: [/500/] }, async ({ page }) => {
      await fail(page, 500, "the picture could not be drawn");
      await page.locator('tr[data-device="eth0"] a').click();
      await page.getByText("Nothing is known of it now: the picture could not be drawn").waitFor();
      await page.unroute("**/api/live/books*");
      await page.waitForSelector(ROW);
      assert.equal(await page.locator(".books-failure").count(), 0);
    });
  },

  async the_books_go_with_the_page_and_stand_with_it(browser) {
    await withPage(browser, { path: "/interfaces/eth0", mock: {} }, async ({ page, requests }) => {
      await page.waitForSelector(ROW);
      const first = await asOf(page);
      await waitFor(async () => assert.ok((await asOf(page)) > first, "the books are not asked for again"));
      const edge = () => page.evaluate(() => document.querySelector(".live-button").textContent);
      await page.keyboard.press("Space");
      await page.waitForSelector(".live-button.paused");
      // The stream goes on while the screen stands: four of its readings pass, and no question is asked in them.
      const readings = () => page.evaluate(() => new Promise((done) => {
        let left = 4;
        const stream = new EventSource("/api/stream");
        stream.addEventListener("tick", () => {
          if (--left === 0) { stream.close(); done(null); }
        });
      }));
      const [held, before] = [await asOf(page), asked(requests).length];
      await readings();
      assert.equal(asked(requests).length, before, `asked while the screen is stopped: ${await edge()}`);
      assert.equal(await asOf(page), held, "the books went on while the screen is stopped");
      await page.keyboard.press("Space");
      await waitFor(async () => assert.ok((await asOf(page)) > held, "the books do not go on"));
      const hide = (hidden) => page.evaluate((hidden) => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      }, hidden);
      await hide(true);
      const [hiddenAt, unseen] = [await asOf(page), asked(requests).length];
      await readings();
      assert.equal(asked(requests).length, unseen, "asked for a page that nobody sees");
      await hide(false);
      await waitFor(async () => assert.ok((await asOf(page)) > hiddenAt, "the books do not go on"));
    });
  },

  async phones_show_the_books_without_sideways_scroll(browser) {
    for (const [device, books] of [["eth0", undefined], ["eth0", "refused"], ["a".repeat(15), undefined]]) {
      await withPage(browser, { path: `/interfaces/${device}`, mock: { books, hostile: true }, context: PHONE }, async ({ page }) => {
        await page.waitForSelector(ROW);
        await page.getByRole("button", { name: "Show reasons" }).click();
        const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
        assert.ok(content <= window, `${device}: ${content} > ${window}`);
        const outside = await page.locator(".books *").evaluateAll((all) => all.filter((one) => !one.closest(".sr-only, thead, title") && one.getBoundingClientRect().right > 320).map((one) => one.outerHTML.slice(0, 90)));
        assert.deepEqual(outside, [], `${device}: something stands beyond the edge`);
        const cells = await page.locator('tr[data-part="kernel"] td').evaluateAll((all) => all.map((one) => [...one.children].map((part) => part.getBoundingClientRect()).reduce((right, box) => Math.max(right, box.right), 0)));
        const second = await page.locator('tr[data-part="kernel"] td').nth(1).evaluate((one) => one.getBoundingClientRect().left);
        assert.ok(cells[0] <= second, `${device}: the figures of one direction reach into those of the other`);
      });
    }
  },

  async hostile_names_have_books_and_stay_text(browser) {
    for (const { device } of devices(true).slice(devices(false).length)) {
      await withPage(browser, { path: `/interfaces/${encodeURIComponent(device)}`, mock: { hostile: true } }, async ({ page }) => {
        await page.waitForSelector(ROW);
        assert.match(await section(page), /9\d\d MB|1\.\d\d GB/, `${device}: the books are another's`);
        assert.equal(await page.locator("main img, main script").count(), 0, "an element was made of a name");
        assert.doesNotMatch(await page.title(), /owned/);
      });
    }
  },
};
