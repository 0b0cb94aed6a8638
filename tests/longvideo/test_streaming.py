"""Frames leave as soon as they are final, and nothing that is done with stays in memory."""

import gc
import itertools
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

from t2v.errors import RequestError
from t2v.longvideo.rendezvous import Rendezvous
from t2v.plan.moments import parse_moment
from t2v.plan.story import Cue
from tests.longvideo.making import endless, load_fresh, load_long

STEPS = 4


def evaluations(long, plan, **more):
    """Steps of all windows that were done when each frame left."""
    done, left = [0], []
    for _ in long.frames(plan, on_step=lambda step, of: done.__setitem__(0, step), **more):
        left.append(done[0])
    return left


def test_the_first_frames_leave_long_before_the_last_step():
    long = load_long("modelscope")
    plan = long.plan(22, overlap=2)

    left = evaluations(long, plan)

    assert len(plan.windows) == 10
    # The frames of window 0 alone are final after S (S + 1) / 2 steps, then one more window every S.
    assert left[:6] == [10, 10, 14, 14, 18, 18]
    assert left[-1] == 40


def test_in_lockstep_all_frames_leave_at_the_end():
    long = load_long("modelscope")

    left = evaluations(long, long.plan(22, overlap=2, order="lockstep"))

    assert left == [40] * 22


def test_no_more_windows_are_under_way_than_there_are_steps(monkeypatch):
    long = load_long("modelscope")
    most, advance = [0], Rendezvous._advance

    def looking(self, index):
        advance(self, index)
        most[0] = max(most[0], sum(not live.is_done for live in self.live.values()))

    monkeypatch.setattr(Rendezvous, "_advance", looking)
    long.latents(long.plan(42, overlap=2))

    assert most == [STEPS]


def live_bytes():
    gc.collect()
    found = {
        id(one): one.untyped_storage().nbytes()
        for one in gc.get_objects()
        if issubclass(type(one), torch.Tensor)
    }
    return sum(found.values())


@pytest.mark.parametrize("noise", ["independent", "freenoise"])
def test_memory_does_not_grow_with_the_length(noise):
    long = load_long("modelscope")

    def peak(num_windows):
        plan = long.plan(2 + 2 * num_windows, overlap=2, noise=noise)
        before, most = live_bytes(), 0
        for number, _ in enumerate(long.frames(plan)):
            # In the middle of the run, after the last chunk but a few.
            if number in (9, 2 * num_windows - 10):
                most = max(most, live_bytes() - before)
        return most

    assert peak(32) <= 1.05 * peak(12)


def test_closing_the_frames_ends_all_windows():
    long = load_long("wan")
    frames = long.frames(long.plan(40, overlap=2))
    next(frames)
    under_way = [one.name for one in threading.enumerate() if one.name.startswith("window")]

    frames.close()

    assert len(under_way) >= 3
    assert [one for one in threading.enumerate() if one.name.startswith("window")] == []


def test_what_a_listener_raises_ends_all_windows_and_arrives():
    long = load_long("wan")

    def on_step(step, of):
        if step == 7:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        long.latents(long.plan(16, overlap=2), on_step=on_step)


def test_a_video_without_an_end_begins_like_a_long_one():
    long = load_long("modelscope")
    finite = long.video(long.plan(31, overlap=1))

    frames = long.frames(endless(long, 10**9, Cue("a red boat")))
    first = np.stack(list(itertools.islice(frames, 20)))
    frames.close()

    np.testing.assert_allclose(first, finite[:20], atol=1e-5)


def test_a_new_prompt_reaches_windows_from_its_time_on():
    long = load_fresh("modelscope")
    cues = Cue("a red boat"), Cue("a blue house", parse_moment("12f"))

    changed = long.video(endless(long, 40, *cues))
    same = long.video(endless(long, 40, cues[0]))

    differs = [not np.array_equal(a, b) for a, b in zip(changed, same, strict=True)]
    assert not any(differs[:5])
    assert all(differs[20:])


@pytest.mark.parametrize("name", ["wan", "modelscope", "ltx"])
def test_a_cut_begins_a_video_of_its_own(name):
    long = load_long(name)
    house = Cue("a blue house", parse_moment("23f"), cut=True, seed=11)

    video = long.video(endless(long, 50, Cue("a red boat"), house))
    other = endless(long, 27, Cue("a blue house"))
    alone = long.video(replace(other, prompts=replace(other.prompts, seed=11)))

    assert len(video) == 50
    np.testing.assert_array_equal(video[23:], alone)


def test_frames_before_a_cut_are_those_of_a_video_that_ends_there():
    long = load_long("modelscope")
    num_frames = long.window + 2 * (long.window - 1)
    cut = Cue("a blue house", parse_moment(f"{num_frames}f"), cut=True)

    video = long.video(endless(long, num_frames + 3, Cue("a red boat"), cut))
    finite = long.video(long.plan(num_frames, overlap=1))

    np.testing.assert_allclose(video[:num_frames], finite, atol=1e-5)


def test_a_video_without_an_end_stops_when_asked_for_frames_are_made():
    long = load_long("modelscope")

    frames = list(long.frames(endless(long, 23, Cue("a red boat"))))

    assert len(frames) == 23


def test_a_family_without_a_layout_says_what_else_can_be_done():
    with pytest.raises(RequestError, match=r"takes no latents.*Ask for its own length"):
        load_fresh("text2video-zero")
