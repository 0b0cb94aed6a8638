"""A run that was killed goes on, and makes the frames of one that was not."""

import errno
import os
import random
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import diffusers
import numpy as np
import pytest
import torch
from safetensors import safe_open

from t2v.errors import DiskError, RequestError
from t2v.longvideo.baton import Call
from t2v.longvideo.checkpoint import MANIFEST, frames_made, work_bytes
from t2v.plan.moments import parse_moment
from t2v.plan.story import Cue
from tests.crash import works
from tests.crash.children import started
from tests.longvideo.making import EMBEDDED, endless, load_fresh, load_long

NUM_STEPS = 4
OTHERS = (
    *("ltx", "cogvideox", "hunyuan-video", "mochi", "animatediff", "modelscope", "latte"),
    EMBEDDED,
)


def stop_at(wanted):
    def on_step(step, of):
        if step == wanted:
            raise KeyboardInterrupt

    return on_step


def stopped(long, plan, work, at, **more):
    """Run until a step and stop there."""
    work.mkdir(exist_ok=True)
    with pytest.raises(KeyboardInterrupt):
        long.video(plan, work=work, checkpoint_s=0, on_step=stop_at(at), **more)


@pytest.mark.parametrize("order", ["lockstep", "wavefront"])
@pytest.mark.parametrize(
    ("name", "scheduler"),
    [
        ("wan", None),
        ("wan-2.2", None),
        ("ltx-0.9.5", None),
        # It hands a prediction from step to step through the pipeline.
        ("cogvideox-5b", None),
        ("modelscope", diffusers.DPMSolverMultistepScheduler(algorithm_type="sde-dpmsolver++")),
        ("modelscope", diffusers.HeunDiscreteScheduler()),
        # Its guider has a momentum.
        ("motif-video", None),
        # Their sound has a scheduler of its own.
        ("ltx-2", None),
        ("kandinsky-6", None),
    ],
    ids=lambda value: type(value).__name__ if value is not None and value != str(value) else value,
)
def test_a_stopped_run_goes_on_without_repeating_a_step(tmp_path, name, scheduler, order):
    long = load_long(name)
    if scheduler is not None:
        long = long.copy(scheduler=scheduler)
    plan = long.plan(3 * long.window - 2, order=order, prompts=("a red boat", "a blue house"))
    steps = []
    expected = long.video(plan, on_step=lambda step, of: steps.append(step))
    at = len(steps) // 2
    told = []

    stopped(long, plan, tmp_path, at)
    video = long.video(plan, work=tmp_path, resume=True, on_step=lambda *step: told.append(step[0]))

    np.testing.assert_array_equal(video, expected)
    assert told == list(range(at, steps[-1] + 1))


def test_a_run_that_stopped_after_every_step_is_the_same(tmp_path):
    long = load_long("ltx")
    plan = long.plan(7)
    expected = long.video(plan)

    for at in range(1, 12):
        stopped(long, plan, tmp_path, at, resume=at > 1)

    np.testing.assert_array_equal(long.video(plan, work=tmp_path, resume=True), expected)


def test_nothing_to_go_on_from_is_a_beginning(tmp_path):
    long = load_long("ltx")
    plan = long.plan(7)

    np.testing.assert_array_equal(long.video(plan, work=tmp_path, resume=True), long.video(plan))


