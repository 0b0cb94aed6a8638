"""What a model's folder must not do: name foreign code, or carry weights that are programs."""

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from t2v.errors import ModelError, UnsafeModelError
from t2v.zoo.files import read_json
from t2v.zoo.weights import weights_of

if TYPE_CHECKING:
    from t2v.zoo.spec import ModelSpec

_LIBRARIES = ("diffusers", "transformers")
_DIFFUSERS_PARTS = {
    ("ltx2", "LTX2TextConnectors"),
    ("ltx2", "LTX2Vocoder"),
    ("ltx2", "LTX2VocoderWithBWE"),
    ("stable_diffusion", "StableDiffusionSafetyChecker"),
}
"""Classes which diffusers saves under the name of one of its own pipeline modules."""

_MAX_LAYERS = 1000


def check_safe(folder: Path, spec: "ModelSpec", *, allow_pickle: bool = False) -> None:
    """Refuse a folder whose loading would run code that is not diffusers' or transformers' own.

    Raises:
        UnsafeModelError: Foreign classes, classes that are not the entry's, code or pickles.
        ModelError: The folder is no diffusers model.
    """
    index = own_index(read_index(folder), spec)
    check_index(index, spec)
    names = file_names(folder)
    check_files(names, index, spec, allow_pickle=allow_pickle)
    for part in parts_of(index):
        _check_config(folder, part)


def check_part(folder: Path, part: str, spec: "ModelSpec") -> None:
    """Refuse a part from elsewhere that is of another class, or has no safetensors weights.

    Raises:
        UnsafeModelError: It is, or has not; the message says which.
    """
    config = read_json(folder / "config.json", max_bytes=50_000_000)
    name = config.get("_class_name") if isinstance(config, dict) else None
    if name not in spec.classes[part]:
        raise UnsafeModelError(
            f"{spec.name}: {folder} is a {name!r}, expected {' or '.join(spec.classes[part])} for "
            f"{part!r}. It is not loaded; check parts.{part} of the entry."
        )
    weights = weights_of(file_names(folder), ".", spec.variant)
    if weights is None or weights.kind != "safetensors":
        raise UnsafeModelError(
            f"{spec.name}: {folder} has no safetensors weights for {part!r}, and other kinds can "
            "run code. It is not loaded."
        )
    _check_config(folder, ".")


def own_index(index: Mapping[str, Any], spec: "ModelSpec") -> dict[str, Any]:
    """A repository's `model_index.json` less the parts that the entry has no use for."""
    return {
        key: value for key, value in index.items() if key not in spec.unused + tuple(spec.parts)
    }


def read_index(folder: Path) -> dict[str, Any]:
    """The `model_index.json` of a diffusers folder.

    Raises:
        ModelError: There is none, or it is no mapping.
    """
    path = folder / "model_index.json"
    if not path.is_file():
        raise ModelError(
            f"{folder} is no diffusers model: it has no model_index.json. "
            "Give the folder that a pipeline's save_pretrained() made."
        )
    index = read_json(path)
    if not isinstance(index, dict):
        raise ModelError(f"{path} is no mapping of components.")
    return index


def parts_of(index: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """The components that a `model_index.json` names: part -> (library, class).

    Raises:
        UnsafeModelError: A part has a name or a form that plain pipelines do not write.
    """
    parts: dict[str, tuple[str, str]] = {}
    for part, value in index.items():
        if part.startswith("_") or not isinstance(value, list) or value == [None, None]:
            continue
        if all(isinstance(item, int | float) for item in value):
            continue
        if not part.isidentifier() or len(value) != 2 or not _are_names(value):
            raise UnsafeModelError(f"model_index.json: {part!r} is no [library, class] pair.")
        parts[part] = (value[0], value[1])
    return parts


def check_index(index: Mapping[str, Any], spec: "ModelSpec") -> None:
    """Refuse a `model_index.json` that names other classes than the entry, or foreign ones.

    Raises:
        UnsafeModelError: It does; the message says which.
    """
    pipeline = index.get("_class_name")
    # A list here makes diffusers fetch and run a file of the repository.
    expected = spec.repo_pipeline or spec.pipeline
    if not isinstance(pipeline, str) or pipeline != expected:
        raise UnsafeModelError(
            f"{spec.name}: the files are a {pipeline!r}, expected {expected!r}. "
            "They are not loaded; check the repository or the entry in models.yaml."
        )
    for part, (library, name) in parts_of(index).items():
        if library not in _LIBRARIES and (library, name) not in _DIFFUSERS_PARTS:
            raise UnsafeModelError(
                f"{spec.name}: {part!r} wants {library}.{name}, which is code from outside "
                "diffusers and transformers. It is not loaded."
            )
        allowed = spec.classes.get(part)
        if allowed and name not in allowed:
            raise UnsafeModelError(
                f"{spec.name}: {part!r} is a {name}, expected {' or '.join(allowed)}. "
                "It is not loaded; check the repository or the entry in models.yaml."
            )


def check_files(
    names: Iterable[str], index: Mapping[str, Any], spec: "ModelSpec", *, allow_pickle: bool
) -> None:
    """Refuse a listing that has code inside components, or pickles where weights are needed.

    Raises:
        UnsafeModelError: It has.
    """
    names = list(names)
    parts = parts_of(index)
    for name in names:
        path = PurePosixPath(name)
        if path.suffix == ".py" and path.parts[0] in parts:
            raise UnsafeModelError(f"{spec.name}: {name} is code. Remove it; t2v never runs it.")
    for part in parts:
        weights = weights_of(names, part, spec.variant)
        if weights and weights.kind == "bin" and not allow_pickle:
            raise UnsafeModelError(
                f"{spec.name}: {part} has only pickle weights ({weights.files[0]}), and a pickle "
                "can run code. If you trust the repository, add --allow-pickle."
            )


def file_names(folder: Path) -> list[str]:
    """The files of a model's folder and of its components, relative, with forward slashes."""
    files = [*folder.glob("*"), *folder.glob("*/*")]
    return sorted(f.relative_to(folder).as_posix() for f in files if f.is_file())


def _check_config(folder: Path, part: str) -> None:
    for name in ("config.json", "tokenizer_config.json", "preprocessor_config.json"):
        path = folder / part / name
        if not path.is_file():
            continue
        config = read_json(path, max_bytes=50_000_000)
        if isinstance(config, dict) and "auto_map" in config:
            raise UnsafeModelError(
                f"{path.parent.name}/{name} has an `auto_map`, which asks for code from the "
                "repository. It is not loaded."
            )
        _check_layers(config, f"{part}/{name}")
    for path in (folder / part).glob("*.index*.json"):
        index = read_json(path, max_bytes=50_000_000)
        shards = index.get("weight_map") if isinstance(index, dict) else None
        if not isinstance(shards, dict) or not all(map(_is_plain_name, shards.values())):
            raise UnsafeModelError(f"{part}/{path.name} points outside its own folder.")


def _check_layers(config: object, name: str) -> None:
    """Refuse a number of layers that would be built until the memory is full."""
    for key, value in config.items() if isinstance(config, dict) else ():
        numbers = value if isinstance(value, list) else [value]
        if "layers" in key and any(isinstance(n, int) and n > _MAX_LAYERS for n in numbers):
            raise UnsafeModelError(f"{name}: no model has {key} above {_MAX_LAYERS}.")


def _is_plain_name(name: object) -> bool:
    return isinstance(name, str) and name not in ("", ".", "..") and not set(name) & set("/\\:\0")


def _are_names(values: Iterable[object]) -> bool:
    return all(isinstance(v, str) and v.replace(".", "_").isidentifier() for v in values)
