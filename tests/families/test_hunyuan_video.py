"""HunyuanVideo: decoding in tiles of time, and two kinds of guidance."""

import numpy as np
import pytest
import torch
from accelerate import cpu_offload
from safetensors.torch import load_file, save_file

from t2v.runtime.adapter import Latents


@pytest.fixture(scope="module")
def hunyuan(load_tiny):
    return load_tiny("hunyuan-video")


@pytest.fixture(scope="module")
def long_latents(hunyuan):
    """Of 33 frames: nine, which the VAE decodes in three tiles."""
    return hunyuan.adapter.denoise(hunyuan.pipe, hunyuan.arguments(num_frames=33))


def frames_of(model, **call):
    """Frames of a call with further arguments, as an entry adds them."""
    latents = model.adapter.denoise(model.pipe, {**model.arguments(), **call})
    return np.stack(list(model.adapter.decode(model.pipe, latents)))


@pytest.mark.parametrize("num_frames", [1, 13, 17, 21, 25, 33])
def test_clips_of_any_number_of_tiles_are_equal(hunyuan, num_frames):
    frames = hunyuan.ours(num_frames=num_frames)

    assert len(frames) == num_frames
    np.testing.assert_array_equal(frames, hunyuan.direct(num_frames=num_frames))


def test_bfloat16_is_equal_too(load_tiny):
    model = load_tiny("hunyuan-video", torch.bfloat16)

    np.testing.assert_array_equal(model.ours(num_frames=21), model.direct(num_frames=21))


def test_tiles_in_space_within_tiles_in_time_are_equal(load_tiny):
    model = load_tiny("hunyuan-video")
    model.pipe.vae.enable_tiling(
        tile_sample_min_height=32,
        tile_sample_min_width=32,
        tile_sample_stride_height=16,
        tile_sample_stride_width=16,
    )
    size = {"width": 64, "height": 64, "num_frames": 21}

    np.testing.assert_array_equal(model.ours(**size), model.direct(**size))


def test_a_vae_that_was_told_to_decode_all_at_once_does(load_tiny):
    model = load_tiny("hunyuan-video")
    model.pipe.vae.use_framewise_decoding = False

    np.testing.assert_array_equal(model.ours(num_frames=25), model.direct(num_frames=25))


# The hooks that move weights also work from the CPU to the CPU, where they can be watched.
CPU = torch.device("cpu")


def by_model(pipe):
    pipe.enable_model_cpu_offload(device="cpu")


def by_group(pipe):
    pipe.enable_group_offload(onload_device=CPU, offload_device=CPU, offload_type="leaf_level")


def by_layer(pipe):
    cpu_offload(pipe.vae, execution_device=CPU)


@pytest.mark.parametrize("offload", [by_model, by_group, by_layer])
def test_weights_that_come_and_go_make_the_same_frames(load_tiny, offload):
    model = load_tiny("hunyuan-video")
    offload(model.pipe)

    np.testing.assert_array_equal(model.ours(num_frames=21), model.direct(num_frames=21))


def test_frames_come_before_all_tiles_are_decoded(hunyuan, long_latents):
    num_tiles = 0

    def count(*_):
        nonlocal num_tiles
        num_tiles += 1

    hook = hunyuan.pipe.vae.decoder.register_forward_hook(count)
    frames = hunyuan.adapter.decode(hunyuan.pipe, long_latents)
    taken = [next(frames) for _ in range(13)]
    hook.remove()

    assert (len(taken), num_tiles) == (13, 1)


@pytest.mark.parametrize("size", [1, 2, 4, 7])
def test_latents_in_pieces_make_the_same_frames(hunyuan, long_latents, size):
    whole = np.stack(list(hunyuan.adapter.decode(hunyuan.pipe, long_latents)))
    pieces = iter(long_latents.video.split(size, dim=2))

    streamed = np.stack(list(hunyuan.adapter.decode_stream(hunyuan.pipe, pieces)))

    np.testing.assert_array_equal(streamed, whole)


def test_decoding_leaves_gradients_as_the_caller_had_them(hunyuan, long_latents):
    enabled = [torch.is_grad_enabled() for _ in hunyuan.adapter.decode(hunyuan.pipe, long_latents)]

    assert enabled == [True] * 33


def test_saved_latents_are_all_that_decoding_needs(load_tiny, long_latents, hunyuan, tmp_path):
    save_file({"latents": long_latents.video.contiguous()}, tmp_path / "latents.safetensors")
    later = load_tiny("hunyuan-video")

    saved = Latents(load_file(tmp_path / "latents.safetensors")["latents"])

    np.testing.assert_array_equal(
        np.stack(list(later.adapter.decode(later.pipe, saved))), hunyuan.direct(num_frames=33)
    )


def test_the_denoiser_is_told_the_guidance(hunyuan):
    told = []

    def look(module, args, kwargs):
        told.append(kwargs["guidance"].tolist())

    hook = hunyuan.pipe.transformer.register_forward_pre_hook(look, with_kwargs=True)
    hunyuan.adapter.denoise(hunyuan.pipe, hunyuan.arguments(guidance_scale=4.5))
    hook.remove()

    assert told == [[4500.0], [4500.0]]


def test_a_negative_prompt_alone_changes_nothing(hunyuan):
    np.testing.assert_array_equal(
        hunyuan.ours(negative_prompt="rain"), hunyuan.ours(negative_prompt=None)
    )


def test_a_negative_prompt_counts_with_a_true_cfg_scale(hunyuan):
    call = {"true_cfg_scale": 6.0}
    with_rain = frames_of(hunyuan, **call, negative_prompt="rain")

    assert not np.array_equal(with_rain, frames_of(hunyuan, **call, negative_prompt="snow"))
    arguments = {**hunyuan.arguments(), **call, "negative_prompt": "rain"}
    direct = hunyuan.pipe(**arguments, output_type="np").frames[0]
    np.testing.assert_array_equal(with_rain, direct)
