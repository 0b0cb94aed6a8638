"""Everything about one model on a page: what it is, may be used for, needs, and how to run it."""

import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

import t2v
from t2v_cli.columns import terminal_width
from t2v_cli.entries import clip, count, download
from t2v_cli.output import out
from t2v_cli.terminal import is_terminal

Facts = dict[str, Any]
Section = tuple[str, Sequence[str]]

_MARGIN = 14
_READABLE = 110
"""A line longer than this is hard to follow back."""
_PLACED = {
    "none": "all on the device",
    "model": "a component at a time",
    "group": "some layers at a time",
    "sequential": "a layer at a time",
}
_MATURITY = {
    "verified": "run by us at full size",
    "smoke": "run once",
    "untested": "numbers from the sources below; its code is tested with tiny weights",
    "legacy": "an old model for its admirers",
    "unverified": "no entry of the zoo; read from its own configuration files",
}


def show(facts: Facts) -> None:
    """Print the page; a pipe gets its lines unbroken."""
    width = min(terminal_width(), _READABLE) if is_terminal(sys.stdout) else None
    out.heading(facts["name"])
    for label, texts in _page(facts):
        for index, text in enumerate(texts):
            for line in _lines("" if index else label, text, width):
                out.data(line)


def _lines(label: str, text: str, width: int | None) -> list[str]:
    head = label.ljust(_MARGIN)
    if width is None or len(head + text) <= width:
        return [f"{head}{text}"]
    return textwrap.wrap(
        text, width, initial_indent=head, subsequent_indent=" " * _MARGIN, break_on_hyphens=False
    )


def _page(facts: Facts) -> Iterator[Section]:
    if facts.get("description"):
        yield "", [facts["description"]]
    yield from _identity(facts)
    yield from _clips(facts)
    yield "weights", list(_weights(facts))
    yield "memory", list(_memory(facts))
    if facts["requires"]:
        yield "needs", [f"pip install {' '.join(facts['requires'])}"]
    yield "here", list(_here(facts))
    yield "run it", [facts["command"]]
    yield "sources", [f"{key}: {source}" for key, source in facts["sources"].items()]


def _identity(facts: Facts) -> Iterator[Section]:
    uses = {"yes": "yes", "no": "no", "conditions": "on conditions"}[facts["commercial"]]
    yield "license", [f"{facts['license']}: {facts['license_meaning']} (commercial use: {uses})"]
    if facts["is_default"]:
        yield "default", ["used where no model is named"]
    yield "family", [f"{facts['family']}, {facts['pipeline']}, {', '.join(facts['tasks'])}"]
    for label, key in (("also called", "aliases"), ("tags", "tags")):
        if facts.get(key):
            yield label, [", ".join(facts[key])]
    yield "maturity", [f"{facts['maturity']}: {_MATURITY[facts['maturity']]}"]
    for key in ("homepage", "paper"):
        if facts.get(key):
            yield key, [facts[key]]


def _clips(facts: Facts) -> Iterator[Section]:
    native, rule = facts["native"], facts["frames"]
    yield "native clip", [f"{clip(facts)}: {native['num_frames']} frames at {native['fps']} fps"]
    sizes = ", ".join(f"{width}x{height}" for width, height in facts["sizes"]["native"])
    yield "sizes", [f"{sizes}; any multiple of {facts['sizes']['multiple']} pixels"]
    yield "frames", [", ".join(_counts(rule))]
    yield "defaults", [", ".join(_defaults(facts["defaults"]))]
    supports = facts["supports"]
    able = [key.replace("_", " ") for key, value in supports.items() if value is True]
    able += [f"long video by {way}" for way in supports["long_video"]]
    able += ["sound"] if facts["audio"] else []
    yield "can do", [", ".join(able) or "a plain call"]


def _counts(rule: Facts) -> Iterator[str]:
    multiple, plus, most = rule["multiple"], rule["plus"], rule.get("max")
    if most == (rule.get("min") or plus or multiple):
        yield f"exactly {most}"
        return
    counts = f"{multiple}n+{plus}" if plus else f"{multiple}n"
    yield counts if multiple > 1 else "any number"
    if rule.get("min"):
        yield f"from {rule['min']}"
    if most:
        yield f"up to {most} in one call"


def _defaults(defaults: Facts) -> Iterator[str]:
    for name, value in defaults.items():
        if name == "negative_prompt":
            yield f'negative_prompt "{value}"'
        elif name == "flow_shift_by_height":
            yield from (f"flow_shift {shift} at {height}p" for height, shift in value.items())
        elif isinstance(value, dict):
            yield from (f"{key} {inner}" for key, inner in value.items())
        else:
            yield f"{name} {value}"


def _weights(facts: Facts) -> Iterator[str]:
    parts = facts["components"]
    whole = count(sum(part["params"] for part in parts.values()), "M", "B")
    yield (
        f"{count(facts['params'], 'M', 'B')} parameters denoise, {whole} in all; "
        f"download: {download(facts)}{' (gated)' if facts['gated'] else ''}"
    )
    for name, part in parts.items():
        size = count(part["params"], "M", "B")
        yield f"{name}: {size}, {t2v.text.gb(part['bytes'])}, runs in {part['dtype']}"


def _memory(facts: Facts) -> Iterator[str]:
    machine, fits = facts["machine"], facts["fits"]
    name = f"this machine ({machine['name']})"
    limit, peak = t2v.text.gib(fits["limit_bytes"]), t2v.text.gib(fits["peak_bytes"])
    match fits["answer"]:
        case "yes" | "offload":
            yield f"fits {name}: {_PLACED[fits['rung']]}, {peak} of {limit}"
        case "no":
            yield f"does not fit {name}: {peak} needed at least, {limit} there"
        case _:
            yield "whether it fits is not known: nobody has said how large it is"
    for row in facts["rungs"]:
        mark = " <- the fastest that fits" if row["rung"] == fits["rung"] else ""
        yield f"estimate, --memory {row['rung']}: {t2v.text.gib(row['peak_bytes'])}{mark}"
    for row in facts["memory"]:
        clip = f"{row['size']}, {row['frames']} frames, {row['gpu']}, {row['rung']}"
        yield f"measured: {row['peak_gib']:g} GiB for {clip} ({row['how']})"


def _here(facts: Facts) -> Iterator[str]:
    source = facts.get("repo") or facts.get("folder") or "inside t2v"
    pinned = facts.get("revision")
    if facts["folder_here"]:
        yield f"yes, in {facts['folder_here']}"
    else:
        yield f"no; t2v models pull {facts['name']} fetches it from {source}"
    for name, part in facts["parts"].items():
        yield f"{name} from {_place(part)}"
    for lora in facts["loras"]:
        yield f"a LoRA of scale {lora['scale']:g} from {_place(lora)}"
    if facts.get("repo"):
        commit = facts["revision_here"] or pinned
        kind = "pinned by the entry" if pinned else "chosen at the first pull"
        yield f"revision {commit} ({kind})" if commit else "revision: chosen at the first pull"


def _place(part: Facts) -> str:
    """Where a part that is not in the model's own repository lies."""
    place = part.get("repo") or part["folder"]
    return f"{place}, {part['file']}" if part.get("file") else str(place)
