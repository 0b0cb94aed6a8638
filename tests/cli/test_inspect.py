"""A file tells how it was made, and is made again."""

import shutil
from pathlib import Path

import pytest

from t2v_cli.__main__ import run
from tests.cli.conftest import SMALL


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of the embedded model."""
    path = tmp_path_factory.mktemp("made") / "clip.mp4"
    assert run(["generate", "a [red] ball", *SMALL, "-o", str(path), "-q"]) == 0
    return path


def test_inspect_shows_settings_with_their_origins(cli, made):
    lines = [line.split() for line in cli("inspect", str(made)).out.splitlines()]
    assert ["prompt", "a", "[red]", "ball", "flag"] in lines
    assert ["seed", "3", "flag"] in lines
    assert ["num_frames", "5", "flag"] in lines


def test_inspect_as_json_has_the_file_and_the_record(cli, made):
    found = cli("inspect", str(made), "--json").json()
    assert (found["file"]["width"], found["file"]["num_frames"]) == (128, 5)
    assert found["record"]["prompt"] == "a [red] ball"


def test_the_file_alone_is_enough(cli, made, tmp_path):
    shutil.copy(made, tmp_path / "alone.mp4")
    assert cli("inspect", "alone.mp4", "--json").json()["record"]["seed"] == 3


def test_replay_makes_the_same_frames(cli, made):
    result = cli("replay", str(made), "-o", "again.mp4")
    assert (result.code, result.out) == (0, "again.mp4\n")
    assert result.err.splitlines()[-1] == "the frames are the same to the bit"


def test_replay_with_a_change_makes_another(cli, made):
    again = cli("replay", str(made), "--set", "seed=4", "-o", "other.mp4", "--json").json()
    assert (again["seed"], again["prompt"]) == (4, "a [red] ball")


def test_replay_refuses_a_change_that_cannot_be(cli, made):
    result = cli("replay", str(made), "--set", "sead=4")
    assert result.code == 2
    assert result.err.splitlines()[0] == "error: There is no option 'sead'. Did you mean 'seed'?"


@pytest.mark.parametrize("command", ["inspect", "replay"])
def test_a_file_that_is_not_there_is_a_file_error(cli, command):
    result = cli(command, "nowhere.mp4")
    assert (result.code, result.out) == (74, "")
    assert "nowhere.mp4" in result.err


@pytest.mark.parametrize("command", ["inspect", "replay"])
def test_a_file_that_is_no_video_is_explained(cli, command, tmp_path):
    (tmp_path / "notes.mp4").write_text("no video")
    result = cli(command, "notes.mp4")
    assert result.code in (2, 74)
    assert result.err.startswith("error: ")


def test_a_long_video_tells_its_windows_and_how_they_join(cli):
    request = ("a red ball", "--num-frames", "33", "--steps", "2", "--seed", "3")
    assert cli("generate", *request, "-o", "long.mp4", "-q").code == 0

    record = cli("inspect", "long.mp4", "--json").json()["record"]
    lines = [line.split() for line in cli("inspect", "long.mp4").out.splitlines()]

    assert [join["frame"] for join in record["report"]["seams"]["each"]] == [9, 18]
    assert ["window", "shot", "first", "frame", "frames", "prompt"] in lines
    assert ["1", "0", "9", "16", "a", "red", "ball"] in lines
    # Two joins say nothing of the windows' period yet.
    assert [line[0] for line in lines[-5:]] == [
        "measured",
        "seams",
        "drift",
        "dynamic",
        "sharpness",
    ]
