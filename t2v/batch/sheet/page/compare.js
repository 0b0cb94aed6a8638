// Videos side by side under one clock.
const compared = $("compared");
const MOST = 16;
let stageOf = null;

class Clock {
  // The longest film leads; the others follow it by small changes of their speed. Without a film,
  // frames follow the time of day.
  constructor(players) {
    this.players = players;
    this.duration = Math.max(0.1, ...players.map((player) => player.length));
    this.films = players.map((player) => player.node).filter((node) => node instanceof HTMLVideoElement);
    this.time = 0;
    this.speed = 1;
    this.running = false;
    this.closed = false;
    this.tick = this.tick.bind(this);
    requestAnimationFrame(this.tick);
  }
  get lead() {
    return this.films.reduce((best, film) => ((film.duration || 0) > (best?.duration || 0) ? film : best), null);
  }
  ready() {
    return Promise.all(this.films.map((film) => film.readyState > 1 || film.error
      || new Promise((done) => ["loadeddata", "error"].forEach((name) => film.addEventListener(name, done, { once: true })))));
  }
  async play() {
    this.running = true;
    await this.ready();
    if (this.time >= this.duration - 0.02) await this.seek(0);
    if (!this.running || this.closed) return;
    this.then = performance.now();
    for (const film of this.films) {
      film.playbackRate = this.speed;
      if (this.time < film.duration) film.play().catch(() => {});
    }
  }
  pause() {
    this.running = false;
    for (const film of this.films) film.pause();
    return this.seek(this.time);
  }
  seek(time) {
    this.time = Math.min(this.duration, Math.max(0, time));
    const moved = this.films.map((film) => {
      const place = Math.min(this.time, Math.max(0, (film.duration || 0) - 0.001));
      if (Math.abs(film.currentTime - place) < 0.0005) return null;
      return new Promise((done) => {
        film.addEventListener("seeked", done, { once: true });
        setTimeout(done, 1000);
        film.currentTime = place;
      });
    });
    for (const player of this.players) player.show?.(this.time);
    return Promise.all(moved);
  }
  async again() {
    this.running = false;
    for (const film of this.films) film.pause();
    await this.seek(0);
    if (!this.closed) await this.play();
  }
  tick(now) {
    if (this.closed) return;
    if (this.running && this.then) {
      const { lead } = this;
      if (lead && !lead.error) this.time = lead.currentTime;
      else this.time += ((now - this.then) / 1000) * this.speed;
      this.then = now;
      for (const film of this.films) if (film !== lead) this.follow(film);
      for (const player of this.players) player.show?.(this.time);
      if (lead ? lead.ended : this.time >= this.duration) this.again();
    }
    this.onTick?.();
    requestAnimationFrame(this.tick);
  }
  follow(film) {
    if (film.seeking || film.ended || film.readyState < 2) return;
    const ahead = film.currentTime - this.time;
    if (Math.abs(ahead) > 0.25) film.currentTime = Math.min(this.time, film.duration || 0);
    film.playbackRate = Math.abs(ahead) < 0.015 ? this.speed : this.speed * (1 - Math.max(-0.2, Math.min(0.2, ahead)));
  }
  close() {
    this.closed = true;
    this.running = false;
  }
}

function playerOf(item) {
  const kind = kindOf(item);
  const node = media(item, kind === "film" ? { preload: "auto" } : {});
  if (kind === "film") node.loop = false;
  const player = { item, node, length: kind === "picture" ? 0 : length(item) };
  if (kind === "frames") {
    player.show = (time) => {
      const number = Math.max(0, Math.min(frames(item) - 1, Math.floor(time * rate(item) + 1e-6)));
      if (number !== player.number && node.complete) node.src = frameName(item, player.number = number);
    };
  }
  return player;
}
function differing(list) {
  const names = ["model", "seed", ...telling, "width", "height", "num_frames", "fps"];
  const value = (item, name) => (name === "seed" ? item.seed : item.settings[name]);
  return [...new Set(names)].filter((name) => new Set(list.map((item) => JSON.stringify(value(item, name) ?? null))).size > 1);
}
function caption(item, names, withPrompt) {
  const value = (name) => (name === "seed" ? item.seed : item.settings[name]);
  const parts = names.map((name) => h("span", {}, `${called(name)} `, h("b", { dir: "auto" }, shown(value(name)))));
  if (withPrompt || !parts.length) parts.unshift(h("b", { dir: "auto" }, item.prompt ?? item.id));
  return parts;
}

