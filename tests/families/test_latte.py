"""Latte makes 16 frames; nobody gets another number without being told."""

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKLTemporalDecoder

from t2v.errors import RequestError
from t2v.families import adapter_for
from t2v.plan.options import Options
from t2v.plan.resolve import resolve
from t2v.zoo.catalog import Zoo


@pytest.fixture
def spec():
    return Zoo.load(overlays=False)["latte-1"]


@pytest.mark.parametrize("wanted", [1, 8, 15])
def test_fewer_frames_become_sixteen_with_a_note(spec, wanted):
    request, notes = resolve(spec, "a fox", [("flag", Options(num_frames=wanted))])

    assert request.num_frames == 16
    assert any(f"{wanted} frames -> 16" in note and "exactly 16" in note for note in notes)


def test_more_frames_take_windows_of_sixteen(spec):
    request, _ = resolve(spec, "a fox", [("flag", Options(num_frames=40))])

    assert request.num_frames == 40
    assert {w.length for shot in request.long.shots for w in shot.windows} == {16}


def test_more_frames_in_one_clip_are_refused(spec):
    with pytest.raises(RequestError, match="16"):
        resolve(spec, "a fox", [("flag", Options(num_frames=40, method="native"))])


def test_one_frame_runs_though_no_plan_asks_for_it(load_tiny):
    model = load_tiny("latte")

    np.testing.assert_array_equal(model.ours(num_frames=1), model.direct(num_frames=1))


def test_a_decoder_with_layers_along_time_gets_its_frames_in_the_pipelines_groups(load_tiny):
    model = load_tiny("latte")
    torch.manual_seed(0)
    model.pipe.vae = AutoencoderKLTemporalDecoder(
        block_out_channels=(32, 32),
        down_block_types=("DownEncoderBlock2D",) * 2,
        latent_channels=4,
        layers_per_block=1,
    ).eval()

    np.testing.assert_array_equal(model.ours(), model.direct())


def test_latents_that_come_in_pieces_make_the_same_frames(load_tiny):
    model = load_tiny("latte")
    latents = model.adapter.denoise(model.pipe, model.arguments()).video

    pieces = iter(latents.split([5, 1, 10], dim=2))
    frames = np.stack(list(model.adapter.decode_stream(model.pipe, pieces)))

    np.testing.assert_array_equal(frames, model.direct())


def test_the_layout_is_that_of_the_latents(load_tiny):
    model = load_tiny("latte")
    latents = model.adapter.denoise(model.pipe, model.arguments()).video

    layout = adapter_for(model.spec).layout(model.pipe, model.arguments())

    assert (layout.shape, layout.frame_axis) == (tuple(latents.shape), 2)
