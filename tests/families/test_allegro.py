"""Allegro's VAE decodes whole cubes and leaves the rest black; here nothing is black."""

import numpy as np
import pytest

from t2v.plan.options import Options
from t2v.plan.resolve import resolve
from t2v.runtime.adapter import Latents
from t2v.zoo.catalog import Zoo

# Cubes of 24 x 128 x 128 every 16 frames, 8 rows and 48 columns.


@pytest.mark.parametrize(
    ("num_frames", "width", "height"),
    [(40, 128, 128), (24, 176, 128), pytest.param(40, 176, 144, marks=pytest.mark.slow)],
)
def test_where_cubes_fit_the_frames_are_those_of_diffusers(load_tiny, num_frames, width, height):
    model = load_tiny("allegro")
    fitting = {"num_frames": num_frames, "width": width, "height": height}

    np.testing.assert_array_equal(model.ours(**fitting), model.direct(**fitting))


def test_diffusers_leaves_a_clip_smaller_than_a_cube_black_and_this_does_not(load_tiny):
    model = load_tiny("allegro")
    small = {"num_frames": 8, "width": 64, "height": 64}

    frames = model.ours(**small)

    assert np.ptp(model.direct(**small)) == 0
    assert frames.shape == (8, 64, 64, 3)
    assert min(np.ptp(frame) for frame in frames) > 0.1


def test_the_rest_beyond_the_last_whole_cube_has_a_picture_too(load_tiny):
    model = load_tiny("allegro")
    odd = {"num_frames": 32, "width": 160, "height": 128}

    theirs, ours = model.direct(**odd), model.ours(**odd)

    assert ours.shape == (32, 128, 160, 3)
    assert np.ptp(theirs[24:]) == 0  # a frame of nothing, gray
    assert np.ptp(theirs[:, :, 128:]) == 0
    assert min(np.ptp(frame) for frame in ours[24:]) > 0.1
    assert min(np.ptp(frame[:, 128:]) for frame in ours) > 0.1
    # What no further cube overlaps is as it was.
    np.testing.assert_array_equal(ours[:16, :, :48], theirs[:16, :, :48])


def test_latents_that_come_in_pieces_make_the_same_frames(load_tiny):
    model = load_tiny("allegro")
    latents = model.adapter.denoise(model.pipe, model.arguments(num_frames=40)).video
    whole = np.stack(list(model.adapter.decode(model.pipe, Latents(latents))))

    pieces = iter(latents.split([1, 4, 5], dim=2))
    frames = np.stack(list(model.adapter.decode_stream(model.pipe, pieces)))

    np.testing.assert_array_equal(frames, whole)


def test_cubes_are_decoded_no_further_than_the_frames_that_were_taken(load_tiny):
    model = load_tiny("allegro")
    latents = model.adapter.denoise(model.pipe, model.arguments(num_frames=56))
    num_cubes = 0

    def count(*_):
        nonlocal num_cubes
        num_cubes += 1

    hook = model.pipe.vae.decoder.register_forward_hook(count)
    frames = model.adapter.decode(model.pipe, latents)
    taken = [next(frames) for _ in range(17)]
    hook.remove()

    assert len(taken) == 17
    assert num_cubes == 2  # of three in time


def test_lengths_are_whole_latents_and_sizes_whole_patches():
    spec = Zoo.load(overlays=False)["allegro"]

    request, _ = resolve(spec, "a fox", [("flag", Options(num_frames=30, width=500, height=300))])

    assert request.num_frames % 4 == 0
    assert (request.width, request.height) == (496, 304)


def test_the_layout_is_that_of_the_latents(load_tiny):
    model = load_tiny("allegro")
    latents = model.adapter.denoise(model.pipe, model.arguments()).video

    layout = model.adapter.layout(model.pipe, model.arguments())

    assert (layout.shape, layout.frame_axis) == (tuple(latents.shape), 2)
