"""SANA-Video: the size that was asked for, and the words its captions had."""

import numpy as np
import pytest
import torch

from t2v.runtime.quiet import quiet


@pytest.fixture(scope="module")
def sana(load_tiny):
    return load_tiny("sana-video")


def test_the_number_of_frames_is_called_frames(sana):
    arguments = sana.arguments()

    assert arguments["frames"] == 5
    assert "num_frames" not in arguments


@pytest.mark.parametrize("size", [(64, 32), (32, 96)])
def test_a_size_that_is_no_bucket_is_made_as_it_was_asked_for(sana, size):
    width, height = size
    sizes = set()

    def look(module, args):
        sizes.add(tuple(args[0].shape[-2:]))

    hook = sana.pipe.transformer.register_forward_pre_hook(look)
    frames = sana.ours(width=width, height=height)
    hook.remove()

    assert frames.shape == (5, height, width, 3)
    assert sizes == {(height // 8, width // 8)}


def test_the_prompt_ends_with_a_motion_score_as_the_captions_did(sana):
    assert sana.arguments()["prompt"] == "a red boat motion score: 30."


def test_a_motion_score_in_the_prompt_is_left_alone(sana):
    request = type(sana.request())(
        **{
            **{f: getattr(sana.request(), f) for f in ("model", "width", "height", "fps", "seed")},
            "num_frames": 5,
            "prompt": "a red boat, motion score: 10.",
        }
    )
    arguments = sana.adapter.call_arguments(sana.pipe, request)

    assert arguments["prompt"] == "a red boat, motion score: 10."


@pytest.mark.parametrize("name", ["sana-video", "sana-video-720p"])
def test_a_float32_vae_beside_a_bfloat16_denoiser_is_equal_too(load_tiny, name):
    model = load_tiny(name, {"vae": torch.float32, "default": torch.bfloat16})

    np.testing.assert_array_equal(model.ours(), model.direct())


@pytest.mark.parametrize("name", ["sana-video", "sana-video-720p"])
def test_latents_in_pieces_are_decoded_as_the_clip(load_tiny, name):
    model = load_tiny(name)
    with quiet():
        video = model.adapter.denoise(model.pipe, model.arguments(num_frames=25)).video
        frames = list(model.adapter.decode_stream(model.pipe, iter(video.split(2, dim=2))))

    np.testing.assert_array_equal(np.stack(frames), model.direct(num_frames=25))


def test_a_longer_clip_over_the_vae_of_wan_is_equal_too(sana):
    np.testing.assert_array_equal(sana.ours(num_frames=17), sana.direct(num_frames=17))
