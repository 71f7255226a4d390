// The page on which a reader reads: shows one case after the other, keeps the answers in this browser, and
// gives them as a file. It loads nothing, sends nothing, and knows no case but by its code.
"use strict";

const round = JSON.parse(document.getElementById("round").textContent);
const cases = round.cases;
const by = (id) => document.getElementById(id);

// ---------------------------------------------------------------------------------------------------------
// The answers, and where they are kept.

const KEPT_AS = `sequester:${round.worklist}`;

/** Answers so far: of this browser where it has some for this very page, else none. */
function begun() {
  const kept = [() => localStorage, () => sessionStorage].map(keptIn).filter(Boolean);
  const [latest] = kept.sort((one, other) => (other.kept || 0) - (one.kept || 0));
  return { session: newSession(), opened: now(), exported: null, at: 0, reads: {}, kept: 0, ...latest };
}

function keptIn(place) {
  try {
    const kept = JSON.parse(place().getItem(KEPT_AS));
    return kept && typeof kept.session === "string" && kept.reads ? kept : null;
  } catch {
    return null;
  }
}

function newSession() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function now() {
  return new Date().toISOString();
}

const state = begun();
state.at = Math.min(Math.max(0, Math.trunc(state.at) || 0), cases.length - 1);
let elsewhere = false;

/** The read of a case; made empty where there is none. */
function readOf(code) {
  if (!state.reads[code]) {
    state.reads[code] = {
      answer: null, confidence: null, comment: "", shown_at: null, answered_at: null, seconds: 0, changes: 0,
    };
  }
  return state.reads[code];
}

function isAnswered(code) {
  return Boolean(state.reads[code] && state.reads[code].answer !== null);
}

function answeredCount() {
  return cases.filter((one) => isAnswered(one.code)).length;
}

/**
 * Keeps everything in this browser; says so, or says loudly that it cannot. Kept twice: Chromium under load
 * gave a page that was loaded again an older state of the local storage, or none, while that of the session,
 * which ends with the window, was whole. Of the two the later counts.
 */
function keep() {
  if (elsewhere) return;
  state.kept += 1;
  const text = JSON.stringify(state);
  putIn(() => sessionStorage, text);
  if (putIn(() => localStorage, text)) {
    by("saved").textContent = `Kept in this browser at ${new Date().toLocaleTimeString()}.`;
  } else {
    cannotKeep();
  }
}

function putIn(place, text) {
  try {
    place().setItem(KEPT_AS, text);
    return true;
  } catch {
    return false;
  }
}

/** Whether answers can be kept, without touching those that are. */
function tryToKeep() {
  try {
    localStorage.setItem(`${KEPT_AS}:trial`, "");
    localStorage.removeItem(`${KEPT_AS}:trial`);
  } catch {
    cannotKeep();
  }
}

function cannotKeep() {
  notice("This browser does not keep the answers. Save them to a file before you close the page.");
}

function notice(text) {
  by("notice").textContent = text;
  by("notice").hidden = false;
}

function say(text) {
  by("live").textContent = text;
}

// Another tab with this page writes over what is answered here.
window.addEventListener("storage", (event) => {
  if (event.key !== KEPT_AS) return;
  elsewhere = true;
  notice("This page is open in another window too, and answers are kept there. Close this one.");
  document.querySelectorAll("#answer input, #answer textarea, #answer button").forEach((one) => {
    one.disabled = true;
  });
});

/** What was answered, without times. */
function said() {
  const of = (code) => { const read = readOf(code); return [read.answer, read.confidence, read.comment]; };
  return sha256(JSON.stringify(cases.map(({ code }) => of(code))));
}

/** Whether there are answers that no file has yet. */
function isUnsaved() {
  return answeredCount() > 0 && state.exported !== said();
}

window.addEventListener("beforeunload", (event) => {
  clockOut();
  if (state.kept > 0) keep();
  if (isUnsaved()) {
    event.preventDefault();
    event.returnValue = "";
  }
});

// ---------------------------------------------------------------------------------------------------------
// Time on each case, while the page can be seen.

let since = null;

function clockIn() {
  since = document.visibilityState === "visible" ? performance.now() : null;
}

function clockOut() {
  if (since === null) return;
  const read = readOf(cases[state.at].code);
  read.seconds = Math.round((read.seconds + (performance.now() - since) / 1000) * 10) / 10;
  since = null;
}

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") {
    clockIn();
  } else {
    clockOut();
    if (state.kept > 0) keep();
  }
});

