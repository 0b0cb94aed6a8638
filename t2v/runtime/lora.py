"""LoRA: small files that bend a model, added to a loaded pipeline."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from diffusers import DiffusionPipeline
from huggingface_hub import HfApi, hf_hub_download, snapshot_download
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError

from t2v.errors import (
    DiskError,
    GatedModelError,
    ModelError,
    RequestError,
    UnsafeModelError,
    WeightsMissingError,
)
from t2v.plan.request import Lora
from t2v.zoo.hub import resolve_revision
from t2v.zoo.places import expanded

_USUAL_NAME = "pytorch_lora_weights.safetensors"


def add_loras(
    pipe: DiffusionPipeline, loras: Sequence[Lora], *, allow_pickle: bool = False
) -> tuple[str, ...]:
    """Load each LoRA into the pipeline with its scale, before the pipeline is placed on a device.

    Returns:
        The sha256 of each file, which says exactly what was loaded.
    """
    if not loras:
        return ()
    if not hasattr(pipe, "load_lora_weights"):
        raise RequestError(f"{type(pipe).__name__} takes no LoRA. Leave --lora out.")
    hashes = []
    for number, lora in enumerate(loras):
        path = locate_lora(lora.source)
        _load(pipe, path, f"lora_{number}", lora.source, allow_pickle)
        hashes.append(_sha256(path, lora.source))
    names = [f"lora_{number}" for number in range(len(loras))]
    pipe.set_adapters(names, [lora.scale for lora in loras])
    return tuple(hashes)


def locate_lora(source: str) -> Path:
    """The file of a LoRA.

    Args:
        source: A file, a folder with one, a Hub repository `org/name[@revision]`, or a file in
            it, `org/name/folder/file.safetensors`. The cache is asked before the network.
    """
    path = expanded(source)
    if path.is_file():
        return path
    if path.is_dir():
        return path / _choose([p.name for p in path.iterdir()], source)
    place, _, revision = source.partition("@")
    org, _, rest = place.partition("/")
    name, _, file = rest.partition("/")
    if not org or not name or source.startswith((".", "~")):
        raise RequestError(f"LoRA {source}: no such file, and no Hub repository such as org/name.")
    return _from_hub(f"{org}/{name}", revision, file or None, source)


def _choose(files: Sequence[str], source: str) -> str:
    weights = sorted(file for file in files if file.endswith(".safetensors"))
    if _USUAL_NAME in weights:
        return _USUAL_NAME
    if len(weights) == 1:
        return weights[0]
    if not weights:
        raise WeightsMissingError(f"LoRA {source}: there is no safetensors file in it.")
    shown = ", ".join(weights[:10])
    raise RequestError(f"LoRA {source} has several files; say which, {source}/FILE: {shown}.")


def _from_hub(repo: str, reference: str, file: str | None, source: str) -> Path:
    """The file at the commit that the reference was locked to the first time."""
    try:
        revision = resolve_revision(repo, reference)
    except WeightsMissingError as error:
        raise WeightsMissingError(
            f"LoRA {source} is not on this machine and the Hub cannot be reached. "
            "Check the network, or give a local file."
        ) from error
    try:
        cached = Path(snapshot_download(repo, revision=revision, local_files_only=True))
        name = file or _choose([str(p.relative_to(cached)) for p in cached.rglob("*")], source)
        if (cached / name).is_file():
            return cached / name
    except (LocalEntryNotFoundError, WeightsMissingError):
        pass
    try:
        name = file or _choose(HfApi().list_repo_files(repo, revision=revision), source)
        return Path(hf_hub_download(repo, name, revision=revision))
    except GatedRepoError as error:
        raise GatedModelError(
            f"LoRA {source} is gated: accept its licence at https://huggingface.co/{repo} and "
            "log in with hf auth login."
        ) from error
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise WeightsMissingError(
            f"LoRA {source} is not on this machine and cannot be fetched now "
            f"({type(error).__name__}). Check the name and the network, or give a local file."
        ) from error


def _load(
    pipe: DiffusionPipeline, path: Path, adapter: str, source: str, allow_pickle: bool
) -> None:
    if path.suffix != ".safetensors" and not allow_pickle:
        raise UnsafeModelError(
            f"LoRA {source} is no safetensors file, and other kinds can run code when they are "
            "read. If you trust its author: --allow-pickle."
        )
    try:
        pipe.load_lora_weights(
            str(path.parent),
            weight_name=path.name,
            adapter_name=adapter,
            use_safetensors=path.suffix == ".safetensors",
            local_files_only=True,
        )
    except MemoryError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise ModelError(f"LoRA {source} cannot be loaded: {reason}") from error
    if not any(adapter in names for names in pipe.get_list_adapters().values()):
        raise ModelError(
            f"LoRA {source} has no weights for {type(pipe).__name__}: it is for another model."
        )


def _sha256(path: Path, source: str) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DiskError(f"LoRA {source} cannot be read: {error.strerror}") from error
