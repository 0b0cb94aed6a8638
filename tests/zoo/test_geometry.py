"""The frame rules and size multiples that diffusers 0.42.1 was seen to have, family by family."""

import pytest

from t2v.zoo.geometry import Geometry, geometry_of, patch_sizes, vae_ratios

WAN_VAE = {"_class_name": "AutoencoderKLWan", "scale_factor_temporal": 4, "scale_factor_spatial": 8}
WAN_22_VAE = WAN_VAE | {"scale_factor_spatial": 16, "patch_size": 2}
LTX_VAE = {
    "_class_name": "AutoencoderKLLTXVideo",
    "patch_size": 4,
    "patch_size_t": 1,
    "spatial_compression_ratio": None,
    "temporal_compression_ratio": None,
    "spatio_temporal_scaling": [True, True, True, False],
}
COG_VAE = {
    "_class_name": "AutoencoderKLCogVideoX",
    "block_out_channels": [128, 256, 256, 512],
    "temporal_compression_ratio": 4,
}
ALLEGRO_VAE = {
    "_class_name": "AutoencoderKLAllegro",
    "block_out_channels": [128, 256, 512, 512],
    "temporal_compression_ratio": 4,
}
HUNYUAN_VAE = {"spatial_compression_ratio": 8, "temporal_compression_ratio": 4}
IMAGE_VAE = {"_class_name": "AutoencoderKL", "block_out_channels": [128, 256, 512, 512]}


@pytest.mark.parametrize(
    ("vae", "denoiser", "multiple", "plus", "size"),
    [
        pytest.param(WAN_VAE, {"patch_size": [1, 2, 2]}, 4, 1, 16, id="wan 2.1"),
        pytest.param(WAN_22_VAE, {"patch_size": [1, 2, 2]}, 4, 1, 32, id="wan 2.2 5B"),
        pytest.param(LTX_VAE, {"patch_size": 1, "patch_size_t": 1}, 8, 1, 32, id="ltx"),
        pytest.param(COG_VAE, {"patch_size": 2, "patch_size_t": None}, 8, 1, 16, id="cogvideox"),
        pytest.param(COG_VAE, {"patch_size": 2, "patch_size_t": 2}, 16, 1, 16, id="cogvideox 1.5"),
        pytest.param(ALLEGRO_VAE, {"patch_size": 2, "patch_size_t": 1}, 4, 0, 16, id="allegro"),
        pytest.param(HUNYUAN_VAE, {"patch_size": 2, "patch_size_t": 1}, 4, 1, 16, id="hunyuan"),
        pytest.param(IMAGE_VAE, {"_class_name": "UNet3DConditionModel"}, 1, 0, 8, id="modelscope"),
        pytest.param(
            {"_class_name": "AutoencoderKLMochi"}, {"patch_size": 2}, 6, 1, 16, id="mochi"
        ),
        pytest.param(
            {"_class_name": "AutoencoderKLMagvit"}, {"patch_size": 2}, 4, 1, 16, id="easyanimate"
        ),
    ],
)
def test_rules_follow_from_the_configs(vae, denoiser, multiple, plus, size):
    found = geometry_of(vae, denoiser)
    assert (found.frame_multiple, found.frame_plus, found.size_multiple) == (multiple, plus, size)


def test_cogvideox_says_its_native_size_and_length():
    denoiser = {
        "_class_name": "CogVideoXTransformer3DModel",
        "patch_size": 2,
        "sample_frames": 49,
        "sample_height": 60,
        "sample_width": 90,
    }
    found = geometry_of(COG_VAE, denoiser)
    assert found.native_size == (720, 480)
    assert found.native_frames == 49


@pytest.mark.parametrize(
    ("vae", "denoiser", "factor", "first", "patch"),
    [
        pytest.param(WAN_VAE, {"patch_size": [1, 2, 2]}, 4, 1, 1, id="wan"),
        pytest.param(LTX_VAE, {"patch_size": 1, "patch_size_t": 1}, 8, 1, 1, id="ltx"),
        pytest.param(COG_VAE, {"patch_size": 2, "patch_size_t": 2}, 4, 1, 2, id="cogvideox 1.5"),
        pytest.param(ALLEGRO_VAE, {"patch_size": 2, "patch_size_t": 1}, 4, 4, 1, id="allegro"),
        pytest.param(IMAGE_VAE, {"_class_name": "UNet3DConditionModel"}, 1, 1, 1, id="modelscope"),
    ],
)
def test_latents_follow_from_the_configs_too(vae, denoiser, factor, first, patch):
    found = geometry_of(vae, denoiser)
    assert (found.latent_factor, found.latent_first, found.latent_patch) == (factor, first, patch)


def test_nothing_is_said_of_the_latents_of_an_unknown_vae():
    found = geometry_of({"_class_name": "SomeNewVAE"}, {"patch_size": 2})
    assert (found.latent_factor, found.latent_first, found.latent_patch) == (None, None, None)


def test_frames_counted_in_latents_are_not_taken_for_pictures():
    allegro = {"_class_name": "AllegroTransformer3DModel", "sample_frames": 22, "patch_size": 2}
    assert geometry_of(HUNYUAN_VAE, allegro).native_frames is None


@pytest.mark.parametrize(("sample", "size"), [(32, (256, 256)), ([40, 72], (576, 320))])
def test_a_unet_says_its_native_size(sample, size):
    unet = {"_class_name": "UNet3DConditionModel", "sample_size": sample}
    found = geometry_of(IMAGE_VAE, unet)
    assert found.native_size == size


def test_the_positions_of_a_denoiser_bound_the_clip():
    wan = {"patch_size": [1, 2, 2], "rope_max_seq_len": 1024}
    assert geometry_of(WAN_VAE, wan).max_frames == 4093
    motion = {"_class_name": "UNetMotionModel", "motion_max_seq_length": 32}
    assert geometry_of(IMAGE_VAE, motion).max_frames == 32


def test_tiny_image_vaes_still_need_multiples_of_8():
    vae = {"_class_name": "AutoencoderKL", "block_out_channels": [8, 8]}
    assert geometry_of(vae, {}).size_multiple == 8


def test_unknown_configs_say_nothing():
    assert geometry_of({}, {}) == Geometry()


@pytest.mark.parametrize("value", [0, -4, True, "8", 1.5, 10**9, None, [8]])
def test_numbers_that_make_no_sense_are_ignored(value):
    assert vae_ratios({"scale_factor_temporal": value, "scale_factor_spatial": value}) == (
        None,
        None,
    )
    assert patch_sizes({"patch_size": value}) == (1, 1)


def test_sparse_attention_takes_blocks_of_eight_tokens_a_side():
    vae = {"spatial_compression_ratio": 8, "temporal_compression_ratio": 4}
    denoiser = {"patch_size": [1, 2, 2]}

    assert geometry_of(vae, denoiser).size_multiple == 16
    assert geometry_of(vae, denoiser | {"attention_type": "nabla"}).size_multiple == 128