// ---------------------------------------------------------------------------------------------------------
// The file.

/** What the file says; its checksum covers all of it. */
function exported(time) {
  const reads = cases.map(({ code }) => {
    const read = readOf(code);
    return {
      code, answer: read.answer, confidence: read.confidence, comment: read.comment.toWellFormed(),
      shown_at: read.shown_at, answered_at: read.answered_at, seconds: Math.round(read.seconds),
      changes: read.changes,
    };
  });
  return {
    format: round.format, study: round.study, round: round.round, reader: round.reader, worklist: round.worklist,
    session: state.session, opened: state.opened, exported: time, reads,
  };
}

/** SHA-256 of the values in a fixed order, as JSON without spaces. */
function checksumOf(file) {
  const reads = file.reads.map((read) => [
    read.code, read.answer, read.confidence, read.comment, read.shown_at, read.answered_at, read.seconds, read.changes,
  ]);
  return sha256(JSON.stringify([
    file.format, file.study, file.round, file.reader, file.worklist, file.session, file.opened, file.exported, reads,
  ]));
}

function save() {
  clockOut();
  clockIn();
  const file = exported(now());
  const text = JSON.stringify({ ...file, checksum: checksumOf(file) }, null, 1) + "\n";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = `${round.round}-${round.reader}.json`.replace(/[^\p{L}\p{N}._-]+/gu, "_");
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  state.exported = said();
  keep();
  const open = cases.length - answeredCount();
  const left = open === 0 ? "All cases are answered." : `${open} cases are not answered yet.`;
  by("saved").textContent = `Saved as ${link.download}. ${left}`;
  say(`Saved as ${link.download}. ${left}`);
}

/** FIPS 180-4, of a text in UTF-8; browsers do not offer theirs to every local file. */
function sha256(text) {
  const message = new TextEncoder().encode(text);
  const bytes = new Uint8Array(((message.length + 72) >> 6) << 6);
  bytes.set(message);
  bytes[message.length] = 0x80;
  const view = new DataView(bytes.buffer);
  view.setUint32(bytes.length - 8, Math.floor(message.length / 0x20000000));
  view.setUint32(bytes.length - 4, message.length << 3);
  const primes = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p)) primes.push(n);
  const fraction = (x) => Math.floor((x - Math.floor(x)) * 0x100000000) | 0;
  const constants = primes.map((p) => fraction(Math.cbrt(p)));
  const hash = primes.slice(0, 8).map((p) => fraction(Math.sqrt(p)));
  const turn = (x, n) => (x >>> n) | (x << (32 - n));
  const w = new Int32Array(64);
  for (let block = 0; block < bytes.length; block += 64) {
    for (let i = 0; i < 64; i++) {
      if (i < 16) {
        w[i] = view.getInt32(block + 4 * i);
      } else {
        const s0 = turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ (w[i - 15] >>> 3);
        const s1 = turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ (w[i - 2] >>> 10);
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
      }
    }
    let [a, b, c, d, e, f, g, h] = hash;
    for (let i = 0; i < 64; i++) {
      const s1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
      const one = (h + s1 + ((e & f) ^ (~e & g)) + constants[i] + w[i]) | 0;
      const s0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22);
      const two = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((x, i) => { hash[i] = (hash[i] + x) | 0; });
  }
  return hash.map((x) => (x >>> 0).toString(16).padStart(8, "0")).join("");
}

// ---------------------------------------------------------------------------------------------------------
// The image: grey values of 8 or 16 bits, shown through a window.

const canvas = by("view");
const paper = canvas.getContext("2d");
/** Decoded images by code: the one that is shown and the next. */
const decoded = new Map();
let image = null;
const view = { scale: 1, x: 0, y: 0, from: 0, to: 255, inverted: false, fitted: true, tool: "pan" };

