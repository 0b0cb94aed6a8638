"""Files that are derived from the journals: written anew, whole or not at all."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from t2v.media.parts import Part, disk_error

_CHUNK_BYTES = 1 << 18


def write_anew(path: Path, pieces: Iterable[bytes]) -> int:
    """Write a file in one step, the pieces taken one at a time; returns its size.

    Raises:
        DiskError: The disk is full, or the folder cannot be written.
    """
    try:
        with Part(path) as part:
            for chunk in _chunks(pieces):
                part.write(chunk)
            num_bytes = part.tell()
            part.publish(overwrite=True)
    except OSError as error:
        raise disk_error(path, error) from error
    return num_bytes


def _chunks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    chunk = bytearray()
    for piece in pieces:
        chunk += piece
        if len(chunk) >= _CHUNK_BYTES:
            yield bytes(chunk)
            chunk.clear()
    yield bytes(chunk)
