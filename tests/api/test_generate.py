"""A prompt goes in, a video comes out, and its record says how."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import t2v
from t2v.errors import OutputExistsError, RequestError, SuspectError
from t2v.media.metadata import read_metadata
from t2v.media.probe import probe, read_frames
from t2v.runtime.seeds import generator as seeded
from tests.api.conftest import QUICK


def test_frames_stay_in_memory_without_an_output(doodle):
    video = doodle.generate("a red ball", **QUICK)

    assert video.frames.shape == (5, 128, 128, 3)
    assert video.frames.dtype == np.uint8
    assert video.output is None


def test_frames_are_those_of_a_direct_call_of_diffusers(doodle):
    video = doodle.generate("a red ball", **QUICK)

    with torch.no_grad():
        direct = doodle.pipe(
            "a red ball",
            negative_prompt="",
            height=128,
            width=128,
            num_frames=5,
            num_inference_steps=2,
            guidance_scale=doodle.spec.defaults.guidance_scale or 5.0,
            max_sequence_length=doodle.spec.defaults.max_sequence_length,
            generator=seeded(3),
            output_type="np",
        ).frames[0]
    np.testing.assert_array_equal(video.frames, np.rint(direct * 255).astype(np.uint8))


def test_the_digest_is_of_the_raw_frames(doodle):
    video = doodle.generate("a red ball", **QUICK)

    expected = hashlib.sha256(video.frames.tobytes()).hexdigest()
    assert video.record["frames_sha256"] == expected


def test_the_same_seed_gives_the_same_frames_and_another_seed_others(doodle):
    digests = [
        doodle.generate("a red ball", **{**QUICK, "seed": seed}).record["frames_sha256"]
        for seed in (3, 3, 4)
    ]

    assert digests[0] == digests[1] != digests[2]


def test_a_file_has_the_frames_and_the_rate_of_the_plan(doodle, tmp_path):
    video = doodle.generate("a red ball", output=tmp_path / "ball.mp4", **QUICK)

    facts = probe(video.output)
    assert (facts.width, facts.height, facts.num_frames, facts.fps) == (128, 128, 5, 8)
    assert video.frames is None


def test_a_folder_takes_lossless_frames(doodle, tmp_path):
    in_memory = doodle.generate("a red ball", **QUICK)
    on_disk = doodle.generate("a red ball", output=tmp_path / "frames/", codec="png", **QUICK)

    np.testing.assert_array_equal(np.stack(list(read_frames(on_disk.output))), in_memory.frames)


def test_frames_in_memory_can_be_saved_later(doodle, tmp_path):
    video = doodle.generate("a red ball", **QUICK).save(tmp_path / "ball.mp4")

    assert probe(video.output).num_frames == 5
    assert read_metadata(video.output)["prompt"] == "a red ball"


def test_the_record_in_the_file_says_how_it_was_made(doodle, tmp_path):
    video = doodle.generate("a red ball", output=tmp_path / "ball.mp4", **QUICK)

    record = read_metadata(video.output)
    assert record["prompt"] == "a red ball"
    assert record["request"]["seed"] == {"value": 3, "origin": "call"}
    assert record["request"]["width"] == {"value": 128, "origin": "zoo"}
    assert record["model"] == "doodle-128"
    assert record["versions"]["torch"] == torch.__version__
    assert record["frames_sha256"] == video.record["frames_sha256"]
    assert record["windows"] == []


def test_the_record_is_json_and_names_no_folder_of_this_machine(doodle, tmp_path):
    video = doodle.generate("a red ball", output=tmp_path / "ball.mp4", **QUICK)

    assert str(tmp_path) not in json.dumps(video.record)


def test_notes_of_the_record_name_no_folder_of_this_machine(doodle, tmp_path):
    request = t2v.make_plan("a", t2v.Options(**QUICK)).requests[0]
    video = doodle.run(request, notes=[f"{tmp_path}/weights.bin was passed over"])

    assert video.record["notes"] == ["weights.bin was passed over"]


def test_it_is_said_where_the_metadata_went_when_its_place_was_taken(doodle, tmp_path, heard):
    (tmp_path / "ball.json").write_text("{}")
    video = doodle.generate(
        "a red ball", output=tmp_path / "ball.mp4", listener=heard.append, **QUICK
    )

    note = "ball.json holds something else; metadata is in ball.mp4.json"
    assert video.record["warnings"] == [note]
    assert note in [event.message for event in heard]


def test_metadata_can_be_left_out(doodle, tmp_path):
    video = doodle.generate("a red ball", output=tmp_path / "b.mp4", metadata=False, **QUICK)

    assert [path.name for path in tmp_path.iterdir()] == ["b.mp4"]
    with pytest.raises(RequestError, match="does not say how it was made"):
        read_metadata(video.output)


def test_an_existing_file_is_not_replaced(doodle, tmp_path):
    output = tmp_path / "ball.mp4"
    output.write_bytes(b"precious")

    with pytest.raises(OutputExistsError):
        doodle.generate("a red ball", output=output, **QUICK)
    assert output.read_bytes() == b"precious"


def test_an_existing_file_is_replaced_when_told(doodle, tmp_path):
    output = tmp_path / "ball.mp4"
    output.write_bytes(b"worthless")

    doodle.generate("a red ball", output=output, overwrite=True, **QUICK)
    assert probe(output).num_frames == 5


def test_what_loading_settles_is_refused_in_a_call(doodle):
    with pytest.raises(RequestError, match=r"device, dtype: settled when the model is loaded"):
        doodle.generate("a red ball", device="cpu", dtype="float32")


def test_a_device_that_is_not_there_is_refused_before_the_download():
    with pytest.raises(RequestError, match="sees no xpu device"):
        t2v.load("wan2.1-t2v-1.3b", device="xpu")


def test_several_videos_are_refused_in_a_call_and_not_passed_over(doodle):
    with pytest.raises(RequestError, match=r"num_videos: generate makes one video"):
        doodle.generate("a red ball", num_videos=2)


def test_frames_saved_later_are_encoded_as_the_call_said(doodle, tmp_path):
    sizes = [
        doodle.generate("a red ball", crf=crf, codec="hevc", **QUICK)
        .save(tmp_path / f"{crf}.mp4")
        .output.stat()
        .st_size
        for crf in (5, 50)
    ]

    assert probe(tmp_path / "5.mp4").codec == "hevc"
    assert sizes[0] > sizes[1]


def test_frames_are_snapped_and_the_record_says_so(doodle):
    video = doodle.generate("a red ball", **{**QUICK, "num_frames": 6})

    assert video.record["num_frames"] == 5
    assert video.record["notes"] == ["6 frames -> 5, Wan makes 4n+1"]


def test_the_listener_hears_stages_steps_and_frames(doodle, heard):
    doodle.generate("a red ball", listener=heard.append, **QUICK)

    stages = [event.stage for event in heard if event.event == "stage"]
    steps = [(event.step, event.of) for event in heard if event.event == "step"]
    frames = [event.step for event in heard if event.event == "frames"]
    assert stages == ["encode", "denoise", "decode"]
    assert steps == [(0, 2), (1, 2), (2, 2)]
    assert frames == [1, 2, 3, 4, 5]
    assert heard[-1].event == "done"


def test_the_eta_counts_the_steps_that_are_left(doodle, heard):
    doodle.generate("a red ball", listener=heard.append, **QUICK)

    halfway = next(event for event in heard if event.step == 1 and event.event == "step")
    assert halfway.eta_s >= halfway.seconds_per_step > 0


def test_the_eta_is_known_before_the_first_step_from_earlier_runs(doodle, heard):
    doodle.generate("a red ball", **QUICK)
    doodle.generate("a blue box", listener=heard.append, **QUICK)

    first = next(event for event in heard if event.event == "step")
    frames = [event.eta_s for event in heard if event.event == "frames"]
    assert (first.step, first.seconds_per_step) == (0, None)
    assert first.eta_s > frames[0] > frames[-1] == 0


def test_what_load_was_not_asked_has_the_origin_of_whoever_decided(doodle):
    origins = doodle.generate("a red ball", **QUICK).record["request"]

    assert origins["device"] == {"value": "cpu", "origin": "load"}
    assert origins["dtype"] == {"value": "auto", "origin": "t2v"}
    assert origins["scheduler"]["origin"] in ("zoo", "pipeline")


def test_the_record_says_the_memory_rung_that_ran_where_torch_sees_no_gpu():
    plan = t2v.make_plan("a red ball", t2v.Options(device="cpu", **QUICK))
    gpu = replace(plan.machine, device="cuda", device_name="Some GPU")
    planned = replace(plan, memory=replace(plan.memory, rung="model"), machine=gpu)

    (video,) = t2v.run(planned, output=[None])

    assert video.record["memory"]["rung"] == "none"
    assert "this torch does not see Some GPU; the model runs on the CPU" in video.record["warnings"]


def test_timings_add_up(doodle):
    timings = doodle.generate("a red ball", **QUICK).record["timings_s"]

    parts = sum(timings[stage] for stage in ("load", "encode", "denoise", "decode", "write"))
    assert timings["total"] == pytest.approx(parts, abs=0.001)


def test_several_videos_of_a_plan_have_a_seed_each(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = t2v.Options(num_videos=2, num_frames=5, num_inference_steps=1, seed=3, device="cpu")

    videos = list(t2v.run(t2v.make_plan("a red ball", options), output="ball.mp4"))

    assert [video.output.name for video in videos] == ["ball-1.mp4", "ball-2.mp4"]
    seeds = [video.record["seed"] for video in videos]
    assert seeds[0] == 3 != seeds[1]
    assert videos[1].record["request"]["seed"]["origin"] == "derived from 3"


def test_strict_refuses_what_looks_broken(doodle, monkeypatch):
    decoder = doodle.pipe.vae.decoder.conv_out
    monkeypatch.setattr(decoder.bias, "data", torch.full_like(decoder.bias, -100.0))

    video = doodle.generate("a red ball", **QUICK)
    assert video.status == "suspect"
    assert video.record["guard"]["suspect"] == ["all black"]
    with pytest.raises(SuspectError, match="all black"):
        doodle.generate("a red ball", strict=True, **QUICK)
