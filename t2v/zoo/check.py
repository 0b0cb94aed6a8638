"""Lint catalogs: what the schema cannot say, each fault with its place in the file."""

import importlib.util
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from t2v.errors import DocumentError
from t2v.zoo.documents import Document, KeyPath, key_text
from t2v.zoo.entries import Drawer
from t2v.zoo.spec import ModelSpec

_FAMILY = re.compile(r"[a-z]\w*(\.\w+)*")
_NUMBERED = ("components", "frames", "sizes", "fps", "defaults")
"""Keys whose numbers need a source."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a catalog."""

    where: str
    """`file:line:column`."""
    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.key + ': ' if self.key else ''}{self.message}"


def check(documents: Sequence[Document], *, base: Sequence[Document] = ()) -> list[Problem]:
    """Every fault of these catalogs, in file order; those of `base` are only built upon."""
    try:
        drawer = Drawer([*base, *documents])
    except DocumentError as error:
        return [_problem(str(error))]
    problems: list[Problem] = []
    specs: dict[str, ModelSpec] = {}
    for name, entry in drawer.entries.items():
        try:
            specs[name] = drawer.spec(name)
        except DocumentError as error:
            problems += [_problem(line) for line in str(error).splitlines()]
            continue
        if entry.document in documents:
            for path, message in _faults(specs[name]):
                place = ("models", name, *path)
                where = entry.document.where(place)
                problems.append(Problem(where, key_text(place), message))
    return problems + list(_clashes(drawer, specs)) + list(_no_default(drawer, documents))


def _faults(spec: ModelSpec) -> Iterator[tuple[KeyPath, str]]:
    yield from _identity(spec)
    yield from _frames(spec)
    yield from _sizes(spec)
    yield from _sources(spec)


def _identity(spec: ModelSpec) -> Iterator[tuple[KeyPath, str]]:
    if not re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*", spec.name):
        yield (), "name it in lower case: family, version, task and size with dashes between."
    if not _is_family(spec.family):
        yield ("family",), f"t2v has no family {spec.family!r}."
    places = [key for key in ("repo", "builtin", "folder") if getattr(spec, key)]
    if len(places) != 1:
        yield (
            (),
            f"needs one of repo, builtin and folder, and has {' and '.join(places) or 'none'}.",
        )
    if spec.license.lower() in ("", "unknown", "unverified"):
        yield ("license",), "name the licence; its identifier, in lower case."
    if not spec.description:
        yield (), "needs a description of one line."


def _frames(spec: ModelSpec) -> Iterator[tuple[KeyPath, str]]:
    rule = spec.frames
    for key in ("native", "min", "max"):
        number = getattr(rule, key)
        if number is not None and (number - rule.plus) % rule.multiple:
            yield ("frames", key), f"{number} is not {rule.multiple} n + {rule.plus}."
    if not (rule.min or 1) <= rule.native <= (rule.max or rule.native):
        yield ("frames", "native"), f"{rule.native} is not between min and max."


def _sizes(spec: ModelSpec) -> Iterator[tuple[KeyPath, str]]:
    for index, size in enumerate(spec.sizes.native):
        if any(side % spec.sizes.multiple for side in size):
            text = f"{size[0]}x{size[1]} is no multiple of {spec.sizes.multiple}."
            yield ("sizes", "native", index), text


def _sources(spec: ModelSpec) -> Iterator[tuple[KeyPath, str]]:
    said = spec.model_dump(include=set(_NUMBERED), exclude_defaults=True)
    for key in _NUMBERED:
        if said.get(key) and not spec.sources.get(key, "").strip():
            yield (
                (key,),
                f"has numbers without a source; say where they come from in sources.{key}.",
            )
    for key in spec.sources:
        if key.partition(".")[0] not in ModelSpec.model_fields:
            yield ("sources", key), "is a source for nothing; use a key of the entry."


def _clashes(drawer: Drawer, specs: dict[str, ModelSpec]) -> Iterator[Problem]:
    owners = {name: name for name in specs}
    for name, spec in specs.items():
        for index, alias in enumerate(spec.aliases):
            owner = owners.setdefault(alias, name)
            if owner != name or alias == name:
                place = ("models", name, "aliases", index)
                where = drawer.entries[name].document.where(place)
                yield Problem(where, key_text(place), f"{alias!r} is the name of {owner} already.")


def _no_default(drawer: Drawer, documents: Sequence[Document]) -> Iterator[Problem]:
    for document in documents:
        if isinstance(document.data, dict) and "default" in document.data:
            name = document.data["default"]
            if name not in drawer.entries:
                yield Problem(document.where(("default",)), "default", f"no entry {name!r}.")


def _is_family(name: str) -> bool:
    if not _FAMILY.fullmatch(name):
        return False
    # A dotted name is the module of somebody else's family.
    module = name if "." in name else f"t2v.families.{name}"
    spec = importlib.util.find_spec(module.partition(".")[0])
    if spec is None or not spec.submodule_search_locations:
        return False
    return _has_module(list(spec.submodule_search_locations), module.split(".")[1:])


def _has_module(roots: list[str], parts: list[str]) -> bool:
    """Look for a module's file without importing the packages around it, which may be heavy."""
    *folders, last = parts
    for root in roots:
        place = Path(root).joinpath(*folders)
        if (place / f"{last}.py").is_file() or (place / last / "__init__.py").is_file():
            return True
    return False


def _problem(line: str) -> Problem:
    match = re.match(r"(?P<where>.*?:\d+:\d+): (?:(?P<key>[\w.\[\]-]+): )?(?P<message>.*)", line)
    if not match:
        return Problem("", "", line)
    return Problem(match["where"], match["key"] or "", match["message"])
