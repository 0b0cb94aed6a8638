"""What a file may contain: the table of codecs and containers, and how each encoder is driven."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from t2v.errors import RequestError


@dataclass(frozen=True, slots=True)
class Codec:
    """One way to encode frames, with settings that a person would not regret."""

    name: str
    encoder: str
    pix_fmt: str
    part: str = "mp4"
    """Container of the unfinished part: one that can be read up to where it stops."""
    options: Mapping[str, str] = field(default_factory=dict)
    crf: int | None = None
    max_crf: int = 51
    multiple: tuple[int, int] = (2, 2)
    """Width and height are padded to multiples of these."""
    tag: str | None = None

    @property
    def is_rgb(self) -> bool:
        """Whether colors are stored as they are."""
        return self.pix_fmt == "rgb24"

    @property
    def wants_float(self) -> bool:
        """Whether more than 8 bits survive, so that frames are worth passing as floats."""
        return "10" in self.pix_fmt


@dataclass(frozen=True, slots=True)
class Container:
    """One kind of file: libav's name for it, and what may be inside, the default first."""

    muxer: str
    codecs: tuple[str, ...]
    audio: str | None = None


CODECS: dict[str, Codec] = {
    codec.name: codec
    for codec in (
        # Without mbtree=0 the same frames give other bytes at every run, and memory doubles.
        Codec(
            "h264",
            "libx264",
            "yuv420p",
            options={"preset": "medium", "x264-params": "mbtree=0"},
            crf=16,
        ),
        Codec(
            "hevc",
            "libx265",
            "yuv420p10le",
            options={"preset": "fast", "x265-params": "log-level=none"},
            crf=18,
            tag="hvc1",  # hev1, libav's choice, does not play on Apple devices.
        ),
        Codec("av1", "libsvtav1", "yuv420p10le", options={"preset": "8"}, crf=24, max_crf=63),
        Codec(
            "vp9",
            "libvpx-vp9",
            "yuv420p",
            options={"b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1"},
            crf=24,
            max_crf=63,
        ),
        Codec(
            "prores",
            "prores_ks",
            "yuv422p10le",
            part="mov",
            options={"profile": "hq", "vendor": "apl0"},
            multiple=(2, 1),
        ),
        Codec("avif", "libsvtav1", "yuv420p10le", options={"preset": "8"}, crf=24, max_crf=63),
        Codec("gif", "gif", "pal8", multiple=(1, 1)),
        Codec("webp", "libwebp_anim", "bgra", options={"quality": "90"}, multiple=(1, 1)),
        Codec("png", "png", "rgb24", multiple=(1, 1)),
    )
}

CONTAINERS: dict[str, Container] = {
    ".mp4": Container("mp4", ("h264", "hevc", "av1", "vp9"), "aac"),
    ".m4v": Container("mp4", ("h264", "hevc"), "aac"),
    ".mov": Container("mov", ("prores", "h264", "hevc"), "aac"),
    ".mkv": Container("matroska", ("h264", "hevc", "av1", "vp9"), "libopus"),
    ".webm": Container("webm", ("vp9", "av1"), "libopus"),
    ".gif": Container("gif", ("gif",)),
    ".webp": Container("webp", ("webp",)),
    ".avif": Container("avif", ("avif",)),
}

SUFFIX_OF_CODEC = {
    "prores": ".mov",
    "vp9": ".webm",
    "gif": ".gif",
    "webp": ".webp",
    "avif": ".avif",
}
"""Where a codec goes when no name was given; `.mp4` for the rest, a folder for `png`."""


def suffix_of(codec: str) -> str:
    """Of a name that is made up."""
    return "" if codec == "png" else SUFFIX_OF_CODEC.get(codec, ".mp4")


def container_of(path: PurePath, shown: str) -> Container:
    """The container for a file name, which messages show like this.

    Raises:
        RequestError: No video is called so.
    """
    container = CONTAINERS.get(path.suffix.lower())
    if container is None:
        raise RequestError(
            f"{shown}: {path.suffix[:60] or 'no suffix'} is no known kind of video. "
            f"Known: {', '.join(CONTAINERS)}, or a folder (frames/) for PNG images."
        )
    return container


def choose(path: Path, codec: str = "auto") -> tuple[Codec, Container]:
    """The codec and container for a file name; a contradiction is a RequestError."""
    container = container_of(path, path.name)
    if codec == "auto":
        return CODECS[container.codecs[0]], container
    if codec not in container.codecs:
        fitting = [suffix for suffix, other in CONTAINERS.items() if codec in other.codecs]
        raise RequestError(
            f"{path.suffix} does not hold {codec}. "
            f"For {codec} use {' or '.join(fitting) or 'a folder'}; "
            f"{path.suffix} holds {', '.join(container.codecs)}."
        )
    return CODECS[codec], container


def is_sequence(path: Path | str, codec: str = "auto") -> bool:
    """Whether an output is a folder of PNG pictures: by its codec, its name, or what is there."""
    text = str(path)
    # os.path: a Path raises where a part of the name is too long.
    is_folder = text.endswith(("/", os.sep)) or os.path.isdir(text)  # noqa: PTH112
    return is_folder or codec == "png" or not Path(path).suffix


def check_encoding(path: Path | str, codec: str = "auto", crf: int | None = None) -> None:
    """Refuse a name, a codec and a quality that do not go together."""
    if not is_sequence(path, codec):
        encoder_options(choose(Path(path), codec)[0], crf)
    elif codec not in ("auto", "png"):
        raise RequestError(f"{path} is a folder, for PNG images; {codec} needs a file name.")


def encoder_options(codec: Codec, crf: int | None) -> dict[str, str]:
    """The options of the encoder with the quality asked for, checked."""
    if codec.crf is None:
        return dict(codec.options)
    crf = codec.crf if crf is None else crf
    if not 0 <= crf <= codec.max_crf:
        raise RequestError(f"crf {crf}: {codec.name} takes 0 (best) to {codec.max_crf} (smallest).")
    return {**codec.options, "crf": str(crf)}
