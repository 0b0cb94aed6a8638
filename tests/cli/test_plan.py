"""What is printed of a plan is what a run would do."""

import pytest


def rows(text: str) -> dict[str, list[str]]:
    """The plain table: setting -> value and origin."""
    cells = [[cell for cell in line.split("  ") if cell.strip()] for line in text.splitlines()[1:]]
    return {name.strip(): [cell.strip() for cell in rest] for name, *rest in cells}


def test_a_plan_names_every_value_and_who_decided_it(cli):
    plan = rows(cli("plan", "a red ball", "--seed", "7", "--steps", "4").out)
    assert plan["prompt"] == ["a red ball", "flag"]
    assert plan["seed"] == ["7", "flag"]
    assert plan["num_inference_steps"] == ["4", "flag"]
    assert plan["width"] == ["128", "zoo"]
    assert plan["output"] == ["a-red-ball-7.mp4"]


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (("-o", "a.gif", "--codec", "hevc"), ".gif does not hold hevc"),
        (("-o", "a.mp4", "--crf", "60"), "crf 60: h264 takes 0 (best) to 51 (smallest)"),
        (("-o", "frames/", "--codec", "h264"), "frames is a folder, for PNG images"),
    ],
)
def test_an_encoding_that_cannot_be_is_refused_before_anything_is_loaded(cli, flags, complaint):
    result = cli("plan", "a red ball", *flags)
    assert (result.code, result.out) == (2, "")
    assert complaint in result.err


def test_plan_and_dry_run_are_the_same(cli):
    arguments = ("a red ball", "--seed", "7", "--num-videos", "2", "-o", "{seed}.webm")
    assert cli("plan", *arguments) == cli("generate", *arguments, "--dry-run")


def test_what_was_changed_is_said_once_on_stderr(cli):
    result = cli("plan", "a ball", "-m", "doodle", "--num-frames", "16")
    assert result.err.splitlines() == ["16 frames -> 17, Wan makes 4n+1"]


def test_a_plan_as_json_has_values_origins_and_outputs(cli):
    plan = cli(
        "plan", "a ball", "--seed", "7", "--size", "64x96", "--num-videos", "2", "--json"
    ).json()
    assert plan["request"]["width"] == {"value": 64, "origin": "flag"}
    assert plan["request"]["height"] == {"value": 96, "origin": "flag"}
    assert plan["outputs"] == [f"a-ball-{seed}.mp4" for seed in plan["seeds"]]
    assert plan["seeds"][0] == 7


def test_the_project_configuration_has_a_say_and_is_named(cli, tmp_path):
    (tmp_path / "t2v.yaml").write_text("num_inference_steps: 9\n")
    plan = cli("plan", "a ball", "--json").json()
    assert plan["request"]["num_inference_steps"] == {"value": 9, "origin": "project config"}


def test_quiet_prints_the_outputs_alone(cli):
    assert cli("plan", "a ball", "--seed", "7", "-q").out == "a-ball-7.mp4\n"


def test_a_plan_leaves_nothing_behind(cli, tmp_path):
    cli("plan", "a ball")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("model", "num_bytes"), [("doodle-128", 0), ("cogvideox-2b", 13_344_000_000)]
)
def test_a_plan_and_the_list_of_models_name_the_same_download(cli, model, num_bytes):
    plan = cli("plan", "a ball", "-m", model, "--json").json()
    listed = {one["name"]: one for one in cli("models", "list", "--json").json()}
    assert plan["model"]["download_bytes"] == listed[model]["download_bytes"] == num_bytes


def test_an_output_that_exists_is_refused_at_once(cli, tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"mine")
    assert cli("plan", "a ball", "-o", "clip.mp4").code == 74
    assert cli("plan", "a ball", "-o", "clip.mp4", "--overwrite").code == 0


def test_a_prompt_comes_from_stdin(program):
    plan = program("plan", "-", "--json", stdin="a paper boat\n").json()
    assert plan["request"]["prompt"]["value"] == "a paper boat"
