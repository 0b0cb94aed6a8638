"""The maker of real videos: the frames of `t2v generate`, in lanes, and little lost by a crash."""

import functools
import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import t2v
from t2v.batch.items import Item
from t2v.batch.makers.maker import VideoMaker, open_maker
from t2v.batch.making import Manner
from t2v.batch.planning.plan import plan_batch
from t2v.batch.run_folder.finished import num_bytes_of, sha256_of
from t2v.batch.run_folder.folder import work_of
from t2v.errors import RequestError
from t2v.longvideo import evaluations
from t2v.media.metadata import read_metadata
from t2v.plan.events import silent
from t2v.plan.forecast import forecast
from t2v.plan.history import read_runs
from t2v.plan.options import Options

QUICK = Options(model="doodle-128", num_inference_steps=2, num_frames=5, device="cpu")


def plan_of(*prompts, **options):
    settled = QUICK.model_copy(update=options)
    return plan_batch([Item(prompt, settled) for prompt in prompts], Options(), seed=1)


def text_of(plan):
    return [job.request.prompt for job in plan.jobs]


@pytest.fixture
def open_at(tmp_path):
    """Opens makers that write to `tmp_path`, ready for a plan; closes them afterwards."""
    makers: list[VideoMaker] = []

    def open_for(plan, **manner):
        maker = open_maker(Manner(tmp_path, **manner))
        makers.append(maker)
        maker.load(plan.groups[0], text_of(plan), silent)
        return maker

    yield open_for
    for maker in makers:
        maker.close()


@functools.cache
def doodle():
    return t2v.load("doodle-128", device="cpu")


def alone(job):
    """The frames that `t2v generate` makes of the same request."""
    return doodle().run(job.request).record["frames_sha256"]


class StopAt:
    """Listens like a user who presses Ctrl-C at a moment."""

    def __init__(self, stage, step):
        self.moment, self.stages = (stage, step), []

    def __call__(self, event):
        self.stages.append(event.stage)
        if (event.stage, event.step) == self.moment:
            raise KeyboardInterrupt


def test_a_video_of_a_batch_is_the_one_that_generate_makes(open_at, tmp_path):
    plan = plan_of("a red ball")
    (job,) = plan.jobs

    (outcome,) = open_at(plan).make([job], silent)

    output = tmp_path / job.output
    assert (outcome.key, outcome.status, outcome.output) == (job.key, "ok", job.output)
    assert outcome.frames_sha256 == alone(job)
    assert (outcome.num_bytes, outcome.sha256) == (num_bytes_of(output), sha256_of(output))
    assert outcome.failure is None
    assert outcome.seconds > 0
    assert read_metadata(output)["key"] == outcome.record["key"] == job.key


def test_lanes_make_the_frames_that_one_lane_makes(open_at):
    plan = plan_of("a red ball", "a blue cube", "a cat", "a green star")
    single = open_at(plan, lanes=1)
    one = [single.make([job], silent)[0] for job in plan.jobs]
    maker = open_at(plan, lanes=2)

    with ThreadPoolExecutor(2) as lanes:
        two = list(lanes.map(lambda job: maker.make([job], silent)[0], plan.jobs))

    assert [o.frames_sha256 for o in two] == [o.frames_sha256 for o in one]
    assert len({o.frames_sha256 for o in two}) == 4


def test_how_long_a_video_took_is_remembered_with_the_number_of_lanes(open_at):
    plan = plan_of("a red ball")

    open_at(plan, lanes=2).make(plan.jobs, silent)

    (run,) = read_runs()
    assert run.workload.num_lanes == 2
    assert (
        forecast(plan.groups[0].spec, plan.jobs[0].request, run.workload.device_name, [run]) is None
    )


@contextmanager
def busy_with_another():
    time.sleep(0.5)
    yield


def test_what_a_lane_waits_for_another_is_remembered_as_part_of_its_video(open_at):
    plan = plan_of("a red ball")
    maker = open_at(plan, lanes=2)
    maker._model.lanes.denoising = busy_with_another()

    (outcome,) = maker.make(plan.jobs, silent)

    (run,) = read_runs()
    assert run.timings_s["denoise"] >= outcome.record["timings_s"]["denoise"] + 0.5


def test_a_video_that_is_gone_on_with_is_not_remembered_as_a_quick_one(open_at):
    plan = plan_of("a red ball")
    open_at(plan).make(plan.jobs, StopAt("decode", 2))

    open_at(plan).make(plan.jobs, silent)

    assert read_runs() == []


