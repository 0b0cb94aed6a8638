"""Videos longer than a clip, from the request to the file, and on from where they were stopped."""

import json
from itertools import pairwise

import numpy as np
import pytest

import t2v
from t2v.api.latents import SavedRun
from t2v.api.work import work_folder, working
from t2v.errors import BusyError, DiskError, InterruptedRun, OutputExistsError, RequestError
from t2v.longvideo.checkpoint import frames_made
from t2v.media.metadata import read_metadata
from t2v.media.probe import probe
from t2v.plan.history import read_runs
from t2v.plan.longplan import settled_order
from t2v.plan.options import Options
from t2v.plan.request import MemoryPlan
from t2v.plan.resolve import resolve
from t2v.zoo.catalog import Zoo

LONG = {"num_frames": 30, "num_inference_steps": 2, "seed": 3, "width": 64, "height": 64}
"""Three windows of the embedded model."""
STORY = ["a red ball", {"at": "12f", "prompt": "a blue cube"}, {"at": "20f", "prompt": "a cat"}]


def stopping(event_name, count):
    """A listener that interrupts from the event of that number on, as after Ctrl-C."""
    left = [count]

    def listen(event):
        left[0] -= event.event == event_name
        if left[0] <= 0 and event.event in ("stage", "step", "frames"):
            raise KeyboardInterrupt

    return listen


@pytest.fixture(scope="module")
def whole(doodle):
    """The video of `LONG`, never interrupted."""
    return doodle.generate("a red ball", **LONG)


def test_a_long_video_has_the_frames_that_were_asked_for(whole):
    assert whole.frames.shape == (30, 64, 64, 3)
    assert whole.record["num_frames"] == 30
    assert whole.record["warnings"] == []


def test_what_ran_is_what_was_planned(doodle, tmp_path):
    options = t2v.Options(model="doodle-128", story=STORY, device="cpu", **LONG)
    plan = t2v.make_plan(None, options)
    video = doodle.run(plan.requests[0], output=tmp_path / "a.mp4", notes=plan.notes)

    printed = plan.to_dict()
    # The record goes into the file, where thousands of weights would not fit.
    windows = [{k: v for k, v in one.items() if k != "weights"} for one in printed["windows"]]
    assert video.record["windows"] == windows
    assert video.record["long"] == printed["long"]
    assert len(printed["windows"]) == 3
    record = read_metadata(tmp_path / "a.mp4")
    assert record["windows"] == windows
    assert {window["prompt"] for window in record["windows"]} == {
        "a red ball",
        "a blue cube",
        "a cat",
    }
    assert probe(tmp_path / "a.mp4").num_frames == 30


def test_steps_are_counted_over_all_windows(doodle, heard):
    doodle.generate("a red ball", listener=heard.append, **LONG)

    steps = [(event.step, event.of) for event in heard if event.event == "step"]
    assert steps == [(step, 6) for step in range(7)]


def test_frames_come_before_the_last_step(doodle, heard):
    doodle.generate("a red ball", listener=heard.append, **{**LONG, "num_frames": 60})

    kinds = [event.event for event in heard if event.event in ("step", "frames")]
    assert kinds.index("frames") < len(kinds) - kinds[::-1].index("step") - 1


def test_the_record_has_a_report_of_the_joins(whole):
    assert whole.record["report"]["seams"]["joins"] == 2


def test_decoding_and_writing_are_timed_apart_from_denoising(doodle, tmp_path):
    video = doodle.generate("a red ball", output=tmp_path / "a.mp4", **LONG)

    timings = video.record["timings_s"]
    assert min(timings["denoise"], timings["decode"], timings["write"]) > 0
    assert timings["total"] == pytest.approx(
        sum(value for name, value in timings.items() if name != "total"), abs=0.01
    )


def test_the_history_remembers_one_window(doodle, tmp_path):
    video = doodle.generate("a red ball", **LONG)

    (run,) = read_runs()
    assert run.workload.num_frames == 17
    assert run.timings_s["denoise"] == pytest.approx(video.record["timings_s"]["denoise"] / 3, 0.01)


