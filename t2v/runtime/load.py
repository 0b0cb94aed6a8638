"""From a folder of weights to a pipeline, without running anything that the folder brings along."""

import json
from collections.abc import Collection, Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from diffusers import DiffusionPipeline

from t2v.errors import ModelError, WeightsMissingError
from t2v.runtime.device import Dtypes
from t2v.runtime.explain import dependency_missing
from t2v.runtime.offload import is_exhausted
from t2v.zoo.cache import missing_parts
from t2v.zoo.safety import check_safe, file_names, parts_of, read_index
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
    _check_complete(folder, spec, parts)
    try:
        with _view(folder, parts) as (view, left_out):
            pipe = DiffusionPipeline.from_pretrained(
                str(view),
                dtype=dtype,
                variant=spec.variant,
                use_safetensors=None if allow_pickle else True,
                local_files_only=True,
                **left_out,
            )
    except Exception as error:
        if is_exhausted(error):
            raise
        raise _explained(error, folder, spec) from error
    pipe.set_progress_bar_config(disable=True)
    return pipe


def _check_complete(folder: Path, spec: ModelSpec, parts: Collection[str] | None) -> None:
    # Without its files, transformers makes a tokenizer that knows no word, and says nothing.
    missing = missing_parts(file_names(folder), read_index(folder), spec.variant)
    if missing := [part for part in missing if parts is None or part in parts]:
        raise WeightsMissingError(
            f"{spec.name}: files of {', '.join(missing)} are missing in {folder}"
        )


@contextmanager
def _view(folder: Path, parts: Collection[str] | None) -> Generator[tuple[Path, dict[str, None]]]:
    """The folder, or one that shows some of its parts; and arguments for the parts left out.

    diffusers leaves a part out when None is passed for it, unless None is its default in the
    pipeline's signature; then only the index can say so.
    """
    if parts is None:
        yield folder, {}
        return
    index = read_index(folder)
    left_out = [name for name in parts_of(index) if name not in parts]
    with TemporaryDirectory(prefix="t2v-") as name:
        view = Path(name)
        (view / "model_index.json").write_text(
            json.dumps({**index, **dict.fromkeys(left_out, (None, None))})
        )
        for part in parts:
            (view / part).symlink_to((folder / part).resolve(), target_is_directory=True)
        yield view, dict.fromkeys(left_out)


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
