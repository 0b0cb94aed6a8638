"""Names of outputs: from a prompt, a template or a path; safe on every file system, never taken."""

import os
import re
import unicodedata
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from t2v.errors import OutputExistsError, RequestError
from t2v.media.codecs import container_of, suffix_of
from t2v.media.parts import MAX_NAME_BYTES

DEFAULT_TEMPLATE = "{prompt}-{seed}"
KEYS = ("prompt", "seed", "model", "index", "width", "height", "num_frames", "fps")
PROMPT_BYTES = 80
MAX_FOLDER_BYTES, MAX_PATH_BYTES = 255, 3500
WINDOWS_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))]
)


class Named(Protocol):
    """What a name is made of; a Request has it all."""

    @property
    def prompt(self) -> str: ...  # noqa: D102
    @property
    def seed(self) -> int: ...  # noqa: D102
    @property
    def model(self) -> str: ...  # noqa: D102
    @property
    def width(self) -> int: ...  # noqa: D102
    @property
    def height(self) -> int: ...  # noqa: D102
    @property
    def num_frames(self) -> int: ...  # noqa: D102
    @property
    def fps(self) -> Fraction: ...  # noqa: D102
    @property
    def codec(self) -> str: ...  # noqa: D102


def slug(text: str, max_bytes: int = 120) -> str:
    """`text` as a file name without suffix: letters and digits of any script, `-`, `.` and `_`.

    ```
    >>> slug("A red ball, bouncing/over the hills?")
    'a-red-ball-bouncing-over-the-hills'
    >>> slug("../../etc/passwd")
    'etc-passwd'

    ```
    """
    # Twice as many characters as bytes may be left: a prompt of megabytes is not walked through.
    text = unicodedata.normalize("NFKC", text[: 8 * max_bytes]).lower()
    kept = "".join(letter if _is_kept(letter) else "-" for letter in text)
    kept = re.sub(r"-*\.[.-]*", ".", kept)
    name = _cut(re.sub(r"-{2,}", "-", kept).strip("-._"), max_bytes)
    if name.split(".")[0] in WINDOWS_DEVICES:
        name = f"{name[: max_bytes - 1]}_" if "." not in name else name.replace(".", "_", 1)
    return name or "video"


def _is_kept(letter: str) -> bool:
    # M: vowel signs and accents that belong to the letter before.
    return unicodedata.category(letter)[0] in "LNM" or letter in "._"


def _cut(name: str, max_bytes: int) -> str:
    encoded = name.encode("utf-8", "ignore")
    if len(encoded) <= max_bytes:
        return encoded.decode()
    cut = encoded[:max_bytes].decode("utf-8", "ignore")
    words, _, rest = cut.rpartition("-")
    return (words if len(rest) < len(cut) / 2 else cut).strip("-._")


def output_paths(
    template: str | os.PathLike[str] | None,
    requests: Sequence[Named],
    *,
    overwrite: bool = False,
) -> list[Path]:
    """Where each video goes.

    Args:
        template: A path, perhaps with `{prompt}`, `{seed}`, ...; a folder (`frames/`) for PNG
            images; None for a name made of prompt and seed in the current folder.
        requests: What will be made, one a video.
        overwrite: Whether existing files may be replaced.
    """
    if template is None:
        return _fresh_names(requests)
    text = _checked(os.fspath(template))
    paths = [Path(filled(text, request, index)) for index, request in enumerate(requests)]
    if len(set(paths)) < len(paths):
        paths = [path.with_stem(f"{path.stem}-{n}") for n, path in enumerate(paths, 1)]
    for path in paths:
        _check_free(path, overwrite=overwrite)
    return paths


def _fresh_names(requests: Sequence[Named]) -> list[Path]:
    paths: dict[Path, None] = {}  # in order, and looked up at once among ten thousand
    for index, request in enumerate(requests):
        suffix = suffix_of(request.codec)
        name = filled(DEFAULT_TEMPLATE, request, index)
        n, path = 1, Path(name + suffix)
        while path in paths or _is_taken(path):
            n += 1
            path = Path(f"{name}-{n}{suffix}")
        paths[path] = None
    return list(paths)


def _is_taken(path: Path) -> bool:
    return os.path.lexists(path) or os.path.lexists(path.with_suffix(".json"))


def check_template(text: str) -> None:
    """Refuse letters and keys that no output has.

    Raises:
        RequestError: It is empty, or has control characters or unknown keys.
    """
    shown = shortened(text)
    if not text.strip() or any(map(_is_control, text)):
        raise RequestError(
            f"{shown!r} is no name for an output: it is empty or has control characters."
        )
    unknown = [key for key in re.findall(r"\{([^{}]*)\}", text) if key not in KEYS]
    if unknown:
        keys = ", ".join(f"{{{key}}}" for key in KEYS)
        raise RequestError(f"{shown}: no {{{unknown[0][:60]}}} in a name. Known: {keys}.")


def shortened(text: str) -> str:
    """A name as messages show it."""
    return text if len(text) <= 100 else f"{text[:60]}...{text[-30:]}"


def _checked(text: str) -> str:
    """Refuse what cannot be an output before anything is loaded."""
    check_template(text)
    shown = shortened(text)
    is_folder = text.endswith(("/", os.sep))
    path = Path(text)
    if not path.name or path.name == "..":
        raise RequestError(f"{shown} is a folder that exists. Name a file in it, or a new folder.")
    # os.path: a Path raises where a part of the name is too long.
    is_there = os.path.isdir(text)  # noqa: PTH112
    if not is_folder and not is_there:
        container_of(path, shown)
    return os.path.expanduser(text)  # noqa: PTH111 - a Path would lose the slash of a folder


def _is_control(letter: str) -> bool:
    # A turn of the reading direction makes gpj.mp4 look like 4pm.jpg.
    return unicodedata.category(letter) in ("Cc", "Cs") or unicodedata.bidirectional(letter) in (
        *("LRE", "RLE", "LRO", "RLO", "PDF"),
        *("LRI", "RLI", "FSI", "PDI"),
    )


def filled(template: str, request: Named, index: int) -> str:
    """The template with its keys replaced; a value is a slug, so that it cannot name a folder."""

    def value(match: re.Match[str]) -> str:
        key = match[1]
        text = str(index) if key == "index" else str(getattr(request, key))
        return slug(text, PROMPT_BYTES if key in ("prompt", "model") else 40)

    return re.sub(r"\{(\w+)\}", value, template)


def _check_free(path: Path, *, overwrite: bool) -> None:
    if len(os.fsencode(path.name)) > MAX_NAME_BYTES:
        raise RequestError(f"The name {path.name[:40]}... is longer than {MAX_NAME_BYTES} bytes.")
    if len(os.fsencode(path)) > MAX_PATH_BYTES or any(
        len(os.fsencode(part)) > MAX_FOLDER_BYTES for part in path.parts[:-1]
    ):
        raise RequestError(f"The path {str(path)[:40]}... is too long. Choose a shorter one.")
    if overwrite or not os.path.lexists(path):
        return
    if path.is_dir() and not any(path.iterdir()):
        return
    raise OutputExistsError(f"{path} exists. Choose another name, or --overwrite it.")
