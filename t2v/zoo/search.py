"""Find models by words: names, aliases, tags, family, task and description, typing errors forgiven."""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

Entry = Mapping[str, Any]
"""A validated entry as plain data."""

_WORD = re.compile(r"[a-z0-9]+(?:\.[0-9]+)*[a-z0-9]*")
_ALIKE = 0.8
"""The likeness from which a word is taken for another one, mistyped."""
_MIN_LETTERS = 4
"""Shorter words are too easily like another."""


def search(entries: Sequence[Entry], query: str) -> list[tuple[float, Entry]]:
    """The entries that all words of the query fit, with their scores, the best first."""
    words = query.lower().split()
    whole = "-".join(words)
    scored = [(_score(entry, words, whole), entry) for entry in entries]
    # The sort is stable: equals stay in the order of the catalog.
    return sorted((pair for pair in scored if pair[0]), key=lambda pair: -pair[0])


def nearest(entries: Sequence[Entry], query: str, count: int = 3) -> list[str]:
    """The names of the models that look most like what was asked for."""
    wanted = query.lower()[:80]
    scored = [
        (max(_likeness(wanted, word) for word in _called(entry)), str(entry["name"]))
        for entry in entries
    ]
    scored.sort(key=lambda pair: -pair[0])
    return [name for likeness, name in scored[:count] if likeness > 0]


def _score(entry: Entry, words: Sequence[str], whole: str) -> float:
    if not words:
        return 0
    places = list(_places(entry))
    scores = [max(_fit(word, text, weight) for text, weight in places) for word in words]
    if not all(scores):
        return 0
    is_it = whole in (entry["name"], *entry.get("aliases", ()))
    return round(sum(scores) / len(scores) + (100 if is_it else 0), 1)


def _places(entry: Entry) -> Iterator[tuple[str, float]]:
    """The texts of an entry, and how much a word in each counts."""
    for name in (entry["name"], *entry.get("aliases", ())):
        yield name, 60
    yield entry["family"].replace("_", "-"), 50
    for tag in entry.get("tags", ()):
        yield tag, 45
    for task in entry.get("tasks", ()):
        yield task, 30
    yield entry.get("license", ""), 30
    yield entry.get("description", "").lower(), 25


def _fit(word: str, text: str, weight: float) -> float:
    """All of the weight for the word itself, less for a beginning, a piece, something alike."""
    if word == text:
        return weight
    if word not in text:
        return _alike(word, text) * weight / 2
    parts = _WORD.findall(text)
    if word in parts:
        return weight * 0.9
    if text.startswith(word) or any(part.startswith(word) for part in parts):
        return weight * 0.8
    return weight * 0.5 if len(word) > 1 else 0


def _alike(word: str, text: str) -> float:
    if len(word) < _MIN_LETTERS:
        return 0
    return max(
        (
            likeness
            for part in (text, *_WORD.findall(text))
            if (likeness := _likeness(word, part)) >= _ALIKE
        ),
        default=0,
    )


def _called(entry: Entry) -> set[str]:
    names = {entry["name"], *entry.get("aliases", ()), entry["family"]}
    return names | {part for name in names for part in _WORD.findall(name)}


def _likeness(word: str, other: str) -> float:
    # Cheap upper bounds first; the ratio itself takes the square of the lengths.
    matcher = SequenceMatcher(None, word, other)
    quick = matcher.real_quick_ratio()
    return matcher.ratio() if quick > 0.4 else 0
