"""What makes an entry wrong although it fits the schema, each fault with its key path."""

import importlib.util
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, NamedTuple

from t2v.zoo.documents import KeyPath
from t2v.zoo.entries import Family
from t2v.zoo.spec import FrameRule, ModelSpec
from t2v.zoo.windows import latents_of_clip

Level = Literal["error", "warning"]


class Fault(NamedTuple):
    """What is wrong with an entry, and at which of its keys."""

    path: KeyPath
    message: str
    level: Level = "error"


_LEAST_BYTES, _MOST_BYTES = 0.4, 9
"""Of a parameter, from weights in 4 bits to both float32 and its average in one file."""
_HEADER_BYTES = 2_000_000
"""What the files themselves may take beside the weights; in a toy that is most of them."""
LONG_VIDEO = ("windows", "continue", "native")
"""The ways to a video longer than native that an entry can declare."""

_FAMILY = re.compile(r"[a-z]\w*(\.\w+)*")
_NUMBERED = ("components", "frames", "latents", "sizes", "fps", "defaults", "supports")
"""Keys whose numbers need a source; those of `memory` have their `how`."""


def faults(spec: ModelSpec, family: Family | None) -> Iterator[Fault]:
    """Every fault of an entry, given the family block that it builds on."""
    yield from _identity(spec)
    yield from _family(spec, family)
    yield from _frames(spec)
    yield from _sizes(spec)
    yield from _latents(spec)
    yield from _windows(spec)
    yield from _defaults(spec)
    yield from _components(spec)
    yield from _memory(spec)
    yield from _versions(spec)
    yield from _sources(spec)


def is_family(name: str) -> bool:
    """Whether there is a module of the family; it is looked for, not imported."""
    if not _FAMILY.fullmatch(name):
        return False
    # A dotted name is the module of somebody else's family.
    module = name if "." in name else f"t2v.families.{name}"
    spec = importlib.util.find_spec(module.partition(".")[0])
    if spec is None or not spec.submodule_search_locations:
        return False
    return _has_module(list(spec.submodule_search_locations), module.split(".")[1:])


def _identity(spec: ModelSpec) -> Iterator[Fault]:
    if not re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*", spec.name):
        yield Fault(
            (), "name it in lower case: family, version, task and size with dashes between."
        )
    places = [key for key in ("repo", "builtin", "folder") if getattr(spec, key)]
    if len(places) != 1:
        has = " and ".join(places) or "none"
        yield Fault((), f"needs one of repo, builtin and folder, and has {has}.")
    if spec.license.lower() in ("", "unknown", "unverified", "see-model-card"):
        yield Fault(("license",), "name the licence; its identifier, in lower case.")
    if not spec.description:
        yield Fault((), "needs a description of one line.")
    if spec.maturity == "unverified":
        yield Fault(("maturity",), "is for models without an entry; this one is untested at least.")


def _family(spec: ModelSpec, family: Family | None) -> Iterator[Fault]:
    if not is_family(spec.family):
        yield Fault(("family",), f"t2v has no family {spec.family!r}.")
    elif family and family.pipelines and spec.pipeline not in family.pipelines:
        known = ", ".join(family.pipelines)
        yield Fault(
            ("pipeline",), f"the family {spec.family} has {known}, and not {spec.pipeline}."
        )


def _frames(spec: ModelSpec) -> Iterator[Fault]:
    rule = spec.frames
    for key in ("native", "min", "max"):
        number = getattr(rule, key)
        if number is not None and not _is_legal(rule, number):
            yield Fault(("frames", key), f"{number} is not {rule.multiple} n + {rule.plus}.")
    if not (rule.min or 1) <= rule.native <= (rule.max or rule.native):
        yield Fault(("frames", "native"), f"{rule.native} is not between min and max.")


def _is_legal(rule: FrameRule, number: int) -> bool:
    shortest = rule.plus or rule.multiple
    return number >= shortest and (number - rule.plus) % rule.multiple == 0


def _sizes(spec: ModelSpec) -> Iterator[Fault]:
    for index, size in enumerate(spec.sizes.native):
        if any(side % spec.sizes.multiple for side in size):
            text = f"{size[0]}x{size[1]} is no multiple of {spec.sizes.multiple}."
            yield Fault(("sizes", "native", index), text)


def _latents(spec: ModelSpec) -> Iterator[Fault]:
    rule, native = spec.latents, spec.frames.native
    # A length that breaks the rule of frames is told once, there.
    if (
        rule
        and _is_legal(spec.frames, native)
        and (native < rule.first or (native - rule.first) % rule.factor)
    ):
        text = f"{native} frames are not {rule.first} + {rule.factor} n, so no number of latents."
        yield Fault(("latents",), text)


