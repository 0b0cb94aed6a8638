"""Prompt files as lines of text: opened, told apart, decoded, and kept to what is sane."""

import os
import re
import stat
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from io import BytesIO
from pathlib import Path
from typing import IO, Literal, TextIO

from t2v.batch.reading.mistakes import Mistakes
from t2v.plan.wording import quoted

Kind = Literal["lines", "table", "records", "document"]

MAX_LINE_BYTES = 4_000_000
"""More than the largest prompt takes as JSON with every letter escaped."""
MAX_STREAM_BYTES = 256_000_000
"""Of what can be read only once, such as stdin; it is kept in a temporary file."""
_KINDS: dict[str, Kind] = {
    ".txt": "lines",
    ".csv": "table",
    ".tsv": "table",
    ".jsonl": "records",
    ".ndjson": "records",
    ".yaml": "document",
    ".yml": "document",
}
_JSON = re.compile(rb'(\xef\xbb\xbf)?\s*(\{\s*("[^"|]*"\s*:|\}?\s*$)|\[\s*(\{\s*"|"|\]?\s*$))')
"""How a line of JSON begins, and no prompt: `{"name":`, `[{"name`."""
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_CHUNK = 1 << 20


class Spool:
    """Bytes that could be read only once, in a file without a name; gone when nobody has it."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        size = 0
        with tempfile.TemporaryFile() as file:
            for piece in pieces:
                size += len(piece)
                if size > MAX_STREAM_BYTES:
                    limit = f"{MAX_STREAM_BYTES // 10**6} MB"
                    raise ValueError(f"more than {limit}; write it to a file first.")
                file.write(piece)
            file.flush()
            self._descriptor = os.dup(file.fileno())
        weakref.finalize(self, os.close, self._descriptor)

    def open(self) -> IO[bytes]:
        """The bytes from the beginning."""
        stream = os.fdopen(os.dup(self._descriptor), "rb")
        stream.seek(0)
        return stream


@dataclass(slots=True)
class PromptFile:
    """A prompt file that can be read twice."""

    name: str
    """As messages of mistakes call it: the path that was given."""
    folder: Path
    """Where relative paths in it begin."""
    kind: Kind = "lines"
    path: Path | None = None
    spool: Spool | None = None
    """What came from stdin or a pipe."""
    state: tuple[int, ...] = ()
    """Of the file when it was looked at first: a change before the second look is noticed."""
    short: str = field(init=False)
    """As results call it: without the folders, which are nobody else's business."""

    def __post_init__(self) -> None:
        self.short = "stdin" if self.path is None else self.path.name

    def open(self) -> IO[bytes]:
        """The bytes from the beginning; only one reader at a time."""
        if self.spool is not None:
            return self.spool.open()
        assert self.path is not None
        return self.path.open("rb")

    def has_changed(self) -> bool:
        """Whether somebody wrote to it since it was opened."""
        return self.path is not None and self.spool is None and self.state != _state(self.path)


def open_file(given: str | Path, stdin: TextIO | None, mistakes: Mistakes) -> PromptFile | None:
    """Get a file ready to be read; None after a mistake."""
    name = str(given)
    try:
        if name == "-":
            file = PromptFile("stdin", Path(), spool=Spool(_bytes(stdin)))
        else:
            file = _on_disk(name)
        return _told_apart(file)
    except ValueError as error:
        mistakes.add("stdin" if name == "-" else name, str(error))
    except FileNotFoundError:
        mistakes.add(name, f"there is no such file.{_neighbor(Path(name))}")
    except OSError as error:
        mistakes.add(name, f"cannot be read: {error.strerror or error}.")
    return None


def lines(file: PromptFile, mistakes: Mistakes) -> Iterator[tuple[int, str]]:
    """The lines with their numbers, without their ends."""
    try:
        with file.open() as stream:
            yield from _decoded(file.name, stream, mistakes)
    except OSError as error:
        mistakes.add(file.name, f"cannot be read: {error.strerror or error}.")


