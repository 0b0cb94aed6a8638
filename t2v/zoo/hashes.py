"""What the Hub knows a file by: its SHA-256 where it is large, the hash of git where it is small."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMIT_HASH = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CHUNK_BYTES = 1 << 22


@dataclass(frozen=True, slots=True)
class Expected:
    """What a file of one commit must be."""

    size: int
    """In bytes."""
    hash: str | None
    """64 hex digits of SHA-256, or 40 of the git blob; None where the Hub names none."""

    def matches(self, path: Path, report: Callable[[int], None] = lambda count: None) -> bool:
        """Whether the file at this path is the one; `report` hears the bytes read.

        Raises:
            OSError: The file cannot be read.
        """
        if path.stat().st_size != self.size:
            return False
        return self.hash is None or digest(path, self.hash, report) == self.hash


def digest(path: Path, like: str, report: Callable[[int], None] = lambda count: None) -> str:
    """The hash of a file in the manner of another hash: SHA-256, or git's SHA-1 of a blob.

    Raises:
        OSError: The file cannot be read.
    """
    state: Any
    if is_sha256(like):
        state = hashlib.sha256()
    else:
        state = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            state.update(chunk)
            report(len(chunk))
    return str(state.hexdigest())


def is_sha256(text: str) -> bool:
    """Whether the text is a SHA-256 in hex."""
    return _SHA256.fullmatch(text) is not None


def is_hash(text: str) -> bool:
    """Whether the text is a hash that a file of the Hub can be known by."""
    return is_sha256(text) or COMMIT_HASH.fullmatch(text) is not None