def test_both_orders_make_the_same_frames(doodle, whole):
    lockstep = doodle.generate("a red ball", order="lockstep", **LONG)

    assert lockstep.record["long"]["order"] == "lockstep"
    np.testing.assert_array_equal(lockstep.frames, whole.frames)


def test_a_window_alone_is_the_plain_clip(doodle):
    options = {**LONG, "num_frames": 17}
    plain = doodle.generate("a red ball", **options)
    assert plain.record["windows"] == []
    assert plain.record["long"] is None


def test_shots_of_cut_are_the_clips_of_their_seeds(doodle):
    video = doodle.generate("a red ball", method="cut", **LONG)

    shots = video.record["long"]["shots"]
    assert [(shot["first_frame"], shot["num_frames"]) for shot in shots] == [(0, 15), (15, 15)]
    for shot in shots:
        options = {**LONG, "num_frames": 17, "seed": shot["seed"]}
        clip = doodle.generate("a red ball", **options)
        begin = shot["first_frame"]
        np.testing.assert_array_equal(video.frames[begin : begin + 15], clip.frames[:15])


def test_a_loop_has_no_jump_from_its_end_to_its_beginning(doodle):
    # After two steps there is hardly a picture yet, and every change is a jump.
    options = {**LONG, "num_frames": 32, "num_inference_steps": 8}
    video = doodle.generate("a red ball", loop=True, **options)

    frames = video.frames.astype(int)
    changes = [np.abs(after - before).mean() for before, after in pairwise(frames)]
    # As large as the largest within it; where nothing is closed it is 2.4 to 4.8 times that.
    assert np.abs(frames[0] - frames[-1]).mean() < 1.5 * max(changes)


def test_a_long_video_is_replayed_from_its_file(doodle, tmp_path):
    video = doodle.generate(None, story=STORY, output=tmp_path / "a.mp4", **LONG)
    again = t2v.replay_plan(tmp_path / "a.mp4")
    same = doodle.run(again.plan.requests[0])

    assert again.differences == ()
    assert same.record["frames_sha256"] == video.record["frames_sha256"]


def test_a_replay_can_begin_with_another_prompt(doodle, tmp_path):
    doodle.generate(None, story=STORY, output=tmp_path / "a.mp4", **LONG)

    request = t2v.replay_plan(tmp_path / "a.mp4", {"prompt": "a green cone"}).plan.requests[0]

    assert [cue.prompt for cue in request.story] == ["a green cone", "a blue cube", "a cat"]


def test_latents_of_a_long_video_are_not_saved(doodle, tmp_path):
    with pytest.raises(RequestError, match="--resume goes on from it"):
        doodle.generate("a red ball", output=tmp_path / "a.mp4", save_latents=True, **LONG)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_beside_a_finished_video(doodle, tmp_path):
    doodle.generate("a red ball", output=tmp_path / "a.mp4", **LONG)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "a.mp4"]


def stopped(doodle, output, event, count, **options):
    """Begin the video of `LONG` and stop it; what was said."""
    with pytest.raises(InterruptedRun) as caught:
        doodle.generate(
            "a red ball", output=output, listener=stopping(event, count), **LONG | options
        )
    return str(caught.value)


@pytest.mark.parametrize("method", ["windows", "cut"])
def test_what_was_stopped_goes_on_to_the_same_frames(doodle, tmp_path, method):
    output = tmp_path / "a.mp4"
    said = stopped(doodle, output, "frames", 17, method=method)
    work = tmp_path / "a.mp4.work"
    assert said.endswith(f"go on with: t2v generate --resume {work}")
    assert not output.exists()

    plan = t2v.resume_plan(work)
    video = doodle.run(plan.requests[0], output=output, resume=work)

    undisturbed = doodle.generate("a red ball", method=method, **LONG)
    assert video.record["frames_sha256"] == undisturbed.record["frames_sha256"]
    assert not work.exists()