def test_every_shot_goes_on(tmp_path):
    long = load_long("ltx")
    one = long.plan(7)
    shots = tuple(
        replace(
            shot, index=k, seed=k, first_frame=k * shot.num_frames,
            windows=tuple(replace(w, index=w.index + 3 * k, shot=k) for w in shot.windows),
        )
        for k, shot in enumerate(one.shots * 3)
    )  # fmt: skip
    plan = replace(one, shots=shots, num_evaluations=36)
    expected = long.video(plan)

    assert len(expected) == 3 * one.shots[0].num_frames
    assert not np.array_equal(expected[: len(expected) // 3], expected[-len(expected) // 3 :])
    for at in (5, 13, 27):
        stopped(long, plan, tmp_path, at, resume=at > 5)
    np.testing.assert_array_equal(long.video(plan, work=tmp_path, resume=True), expected)


def test_a_loop_goes_on(tmp_path):
    long = load_long("modelscope")
    plan = long.plan(12, overlap=2, loop=True)
    expected = long.video(plan)

    for at in (3, 9, 15):
        stopped(long, plan, tmp_path, at, resume=at > 3)

    np.testing.assert_array_equal(long.video(plan, work=tmp_path, resume=True), expected)


@pytest.mark.parametrize("noise", ["independent", "freenoise"])
def test_a_video_without_an_end_goes_on(tmp_path, noise):
    long = load_long("wan")
    plan = endless(long, 45, Cue("a red boat"), noise=noise)
    whole = long.video(plan)

    stopped(long, plan, tmp_path, at=11)
    again = endless(long, 45, Cue("a red boat"), noise=noise)
    made = frames_made(tmp_path, plan)
    video = long.video(again, work=tmp_path, resume=True)

    assert 0 < made < 45
    np.testing.assert_array_equal(video, whole)


AROUND_A_CUT = {3: 0, 7: 13, 8: 13, 9: 26, 14: 39, 20: 55}
"""Step -> frames that are final when a run stops there, with a cut at frame 26."""


@pytest.mark.parametrize(("at", "made"), AROUND_A_CUT.items())
def test_a_video_without_an_end_goes_on_before_and_after_a_cut(tmp_path, at, made):
    long = load_long("wan")
    cues = Cue("a red boat"), Cue("a blue house", parse_moment("26f"), cut=True)
    whole = long.video(endless(long, 60, *cues))

    stopped(long, endless(long, 60, *cues), tmp_path, at=at)
    plan = endless(long, 60, *cues)
    assert frames_made(tmp_path, plan) == made
    video = long.video(plan, work=tmp_path, resume=True)

    np.testing.assert_array_equal(video, whole)


def test_a_work_folder_holds_final_latents_and_windows_under_way_alone(tmp_path):
    long = load_long("ltx")
    plan = long.plan(21)

    stopped(long, plan, tmp_path, 38)

    names = sorted(file.name for file in tmp_path.iterdir())
    assert [name for name in names if name.startswith("latents")] == [
        f"latents-0-{k:06}.safetensors" for k in range(9)
    ]
    assert len([name for name in names if name.startswith("window")]) <= NUM_STEPS + 1
    assert MANIFEST in names
    assert work_bytes(tmp_path) < 60_000
    for name in names:
        if name.endswith(".safetensors"):
            with safe_open(tmp_path / name, framework="pt") as file:
                assert file.metadata().keys() == {"t2v", "crc32"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda long, plan: (long, long.plan(9)), "another num_frames: 49 then, 65 now"),
        (lambda long, plan: (long, long.plan(7, seed=4)), "another plan"),
        (
            lambda long, plan: (
                replace(long, options={**long.options, "guidance_scale": 2.0}),
                plan,
            ),
            r"another guidance_scale: 3\.0 then, 2\.0 now",
        ),
        (
            lambda long, plan: (
                long.copy(scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=5.0)),
                plan,
            ),
            "another scheduler settings",
        ),
        (lambda long, plan: (replace(long, further={"max_sequence_length": 8}), plan), "arguments"),
    ],
)
def test_another_run_is_refused_in_one_line(tmp_path, change, message):
    long = load_long("ltx")
    plan = long.plan(7)
    stopped(long, plan, tmp_path, 3)
    other, other_plan = change(long, plan)

    with pytest.raises(RequestError, match=message) as refused:
        other.video(other_plan, work=tmp_path, resume=True)

    assert "\n" not in str(refused.value)
    assert "without --resume" in str(refused.value)


@pytest.mark.parametrize("part", ["transformer", "text_encoder", "vae"])
def test_other_weights_are_another_run(tmp_path, part):
    long = load_long("ltx")
    plan = long.plan(7)
    stopped(long, plan, tmp_path, 3)
    *_, weight = long.pipe.components[part].parameters()
    with torch.no_grad():
        weight += 1
    try:
        with pytest.raises(RequestError, match="another weights"):
            long.video(plan, work=tmp_path, resume=True)
    finally:
        with torch.no_grad():
            weight -= 1


def cut_off(data: bytes) -> bytes:
    return data[:-8]


