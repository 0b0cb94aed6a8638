"use strict";
// What the page is made of: the run's data, and small ways to build elements. Texts of the run reach
// the page as text nodes and attributes only, never as markup.
const $ = (id) => document.getElementById(id);
const run = JSON.parse($("run").textContent);
const STATUSES = [
  ["ok", "done"], ["suspect", "suspect"], ["failed", "failed"],
  ["interrupted", "interrupted"], ["waiting", "not made yet"],
];
const STATUS_NAMES = Object.fromEntries(STATUSES);
const items = run.items.map((row, index) => {
  const item = { index };
  run.fields.forEach((name, at) => { item[name] = row[at]; });
  item.output ??= item.href;
  item.settings = run.settings[item.settings] ?? {};
  return item;
});
run.items = null;

function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value == null) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child != null && child !== false));
  return node;
}
const dot = (status) => {
  const node = h("i", { class: "dot" });
  node.style.background = `var(--${status})`;
  return node;
};

function shown(value) {
  if (value == null || value === "") return "–";
  if (Array.isArray(value)) return value.map(shown).join(", ") || "–";
  if (typeof value === "object") return Object.values(value).map(shown).join(":");
  if (typeof value === "number" && !Number.isInteger(value)) return String(+value.toPrecision(6));
  return String(value);
}
function span(seconds) {
  if (seconds == null) return "";
  if (seconds < 10) return `${seconds.toFixed(seconds < 1 ? 2 : 1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
function rate(item) {
  const [above, below = 1] = String(item.settings.fps ?? 24).split("/").map(Number);
  return above / below || 24;
}
const frames = (item) => item.settings.num_frames ?? 0;
const length = (item) => frames(item) / rate(item);
const samePrompt = (item) => items.filter((other) => other.prompt === item.prompt && other.href);

const SHORT = { num_inference_steps: "steps", guidance_scale: "guidance", guidance_scale_2: "guidance 2", num_frames: "frames",
  negative_prompt: "negative" };
const called = (name) => SHORT[name] ?? name.replaceAll("_", " ");

// Which settings differ within the run: those are what people filter by and compare.
const varying = (() => {
  const values = new Map();
  const all = new Set(run.settings.flatMap(Object.keys));
  for (const name of all) {
    const found = new Map();
    for (const { [name]: value = null } of run.settings) found.set(JSON.stringify(value), value);
    values.set(name, found);
  }
  const names = [...values].filter(([, found]) => found.size > 1);
  return new Map(names.map(([name, found]) => [name, [...found.values()]]));
})();
// Sizes and lengths are shown anyway, and what follows from a model says nothing of its own.
const SAID = new Set(["width", "height", "num_frames", "fps", "repo", "revision", "license", "family",
  "pipeline", "device", "memory", "dtype", "versions"]);
const telling = [...varying.keys()].filter((name) => !SAID.has(name));

function say(text) {
  $("said").textContent = text;
  $("said").classList.add("shown");
  clearTimeout(say.timer);
  say.timer = setTimeout(() => $("said").classList.remove("shown"), 1800);
}
async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = h("textarea", {}, text);
    (document.querySelector("dialog[open]") ?? document.body).append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  say(`${what} copied`);
}

// One element for every kind of output. `time` moves it, where it can be moved.
const PICTURES = new Set(["gif", "webp", "avif"]);
const FILMS = new Set(["mp4", "m4v", "mov", "mkv", "webm"]);
function kindOf(item) {
  if (!item.href) return "none";
  const suffix = item.href.includes(".") ? item.href.split(".").pop().toLowerCase() : "";
  return FILMS.has(suffix) ? "film" : PICTURES.has(suffix) ? "picture" : "frames";
}
const frameName = (item, number) => `${item.href}/${String(number).padStart(5, "0")}.png`;
function media(item, options = {}) {
  const kind = kindOf(item);
  if (kind === "none") return reason(item);
  if (kind === "film") {
    // The fragment makes every browser paint the first frame instead of nothing.
    const film = h("video", { preload: "metadata", playsinline: true, loop: true, ...options });
    film.muted = !options.controls;
    film.onerror = () => film.replaceWith(unplayable(item));
    film.src = `${item.href}#t=0.001`;
    return film;
  }
  const picture = h("img", { alt: "", decoding: "async", ...options });
  picture.onerror = () => picture.replaceWith(unplayable(item));
  picture.src = kind === "picture" ? item.href : frameName(item, 0);
  return picture;
}
function letGo(node) {
  for (const film of node.querySelectorAll("video")) {
    film.onerror = null;
    film.pause();
    film.removeAttribute("src");
    film.load();
  }
}
const unplayable = (item) => h("p", { class: "reason" }, h("b", {}, "Not shown by this browser"),
  item.output);
const reason = (item) => h("p", { class: "reason", dir: "auto" },
  h("b", {}, STATUS_NAMES[item.status] ?? item.status), item.reason ?? "");