def test_an_unfinished_folder_of_pictures_is_gone_on_with(doodle, tmp_path):
    stopped(doodle, tmp_path / "a", "frames", 17)
    plan = t2v.resume_plan(tmp_path / "a.work")

    list(t2v.run(plan, output=t2v.work_output(tmp_path / "a.work"), resume=tmp_path / "a.work"))

    assert len(list((tmp_path / "a").glob("*.png"))) == 30


def test_what_was_changed_in_a_request_is_still_told_when_it_goes_on(tmp_path):
    options = t2v.Options(model="doodle-128", overlap=3, **LONG)
    plan = t2v.make_plan("a red ball", options)
    with pytest.raises(InterruptedRun):
        list(t2v.run(plan, output=tmp_path / "a.mp4", listener=stopping("step", 4)))

    again = t2v.resume_plan(tmp_path / "a.mp4.work")

    assert "--overlap 3 -> 4, whole latent frames of Wan" in plan.notes
    assert again.notes == plan.notes


def test_unfinished_work_is_found_before_anything_is_loaded(doodle, tmp_path):
    stopped(doodle, tmp_path / "a.mp4", "frames", 17)
    plan = t2v.make_plan("a red ball", t2v.Options(model="doodle-128", **LONG))

    with pytest.raises(OutputExistsError, match=r"holds an unfinished video\. Go on with --resume"):
        t2v.output_paths(plan, tmp_path / "a.mp4")


@pytest.mark.parametrize("look", [t2v.inspect, t2v.replay_plan, t2v.decode])
def test_a_work_folder_is_no_video_and_no_latents(doodle, tmp_path, look):
    stopped(doodle, tmp_path / "a.mp4", "frames", 17)

    with pytest.raises(RequestError, match=r"Go on with it: t2v generate --resume .*a\.mp4\.work$"):
        look(tmp_path / "a.mp4.work")


@pytest.mark.parametrize("look", [t2v.inspect, t2v.replay_plan, t2v.resume_plan])
def test_finished_latents_are_to_be_decoded(doodle, tmp_path, look):
    options = {**LONG, "num_frames": 5}
    doodle.generate("a red ball", output=tmp_path / "a.mp4", save_latents=True, **options)

    with pytest.raises(RequestError, match=r"Decode them: t2v decode .*a\.mp4\.latents$"):
        look(tmp_path / "a.mp4.latents")


def test_what_goes_on_does_not_count_the_time_before(doodle, tmp_path, heard):
    stopped(doodle, tmp_path / "a.mp4", "step", 4)
    work = tmp_path / "a.mp4.work"
    request = t2v.resume_plan(work).requests[0]
    doodle.run(request, output=tmp_path / "a.mp4", resume=work, listener=heard.append)

    steps = [event for event in heard if event.event == "step"]
    assert steps[0].step > 0
    assert steps[0].seconds_per_step is None
    assert steps[-1].seconds_per_step < 60


def test_damaged_work_is_not_to_be_gone_on_with(doodle, tmp_path):
    stopped(doodle, tmp_path / "a.mp4", "step", 4)
    work = tmp_path / "a.mp4.work"
    next(work.glob("window-*")).unlink()
    request = t2v.resume_plan(work).requests[0]

    with pytest.raises(DiskError, match=r"cannot be read: [^\n]+ Begin again without --resume\.$"):
        doodle.run(request, output=tmp_path / "a.mp4", resume=work)
    assert (work / "run.json").exists()


def test_finished_shots_are_not_made_again(doodle, tmp_path, heard):
    stopped(doodle, tmp_path / "a.mp4", "frames", 16, method="cut")
    work = tmp_path / "a.mp4.work"
    request = t2v.resume_plan(work).requests[0]
    doodle.run(request, output=tmp_path / "a.mp4", resume=work, listener=heard.append)

    assert [event for event in heard if event.event == "step"] == []


