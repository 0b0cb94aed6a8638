"""Which files of a diffusers folder hold weights, and which of them a load needs.

Works on names alone, so that it serves a repository's listing and a local folder alike.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

_WEIGHTS = re.compile(
    r"(diffusion_pytorch_model|pytorch_model|model)"
    r"(?P<early>-\d{5}-of-\d{5})?(\.(?P<variant>[A-Za-z][\w]*))?(?P<late>-\d{5}-of-\d{5})?"
    r"\.(?P<kind>safetensors|bin)$"
)
_INDEX = re.compile(
    r"(diffusion_pytorch_model|pytorch_model|model)\.(?P<kind>safetensors|bin)\.index"
    r"(\.(?P<variant>[A-Za-z][\w]*))?\.json$"
)
_CONFIGURATION = (".json", ".txt", ".model", ".jinja")
PICKLES = (".bin", ".ckpt", ".pickle", ".pkl", ".pt", ".pth")


@dataclass(frozen=True, slots=True)
class Weights:
    """The weight files of one component, as one load would read them."""

    part: str
    files: tuple[str, ...]
    """Names relative to the model's folder, the shard index among them."""
    kind: str
    """`safetensors`, or `bin` for pickles."""
    variant: str | None
    shards: int

    @property
    def is_complete(self) -> bool:
        """Whether every shard is among the files."""
        return sum(not name.endswith(".json") for name in self.files) == self.shards


def weights_of(names: Iterable[str], part: str, variant: str | None = None) -> Weights | None:
    """The weights that a load of `part` takes: safetensors before pickles, the variant first.

    >>> files = ["vae/diffusion_pytorch_model.bin", "vae/diffusion_pytorch_model.fp16.safetensors"]
    >>> weights_of(files, "vae", "fp16").files
    ('vae/diffusion_pytorch_model.fp16.safetensors',)
    """
    inside = [name for name in names if str(PurePosixPath(name).parent) == part]
    found = {(w.kind, w.variant): w for w in _groups(inside, part)}
    for kind in ("safetensors", "bin"):
        for wanted in dict.fromkeys((variant, None)):
            if (kind, wanted) in found:
                return found[kind, wanted]
    return None


def only_variant(names: Collection[str], parts: Iterable[str]) -> str | None:
    """The variant of a folder that holds no plain weights, such as one saved with `fp16`."""
    for part in parts:
        inside = [name for name in names if str(PurePosixPath(name).parent) == part]
        variants = {w.variant for w in _groups(inside, part) if w.kind == "safetensors"}
        if variants and None not in variants:
            return min(v for v in variants if v)
    return None


def configuration_of(names: Iterable[str], part: str) -> list[str]:
    """The files of a component that are no weights: configs, vocabularies, chat templates."""
    return [
        name
        for name in names
        if str(PurePosixPath(name).parent) == part
        and name.endswith(_CONFIGURATION)
        and not _INDEX.match(PurePosixPath(name).name)
    ]


def _groups(inside: Iterable[str], part: str) -> list[Weights]:
    files: dict[tuple[str, str | None], list[str]] = {}
    shards: dict[tuple[str, str | None], int] = {}
    for name in sorted(inside):
        base = PurePosixPath(name).name
        match = _WEIGHTS.match(base) or _INDEX.match(base)
        if not match:
            continue
        key = (match["kind"], match["variant"])
        files.setdefault(key, []).append(name)
        if not base.endswith(".json"):
            shard = match["early"] or match["late"]
            shards[key] = int(shard.rpartition("-")[2]) if shard else 1
    return [
        Weights(part, tuple(names), kind, variant, shards[kind, variant])
        for (kind, variant), names in files.items()
        if (kind, variant) in shards
    ]
