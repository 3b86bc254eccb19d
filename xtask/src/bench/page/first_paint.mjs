// Prints the median time, in milliseconds, to the first paint with content of the page whose address
// is the first argument. Run in the dashboard's folder, whose playwright-core it uses.
import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';

const { chromium } = createRequire(`${process.cwd()}/`)('playwright-core');
const url = process.argv.at(-1);
const executablePath = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find((path) => existsSync(path));
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const times = [];
// The first opening warms the browser, not its cache: each has a context of its own.
for (let round = 0; round < 6; round += 1) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(url, { waitUntil: 'load' });
  const time = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const seen = performance.getEntriesByName('first-contentful-paint').at(0);
        if (seen) resolve(seen.startTime);
        new PerformanceObserver((list) => {
          const entry = list.getEntriesByName('first-contentful-paint').at(0);
          if (entry) resolve(entry.startTime);
        }).observe({ type: 'paint', buffered: true });
      }),
  );
  if (round > 0) times.push(time);
  await context.close();
}
await browser.close();
times.sort((a, b) => a - b);
console.log(times[Math.floor(times.length / 2)]);