def whole(file: PromptFile, max_bytes: int, mistakes: Mistakes) -> str | None:
    """All of a file that is not too large; None after a mistake."""
    try:
        with file.open() as stream:
            data = stream.read(max_bytes + 1)
    except OSError as error:
        mistakes.add(file.name, f"cannot be read: {error.strerror or error}.")
        return None
    if len(data) > max_bytes:
        mistakes.add(
            f"{file.name}:1:1",
            f"larger than {max_bytes // 10**6} MB, which is much for YAML; .jsonl has no limit.",
        )
        return None
    before = mistakes.count
    text = "".join(f"{line}\n" for _, line in _decoded(file.name, BytesIO(data), mistakes))
    return text if mistakes.count == before else None


def _decoded(name: str, stream: IO[bytes], mistakes: Mistakes) -> Iterator[tuple[int, str]]:
    number = 0
    while raw := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        fault = _unreadable(raw, number)
        if fault:
            column, message = fault
            mistakes.add(f"{name}:{number}:{column}", message)
            return
        try:
            text = raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            column = len(raw[: error.start].decode("utf-8", "replace")) + 1
            mistakes.add(
                f"{name}:{number}:{column}", "not UTF-8 text; save the file in that encoding."
            )
            continue
        text = text.removesuffix("\n").removesuffix("\r")
        if "\r" in text:
            column = text.index("\r") + 1
            mistakes.add(
                f"{name}:{number}:{column}",
                "a carriage return inside a line; end lines with a line feed (or CR and LF).",
            )
            continue
        yield number, text


def _unreadable(raw: bytes, number: int) -> tuple[int, str] | None:
    """Why the rest of the file is not worth a look."""
    if number == 1 and raw.startswith(_UTF16):
        return 1, "UTF-16 text; save the file as UTF-8."
    if b"\0" in raw[: MAX_LINE_BYTES + 1]:
        column = len(raw[: raw.index(b"\0")].decode("utf-8", "replace")) + 1
        return column, "a NUL byte: this is no text, or it is UTF-16; save the file as UTF-8."
    if len(raw) > MAX_LINE_BYTES:
        return 1, f"a line of more than {MAX_LINE_BYTES // 10**6} MB; no prompt is that long."
    return None


def _on_disk(name: str) -> PromptFile:
    path = Path(name)
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise ValueError("is a folder; name a prompt file in it.")
    kind = _KINDS.get(path.suffix.lower())
    if kind is None and path.suffix:
        raise ValueError(f"{quoted(path.suffix)} is no prompt file; known are {', '.join(_KINDS)}.")
    folder = path.parent.absolute()
    if stat.S_ISREG(mode):
        return PromptFile(name, folder, kind or "lines", path, state=_state(path))
    with path.open("rb") as stream:
        return PromptFile(name, folder, kind or "lines", path, Spool(_pieces(stream)))


def _told_apart(file: PromptFile) -> PromptFile:
    """What has no suffix is `.jsonl` where it begins with an object, and `.txt` otherwise."""
    if file.path is None or not file.path.suffix:
        with file.open() as stream:
            first = next((line for line in _pieces(stream, lines=True) if line.strip()), b"")
        file.kind = "records" if _JSON.match(first) else "lines"
    return file


def _state(path: Path) -> tuple[int, ...]:
    status = path.stat()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _bytes(stdin: TextIO | None) -> Iterator[bytes]:
    if stdin is None:
        raise ValueError("there is nothing to read from.")
    if hasattr(stdin, "buffer"):
        return _pieces(stdin.buffer)
    return (
        piece.encode("utf-8", "surrogatepass") for piece in iter(lambda: stdin.read(_CHUNK), "")
    )


def _pieces(stream: IO[bytes], *, lines: bool = False) -> Iterator[bytes]:
    read = stream.readline if lines else stream.read
    return iter(lambda: read(_CHUNK), b"")


def _neighbor(path: Path) -> str:
    """` Did you mean 'prompts.txt'?` where a file with such a name is there."""
    try:
        files = [one for one in path.parent.iterdir() if one.suffix.lower() in _KINDS]
    except OSError:
        return ""
    names = {one.stem.lower(): one.name for one in files}
    close = get_close_matches(path.stem.lower(), names, 1, 0.6)
    return f" Did you mean {quoted(names[close[0]])}?" if close else ""
