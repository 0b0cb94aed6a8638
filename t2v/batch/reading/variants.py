"""One entry's values with their alternatives taken: in every prompt of it, the first changing last."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from math import prod
from typing import Any

from t2v.batch.reading.alternatives import MisprintError, Wildcards, expand, is_plain
from t2v.errors import RequestError
from t2v.plan.prompts import checked_prompt
from t2v.plan.story import Cue, parse_at, parse_story
from t2v.plan.timeline import with_opening
from t2v.zoo.documents import KeyPath

Values = dict[str, Any]
_TEXTS = ("prompt", "negative_prompt")


class MisplacedError(MisprintError):
    """A mistake in one of the texts of an entry."""

    def __init__(self, error: MisprintError, path: KeyPath) -> None:
        super().__init__(str(error), error.offset)
        self.path = path


def variants(values: Values, wildcards: Wildcards) -> tuple[int, Iterable[Values]]:
    """How many there are, and each of them.

    Raises:
        MisplacedError: A text has a mistake.
    """
    open_texts = [(path, text) for path, text in texts_of(values) if not is_plain(text)]
    if not open_texts:
        return 1, (values,)
    expanded = [_expanded(path, text, wildcards) for path, text in open_texts]
    count = prod(number for number, _ in expanded)
    return count, _combined(
        values, [path for path, _ in open_texts], [made for _, made in expanded]
    )


def check_beginning(values: Mapping[str, Any]) -> None:
    """Whether it is clear what the video begins with.

    Raises:
        RequestError: It is not.
    """
    prompt = values.get("prompt")
    if prompt is not None:
        prompt = checked_prompt(prompt)[0]
    cues = _cues(values)
    if prompt is None and not cues:
        raise RequestError("there is no prompt; say what the video should show.")
    with_opening(prompt, cues)


def _cues(values: Mapping[str, Any]) -> tuple[Cue, ...]:
    story = values.get("story")
    if story is None:
        return tuple(parse_at(text) for text in values.get("at") or ())
    return story if isinstance(story, tuple) else parse_story(story)


def texts_of(values: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    """The texts of an entry that may have alternatives, and where they stand."""
    for name in _TEXTS:
        if values.get(name) is not None:
            yield (name,), values[name]
    for index, text in enumerate(values.get("at") or ()):
        yield ("at", index), text
    story = values.get("story")
    if isinstance(story, list):
        yield from _texts_of_story(story)


def _texts_of_story(story: list[Any]) -> Iterator[tuple[KeyPath, str]]:
    for index, cue in enumerate(story):
        if isinstance(cue, str):
            yield ("story", index), cue
            continue
        for name in _TEXTS:
            if cue.get(name) is not None:
                yield ("story", index, name), cue[name]


def _expanded(path: KeyPath, text: str, wildcards: Wildcards) -> tuple[int, Iterable[str]]:
    try:
        return expand(text, wildcards)
    except MisprintError as error:
        raise MisplacedError(error, path) from None


def _combined(values: Values, paths: list[KeyPath], texts: list[Iterable[str]]) -> Iterator[Values]:
    for chosen in product(*texts):
        made = dict(values)
        for path, text in zip(paths, chosen, strict=True):
            name = str(path[0])
            made[name] = _put(made[name], path[1:], text)
        yield made


def _put(value: Any, path: KeyPath, text: str) -> Any:
    """The value with the text at a place inside it; what it was stays as it is."""
    if not path:
        return text
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    made = {key: _put(one, path[1:], text) if key == path[0] else one for key, one in pairs}
    return made if isinstance(value, dict) else type(value)(made.values())
