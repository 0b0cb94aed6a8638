"""Read small text and JSON files that nobody vouches for; no YAML here, which takes time to import."""

import json
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from t2v.errors import DiskError, DocumentError

MAX_BYTES = 2_000_000


def read_json(path: Path, *, max_bytes: int = MAX_BYTES) -> Any:
    """Read one JSON file, as small and as plain as a configuration of a model is.

    Raises:
        DiskError: The file cannot be read.
        DocumentError: It is too large, no UTF-8 or no JSON.
    """
    text = read_text(path, max_bytes)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DocumentError(f"{path}:{error.lineno}:{error.colno}: {error.msg}.") from None
    except (RecursionError, ValueError) as error:
        raise DocumentError(f"{path}:1:1: not a sane JSON file ({error}).") from None


def read_text(path: Path | Traversable, max_bytes: int = MAX_BYTES) -> str:
    """The text of a UTF-8 file that is not too large.

    Raises:
        DiskError: The file cannot be read.
        DocumentError: It is too large or no UTF-8.
    """
    try:
        with path.open("rb") as file:
            content = file.read(max_bytes + 1)
    except OSError as error:
        raise DiskError(f"Cannot read {path}: {error.strerror or error}.") from None
    if len(content) > max_bytes:
        raise DocumentError(f"{path}:1:1: larger than {max_bytes:,} bytes; split it.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        raise DocumentError(f"{path}:{line}:{column}: not UTF-8 text.") from None
