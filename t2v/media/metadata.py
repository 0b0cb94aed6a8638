"""How a video was made, as JSON: inside the file where its container has a place, and beside it."""

import json
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

from t2v.errors import DiskError, RequestError
from t2v.media import embedded
from t2v.media.parts import Part, disk_error

SCHEMA = "t2v.video/1"
MAX_BYTES = 32_000_000
"""Larger documents are not read: a prompt has at most a megabyte."""
MAX_LEVELS = 30


def pack(metadata: dict[str, Any]) -> str:
    """One line of JSON that begins with the schema."""
    return _dump({"schema": SCHEMA, **metadata}, indent=None)


def unpack(text: str | bytes) -> dict[str, Any] | None:
    """The metadata in `text`, or None if it is something else."""
    if len(text) > MAX_BYTES:
        return None
    try:
        metadata = json.loads(text)
    except (ValueError, RecursionError):
        return None
    is_ours = isinstance(metadata, dict) and metadata.get("schema") == SCHEMA
    return metadata if is_ours and _is_flat(metadata) else None


def _is_flat(value: Any) -> bool:
    """Whether the document has as few levels as ours have, so that it can be walked and printed."""
    level = [value]
    for _ in range(MAX_LEVELS):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
    return not level


def sidecar_path(path: Path) -> Path:
    """Where the metadata of the output at `path` lies: `clip.json`, or inside a PNG folder."""
    return path / "metadata.json" if path.is_dir() else path.with_suffix(".json")


def write_sidecar(video: Path, metadata: dict[str, Any], *, overwrite: bool) -> Path:
    """Write the metadata beside `video`, under another name if that place holds something else."""
    target = sidecar_path(video)
    if os.path.lexists(target) and not (overwrite and _read(target)):
        target = video.with_name(video.name + ".json")
    text = _dump({"schema": SCHEMA, **metadata}, indent=2) + "\n"
    try:
        with Part(target) as part:
            part.write(text.encode())
            return part.publish(overwrite=overwrite)
    except OSError as error:
        raise disk_error(target, error) from error


def require_readable(path: Path) -> None:
    """Raise unless a file or a folder is there: a pipe would be waited for, a device never ends.

    Raises:
        DiskError: Nothing is, or something else.
    """
    if not os.path.exists(path):  # noqa: PTH110 - Path.exists raises for a name that is too long
        raise DiskError(f"{str(path)[:200]} does not exist.")
    if not (path.is_file() or path.is_dir()):
        raise DiskError(f"{path} is no file and no folder.")


def read_metadata(path: Path) -> dict[str, Any]:
    """How the video at `path` was made: from the file itself, else from its sidecar."""
    require_readable(path)
    found = None if path.is_dir() else _read_embedded(path)
    for sidecar in (sidecar_path(path), path.parent / f"{path.name}.json"):
        found = found or _read(sidecar)
    if found is None:
        raise RequestError(
            f"{path.name} does not say how it was made: "
            "it comes from another tool, or it was written without metadata."
        )
    return found


def _read_embedded(path: Path) -> dict[str, Any] | None:
    return _read(path) if path.suffix.lower() == ".json" else unpack(embedded.read(path))


def _read(path: Path) -> dict[str, Any] | None:
    try:
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            return None
        return unpack(path.read_bytes())
    except OSError as error:
        raise DiskError(f"Cannot read {path}: {error.strerror}.") from error


def _dump(metadata: dict[str, Any], indent: int | None) -> str:
    separators = (",", ":") if indent is None else None
    for ascii_only in (False, True):
        text = json.dumps(
            metadata,
            ensure_ascii=ascii_only,
            indent=indent,
            separators=separators,
            default=_plain,
        )
        if not any("\ud800" <= letter <= "\udfff" for letter in text):
            break  # Lone surrogates cannot be stored as UTF-8, their escapes can.
    return text


def _plain(value: object) -> object:
    if isinstance(value, Fraction | Path):
        return str(value)
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no place in metadata")