function openCompared(list) {
  if (list.length > MOST) say(`The first ${MOST} of ${list.length}`);
  const some = list.filter((item) => item.href).slice(0, MOST);
  const players = some.map(playerOf), clock = new Clock(players), names = differing(some);
  const one = new Set(some.map((item) => item.prompt)).size === 1;
  const tiles = h("div", { class: "tiles" });
  stageOf = { clock, players, tiles, names, one, wiped: false };
  const wipe = players.length === 2 && h("button", { type: "button", id: "wipe", "aria-pressed": "false", title: "One over the other (w)", onclick: turnWipe }, "Wipe");
  compared.replaceChildren(
    h("div", { class: "bar" }, h("h2", { dir: "auto" }, one ? some[0].prompt ?? "" : count(some.length, "video")), wipe,
      h("button", { type: "button", class: "quiet", title: "Close (Esc)", onclick: () => compared.close() }, "✕")),
    tiles, controls(clock));
  if (!compared.open) compared.showModal();
  lay();
  clock.play();
}
function lay() {
  const { players, tiles, names, one, wiped } = stageOf;
  if (wiped) tiles.style.gridTemplateColumns = "1fr";
  if (wiped) return tiles.replaceChildren(wipeOf(players, names, one));
  const tallest = Math.max(...players.map(({ item }) => ratio(item)));
  const [across, wide] = columnsFor(players.length, tallest, tiles.clientWidth - 34, tiles.clientHeight - 30);
  tiles.style.gridTemplateColumns = `repeat(${across}, ${wide}px)`;
  tiles.replaceChildren(...players.map(({ node, item }) => {
    node.style.clipPath = "";
    const stage = h("div", { class: "stage" }, node);
    stage.style.aspectRatio = 1 / ratio(item);
    return h("figure", {}, stage, h("figcaption", {}, dot(item.status), ...caption(item, names, !one)));
  }));
}
const ratio = ({ settings }) => settings.height / settings.width || shape;
function columnsFor(number, tallest, width, height) {
  // As many columns as make the films largest, and how wide they are.
  let best = 1, most = 0;
  for (let columns = 1; columns <= number; columns++) {
    const wide = Math.min(width / columns - 12, (height / Math.ceil(number / columns) - 64) / tallest);
    if (wide > most) [best, most] = [columns, wide];
  }
  return [best, Math.max(160, Math.floor(most))];
}
function turnWipe() {
  stageOf.wiped = !stageOf.wiped;
  $("wipe").setAttribute("aria-pressed", String(stageOf.wiped));
  const { running } = stageOf.clock;
  lay();
  if (running) stageOf.clock.play(); // A film that changes its place stops.
}
function wipeOf([under, over], names, one) {
  const edge = h("div", { class: "edge" });
  const label = (player) => h("span", { class: "badge" }, ...caption(player.item, names, !one).flatMap((part) => [part, " "]));
  const area = h("div", { class: "wipe stage" }, under.node, over.node, edge, label(under), label(over));
  const put = (share) => {
    edge.style.left = `${share * 100}%`;
    over.node.style.clipPath = `inset(0 0 0 ${share * 100}%)`;
  };
  area.addEventListener("pointermove", (event) => {
    const box = area.getBoundingClientRect();
    put(Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)));
  });
  put(0.5);
  return area;
}
function controls(clock) {
  const play = h("button", { type: "button", id: "together", title: "Play or pause (space)", onclick: toggle });
  const place = h("input", { type: "range", min: 0, max: clock.duration, step: 0.001, value: 0, "aria-label": "Time" });
  const speed = h("select", { "aria-label": "Speed" }, ...[0.25, 0.5, 1, 2].map((value) => h("option", { value, selected: value === 1 }, `${value}×`)));
  const time = h("output", {});
  place.addEventListener("input", () => { clock.running = false; clock.films.forEach((film) => film.pause()); clock.seek(Number(place.value)); });
  speed.addEventListener("change", () => { clock.speed = Number(speed.value); clock.films.forEach((film) => { film.playbackRate = clock.speed; }); });
  clock.onTick = () => {
    place.value = clock.time;
    const text = `${clock.time.toFixed(2)} / ${clock.duration.toFixed(2)} s`, sign = clock.running ? "❚❚" : "▶";
    if (time.textContent !== text) time.textContent = text;
    if (play.textContent !== sign) play.textContent = sign;
  };
  return h("div", { class: "controls" }, h("button", { type: "button", title: "A frame back (←)", onclick: () => stepFrame(-1) }, "⟨"), play,
    h("button", { type: "button", title: "A frame on (→)", onclick: () => stepFrame(1) }, "⟩"), place, time, speed);
}
function toggle() {
  const { clock } = stageOf;
  clock.running ? clock.pause() : clock.play();
}
function stepFrame(by) {
  const { clock, players } = stageOf;
  const fps = Math.max(...players.map(({ item }) => rate(item)));
  if (clock.running) clock.pause();
  // The middle of a frame: rounding cannot show its neighbor.
  clock.seek((Math.floor(clock.time * fps + 1e-6) + by + 0.5) / fps);
}
compared.addEventListener("close", () => {
  stageOf?.clock.close();
  stageOf = null;
  letGo(compared);
  compared.replaceChildren();
});
