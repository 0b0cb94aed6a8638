"""A video explains and reproduces itself, from the file alone."""

import json
import shutil

import pytest

import t2v
from t2v.api import record
from t2v.errors import RequestError, UnknownModelError
from t2v.media.metadata import read_metadata
from tests.api.conftest import QUICK


@pytest.fixture(scope="module")
def clip(doodle, tmp_path_factory):
    """A finished video, away from where its sidecar is."""
    made = tmp_path_factory.mktemp("made")
    video = doodle.generate("a red ball", output=made / "ball.mp4", **QUICK)
    alone = tmp_path_factory.mktemp("alone") / "ball.mp4"
    shutil.copy(video.output, alone)
    return alone


def test_inspect_reads_all_from_the_file_alone(clip):
    facts = t2v.inspect(clip)

    assert facts["record"]["request"]["seed"] == {"value": 3, "origin": "call"}
    assert facts["file"]["fps"] == "8"
    assert facts["file"]["color_primaries"] == "bt709"


def test_inspect_of_a_video_without_a_record_says_what_the_container_says(doodle, tmp_path):
    path = doodle.generate("a", output=tmp_path / "b.mp4", metadata=False, **QUICK).output

    facts = t2v.inspect(path)

    assert facts["record"] is None
    assert facts["file"]["num_frames"] == 5


def test_inspect_of_a_sidecar_has_the_record_alone(doodle, tmp_path):
    doodle.generate("a red ball", output=tmp_path / "ball.mp4", **QUICK)

    facts = t2v.inspect(tmp_path / "ball.json")

    assert facts["file"] is None
    assert facts["record"]["prompt"] == "a red ball"


def test_replay_makes_the_same_frames(clip, tmp_path):
    again = t2v.replay_plan(clip)
    (video,) = t2v.run(again.plan, output=tmp_path / "again.mp4")

    assert again.differences == ()
    assert video.record["frames_sha256"] == again.frames_sha256


def test_replay_takes_changes(clip):
    again = t2v.replay_plan(clip, {"seed": "8", "prompt": "a blue box", "steps": "4"})

    request = again.plan.requests[0]
    assert (request.seed, request.prompt, request.num_inference_steps) == (8, "a blue box", 4)
    assert request.num_frames == 5
    assert again.frames_sha256 is None


def test_replay_says_which_versions_differ(doodle, tmp_path, monkeypatch):
    path = doodle.generate("a", output=tmp_path / "b.mp4", **QUICK).output
    present = record.versions() | {"t2v": "9.9.9"}
    monkeypatch.setattr(record, "versions", lambda: present)

    differences = t2v.replay_plan(path).differences

    assert differences == (f"t2v {t2v.__version__} then, 9.9.9 now",)


@pytest.fixture
def changed(clip, tmp_path):
    """A function that writes the clip's record with other values, as a sidecar."""

    def write(**values):
        record = read_metadata(clip)
        for name, value in values.items():
            if name in record["request"]:
                record["request"][name]["value"] = value
            else:
                record[name] = value
        path = tmp_path / "changed.json"
        path.write_text(json.dumps(record))
        return path

    return write


def test_replay_takes_the_revision_that_made_the_video(changed):
    again = t2v.replay_plan(changed(model="wan2.1-t2v-1.3b", revision="ab" * 20))

    assert (again.plan.spec.name, again.plan.spec.revision) == ("wan2.1-t2v-1.3b", "ab" * 20)


def test_replay_says_what_the_entry_of_the_model_now_says_otherwise(changed):
    again = t2v.replay_plan(
        changed(max_sequence_length=7, further_arguments={"guidance_rescale": 1})
    )

    assert again.differences == (
        "max_sequence_length 7 then, 24 now",
        "further_arguments {'guidance_rescale': 1} then, {} now",
    )


def test_replay_says_that_the_device_is_another(changed):
    path = changed()
    record = json.loads(path.read_text())
    record["device"]["type"] = "mps"
    path.write_text(json.dumps(record))

    again = t2v.replay_plan(path)

    assert again.differences == ("device 'mps' then, 'cpu' now",)


def test_replay_of_a_model_in_a_folder_says_how_to_name_it(changed):
    with pytest.raises(UnknownModelError, match="--set model=FOLDER"):
        t2v.replay_plan(changed(model="my-own-wan"))


def test_replay_with_a_lora_from_a_file_says_how_to_name_it(changed):
    lora = [{"source": "ink.safetensors", "scale": 0.5}]
    with pytest.raises(RequestError, match="--set lora=FILE:SCALE"):
        t2v.replay_plan(changed(lora=lora))


def test_a_change_that_cannot_be_is_refused(clip):
    with pytest.raises(RequestError, match="num_frames"):
        t2v.replay_plan(clip, {"num_frames": "many"})


def test_a_name_that_is_no_option_is_refused_with_the_nearest(clip):
    with pytest.raises(RequestError, match="guidance_scale"):
        t2v.replay_plan(clip, {"guidance_scal": "2"})
