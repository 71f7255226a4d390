// Looks at documents as a reader at 200 % and on a telephone does.
//
//   node documents.mjs PAGE.html...
//
// Prints one JSON document: per page what axe finds that is serious, how much wider than the window the page is, what
// went wrong, and what it asked the network for.
import fs from "node:fs";
import { createRequire } from "node:module";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";
import { open } from "./open.mjs";

// A window of 1440 pixels at 200 % shows 720 of them; a telephone has 390.
const SIZES = [[720, 450], [390, 844]];
const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const pages = process.argv.slice(2);
const { browser, tab, seen } = await open(pages[0]);
const said = {};
for (const page of pages) {
  await tab.goto(pathToFileURL(page).href);
  await tab.evaluate(axe);
  const found = [];
  for (const [width, height] of SIZES) {
    await tab.setViewportSize({ width, height });
    const { violations } = await tab.evaluate(() => axe.run({ resultTypes: ["violations"] }));
    found.push(...violations.filter((one) => ["serious", "critical"].includes(one.impact))
      .map((one) => `${one.id} (${one.impact}) at ${width}: ${one.nodes[0].html.slice(0, 200)}`));
    const wide = await tab.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (wide > 0) found.push(`the page is ${wide} pixels wider than ${width}`);
    // Text that is cut: a box smaller than what is in it that nobody can scroll.
    const cut = await tab.evaluate(() => [...document.querySelectorAll("body *")].filter((one) => {
      const style = getComputedStyle(one);
      return style.overflowX === "hidden" && one.scrollWidth > one.clientWidth + 1 && !one.closest("svg");
    }).length);
    if (cut > 0) found.push(`${cut} boxes are cut at ${width}`);
  }
  said[basename(page)] = found;
}
console.log(JSON.stringify({ pages: said, ...seen }));
await browser.close();