/** The source of an image as a data URI; in a folder, a script beside the page gives it. */
function sourceOf(code) {
  const embedded = document.querySelector(`script[data-code="${code}"]`);
  if (embedded) return Promise.resolve(`data:image/png;base64,${embedded.textContent.trim()}`);
  if (!round.folder) return Promise.reject(new Error("missing"));
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    // A picture beside the page could be shown, but a local page may not look at its values.
    script.src = `images/${code}.js`;
    script.onload = () => {
      script.remove();
      const given = window.sequesterImages && window.sequesterImages[code];
      if (!given) return reject(new Error("missing"));
      delete window.sequesterImages[code];
      resolve(`data:image/png;base64,${given}`);
    };
    script.onerror = () => { script.remove(); reject(new Error("missing")); };
    document.head.append(script);
  });
}

/** Grey values: of a picture of 16 bits red holds the high byte and green the low one. */
async function decode(one) {
  const source = new Image();
  source.src = await sourceOf(one.code);
  await source.decode();
  const [width, height] = [source.naturalWidth, source.naturalHeight];
  const sheet = new OffscreenCanvas(width, height);
  const context = sheet.getContext("2d", { willReadFrequently: true });
  context.drawImage(source, 0, 0);
  const pixels = context.getImageData(0, 0, width, height);
  const values = new Uint16Array(width * height);
  for (let i = 0, at = 0; i < values.length; i++, at += 4) {
    values[i] = one.bits === 16 ? (pixels.data[at] << 8) | pixels.data[at + 1] : pixels.data[at];
  }
  return { width, height, values, most: one.most, sheet, context, pixels };
}

function load(one) {
  if (!decoded.has(one.code)) decoded.set(one.code, decode(one));
  return decoded.get(one.code);
}

async function showImage() {
  const one = cases[state.at];
  image = null;
  draw();
  by("no-image").hidden = true;
  canvas.setAttribute("aria-label", `Image of the case ${one.code}`);
  canvas.dataset.shown = "";
  try {
    const found = await load(one);
    if (cases[state.at] !== one) return;
    image = found;
    asGiven();
    fit();
    canvas.dataset.shown = one.code;
  } catch {
    decoded.delete(one.code);
    if (cases[state.at] !== one) return;
    by("no-image").textContent = "This image cannot be shown. Tell whoever gave you this page, with the code of the case.";
    by("no-image").hidden = false;
  }
  const following = cases[state.at + 1];
  for (const code of decoded.keys()) {
    if (code !== one.code && (!following || code !== following.code)) decoded.delete(code);
  }
  if (following) load(following).catch(() => decoded.delete(following.code));
}

/** Puts the values through the window. */
function develop() {
  if (!image) return;
  const { values, pixels, context, most } = image;
  const table = new Uint32Array(most + 1);
  const span = Math.max(view.to - view.from, 1e-9);
  for (let value = 0; value <= most; value++) {
    let grey = Math.round(255 * Math.min(Math.max((value - view.from) / span, 0), 1));
    if (view.inverted) grey = 255 - grey;
    table[value] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
  }
  const out = new Uint32Array(pixels.data.buffer);
  for (let i = 0; i < values.length; i++) out[i] = table[values[i]];
  context.putImageData(pixels, 0, 0);
}

let drawing = false;

/** Draws before the next frame; `anew`: the window has changed. */
function draw(anew) {
  if (anew) view.anew = true;
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    if (view.anew) develop();
    view.anew = false;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    paper.setTransform(1, 0, 0, 1, 0, 0);
    paper.clearRect(0, 0, width, height);
    if (!image) return;
    paper.imageSmoothingEnabled = view.scale * ratio < 3;
    paper.imageSmoothingQuality = "high";
    paper.setTransform(view.scale * ratio, 0, 0, view.scale * ratio, view.x * ratio, view.y * ratio);
    paper.drawImage(image.sheet, 0, 0);
    by("zoom").textContent = `${Math.round(100 * view.scale)} %`;
  });
}

function fit() {
  if (!image) return;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  view.scale = Math.min(width / image.width, height / image.height);
  view.x = (width - view.scale * image.width) / 2;
  view.y = (height - view.scale * image.height) / 2;
  view.fitted = true;
  draw();
}

/** Changes the size around a point of the view. */
function zoom(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
  const scale = Math.min(Math.max(view.scale * factor, 0.02), 40);
  view.x = x - (x - view.x) * (scale / view.scale);
  view.y = y - (y - view.y) * (scale / view.scale);
  view.scale = scale;
  view.fitted = false;
  draw();
}

