"use strict";
// Everything comes from the JSON in this page; texts of the study are set as text and never as markup.
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const SHOWN = 200;

/** What a case is called at a threshold; null where it is not in the primary analysis. */
function outcome(one, threshold) {
  if (one.status !== "analysed" || one.score === null) return null;
  const called = one.score >= threshold;
  if (one.reference === "positive") return called ? "true positive" : "false negative";
  return called ? "false positive" : "true negative";
}
for (const one of data.cases) one.outcome = outcome(one, data.threshold) ?? "";

// Operating points.
const analysed = data.cases.filter((one) => one.outcome !== "");
const positives = analysed.filter((one) => one.reference === "positive").map((one) => one.score).sort((a, b) => a - b);
const negatives = analysed.filter((one) => one.reference !== "positive").map((one) => one.score).sort((a, b) => a - b);
/** How many sorted scores are at or above a threshold. */
function above(sorted, threshold) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] >= threshold) high = middle; else low = middle + 1;
  }
  return sorted.length - low;
}
const SVG = "http://www.w3.org/2000/svg";
const SIDE = 320;
const AT = [48, 12];
function element(name, attributes, words) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  if (words !== undefined) made.textContent = words;
  return made;
}
const place = (fp, tp) => [AT[0] + fp * SIDE, AT[1] + (1 - tp) * SIDE];
function point(threshold) {
  return place(above(negatives, threshold) / Math.max(1, negatives.length), above(positives, threshold) / Math.max(1, positives.length));
}
const svg = element("svg", { viewBox: `0 0 ${SIDE + 64} ${SIDE + 56}`, role: "img", "aria-labelledby": "roc-name" });
svg.append(element("title", { id: "roc-name" }, `ROC curve of ${positives.length} positive and ${negatives.length} negative cases`));
for (let tick = 0; tick <= 10; tick += 2) {
  const [x, y] = place(tick / 10, tick / 10);
  svg.append(element("line", { x1: x, y1: AT[1], x2: x, y2: AT[1] + SIDE, stroke: "#dfe3e8" }));
  svg.append(element("line", { x1: AT[0], y1: y, x2: AT[0] + SIDE, y2: y, stroke: "#dfe3e8" }));
  svg.append(element("text", { x, y: AT[1] + SIDE + 16, "font-size": 12, "text-anchor": "middle" }, (tick / 10).toFixed(1)));
  svg.append(element("text", { x: AT[0] - 6, y: y + 4, "font-size": 12, "text-anchor": "end" }, (tick / 10).toFixed(1)));
}
svg.append(element("text", { x: AT[0] + SIDE / 2, y: AT[1] + SIDE + 36, "font-size": 13, "text-anchor": "middle" }, "1 \u2212 specificity"));
const turned = `rotate(-90 12 ${AT[1] + SIDE / 2})`;
svg.append(element("text", { x: 12, y: AT[1] + SIDE / 2, "font-size": 13, "text-anchor": "middle", transform: turned }, "Sensitivity"));
const steps = [...new Set(analysed.map((one) => one.score))].sort((a, b) => b - a);
const curve = [place(0, 0), ...steps.map(point)].map((at) => at.map((v) => v.toFixed(2)).join(",")).join(" ");
svg.append(element("polyline", { points: curve, fill: "none", stroke: "#1f4e8c", "stroke-width": 2 }));
const [lockedX, lockedY] = point(data.threshold);
svg.append(element("path", { d: `M${lockedX - 7} ${lockedY}h14M${lockedX} ${lockedY - 7}v14`, stroke: "#1b1f24", "stroke-width": 2 }));
const dot = element("circle", { r: 6, fill: "#b3431e" });
svg.append(dot);
byId("roc").append(svg);

const share = (part, whole) => (whole === 0 ? "not evaluable" : `${(100 * part / whole).toFixed(1)}%`);
function operate(threshold, words) {
  const [tp, fp] = [above(positives, threshold), above(negatives, threshold)];
  byId("tp").textContent = tp;
  byId("fn").textContent = positives.length - tp;
  byId("fp").textContent = fp;
  byId("tn").textContent = negatives.length - fp;
  const [x, y] = point(threshold);
  dot.setAttribute("cx", x);
  dot.setAttribute("cy", y);
  byId("at").textContent = words;
  byId("threshold").setAttribute("aria-valuetext", words);
  byId("said").textContent = `Sensitivity ${share(tp, positives.length)} (${tp}/${positives.length}), specificity ` +
    `${share(negatives.length - fp, negatives.length)} (${negatives.length - fp}/${negatives.length}); no interval, and no result.`;
}
const slider = byId("threshold");
slider.addEventListener("input", () => operate(slider.value / 1000, (slider.value / 1000).toFixed(3)));
function lock() {
  slider.value = Math.round(data.threshold * 1000);
  operate(data.threshold, `${data.threshold} (locked)`);
}
byId("locked").addEventListener("click", lock);
lock();

// Cases.
const filters = { status: byId("status"), reference: byId("reference"), outcome: byId("outcome") };
for (const [key, select] of Object.entries(filters)) {
  for (const value of [...new Set(data.cases.map((one) => one[key]))].filter((value) => value !== "").sort()) {
    const option = document.createElement("option");
    option.value = value;
    option.textContent = value;
    select.append(option);
  }
}
let box = null;
let shown = SHOWN;
function matches(one) {
  const words = byId("find").value.trim().toLowerCase();
  return Object.entries(filters).every(([key, select]) => select.value === "" || one[key] === select.value) &&
    (box === null || one.boxes.includes(box)) &&
    (words === "" || [one.id, one.patient, one.readers].some((text) => text.toLowerCase().includes(words)));
}
function list() {
  const found = data.cases.filter(matches);
  byId("rows").replaceChildren(...found.slice(0, shown).map((one) => {
    const row = document.createElement("tr");
    const cells = [one.id, one.patient, one.status, one.reference, one.how, one.score === null ? one.refused : String(one.score), one.outcome, one.readers];
    cells.forEach((text, nth) => {
      const cell = document.createElement(nth === 0 ? "th" : "td");
      if (nth === 0) cell.scope = "row";
      cell.textContent = text;
      row.append(cell);
    });
    return row;
  }));
  const name = box === null ? "" : `: ${document.querySelector(`[data-box="${box}"] span`).textContent}`;
  byId("count").textContent = `${found.length} of ${data.cases.length} cases${name}`;
  byId("more").hidden = found.length <= shown;
}
byId("filters").addEventListener("input", () => { shown = SHOWN; list(); });
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("filters").addEventListener("reset", () => { box = null; shown = SHOWN; setTimeout(list); });
byId("more").addEventListener("click", () => { shown += 5 * SHOWN; list(); });
document.querySelectorAll("[data-box]").forEach((button) => button.addEventListener("click", () => {
  byId("filters").reset();
  box = Number(button.dataset.box);
  setTimeout(() => byId("cases-title").focus());
}));
list();
