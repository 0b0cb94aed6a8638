"""From the command to the file: the embedded model, for real."""

import json

import pytest

from t2v.media import guard
from tests.cli.conftest import SMALL

FIELDS = {
    *("status", "output", "model", "revision", "family", "prompt", "negative_prompt", "seed"),
    *("num_frames", "fps", "width", "height", "duration_s", "timings_s", "peak_memory_bytes"),
    *("frames_sha256", "windows", "warnings", "request"),
}


def test_stdout_has_the_path_and_stderr_tells_the_story(cli, tmp_path):
    result = cli("generate", "a red ball", *SMALL)
    assert (result.code, result.out) == (0, "a-red-ball-3.mp4\n")
    assert (tmp_path / "a-red-ball-3.mp4").stat().st_size > 0
    said = result.err.splitlines()
    assert said[0] == (
        "doodle-128: 128x128, 5 frames = 0.625 s at 8 fps, 2 steps, seed 3 -> a-red-ball-3.mp4"
    )
    assert said[1] == "doodle-128, the small model in the box; a larger one: t2v models list"
    assert [line for line in said if line.endswith("...")] == [
        "Loading doodle-128 ...",
        "reading the prompt ...",
        "denoising ...",
        "decoding ...",
        "writing ...",
    ]
    assert said[-1].startswith("a-red-ball-3.mp4: 0.625 s of video made in ")


def test_json_is_one_object_a_video(cli):
    result = cli("generate", "a ball", *SMALL, "--num-videos", "2", "-o", "{index}.mp4", "--json")
    videos = [json.loads(line) for line in result.out.splitlines()]
    assert [video["output"] for video in videos] == ["0.mp4", "1.mp4"]
    assert videos[0].keys() >= FIELDS
    assert videos[0]["status"] == "ok"
    assert videos[0]["seed"] == 3
    assert videos[0]["request"]["seed"] == {"value": 3, "origin": "flag"}
    assert videos[0]["frames_sha256"] != videos[1]["frames_sha256"]


def test_the_same_seed_makes_the_same_frames(cli):
    first = cli("generate", "a ball", *SMALL, "--json").json()
    again = cli("generate", "a ball", *SMALL, "--json").json()
    assert first["output"] != again["output"]
    assert first["frames_sha256"] == again["frames_sha256"]


def test_quiet_prints_the_path_and_nothing_else(cli):
    result = cli("generate", "a ball", *SMALL, "-q")
    assert result == type(result)(0, "a-ball-3.mp4\n", "")


def test_progress_as_json_is_all_of_stderr(cli):
    result = cli("generate", "a ball", *SMALL, "--progress", "json")
    events = [json.loads(line) for line in result.err.splitlines()]
    assert {event["event"] for event in events} == {"plan", "stage", "step", "frames", "done"}
    assert events[0]["event"] == "plan"
    assert events[0]["item"] == "a-ball-3.mp4"
    assert [(e["step"], e["of"]) for e in events if e["event"] == "step"] == [
        (0, 2),
        (1, 2),
        (2, 2),
    ]
    last = [event for event in events if event["event"] == "step"][-1]
    assert {"item", "stage", "seconds_per_step", "eta_s", "memory_bytes"} <= last.keys()
    assert events[-1]["event"] == "done"


def test_an_error_is_an_event_too(cli):
    result = cli("generate", "a ball", "-m", "nothing-like-it", "--progress", "json", "--json")
    assert result.code == 2
    event = json.loads(result.err)
    assert event["event"] == "error"
    assert event["message"].startswith("No model 'nothing-like-it' in the zoo.")


def test_without_progress_only_the_plan_and_the_result_are_said(cli):
    assert len(cli("generate", "a ball", *SMALL, "--progress", "none").err.splitlines()) == 3


@pytest.mark.parametrize("name", ["clip.webm", "clip.gif", "clip.mov"])
def test_the_name_picks_the_container(cli, tmp_path, name):
    assert cli("generate", "a ball", *SMALL, "-o", name).code == 0
    assert (tmp_path / name).is_file()


def test_a_folder_gets_pictures(cli, tmp_path):
    assert cli("generate", "a ball", *SMALL, "-o", "frames/").code == 0
    names = sorted(path.name for path in (tmp_path / "frames").glob("*.png"))
    assert names == ["00000.png", "00001.png", "00002.png", "00003.png", "00004.png"]


def test_a_video_that_is_there_is_kept_unless_told_otherwise(cli, tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"mine")
    refused = cli("generate", "a ball", *SMALL, "-o", "clip.mp4")
    assert (refused.code, refused.out) == (74, "")
    assert (tmp_path / "clip.mp4").read_bytes() == b"mine"
    assert cli("generate", "a ball", *SMALL, "-o", "clip.mp4", "--overwrite").code == 0
    assert (tmp_path / "clip.mp4").read_bytes() != b"mine"


def test_saved_latents_can_be_decoded_later(cli):
    made = cli("generate", "a ball", *SMALL, "-o", "a.mp4", "--save-latents", "--json").json()
    again = cli("decode", "a.mp4.latents", "-o", "b.mp4", "--json").json()
    assert again["output"] == "b.mp4"
    assert again["frames_sha256"] == made["frames_sha256"]


def test_decode_of_a_folder_without_latents_is_explained(cli):
    result = cli("decode", ".")
    assert result.code == 2
    assert "holds no saved latents" in result.err


def test_under_strict_a_broken_video_is_written_and_exits_with_4(cli, tmp_path, monkeypatch):
    monkeypatch.setattr(guard, "FLAT_DEVIATION", 1e9)  # every frame passes for flat
    result = cli("generate", "a ball", *SMALL, "-o", "a.mp4", "--strict", "--json")
    assert result.code == 4
    assert (tmp_path / "a.mp4").is_file()
    assert (result.json()["status"], result.json()["output"]) == ("suspect", "a.mp4")


def test_a_missing_model_offline_says_what_to_do(cli):
    result = cli("generate", "a ball", "-m", "wan2.1-t2v-1.3b", "--json")
    assert result.code == 1
    assert result.json()["status"] == "failed"
    assert "14.7 GB to download from Wan-AI/Wan2.1-T2V-1.3B-Diffusers" in result.err
    assert result.err.splitlines()[-1].startswith("error: ") or "error: " in result.err