/** Moves the image, of which a part stays in view. */
function pan(dx, dy) {
  if (!image) return;
  const within = (at, size, room) => Math.min(Math.max(at, 40 - size), room - 40);
  view.x = within(view.x + dx, image.width * view.scale, canvas.clientWidth);
  view.y = within(view.y + dy, image.height * view.scale, canvas.clientHeight);
  view.fitted = false;
  draw();
}

/** What a window can reach: the values that there are, and the window that the file declares. */
function reach() {
  const one = cases[state.at];
  const [low, high] = [Math.min(0, one.from), Math.max(one.most, one.to)];
  return { low, high, range: high - low };
}

function setWindow(from, to) {
  const { low, high, range } = reach();
  const width = Math.min(Math.max(to - from, range / 1000), range);
  const level = Math.min(Math.max((from + to) / 2, low), high);
  showWindow(level - width / 2, level + width / 2);
}

function showWindow(from, to) {
  const { low, range } = reach();
  [view.from, view.to] = [from, to];
  by("width").value = Math.round((1000 * (to - from)) / range);
  by("level").value = Math.round((1000 * ((from + to) / 2 - low)) / range);
  draw(true);
}

/** Width and level changed by parts of what a window can reach. */
function changeWindow(width, level) {
  if (!image) return;
  const { range } = reach();
  const centre = (view.from + view.to) / 2 + level * range;
  const half = Math.max((view.to - view.from + width * range) / 2, 0);
  setWindow(centre - half, centre + half);
}

/** The window and the polarity that the file declares. */
function asGiven() {
  if (!image) return;
  const one = cases[state.at];
  setInverted(false);
  showWindow(one.from, one.to);
}

function setInverted(inverted) {
  view.inverted = inverted;
  by("invert").setAttribute("aria-pressed", String(inverted));
  draw(true);
}

function setTool(tool) {
  view.tool = tool;
  by("tool-pan").setAttribute("aria-pressed", String(tool === "pan"));
  by("tool-window").setAttribute("aria-pressed", String(tool === "window"));
  canvas.classList.toggle("windowing", tool === "window");
}

const pointers = new Map();

canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, { x: event.clientX, y: event.clientY, windows: view.tool === "window" || event.button === 2 });
});

canvas.addEventListener("pointermove", (event) => {
  const last = pointers.get(event.pointerId);
  if (!last) return;
  const [dx, dy] = [event.clientX - last.x, event.clientY - last.y];
  if (pointers.size === 2) {
    const other = [...pointers.entries()].find(([id]) => id !== event.pointerId)[1];
    const apart = (x, y) => Math.hypot(x - other.x, y - other.y);
    const place = canvas.getBoundingClientRect();
    const middle = [(event.clientX + other.x) / 2 - place.left, (event.clientY + other.y) / 2 - place.top];
    zoom(apart(event.clientX, event.clientY) / Math.max(apart(last.x, last.y), 1), ...middle);
    pan(dx / 2, dy / 2);
  } else if (last.windows) {
    changeWindow(dx / 500, dy / 500);
  } else {
    pan(dx, dy);
  }
  last.x = event.clientX;
  last.y = event.clientY;
});

for (const name of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(name, (event) => pointers.delete(event.pointerId));
}
canvas.addEventListener("contextmenu", (event) => event.preventDefault());
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  const place = canvas.getBoundingClientRect();
  zoom(Math.exp(-event.deltaY / 500), event.clientX - place.left, event.clientY - place.top);
}, { passive: false });
canvas.addEventListener("dblclick", fit);

