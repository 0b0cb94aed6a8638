"""The journal of a run: one event a line, appended and synced, the only truth about a batch.

A line is JSON and ends with a checksum of itself, `"crc":"1a2b3c4d"}`. A line that was cut by a
crash, or that a bad disk has changed, is none: it is left out, and what it told is found out anew.
Where an event has a `record` (all that a sidecar says), that stands last before the checksum, so
that a batch of ten thousand can be gone through without parsing what nobody asks for. It is found by
its name in quotes, which inside of text would have a backslash before each.
"""

import contextlib
import itertools
import json
import math
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path, PurePath
from typing import Any

from t2v.batch.planning.shards import MOST, Shard
from t2v.errors import DiskError, RequestError
from t2v.media.parts import disk_error, sync_folder

VERSION = 1
MAX_LINE_BYTES = 1 << 26
_HEADER = b'{"event":"journal"'
_SEAL = b',"crc":"'
_RECORD = b',"record":'
_NAME = re.compile(r"journal(?:\.([1-9]\d{0,4})-of-([1-9]\d{0,4}))?\.jsonl", re.ASCII)
_sync = getattr(os, "fdatasync", os.fsync)


def journal_name(shard: Shard | None) -> str:
    """`journal.jsonl`, or `journal.2-of-8.jsonl` for one share."""
    return f"journal.{shard.label}.jsonl" if shard else "journal.jsonl"


def shard_of(path: Path) -> Shard | None:
    """Which share a journal is of; None for all."""
    match = _NAME.fullmatch(path.name)
    return Shard(int(match[1]), int(match[2])) if match and match[1] else None


def journals_of(folder: Path) -> list[Path]:
    """All journals of a run folder; shares have one each.

    Raises:
        DiskError: The folder cannot be read.
    """
    try:
        return sorted(path for path in folder.iterdir() if _is_journal(path.name))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise DiskError(f"Cannot read {folder}: {error.strerror}.") from error


def _is_journal(name: str) -> bool:
    match = _NAME.fullmatch(name)
    return match is not None and (not match[1] or int(match[1]) <= int(match[2]) <= MOST)


def sealed(event: Mapping[str, Any]) -> bytes:
    """The line of an event."""
    body = dump(event)[:-1]
    return body + _SEAL + b'%08x"}\n' % zlib.crc32(body)


def unsealed(line: bytes) -> bytes | None:
    """The event of a line, without the brace at its end; None where the line is not whole."""
    body, seal, check = line.rstrip(b"\n").rpartition(_SEAL)
    return body if seal and check == b'%08x"}' % zlib.crc32(body) else None


def split(body: bytes) -> tuple[dict[str, Any], bytes]:
    """What an unsealed event says, and its record as JSON, empty where it has none."""
    facts, _, record = body.partition(_RECORD)
    found: dict[str, Any] = json.loads((facts + b"}").decode())
    return found, record


def dump(value: Any) -> bytes:
    """Compact JSON in UTF-8, whatever numbers and letters are in it."""
    try:
        return _json(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # lone surrogates: no UTF-8 has them, their escapes are fine
        return _json(value, ensure_ascii=True).encode()


def _json(value: Any, *, ensure_ascii: bool) -> str:
    options: dict[str, Any] = {"separators": (",", ":"), "default": _plain}
    try:
        return json.dumps(value, ensure_ascii=ensure_ascii, allow_nan=False, **options)
    except ValueError:
        return json.dumps(_finite(value), ensure_ascii=ensure_ascii, allow_nan=False, **options)


def _finite(value: Any) -> Any:
    """The same with null for NaN and infinity, which JSON does not have."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {key: _finite(one) for key, one in value.items()}
        case list() | tuple():
            return [_finite(one) for one in value]
        case _:
            return value


def _plain(value: object) -> object:
    if isinstance(value, PurePath):
        return value.name
    if isinstance(value, Fraction):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in a journal")


def lines_of(path: Path) -> Iterator[tuple[int, bytes]]:
    """Where each line begins, and the line; the last one may be cut.

    Raises:
        DiskError: The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            start = 0
            while line := file.readline(MAX_LINE_BYTES):
                yield start, line
                start += len(line)
    except OSError as error:
        raise DiskError(f"Cannot read {path}: {error.strerror}.") from error


def check_version(path: Path) -> None:
    """Refuse a journal that is not ours to read or to append to.

    Raises:
        RequestError: A newer t2v wrote it, or something else did.
        DiskError: It cannot be read.
    """
    first = next(iter(lines_of(path)), (0, b""))[1]
    if not first:
        return
    if _SEAL not in first and not _HEADER.startswith(first[: len(_HEADER)]):
        raise RequestError(f"{path} is no journal of t2v. Choose another folder for the videos.")
    body = unsealed(first)
    if body is None and _SEAL in first:
        return  # damaged: what follows is read all the same
    with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
        found = json.loads(first if body is None else body + b"}")["version"]
        if found > VERSION:
            raise RequestError(
                f"{path} was written by a newer t2v (journal version {found}, this one knows "
                f"{VERSION}). Update t2v, or choose another folder."
            )


class Journal:
    """A journal open for appending; whoever has it holds its lock."""

    def __init__(self, path: Path) -> None:
        """Open the journal, or make it.

        Raises:
            DiskError: It cannot be written.
        """
        self.path = path
        self._size = 0
        self._is_torn = True
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        try:
            self.fd = os.open(path, flags | getattr(os, "O_BINARY", 0), 0o666)
        except OSError as error:
            raise disk_error(path, error) from error

    def append(self, *events: Mapping[str, Any]) -> list[int]:
        """Write events; on return they are on the disk. Tells where their lines begin.

        Raises:
            DiskError: They are not.
        """
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        try:
            if self._is_torn:
                self._mend()
            header = {"event": "journal", "version": VERSION}
            all_events = events if self._size else (header, *events)
            lines = [sealed({"event": one["event"], "at": now, **one}) for one in all_events]
            starts = list(itertools.accumulate(map(len, lines), initial=self._size))
            self._write(b"".join(lines))
        except OSError as error:
            raise disk_error(self.path, error) from error
        return starts[-len(events) - 1 : -1]

    def close(self) -> None:
        """Close the file, and with it the lock."""
        os.close(self.fd)

    def _write(self, data: bytes) -> None:
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self.fd, rest) :]
            _sync(self.fd)
        except OSError:
            self._is_torn = True
            with contextlib.suppress(OSError):
                os.ftruncate(self.fd, self._size)
            raise
        if os.fstat(self.fd).st_nlink == 0:
            raise DiskError(
                f"{self.path} was deleted while the run was under way. Run the same command again: "
                "finished videos that are still there are found."
            )
        is_new, self._size = not self._size, self._size + len(data)
        if is_new:
            sync_folder(self.path.parent)

    def _mend(self) -> None:
        """Cut off what a crash or a full disk left of a last line; a whole one gets its end."""
        size = os.fstat(self.fd).st_size
        last = self._after_last_newline(size)
        is_whole = bool(last) and unsealed(last) is not None
        self._size = size if is_whole else size - len(last)
        os.ftruncate(self.fd, self._size)
        self._is_torn = False
        if is_whole:
            self._write(b"\n")

    def _after_last_newline(self, size: int) -> bytes:
        start, tail = size, b""
        while start and b"\n" not in tail:
            start = max(0, start - (1 << 16))
            os.lseek(self.fd, start, os.SEEK_SET)
            tail = os.read(self.fd, size - start)
        return tail[tail.rfind(b"\n") + 1 :]
