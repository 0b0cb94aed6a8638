"""Several videos in one call of the pipeline: the frames of single calls, but for the last bits."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from t2v.batch.items import Item
from t2v.batch.makers.maker import open_maker
from t2v.batch.making import Manner
from t2v.batch.planning.plan import plan_batch
from t2v.batch.run_folder.folder import work_of
from t2v.batch.running.schedule import Schedule
from t2v.batch.workers.engine import Load, Make
from t2v.plan.events import silent
from t2v.plan.options import Options
from t2v.runtime.adapter import Latents

QUICK = Options(model="doodle-128", num_inference_steps=2, num_frames=5, device="cpu")
PROMPTS = ("a red ball", "a blue cube on a hill", "a cat")


def plan_of(*prompts, **options):
    settled = QUICK.model_copy(update=options)
    return plan_batch([Item(prompt, settled) for prompt in prompts], Options(), seed=1)


@pytest.fixture
def open_at(tmp_path):
    """Opens makers with a folder each, ready for a plan; closes them afterwards."""
    makers = []

    def open_for(plan, folder="out"):
        maker = open_maker(Manner(tmp_path / folder, lanes=1, batch_size=3))
        makers.append(maker)
        prompts = [job.request.prompt for job in plan.jobs]
        maker.load(plan.groups[0], prompts, silent)
        return maker

    yield open_for
    for maker in makers:
        maker.close()


class Calls:
    """Counts how often the denoiser is called, and with how many videos; may refuse many at once."""

    def __init__(self, maker, error=None):
        self.sizes, self._error = [], error
        (lane,) = maker._model.lanes.all
        lane.pipe.transformer.register_forward_pre_hook(self.look, with_kwargs=True)

    def look(self, _, args, kwargs):
        size = len(kwargs.get("hidden_states", args[0] if args else None))
        self.sizes.append(size)
        if self._error and size > 1:
            raise self._error


def latents_of(maker, job):
    """Those that are kept until the driver of a run has written down that the video is done."""
    folder = work_of(maker._manner.folder, job.id) / "latents"
    return load_file(folder / "latents.safetensors")["latents"]


def levels(maker, job):
    """The frames of the kept latents, as they are before the codec."""
    lane = maker._model.lanes.first
    frames = lane.loaded.adapter.decode(lane.pipe, Latents(latents_of(maker, job)))
    return np.stack([np.round(frame * 255).astype(int) for frame in frames])


def test_one_call_makes_the_frames_of_single_calls(open_at, tmp_path):
    plan = plan_of(*PROMPTS)
    alone, together = open_at(plan, "alone"), open_at(plan, "together")
    single, many = Calls(alone), Calls(together)

    one = [alone.make([job], silent)[0] for job in plan.jobs]
    all_ = together.make(plan.jobs, silent)

    assert len(many.sizes) * 3 == len(single.sizes)
    assert set(many.sizes) == {3 * size for size in set(single.sizes)}
    for job in plan.jobs:
        ours, theirs = (latents_of(maker, job) for maker in (together, alone))
        torch.testing.assert_close(ours, theirs, atol=1e-3, rtol=0)
    for job, outcome, other in zip(plan.jobs, all_, one, strict=True):
        assert (outcome.key, outcome.status) == (job.key, "ok")
        assert outcome.record["batch_size"] == 3
        assert outcome.record["seed"] == job.request.seed
        assert "batch_size" not in other.record
        sidecar = (tmp_path / "together" / job.output).with_suffix(".json")
        assert json.loads(sidecar.read_text())["batch_size"] == 3
    assert len({outcome.frames_sha256 for outcome in all_}) == 3


def test_frames_of_one_call_are_within_one_level_of_those_of_single_calls(open_at):
    plan = plan_of(*PROMPTS)
    alone, together = open_at(plan, "alone"), open_at(plan, "together")
    for job in plan.jobs:
        alone.make([job], silent)
    together.make(plan.jobs, silent)

    for job in plan.jobs:
        ours, theirs = (levels(maker, job) for maker in (together, alone))
        assert np.ptp(theirs) > 20
        assert np.abs(ours - theirs).max() <= 1


@pytest.mark.parametrize(
    "error", [ValueError("no lists"), torch.OutOfMemoryError("CUDA out of memory")]
)
def test_what_fails_together_is_made_alone(open_at, error):
    plan = plan_of("a red ball", "a blue cube")
    maker, alone = open_at(plan), open_at(plan, "alone")
    calls = Calls(maker, error)

    outcomes = maker.make(plan.jobs, silent)

    assert calls.sizes[0] > 1
    assert [one.status for one in outcomes] == ["ok", "ok"]
    assert "batch_size" not in outcomes[0].record
    assert [one.frames_sha256 for one in outcomes] == [
        alone.make([job], silent)[0].frames_sha256 for job in plan.jobs
    ]


def test_an_interrupt_ends_all_of_a_call(open_at):
    plan = plan_of("a red ball", "a blue cube")

    def stop(event):
        if event.event == "step" and event.step == 1:
            raise KeyboardInterrupt

    outcomes = open_at(plan).make(plan.jobs, stop)

    assert [one.status for one in outcomes] == ["interrupted", "interrupted"]


def test_events_of_a_call_carry_the_id_of_each_job(open_at):
    plan = plan_of("a red ball", "a blue cube")
    steps = []

    def listen(event):
        if event.event == "step":
            steps.append((event.step, event.item))

    open_at(plan).make(plan.jobs, listen)

    one, other = (job.id for job in plan.jobs)
    assert [item for step, item in steps if step == 2] == [one, other]


def test_the_schedule_hands_out_alike_videos_for_one_call():
    plan = plan_of(*PROMPTS, "a dog")
    schedule = Schedule(plan.groups, plan.jobs, batch_size=3)
    schedule.joined("w")
    assert isinstance(schedule.work_for("w"), Load)
    schedule.loaded("w", 2)

    assert [schedule.work_for("w") for _ in range(2)] == [
        Make(tuple(plan.jobs[:3])),
        Make(tuple(plan.jobs[3:])),
    ]
