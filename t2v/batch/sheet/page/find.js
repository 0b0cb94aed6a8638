// Which videos are shown, in which order and in which groups.
const view = { query: "", status: "", facets: {}, sort: "order", group: "", size: 260 };

const SORTS = {
  order: ["in order", null],
  prompt: ["prompt", (item) => (item.prompt ?? "").toLowerCase()],
  seed: ["seed", (item) => item.seed ?? 0],
  model: ["model", (item) => item.settings.model ?? ""],
  slow: ["slowest first", (item) => -(item.seconds ?? -1)],
  quick: ["quickest first", (item) => item.seconds ?? Infinity],
  long: ["longest first", (item) => -length(item)],
  new: ["newest first", (item) => -(Date.parse(item.made) || 0)],
  trouble: ["trouble first", (item) => ["failed", "suspect", "interrupted", "waiting", "ok"].indexOf(item.status)],
};

function words(item) {
  item.words ??= [item.prompt, item.id, item.custom_id, item.output, item.seed, item.reason,
    item.settings.model, item.settings.negative_prompt, STATUS_NAMES[item.status]]
    .filter((text) => text != null).join("\n").toLowerCase();
  return item.words;
}
function asked(query) {
  const parts = query.toLowerCase().match(/"[^"]+"|\S+/g) ?? [];
  return parts.map((part) => [part.startsWith("-") && part.length > 1, part.replace(/^-/, "").replaceAll('"', "")]);
}
function matching() {
  const terms = asked(view.query);
  const facets = Object.entries(view.facets).filter(([, wanted]) => wanted !== "");
  return items.filter((item) =>
    (!view.status || item.status === view.status)
    && facets.every(([name, wanted]) => JSON.stringify(item.settings[name] ?? null) === wanted)
    && terms.every(([without, term]) => words(item).includes(term) !== without));
}
function sorted(found) {
  const key = SORTS[view.sort]?.[1];
  if (!key) return found;
  const keyed = found.map((item) => [key(item), item]);
  // Sorting is stable, so that equals stay in order.
  keyed.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return keyed.map(([, item]) => item);
}
function groups(found) {
  if (!view.group) return [{ title: null, items: found }];
  const title = view.group === "prompt" ? (item) => item.prompt ?? ""
    : view.group === "status" ? (item) => STATUS_NAMES[item.status]
    : (item) => shown(item.settings[view.group]);
  const made = new Map();
  for (const item of found) {
    const name = title(item);
    if (!made.has(name)) made.set(name, []);
    made.get(name).push(item);
  }
  return [...made].map(([name, members]) => ({ title: name, items: members }));
}

// The view stands in the address, so that it survives a reload and can be sent.
function remember() {
  const parts = new URLSearchParams();
  if (view.query) parts.set("q", view.query);
  if (view.status) parts.set("status", view.status);
  if (view.sort !== "order") parts.set("sort", view.sort);
  if (view.group) parts.set("group", view.group);
  if (view.size !== 260) parts.set("size", view.size);
  for (const [name, wanted] of Object.entries(view.facets)) if (wanted) parts.set(`is.${name}`, wanted);
  const text = parts.toString();
  history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
}
function recall() {
  const parts = new URLSearchParams(location.hash.slice(1));
  view.query = parts.get("q") ?? "";
  view.status = parts.get("status") ?? "";
  view.sort = parts.get("sort") in SORTS ? parts.get("sort") : "order";
  view.group = parts.get("group") ?? "";
  view.size = Math.min(560, Math.max(120, Number(parts.get("size")) || 260));
  view.facets = {};
  for (const [name, wanted] of parts) if (name.startsWith("is.")) view.facets[name.slice(3)] = wanted;
}