canvas.addEventListener("keydown", (event) => {
  const steps = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  const step = steps[event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  if (event.shiftKey) changeWindow(-step[0] / 40, step[1] / 40);
  else pan(40 * step[0], 40 * step[1]);
});

new ResizeObserver(() => (view.fitted ? fit() : draw())).observe(by("stage"));
by("tool-pan").addEventListener("click", () => setTool("pan"));
by("tool-window").addEventListener("click", () => setTool("window"));
by("zoom-in").addEventListener("click", () => zoom(1.25));
by("zoom-out").addEventListener("click", () => zoom(0.8));
by("fit").addEventListener("click", fit);
by("invert").addEventListener("click", () => setInverted(!view.inverted));
by("reset").addEventListener("click", asGiven);
for (const id of ["width", "level"]) {
  by(id).addEventListener("input", () => {
    if (!image) return;
    const { low, range } = reach();
    const level = low + (Number(by("level").value) / 1000) * range;
    const half = ((Number(by("width").value) / 1000) * range) / 2;
    setWindow(level - half, level + half);
  });
}

// ---------------------------------------------------------------------------------------------------------
// The answers on the page.

const CONFIDENCES = [1, 2, 3, 4, 5];

function radio(name, value, text, key) {
  const label = document.createElement("label");
  const input = document.createElement("input");
  Object.assign(input, { type: "radio", name, value });
  label.append(input, text);
  if (key) {
    const shown = document.createElement("kbd");
    shown.textContent = key;
    shown.setAttribute("aria-hidden", "true");
    label.append(shown);
  }
  return label;
}

const levels = document.createElement("div");
levels.className = "levels";
if (round.scale) {
  const says = document.createElement("p");
  Object.assign(says, { id: "scale", className: "muted", textContent: round.scale });
  by("answers").append(says);
  by("answers").setAttribute("aria-describedby", "scale");
}
if (round.answers.some((one) => one.level)) by("answers").append(levels);
for (const { value, label, key, level } of round.answers) {
  const choice = radio("answer", value, label, key === label ? undefined : key);
  choice.className = "choice";
  (level ? levels : by("answers")).append(choice);
}
if (round.number) {
  const { min, max } = round.number;
  const label = document.createElement("label");
  const input = document.createElement("input");
  Object.assign(input, { type: "number", id: "number", min, max, step: "any" });
  label.className = "number";
  label.append(`From ${min} to ${max}`, input);
  by("scale").after(label);
  input.addEventListener("change", () => {
    const given = input.value.trim();
    const value = Number(given);
    const right = given !== "" && Number.isFinite(value) && value >= min && value <= max;
    if (right) answer(String(value));
    else if (given !== "") {
      say(`${given} is not from ${min} to ${max}.`);
      input.value = "";
      answer(null);
    } else answer(null);
  });
}
for (const value of CONFIDENCES) by("confidence-choices").append(radio("confidence", value, String(value)));

by("answers").addEventListener("change", (event) => {
  if (event.target.name === "answer") answer(event.target.value);
});
by("confidences").addEventListener("change", (event) => confidence(Number(event.target.value)));
by("comment").addEventListener("input", () => {
  readOf(cases[state.at].code).comment = by("comment").value;
  keep();
  showProgress();
});
by("answer").addEventListener("submit", (event) => event.preventDefault());

/** Takes an answer, or `null` to take it back. */
function answer(value) {
  if (elsewhere) return;
  const read = readOf(cases[state.at].code);
  if (read.answer === value) return;
  if (read.answer !== null) read.changes += 1;
  read.answer = value;
  read.answered_at = value === null ? null : now();
  clockOut();
  clockIn();
  keep();
  show();
  const known = round.answers.find((one) => one.value === value);
  say(value === null ? "Answer taken back." : `Answer: ${known ? known.label : value}. ${progressText()}.`);
}

function confidence(value) {
  if (elsewhere) return;
  readOf(cases[state.at].code).confidence = value;
  keep();
  show();
  say(`Sure: ${value} of 5.`);
}

function progressText() {
  return `${answeredCount()} of ${cases.length} answered`;
}

function showProgress() {
  by("progress").max = cases.length;
  by("progress").value = answeredCount();
  by("answered").textContent = progressText();
  for (const [nth, button] of [...by("list").querySelectorAll("button")].entries()) {
    const { code } = cases[nth];
    const done = isAnswered(code);
    button.classList.toggle("answered", done);
    button.toggleAttribute("aria-current", nth === state.at);
    if (nth === state.at) button.setAttribute("aria-current", "true");
    button.setAttribute("aria-label", `Case ${nth + 1}, ${code}, ${done ? "answered" : "not answered"}`);
  }
}

/** Shows what is answered of the case. */
function show() {
  const { code } = cases[state.at];
  const read = readOf(code);
  const number = document.createElement("b");
  number.textContent = `Case ${state.at + 1}`;
  const name = document.createElement("code");
  name.textContent = code;
  by("case").replaceChildren(number, ` of ${cases.length}, `, name);
  let known = false;
  for (const input of by("answers").querySelectorAll("input[type=radio]")) {
    input.checked = input.value === read.answer;
    known ||= input.checked;
  }
  if (round.number) by("number").value = read.answer !== null && !known ? read.answer : "";
  for (const input of by("confidences").querySelectorAll("input")) input.checked = Number(input.value) === read.confidence;
  if (by("comment").value !== read.comment) by("comment").value = read.comment;
  by("previous").disabled = state.at === 0;
  by("next").disabled = state.at === cases.length - 1;
  by("open").disabled = nextOpen() === null;
  by("clear").disabled = read.answer === null;
  showProgress();
}

/** The next case without an answer, from the one that is shown on, or none. */
function nextOpen() {
  for (let step = 1; step <= cases.length; step++) {
    const at = (state.at + step) % cases.length;
    if (!isAnswered(cases[at].code)) return at === state.at ? null : at;
  }
  return null;
}

function go(at) {
  if (at === null || at < 0 || at >= cases.length) return;
  clockOut();
  state.at = at;
  present();
  keep();
}

/** Presents the case; what is kept stays as it is until the reader does something. */
function present() {
  const { code } = cases[state.at];
  readOf(code).shown_at ??= now();
  clockIn();
  show();
  showImage();
  say(`Case ${state.at + 1} of ${cases.length}, ${code}, ${isAnswered(code) ? "answered" : "not answered"}.`);
}

for (const [nth] of cases.entries()) {
  const entry = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = String(nth + 1);
  button.addEventListener("click", () => go(nth));
  entry.append(button);
  by("list").append(entry);
}
by("previous").addEventListener("click", () => go(state.at - 1));
by("next").addEventListener("click", () => go(state.at + 1));
by("open").addEventListener("click", () => go(nextOpen()));
by("clear").addEventListener("click", () => answer(null));
by("export").addEventListener("click", save);

// ---------------------------------------------------------------------------------------------------------
// Keys.

const digits = round.answers.filter((one) => one.level && one.key === one.label).map((one) => one.key);
const KEYS = [
  ...(digits.length > 0 ? [[`${digits[0]} to ${digits[digits.length - 1]}`, "this number"]] : []),
  ...round.answers.filter((one) => !digits.includes(one.key)).map(({ label, key }) => [key, label]),
  ["Shift 1-5", "how sure you are"],
  ["Enter, N", "next case"],
  ["P", "previous case"],
  ["U", "next case without an answer"],
  ["C", "write a comment; Escape leaves it"],
  ["I", "invert"],
  ["F", "fit the image"],
  ["+  -", "larger, smaller"],
  ["Arrows", "move the image, when it has the focus"],
  ["Shift arrows", "window width and level, then"],
];
for (const [key, does] of KEYS) {
  const row = by("key-table").insertRow();
  const shown = document.createElement("kbd");
  shown.textContent = key;
  row.insertCell().append(shown);
  row.insertCell().textContent = does;
}

/** What a single key does, where single keys act. */
function act(event) {
  // By their place: on some keyboards digits of the upper row need Shift.
  const digit = /^(Digit|Numpad)([0-9])$/.exec(event.code);
  if (digit && event.shiftKey && digit[1] === "Digit") {
    const value = Number(digit[2]);
    if (CONFIDENCES.includes(value)) confidence(value);
    return CONFIDENCES.includes(value);
  }
  const pressed = digit ? digit[2] : event.key.toUpperCase();
  const choice = round.answers.find((one) => one.key === pressed);
  if (choice) {
    answer(choice.value);
    return true;
  }
  const acts = {
    n: () => go(state.at + 1), p: () => go(state.at - 1), u: () => go(nextOpen()),
    c: () => by("comment").focus(), i: () => setInverted(!view.inverted), f: fit,
    "+": () => zoom(1.25), "-": () => zoom(0.8),
  };
  const does = acts[event.key.toLowerCase()];
  if (does) does();
  return Boolean(does);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const at = event.target;
  if (event.key === "Escape" && at.id === "comment") {
    canvas.focus();
    return;
  }
  const writes = at.matches("textarea, input[type=number]");
  const presses = at.matches("button, summary, a, input[type=checkbox]");
  if (event.key === "Enter" && !event.shiftKey && at.id !== "comment" && !presses) {
    if (at.id === "number") at.dispatchEvent(new Event("change"));
    event.preventDefault();
    go(state.at + 1);
  } else if (!writes && by("keys").checked && act(event)) {
    event.preventDefault();
  }
});

// ---------------------------------------------------------------------------------------------------------

tryToKeep();
present();