def test_lanes_share_all_weights(open_at):
    first, second = open_at(plan_of("a ball"), lanes=2)._model.lanes.all

    for name in ("transformer", "vae", "text_encoder"):
        one, other = getattr(first.pipe, name), getattr(second.pipe, name)
        assert one is not other
        assert [id(w) for w in one.parameters()] == [id(w) for w in other.parameters()]
        assert [id(w) for w in one.buffers()] == [id(w) for w in other.buffers()]
    assert first.pipe.scheduler is not second.pipe.scheduler


def test_there_are_as_many_lanes_as_torch_has_threads(tmp_path):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        maker = open_maker(Manner(tmp_path))
        plan = plan_of("a ball")
        assert maker.load(plan.groups[0], text_of(plan), silent) == 2
        maker.make(plan.jobs, silent)
        assert torch.get_num_threads() == 1
        maker.close()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_events_carry_the_id_of_their_job(open_at):
    plan = plan_of("a red ball")
    heard = []

    open_at(plan).make(plan.jobs, heard.append)

    assert {event.item for event in heard} == {plan.jobs[0].id}
    assert heard[-1].event == "done"


def test_what_was_denoised_is_not_denoised_again(open_at, tmp_path):
    plan = plan_of("a red ball")
    (job,) = plan.jobs
    (stopped,) = open_at(plan).make([job], StopAt("decode", 2))
    again = StopAt(None, -1)

    (outcome,) = open_at(plan).make([job], again)

    assert (stopped.status, stopped.output) == ("interrupted", None)
    assert "denoise" not in again.stages
    assert outcome.frames_sha256 == alone(job)
    assert outcome.record["key"] == job.key


def test_latents_of_another_request_are_not_taken(open_at, tmp_path):
    plan = plan_of("a red ball")
    (job,) = plan.jobs
    open_at(plan).make([job], StopAt("decode", 2))
    other = replace(job, request=replace(job.request, seed=job.request.seed + 1))

    (outcome,) = open_at(plan).make([other], silent)

    assert outcome.frames_sha256 == alone(other)


@pytest.mark.parametrize("name", ["latents.safetensors", "run.json"])
def test_damaged_latents_are_made_again(open_at, tmp_path, name):
    plan = plan_of("a red ball")
    (job,) = plan.jobs
    open_at(plan).make([job], StopAt("decode", 2))
    file = work_of(tmp_path, job.id) / "latents" / name
    file.write_bytes(file.read_bytes()[:60])

    (outcome,) = open_at(plan).make([job], silent)

    assert outcome.frames_sha256 == alone(job)


def test_a_clip_goes_on_where_it_was_stopped(open_at, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluations, "EVERY_S", 0)
    plan = plan_of("a red ball", num_inference_steps=4)
    (job,) = plan.jobs
    (stopped,) = open_at(plan).make([job], StopAt("denoise", 3))
    maker, made = open_at(plan), []
    head = maker._model.lanes.first.pipe.transformer.proj_out
    head.register_forward_hook(lambda *_: made.append(1))

    (outcome,) = maker.make([job], silent)

    assert stopped.status == "interrupted"
    assert len(made) == 2  # the last step, with and without the prompt
    assert outcome.frames_sha256 == alone(job)


@pytest.mark.slow
def test_a_long_video_goes_on_where_it_was_stopped(open_at, tmp_path):
    plan = plan_of("a red ball", num_frames=33)
    (job,) = plan.jobs
    assert job.request.long is not None
    of_all = StopAt("decode", 20)
    (stopped,) = open_at(plan).make([job], of_all)
    again = StopAt(None, -1)

    (outcome,) = open_at(plan).make([job], again)

    assert stopped.status == "interrupted"
    assert 0 < again.stages.count("denoise") < of_all.stages.count("denoise") + 8
    assert outcome.frames_sha256 == alone(job)


def test_a_failure_is_an_outcome_and_the_next_video_is_made(open_at, tmp_path):
    plan = plan_of("a red ball", "a blue cube")
    bad, good = plan.jobs
    maker = open_at(plan)

    (failed,) = maker.make([replace(bad, request=replace(bad.request, width=24))], silent)
    (made,) = maker.make([good], silent)

    assert (failed.status, failed.failure.kind, failed.failure.type) == (
        "failed",
        "request",
        RequestError.__name__,
    )
    assert made.status == "ok"


