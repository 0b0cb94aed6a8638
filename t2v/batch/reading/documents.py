"""`.yaml`: a list of prompts, or `items` with what they share and what they are run through."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from t2v.batch.reading.beside import Beside
from t2v.batch.reading.entries import KEYS, Entry, Where, by_name, checked
from t2v.batch.reading.mistakes import Mistakes
from t2v.batch.reading.sweeps import OF_ALL, SWEPT, Axis, Sheet, axis_of
from t2v.batch.reading.texts import PromptFile, whole
from t2v.errors import DocumentError
from t2v.plan.wording import quoted, suggestion
from t2v.zoo.documents import Document, KeyPath, parse_yaml

MAX_BYTES = 10_000_000
_BRACES = re.compile(r"\{[^{}\n]*\|")
_PARTS = ("defaults", "items", "matrix")


def read_document(file: PromptFile, beside: Beside, mistakes: Mistakes) -> Sheet:
    """The entries of a file and what it says of all; what is wrong goes to `mistakes`."""
    text = whole(file, MAX_BYTES, mistakes)
    if text is None:
        return Sheet(())
    try:
        return _Reader(parse_yaml(text, file.name), beside, mistakes).sheet()
    except DocumentError as error:
        hint = " Put text with braces in quotes." if _BRACES.search(text) else ""
        mistakes.add("", f"{error}{hint}" if "not YAML" in str(error) else str(error))
        return Sheet(())


class _Reader:
    def __init__(self, document: Document, beside: Beside, mistakes: Mistakes) -> None:
        self.document = document
        self.beside = beside
        self.mistakes = mistakes

    def sheet(self) -> Sheet:
        data = self.document.data
        if isinstance(data, list):
            return Sheet(self._entries(data, ()))
        if not isinstance(data, dict):
            if data is not None:
                self._wrong((), "must be a list of prompts, or `items:` with such a list.")
            return Sheet(())
        for key in data:
            if key not in _PARTS:
                self._wrong((key,), _no_part(key))
        defaults, matrix = data.get("defaults"), data.get("matrix")
        items = [] if data.get("items") is None else data["items"]
        if not isinstance(items, list):
            self._wrong(("items",), "items must be a list of prompts.")
            items = []
        return Sheet(
            self._entries(items, ("items",)), self._defaults(defaults), self._matrix(matrix)
        )

    def _defaults(self, data: Any) -> dict[str, Any]:
        entry = None if data is None else self._entry(data, ("defaults",), OF_ALL)
        return {} if entry is None else checked(entry, self.beside, self.mistakes) or {}

    def _matrix(self, data: Any) -> list[Axis]:
        if data is None:
            return []
        entry = self._entry(data, ("matrix",), SWEPT)
        axes: list[Axis] = []
        for name, values in entry.values.items() if entry else ():
            called = entry.called(name) if entry else name
            path = ("matrix", called)
            if not isinstance(values, list) or not values:
                self._wrong(path, f"{called} must be a list of values to run through.")
                continue
            entries = [
                Entry(0, {name: value}, self._where((*path, index), {}), {name: called})
                for index, value in enumerate(values)
            ]
            axis = axis_of(called, entries, self.beside, self.mistakes)
            if axis:
                for other in axes:
                    if other.names & axis.names:
                        self._wrong(
                            path,
                            f"{called} says the same as {other.called}; leave one of them out.",
                        )
                axes.append(axis)
        return axes

    def _entries(self, items: list[Any], path: KeyPath) -> Iterator[Entry]:
        for index, item in enumerate(items):
            place = (*path, index)
            entry = self._entry({"prompt": item} if isinstance(item, str) else item, place, KEYS)
            if entry:
                yield entry

    def _entry(self, data: Any, path: KeyPath, known: dict[str, str]) -> Entry | None:
        if not isinstance(data, dict):
            self._wrong(path, f"must be a mapping such as `seed: 42`, not {quoted(data)}.")
            return None
        before = self.mistakes.count
        values, written = by_name(
            data.items(), lambda key, message: self._wrong((*path, key), message), known
        )
        line = self.document.marks.get(path, (1, 1))[0]
        entry = Entry(line, values, self._where(path, written), written)
        return entry if self.mistakes.count == before else None

    def _where(self, path: KeyPath, written: dict[str, str]) -> Where:
        return partial(_place, self.document, path, written)

    def _wrong(self, path: KeyPath, message: str) -> None:
        self.mistakes.add(self.document.where(path), message)


def _place(
    document: Document, path: KeyPath, written: dict[str, str], key: KeyPath, offset: int
) -> str:
    names = tuple(written.get(part, part) if isinstance(part, str) else part for part in key)
    return document.where((*path, *names))


def _no_part(key: str) -> str:
    if key in KEYS:
        return f"{key} belongs below `items:` (of one video) or `defaults:` (of all)."
    return f"there is no key {quoted(key)}; known are defaults, items and matrix.{suggestion(key, _PARTS)}"
