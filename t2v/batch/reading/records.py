"""`.jsonl`: an object a line, of our keys or as OpenAI's batches have it."""

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from t2v.batch.reading.entries import KEYS, Entry, by_name
from t2v.batch.reading.mistakes import Mistakes
from t2v.batch.reading.texts import PromptFile, lines
from t2v.plan.wording import quoted, suggestion
from t2v.zoo.documents import KeyPath

_ENVELOPE = ("custom_id", "body", "method", "url")
_BODY = {name: key for name, key in KEYS.items() if key != "custom_id"} | {"n": "num_videos"}


class _RefusedError(ValueError):
    def __init__(self, message: str, key: str = "") -> None:
        super().__init__(message)
        self.key = key


def read_records(file: PromptFile, mistakes: Mistakes) -> Iterator[Entry]:
    """The entries of a file; what is wrong with a line goes to `mistakes`."""
    for number, text in lines(file, mistakes):
        if not text.strip():
            continue
        place = f"{file.name}:{number}"
        try:
            data = _DECODER.decode(text)
        except json.JSONDecodeError as error:
            mistakes.add(f"{place}:{error.colno}", f"not JSON: {error.msg}.{_hint(text)}")
        except _RefusedError as error:
            mistakes.add(f"{place}:{_column(text, error.key)}", str(error))
        except (ValueError, RecursionError) as error:
            mistakes.add(f"{place}:1", f"not sane JSON: {error}.")
        else:
            entry = _entry(place, number, text, data, mistakes)
            if entry:
                yield entry


def _entry(place: str, number: int, text: str, data: Any, mistakes: Mistakes) -> Entry | None:
    before = mistakes.count

    def where(path: KeyPath, _: int = 0) -> str:
        names = [written.get(part, part) for part in path if isinstance(part, str)]
        return f"{place}:{_column(text, *([] if body is None else ['body']), *names[:1])}"

    written: dict[str, str] = {}
    body = None
    if not isinstance(data, dict):
        mistakes.add(f"{place}:1", f'must be an object such as {{"prompt": ...}}.{_hint(text)}')
        return None
    if "body" in data:
        pairs = _unpacked(place, text, data, mistakes)
        body = data["body"]
        known = _BODY
    else:
        pairs, known = list(data.items()), KEYS
    if pairs is None:
        return None
    values, written = by_name(
        pairs, lambda key, message: mistakes.add(where((key,)), message), known
    )
    if body is not None and data.get("custom_id") is not None:
        values["custom_id"] = data["custom_id"]
    return Entry(number, values, where, written) if mistakes.count == before else None


def _unpacked(
    place: str, text: str, data: dict[str, Any], mistakes: Mistakes
) -> list[tuple[str, Any]] | None:
    """What OpenAI's batches put around a request; where to send it is not our business."""
    for key in data:
        if key not in _ENVELOPE:
            message = f"there is no key {quoted(key)} beside body.{suggestion(key, _ENVELOPE)}"
            mistakes.add(f"{place}:{_column(text, key)}", message)
    for key in ("method", "url"):
        if not isinstance(data.get(key), str | None):
            mistakes.add(f"{place}:{_column(text, key)}", f"{key} must be text.")
    if isinstance(data["body"], dict):
        return list(data["body"].items())
    mistakes.add(f"{place}:{_column(text, 'body')}", "body must be an object.")
    return None


def _column(text: str, *keys: str) -> int:
    """Where a key stands in a line, counted from 1; 1 where it cannot be told."""
    start = 0
    for key in keys:
        for shown in (json.dumps(key, ensure_ascii=False), json.dumps(key)):
            match = re.compile(rf"{re.escape(shown)}\s*:").search(text, start)
            if match:
                start = match.start()
                break
    return start + 1


def _hint(text: str) -> str:
    if text.lstrip().startswith("[") or text.strip() == "{":
        return " Each line is an object of its own, without a list around them."
    return ""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) == len(pairs):
        return data
    keys = [key for key, _ in pairs]
    twice = next(key for key in keys if keys.count(key) > 1)
    raise _RefusedError(f"{quoted(twice)} is there twice.", twice)


def _constant(text: str) -> NoReturn:
    raise _RefusedError(f"{text} is no number.")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_constant)
