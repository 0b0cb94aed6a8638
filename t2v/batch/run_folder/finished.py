"""Finished videos on the disk: how large, which bytes, whose they are, and out of the way."""

import contextlib
import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any

from t2v.errors import DiskError, T2VError
from t2v.media.parts import disk_error, sync_folder

MAX_SIDECAR_BYTES = 32_000_000


def place_of(folder: Path, output: str) -> Path | None:
    """Where an output lies; None where the name leads out of the run folder."""
    is_outside = output.startswith("/") or ".." in output.split("/") or "\0" in output
    return folder / output if output and not is_outside else None


def num_bytes_of(path: Path) -> int | None:
    """The size of an output: of a file, or of all pictures of a folder; None where there is none."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            return sum(one.stat().st_size for one in _pictures(path))
    except (OSError, ValueError):
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def sha256_of(path: Path) -> str:
    """The hash of an output: of a file, or of the names and hashes of all pictures of a folder.

    Raises:
        DiskError: It cannot be read.
    """
    try:
        if not path.is_dir():
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        lines = [f"{sha256_of(one)}  {one.name}\n" for one in _pictures(path)]
        return hashlib.sha256("".join(lines).encode()).hexdigest()
    except OSError as error:
        raise DiskError(f"Cannot read {path}: {error.strerror}.") from error


def _pictures(folder: Path) -> list[Path]:
    return sorted(one for one in folder.iterdir() if one.suffix == ".png")


def sidecars_of(path: Path) -> list[Path]:
    """Where the record of an output may lie, the usual place first."""
    if path.is_dir():
        return [path / "metadata.json"]
    return [path.with_suffix(".json"), path.with_name(path.name + ".json")]


def record_of(path: Path, key: str) -> dict[str, Any] | None:
    """The record of an output if that is of the job with this key: from a sidecar, or inside of it."""
    for sidecar in sidecars_of(path):
        with contextlib.suppress(OSError, ValueError, RecursionError):
            if sidecar.stat().st_size <= MAX_SIDECAR_BYTES:
                found = json.loads(sidecar.read_bytes())
                if isinstance(found, dict) and found.get("key") == key:
                    return found
    found = _embedded(path)
    return found if found and found.get("key") == key else None


def restore_sidecar(path: Path, record: dict[str, Any]) -> None:
    """Write the sidecar of a video whose maker did not live to write it.

    Raises:
        DiskError: It cannot be written.
    """
    from t2v.media.metadata import write_sidecar  # noqa: PLC0415 - as below

    if not any(os.path.lexists(place) for place in sidecars_of(path)):
        write_sidecar(path, record, overwrite=False)


def _embedded(path: Path) -> dict[str, Any] | None:
    # The process that drives a batch has no use for libav but here, after a crash.
    from t2v.media.metadata import read_metadata  # noqa: PLC0415

    try:
        return read_metadata(path)
    except T2VError:
        return None


def move_aside(path: Path) -> Path | None:
    """Rename what is at the place of an output, and its sidecar; None where nothing is.

    `ball.mp4` becomes `ball.old-1.mp4`; nothing is ever deleted.

    Raises:
        DiskError: It cannot be renamed.
    """
    if not os.path.lexists(path):
        return None
    number = 1
    while os.path.lexists(place := path.with_name(f"{path.stem}.old-{number}{path.suffix}")):
        number += 1
    try:
        if not path.is_dir():
            for sidecar, new in zip(sidecars_of(path), sidecars_of(place), strict=True):
                if os.path.lexists(sidecar) and not os.path.lexists(new):
                    sidecar.rename(new)
        path.rename(place)
    except OSError as error:
        raise disk_error(path, error) from error
    sync_folder(path.parent)
    return place


def also_named(path: Path, other: Path) -> bool:
    """Give a finished file a further name, and its sidecar; False where that cannot be."""
    if path.is_dir() or os.path.lexists(other):
        return False
    try:
        other.parent.mkdir(parents=True, exist_ok=True)
        for one, new in zip(sidecars_of(path), sidecars_of(other), strict=True):
            if one.is_file() and not os.path.lexists(new):
                os.link(one, new)
        os.link(path, other)
    except OSError:
        return False
    sync_folder(other.parent)
    return True
