"""Lint catalogs: what the schema cannot say, each fault with its place in the file."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from t2v.errors import DocumentError
from t2v.zoo.documents import Document, key_text
from t2v.zoo.entries import Drawer
from t2v.zoo.rules import Level, faults, is_family
from t2v.zoo.spec import ModelSpec


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a catalog."""

    where: str
    """`file:line:column`."""
    key: str
    message: str
    level: Level = "error"
    """A `warning` is no mistake; it is to be looked at."""

    def __str__(self) -> str:
        key = f"{self.key}: " if self.key else ""
        kind = "warning: " if self.level == "warning" else ""
        return f"{self.where}: {kind}{key}{self.message}"


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
            problems += _faults(drawer, specs[name], documents)
    problems += _families(drawer, documents)
    problems += _clashes(drawer, specs, documents)
    problems += _no_default(drawer, documents)
    # What a family says wrong is wrong in each of its models.
    return list(dict.fromkeys(problems))


def _faults(drawer: Drawer, spec: ModelSpec, documents: Sequence[Document]) -> Iterator[Problem]:
    for fault in faults(spec, drawer.families.get(spec.family)):
        document, place = drawer.place(spec.name, fault.path)
        if document not in documents:
            document = drawer.entries[spec.name].document
            place = ("models", spec.name, *fault.path)
        yield Problem(document.where(place), key_text(place), fault.message, fault.level)


def _families(drawer: Drawer, documents: Sequence[Document]) -> Iterator[Problem]:
    for document in documents:
        blocks = document.data.get("families") if isinstance(document.data, dict) else None
        for name in blocks or ():
            if not is_family(name):
                place = ("families", name)
                where = document.where(place)
                yield Problem(where, key_text(place), f"t2v has no family {name!r}.")


def _clashes(
    drawer: Drawer, specs: Mapping[str, ModelSpec], documents: Sequence[Document]
) -> Iterator[Problem]:
    """One name for two models, told where the later catalog says it."""
    owners = {name: name for name in specs}
    for name, spec in specs.items():
        for index, alias in enumerate(spec.aliases):
            owner = owners.setdefault(alias, name)
            if owner == name and alias != name:
                continue
            own, other = drawer.entries[name].document, drawer.entries[owner].document
            if own in documents:
                place = ("models", name, "aliases", index)
                message = f"{alias!r} is the name of {owner} already."
                yield Problem(own.where(place), key_text(place), message)
            elif other in documents:
                above = ("models", owner)
                message = f"{alias!r} is the name of {name} already."
                yield Problem(other.where(above), key_text(above), message)


def _no_default(drawer: Drawer, documents: Sequence[Document]) -> Iterator[Problem]:
    for document in documents:
        if isinstance(document.data, dict) and "default" in document.data:
            name = document.data["default"]
            if name not in drawer.entries:
                yield Problem(document.where(("default",)), "default", f"no entry {name!r}.")


def _problem(line: str) -> Problem:
    match = re.match(r"(?P<where>.*?:\d+:\d+): (?:(?P<key>[\w.\[\]-]+): )?(?P<message>.*)", line)
    if not match:
        return Problem("", "", line)
    return Problem(match["where"], match["key"] or "", match["message"])