def test_frames_that_look_broken_are_told(open_at):
    plan = plan_of("a red ball")
    maker = open_at(plan, lanes=1)
    head = maker._model.lanes.first.pipe.vae.decoder.conv_out
    torch.nn.init.zeros_(head.weight)
    torch.nn.init.constant_(head.bias, -1.0)

    (outcome,) = maker.make(plan.jobs, silent)

    assert (outcome.status, outcome.failure.kind, outcome.failure.exit_code) == (
        "suspect",
        "suspect",
        4,
    )
    assert outcome.num_bytes


class Crowded:
    """A decoder that needs more memory than there is, as long as a condition holds."""

    def __init__(self, lane, is_too_much):
        vae = lane.pipe.vae
        self.num_failures, self._is_too_much = 0, is_too_much
        vae.decoder.register_forward_pre_hook(self.look)

    def look(self, *_):
        if self._is_too_much(self):
            self.num_failures += 1
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


def test_memory_that_runs_out_once_is_tried_again_with_nothing_beside(open_at):
    plan = plan_of("a red ball")
    maker = open_at(plan, lanes=1)
    Crowded(maker._model.lanes.first, lambda decoder: decoder.num_failures < 1)

    (outcome,) = maker.make(plan.jobs, silent)

    assert outcome.status == "ok"
    assert outcome.frames_sha256 == alone(plan.jobs[0])
    assert "no other video beside it" in outcome.record["warnings"][0]


def test_memory_that_does_not_suffice_is_decoded_in_tiles_and_the_next_begins_with_that(open_at):
    plan = plan_of("a red ball", "a blue cube")
    maker = open_at(plan, lanes=1)
    vae = maker._model.lanes.first.pipe.vae
    decoder = Crowded(maker._model.lanes.first, lambda _: not vae.use_tiling)

    first, second = (maker.make([job], silent)[0] for job in plan.jobs)

    assert (first.status, second.status, decoder.num_failures) == ("ok", "ok", 2)
    assert first.record["memory"] == {"rung": "none", "vae_tiling": True}
    assert "decoded in tiles" in second.record["warnings"][0]
    assert not vae.use_tiling


def test_memory_that_never_suffices_is_a_failure_of_that_video_alone(open_at):
    plan = plan_of("a red ball")
    maker = open_at(plan, lanes=1)
    Crowded(maker._model.lanes.first, lambda _: True)

    (outcome,) = maker.make(plan.jobs, silent)

    assert (outcome.status, outcome.failure.kind) == ("failed", "memory")


def test_a_video_that_comes_while_the_weights_move_waits_for_them(open_at):
    plan = plan_of("a red ball")
    maker = open_at(plan, lanes=1)
    model = maker._model
    with ThreadPoolExecutor() as threads:
        with model.lanes.alone():
            model.lanes.close()
            made = threads.submit(maker.make, plan.jobs, silent)
            wait([made], timeout=0.3)
            model.lanes.become(model._load(plan.groups[0].memory))
        (outcome,) = made.result()

    assert outcome.status == "ok"
    assert outcome.frames_sha256 == alone(plan.jobs[0])


def test_what_lies_where_a_video_goes_is_moved_and_not_lost(open_at, tmp_path):
    plan = plan_of("a red ball")
    (job,) = plan.jobs
    (tmp_path / job.output).write_bytes(b"of somebody else")

    (outcome,) = open_at(plan).make([job], silent)

    aside = (tmp_path / job.output).with_stem(f"{Path(job.output).stem}.old-1")
    assert outcome.status == "ok"
    assert aside.read_bytes() == b"of somebody else"


def parts_in_memory(maker):
    pipe = maker._model.lanes.first.pipe
    return {name for name, part in pipe.components.items() if isinstance(part, torch.nn.Module)}


def test_prompts_encoded_first_leave_no_text_encoder_in_memory_and_the_same_frames(open_at):
    plan = plan_of("a red ball", "a blue cube")
    maker = open_at(plan, encode_first=True)

    outcomes = [maker.make([job], silent)[0] for job in plan.jobs]

    assert parts_in_memory(maker) == {"transformer", "vae"}
    assert [o.frames_sha256 for o in outcomes] == [alone(job) for job in plan.jobs]


def test_a_prompt_that_was_not_encoded_first_is_encoded_when_it_comes(open_at):
    plan, later = plan_of("a red ball"), plan_of("a cat on a hill", negative_prompt="a dog")
    maker = open_at(plan, encode_first=True)

    (outcome,) = maker.make(later.jobs, silent)

    assert outcome.frames_sha256 == alone(later.jobs[0])
    assert parts_in_memory(maker) == {"transformer", "vae"}
