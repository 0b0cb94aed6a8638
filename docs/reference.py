"""Writes the pages that say what the code says; `--check` says whether they are current.

`cli.md` comes from the live command line, `zoo.md` from the catalog and the families' code.
"""

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import typer
import zoo_page

from t2v_cli.__main__ import run
from t2v_cli.app import app

PAGES = Path(__file__).parent / "pages"
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
| 3 | a batch is finished, and some of its videos failed |
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
    """Write the pages, or compare them."""
    stale = []
    for name, make in (("cli.md", page), ("zoo.md", zoo_page.page)):
        path, current = PAGES / name, make()
        if "--check" not in sys.argv:
            path.write_text(current, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != current:
            stale.append(path)
    if stale:
        names = " and ".join(map(str, stale))
        sys.exit(f"out of date: {names}; run python docs/reference.py")


if __name__ == "__main__":
    main()
