"""Validation failures in the words of a person: which value is wrong, why, and what would do."""

import re
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

Namer = Callable[[str], str]
"""Option name -> what the user calls it: the flag, the key of a file, the argument."""

_NUMBER = re.compile(r"[-+]?[0-9]{1,19}(\.[0-9]{1,9})?")
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "yes or no",
    "string": "text",
    "tuple": "a list",
}
_PATTERNS = {
    "device": "auto, cpu, mps, xpu, cuda or cuda:N",
    "noise": "independent, freenoise or mixed:A with A from 0 to 1",
    "scheduler": "a scheduler class of diffusers such as UniPCMultistepScheduler",
}

_SELF_EXPLAINED = {"story", "at"}
"""Lists, whose messages say which of their entries is wrong and what it is."""


def flag_name(option: str) -> str:
    """`num_frames` -> `--num-frames`."""
    return "--" + option.replace("_", "-")


def quoted(value: object, limit: int = 40) -> str:
    """The value as it is shown in a message: escaped for a terminal, and never long."""
    text = repr(value) if isinstance(value, str) else str(value)
    text = text if text.isprintable() else ascii(text)
    return text if len(text) <= limit else f"{text[: limit - 4]}...{text[-1]}"


def suggestion(word: str, known: Iterable[str]) -> str:
    """` Did you mean 'x'?` with its leading blank, or nothing."""
    close = get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return f" Did you mean {close[0]!r}?" if close else ""


def problems(error: ValidationError, known: Sequence[str], name: Namer = flag_name) -> list[str]:
    """Everything that is wrong, a sentence each, in the order of the options."""
    return [_sentence(dict(problem), known, name) for problem in error.errors(include_url=False)]


def _sentence(problem: dict[str, Any], known: Sequence[str], name: Namer) -> str:
    location, kind, value = problem["loc"], problem["type"], problem["input"]
    option = str(location[0]) if location else "the options"
    context = problem.get("ctx", {})
    if kind == "extra_forbidden":
        return f"There is no option {quoted(option)}.{suggestion(option, known)}"
    if kind == "value_error" and option in _SELF_EXPLAINED:
        return f"{name(option)}: {context['error']}"
    if kind == "value_error":
        return f"{name(option)}: {context['error']} (it is {quoted(value)})"
    # What is typed is text; a number among it is shown as the number it is.
    shown = str(value) if _NUMBER.fullmatch(str(value)) else quoted(value)
    return f"{name(option)} must be {_wanted(kind, option, context)}, not {shown}"


def _wanted(kind: str, option: str, context: dict[str, Any]) -> str:
    match kind:
        case "greater_than_equal":
            return f"at least {context['ge']}"
        case "greater_than":
            return f"more than {context['gt']:g}"
        case "less_than_equal":
            return f"at most {context['le']}"
        case "literal_error":
            return str(context["expected"]).replace("'", "")
        case "finite_number":
            return "a finite number"
        case "string_pattern_mismatch":
            return _PATTERNS.get(option, f"of the form {context['pattern']}")
        case "string_too_long":
            return f"at most {context['max_length']} characters"
        case "int_from_float":
            return "a whole number"
        case _:
            return _KINDS.get(kind.split("_")[0], "something else")