def test_shots_of_other_weights_are_not_mixed_with_finished_ones(doodle, tmp_path):
    stopped(doodle, tmp_path / "a.mp4", "frames", 16, method="cut")
    work = tmp_path / "a.mp4.work"
    (request,) = t2v.resume_plan(work).requests
    bias = doodle.pipe.transformer.proj_out.bias.data
    before = bias.clone()
    bias += 1
    try:
        with pytest.raises(RequestError, match="begun with another weights"):
            doodle.run(request, output=tmp_path / "a.mp4", resume=work)
    finally:
        bias.copy_(before)


def test_an_unfinished_video_is_not_begun_again_unasked(doodle, tmp_path):
    stopped(doodle, tmp_path / "a.mp4", "frames", 16, method="cut")

    with pytest.raises(OutputExistsError, match=r"holds an unfinished video\. Go on with --resume"):
        doodle.generate("a red ball", output=tmp_path / "a.mp4", **LONG)
    doodle.generate("a red ball", output=tmp_path / "a.mp4", overwrite=True, **LONG)
    assert not (tmp_path / "a.mp4.work").exists()


def test_what_is_no_work_folder_is_left_alone(doodle, tmp_path):
    (tmp_path / "a.mp4.work").mkdir()
    (tmp_path / "a.mp4.work" / "mine.txt").write_text("mine")

    with pytest.raises(OutputExistsError, match="is in the way and no work of t2v"):
        doodle.generate("a red ball", output=tmp_path / "a.mp4", overwrite=True, **LONG)


def test_a_work_folder_that_a_run_was_killed_while_making_is_in_nobodys_way(doodle, tmp_path):
    (tmp_path / "a.mp4.work").mkdir()
    (tmp_path / "a.mp4.work" / ".run.json.x1y2").write_text("{")

    doodle.generate("a red ball", output=tmp_path / "a.mp4", **LONG)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "a.mp4"]


def test_unfinished_work_outlives_an_overwrite_that_cannot_begin(doodle, tmp_path):
    stopped(doodle, tmp_path / "a", "frames", 17)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "mine.txt").write_text("mine")

    with pytest.raises(OutputExistsError):
        doodle.generate("a red ball", output=tmp_path / "a", overwrite=True, **LONG)

    assert t2v.resume_plan(tmp_path / "a.work").requests[0].num_frames == 30


def test_two_runs_do_not_work_in_one_folder(doodle, tmp_path):
    stopped(doodle, tmp_path / "a.mp4", "frames", 16, method="cut")
    work = tmp_path / "a.mp4.work"
    request = t2v.resume_plan(work).requests[0]

    with (
        working(work, None, resume=True, overwrite=False),
        pytest.raises(BusyError, match="Another run is at work"),
    ):
        doodle.run(request, output=tmp_path / "a.mp4", resume=work)


def test_a_run_that_is_under_way_is_no_unfinished_video(doodle, tmp_path):
    stopped(doodle, tmp_path / "a.mp4", "frames", 16, method="cut")

    with (
        working(tmp_path / "a.mp4.work", None, resume=True, overwrite=False),
        pytest.raises(BusyError, match="Another run is at work"),
    ):
        doodle.generate("a red ball", output=tmp_path / "a.mp4", **LONG)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (None, "holds no unfinished video"),
        ("{", "is damaged"),
        ({"model": 5}, "is damaged"),
        ({"request": {}}, "Not a request of t2v"),
        ({"record": {}}, "was begun with other windows"),
        ({"story_file": 7}, "is damaged"),
    ],
)
def test_a_work_folder_of_a_stranger_is_checked(doodle, tmp_path, change, message):
    stopped(doodle, tmp_path / "a.mp4", "frames", 16, method="cut")
    run = tmp_path / "a.mp4.work" / "run.json"
    if change is None:
        run.unlink()
    elif isinstance(change, str):
        run.write_text(change)
    else:
        run.write_text(json.dumps(json.loads(run.read_text()) | change))

    with pytest.raises(RequestError, match=message):
        t2v.resume_plan(tmp_path / "a.mp4.work")


