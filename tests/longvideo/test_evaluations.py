"""One call of a pipeline goes on where it was stopped: clips of every family, and long ones in one call."""

import errno
import os
import signal
from pathlib import Path

import pytest
import torch
from diffusers import FirstBlockCacheConfig
from diffusers.hooks import group_offloading
from diffusers.hooks.hooks import HookRegistry

import t2v
from t2v.api.work import work_folder
from t2v.errors import DiskError, GenerationError, InterruptedRun, RequestError
from t2v.longvideo import evaluations
from t2v.longvideo.denoisers import denoisers
from t2v.testing import TINY, tiny_options, tiny_pipeline
from tests.crash import works
from tests.crash.children import needs_children, seeds, started
from tests.disks import fill, small_disk
from tests.longvideo.test_native import OWN_WAYS

CPU = torch.device("cpu")
QUICK = ("wan-2.2", "ltx-2", "text2video-zero")
"""Clips of the fast tests: two denoisers, sound, and a scheduler that none of these have."""


@pytest.fixture(scope="module")
def doodle():
    return t2v.load("doodle-128")


@pytest.fixture(autouse=True)
def _all_is_kept(monkeypatch):
    """At once, and not what is some seconds old alone."""
    monkeypatch.setattr(evaluations, "EVERY_S", 0)


def load(name, folder):
    return t2v.load(tiny_pipeline(name, folder / name))


def options_of(name):
    long = {"num_frames": OWN_WAYS[name]} if name in OWN_WAYS else {}
    return {"prompt": "a boat", "seed": 1, **tiny_options(name), **long}


def count_evaluations(generator):
    """A list that grows with every evaluation that is really made."""
    made = []
    for part in denoisers(generator.pipe).values():
        first = next(one for one in part.modules() if not list(one.children()))
        first.register_forward_hook(lambda *_: made.append(1))
    return made


def stopping(at):
    """A listener like a user who presses Ctrl-C after so many steps."""
    count = [0]

    def listen(event):
        count[0] += event.event == "step" and event.step > 0
        if count[0] == at:
            raise KeyboardInterrupt

    return listen


def stopped(generator, output, at, **options):
    """Begin a video and stop it after some steps; its work folder."""
    with pytest.raises(InterruptedRun) as told:
        generator.generate(output=output, listener=stopping(at), **options)
    assert str(told.value).endswith(f"go on with: t2v generate --resume {work_folder(output)}")
    return work_folder(output)


def gone_on_with(generator, work, **how):
    (request,) = t2v.resume_plan(work).requests
    return generator.run(request, output=work.with_suffix(""), resume=work, **how)


