"""Flags at the end of a prompt, as Kohya's scripts have them, and what only looks like one."""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import NamedTuple

from t2v.plan.options import SHORT_NAMES, Options

_FURTHER = {
    "w": "width",
    "h": "height",
    "f": "num_frames",
    "d": "seed",
    "s": "num_inference_steps",
    "g": "guidance_scale",
    "l": "guidance_scale",
    "n": "negative_prompt",
    "fs": "flow_shift",
    "m": "model",
    "o": "output",
    "id": "custom_id",
    "size": "size",
    "output": "output",
    "custom-id": "custom_id",
}
SWITCHES = ("loop", "metadata", "endless")
FLAGS: dict[str, str] = {
    **{name.replace("_", "-"): name for name in Options.model_fields},
    **{short.replace("_", "-"): name for short, name in SHORT_NAMES.items()},
    **{f"no-{name}": name for name in ("loop", "metadata")},
    **_FURTHER,
}
"""Flag without its dashes -> what it sets."""

# Two dashes that a letter follows, at the beginning of a word: `well-known`, `fox -- running`,
# `10--12` and `---` are text.
_FLAG = re.compile(r"(?:^|(?<=\s))--(?=[^\W\d_])([^\s=]+)(?:=|(?=\s)|$)")
# An editor turned the two dashes into a long one, or somebody wrote one dash as in a shell.
_MISSPELT = re.compile(r"(?:^|(?<=\s))([-‐‑‒–—―])([A-Za-z][A-Za-z-]*)(?:[=\s]\s*([-+.\d]*\d)?|$)")
_OF_A_SHELL = ("n", "m", "o")
_GLUED = re.compile(r"([A-Za-z-]+?)([-+.]?\d.*)")


class Flag(NamedTuple):
    """A flag as it stands in a line."""

    name: str
    """Without its dashes, as written."""
    value: str
    start: int
    """Of the first dash."""


def split(line: str) -> tuple[str, list[Flag]]:
    r"""The prompt, and the flags behind it; each has all that stands up to the next one.

    >>> prompt, flags = split(r"a well-known fox -- running \--fast --w 832 --n dull, blurry")
    >>> prompt.strip(), [(flag.name, flag.value) for flag in flags]
    ('a well-known fox -- running \\--fast', [('w', '832'), ('n', 'dull, blurry')])
    """
    if "--" not in line:
        return line, []
    found = list(_FLAG.finditer(line))
    if not found:
        return line, []
    flags: list[Flag] = []
    end = len(line)
    for match in reversed(found):
        value = line[match.end() : end].strip()
        end = match.start()
        flags.append(Flag(match[1], _unquoted(value) if value[:1] == '"' else value, end))
    return line[:end], flags[::-1]


def target(name: str) -> str | None:
    """What a flag sets; `--num_frames` is `--num-frames`."""
    return FLAGS.get(name) or FLAGS.get(name.replace("_", "-"))


def first_flag(text: str) -> tuple[int, str] | None:
    """Where a flag stands in text that should have none, and the flag."""
    match = _FLAG.search(text) if "--" in text else None
    return (match.start(), shown(match[1])) if match else None


def shown(name: str) -> str:
    """A flag in a message, with its dashes and never long."""
    return f"--{name}" if len(name) <= 40 else f"--{name[:37]}..."


def misspelt(line: str) -> Iterator[tuple[int, str]]:
    """Where something stands that was surely meant as a flag, and what to say about it."""
    for match in _MISSPELT.finditer(line):
        dash, name, number = match.groups()
        if target(name) is None:
            continue
        if number is None and not (dash == "-" and name in _OF_A_SHELL):
            continue
        kind = "one dash" if dash == "-" else "a long dash"
        yield (
            match.start(),
            f"{dash}{name} has {kind}; write --{name} for the flag, or \\{dash}{name} for the text.",
        )


def nearest(name: str) -> str:
    """` Did you mean --steps?`, or nothing."""
    glued = _GLUED.fullmatch(name)
    if glued and target(glued[1]):
        return f" Did you mean --{glued[1]} {glued[2]}?"
    close = get_close_matches(name.lower().replace("_", "-").rstrip(":,;."), FLAGS, 1, 0.6)
    return f" Did you mean --{close[0]}?" if close else ""


def _unquoted(value: str) -> str:
    """Without the double quotes that a shell would have taken off."""
    if len(value) > 1 and value[0] == value[-1] == '"' and '"' not in value[1:-1]:
        return value[1:-1]
    return value