ENDLESS = {"endless": True, **{k: v for k, v in LONG.items() if k != "num_frames"}}


def test_a_video_without_an_end_is_whole_when_it_is_stopped(doodle, tmp_path):
    video = doodle.generate(
        "a red ball", output=tmp_path / "a.mp4", listener=stopping("frames", 29), **ENDLESS
    )

    assert video.record["num_frames"] == probe(tmp_path / "a.mp4").num_frames == 29
    assert video.record["request"]["num_frames"]["value"] == 29
    assert [window["first_frame"] for window in video.record["windows"]] == [0, 13, 25]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "a.mp4"]


def test_a_stop_while_denoising_keeps_the_frames_that_are_there(doodle):
    video = doodle.generate("a red ball", listener=stopping("step", 8), **ENDLESS)

    assert 0 < video.record["num_frames"] == len(video.frames)


def test_a_video_that_is_stopped_before_its_first_frame_is_none(doodle, tmp_path):
    with pytest.raises(InterruptedRun, match=r"Stopped[^$]*--resume"):
        doodle.generate(
            "a red ball", output=tmp_path / "a.mp4", listener=stopping("step", 2), **ENDLESS
        )
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4.work"]


def failing(event_name, count):
    """A listener that fails at the event of that number, as a crash does."""
    left = [count]

    def listen(event):
        left[0] -= event.event == event_name
        if not left[0]:
            raise DiskError("No space")

    return listen


def test_a_video_without_an_end_goes_on_after_a_crash(doodle, tmp_path):
    output = tmp_path / "a.mp4"
    whole = doodle.generate("a red ball", listener=stopping("frames", 41), **ENDLESS)

    with pytest.raises(DiskError, match="--resume"):
        doodle.generate("a red ball", output=output, listener=failing("frames", 20), **ENDLESS)
    (request,) = t2v.resume_plan(work_folder(output)).requests
    work = work_folder(output)
    video = doodle.run(request, output=output, resume=work, listener=stopping("frames", 41))

    assert video.record["frames_sha256"] == whole.record["frames_sha256"]
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["a.json", "a.mp4"]


def test_what_was_made_before_a_crash_is_in_the_video_however_early_it_is_stopped(doodle, tmp_path):
    output, work = tmp_path / "a.mp4", work_folder(tmp_path / "a.mp4")
    with pytest.raises(DiskError):
        doodle.generate("a red ball", output=output, listener=failing("frames", 40), **ENDLESS)
    (request,) = t2v.resume_plan(work).requests
    num_made = frames_made(work, request.long)

    video = doodle.run(request, output=output, resume=work, listener=stopping("frames", 3))

    assert video.record["num_frames"] == num_made >= 29


def test_a_stopped_video_without_an_end_is_replayed_to_where_it_was(doodle, tmp_path):
    video = doodle.generate(
        "a red ball", output=tmp_path / "a.mp4", listener=stopping("frames", 29), **ENDLESS
    )
    again = t2v.replay_plan(tmp_path / "a.mp4")
    same = doodle.run(again.plan.requests[0])

    assert same.record["frames_sha256"] == video.record["frames_sha256"]


def added_to(story, entry, *, until):
    """Begin the file of a story; a listener that adds to it while the video is made, up to a frame."""
    story.write_text("- a red ball\n")

    def listen(event):
        if event.event == "frames" and event.step == 5:
            story.write_text(f"- a red ball\n- {entry}\n")
        elif event.event == "frames" and event.step == until:
            raise KeyboardInterrupt

    return listen


