"""SkyReels-V2: clips in one piece, and diffusion forcing that goes on from its own end."""

import numpy as np
import pytest
import torch

from t2v.errors import RequestError
from t2v.runtime.quiet import quiet

SEED = 3


@pytest.fixture(scope="module")
def forcing(load_tiny):
    """Segments of 17 frames, 5 latents, that share 9 frames, 3 latents."""
    return load_tiny("skyreels-v2-df")


def denoise(model, on_step=None, **call):
    with quiet():
        return model.adapter.denoise(model.pipe, {**model.arguments(), **call}, on_step)


@pytest.mark.parametrize("num_frames", [21, 25, 41])
def test_a_longer_request_is_one_call_in_segments(forcing, num_frames):
    frames = forcing.ours(num_frames=num_frames)
    # The pipeline draws the noise on the history from the global generator.
    torch.manual_seed(SEED)

    assert len(frames) == num_frames
    np.testing.assert_array_equal(frames, forcing.direct(num_frames=num_frames))


def test_the_seed_alone_decides_and_other_randomness_is_left_alone(forcing):
    torch.manual_seed(11)
    first = forcing.ours(num_frames=25)
    drawn = torch.rand(1)
    torch.manual_seed(11)

    assert torch.rand(1) == drawn
    np.testing.assert_array_equal(first, forcing.ours(num_frames=25))


def test_steps_count_on_over_the_segments(forcing):
    heard = []

    denoise(forcing, lambda step, of: heard.append((step, of)), num_frames=25)

    assert heard == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize(
    ("num_frames", "block", "nearest"), [(17, 2, "13 or 21"), (9, 5, "17 or 37")]
)
def test_frames_that_would_stay_noise_are_refused(forcing, num_frames, block, nearest):
    with pytest.raises(RequestError, match=rf"blocks of {block} latents.*--num-frames {nearest}"):
        denoise(forcing, num_frames=num_frames, causal_block_size=block, ar_step=1)


def test_the_block_size_of_one_call_is_not_that_of_the_next(load_tiny):
    model = load_tiny("skyreels-v2-df")
    before = denoise(model, num_frames=13).video
    denoise(model, num_frames=13, causal_block_size=2, ar_step=1)

    assert model.pipe.transformer.config.num_frame_per_block == 1
    assert torch.equal(denoise(model, num_frames=13).video, before)


def test_a_second_guidance_scale_is_refused(load_tiny):
    model = load_tiny("skyreels-v2")

    with pytest.raises(RequestError, match="has one denoiser"):
        model.arguments(guidance_scale_2=3.0)
