// Looks at the evidence page as its users do, with keyboard and mouse.
//
//   node explore.mjs PAGE.html [--screenshot FILE.png]
//
// Prints one JSON document: what the page says at each step, and what axe finds.
import { axe, open } from "./open.mjs";

const [page, ...more] = process.argv.slice(2);
const { browser, tab, seen } = await open(page);
const text = (selector) => tab.textContent(selector);
const rows = () => tab.locator("#rows tr").count();
const cells = async () => Object.fromEntries(await Promise.all(["tp", "fn", "fp", "tn"].map(async (id) => [id, Number(await text(`#${id}`))])));
const locked = await cells();
await tab.focus("#threshold");
await tab.keyboard.press("Home");
const lowest = await cells();
await tab.keyboard.press("End");
await tab.keyboard.press("ArrowLeft");
const highest = await cells();
const said = await text("#said");
await tab.focus("#locked");
await tab.keyboard.press("Enter");
const back = await cells();
const all = await text("#count");
// Every box of the flow lists as many cases as it says.
const boxes = [];
for (const button of await tab.locator("[data-box]").all()) {
  const count = Number((await button.locator("strong").textContent()).replaceAll(",", ""));
  await button.focus();
  await tab.keyboard.press("Enter");
  await tab.waitForFunction(() => document.activeElement.id === "cases-title");
  boxes.push([count, Number((await text("#count")).split(" ")[0])]);
}
await tab.click("button[type=reset]");
await tab.waitForFunction((words) => document.getElementById("count").textContent === words, all);
const first = await text("#rows tr:first-child th");
await tab.fill("#find", first);
const found = await rows();
await tab.fill("#find", "");
const outcomes = {};
for (const value of ["true positive", "false negative", "false positive", "true negative"]) {
  const there = await tab.locator(`#outcome option[value="${value}"]`).count();
  if (there) await tab.selectOption("#outcome", value);
  outcomes[value] = there ? Number((await text("#count")).split(" ")[0]) : 0;
}
await tab.click("button[type=reset]");
const injected = await tab.evaluate(() => document.querySelectorAll("b, i, img, iframe, script:not([type]):not(:last-of-type)").length);
if (more[0] === "--screenshot") await tab.screenshot({ path: more[1], fullPage: true });
const violations = await axe(tab);
console.log(JSON.stringify({ locked, lowest, highest, said, back, all, boxes, found, outcomes, injected, axe: violations, ...seen }));
await browser.close();
