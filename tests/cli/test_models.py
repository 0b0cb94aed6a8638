"""The zoo from the command line."""

import pytest

import t2v
from tests.cli.conftest import ROOT


def test_the_list_shows_what_matters_before_a_download(cli):
    lines = cli("models", "list").out.splitlines()
    assert lines[0].split() == [
        *("name", "family", "params", "download", "native", "clip", "license", "commercial"),
        *("here", "fits", "maturity", "description"),
    ]
    assert lines[1].split()[:13] == [
        *("doodle-128", "(default)", "wan", "7.0M", "none", "128x128", "2.1", "s", "apache-2.0"),
        *("yes", "yes", "yes", "verified"),
    ]
    assert len(lines) == 1 + len(t2v.Zoo.load())


def test_models_alone_lists_them(cli):
    assert cli("models").out == cli("models", "list").out


def test_quiet_lists_bare_names(cli):
    assert cli("models", "list", "-q").out.splitlines() == list(t2v.Zoo.load())


def test_the_list_as_json(cli):
    first = cli("models", "list", "--json").json()[0]
    assert (first["name"], first["is_here"], first["license"]) == ("doodle-128", True, "apache-2.0")


def test_show_has_the_sources_of_the_numbers(cli):
    result = cli("models", "show", "wan2.1-t2v-1.3b")
    assert "frames: Wan 2.1 README, 81 frames at 16 fps" in result.out
    assert "measured: 8.19 GiB for 832x480, 81 frames" in result.out


def test_show_takes_an_alias(cli):
    assert cli("models", "show", "doodle", "--json").json()["name"] == "doodle-128"


@pytest.mark.parametrize(
    ("model", "frames"),
    [
        ("latte", "exactly 16"),
        ("allegro", "4n"),
        ("cosmos1", "8n+1, up to 121 in one call"),
        ("text2video-zero-sd15", "any number, from 2"),
    ],
)
def test_show_says_which_lengths_there_are(cli, model, frames):
    lines = cli("models", "show", model).out.splitlines()
    assert f"frames        {frames}" in lines


def test_show_says_what_has_to_be_installed_and_what_lies_elsewhere(cli):
    assert (
        "needs         pip install cosmos_guardrail torchvision"
        in cli("models", "show", "cosmos1").out.splitlines()
    )
    page = cli("models", "show", "animatelcm").out
    assert "motion_adapter from wangfuyun/AnimateLCM\n" in page
    assert "LoRA of scale 0.8 from wangfuyun/AnimateLCM, AnimateLCM_sd15_t2v_lora.saf" in page
    assert "needs  " not in page


def test_the_shipped_catalog_has_no_problems(cli):
    result = cli("models", "check")
    assert (result.code, result.out, result.err) == (0, "", "no problems found\n")


def test_a_problem_of_a_catalog_is_named_with_its_place(cli, tmp_path):
    (tmp_path / "mine.yaml").write_text("models:\n  my-model: {family: wan}\n")
    result = cli("models", "check", "mine.yaml")
    assert result.code == 1
    assert result.out.startswith("mine.yaml:2:")


def test_problems_as_json(cli, tmp_path):
    (tmp_path / "mine.yaml").write_text("models:\n  my-model: {family: wan}\n")
    problem = cli("models", "check", "mine.yaml", "--json").json()[0]
    assert set(problem) == {"where", "key", "message", "level"}


def test_a_warning_is_no_failure(cli, tmp_path):
    copy = (ROOT / "models.yaml").read_text("utf-8")
    (tmp_path / "mine.yaml").write_text(copy.replace(">=0.42,<0.43", ">=0.30,<0.31"))
    result = cli("models", "check", "mine.yaml")
    assert (result.code, result.err) == (0, "no mistakes found\n")
    assert "warning: models.doodle-128.diffusers: was checked with >=0.30,<0.31" in result.out


def test_the_default_can_be_asked_for_and_chosen(cli):
    assert cli("models", "default").out == "doodle-128\n"
    assert cli("models", "default", "wan2.1-t2v-1.3b").code == 0
    assert cli("models", "default").out == "wan2.1-t2v-1.3b\n"
    assert cli("plan", "a ball", "--json").json()["model"]["name"] == "wan2.1-t2v-1.3b"


def test_the_path_of_the_embedded_model(cli):
    assert cli("models", "path", "doodle").out.strip().endswith("t2v/builtin/doodle-128")


def test_the_path_of_a_model_that_is_not_here_says_how_to_get_it(cli):
    result = cli("models", "path", "wan2.1-t2v-1.3b")
    assert (result.code, result.out) == (1, "")
    assert "t2v models pull wan2.1-t2v-1.3b" in result.err


def test_pull_of_a_model_that_is_here_prints_its_folder(cli):
    assert cli("models", "pull", "doodle") == cli("models", "path", "doodle")


def test_pull_without_network_is_explained(cli):
    result = cli("models", "pull", "wan2.1-t2v-1.3b", "--yes")
    assert (result.code, result.out) == (1, "")
    said = result.err.splitlines()
    assert said[0] == (
        "wan2.1-t2v-1.3b is not on this machine: 14.7 GB to download from "
        "Wan-AI/Wan2.1-T2V-1.3B-Diffusers, license apache-2.0"
    )
    assert said[-1].startswith("error: ")


def test_the_shell_completes_model_names(program):
    completed = program(
        _T2V_COMPLETE="complete_bash",
        COMP_WORDS="t2v generate --model wan2.1",
        COMP_CWORD="3",
    )
    assert completed.out.split() == [
        "wan2.1-t2v-1.3b",
        "wan2.1",
        "wan2.1-t2v-14b",
        "wan2.1-vace-1.3b",
        "wan2.1-vace-14b",
    ]