@pytest.mark.parametrize(
    "name",
    [
        *(name for name in TINY if name in QUICK or name in OWN_WAYS),
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in TINY
            if name not in QUICK and name not in OWN_WAYS
        ),
    ],
)
def test_a_stopped_call_goes_on_to_the_same_frames(tmp_path, name):
    generator = load(name, tmp_path)
    steps, made = [], count_evaluations(generator)
    expected = generator.generate(
        listener=lambda event: event.event == "step" and event.step and steps.append(1),
        **options_of(name),
    )
    of_all = len(made)

    made.clear()
    work = stopped(generator, tmp_path / "a.mp4", max(1, len(steps) // 2), **options_of(name))
    before = len(made)
    made.clear()
    video = gone_on_with(generator, work)

    assert video.record["frames_sha256"] == expected.record["frames_sha256"]
    again = len(made) + before - of_all
    # Only for the keys and values of a chunk that is done, where a denoiser remembers those.
    assert again == (1 if name == "anyflow-far" else 0)
    assert not work.exists()


def test_a_call_that_is_stopped_again_and_again_is_the_same(tmp_path):
    generator = load("helios", tmp_path)
    options = options_of("helios")
    expected = generator.generate(**options)
    work = stopped(generator, tmp_path / "a.mp4", 1, **options)

    for at in (1, 2, 3, 5):
        with pytest.raises(InterruptedRun):
            gone_on_with(generator, work, listener=stopping(at))

    video = gone_on_with(generator, work)
    assert video.record["frames_sha256"] == expected.record["frames_sha256"]


def test_latents_that_were_wanted_are_there_in_the_end(doodle, tmp_path):
    options = {**works.QUICK, "prompt": "a red ball", "save_latents": True}
    work = stopped(doodle, tmp_path / "a.mp4", 1, **options)

    gone_on_with(doodle, work)

    assert (tmp_path / "a.mp4.latents" / "latents.safetensors").is_file()


def test_a_shot_that_is_a_clip_goes_on_within_it(doodle, tmp_path):
    options = {**works.QUICK, "prompt": "a red ball", "num_frames": 30, "method": "cut", "seed": 3}
    made = count_evaluations(doodle)
    expected = doodle.generate(**options)
    of_all = len(made)

    made.clear()
    work = stopped(doodle, tmp_path / "a.mp4", 3, **options)
    video = gone_on_with(doodle, work)

    assert video.record["frames_sha256"] == expected.record["frames_sha256"]
    assert len(made) == of_all


def test_what_is_stopped_in_its_first_seconds_leaves_nothing(doodle, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluations, "EVERY_S", 60)

    with pytest.raises(InterruptedRun, match=r"^Stopped; a\.mp4 was not written\.$"):
        doodle.generate("a ball", output=tmp_path / "a.mp4", listener=stopping(1), **works.QUICK)

    assert list(tmp_path.iterdir()) == []


def test_a_pipeline_is_as_before_when_its_call_is_over(tmp_path):
    generator = load("wan-2.2", tmp_path)
    first, second = denoisers(generator.pipe).values()
    vars(second)["forward"] = offloaded = second.forward

    generator.generate(output=tmp_path / "a.mp4", **options_of("wan-2.2"))

    assert "forward" not in vars(first)
    assert second.forward is offloaded


def test_hooks_of_offloading_that_take_themselves_out_leave_the_rest_in_place(tmp_path):
    """As with `--memory group` on a GPU; here with the CPU for both devices."""

    def offloaded(number):
        generator = t2v.load(tiny_pipeline("wan-2.2", tmp_path / f"{number}"))
        for part in denoisers(generator.pipe).values():
            how = {"onload_device": CPU, "offload_device": CPU, "offload_type": "leaf_level"}
            group_offloading.apply_group_offloading(part, **how)
            registry = HookRegistry.check_if_exists_or_initialize(part)
            lazy = group_offloading.LazyPrefetchGroupOffloadingHook()
            registry.register_hook(lazy, "lazy_prefetch_group_offloading")
        return generator

    options = {**options_of("wan-2.2"), "num_inference_steps": 6}
    expected = offloaded(1).generate(**options)

    work = stopped(offloaded(2), tmp_path / "a.mp4", 5, **options)
    # Five steps with and without the prompt.
    assert len(list(work.glob("evaluations-*"))) == 10
    video = gone_on_with(offloaded(3), work)

    assert video.record["frames_sha256"] == expected.record["frames_sha256"]


def test_what_was_written_before_a_write_that_failed_is_gone_on_from(tmp_path, monkeypatch):
    generator = load("wan", tmp_path)
    options = {**options_of("wan"), "num_inference_steps": 6}
    expected = generator.generate(**options)
    count, fsync = [0], os.fsync

    def failing(handle):
        count[0] += "evaluations-" in str(Path(f"/proc/self/fd/{handle}").readlink())
        if count[0] == 4:
            raise OSError(errno.EIO, "Input/output error")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", failing)
    work = stopped(generator, tmp_path / "a.mp4", 4, **options)

    assert sorted(file.name for file in work.glob("evaluations-*")) == [
        f"evaluations-{number:06}.safetensors" for number in (1, 2, 3)
    ]
    video = gone_on_with(generator, work)
    assert video.record["frames_sha256"] == expected.record["frames_sha256"]


def test_other_weights_are_another_run(tmp_path):
    generator = load("wan", tmp_path)
    work = stopped(generator, tmp_path / "a.mp4", 1, **options_of("wan"))
    other = t2v.load(tiny_pipeline("wan", tmp_path / "other", seed=5))

    with pytest.raises(RequestError, match=r"begun with another weights.*without --resume"):
        gone_on_with(other, work)


def test_damage_is_told(tmp_path):
    generator = load("wan", tmp_path)
    work = stopped(generator, tmp_path / "a.mp4", 1, **options_of("wan"))
    file = work / "evaluations-000001.safetensors"
    file.write_bytes(file.read_bytes()[:-8])

    with pytest.raises(DiskError, match=r"cannot be read.*without --resume"):
        gone_on_with(generator, work)


@pytest.mark.parametrize(("module", "name"), [("os", "system"), ("diffusers.utils", "load_video")])
def test_what_is_no_output_of_a_denoiser_is_not_called(tmp_path, module, name):
    generator = load("wan", tmp_path)
    work = stopped(generator, tmp_path / "a.mp4", 1, **options_of("wan"))
    file = work / "evaluations-000001.safetensors"
    found = evaluations.read_packed(file)
    of = {"sample": {"tensor": torch.zeros(1), "device": "cpu"}}
    found["entries"][0]["returned"] = {"output": name, "module": module, "of": of}
    evaluations.write_packed(file, found)

    with pytest.raises(DiskError, match="was changed"):
        gone_on_with(generator, work)


def test_a_full_disk_costs_what_is_kept_and_not_the_video(tmp_path):
    generator = load("wan", tmp_path)
    expected = generator.generate(**options_of("wan"))
    options = t2v.Options(device="cpu", model=str(tmp_path / "wan"), **tiny_options("wan"), seed=1)
    (request,) = t2v.make_plan("a boat", options).requests
    with small_disk(tmp_path / "disk", 1_000_000) as disk:
        fill(disk, leave=16_384)
        video = generator.begin(request, output=tmp_path / "a.mp4", work=disk / "work").render()

        (warning,) = video.record["warnings"]
        assert warning.endswith("If this run is stopped, all of it has to be made again.")
        assert [path.name for path in disk.iterdir()] == ["filler"]
    assert video.record["frames_sha256"] == expected.record["frames_sha256"]


def test_what_would_fail_again_is_not_kept(tmp_path):
    generator = load("wan", tmp_path)
    torch.nn.init.constant_(generator.pipe.transformer.proj_out.bias, torch.nan)

    with pytest.raises(GenerationError, match="NaN or infinity") as told:
        generator.generate(output=tmp_path / "a.mp4", **options_of("wan"))

    assert "--resume" not in str(told.value)
    assert not (tmp_path / "a.mp4.work").exists()


def test_a_pipeline_with_a_step_cache_begins_again(tmp_path):
    generator = load("wan", tmp_path)
    generator.pipe.transformer.enable_cache(FirstBlockCacheConfig(threshold=0.1))

    with pytest.raises(InterruptedRun, match=r"^Stopped; a\.mp4 was not written\.$"):
        generator.generate(output=tmp_path / "a.mp4", listener=stopping(1), **options_of("wan"))

    assert not (tmp_path / "a.mp4.work").exists()


@needs_children
@pytest.mark.parametrize("seed", seeds(20, 1))
@pytest.mark.parametrize("name", ["helios", "skyreels-v2-df"])
def test_a_killed_call_makes_the_same_frames(tmp_path, name, seed):
    """Killed at a random moment, in the middle of an evaluation or of writing what it returned."""
    options = options_of(name)
    generator, output = load(name, tmp_path), tmp_path / "a.mp4"
    steps, made = [], count_evaluations(generator)
    expected = generator.generate(
        listener=lambda event: event.event == "step" and event.step and steps.append(1), **options
    )
    of_all = len(made)
    count = 1 + seed % (len(steps) - 1)

    with started(works.one_call, tmp_path / name, output, options, log=tmp_path / "log") as child:
        child.wait_for(count)
        assert child.kill() in (-signal.SIGKILL, 0), (tmp_path / "log").read_text()

    if not output.exists():
        made.clear()
        video = gone_on_with(generator, work_folder(output))
        assert video.record["frames_sha256"] == expected.record["frames_sha256"]
        assert len(made) / of_all <= (len(steps) - count + 1) / len(steps)
