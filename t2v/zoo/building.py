"""Make plain data of YAML events, so that a hostile document is refused before it unfolds."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from t2v.errors import DocumentError
from t2v.zoo.documents import MAX_DEPTH, Document, KeyPath

_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)$")
_FLOAT = re.compile(
    r"[-+]?((\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+|\.(inf|Inf|INF))$"
)
_MAX_NUMBER = 32
"""No longer than this, so that a commit hash which happens to be all digits stays a string."""
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def build(text: str, name: str) -> Document:
    """Make a document of the text of one YAML file.

    Raises:
        DocumentError: The text is broken, or uses what is refused here.
    """
    try:
        return _Builder(name).build(text)
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise DocumentError(f"{name}:{line}:1: not YAML: half a character.") from None
    except yaml.YAMLError as error:
        raise DocumentError(_yaml_message(name, error)) from None


class _Builder:
    """Makes data from parser events, so that a hostile document is refused before it unfolds."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.marks: dict[KeyPath, tuple[int, int]] = {}

    def build(self, text: str) -> Document:
        loader = _LOADER(text)
        try:
            return Document(self._document(_events(loader)), self.name, self.marks)
        finally:
            loader.dispose()

    def _document(self, events: Iterator[Any]) -> Any:
        data: Any = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._refuse(event, "a second document; one file holds one")
            elif isinstance(event, yaml.NodeEvent):
                data = self._value(event, events, ())
        return data

    def _value(self, event: Any, events: Iterator[Any], path: KeyPath) -> Any:
        self._check(event)
        if len(path) > MAX_DEPTH:
            raise self._refuse(event, f"nested deeper than {MAX_DEPTH} levels")
        self.marks.setdefault(path, _position(event))
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event.value) if event.implicit[0] else event.value
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(events, path)
        return self._mapping(events, path)

    def _list(self, events: Iterator[Any], path: KeyPath) -> list[Any]:
        items: list[Any] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._value(event, events, (*path, len(items))))
        return items

    def _mapping(self, events: Iterator[Any], path: KeyPath) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            self._check(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise self._refuse(event, "a key must be a plain word")
            key = event.value
            if key in values:
                line, column = self.marks[(*path, key)]
                raise self._refuse(event, f"{key!r} is there already, at {line}:{column}")
            self.marks[(*path, key)] = _position(event)
            values[key] = self._value(next(events), events, (*path, key))
        return values

    def _check(self, event: Any) -> None:
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            raise self._refuse(event, "anchors and aliases (& and *) are not allowed; repeat it")
        if event.tag and event.tag not in ("!", "tag:yaml.org,2002:str"):
            raise self._refuse(event, f"tags are not allowed, and here is {event.tag!r}")

    def _refuse(self, event: Any, message: str) -> DocumentError:
        line, column = _position(event)
        return DocumentError(f"{self.name}:{line}:{column}: {message}.")


def _events(loader: Any) -> Iterator[Any]:
    while not isinstance(event := loader.get_event(), yaml.StreamEndEvent):
        yield event


def _position(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _scalar(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > _MAX_NUMBER:
        return text
    if _INT.match(text):
        return int(text)
    if _FLOAT.match(text):
        return float(text.replace(".inf", "inf").replace(".Inf", "inf").replace(".INF", "inf"))
    return text


def _yaml_message(name: str, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    if "nesting depth" in problem:  # LibYAML since 0.2.6 scans ahead of the events and stops first
        return f"{name}:{line}:{column}: nested deeper than {MAX_DEPTH} levels."
    return f"{name}:{line}:{column}: not YAML: {problem}."
