"""Metadata inside a file: a comment tag where the container has one, else a box of our own."""

import struct
from pathlib import Path
from typing import Any

import av

from t2v.media.metadata import unpack
from t2v.media.parts import Part

FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,gif,webp_anim,webp,avi,png_pipe"
"""What is opened: no playlists, which could make libav open other files."""

AVIF_BOX = b"uuid" + bytes.fromhex("6f2a7b1e5d0c4b3f9a61743276766964")
"""Box type and identifier of the metadata at the end of an AVIF, skipped by other readers."""


def read(path: Path) -> dict[str, Any] | None:
    """The metadata inside the file, or None."""
    return _read_comment(path)


def _read_comment(path: Path) -> dict[str, Any] | None:
    try:
        with path.open("rb") as file, av.open(
            file, "r", options={"format_whitelist": FORMATS}, metadata_errors="replace"
        ) as container:
            tags = {key.lower(): value for key, value in container.metadata.items()}
    except (av.FFmpegError, OSError, ValueError):
        return None
    return unpack(tags.get("comment", ""))


def append_to_avif(part: Part, comment: str) -> None:
    """Add the metadata behind the last box."""
    payload = comment.encode()
    part.seek(0, 2)
    part.write(struct.pack(">I", 8 + 16 + len(payload)) + AVIF_BOX + payload)
