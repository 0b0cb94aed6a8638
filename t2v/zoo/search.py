"""Find models by words: names, aliases, tags, family, task and description, typing errors forgiven."""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher, get_close_matches
from typing import Any

Entry = Mapping[str, Any]
"""A validated entry as plain data."""
Place = tuple[str, float]
"""A text of an entry, and how much a word in it counts."""

_WORD = re.compile(r"[a-z0-9]+(?:\.[0-9]+)*[a-z0-9]*")
_ALIKE = 0.75
"""The likeness from which a word is taken for another one, mistyped."""
_MIN_LETTERS = 4
"""Shorter words are too easily like another."""
_LONGEST = 80
"""Letters of a word that are looked at."""


def search(entries: Sequence[Entry], query: str) -> list[tuple[float, Entry]]:
    """The entries that all words of the query fit, with their scores, the best first."""
    places = [list(_places(entry)) for entry in entries]
    words = [word[:_LONGEST] for word in query.lower().split()]
    meant = [_meant(word, places) for word in words]
    whole = "-".join(words)
    scored = []
    for entry, own in zip(entries, places, strict=True):
        score = _score(own, meant)
        if score and whole in (entry["name"], *entry.get("aliases", ())):
            score += 100
        if score:
            scored.append((round(score, 1), entry))
    # The sort is stable: equals stay in the order of the catalog.
    return sorted(scored, key=lambda pair: -pair[0])


def nearest(entries: Sequence[Entry], query: str, count: int = 3) -> list[str]:
    """The names of the models that look most like what was asked for."""
    wanted = "-".join(query.lower().split())[:_LONGEST]
    scored = []
    for entry in entries:
        words = {part for name in _names(entry) for part in (name, *_WORD.findall(name))}
        scored.append((max(_likeness(wanted, word) for word in words), str(entry["name"])))
    scored.sort(key=lambda pair: -pair[0])
    return [name for likeness, name in scored[:count] if likeness > 0]


def _places(entry: Entry) -> Iterator[Place]:
    for name in _names(entry):
        yield name, 60
    yield entry["family"].replace("_", "-"), 50
    for tag in entry.get("tags", ()):
        yield tag, 45
    for task in entry.get("tasks", ()):
        yield task, 30
    yield entry.get("license", ""), 30
    yield entry.get("description", "").lower(), 25


def _names(entry: Entry) -> tuple[str, ...]:
    return (entry["name"], *entry.get("aliases", ()))


def _meant(word: str, places: Sequence[Sequence[Place]]) -> list[tuple[str, float]]:
    """The word, or where no model has it those that it may be a slip of, for half of the score."""
    if any(word in text for own in places for text, _ in own):
        return [(word, 1.0)]
    if len(word) < _MIN_LETTERS:
        return []
    known = {part for own in places for text, _ in own for part in _WORD.findall(text)}
    return [(other, 0.5) for other in get_close_matches(word, known, cutoff=_ALIKE)]


def _score(places: Sequence[Place], meant: Sequence[Sequence[tuple[str, float]]]) -> float:
    scores = [
        max(
            (_fit(word, text, weight) * share for word, share in words for text, weight in places),
            default=0.0,
        )
        for words in meant
    ]
    return sum(scores) / len(scores) if scores and all(scores) else 0.0


def _fit(word: str, text: str, weight: float) -> float:
    """All of the weight for the word itself, less for a beginning or a piece."""
    if word not in text:
        return 0
    if word == text:
        return weight
    parts = _WORD.findall(text)
    if word in parts:
        return weight * 0.9
    if any(part.startswith(word) for part in (text, *parts)):
        return weight * 0.8
    return weight * 0.5 if len(word) > 1 else 0


def _likeness(word: str, other: str) -> float:
    # A cheap upper bound first; the ratio itself takes the product of the lengths.
    matcher = SequenceMatcher(None, word, other)
    return matcher.ratio() if matcher.real_quick_ratio() > 0.4 else 0
