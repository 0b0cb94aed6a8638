// One video, all that is known of it.
const detail = $("detail");
const LATER = ["repo", "revision", "license", "family", "pipeline", "device", "dtype", "memory", "versions"];
const quoted = (path) => (/^[\w./+,=@%-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);
const replayed = (item) => `t2v replay ${quoted(item.output.startsWith("-") ? `./${item.output}` : item.output)}`;

const moment = (text) => text && (Date.parse(text) ? new Date(text).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }) : text);

function openDetail(item) {
  letGo(detail);
  const stage = h("div", { class: "stage" }, media(item, kindOf(item) === "film" ? { controls: true, autoplay: true } : {}));
  detail.replaceChildren(stage, h("aside", { tabindex: -1 }, moves(item), h("p", { class: "whole", dir: "auto" }, item.prompt ?? item.id),
    story(item), why(item), actions(item), table(item)));
  detail.item = item;
  if (!detail.open) detail.showModal();
  detail.querySelector("aside").focus({ preventScroll: true }); // Not the film: it would take the arrow keys.
}
function moves(item) {
  const at = order.indexOf(item);
  const step = (by, sign, title) => h("button", { type: "button", class: "quiet", title, disabled: !order[at + by], onclick: () => turn(by) }, sign);
  return h("div", { class: "moves" }, h("span", {}, at < 0 ? "" : `${at + 1} of ${order.length}`), step(-1, "←", "Previous (←)"), step(1, "→", "Next (→)"),
    h("button", { type: "button", class: "quiet", title: "Close (Esc)", onclick: () => detail.close() }, "✕"));
}
function turn(by) {
  const next = order[order.indexOf(detail.item) + by];
  if (next) openDetail(next);
}
function story(item) {
  if (!item.story?.length) return null;
  return h("ol", {}, ...item.story.map((cue) => h("li", { dir: "auto" }, Object.entries(cue)
    .filter(([, value]) => value != null && value !== false && value !== "")
    .map(([name, value]) => (name === "prompt" ? value : `${name} ${shown(value)}`)).join(" · "))));
}
function why(item) {
  if (item.status === "ok" && !item.reason) return null;
  const text = [STATUS_NAMES[item.status], item.attempts > 1 && `${item.attempts} attempts`, item.reason].filter(Boolean).join(" · ");
  const node = h("p", { class: "why", dir: "auto" }, text);
  node.style.setProperty("--mark", `var(--${item.status})`);
  return node;
}
function actions(item) {
  const button = (text, act, title) => h("button", { type: "button", title, onclick: act }, text);
  const alike = item.href ? samePrompt(item) : [];
  return h("div", { class: "actions" },
    item.href && h("a", { href: item.href, target: "_blank", rel: "noopener" }, "Open file"),
    item.prompt && button("Copy prompt", () => copy(item.prompt, "Prompt")),
    item.href && button("Copy replay", () => copy(replayed(item), "Command"), replayed(item)),
    item.href && button(chosen.has(item) ? "Chosen ✓" : "Choose", () => { choose(item); openDetail(item); }, "For comparing (c)"),
    alike.length > 1 && button(`Compare ${alike.length} of this prompt`, () => { detail.close(); openCompared(alike); }));
}
function table(item) {
  const { settings } = item;
  const rows = [["id", item.id], ["custom id", item.custom_id], ["file", item.output], ["model", settings.model], ["seed", item.seed],
    ["size", settings.width && `${settings.width}×${settings.height}`],
    ["length", frames(item) && `${span(length(item))} · ${count(frames(item), "frame")} at ${settings.fps}`]];
  const skipped = new Set(["model", "width", "height", "num_frames", "fps", ...LATER]);
  const names = [...Object.keys(settings).filter((name) => !skipped.has(name)), ...LATER];
  rows.push(...names.map((name) => [called(name), settings[name]]));
  rows.push(["made", moment(item.made)], ["took", item.seconds && span(item.seconds)], ["attempts", item.attempts], ["frames sha256", item.frames_sha256]);
  return h("table", {}, h("tbody", {}, ...rows.filter(([, value]) => value != null && value !== "" && !(Array.isArray(value) && !value.length))
    .map(([name, value]) => h("tr", {}, h("td", {}, name), h("td", { dir: "auto" }, shown(value))))));
}
detail.addEventListener("close", () => {
  letGo(detail);
  detail.replaceChildren();
  const at = order.indexOf(detail.item);
  if (at >= 0 && !$("compared").open) { cursor = at; move(0); }
});
detail.addEventListener("click", (event) => event.target === detail && detail.close());
