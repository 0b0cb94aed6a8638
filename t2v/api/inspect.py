"""Reads back from a file alone how it was made."""

from pathlib import Path
from typing import Any


def inspect(path: str | Path) -> dict[str, Any]:
    """What the file is and how it was made.

    Args:
        path: A video t2v wrote, in any container, or a folder of PNG frames.

    Returns:
        `{"file": ..., "record": ...}`: what the container itself says (codec, size, rate, frames,
        colour tags), and the record the run left in its metadata or sidecar, None without one.

    Raises:
        DiskError: There is no such file, or it is no video.
    """
    from t2v.media.metadata import read_metadata
    from t2v.media.probe import probe

    path = Path(path)
    facts = probe(path)
    return {"file": facts.to_dict(), "record": read_metadata(path) or None}
