"""Reads back from a file alone how it was made."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from t2v.api.work import refuse_work
from t2v.errors import RequestError
from t2v.media.metadata import read_metadata, require_readable


def inspect(path: str | Path) -> dict[str, Any]:
    """What the file is and how it was made.

    Args:
        path: A video t2v wrote, in any container, a folder of PNG frames, or a sidecar.

    Returns:
        `{"file": ..., "record": ...}`: what the container itself says (codec, size, rate, frames,
        colour tags), and the record the run left in its metadata or sidecar, None without one.
        Of a sidecar there is the record alone, and `file` is None.

    Raises:
        DiskError: There is no such file, or it is no video.
        RequestError: The folder holds what is needed to finish a video.
    """
    from t2v.media.probe import probe

    path = Path(path)
    require_readable(path)
    refuse_work(path)
    if path.suffix.lower() == ".json":
        return {"file": None, "record": read_metadata(path)}
    facts = asdict(probe(path))
    return {"file": facts | {"fps": str(facts["fps"])}, "record": _record(path)}


def _record(path: Path) -> dict[str, Any] | None:
    try:
        return read_metadata(path)
    except RequestError:
        return None
