"""From a folder of weights to a pipeline, without running anything that the folder brings along."""

import json
from collections.abc import Collection, Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import diffusers
import torch
from diffusers import DiffusionPipeline

from t2v.errors import ModelError, T2VError, WeightsMissingError
from t2v.runtime.device import Dtypes
from t2v.runtime.explain import dependency_missing
from t2v.runtime.offload import is_exhausted
from t2v.zoo.cache import locate_part, missing_parts
from t2v.zoo.safety import check_part, check_safe, file_names, own_index, parts_of, read_index
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
    nothing is fetched, and the pipeline class has to be the one of the spec. Parts that the spec
    takes from elsewhere are put in. With `parts` only those components are read, and the others
    are None.
    """
    check_safe(folder, spec, allow_pickle=allow_pickle)
    _check_complete(folder, spec, parts)
    try:
        with _view(folder, spec, parts) as (view, left_out):
            pipe = DiffusionPipeline.from_pretrained(
                str(view),
                dtype=dtype,
                variant=spec.variant,
                use_safetensors=None if allow_pickle else True,
                local_files_only=True,
                **left_out,
            )
    except Exception as error:
        if isinstance(error, T2VError) or is_exhausted(error):
            raise
        raise _explained(error, folder, spec) from error
    pipe.set_progress_bar_config(disable=True)
    return pipe


def _check_complete(folder: Path, spec: ModelSpec, parts: Collection[str] | None) -> None:
    # Without its files, transformers makes a tokenizer that knows no word, and says nothing.
    index = own_index(read_index(folder), spec)
    missing = missing_parts(file_names(folder), index, spec.variant)
    if missing := [part for part in missing if parts is None or part in parts]:
        raise WeightsMissingError(
            f"{spec.name}: files of {', '.join(missing)} are missing in {folder}"
        )


@contextmanager
def _view(
    folder: Path, spec: ModelSpec, parts: Collection[str] | None
) -> Generator[tuple[Path, dict[str, None]]]:
    """The folder, or one put together as the entry says; and arguments for the parts left out.

    diffusers leaves a part out when None is passed for it, unless None is its default in the
    pipeline's signature; then only the index can say so.
    """
    index = read_index(folder)
    # A part without a default that was saved as None has to be None again, or nothing loads.
    empty = [name for name, value in index.items() if value == [None, None]]
    if parts is None and not (spec.parts or spec.unused or spec.repo_pipeline):
        yield folder, dict.fromkeys(empty)
        return
    own = own_index(index, spec)
    wanted = {name: folder / name for name in parts_of(own)}
    wanted |= {name: _place(name, spec) for name in spec.parts}
    left_out = [name for name in wanted if parts is not None and name not in parts]
    kinds = {name: ("diffusers", spec.classes[name][0]) for name in spec.parts}
    with TemporaryDirectory(prefix="t2v-") as temporary:
        view = Path(temporary)
        text = {
            **own,
            **kinds,
            **dict.fromkeys(left_out, (None, None)),
            "_class_name": spec.pipeline,
        }
        (view / "model_index.json").write_text(json.dumps(text))
        for name in wanted.keys() - set(left_out):
            _show(wanted[name], view / name, kinds.get(name, ("", ""))[1])
        yield view, dict.fromkeys([*empty, *left_out])


def _place(name: str, spec: ModelSpec) -> Path:
    place = locate_part(spec.parts[name], spec.variant)
    if place is None:
        raise WeightsMissingError(f"{spec.name}: files of {name} are missing. Run t2v models pull.")
    if place.is_dir():
        check_part(place, name, spec)
    return place


def _show(place: Path, as_folder: Path, kind: str) -> None:
    """Let a component appear in the view; one file gets the config of its class's defaults."""
    if place.is_dir():
        as_folder.symlink_to(place.resolve(), target_is_directory=True)
        return
    as_folder.mkdir()
    (as_folder / "config.json").write_text(json.dumps({"_class_name": kind}))
    (as_folder / "diffusion_pytorch_model.safetensors").symlink_to(place.resolve())


def _explained(error: Exception, folder: Path, spec: ModelSpec) -> ModelError:
    reason = " ".join(str(error).split())[:300] or type(error).__name__
    match error:
        case ImportError():
            return dependency_missing(error, spec.name)
        case OSError():
            return WeightsMissingError(
                f"{spec.name}: files in {folder} are missing or cannot be read: {reason}"
            )
        case AttributeError() if not hasattr(diffusers, spec.pipeline):
            return ModelError(
                f"{spec.name} is a {spec.pipeline}, which diffusers {diffusers.__version__} does "
                "not have. A newer one may: pip install --upgrade diffusers"
            )
        case _:
            return ModelError(f"{spec.name} cannot be loaded from {folder}: {reason}")
