"""`.txt`: a prompt a line, with flags behind it."""

import re
from collections.abc import Iterator
from typing import Any

from t2v.batch.reading.entries import Entry, Values
from t2v.batch.reading.flags import SWITCHES, Flag, misspelt, nearest, shown, split, target
from t2v.batch.reading.mistakes import Mistakes
from t2v.batch.reading.texts import PromptFile, lines
from t2v.zoo.documents import KeyPath

_RECORD = re.compile(r'\{\s*"(prompt|id|custom_id|body)"\s*:')
_REPEATED = ("lora", "at")


def read_lines(file: PromptFile, mistakes: Mistakes) -> Iterator[Entry]:
    """The entries of a file; what is wrong with a line goes to `mistakes`."""
    for number, text in lines(file, mistakes):
        stripped = text.strip()
        if stripped and not stripped.startswith("#"):
            entry = _entry(file.name, number, text, mistakes)
            if entry:
                yield entry


def _entry(name: str, number: int, text: str, mistakes: Mistakes) -> Entry | None:
    before = mistakes.count
    prompt, flags = split(text)
    for place, message in misspelt(text):
        mistakes.add(f"{name}:{number}:{place + 1}", message)
    start = len(prompt) - len(prompt.lstrip())
    prompt = prompt.strip()
    if _RECORD.match(prompt):
        message = "JSON, which in .txt is text; name the file .jsonl, or write \\{ for the text."
        mistakes.add(f"{name}:{number}:{start + 1}", message)
    if prompt.startswith("\\#"):
        prompt = prompt[1:]
    values: Values = {"prompt": prompt} if prompt else {}
    places = {"prompt": start}
    written: dict[str, str] = {}
    for flag in flags:
        problem = _take(flag, values, places, written)
        if problem:
            mistakes.add(f"{name}:{number}:{flag.start + 1}", problem)

    def where(path: KeyPath, offset: int) -> str:
        place = places.get(str(path[0]), start) if path else start
        return f"{name}:{number}:{place + offset + 1}"

    return Entry(number, values, where, written, is_text=True) if mistakes.count == before else None


def _take(
    flag: Flag, values: Values, places: dict[str, int], written: dict[str, str]
) -> str | None:
    """Put what a flag says among the values; returns what is wrong with it."""
    key = shown(flag.name)
    name = target(flag.name)
    if name is None:
        return f"there is no flag {key}.{nearest(flag.name)} Write \\{key} for the text."
    if name == "endless":
        return "an endless video never lets the next one begin; it is for t2v generate."
    value: Any = flag.value
    if name in SWITCHES:
        if value:
            return f"{key} takes no value, and text has no place behind the flags."
        value = "no" if flag.name.startswith("no-") else "yes"
    elif not value:
        return f"{key} has no value."
    if name in values:
        if name not in _REPEATED:
            return f"{key} says the same as {written[name]}; leave one of them out."
        value = f"{values[name]}{',' if name == 'lora' else chr(10)}{value}"
    values[name] = value
    places.setdefault(name, flag.start)
    written.setdefault(name, key)
    return None
