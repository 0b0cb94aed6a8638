import random

import numpy as np
import pytest

from training import drawing, world
from training.motion import tracks


def scene(
    motion: str, place: str = "white", shape: str = "star", color: str = "red"
) -> world.Scene:
    return world.Scene((world.Subject(color, shape, motion),), place)


def test_a_clip_has_seventeen_square_frames():
    frames = drawing.render(scene("left"), random.Random(0))
    assert frames.shape == (17, 128, 128, 3)
    assert frames.dtype == np.uint8


def test_the_same_seed_draws_the_same_clip():
    first, second, other = (
        drawing.render(scene("orbit"), random.Random(seed)) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("motion", world.MOTIONS)
def test_subjects_stay_mostly_in_the_picture(motion):
    for seed in range(20):
        (track,) = tracks(scene(motion), random.Random(seed))
        assert 0.1 < track.x.min() <= track.x.max() < 0.9
        assert 0.1 < track.y.min() <= track.y.max() < 0.9
        assert track.radius.min() > 0.04


def test_colors_and_plain_places_are_exactly_those_of_the_tables():
    frames = drawing.render(scene("still", "beige", "square", "blue"), random.Random(0))
    assert tuple(frames[0, 64, 64]) == world.COLORS["blue"]
    assert tuple(frames[0, 1, 1]) == world.PLAIN["beige"]


def test_training_never_meets_what_is_held_out():
    rng = random.Random(0)
    assert not any(world.is_held_out(world.draw_scene(rng)) for _ in range(300))
    assert all(world.is_held_out(world.draw_scene(rng, held_out=True)) for _ in range(50))


def test_one_scene_in_ten_or_so_is_held_out():
    rng = random.Random(0)
    part = np.mean([world.is_held_out(world.draw_scene(rng, held_out=None)) for _ in range(1000)])
    assert 0.1 < part < 0.3


def test_two_subjects_differ_in_color():
    rng = random.Random(0)
    for _ in range(100):
        first, second = world.draw_scene(rng, num_subjects=2).subjects
        assert first.color != second.color


def test_captions_use_the_vocabulary_and_fit_the_token_limit():
    rng, words = random.Random(0), set(world.vocabulary())
    for _ in range(1000):
        caption = world.caption(world.draw_scene(rng), rng, strange=0)
        said = caption.replace(",", " ,").split()
        assert set(said) <= words
        assert len(said) < 24


def test_strange_words_are_no_words_of_the_world():
    assert not set(world.STRANGE_WORDS) & set(world.vocabulary())


def test_captions_say_an_orange():
    rng = random.Random(0)
    captions = {world.caption(scene("left", color="orange"), rng) for _ in range(50)}
    assert any("an orange star" in caption for caption in captions)
    assert not any("a orange" in caption for caption in captions)


def test_long_clips_keep_the_pace_and_stay_in_the_picture():
    (track,) = tracks(scene("left"), random.Random(0), num_frames=200)
    assert np.abs(np.diff(track.x)).max() < 0.05
    assert 0.1 < track.x.min() <= track.x.max() < 0.9


@pytest.mark.parametrize(("first_frame", "goes"), [(0, -1), (16, 1), (32, -1)])
def test_what_goes_left_comes_back_before_it_sets_out_again(first_frame, goes):
    (track,) = tracks(scene("left"), random.Random(0), num_frames=17, first_frame=first_frame)
    assert set(np.sign(np.diff(track.x))) == {goes}


def test_what_bounces_goes_on_bouncing():
    (track,) = tracks(scene("bounce"), random.Random(0), num_frames=41)
    np.testing.assert_allclose(track.y[8:], track.y[:-8])


def test_what_bounces_begins_on_the_ground_or_at_the_top():
    ways = [tracks(scene("bounce"), random.Random(seed))[0] for seed in range(20)]
    assert {round(way.y[0], 2) for way in ways} == {0.38, 0.72}


def test_what_moves_in_a_circle_begins_at_one_of_four_places():
    ways = [tracks(scene("orbit"), random.Random(seed))[0] for seed in range(40)]
    places = {(round(way.x[0], 2), round(way.y[0], 2)) for way in ways}
    assert places == {(0.68, 0.5), (0.5, 0.68), (0.32, 0.5), (0.5, 0.32)}


def test_scenes_with_points_can_be_asked_for():
    rng = random.Random(0)
    scenes = [world.draw_scene(rng, pointed=1.0) for _ in range(50)]
    assert all(any(s.shape in ("star", "triangle") for s in scene.subjects) for scene in scenes)


def test_spinning_scenes_can_be_asked_for():
    rng = random.Random(0)
    scenes = [world.draw_scene(rng, spinning=1.0) for _ in range(50)]
    assert all(any(s.motion == "spin" for s in scene.subjects) for scene in scenes)
