// Answers every case of a page as a plan says, with the keyboard alone, and saves the answers to a file.
//
//   node answer.mjs PAGE.html OUT.json PLAN.json [--screenshot FILE.png]
//
// The plan has for each code `answer` (a value, a number to type, or nothing), `confidence` and `comment`. Prints
// one JSON document: the answers that the page offers with their keys, and what axe finds.
import fs from "node:fs";
import { axe, open } from "./open.mjs";

const [page, out, plan_file, ...more] = process.argv.slice(2);
const plan = JSON.parse(fs.readFileSync(plan_file, "utf8"));
const { browser, tab, seen } = await open(page);
const codes = await tab.evaluate(() => cases.map((one) => one.code));
const offered = await tab.evaluate(() => round.answers);
const labels = await tab.locator("#answers label.choice").allTextContents();
const about = await tab.locator("#scale").allTextContents();

for (const [nth, code] of codes.entries()) {
  const { answer, confidence, comment } = plan[code];
  await tab.waitForSelector(`canvas[data-shown="${code}"]`);
  const choice = offered.find((one) => one.value === answer);
  if (choice) {
    await tab.focus("#view");
    await tab.keyboard.press(choice.key);
  } else if (answer) {
    await tab.focus("#number");
    await tab.keyboard.type(answer);
    await tab.keyboard.press("Tab");
    await tab.focus("#view");
  }
  if (confidence) await tab.keyboard.press(`Shift+Digit${confidence}`);
  if (comment) {
    await tab.keyboard.press("c");
    await tab.keyboard.insertText(comment);
    await tab.keyboard.press("Escape");
  }
  if (more[0] === "--screenshot" && nth === Math.floor(codes.length / 2)) await tab.screenshot({ path: more[1] });
  await tab.focus("#view");
  if (nth + 1 < codes.length) await tab.keyboard.press("Enter");
}
const answered = await tab.textContent("#answered");
const [download] = await Promise.all([tab.waitForEvent("download"), tab.click("#export")]);
await download.saveAs(out);
const found = await axe(tab);
await browser.close();
console.log(JSON.stringify({
  labels, about, answered, keys: offered.map((one) => one.key), axe: found, requests: seen.requests, faults: seen.faults,
}));
