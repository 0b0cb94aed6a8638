"""Whether what will be written fits on the disk, as far as that is certain before it is made."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from t2v.errors import RequestError
from t2v.plan.request import Request
from t2v.text import gb

_LEAST = {"png": 0.08, "prores": 0.25, "gif": 0.01, "webp": 0.01}
"""Bytes a pixel of a scene that is easy to encode: 48 frames of 416x240, a disc that moves over a
gradient, through `open_writer` with its defaults."""
_LEAST_OTHER = 0.0015
_LATENT_BYTES = 0.5
"""Of a latent frame, a pixel of the video: 128 channels at 1/32 of each side, in float32, as LTX has
them; others have 1."""


def check_space(requests: Sequence[Request], paths: Sequence[Path]) -> None:
    """Raise where the disk cannot hold the outputs and what a long video keeps while it is made.

    Raises:
        RequestError: It cannot.
    """
    if any(request.endless for request in requests):
        return
    kept = max(map(_kept_bytes, requests))
    needed = kept + sum(map(_least_bytes, requests, paths))
    folder = _existing(paths[0].parent)
    disk = shutil.disk_usage(folder)
    # No disk at all, such as /proc, is found out by whoever opens the file.
    if needed <= disk.free or not disk.total:
        return
    first = requests[0]
    raise RequestError(
        f"{first.num_frames:,} frames of {first.width}x{first.height} take at least "
        f"{gb(int(needed))}{f', checkpoints {gb(int(kept))} of it,' if kept else ''} and "
        f"{gb(disk.free)} are free in {folder}; make it shorter or smaller, or write to another disk"
    )


def _least_bytes(request: Request, path: Path) -> float:
    kind = request.codec
    if kind == "auto":
        kind = {".gif": "gif", ".webp": "webp", "": "png"}.get(path.suffix.lower(), "other")
    pixels = request.width * request.height * request.num_frames
    return pixels * _LEAST.get(kind, _LEAST_OTHER)


def _kept_bytes(request: Request) -> float:
    """Latents that are kept until the video is whole."""
    if request.long is None:
        return 0.0
    num_latents = sum(shot.num_latents for shot in request.long.shots)
    return request.width * request.height * num_latents * _LATENT_BYTES


def _existing(folder: Path) -> Path:
    return next(one for one in (folder.absolute(), *folder.absolute().parents) if one.is_dir())
