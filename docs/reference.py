"""Writes `docs/pages/cli.md` from the live command line; `--check` says whether it is current."""

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import typer

from t2v_cli.__main__ import run
from t2v_cli.app import app

PAGE = Path(__file__).parent / "pages" / "cli.md"
INTRODUCTION = """\
# Command line

Generated from `t2v --help` by `docs/reference.py`.

stdout carries data only: a path a line, or JSON with `--json`. Everything said to people goes to
stderr, as bars on a terminal, as lines in a pipe, as JSON lines with `--progress json`.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | failed |
| 2 | the request is wrong: usage, unknown model, impossible values |
| 4 | written, but the frames look broken (with `--strict`) |
| 74 | a file or disk cannot be read or written |
| 75 | another run uses the folder |
| 130 | stopped; what was finished is kept |

`T2V_DEBUG=1` shows the traceback of an error. `NO_COLOR` turns colors off.
"""


def commands(group: typer.Typer = app, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every command, groups first."""
    yield above
    for command in group.registered_commands:
        yield (*above, command.name or getattr(command.callback, "__name__", ""))
    for inner in group.registered_groups:
        if inner.typer_instance is not None and inner.name:
            yield from commands(inner.typer_instance, (*above, inner.name))


def help_of(path: tuple[str, ...]) -> str:
    """The help of one command as a terminal of 100 columns shows it."""
    os.environ["COLUMNS"] = "100"
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        run([*path, "--help"])
    lines = printed.getvalue().splitlines()
    # Where the shell cannot be told, completion names its shells in another way.
    return "\n".join(line.rstrip() for line in lines)


def page() -> str:
    """The whole page."""
    sections = (
        f"## {' '.join(('t2v', *path))}\n\n```text\n{help_of(path)}\n```\n" for path in commands()
    )
    return "\n".join([INTRODUCTION, *sections])


def main() -> None:
    """Write the page, or compare it."""
    current = page()
    if "--check" not in sys.argv:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(current, encoding="utf-8")
    elif not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != current:
        sys.exit(f"{PAGE} is out of date: run python docs/reference.py")


if __name__ == "__main__":
    main()
