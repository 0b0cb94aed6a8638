import json
from pathlib import Path

import pytest

from t2v.errors import ModelError
from t2v.zoo.catalog import Zoo
from t2v.zoo.entries import Family
from t2v.zoo.introspect import spec_of_folder
from t2v.zoo.spec import LatentRule
from tests.zoo.making import write_json


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_folder_of_a_known_family_has_its_rules(model: Path, zoo: Zoo):
    spec = spec_of_folder(model, zoo.families)
    assert spec.name == "tiny-wan"
    assert spec.family == "wan"
    assert spec.folder == str(model)
    assert (spec.frames.multiple, spec.frames.plus, spec.frames.native) == (4, 1, 81)
    assert (spec.sizes.multiple, spec.sizes.native) == (16, ((832, 480),))
    assert spec.fps == "16"


def test_nothing_is_claimed_about_a_model_without_an_entry(model: Path, zoo: Zoo):
    spec = spec_of_folder(model, zoo.families)
    assert spec.maturity == "unverified"
    assert spec.license == "unknown"
    assert spec.commercial == "conditions"
    assert spec.sources["frames"] == "read from the component configs"


def test_the_configs_win_over_the_family(model: Path, zoo: Zoo):
    edit(model / "vae/config.json", scale_factor_spatial=32)
    spec = spec_of_folder(model, zoo.families)
    assert spec.sizes.multiple == 64
    assert spec.sizes.native == ((832, 448),)


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ({"multiple": 33, "native": 99}, (33, 0, 99)),
        ({"multiple": 16, "plus": 8, "native": 88}, (16, 8, 88)),
        ({"multiple": 2, "plus": 1, "native": 80}, (4, 1, 77)),
    ],
    ids=["another rule", "a rule of its own", "a rule that the VAE is stricter than"],
)
def test_a_family_can_know_more_about_frames_than_the_vae(model: Path, rule, found):
    families = {"wan": Family("wan", ("WanPipeline",), {"frames": rule})}
    frames = spec_of_folder(model, families).frames
    assert (frames.multiple, frames.plus, frames.native) == found


def test_a_family_can_know_more_about_sizes_than_the_vae(model: Path):
    families = {"wan": Family("wan", ("WanPipeline",), {"sizes": {"multiple": 128}})}
    sizes = spec_of_folder(model, families).sizes
    assert (sizes.multiple, sizes.native) == (128, ((512, 512),))


def test_latents_are_read_where_the_family_speaks_of_them(model: Path):
    values = {"latents": {"factor": 8, "first": 1}}
    spec = spec_of_folder(model, {"wan": Family("wan", ("WanPipeline",), values)})
    assert spec.latents == LatentRule(factor=4)
    assert spec.sources["latents"] == "read from the component configs"
    assert spec_of_folder(model, {"wan": Family("wan", ("WanPipeline",))}).latents is None


def test_windows_are_no_longer_than_the_clip(model: Path):
    supports = {"long_video": ["windows"], "window": 21, "overlap": 7}
    values = {"latents": {"factor": 4}, "supports": supports, "frames": {"native": 49}}
    spec = spec_of_folder(model, {"wan": Family("wan", ("WanPipeline",), values)})
    assert (spec.supports.window, spec.supports.overlap) == (13, 4)
    values["frames"] = {"native": 81}
    spec = spec_of_folder(model, {"wan": Family("wan", ("WanPipeline",), values)})
    assert (spec.supports.window, spec.supports.overlap) == (21, 7)


def test_the_native_length_obeys_the_rule_and_the_longest_clip(model: Path, zoo: Zoo):
    edit(model / "transformer/config.json", rope_max_seq_len=8)
    frames = spec_of_folder(model, zoo.families).frames
    assert (frames.native, frames.max) == (29, 29)


