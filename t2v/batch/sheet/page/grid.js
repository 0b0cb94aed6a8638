// Only what is in sight is in the document, so that thousands of videos scroll like ten.
const GAP = 16, HEAD = 40, BEYOND = 500;
// Below a heading that is the prompt, cards do not say it again.
const below = () => (view.group === "prompt" ? 38 : 88);
const grid = $("grid");
const live = new Map();
const chosen = new Set();
let rows = [], order = [], cursor = -1, playing = false;

// The shape most videos have; others are fitted into it.
const shape = (() => {
  const seen = new Map();
  for (const { settings } of items) {
    const ratio = (settings.height / settings.width) || 0;
    if (ratio) seen.set(ratio, (seen.get(ratio) ?? 0) + 1);
  }
  const [common] = [...seen].sort((a, b) => b[1] - a[1])[0] ?? [9 / 16];
  return Math.min(1.5, Math.max(0.5, common));
})();

function arrange() {
  const found = groups(sorted(matching()));
  const width = grid.clientWidth;
  const columns = Math.max(1, Math.floor((width + GAP) / (view.size + GAP)));
  const card = (width - GAP * (columns - 1)) / columns;
  const tall = Math.round((card - 2) * shape) + below() + 2;
  let y = 0;
  rows = [];
  order = [];
  for (const { title, items: members } of found) {
    if (title !== null) {
      rows.push({ y, h: HEAD, title, members });
      y += HEAD;
    }
    for (let at = 0; at < members.length; at += columns) {
      rows.push({ y, h: tall, card, first: order.length, cards: members.slice(at, at + columns) });
      order.push(...rows.at(-1).cards);
      y += tall + GAP;
    }
  }
  grid.style.height = `${y}px`;
  $("nothing").hidden = order.length > 0;
  $("found").textContent = order.length === items.length ? count(items.length, "item")
    : `${order.length.toLocaleString("en")} of ${count(items.length, "item")}`;
  for (const key of [...live.keys()]) drop(key);
  draw();
}
function firstRow(y) {
  let low = 0, high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].y + rows[middle].h < y) low = middle + 1; else high = middle;
  }
  return low;
}
function draw() {
  const from = -grid.getBoundingClientRect().top - BEYOND, to = from + innerHeight + 2 * BEYOND;
  const wanted = new Set();
  for (let at = firstRow(from); at < rows.length && rows[at].y < to; at++) {
    const row = rows[at];
    if (row.members) place(wanted, `group ${row.y}`, () => heading(row), 0, row);
    else row.cards.forEach((item, column) => place(wanted, item.index, () => cardOf(item), column, row));
  }
  for (const key of [...live.keys()]) if (!wanted.has(key)) drop(key);
  // While one flies past thousands, none of them is loaded.
  clearTimeout(draw.timer);
  draw.timer = setTimeout(load, draw.rested ? 0 : 90);
  draw.rested = false;
}
function place(wanted, key, make, column, row) {
  wanted.add(key);
  if (!live.has(key)) {
    const node = make();
    live.set(key, node);
    grid.append(node);
  }
  const node = live.get(key);
  node.style.transform = `translate(${column * ((row.card ?? 0) + GAP)}px, ${row.y}px)`;
  if (!row.card) return;
  node.style.width = `${row.card}px`;
  node.style.height = `${row.h}px`;
  node.firstChild.style.height = `${row.h - below() - 2}px`;
}
function drop(key) {
  const node = live.get(key);
  live.delete(key);
  letGo(node);
  node.remove();
}
function load() {
  for (const node of live.values()) {
    if (!node.item?.href || node.loaded) continue;
    node.loaded = true;
    node.firstChild.prepend(media(node.item));
    if (playing) start(node);
  }
}

