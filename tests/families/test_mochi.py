"""Mochi: 6 frames a latent, one decode for a clip, a cache of ours for a long video."""

import numpy as np
import pytest

from t2v.plan.options import Options
from t2v.plan.resolve import resolve
from t2v.zoo.catalog import Zoo


@pytest.fixture
def spec():
    return Zoo.load(overlays=False)["mochi-1"]


@pytest.mark.parametrize(("wanted", "made"), [(10, 13), (9, 7), (85, 85), (163, 163)])
def test_lengths_are_whole_latents_before_anything_is_loaded(spec, wanted, made):
    request, _ = resolve(spec, "a fox", [("flag", Options(num_frames=wanted))])

    assert request.num_frames == made


def test_a_size_that_would_fail_late_is_moved_before(spec):
    request, notes = resolve(spec, "a fox", [("flag", Options(width=72, height=40))])

    assert (request.width, request.height) == (80, 48)
    assert any("multiples of 16 pixels" in note for note in notes)


@pytest.mark.parametrize("num_frames", [1, 13, 25])
def test_other_lengths_are_equal_too(load_tiny, num_frames):
    model = load_tiny("mochi")

    frames = model.ours(num_frames=num_frames)

    assert len(frames) == num_frames
    np.testing.assert_array_equal(frames, model.direct(num_frames=num_frames))


@pytest.mark.parametrize("sizes", [[1, 1, 1, 1, 1], [2, 3], [3, 1, 1], [5]])
def test_latents_that_come_in_pieces_make_the_frames_of_one_decode(load_tiny, sizes):
    model = load_tiny("mochi")
    latents = model.adapter.denoise(model.pipe, model.arguments(num_frames=25)).video

    pieces = iter(latents.split(sizes, dim=2))
    frames = np.stack(list(model.adapter.decode_stream(model.pipe, pieces)))

    np.testing.assert_allclose(frames, model.direct(num_frames=25), atol=2e-6)


def test_pieces_hold_no_more_than_two_latents_at_once(load_tiny):
    model = load_tiny("mochi")
    latents = model.adapter.denoise(model.pipe, model.arguments(num_frames=49)).video
    lengths = []
    hook = model.pipe.vae.decoder.register_forward_pre_hook(
        lambda _, inputs: lengths.append(inputs[0].shape[2])
    )

    taken = model.adapter.decode_stream(model.pipe, iter([latents]))
    frames = [next(taken) for _ in range(8)]  # 7 of the first two latents, 1 of the next
    hook.remove()

    assert len(frames) == 8
    assert lengths == [2, 2]


def test_a_stream_that_is_left_does_not_change_the_next_clip(load_tiny):
    model = load_tiny("mochi")
    before = model.ours(num_frames=13)
    latents = model.adapter.denoise(model.pipe, model.arguments(num_frames=13)).video

    stream = model.adapter.decode_stream(model.pipe, iter([latents]))
    next(stream)
    stream.close()

    np.testing.assert_array_equal(model.ours(num_frames=13), before)


def test_a_vae_that_tiles_is_equal_too(load_tiny):
    model = load_tiny("mochi")
    model.pipe.vae.enable_tiling(
        tile_sample_min_height=32,
        tile_sample_min_width=32,
        tile_sample_stride_height=16,
        tile_sample_stride_width=16,
    )

    np.testing.assert_array_equal(
        model.ours(width=48, height=48), model.direct(width=48, height=48)
    )


def test_the_layout_is_that_of_the_latents(load_tiny):
    model = load_tiny("mochi")
    latents = model.adapter.denoise(model.pipe, model.arguments(num_frames=13)).video

    layout = model.adapter.layout(model.pipe, model.arguments(num_frames=13))

    assert (layout.shape, layout.frame_axis) == (tuple(latents.shape), 2)
