"""What is said about an error, and the exit code that goes with it."""

import errno
import re
import sys
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

import typer

import t2v
from t2v_cli.output import one_line

MAX_LINES = 8
"""A wrong file has a line for each fault; all other errors say it in three."""


def describe(error: BaseException) -> tuple[str, int]:
    """One or two lines of text, and the exit code."""
    match error:
        case typer.TyperException():
            return _usage(error), 2
        case t2v.errors.PromptFilesError():
            return str(error), error.exit_code  # it keeps to a hundred lines itself
        case t2v.errors.T2VError():
            return _shortened(str(error)), error.exit_code
        case KeyboardInterrupt() | typer.Abort():
            return "stopped", 130
        case MemoryError():
            return "out of memory; a smaller --size or fewer frames need less", 1
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            return f"the disk is full{_where(error)}; free some space and run it again", 74
        case OSError(errno=int()):
            return f"{error.strerror}{_where(error)}", 74
        case _:
            return _bug(error), 1


def _shortened(text: str) -> str:
    """The first lines of what is wrong, where a file has a whole page of it."""
    lines = text.splitlines()
    more = len(lines) - MAX_LINES
    return "\n".join([*lines[:MAX_LINES], *([f"... and {more} more lines"] if more > 0 else [])])


def _where(error: OSError) -> str:
    return f": {error.filename}" if error.filename else ""


def _bug(error: BaseException) -> str:
    what = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return (
        f"{what}\nThis is a bug in t2v. "
        "T2V_DEBUG=1 shows where; please report it with the command and that output"
    )


def _usage(error: typer.TyperException) -> str:
    """Typer's usage errors in our words; its classes are private, so their names tell them."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "t2v"
    complaint = re.sub(r"\S{200,}", lambda word: f"{word[0][:100]}...", _complaint(error, command))
    return f"{complaint}\nSee `{command} --help`."


def _complaint(error: typer.TyperException, command: str) -> str:
    option = one_line(getattr(error, "option_name", ""))
    match type(error).__name__:
        case "NoSuchOption":
            return f"{command} has no option {option}.{_nearest_option(error, option)}"
        case "BadOptionUsage":
            needs = "needs a value" if "requires" in error.message else "takes no value"
            return f"{option} {needs}."
        case "MissingParameter":
            return f"{command} needs {_called(error)}."
        case "BadParameter":
            called = _called(error)
            return f"{called}: {error.message}" if called else error.message
        case _ if error.message.startswith("No such command"):
            return f"{command} has no such command{_nearest_command(error)}"
        case _ if "unexpected extra argument" in error.message:
            return f"{one_line(error.message, 200)}; text of several words goes in quotes"
        case _:
            return one_line(error.message, 300)


def _nearest_command(error: typer.TyperException) -> str:
    typed = one_line(error.message.removeprefix("No such command ").rstrip(".").strip("'\""))
    known = list(getattr(error, "ctx").command.commands)  # noqa: B009 - private to Typer
    begun = [name for name in known if name.startswith(typed)]
    near = begun or get_close_matches(typed, known)
    return f": {typed}. Did you mean {near[0]}?" if near else f": {typed}."


def _called(error: typer.TyperException) -> str:
    hint, parameter = getattr(error, "param_hint", None), getattr(error, "param", None)
    if hint or parameter is None:
        return str(hint or "")
    return str(parameter.metavar if parameter.param_type_name == "argument" else parameter.opts[0])


def _nearest_option(error: typer.TyperException, option: str) -> str:
    flags = [flag for parameter in _parameters(error) for flag in parameter.opts]
    # Of `-seed 3` the parser reports only `-s`.
    typed = next((word for word in sys.argv if word.startswith(option)), option)
    words = get_close_matches(f"--{typed.lstrip('-')}", flags, n=1)
    if words:
        return f" Did you mean {words[0]}?"
    return " A prompt that begins with a dash goes after `--`." if " " in typed else ""


def _parameters(error: typer.TyperException) -> Iterable[Any]:
    context = getattr(error, "ctx", None)
    return context.command.params if context else ()
