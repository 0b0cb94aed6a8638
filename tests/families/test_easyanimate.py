"""EasyAnimate: a VAE whose layers remember what they saw, also when they should not."""

import numpy as np
import pytest

from t2v.errors import RequestError
from t2v.plan.options import Options
from t2v.plan.resolve import resolve
from t2v.zoo.catalog import Zoo


@pytest.fixture
def spec():
    return Zoo.load(overlays=False)["easyanimate-v5.1-12b"]


def test_a_size_that_the_pipeline_would_floor_is_moved_and_said(spec):
    request, notes = resolve(spec, "a fox", [("flag", Options(width=500, height=300))])

    assert (request.width, request.height) == (496, 304)
    assert any("500x300 -> 496x304" in note for note in notes)


def test_more_frames_than_it_was_trained_for_take_windows(spec):
    request, _ = resolve(spec, "a fox", [("flag", Options(num_frames=97))])

    assert request.num_frames == 97
    assert {w.length for shot in request.long.shots for w in shot.windows} == {13}


def test_more_frames_in_one_clip_are_refused(spec):
    with pytest.raises(RequestError, match="49"):
        resolve(spec, "a fox", [("flag", Options(num_frames=97, method="native"))])


def test_a_request_without_a_negative_prompt_has_an_empty_one(load_tiny):
    # diffusers 0.42.1 takes None by its signature, and fails on it with guidance.
    model = load_tiny("easyanimate")

    np.testing.assert_array_equal(
        model.ours(negative_prompt=None), model.direct(negative_prompt="")
    )


@pytest.mark.parametrize("num_frames", [1, 17])
def test_other_lengths_are_equal_too(load_tiny, num_frames):
    model = load_tiny("easyanimate")

    np.testing.assert_array_equal(
        model.ours(num_frames=num_frames), model.direct(num_frames=num_frames)
    )


def test_a_clip_that_was_left_in_the_middle_does_not_haunt_the_next_one(load_tiny):
    model = load_tiny("easyanimate")
    latents = model.adapter.denoise(model.pipe, model.arguments(num_frames=17))

    frames = model.adapter.decode(model.pipe, latents)
    next(frames)
    frames.close()

    # Neither through us nor through diffusers, which does not look for remains.
    assert len(model.direct(num_frames=17)) == 17
    np.testing.assert_array_equal(model.ours(num_frames=17), model.direct(num_frames=17))


def test_latents_that_come_in_pieces_make_the_same_frames(load_tiny):
    model = load_tiny("easyanimate")
    latents = model.adapter.denoise(model.pipe, model.arguments(num_frames=17)).video

    pieces = iter(latents.split([2, 1, 2], dim=2))
    frames = np.stack(list(model.adapter.decode_stream(model.pipe, pieces)))

    # Up to rounding: the VAE's first layer goes over all latents of a clip at once.
    np.testing.assert_allclose(frames, model.direct(num_frames=17), atol=5e-6)


def test_a_vae_that_tiles_is_equal_too(load_tiny):
    model = load_tiny("easyanimate")
    model.pipe.vae.enable_tiling(
        tile_sample_min_height=16,
        tile_sample_min_width=16,
        tile_sample_stride_height=8,
        tile_sample_stride_width=8,
    )

    np.testing.assert_array_equal(
        model.ours(width=32, height=32), model.direct(width=32, height=32)
    )


def test_the_layout_is_that_of_the_latents(load_tiny):
    model = load_tiny("easyanimate")
    latents = model.adapter.denoise(model.pipe, model.arguments()).video

    layout = model.adapter.layout(model.pipe, model.arguments())

    assert (layout.shape, layout.frame_axis) == (tuple(latents.shape), 2)