def _windows(spec: ModelSpec) -> Iterator[Fault]:
    supports, latents = spec.supports, spec.latents
    for index, method in enumerate(supports.long_video):
        if method not in LONG_VIDEO:
            text = f"{method!r} is none of {', '.join(LONG_VIDEO)}."
            yield Fault(("supports", "long_video", index), text)
    window, overlap = supports.window, supports.overlap
    if "windows" not in supports.long_video:
        if window is not None or overlap is not None:
            key = "window" if window is not None else "overlap"
            yield Fault(("supports", key), "means nothing where long_video has no windows.")
        return
    if latents is None:
        yield Fault(
            ("supports", "long_video"), "windows are counted in latents; the entry lacks them."
        )
    if window is None or overlap is None:
        yield Fault(("supports", "long_video"), "windows need a window and an overlap.")
        return
    if not window > overlap:
        yield Fault(("supports", "overlap"), f"{overlap} is not less than the window of {window}.")
    if latents is None:
        return
    if (window - overlap) % latents.patch:
        text = f"{window} less {overlap} is no multiple of the {latents.patch} latents of a patch."
        yield Fault(("supports", "overlap"), text)
    if window > (clip := latents_of_clip(spec.frames.native, latents)):
        text = (
            f"{window} is more than the {clip} latents of the native {spec.frames.native} frames."
        )
        yield Fault(("supports", "window"), text)


def _defaults(spec: ModelSpec) -> Iterator[Fault]:
    defaults = spec.defaults
    steps, fewest = defaults.num_inference_steps, defaults.min_inference_steps
    if steps is not None and fewest is not None and steps < fewest:
        text = f"{steps} are less than the {fewest} of min_inference_steps."
        yield Fault(("defaults", "num_inference_steps"), text)
    for key in ("timesteps", "sigmas"):
        values = defaults.call.get(key)
        if isinstance(values, tuple) and len(values) != steps:
            text = f"{len(values)} values hold for {len(values)} steps, and not for {steps}."
            yield Fault(("defaults", "call", key), text)
    if defaults.flow_shift is not None and defaults.flow_shift_by_height:
        yield Fault(("defaults", "flow_shift"), "means nothing beside flow_shift_by_height.")


def _components(spec: ModelSpec) -> Iterator[Fault]:
    for part, component in spec.components.items():
        if part in spec.unused and part not in spec.parts:
            yield Fault(("components", part), "is among the unused, which are never fetched.")
        each = component.bytes / component.params
        most = component.params * _MOST_BYTES + _HEADER_BYTES
        if not component.params * _LEAST_BYTES <= component.bytes <= most:
            text = f"{component.bytes} bytes are {each:.2g} for each of its parameters."
            yield Fault(("components", part, "bytes"), text)


def _memory(spec: ModelSpec) -> Iterator[Fault]:
    for index, row in enumerate(spec.memory):
        if not re.fullmatch(r"[1-9]\d*x[1-9]\d*", row.size):
            text = f"{row.size!r} is no width and height such as 832x480."
            yield Fault(("memory", index, "size"), text)


def _versions(spec: ModelSpec) -> Iterator[Fault]:
    if spec.diffusers is None:
        return
    # It takes longer to import than listing the zoo may take.
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415

    try:
        checked = SpecifierSet(spec.diffusers)
    except InvalidSpecifier:
        yield Fault(("diffusers",), f"{spec.diffusers!r} is no range such as '>=0.42,<0.43'.")
        return
    installed = version("diffusers")
    if not checked.contains(installed, prereleases=True):
        text = f"was checked with {spec.diffusers}, and {installed} is installed."
        yield Fault(("diffusers",), text, "warning")


def _sources(spec: ModelSpec) -> Iterator[Fault]:
    said = spec.model_dump(include=set(_NUMBERED), exclude_defaults=True)
    named = [key for key, text in spec.sources.items() if text.strip()]
    for key in _NUMBERED:
        numbers = _numbers(said.get(key), key)
        if any(not any(_covers(name, path) for name in named) for path in numbers):
            text = f"has numbers without a source; say where they come from in sources.{key}."
            yield Fault((key,), text)
    for key in spec.sources:
        if key.partition(".")[0] not in ModelSpec.model_fields:
            yield Fault(("sources", key), "is a source for nothing; use a key of the entry.")


def _numbers(value: Any, path: str) -> Iterator[str]:
    """Key paths of the numbers in a value; `fps` is one although it is written as a fraction."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _numbers(inner, f"{path}.{key}")
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from _numbers(inner, path)
    elif (isinstance(value, int | float) and not isinstance(value, bool)) or path == "fps":
        yield from () if value is None else (path,)


def _covers(source: str, path: str) -> bool:
    return path == source or path.startswith(f"{source}.")


def _has_module(roots: list[str], parts: list[str]) -> bool:
    """Look for a module's file without importing the packages around it, which may be heavy."""
    *folders, last = parts
    for root in roots:
        place = Path(root).joinpath(*folders)
        if (place / f"{last}.py").is_file() or (place / last / "__init__.py").is_file():
            return True
    return False
