"""Describe a model that has no entry, from its own configuration files and without torch."""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from t2v.errors import ModelError
from t2v.zoo.entries import Family, inherit
from t2v.zoo.files import read_json
from t2v.zoo.geometry import Geometry, geometry_of
from t2v.zoo.hub import fetch_configs, resolve_revision
from t2v.zoo.inputs import require_text_alone
from t2v.zoo.safety import file_names, parts_of, read_index
from t2v.zoo.spec import ModelSpec
from t2v.zoo.tensors import count_parameters
from t2v.zoo.weights import only_variant, weights_of
from t2v.zoo.windows import within_native

_GENERIC = "generic"
_DENOISERS = ("transformer", "unet", "transformer_2", "denoiser")
_DTYPES = {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}


def spec_of_folder(path: Path, families: Mapping[str, Family]) -> ModelSpec:
    """The spec of a local diffusers folder: what its files say, then what its family does.

    Raises:
        ModelError: The folder is no diffusers model.
    """
    folder = path.expanduser().resolve()
    identity = {"folder": str(folder)}
    return describe(folder, families, name=folder.name or "model", identity=identity)


def spec_of_repo(repo: str, reference: str, families: Mapping[str, Family]) -> ModelSpec:
    """The spec of a Hub repository without an entry, from its small configuration files.

    Raises:
        WeightsMissingError: They are not in the cache and the Hub cannot be reached.
        UnknownModelError: The Hub has no such repository.
        ModelError: It is no diffusers repository.
    """
    revision = resolve_revision(repo, reference)
    identity = {"repo": repo, "revision": revision}
    return describe(fetch_configs(repo, revision), families, name=repo, identity=identity)


def describe(
    folder: Path, families: Mapping[str, Family], *, name: str, identity: Mapping[str, Any]
) -> ModelSpec:
    """A spec from the `model_index.json` and the component configs in a folder.

    Raises:
        ModelError: They describe no pipeline.
        RequestError: The pipeline needs more than a prompt.
    """
    index = read_index(folder)
    pipeline = index.get("_class_name")
    if not isinstance(pipeline, str) or not re.fullmatch(r"[A-Za-z_]\w*", pipeline):
        raise ModelError(f"{name}: model_index.json names no pipeline class, but {pipeline!r}.")
    require_text_alone(name, pipeline)
    family = _family_of(pipeline, families)
    parts = parts_of(index)
    names = file_names(folder)
    raw = {
        "family": family.name,
        "pipeline": pipeline,
        "license": "unknown",
        "commercial": "conditions",
        "maturity": "unverified",
        "classes": {part: [cls] for part, (_, cls) in parts.items()},
        "components": _components(folder, names, list(parts)),
        "variant": only_variant(names, parts),
        "fps": family.values.get("fps", 16),
        **_geometry(folder, family),
        **identity,
    }
    try:
        return within_native(ModelSpec.model_validate(inherit(raw, family, name)))
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise ModelError(f"{name}: its configuration gives no usable {where}.") from None


def _family_of(pipeline: str, families: Mapping[str, Family]) -> Family:
    for family in families.values():
        if pipeline in family.pipelines:
            return family
    return families.get(_GENERIC, Family(_GENERIC))


def _geometry(folder: Path, family: Family) -> dict[str, Any]:
    vae = _config(folder, "vae")
    denoiser = next((c for part in _DENOISERS if (c := _config(folder, part))), {})
    found = geometry_of(vae, denoiser)
    rule = {"frames": _frame_rule(found, family), "sizes": _size_rule(found, family)}
    if latents := _latent_rule(found, family):
        rule["latents"] = latents
    return {**rule, "sources": dict.fromkeys(rule, "read from the component configs")}


def _frame_rule(found: Geometry, family: Family) -> dict[str, Any]:
    rule = {"multiple": 1, "plus": 0, **family.values.get("frames", {})}
    if family.name == _GENERIC and found.latent_factor == 1:
        # Models that grew out of an image model were all trained on clips of 16 frames.
        rule["native"] = 16
    multiple, plus = found.frame_multiple, found.frame_plus or 0
    # A family can know more than its VAE shows, such as the one length that its positions allow.
    if multiple and multiple % rule["multiple"] == (plus - rule["plus"]) % rule["multiple"] == 0:
        rule |= {"multiple": multiple, "plus": plus}
    said = {"native": found.native_frames, "max": found.max_frames}
    rule |= {key: value for key, value in said.items() if value is not None}
    rule["native"] = _nearest(rule.get("native", 16), rule)
    return rule


def _size_rule(found: Geometry, family: Family) -> dict[str, Any]:
    rule = {"multiple": 8, "native": [[512, 512]], **family.values.get("sizes", {})}
    multiple = math.lcm(rule["multiple"], found.size_multiple or 1)
    native = [found.native_size] if found.native_size else rule["native"]
    sizes = [[max(side // multiple, 1) * multiple for side in size] for size in native]
    return {"multiple": multiple, "native": sizes}


def _latent_rule(found: Geometry, family: Family) -> dict[str, Any]:
    """How latents become frames; a family that is silent there has a reason for it."""
    said = family.values.get("latents", {})
    if found.latent_factor is None or not (said or family.name == _GENERIC):
        return dict(said)
    read = {"factor": found.latent_factor, "patch": found.latent_patch}
    return {"first": found.latent_first, **said, **read}


def _nearest(wanted: int, rule: Mapping[str, Any]) -> int:
    multiple, plus = rule["multiple"], rule["plus"]
    wanted = min(wanted, rule.get("max") or wanted)
    return int(max((wanted - plus) // multiple, 0 if plus else 1) * multiple + plus)


def _components(folder: Path, names: list[str], parts: list[str]) -> dict[str, Any]:
    components = {}
    variant = only_variant(names, parts)
    for part in parts:
        weights = weights_of(names, part, variant)
        if not weights or weights.kind != "safetensors":
            continue
        files = [folder / name for name in weights.files if not name.endswith(".json")]
        params, dtypes = count_parameters(files)
        if params:
            size = sum(file.stat().st_size for file in files)
            components[part] = {"params": params, "bytes": size, **_dtype(dtypes)}
    return components


def _dtype(dtypes: set[str]) -> dict[str, str]:
    known = [_DTYPES[d] for d in sorted(dtypes) if d in _DTYPES]
    return {"dtype": known[0]} if len(known) == 1 else {}


def _config(folder: Path, part: str) -> dict[str, Any]:
    path = folder / part / "config.json"
    config = read_json(path, max_bytes=50_000_000) if path.is_file() else {}
    return config if isinstance(config, dict) else {}