def test_components_are_counted_from_the_headers_of_their_files(model: Path, zoo: Zoo):
    vae = spec_of_folder(model, zoo.families).components["vae"]
    assert vae.params == 2
    assert vae.dtype == "float32"
    assert vae.bytes == (model / "vae/diffusion_pytorch_model.safetensors").stat().st_size


@pytest.mark.parametrize(
    "content", [b"", b"\xff" * 8, b"\x02" + bytes(7) + b"[]", b"\x05" + bytes(7) + b"{"]
)
def test_files_that_are_no_safetensors_count_as_nothing(model: Path, zoo: Zoo, content: bytes):
    (model / "vae/diffusion_pytorch_model.safetensors").write_bytes(content)
    assert "vae" not in spec_of_folder(model, zoo.families).components


def test_a_folder_of_half_precision_weights_has_that_variant(model: Path, zoo: Zoo):
    for part, stem in (("transformer", "diffusion_pytorch_model"), ("text_encoder", "model")):
        (model / part / f"{stem}.safetensors").rename(model / part / f"{stem}.fp16.safetensors")
    assert spec_of_folder(model, zoo.families).variant == "fp16"


def test_a_pipeline_without_a_family_is_generic(model: Path, zoo: Zoo):
    edit(model / "model_index.json", _class_name="SomeNewPipeline")
    spec = spec_of_folder(model, zoo.families)
    assert spec.family == "generic"
    assert spec.pipeline == "SomeNewPipeline"
    assert (spec.frames.multiple, spec.frames.native) == (4, 49)
    assert spec.latents == LatentRule(factor=4)


def test_a_generic_model_over_an_image_vae_was_trained_on_16_frames(model: Path, zoo: Zoo):
    edit(model / "model_index.json", _class_name="SomeNewPipeline")
    image = {"_class_name": "AutoencoderKL", "block_out_channels": [1, 2, 3, 4]}
    write_json(model / "vae/config.json", image)
    spec = spec_of_folder(model, zoo.families)
    assert (spec.frames.multiple, spec.frames.native) == (1, 16)
    assert spec.latents == LatentRule(factor=1)


def test_a_unet_pipeline_is_read_too(tmp_path: Path, zoo: Zoo):
    folder = tmp_path / "clip"
    parts = {"unet": ["diffusers", "UNet3DConditionModel"], "vae": ["diffusers", "AutoencoderKL"]}
    write_json(folder / "model_index.json", {"_class_name": "TextToVideoSDPipeline", **parts})
    write_json(
        folder / "unet/config.json", {"_class_name": "UNet3DConditionModel", "sample_size": 32}
    )
    vae = {"_class_name": "AutoencoderKL", "block_out_channels": [1, 2, 3, 4]}
    write_json(folder / "vae/config.json", vae)
    spec = spec_of_folder(folder, zoo.families)
    assert (spec.family, spec.sizes.native, spec.frames.native) == ("modelscope", ((256, 256),), 16)


def test_its_classes_become_the_ones_that_are_expected(model: Path, zoo: Zoo):
    assert spec_of_folder(model, zoo.families).classes["vae"] == ("AutoencoderKLWan",)


@pytest.mark.parametrize("pipeline", [None, 5, ["a", "WanPipeline"], "a.b", "../x", ""])
def test_an_index_without_a_pipeline_class_is_refused(model: Path, zoo: Zoo, pipeline):
    edit(model / "model_index.json", _class_name=pipeline)
    with pytest.raises(ModelError, match="names no pipeline class"):
        spec_of_folder(model, zoo.families)


def test_configs_that_give_no_usable_rule_are_an_error(model: Path):
    families = {"wan": Family("wan", ("WanPipeline",), {"fps": "fast"})}
    with pytest.raises(ModelError, match="tiny-wan: its configuration gives no usable fps"):
        spec_of_folder(model, families)


def test_a_zoo_without_families_still_reads_folders(model: Path):
    spec = spec_of_folder(model, {})
    assert (spec.family, spec.frames.multiple) == ("generic", 4)
