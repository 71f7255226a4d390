// Opens a page in headless Chromium: /usr/bin/chromium, or what SEQUESTER_CHROMIUM names.
import fs from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

/** The page in a tab, with what it asked the network for, its faults, and how often it asked before leaving. */
export async function open(page) {
  const executablePath = process.env.SEQUESTER_CHROMIUM || "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  const context = await browser.newContext({ acceptDownloads: true, viewport: { width: 1440, height: 900 } });
  const seen = { requests: [], faults: [], asked: 0 };
  // The page asks nobody for anything: whatever leaves the disk is a fault.
  context.on("request", (request) => {
    if (!/^(file|data|blob):/.test(request.url())) seen.requests.push(request.url());
  });
  const tab = await context.newPage();
  tab.on("pageerror", (error) => seen.faults.push(String(error)));
  tab.on("console", (message) => { if (message.type() === "error") seen.faults.push(message.text()); });
  // Leaving with answers that no file has asks first; going on is what the tests want.
  tab.on("dialog", (dialog) => { seen.asked += 1; dialog.accept(); });
  await tab.goto(pathToFileURL(page).href);
  return { browser, tab, seen };
}

/** What axe finds at three sizes of the window, and how much wider than each the page is. */
export async function axe(tab) {
  const require = createRequire(import.meta.url);
  await tab.evaluate(fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8"));
  const all = [];
  for (const [width, height] of [[1440, 900], [820, 1180], [390, 844]]) {
    await tab.setViewportSize({ width, height });
    const found = await tab.evaluate(() => axe.run());
    all.push(...found.violations.map((one) => `${one.id} (${one.impact}) at ${width}: ${one.nodes[0].html}`));
    const wide = await tab.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (wide > 0) all.push(`the page is ${wide} pixels wider than ${width}`);
  }
  return all;
}
