"""The one place that writes to the terminal: stdout carries data, stderr carries talk."""

import json
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

import t2v
from t2v_cli.terminal import has_color, is_terminal

_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and newline, DEL, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # what turns the reading direction
    "\ud800-\udfff]"  # halves of a character, from bytes that are no text
)


def safe_text(text: object) -> str:
    """Text from outside, fit for a terminal: nothing that moves the cursor, recolors or reorders."""
    return _UNSAFE.sub("\ufffd", t2v.text.redacted(str(text)))


def one_line(text: object, limit: int = 60) -> str:
    """The text on one line, shortened to `limit` characters."""
    words = " ".join(safe_text(text).split())
    return words if len(words) <= limit else words[: limit - 1] + "…"


def to_json(document: Any) -> str:
    """A document on one line, every character of its texts kept, none able to harm a terminal."""
    is_unicode = (sys.stdout.encoding or "").lower().startswith("utf")
    text = t2v.text.redacted(json.dumps(document, ensure_ascii=not is_unicode, default=str))
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


class Output:
    """Where a command writes; `quiet` drops the talk, `json_talk` makes JSON lines of it."""

    def __init__(self) -> None:
        self.quiet = False
        self.json_talk = False

    def data(self, text: object) -> None:
        """A line on stdout."""
        _write(sys.stdout, safe_text(text))

    def heading(self, text: object) -> None:
        """A line on stdout that stands above others."""
        line = safe_text(text)
        _write(sys.stdout, f"\x1b[1m{line}\x1b[0m" if has_color(sys.stdout) else line)

    def json(self, document: Any) -> None:
        """A JSON document on one line of stdout."""
        _write(sys.stdout, to_json(document))

    def event(self, fields: dict[str, Any]) -> None:
        """A JSON line on stderr."""
        self._to_stderr(to_json(fields))

    def talk(self, text: object) -> None:
        """A line for people on stderr."""
        if not self.quiet and not self.json_talk:
            self._to_stderr(safe_text(text))

    def warn(self, text: object) -> None:
        """Something that went otherwise than expected; said even when quiet."""
        self._labelled("warning", "33", text)

    def error(self, text: object) -> None:
        """Why the command ends."""
        self._labelled("error", "31", text)

    def table(self, headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Rows below headings: drawn on a terminal, aligned plain text in a pipe."""
        cells = [[one_line(cell, 200) for cell in row] for row in rows]
        if is_terminal(sys.stdout):
            from t2v_cli import drawing  # noqa: PLC0415 - rich takes as long as all the rest

            drawing.table(headers, cells)
            return
        widths = [max(map(len, column)) for column in zip(headers, *cells, strict=True)]
        for row in (headers, *cells):
            padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            _write(sys.stdout, "  ".join(padded).rstrip())

    def _labelled(self, label: str, color: str, text: object) -> None:
        if self.json_talk:
            self.event({"event": label, "message": str(text)})
            return
        mark = f"\x1b[{color}m{label}:\x1b[0m" if has_color(sys.stderr) else f"{label}:"
        self._to_stderr(f"{mark} {safe_text(text)}")

    def _to_stderr(self, line: str) -> None:
        try:
            _write(sys.stderr, line)
        except OSError:
            return  # Nobody listens any more; that is no reason to lose a video.


out = Output()


def _write(stream: TextIO, line: str) -> None:
    stream.write(line + "\n")
    stream.flush()