def with_another_last_bit(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def with_another_word(data: bytes) -> bytes:
    return data.replace(b"device", b"devise")


@pytest.mark.parametrize("damage", [cut_off, with_another_last_bit, with_another_word])
@pytest.mark.parametrize("files", ["window-*", "latents-*"])
def test_a_damaged_checkpoint_says_so(tmp_path, files, damage):
    long = load_long("ltx")
    plan = long.plan(13)
    stopped(long, plan, tmp_path, 2 * plan.num_evaluations // 3)
    file = sorted(tmp_path.glob(files))[0]
    file.write_bytes(damage(file.read_bytes()))

    with pytest.raises(DiskError, match=r"cannot be read.*without --resume"):
        long.video(plan, work=tmp_path, resume=True)


@pytest.mark.parametrize("overlap", [1, 2])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_goes_on_to_the_same_bits(tmp_path, dtype, overlap):
    # Without guidance what lies in memory as the pipeline packed it goes straight into the denoiser.
    long = load_fresh("ltx-0.9.5", dtype)
    long = replace(long, options={**long.options, "guidance_scale": 1.0})
    plan = long.plan(9, overlap=overlap)
    expected = long.latents(plan)

    for at in (2, 5, 9):
        work = tmp_path / str(at)
        stopped(long, plan, work, at)
        assert torch.equal(long.latents(plan, work=work, resume=True), expected)


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")], ids=repr
)
def test_what_ends_the_writing_of_final_latents_costs_no_more_than_a_step(
    tmp_path, monkeypatch, error
):
    long = load_long("wan")
    plan = long.plan(16, overlap=2)
    expected = long.video(plan)
    steps, count, fsync = [], [0], os.fsync

    def failing(handle):
        count[0] += "latents-0-" in str(Path(f"/proc/self/fd/{handle}").readlink())
        if count[0] == 2:
            raise error
        fsync(handle)

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises((KeyboardInterrupt, DiskError)):
        long.video(plan, work=tmp_path, checkpoint_s=0, on_step=lambda *step: steps.append(step[0]))
    monkeypatch.undo()
    told = []
    video = long.video(plan, work=tmp_path, resume=True, on_step=lambda *step: told.append(step[0]))

    np.testing.assert_array_equal(video, expected)
    assert told[0] >= steps[-1] - 1


def test_going_on_that_is_interrupted_leaves_no_thread(tmp_path, monkeypatch):
    long = load_long("wan")
    plan = long.plan(32, overlap=2)
    stopped(long, plan, tmp_path, 20)
    send, count = Call.send, [0]

    def sending(call, value=None):
        count[0] += 1
        shown = send(call, value)
        if count[0] == 3:
            raise KeyboardInterrupt
        return shown

    monkeypatch.setattr(Call, "send", sending)
    with pytest.raises(KeyboardInterrupt):
        long.video(plan, work=tmp_path, resume=True)

    assert count == [3]
    assert [one.name for one in threading.enumerate() if one.name.startswith("window")] == []


def kills():
    """Twenty of Wan and five of each other family, nearly all for the slow tests."""
    for name in ("wan", *OTHERS):
        for seed in range(20 if name == "wan" else 5):
            is_quick = name in {"wan", EMBEDDED} and seed == 0
            yield pytest.param(name, seed, marks=[] if is_quick else pytest.mark.slow)


@pytest.mark.parametrize(("name", "seed"), [*kills()])
def test_a_killed_run_makes_the_same_frames(tmp_path, name, seed):
    """Killed at a random moment, in the middle of a step, a checkpoint or a decode."""
    long = load_long(name)
    plan = long.plan(4 * long.window - 3, overlap=2, prompts=("a red boat", "a blue house"))
    expected = long.video(plan)
    work = tmp_path / "work"
    work.mkdir()
    chance = random.Random(f"{name} {seed}")
    count = chance.randint(1, plan.num_evaluations - 1)

    with started(works.long_video, name, plan, work, log=tmp_path / "log") as child:
        child.wait_for(count + 1)
        time.sleep(chance.uniform(0, 0.05))
        # On a fast machine the last steps may be over before the signal comes.
        assert child.kill() in (-signal.SIGKILL, 0), (tmp_path / "log").read_text()

    told = []
    video = long.video(plan, work=work, resume=True, on_step=lambda *step: told.append(step[0]))

    np.testing.assert_array_equal(video, expected)
    # A checkpoint is made after every step: at most the one under way was lost, and the one of
    # which the checkpoint was being made.
    assert told[0] >= count - 1
