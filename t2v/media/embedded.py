"""Metadata inside a file: a comment tag where the container has one, else a block of our own.

AVIF, WebP and GIF have no tag that libav writes. Ours stands behind the last picture, in the form
that other readers skip.
"""

import mmap
import struct
from pathlib import Path

import av

from t2v.media.parts import Part

FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,gif,webp,webp_anim,webp_pipe"
"""What is opened: no playlists, which could make libav open other files."""

AVIF_BOX = b"uuid" + bytes.fromhex("6f2a7b1e5d0c4b3f9a61743276766964")
WEBP_CHUNK = b"T2V "
GIF_COMMENT = b"\x21\xfe"
GIF_TRAILER = b"\x3b"


def read(path: Path) -> bytes:
    """The text that was put into the file, empty if there is none."""
    try:
        with path.open("rb") as file:
            if not file.read(1):
                return b""
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                match data[:12]:
                    case head if head[:4] == b"GIF8":
                        return _find_gif_comment(data)
                    case head if head[:4] == b"RIFF" and head[8:] == b"WEBP":
                        return _find_chunk(data)
                    case head if head[4:] in (b"ftypavif", b"ftypavis"):
                        return _find_box(data)
    except (OSError, ValueError, IndexError, struct.error):
        return b""
    return _read_comment_tag(path)


def _read_comment_tag(path: Path) -> bytes:
    try:
        with (
            path.open("rb") as file,
            av.open(
                file, "r", options={"format_whitelist": FORMATS}, metadata_errors="replace"
            ) as container,
        ):
            tags = {key.lower(): value for key, value in container.metadata.items()}
    except (av.FFmpegError, OSError, ValueError):
        return b""
    return tags.get("comment", "").encode()


def append_box(part: Part, text: str) -> None:
    """Add `text` to an AVIF."""
    payload = text.encode()
    part.seek(0, 2)
    part.write(struct.pack(">I", 4 + len(AVIF_BOX) + len(payload)) + AVIF_BOX + payload)


def _find_box(data: mmap.mmap) -> bytes:
    place = 0
    while place + 8 <= len(data):
        (size,) = struct.unpack_from(">I", data, place)
        if data[place + 4 : place + 24] == AVIF_BOX:
            return data[place + 24 : place + size]
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, place + 8)
        if size < 8:
            break
        place += size
    return b""


def append_chunk(part: Part, text: str) -> None:
    """Add `text` to a WebP."""
    payload = text.encode()
    part.seek(0, 2)
    part.write(WEBP_CHUNK + struct.pack("<I", len(payload)) + payload + b"\0" * (len(payload) % 2))
    size = part.tell() - 8
    part.seek(4)
    part.write(struct.pack("<I", size))


def _find_chunk(data: mmap.mmap) -> bytes:
    place = 12
    while place + 8 <= len(data):
        (size,) = struct.unpack_from("<I", data, place + 4)
        if data[place : place + 4] == WEBP_CHUNK:
            return data[place + 8 : place + 8 + size]
        place += 8 + size + size % 2
    return b""


def append_comment(part: Part, text: str) -> None:
    """Add `text` to a GIF, in blocks of 255 bytes before its last byte."""
    payload = text.encode()
    blocks = [payload[start : start + 255] for start in range(0, len(payload), 255)]
    part.seek(-1, 2)
    part.write(
        GIF_COMMENT
        + b"".join(bytes([len(block)]) + block for block in blocks)
        + b"\0"
        + GIF_TRAILER
    )


def _find_gif_comment(data: mmap.mmap) -> bytes:
    place = 13 + _color_table_size(data[10])
    while place + 2 <= len(data):
        if data[place] == 0x2C:
            place += 11 + _color_table_size(data[place + 9])
            place, _ = _sub_blocks(data, place)
        elif data[place : place + 2] == GIF_COMMENT:
            place, text = _sub_blocks(data, place + 2)
            if text.startswith(b"{"):
                return text
        elif data[place] == 0x21:
            place, _ = _sub_blocks(data, place + 2)
        else:
            break
    return b""


def _color_table_size(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _sub_blocks(data: mmap.mmap, place: int) -> tuple[int, bytes]:
    blocks = []
    while place < len(data) and data[place]:
        blocks.append(data[place + 1 : place + 1 + data[place]])
        place += 1 + data[place]
    return place + 1, b"".join(blocks)
