"""The entry point, and the one place where an error becomes a line of text and an exit code."""

import gc
import os
import signal
import sys
from collections.abc import Sequence
from typing import TextIO

import t2v
from t2v_cli.app import app
from t2v_cli.faults import describe
from t2v_cli.output import out

LONGEST = 1200
"""Characters of a message; what a user typed into it can be a megabyte."""
MANY = 50
"""Prompt files have a line for every mistake."""


def main() -> None:
    """Run the command line and leave with its exit code."""
    _guard_streams()
    # What a short command imports lives until its end: looking for garbage among it is a fifth of
    # its time. Whoever loads a model turns the collector on again.
    gc.disable()
    # pydantic would search every installed distribution for plugins, and run them.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # a second one, while the first was being answered
        code = 130
    # The end takes a moment once torch is loaded, and has nothing left to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _let_go(sys.stdout)
    _let_go(sys.stderr)
    gc.freeze()
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    out.quiet = out.json_talk = False
    try:
        return app(list(arguments), prog_name="t2v", standalone_mode=False) or 0
    except SystemExit as leave:  # Typer's own, after completion or into a closed pipe
        return leave.code if isinstance(leave.code, int) else 0
    except BrokenPipeError:
        return 1
    except BaseException as error:
        if os.environ.get("T2V_DEBUG"):
            raise
        text, code = describe(error)
        longest = LONGEST * (MANY if isinstance(error, t2v.errors.PromptFilesError) else 1)
        out.error(text if len(text) <= longest else f"{text[:longest]}…")
        return code


def _guard_streams() -> None:
    """Give closed standard streams a file, before a video gets their number; never fail to encode."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))
        elif mode == "w":
            stream.reconfigure(errors="backslashreplace")


def _let_go(stream: TextIO) -> None:
    """Flush; a stream that cannot take the rest is pointed away, so that Python ends quietly."""
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    main()
