"""From catalog documents to validated specs: families hand down values, later documents win."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from t2v.errors import DocumentError
from t2v.zoo.documents import Document, KeyPath
from t2v.zoo.spec import ModelSpec
from t2v.zoo.windows import within_native

SECTIONS = ("default", "families", "models")
_GENERIC = "generic"


@dataclass(frozen=True, slots=True)
class Family:
    """What all models of a family share: its pipeline classes, and values that entries inherit."""

    name: str
    pipelines: tuple[str, ...] = ()
    """Its diffusers pipeline classes; an entry that names none has the first."""
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """One model as it is written, and the document that says so."""

    name: str
    raw: Mapping[str, Any]
    document: Document


class Drawer:
    """All entries and families of some documents, before anything is validated."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self.default: str | None = None
        self.entries: dict[str, Entry] = {}
        self.families: dict[str, Family] = {}
        self._family_documents: dict[str, list[Document]] = {}
        for document in documents:
            self._add(document)

    def spec(self, name: str) -> ModelSpec:
        """The validated spec of one entry.

        Raises:
            DocumentError: The entry breaks the schema; one line a fault, each with its place.
        """
        entry = self.entries[name]
        try:
            spec = ModelSpec.model_validate(self._complete(entry))
        except ValidationError as error:
            faults = []
            for fault in error.errors(include_url=False):
                document, path = self.place(name, fault["loc"])
                faults.append(str(document.error(path, _message(fault))))
            raise DocumentError("\n".join(faults)) from None
        own = any(_says(entry.raw, ("supports", key)) for key in ("window", "overlap"))
        return spec if own else within_native(spec)

    def _complete(self, entry: Entry) -> dict[str, Any]:
        family = self.families.get(str(entry.raw.get("family", _GENERIC)))
        return inherit(entry.raw, family, entry.name)

    def place(self, name: str, path: KeyPath) -> tuple[Document, KeyPath]:
        """Where a value of an entry is written: in the entry, or in the block of its family."""
        entry = self.entries[name]
        own: KeyPath = ("models", name, *path)
        family = str(entry.raw.get("family", _GENERIC))
        inherited: KeyPath = ("families", family, *path)
        if path and not _says(entry.raw, path):
            for document in reversed(self._family_documents.get(family, [])):
                if inherited in document.marks:
                    return document, inherited
        return entry.document, own

    def _add(self, document: Document) -> None:
        sections = _mapping(document, (), document.data)
        for key in sections:
            if key not in SECTIONS:
                raise document.error((key,), f"unknown; a catalog has {', '.join(SECTIONS)}.")
        default = sections.get("default")
        if default is not None and not isinstance(default, str):
            raise document.error(("default",), "must be the name of a model.")
        self.default = default or self.default
        for name, raw in _section(document, sections, "families"):
            self._add_family(document, name, raw)
        for name, raw in _section(document, sections, "models"):
            # An entry that is replaced moves to the end, where the user's own models stand.
            self.entries.pop(name, None)
            self.entries[name] = Entry(name, raw, document)

    def _add_family(self, document: Document, name: str, raw: Mapping[str, Any]) -> None:
        known = self.families.get(name, Family(name))
        values = _merged(known.values, {k: v for k, v in raw.items() if k != "pipelines"})
        pipelines = raw.get("pipelines", known.pipelines)
        if not isinstance(pipelines, list | tuple) or not all(
            isinstance(p, str) for p in pipelines
        ):
            raise document.error(("families", name, "pipelines"), "must be a list of class names.")
        for key in raw:
            if key not in ModelSpec.model_fields and key != "pipelines":
                raise document.error(("families", name, key), _unknown_key(key))
        self.families[name] = Family(name, tuple(pipelines), values)
        self._family_documents.setdefault(name, []).append(document)


def _says(raw: Mapping[str, Any], path: KeyPath) -> bool:
    """Whether an entry itself has the value, in whole or, in a list, in part."""
    value: Any = raw
    for key in path:
        if not isinstance(value, Mapping):
            return True
        if key not in value:
            return False
        value = value[key]
    return True


def inherit(raw: Mapping[str, Any], family: Family | None, name: str) -> dict[str, Any]:
    """The values of an entry on top of those of its family."""
    values = dict(family.values) if family else {}
    parts = values.get("components", {})
    if isinstance(parts, Mapping) and isinstance(raw.get("components"), Mapping):
        # A family can say in which dtype its VAE computes; only an entry knows that it has one.
        values["components"] = {part: parts[part] for part in parts if part in raw["components"]}
    else:
        values.pop("components", None)
    values = _merged(values, raw)
    values.setdefault("family", family.name if family else _GENERIC)
    if family and family.pipelines:
        values.setdefault("pipeline", family.pipelines[0])
    return {**values, "name": name}


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = _merged(result[key], value) if both else value
    return result


def _section(
    document: Document, sections: Mapping[str, Any], key: str
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, raw in _mapping(document, (key,), sections.get(key)).items():
        yield name, _mapping(document, (key, name), raw)


def _mapping(document: Document, path: KeyPath, value: Any) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise document.error(path, "must be a mapping (`key: value` lines).")
    return value


def _message(fault: Any) -> str:
    if fault["type"] == "extra_forbidden":
        return _unknown_key(str(fault["loc"][-1]))
    if fault["type"] == "missing":
        return "is missing."
    message = str(fault["msg"]).removeprefix("Value error, ")
    value = repr(fault["input"])
    return f"{message}, and not {value if len(value) <= 60 else value[:57] + '...'}."


def _unknown_key(key: str) -> str:
    close = difflib.get_close_matches(key, ModelSpec.model_fields, n=1)
    return f"unknown key; did you mean {close[0]!r}?" if close else "unknown key."
