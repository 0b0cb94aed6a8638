"""What t2v makes is what diffusers makes, to the last bit."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from t2v.runtime.adapter import Latents
from t2v.runtime.seeds import generator
from t2v.testing import TINY

MIXED = {"vae": torch.float32, "default": torch.bfloat16}


@pytest.mark.parametrize("name", TINY)
def test_frames_equal_those_of_a_direct_call(load_tiny, name):
    model = load_tiny(name)

    frames = model.ours()

    assert frames.dtype == np.float32
    assert np.ptp(frames) > 0.1
    np.testing.assert_array_equal(frames, model.direct())


@pytest.mark.parametrize(
    ("name", "num_frames"),
    [
        ("wan", 1),
        ("wan", 17),
        ("cogvideox", 1),
        ("cogvideox", 13),
        ("cogvideox-1.5", 25),
        ("ltx", 25),
    ],
)
def test_other_lengths_are_equal_too(load_tiny, name, num_frames):
    model = load_tiny(name)

    np.testing.assert_array_equal(
        model.ours(num_frames=num_frames), model.direct(num_frames=num_frames)
    )


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("wan", MIXED), ("ltx-0.9.5", torch.bfloat16), ("cogvideox", torch.bfloat16)],
    ids=["wan with a float32 VAE", "ltx", "cogvideox"],
)
def test_half_precision_is_equal_too(load_tiny, name, dtype):
    model = load_tiny(name, dtype)

    np.testing.assert_array_equal(model.ours(), model.direct())


def test_a_vae_that_tiles_is_equal_too(load_tiny):
    model = load_tiny("wan")
    model.pipe.vae.enable_tiling(
        tile_sample_min_height=16,
        tile_sample_min_width=16,
        tile_sample_stride_height=8,
        tile_sample_stride_width=8,
    )

    np.testing.assert_array_equal(
        model.ours(width=32, height=32), model.direct(width=32, height=32)
    )


@pytest.mark.parametrize("name", ["wan", "ltx-0.9.5", "cogvideox-1.5", "latte"])
def test_saved_latents_are_all_that_decoding_needs(load_tiny, tmp_path, name):
    model, later = load_tiny(name), load_tiny(name)
    latents = model.adapter.denoise(model.pipe, model.arguments())
    save_file({"latents": latents.video.contiguous()}, tmp_path / "latents.safetensors")

    saved = load_file(tmp_path / "latents.safetensors")["latents"]
    frames = np.stack(list(later.adapter.decode(later.pipe, Latents(saved))))

    np.testing.assert_array_equal(frames, model.direct())


def test_wan_decodes_no_further_than_the_frames_that_were_taken(wan):
    latents = wan.adapter.denoise(wan.pipe, wan.arguments(num_frames=17))
    num_latents = 0

    def count(*_):
        nonlocal num_latents
        num_latents += 1

    hook = wan.pipe.vae.decoder.register_forward_hook(count)
    frames = wan.adapter.decode(wan.pipe, latents)
    taken = [next(frames) for _ in range(6)]
    hook.remove()

    assert [frame.shape for frame in taken] == [(16, 16, 3)] * 6
    assert num_latents == 3  # of five: the first makes one frame, each other four


def test_decoding_leaves_gradients_as_the_caller_had_them(wan):
    latents = wan.adapter.denoise(wan.pipe, wan.arguments())

    enabled = [torch.is_grad_enabled() for _ in wan.adapter.decode(wan.pipe, latents)]

    assert enabled == [True] * 5


def test_another_seed_makes_another_video(wan):
    latents = wan.adapter.denoise(wan.pipe, {**wan.arguments(), "generator": generator(4)})
    frames = np.stack(list(wan.adapter.decode(wan.pipe, latents)))

    assert not np.array_equal(frames, wan.ours())
