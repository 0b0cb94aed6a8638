// The toolbar, the keys, and the first look.
function summary() {
  const counts = Object.fromEntries(STATUSES.map(([status]) => [status, 0]));
  let seconds = 0;
  for (const item of items) {
    counts[item.status] += 1;
    seconds += item.seconds ?? 0;
  }
  const present = STATUSES.filter(([status]) => counts[status]);
  $("summary").textContent = [...present.map(([status, name]) => `${counts[status].toLocaleString("en")} ${name}`),
    seconds && `${span(seconds)} of work`, run.settings.length && !varying.has("model") && run.settings[0].model, run.made].filter(Boolean).join(" · ");
  $("share").setAttribute("aria-label", $("summary").textContent);
  $("share").replaceChildren(...present.map(([status]) => {
    const part = h("span");
    part.style.flexGrow = counts[status];
    part.style.background = `var(--${status})`;
    return part;
  }));
  $("statuses").replaceChildren(...(present.length > 1 ? present : []).map(([status, name]) =>
    h("button", { type: "button", "data-status": status, onclick: () => { view.status = view.status === status ? "" : status; update(); } },
      dot(status), `${name} ${counts[status].toLocaleString("en")}`)));
}
function options(select, pairs) {
  select.replaceChildren(...pairs.map(([value, text]) => h("option", { value }, text)));
}
function facetTools() {
  const few = telling.filter((name) => varying.get(name).length <= 40).slice(0, 6);
  const inOrder = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : shown(a) < shown(b) ? -1 : 1);
  $("facets").replaceChildren(...few.map((name) => {
    const select = h("select", { "data-facet": name, onchange: () => { view.facets[name] = select.value; update(); } });
    options(select, [["", "all"], ...[...varying.get(name)].sort(inOrder).map((value) => [JSON.stringify(value), shown(value)])]);
    return h("label", {}, `${called(name)} `, select);
  }));
  const repeated = new Set(items.map((item) => item.prompt)).size < items.length;
  options($("group"), [["", "none"], ...(repeated ? [["prompt", "prompt"]] : []), ["status", "status"], ...few.map((name) => [name, called(name)])]);
  options($("sort"), Object.entries(SORTS).map(([name, [text]]) => [name, text]));
}
function reflect() {
  if ($("query").value !== view.query) $("query").value = view.query;
  $("sort").value = view.sort;
  $("group").value = view.group;
  view.group = $("group").value;
  $("size").value = view.size;
  for (const select of document.querySelectorAll("[data-facet]")) {
    select.value = view.facets[select.dataset.facet] ?? "";
    if (select.selectedIndex < 0) view.facets[select.dataset.facet] = select.value = "";
  }
  for (const button of document.querySelectorAll("[data-status]")) button.setAttribute("aria-pressed", String(button.dataset.status === view.status));
}
function update({ stay = false } = {}) {
  reflect();
  remember();
  draw.rested = true;
  if (!stay) scrollTo(0, 0);
  arrange();
}
function showAll() {
  Object.assign(view, { query: "", status: "", facets: {} });
  update();
}
function theme(next) {
  const themes = ["", "light", "dark"];
  let now = "";
  try { now = localStorage.getItem("t2v theme") ?? ""; } catch { /* Some browsers keep nothing for files. */ }
  if (next) now = themes[(themes.indexOf(document.documentElement.dataset.theme ?? "") + 1) % 3];
  document.documentElement.dataset.theme = now;
  try { localStorage.setItem("t2v theme", now); } catch { /* As above. */ }
  if (next) say(`Theme: ${now || "as the system"}`);
}

const KEYS = {
  "/": () => { $("query").focus(); $("query").select(); }, p: () => playAll(!playing), t: () => theme(true),
  ArrowRight: () => move(1), ArrowLeft: () => move(-1), ArrowDown: () => move(columns()), ArrowUp: () => move(-columns()),
  Enter: () => order[cursor] && openDetail(order[cursor]), c: () => order[cursor]?.href && choose(order[cursor]),
};
const DETAIL_KEYS = {
  " ": () => { const film = detail.querySelector("video"); film && (film.paused ? film.play() : film.pause()); },
  ArrowRight: () => turn(1), ArrowLeft: () => turn(-1), t: () => theme(true),
  c: () => { if (detail.item.href) { choose(detail.item); openDetail(detail.item); } },
};
const COMPARE_KEYS = { " ": toggle, ArrowRight: () => stepFrame(1), ArrowLeft: () => stepFrame(-1), w: () => $("wipe") && turnWipe(), t: () => theme(true) };
addEventListener("keydown", (event) => {
  const { target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (target.matches("input[type=search], select, textarea")) {
    if (event.key === "Escape" && target.id === "query") { view.query = ""; update(); target.blur(); }
    return;
  }
  if (target.matches("video") || (target.matches("button, a") && [" ", "Enter"].includes(event.key))) return;
  const keys = compared.open ? COMPARE_KEYS : detail.open ? DETAIL_KEYS : KEYS;
  if (!(event.key in keys)) return;
  event.preventDefault();
  keys[event.key]();
});

$("query").addEventListener("input", () => { view.query = $("query").value; clearTimeout(update.timer); update.timer = setTimeout(update, items.length > 2000 ? 120 : 0); });
$("tools").addEventListener("submit", (event) => event.preventDefault());
$("sort").addEventListener("change", () => { view.sort = $("sort").value; update(); });
$("group").addEventListener("change", () => { view.group = $("group").value; update(); });
$("size").addEventListener("input", () => { view.size = Number($("size").value); update({ stay: true }); });
$("play").addEventListener("click", () => playAll(!playing));
$("theme").addEventListener("click", () => theme(true));
$("compare").addEventListener("click", () => openCompared([...chosen]));
$("names").addEventListener("click", () => copy([...chosen].map((item) => item.output).join("\n"), count(chosen.size, "name")));
$("clear").addEventListener("click", () => { chosen.clear(); tray(); arrange(); });
$("nothing").querySelector("button").addEventListener("click", showAll);
addEventListener("scroll", () => { if (!draw.asked) { draw.asked = true; requestAnimationFrame(() => { draw.asked = false; draw(); }); } }, { passive: true });
addEventListener("resize", () => { arrange(); if (stageOf) { const { running } = stageOf.clock; lay(); if (running) stageOf.clock.play(); } });
addEventListener("hashchange", () => { recall(); update(); });

theme(false);
summary();
facetTools();
recall();
update();
