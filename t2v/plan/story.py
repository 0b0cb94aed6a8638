"""A story: prompts over time, from a file, from `--at`, or from a list."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2v.errors import DocumentError, RequestError
from t2v.plan.moments import TIME, Moment, parse_moment
from t2v.plan.prompts import checked_prompt, clean_prompt
from t2v.plan.seeds import MAX_SEED
from t2v.plan.wording import quoted, suggestion
from t2v.zoo.documents import read_yaml

MAX_CUES = 10_000
_KEYS = ("at", "prompt", "cut", "noise", "seed", "negative_prompt")
_NOISES = ("new", "shared")
_AT = re.compile(rf"\s*({TIME})\s*:\s+(\S.*)", re.ASCII | re.DOTALL)

Wrong = Callable[[Sequence[str | int], str], None]
"""Takes the key path of a mistake, and what is wrong there."""


@dataclass(frozen=True, slots=True)
class Cue:
    """What the video shows from a moment on."""

    prompt: str
    at: Moment | None = None
    """None where the prompts of a story share the time evenly."""
    cut: bool = False
    """Whether a new shot begins: latents of its own, nothing is blended."""
    noise: str = "new"
    """Of a new shot: `new`, or `shared` for that of the shot before, which keeps its composition."""
    seed: int | None = None
    """Of a new shot; None derives it from the request's."""
    negative_prompt: str | None = None
    """None is the request's."""

    def to_dict(self) -> dict[str, Any]:
        """As an entry of a story file, JSON-ready."""
        said = {
            "at": None if self.at is None else str(self.at),
            "prompt": self.prompt,
            "cut": self.cut or None,
            "noise": None if self.noise == "new" else self.noise,
            "seed": self.seed,
            "negative_prompt": self.negative_prompt,
        }
        return {key: value for key, value in said.items() if value is not None}


def read_story(path: Path) -> tuple[Cue, ...]:
    """The story of a YAML file: a list of prompts, or of `{at: 5s, prompt: ...}`.

    Raises:
        DiskError: The file cannot be read.
        DocumentError: Something in it is wrong; the message names every place.
    """
    document = read_yaml(path)
    errors: list[str] = []
    if not isinstance(document.data, list):
        raise document.error((), "a story is a list of `- {at: 5s, prompt: ...}` or of prompts")
    cues = tuple(
        cues_of(document.data, lambda key, text: errors.append(str(document.error(key, text))))
    )
    if errors:
        raise DocumentError("\n".join(errors))
    return cues


def parse_story(entries: Iterable[Any]) -> tuple[Cue, ...]:
    """The story of a list, as a program or a record has it: of prompts, mappings or cues.

    Raises:
        ValueError: Something in it is wrong; the message names every place.
    """
    errors: list[str] = []
    plain = [one.to_dict() if isinstance(one, Cue) else one for one in entries]
    cues = tuple(cues_of(plain, lambda key, text: errors.append(f"{_numbered(key)}{text}")))
    if errors:
        raise ValueError("; ".join(errors))
    return cues


def parse_at(text: str) -> Cue:
    """`5s: a fox in the snow`.

    Raises:
        ValueError: The text has not this form.
    """
    match = _AT.fullmatch(text)
    if match is None:
        raise ValueError(f"must look like '5s: what is shown from then on', not {quoted(text)}")
    return Cue(checked_prompt(match[2])[0], parse_moment(match[1]))


def cues_of(entries: Sequence[Any], wrong: Wrong) -> Iterator[Cue]:
    """The good entries of a list; each mistake is reported with its place."""
    if not entries:
        wrong((), "the story is empty")
    if len(entries) > MAX_CUES:
        wrong((), f"{len(entries):,} entries; a story has at most {MAX_CUES:,}")
        return
    for index, entry in enumerate(entries):
        if isinstance(entry, str):
            entry = {"prompt": entry}
        if isinstance(entry, Mapping):
            yield from _cue(index, entry, wrong)
        else:
            wrong((index,), "must be a prompt or {at: ..., prompt: ...}")


def _cue(index: int, entry: Mapping[str, Any], wrong: Wrong) -> Iterator[Cue]:
    values: dict[str, Any] = {}
    is_good = True
    for key, value in entry.items():
        try:
            values[key] = _value(key, value)
        except (ValueError, RequestError) as error:
            wrong((index, str(key)), str(error))
            is_good = False
    if "prompt" not in entry:
        wrong((index,), "has no prompt")
        is_good = False
    for key in ("seed", "noise"):
        if index and values.get(key) is not None and not entry.get("cut"):
            wrong((index, key), "only a new shot has it; add `cut: true`")
            is_good = False
    if values.get("seed") is not None and values.get("noise") == "shared":
        wrong((index, "noise"), "shared is the seed of the shot before; leave `seed` out")
        is_good = False
    if is_good:
        yield Cue(**values)


def _value(key: str, value: Any) -> Any:
    match key:
        case "at":
            return None if value is None else parse_moment(value)
        case "prompt" if isinstance(value, str):
            return checked_prompt(value)[0]
        case "negative_prompt" if value is None or isinstance(value, str):
            return value and clean_prompt(value, "negative prompt")[0]
        case "cut" if isinstance(value, bool):
            return value
        case "noise" if value in _NOISES:
            return value
        case "seed" if value is None or (type(value) is int and 0 <= value <= MAX_SEED):
            return value
    if key not in _KEYS:
        known = suggestion(str(key), _KEYS) or f" Known: {', '.join(_KEYS)}."
        raise ValueError(f"there is no key {quoted(str(key))}.{known}")
    wanted = {"cut": "true or false", "noise": "new or shared", "seed": "a whole number from 0"}
    raise ValueError(f"must be {wanted.get(key, 'text')}, not {quoted(value)}")


def _numbered(key: Sequence[str | int]) -> str:
    """`entry 2, at: ` for a place in a list; nothing for the list itself."""
    place = [str(part + 1) if isinstance(part, int) else part for part in key]
    return f"entry {', '.join(place)}: " if place else ""
