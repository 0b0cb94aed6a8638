"""LoRAs as users write them: `REPO_OR_FILE[:SCALE]`."""

import re
from pathlib import Path

from t2v.errors import RequestError
from t2v.plan.paths import absolute, exists
from t2v.plan.request import Lora
from t2v.plan.wording import quoted

MAX_SCALE = 100.0

_SCALED = re.compile(r"(?P<source>.+):(?P<scale>[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?)", re.DOTALL)
_REPO = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(/[\w. -]+)*(@[\w.-]+)?")
_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".pkl")


def parse_lora(text: str) -> Lora:
    r"""The source and the scale, 1 where none is given.

    >>> parse_lora("org/name:0.8"), parse_lora(r"C:\loras\ink.safetensors")
    (Lora(source='org/name', scale=0.8), Lora(source='C:\\loras\\ink.safetensors', scale=1.0))
    """
    text = text.strip()
    match = _SCALED.fullmatch(text)
    source, scale = (match["source"], float(match["scale"])) if match else (text, 1.0)
    if not source or not source.isprintable():
        raise RequestError(f"--lora takes REPO_OR_FILE[:SCALE], not {quoted(text)}")
    if abs(scale) > MAX_SCALE:
        raise RequestError(f"The scale of a LoRA lies between -100 and 100, not {scale:g}")
    return Lora(source, scale)


def is_path(source: str) -> bool:
    """Whether the source is meant as a file here and not as a repository of the Hub."""
    if source.endswith(_WEIGHTS) and source.count("/") < 2:
        return True
    return source.startswith((".", "/", "~")) or "\\" in source or not _REPO.fullmatch(source)


def is_here(source: str, folder: Path) -> bool:
    """Whether a LoRA named in a file of that folder is a file as well, and none of the Hub."""
    return is_path(source) or exists(folder / source)


def locate(lora: Lora, folder: Path | None = None) -> Lora:
    """The LoRA with its file made absolute, from `folder` on; a repository id stays as it is.

    A file or folder that is there wins over a repository of the same name, as it does for models.
    """
    path = absolute(lora.source, folder or Path())
    if exists(path):
        return Lora(str(path), lora.scale)
    if is_path(lora.source):
        raise RequestError(
            f"There is no LoRA file {quoted(lora.source, 200)}; "
            "give a .safetensors file, or a Hub repository as org/name"
        )
    return lora