def test_prompts_that_are_added_meanwhile_are_shown_by_the_next_windows(doodle, tmp_path):
    story = tmp_path / "story.yaml"
    listen = added_to(story, "a blue cube", until=50)

    video = doodle.generate(
        None, story=str(story), output=tmp_path / "a.mp4", listener=listen, **ENDLESS
    )

    prompts = [window["prompt"] for window in video.record["windows"]]
    assert set(prompts) == {"a red ball", "a blue cube"}
    assert prompts == sorted(prompts, reverse=True)
    assert [cue["prompt"] for cue in video.record["request"]["story"]["value"]] == [
        "a red ball",
        "a blue cube",
    ]
    same = doodle.run(t2v.replay_plan(tmp_path / "a.mp4").plan.requests[0])
    assert same.record["frames_sha256"] == video.record["frames_sha256"]


def test_a_cut_that_is_added_meanwhile_begins_a_shot(doodle, tmp_path):
    story = tmp_path / "story.yaml"
    listen = added_to(story, "{prompt: a blue box, cut: true, seed: 8}", until=60)

    video = doodle.generate(
        None, story=str(story), output=tmp_path / "a.mp4", listener=listen, **ENDLESS
    )

    first, second = video.record["long"]["shots"]
    assert (first["first_frame"], first["seed"], second["seed"]) == (0, 3, 8)
    assert first["num_frames"] + second["num_frames"] == 60
    assert video.record["report"]["cuts"] == [second["first_frame"]] == [first["num_frames"]]
    shown = {(window["shot"], window["prompt"]) for window in video.record["windows"]}
    assert shown == {(0, "a red ball"), (1, "a blue box")}
    same = doodle.run(t2v.replay_plan(tmp_path / "a.mp4").plan.requests[0])
    assert same.record["frames_sha256"] == video.record["frames_sha256"]


def test_prompts_behind_the_last_frame_count_in_a_replay(doodle, tmp_path):
    """Their windows were blended with those that are shown."""
    story = [{"prompt": "a red ball"}, {"at": "14f", "prompt": "a blue cube"}]
    video = doodle.generate(
        None, story=story, output=tmp_path / "a.mp4", listener=stopping("frames", 6), **ENDLESS
    )

    assert video.record["num_frames"] == 6
    assert video.record["long"]["shots"][0]["num_latents"] == 3
    same = doodle.run(t2v.replay_plan(tmp_path / "a.mp4").plan.requests[0])
    assert same.record["frames_sha256"] == video.record["frames_sha256"]


def test_a_story_file_that_breaks_is_said_while_the_video_goes_on(doodle, tmp_path, heard):
    story = tmp_path / "story.yaml"
    story.write_text("- a red ball\n")

    def listen(event):
        heard.append(event)
        if event.event == "frames" and event.step == 5:
            story.write_text("- {at: soon\n")
        elif event.event == "frames" and event.step == 40:
            raise KeyboardInterrupt

    doodle.generate(None, story=str(story), listener=listen, **ENDLESS)

    kinds = [event.event for event in heard]
    assert "frames" in kinds[kinds.index("warning") :]


def test_a_story_file_that_breaks_meanwhile_does_not_end_the_video(doodle, tmp_path):
    story = tmp_path / "story.yaml"
    story.write_text("- a red ball\n")

    def listen(event):
        if event.event == "frames" and event.step == 5:
            story.write_text("- {at: soon\n")
        elif event.event == "frames" and event.step == 40:
            raise KeyboardInterrupt

    video = doodle.generate(None, story=str(story), listener=listen, **ENDLESS)

    (warning,) = video.record["warnings"]
    assert "story.yaml:" in warning
    assert warning.endswith("the story goes on as it was")


def test_a_run_of_two_denoisers_goes_on_in_the_order_that_it_began_in():
    spec = Zoo.load(overlays=False).find("wan2.2-t2v-a14b")
    asked = resolve(spec, "a fox", [("flag", Options(num_frames=200, seed=7))])[0]
    begun = settled_order(spec, asked, "model")
    saved = SavedRun.of(spec, begun, MemoryPlan("model", False, "test"), {})

    (again,) = SavedRun.from_json(saved.to_json()).plan().requests

    assert (asked.long.order, begun.long.order) == ("wavefront", "lockstep")
    assert again.long == begun.long
