"""Hostile folders, each with one trick, and what is said about it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from t2v.errors import DocumentError, ModelError, UnsafeModelError
from t2v.zoo.catalog import Zoo
from t2v.zoo.safety import check_safe
from t2v.zoo.spec import ModelSpec
from tests.zoo.making import write_json, write_weights

Edit = Callable[[Path], None]


@pytest.fixture
def spec(zoo: Zoo) -> ModelSpec:
    return zoo["wan2.1-t2v-1.3b"]


def edit_index(folder: Path, **changes: Any) -> None:
    path = folder / "model_index.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_plain_folder_is_safe(model: Path, spec: ModelSpec):
    check_safe(model, spec)


@pytest.mark.parametrize(
    "pipeline",
    ["LTXPipeline", ["pipeline", "WanPipeline"], ["WanPipeline"], None, 5, {"a": 1}],
)
def test_the_pipeline_class_must_be_the_one_of_the_entry(model: Path, spec: ModelSpec, pipeline):
    edit_index(model, _class_name=pipeline)
    with pytest.raises(UnsafeModelError, match="expected 'WanPipeline'"):
        check_safe(model, spec)


@pytest.mark.parametrize(
    "vae",
    [
        ["vae", "AutoencoderKLWan"],
        ["os", "AutoencoderKLWan"],
        ["diffusers_modules", "AutoencoderKLWan"],
        ["diffusers.pipelines", "AutoencoderKLWan"],
    ],
)
def test_a_library_that_is_not_ours_is_refused(model: Path, spec: ModelSpec, vae):
    edit_index(model, vae=vae)
    with pytest.raises(UnsafeModelError, match="code from outside diffusers and transformers"):
        check_safe(model, spec)


@pytest.mark.parametrize(
    "vae",
    [
        ["diffusers"],
        ["diffusers", "AutoencoderKLWan", "more"],
        ["diffusers", None],
        [None, "AutoencoderKLWan"],
        [["diffusers"], "AutoencoderKLWan"],
        ["diffusers", "a b"],
        ["../evil", "AutoencoderKLWan"],
    ],
)
def test_a_component_is_a_pair_of_names(model: Path, spec: ModelSpec, vae):
    edit_index(model, vae=vae)
    with pytest.raises(UnsafeModelError, match=r"'vae' is no \[library, class\] pair"):
        check_safe(model, spec)


def test_a_component_cannot_be_a_path(model: Path, spec: ModelSpec):
    edit_index(model, **{"../other": ["diffusers", "AutoencoderKLWan"]})
    with pytest.raises(UnsafeModelError, match=r"'../other' is no"):
        check_safe(model, spec)


def test_a_component_must_have_the_class_of_the_entry(model: Path, spec: ModelSpec):
    edit_index(model, text_encoder=["transformers", "AutoModel"])
    with pytest.raises(UnsafeModelError, match="'text_encoder' is a AutoModel, expected UMT5Encod"):
        check_safe(model, spec)


def test_lists_of_numbers_are_settings_and_no_components(model: Path, spec: ModelSpec):
    edit_index(model, spatio_temporal_guidance_blocks=[28])
    check_safe(model, spec)


def test_code_in_a_component_is_refused(model: Path, spec: ModelSpec):
    (model / "vae/modeling.py").write_text("print('never')")
    with pytest.raises(UnsafeModelError, match=r"vae/modeling.py is code. Remove it"):
        check_safe(model, spec)


@pytest.mark.parametrize("config", ["config.json", "tokenizer_config.json"])
def test_a_config_that_asks_for_code_is_refused(model: Path, spec: ModelSpec, config: str):
    write_json(model / "text_encoder" / config, {"auto_map": {"AutoModel": "evil--x.Model"}})
    with pytest.raises(UnsafeModelError, match=r"text_encoder/.*config.json has an `auto_map`"):
        check_safe(model, spec)


@pytest.mark.parametrize("shard", ["../../x.safetensors", "/etc/passwd", "a\\b", "..", 5, ""])
def test_a_shard_index_stays_in_its_folder(model: Path, spec: ModelSpec, shard):
    index = model / "transformer/diffusion_pytorch_model.safetensors.index.json"
    write_json(index, {"weight_map": {"weight": shard}})
    with pytest.raises(UnsafeModelError, match="points outside its own folder"):
        check_safe(model, spec)


def test_pickle_weights_need_to_be_asked_for(model: Path, spec: ModelSpec):
    (model / "vae/diffusion_pytorch_model.safetensors").rename(
        model / "vae/diffusion_pytorch_model.bin"
    )
    with pytest.raises(UnsafeModelError) as error:
        check_safe(model, spec)
    assert str(error.value) == (
        "wan2.1-t2v-1.3b: vae has only pickle weights (vae/diffusion_pytorch_model.bin), and a "
        "pickle can run code. If you trust the repository, add --allow-pickle."
    )
    check_safe(model, spec, allow_pickle=True)


def test_a_pickle_beside_safetensors_is_never_read_and_does_not_matter(
    model: Path, spec: ModelSpec
):
    (model / "vae/diffusion_pytorch_model.bin").write_bytes(b"evil")
    check_safe(model, spec)


def test_sharded_safetensors_are_safe(model: Path, spec: ModelSpec):
    name = "diffusion_pytorch_model-00001-of-00001.safetensors"
    (model / "vae/diffusion_pytorch_model.safetensors").unlink()
    write_weights(model / "vae" / name)
    write_json(
        model / "vae/diffusion_pytorch_model.safetensors.index.json",
        {"weight_map": {"weight": name}},
    )
    check_safe(model, spec)


def test_a_folder_without_an_index_is_no_model(tmp_path: Path, spec: ModelSpec):
    with pytest.raises(ModelError, match=r"has no model_index.json"):
        check_safe(tmp_path, spec)


@pytest.mark.parametrize("text", ["[]", "5", '"x"'])
def test_an_index_that_is_no_mapping_is_no_model(model: Path, spec: ModelSpec, text: str):
    (model / "model_index.json").write_text(text)
    with pytest.raises(ModelError, match="is no mapping of components"):
        check_safe(model, spec)


def test_a_broken_index_has_a_place(model: Path, spec: ModelSpec):
    (model / "model_index.json").write_text("{")
    with pytest.raises(DocumentError, match=r"model_index.json:1:2"):
        check_safe(model, spec)
