"""Finished files from a worker that has a disk of its own into the run folder."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Protocol

from t2v.batch.making import Outcome
from t2v.batch.run_folder.finished import sha256_of, sidecars_of
from t2v.batch.running.failures import failure_of
from t2v.errors import GenerationError, T2VError
from t2v.media.parts import (
    Part,
    disk_error,
    make_part_folder,
    prepare_folder,
    publish_folder,
)

PIECE_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Found:
    """A finished file on the worker's machine."""

    path: str
    """Below the worker's folder, with `/`."""
    num_bytes: int


class Source(Protocol):
    """The worker's side."""

    def files(self, output: str) -> list[Found]:
        """The sidecar and the video of an output, or the files of a folder of images."""

    def read(self, path: str, offset: int, num_bytes: int) -> bytes:
        """A piece of a file."""

    def forget(self, output: str) -> None:
        """Delete an output there."""


def bring(outcome: Outcome, folder: Path, source: Source) -> Outcome:
    """Fetch the files of an outcome; they appear whole or not at all, and nothing is replaced."""
    if outcome.output is None:
        return outcome
    try:
        target = folder / _inside(outcome.output)
        files = source.files(outcome.output)
        is_folder = all(file.path.startswith(f"{outcome.output}/") for file in files)
        place = (_folder if is_folder else _video)(target, files, outcome, source)
    except OSError as error:
        return _lost(outcome, disk_error(target, error))
    except T2VError as error:
        return _lost(outcome, error)
    source.forget(outcome.output)
    return replace(outcome, output=place.relative_to(folder).as_posix())


def _lost(outcome: Outcome, error: T2VError) -> Outcome:
    return replace(
        outcome,
        status="failed",
        output=None,
        num_bytes=None,
        sha256=None,
        failure=failure_of(error),
    )


def _video(target: Path, files: list[Found], outcome: Outcome, source: Source) -> Path:
    sidecars = [file for file in files if file.path != outcome.output]
    videos = [file for file in files if file.path == outcome.output]
    if not videos:
        raise GenerationError(f"{target.name} is gone from the disk of the worker that made it.")
    place = _fetch(prepare_folder(target), videos[0], outcome.sha256, source)
    for file in sidecars:
        with Part(sidecars_of(place)[0]) as part:
            _fill(part, file, source)
            part.publish(overwrite=True)
    return place


def _fetch(target: Path, file: Found, sha256: str | None, source: Source) -> Path:
    if sha256 and target.is_file() and sha256_of(target) == sha256:
        return target  # brought before, by a driver that could not write it down
    with Part(target) as part:
        digest = _fill(part, file, source)
        if sha256 and digest != sha256:
            raise GenerationError(_damaged(target))
        return part.publish(overwrite=False)


def _damaged(target: Path) -> str:
    return f"{target.name} was damaged on its way from the worker that made it."


def _folder(target: Path, files: list[Found], outcome: Outcome, source: Source) -> Path:
    """All images at once, under the first free name."""
    part, lock = make_part_folder(prepare_folder(target))
    try:
        for file in files:
            inner = part / _inside(file.path).relative_to(_inside(outcome.output or ""))
            inner.parent.mkdir(parents=True, exist_ok=True)
            with Part(inner) as piece:
                _fill(piece, file, source)
                piece.publish(overwrite=True)
        if outcome.sha256 and sha256_of(part) != outcome.sha256:
            raise GenerationError(_damaged(target))
        return publish_folder(part, target)
    finally:
        if lock is not None:
            os.close(lock)
        shutil.rmtree(part, ignore_errors=True)


def _fill(part: Part, file: Found, source: Source) -> str:
    digest = hashlib.sha256()
    for piece in _pieces(file, source):
        digest.update(piece)
        part.write(piece)
    return digest.hexdigest()


def _pieces(file: Found, source: Source) -> Iterator[bytes]:
    offset = 0
    while offset < file.num_bytes:
        piece = source.read(file.path, offset, PIECE_BYTES)
        if not piece:
            raise GenerationError(
                f"{file.path} was cut short on the disk of the worker that made it."
            )
        offset += len(piece)
        yield piece


def _inside(path: str) -> Path:
    """The path, unless it leads out of the folder: workers name it."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts:
        raise GenerationError(f"{path!r} is no place below the run folder.")
    return Path(*pure.parts)
