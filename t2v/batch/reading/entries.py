"""One entry of a prompt file: its keys by their names, its values checked, its paths found."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from t2v.batch.reading.beside import Beside
from t2v.batch.reading.flags import SWITCHES, first_flag
from t2v.batch.reading.mistakes import Mistakes
from t2v.errors import RequestError, T2VError
from t2v.media.codecs import container_of
from t2v.plan.options import SHORT_NAMES, Options, parse_size
from t2v.plan.prompts import clean_prompt
from t2v.plan.story import cues_of
from t2v.plan.wording import quoted, suggestion
from t2v.zoo.documents import KeyPath

OF_ITEMS = ("prompt", "custom_id", "output")
KEYS: dict[str, str] = {
    **{name: name for name in (*OF_ITEMS, *Options.model_fields) if name != "endless"},
    **SHORT_NAMES,
    "size": "size",
    "id": "custom_id",
}
"""What files call it -> what it is."""

_RIVALS = (("seconds", "num_frames"), ("story", "at"), ("size", "width"), ("size", "height"))
_REPLACED = {"seconds": "num_frames", "num_frames": "seconds", "story": "at", "at": "story"}
_OWN = frozenset({"custom_id", "output", "story"})
_MAX_NAME = 512
_DRIVE = re.compile(r"[A-Za-z]:")

Where = Callable[[KeyPath, int], str]
"""`file:line:column` of a key, and of the letter with that number in its text."""
Values = dict[str, Any]


@dataclass(slots=True)
class Entry:
    """What stands in one place of a file: values by their proper names, not checked yet."""

    line: int
    values: Values
    where: Where
    written: Mapping[str, str] = field(default_factory=dict)
    """Name -> what the file calls it, where that is something else."""
    is_text: bool = False
    """Whether all values are text, so that lists are separated by commas."""
    options: Options | None = None
    """What has been checked, where the entry says nothing that has to be worked out first."""

    def called(self, name: str) -> str:
        """What the file calls it."""
        return self.written.get(name, name)


def unknown(key: object, known: Iterable[str] = KEYS) -> str:
    """What to say about a key that does not exist."""
    if key == "endless":
        return "an endless video never lets the next one begin; it is for t2v generate."
    name = str(key)
    return f"there is no key {quoted(name)}.{suggestion(name, known)}"


def by_name(
    pairs: Iterable[tuple[str, Any]],
    wrong: Callable[[str, str], None],
    known: Mapping[str, str] = KEYS,
) -> tuple[Values, dict[str, str]]:
    """Values by their proper names, and what the file calls those; `wrong` hears of the rest."""
    values: Values = {}
    written: dict[str, str] = {}
    for key, value in pairs:
        name = known.get(key) or known.get(key.strip().replace("-", "_"))
        if name is None:
            wrong(key, unknown(key, known))
        elif name in values:
            wrong(key, f"{key} says the same as {written.get(name, name)}; leave one of them out.")
        else:
            values[name] = value
            if key != name:
                written[name] = key
    return values, written


def checked(entry: Entry, beside: Beside, mistakes: Mistakes) -> Values | None:
    """The values of an entry in the types of `Options`; None where one of them is wrong."""
    before = mistakes.count
    for first, second in _RIVALS if len(entry.values) > 1 else ():
        if entry.values.get(first) is not None and entry.values.get(second) is not None:
            one, other = entry.called(first), entry.called(second)
            mistakes.add(entry.where((second,), 0), f"{one} and {other} say the same; give one.")
    good: Values = {}
    asked: Values = {}
    for name, value in entry.values.items():
        try:
            if value is None:
                good.update(dict.fromkeys(("width", "height") if name == "size" else (name,)))
            elif name == "prompt":
                good[name] = _without_flags(_text(value))
            elif name == "size":
                asked["width"], asked["height"] = _size(_text(value))
            elif name in _OWN:
                good[name] = _own_value(entry, name, value, beside, mistakes)
            else:
                asked[name] = _asked(entry, name, value, beside)
        except (ValueError, T2VError) as error:
            _add(entry, name, error, mistakes)
    if asked:
        good.update(_validated(entry, asked, mistakes))
    return good if mistakes.count == before else None


def _validated(entry: Entry, asked: Values, mistakes: Mistakes) -> Values:
    """All at once, and one by one where something is wrong."""
    try:
        options = Options.checked(asked)
    except RequestError:
        pass
    else:
        if "story" not in entry.values:
            entry.options = options
        return {name: getattr(options, name) for name in asked}
    for name, value in asked.items():
        try:
            Options.checked({name: value}, name=lambda _: "")
        except RequestError as error:
            _add(entry, name if name in entry.values else "size", error, mistakes)
    return {}


def _add(entry: Entry, name: str, error: Exception, mistakes: Mistakes) -> None:
    called = entry.called(name)
    for line in str(error).splitlines():
        message = line.strip().removeprefix(":").strip()
        joint = " " if message.startswith("must ") else ": "
        mistakes.add(entry.where((name,), 0), f"{called}{joint}{message}")


def laid(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> Values:
    """The values below with those above on top, which also replace their opposites."""
    if not lower or not upper:
        return {**lower, **upper}
    gone = {
        _REPLACED[name] for name, value in upper.items() if name in _REPLACED and value is not None
    }
    return {name: value for name, value in lower.items() if name not in gone} | dict(upper)


def _own_value(entry: Entry, name: str, value: Any, beside: Beside, mistakes: Mistakes) -> Any:
    """What is no option, or a list that is worked out later."""
    match name:
        case "custom_id":
            return _custom_id(value)
        case "output":
            return _output(_text(value))
        case _:
            return _story(entry, value, beside, mistakes)


def _asked(entry: Entry, name: str, value: Any, beside: Beside) -> Any:
    """What is asked for, ready to be checked as an option."""
    if name == "negative_prompt":
        return clean_prompt(_without_flags(_text(value)), "negative prompt")[0]
    if name == "at":
        return tuple(_text(value).splitlines()) if entry.is_text else _listed(value)
    if name == "lora":
        texts = _text(value).split(",") if entry.is_text else _listed(value)
        return tuple(beside.lora(_text(one).strip()) for one in texts if one != "")
    if name == "model" and isinstance(value, str):
        return beside.model(value)
    if isinstance(value, bool) and name not in SWITCHES:
        raise ValueError(f"must be a value, not {str(value).lower()}")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be text, not {quoted(value)}")
    return value


def _without_flags(text: str) -> str:
    r"""What looks like a flag is one in `.txt` alone; elsewhere it would end up in the prompt."""
    if found := first_flag(text):
        flag = found[1]
        raise ValueError(
            f"{flag} looks like a flag; make it a key, or write \\{flag} for the text."
        )
    return text


def _listed(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _custom_id(value: Any) -> str:
    if type(value) is int:
        value = str(value)
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError(f"must be a name, not {quoted(value)}")
    if len(value) > _MAX_NAME:
        raise ValueError(f"must be at most {_MAX_NAME} characters, not {len(value):,}")
    return value


def _output(text: str) -> str:
    """A name below the run folder; what its braces may hold is known where names are made."""
    parts = text.replace("\\", "/").split("/")
    if not text.strip() or not text.isprintable():
        raise ValueError(f"{quoted(text)} is no file name")
    if ".." in parts or parts[0] in ("", "~") or _DRIVE.match(text):
        raise ValueError(f"{quoted(text)} leads out of the run folder; name a file below it")
    if parts[-1]:
        container_of(Path(parts[-1]), quoted(text))
    return text


def _size(text: str) -> tuple[int, int]:
    try:
        return parse_size(text)
    except RequestError:
        raise ValueError(f"must look like 832x480, not {quoted(text)}") from None


def _story(entry: Entry, value: Any, beside: Beside, mistakes: Mistakes) -> Any:
    """The entries of a story as they stand, or the cues of a story file."""
    if isinstance(value, str):
        return beside.story(value)
    if not isinstance(value, list):
        raise ValueError(f"must be a file or a list of prompts, not {quoted(value)}")
    list(cues_of(value, lambda key, text: mistakes.add(entry.where(("story", *key), 0), text)))
    return value