function heading({ title, members }) {
  const films = members.filter((item) => item.href);
  return h("div", { class: "group" }, h("h2", { dir: "auto", title }, title), h("span", {}, count(members.length, "video")),
    films.length > 1 && h("button", { type: "button", class: "quiet", onclick: () => openCompared(films) }, "Compare"));
}
function cardOf(item) {
  const stage = h("div", { class: "stage" });
  if (!item.href) stage.append(reason(item));
  else stage.append(pick(item), h("span", { class: "badge" }, span(length(item))));
  if (item.href && item.status !== "ok") {
    stage.append(h("span", { class: "badge state" }, dot(item.status), STATUS_NAMES[item.status]));
  }
  const card = h("article", { class: "card", tabindex: 0, "aria-label": `${STATUS_NAMES[item.status]}: ${item.prompt ?? item.id}` }, stage,
    h("div", { class: "text" }, view.group !== "prompt" && h("p", { class: "prompt", dir: "auto" }, item.prompt ?? item.id),
      h("p", { class: "meta", dir: "auto" }, facts(item))));
  card.item = item;
  card.classList.toggle("chosen", chosen.has(item));
  card.addEventListener("click", () => openDetail(item));
  card.addEventListener("focus", () => { cursor = order.indexOf(item); });
  card.addEventListener("pointerenter", () => start(card));
  card.addEventListener("pointerleave", () => !playing && rest(card));
  return card;
}
function facts(item) {
  const { settings } = item;
  const list = telling.slice(0, 3).map((name) => (name === "model" ? settings.model : `${called(name)} ${shown(settings[name])}`));
  if (varying.has("width") || varying.has("height")) list.push(settings.width && `${settings.width}×${settings.height}`);
  list.push(item.seed != null && `seed ${item.seed}`);
  return list.filter(Boolean).join(" · ");
}
function pick(item) {
  const button = h("button", { class: "pick", type: "button", title: "Choose for comparing (c)", "aria-label": "Choose", "aria-pressed": String(chosen.has(item)) }, "✓");
  button.addEventListener("click", (event) => { event.stopPropagation(); choose(item); });
  return button;
}
function choose(item) {
  if (!chosen.delete(item)) chosen.add(item);
  const node = live.get(item.index);
  node?.classList.toggle("chosen", chosen.has(item));
  node?.querySelector(".pick")?.setAttribute("aria-pressed", String(chosen.has(item)));
  tray();
}
function tray() {
  $("tray").hidden = !chosen.size;
  document.body.classList.toggle("choosing", chosen.size > 0);
  $("tray").firstElementChild.textContent = `${chosen.size} chosen`;
  $("compare").disabled = chosen.size < 2;
}

function start(card) {
  const film = card.querySelector("video");
  film?.play().catch(() => {}); // Let go of before it began.
  if (kindOf(card.item) === "frames") flick(card);
}
function rest(card) {
  const film = card.querySelector("video");
  clearInterval(card.flicking);
  if (!film) return;
  film.pause();
  film.currentTime = 0.001;
}
function flick(card) {
  let number = 0;
  clearInterval(card.flicking);
  card.flicking = setInterval(() => {
    const picture = card.querySelector("img");
    if (!card.isConnected || !picture) return clearInterval(card.flicking);
    if (picture.complete) picture.src = frameName(card.item, number = (number + 1) % frames(card.item));
  }, 1000 / rate(card.item));
}
function playAll(on) {
  playing = on;
  $("play").setAttribute("aria-pressed", String(on));
  $("play").textContent = on ? "❚❚ Pause" : "▶ Play";
  for (const node of live.values()) if (node.item) (on ? start : rest)(node);
}
function move(by) {
  cursor = Math.min(order.length - 1, Math.max(0, cursor + by));
  const row = rows.find((one) => one.cards && cursor < one.first + one.cards.length);
  if (!row) return;
  const top = grid.offsetTop + row.y, header = $("top").offsetHeight;
  if (top < scrollY + header + GAP) scrollTo(0, top - header - GAP);
  else if (top + row.h > scrollY + innerHeight) scrollTo(0, top + row.h - innerHeight + GAP);
  draw();
  live.get(order[cursor].index)?.focus({ preventScroll: true });
}
const columns = () => rows.find((row) => row.cards)?.cards.length ?? 1;
