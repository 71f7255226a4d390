// Reads a page as a reader does, with the keyboard alone, and saves the answers to a file.
//
//   node read.mjs PAGE.html OUT.json [--screenshot FILE.png] [--folder]
//
// Prints one JSON document: what was answered, and what axe finds.
import { axe, open } from "./open.mjs";

const [page, out, ...more] = process.argv.slice(2);
const option = (name) => (more.includes(name) ? more[more.indexOf(name) + 1] : undefined);
const { browser, tab, seen } = await open(page);
const codes = await tab.evaluate(() => cases.map((one) => one.code));
const shown = (code) => tab.waitForSelector(`canvas[data-shown="${code}"]`);
const answers = {};
const beside = {};

/** Answers a case: the key of the answer, how sure, now and then a comment. */
async function answer(nth) {
  const key = String(1 + (nth % 4));
  await shown(codes[nth]);
  await tab.keyboard.press(key);
  await tab.keyboard.press(`Shift+Digit${1 + (nth % 5)}`);
  if (nth % 5 === 0) {
    await tab.keyboard.press("c");
    await tab.keyboard.type(`Comment 1, "${nth}" <b>&é`);
    await tab.keyboard.press("Escape");
  }
  const value = await tab.evaluate(() => document.querySelector("#answers input:checked").value);
  answers[codes[nth]] = value;
  beside[codes[nth]] = [String(1 + (nth % 5)), await tab.inputValue("#comment")];
}

// The picture: values go through the window, and the window, size and polarity change by key.
await shown(codes[0]);
const pixels = () => tab.evaluate(async () => {
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const { width, height } = canvas;
  const data = paper.getImageData(0, 0, width, height).data;
  let sum = 0;
  for (let at = 0; at < data.length; at += 4) sum += data[at];
  return sum / (data.length / 4);
});
const before = await pixels();
await tab.keyboard.press("i");
const inverted = await pixels();
await tab.keyboard.press("i");
await tab.focus("#view");
for (let step = 0; step < 8; step++) await tab.keyboard.press("Shift+ArrowUp");
const darker = await pixels();
await tab.click("#reset");
const back = await pixels();
/** What is said of the size once it is drawn. */
const size = async () => { await pixels(); return tab.textContent("#zoom"); };
await tab.keyboard.press("+");
const zoomed = await size();
await tab.keyboard.press("f");
const picture = { before, inverted, darker, back, zoomed, fitted: await size() };

const half = Math.floor(codes.length / 2);
await tab.focus("#view");
for (let nth = 0; nth < half; nth++) {
  await answer(nth);
  await tab.keyboard.press("Enter");
}
if (option("--screenshot")) {
  await shown(codes[half]);
  await tab.keyboard.press("2");
  await tab.screenshot({ path: option("--screenshot") });
}

// Reload in the middle: asked before leaving, and all answers are there again, even where the browser has
// lost what it keeps beyond this window, as Chromium does under load.
await tab.evaluate(() => addEventListener("beforeunload", () => localStorage.clear()));
await tab.reload();
await shown(codes[half]);
const resumed = await tab.textContent("#answered");
for (let nth = half; nth < codes.length; nth++) {
  await answer(nth);
  if (nth + 1 < codes.length) await tab.keyboard.press("Enter");
}
// An answer is taken back and given again.
await tab.keyboard.press("p");
await shown(codes[codes.length - 2]);
await tab.click("#clear");
const open_one = await tab.textContent("#answered");
await answer(codes.length - 2);

await tab.click("summary >> nth=0");
await tab.click("summary >> nth=1");
const found = await axe(tab);

const [download] = await Promise.all([tab.waitForEvent("download"), tab.click("#export")]);
await download.saveAs(out);
const name = download.suggestedFilename();
// Nothing is lost by leaving now, so nobody is asked.
const asked_before = seen.asked;
await tab.reload();
const asked_after_saving = seen.asked - asked_before;
// Another window of the same browser goes on with the same answers. Chromium under load may show it an older
// state at first, so it is asked until it has them, a dozen times at most; asking changes nothing.
const other = await tab.context().newPage();
let elsewhere;
for (let time = 0; time < 12 && elsewhere !== `${codes.length} of ${codes.length} answered`; time++) {
  await other.goto(tab.url());
  elsewhere = await other.textContent("#answered");
}
await browser.close();
console.log(JSON.stringify({
  answers, beside, axe: found, requests: seen.requests, faults: seen.faults, picture, resumed, open_one, name, elsewhere,
  asked: asked_before, asked_after_saving,
}));
