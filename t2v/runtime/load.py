"""From a folder of weights to a pipeline, without running anything that the folder brings along."""

from collections.abc import Collection
from pathlib import Path

import torch
from diffusers import DiffusionPipeline

from t2v.errors import ModelError, WeightsMissingError
from t2v.runtime.device import Dtypes
from t2v.runtime.explain import dependency_missing
from t2v.runtime.offload import is_exhausted
from t2v.zoo.safety import check_safe, parts_of, read_index
from t2v.zoo.spec import ModelSpec


def load_pipeline(
    folder: Path,
    spec: ModelSpec,
    *,
    dtype: Dtypes = torch.float32,
    allow_pickle: bool = False,
    parts: Collection[str] | None = None,
) -> DiffusionPipeline:
    """The pipeline of a diffusers folder, on the CPU, quiet and ready to be placed.

    Only safetensors weights are read unless `allow_pickle`, no code of the folder ever runs,
    nothing is fetched, and the pipeline class has to be the one of the spec. With `parts` only
    those components are read, and the others are None.
    """
    check_safe(folder, spec, allow_pickle=allow_pickle)
    try:
        pipe = DiffusionPipeline.from_pretrained(
            str(folder),
            dtype=dtype,
            variant=spec.variant,
            use_safetensors=None if allow_pickle else True,
            local_files_only=True,
            **_left_out(folder, parts),
        )
    except Exception as error:
        if is_exhausted(error):
            raise
        raise _explained(error, folder, spec) from error
    pipe.set_progress_bar_config(disable=True)
    return pipe


def _left_out(folder: Path, parts: Collection[str] | None) -> dict[str, None]:
    if parts is None:
        return {}
    return {name: None for name in parts_of(read_index(folder)) if name not in parts}


def _explained(error: Exception, folder: Path, spec: ModelSpec) -> ModelError:
    reason = " ".join(str(error).split())[:300] or type(error).__name__
    match error:
        case ImportError():
            return dependency_missing(error, spec.name)
        case OSError():
            return WeightsMissingError(
                f"{spec.name}: files in {folder} are missing or cannot be read: {reason}"
            )
        case _:
            return ModelError(f"{spec.name} cannot be loaded from {folder}: {reason}")
