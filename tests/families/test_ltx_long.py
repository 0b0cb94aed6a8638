"""What is odd about LTX-Video's own pipeline for long clips."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler

from t2v.errors import RequestError

SHORT_WINDOWS = {"temporal_tile_size": 40, "temporal_overlap": 24}
"""5 latents that share 3."""


def frames_of(model, **changes):
    arguments = {**model.arguments(**changes), **SHORT_WINDOWS}
    latents = model.adapter.denoise(model.pipe, arguments)
    return np.stack(list(model.adapter.decode(model.pipe, latents)))


@pytest.fixture(scope="module")
def long(load_tiny):
    return load_tiny("ltx-long")


@pytest.mark.parametrize("num_frames", [9, 33, 41, 49, 57, 65, 121])
def test_any_number_of_windows_makes_the_frames_that_were_asked_for(long, num_frames):
    assert len(frames_of(long, num_frames=num_frames)) == num_frames


def test_several_windows_are_what_diffusers_makes(long):
    arguments = {**long.arguments(num_frames=57), **SHORT_WINDOWS}
    direct = long.pipe(**arguments, output_type="np").frames[0]
    np.testing.assert_array_equal(frames_of(long, num_frames=57), direct)


def test_a_bar_in_the_prompt_is_a_bar(long):
    request = replace(long.request(), prompt="a boat | a lake")
    (segment,) = long.adapter.call_arguments(long.pipe, request)["prompt_segments"]
    assert segment["text"] == "a boat | a lake"


def test_steps_of_all_windows_are_counted(long):
    arguments = {**long.arguments(num_frames=73, num_inference_steps=3), **SHORT_WINDOWS}
    seen = []
    long.adapter.denoise(long.pipe, arguments, lambda step, of: seen.append((step, of)))
    # 10 latents in windows of 5 that share 3: 4 windows of 3 steps.
    assert seen == [(step, 12) for step in range(13)]


def test_the_last_step_is_not_left_out(long):
    sigmas = long.arguments(num_inference_steps=4)["sigmas"]
    assert len(sigmas) == 5
    assert sigmas[-1] == 0


def test_sigmas_of_an_entry_end_in_zero_too(long):
    arguments = {**long.arguments(num_inference_steps=2), "sigmas": [1.0, 0.5]}
    with long.adapter.prepared(long.pipe, arguments) as call:
        assert call["sigmas"] == [1.0, 0.5, 0.0]


def test_the_repositorys_scheduler_is_replaced_for_the_call_and_comes_back(load_tiny):
    model = load_tiny("ltx-long")
    expected = frames_of(model)
    own = model.pipe.scheduler = FlowMatchEulerDiscreteScheduler()
    np.testing.assert_array_equal(frames_of(model), expected)
    assert model.pipe.scheduler is own


def test_the_seed_counts(long):
    arguments = {**long.arguments(), "generator": torch.Generator().manual_seed(4)}
    other = long.adapter.denoise(long.pipe, arguments).video
    assert not torch.equal(other, long.adapter.denoise(long.pipe, long.arguments()).video)


def test_windows_of_ours_are_refused_with_what_to_do(long):
    with pytest.raises(RequestError, match="Use --method native"):
        long.adapter.layout(long.pipe, long.arguments())
