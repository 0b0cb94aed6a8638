"""A model of one's own, from its folder into the zoo, to a video, and out again: no code."""

from pathlib import Path

import pytest

from t2v.testing import tiny_pipeline
from tests.zoo.making import save_model, write_weights


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a pipeline's `save_pretrained` wrote, with a name as people give them."""
    tiny_pipeline("wan", tmp_path / "My Wan (v2)")
    return tmp_path / "My Wan (v2)"


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A folder that is described in a moment, `tiny` in the working folder."""
    folder = save_model(tmp_path / "tiny")
    for part in ("vae", "transformer"):
        write_weights(folder / part / "diffusion_pytorch_model.safetensors", 1000)
    write_weights(folder / "text_encoder/model.safetensors", 1000)
    return folder


def test_from_a_folder_to_a_video_and_out_again(cli, folder: Path, home: Path, tmp_path: Path):
    added = cli(
        "models", "add", str(folder), "--name", "my-wan", "--license", "MIT", "--alias", "mine",
        "--description", "Wan, tuned on our clips.",
    )  # fmt: skip
    entry = home / "config/models.d/my-wan.yaml"
    assert (added.code, added.out) == (0, f"{entry}\n")
    assert cli("models", "check").code == 0
    listed = [m for m in cli("models", "list", "--json").json() if m["name"] == "my-wan"]
    assert [(m["license"], m["commercial"], m["is_here"]) for m in listed] == [("mit", "yes", True)]
    assert cli("models", "search", "tuned clips", "-q").out == "my-wan\n"
    assert "Wan, tuned on our clips." in cli("models", "show", "mine").out
    made = cli(
        "generate", "a ball", "-m", "my-wan", "--num-frames", "5", "--size", "32x32", "--steps", "1",
        "--seed", "1", "-o", "clip.mp4", "--json",
    )  # fmt: skip
    assert made.code == 0, made.err
    assert (made.json()["num_frames"], made.json()["model"]) == (5, "my-wan")
    removed = cli("models", "remove", "my-wan", "--yes")
    assert removed.code == 0
    assert removed.err.splitlines() == [
        f"its entry: {entry}",
        f"{folder} stays: it is a folder of yours",
        "removed my-wan",
    ]
    assert not entry.exists()
    assert (folder / "model_index.json").is_file()
    assert "my-wan" not in cli("models", "list", "-q").out.split()


def test_what_is_left_to_fill_in_is_said(cli, tiny: Path):
    result = cli("models", "add", "tiny")
    assert result.code == 0
    assert [line.partition(":")[0] for line in result.err.splitlines()] == [
        "fill in license",
        "fill in commercial",
        "fill in description",
        "fill in defaults",
        "then",
    ]


def test_a_dry_run_prints_the_entry_and_writes_nothing(cli, tiny: Path, home: Path):
    result = cli("models", "add", "tiny", "--dry-run")
    assert result.out.splitlines()[1:3] == ["models:", "  tiny:"]
    assert not (home / "config").exists()


def test_an_entry_is_replaced_only_if_that_is_said(cli, tiny: Path):
    assert cli("models", "add", "tiny").code == 0
    again = cli("models", "add", "tiny", "--license", "mit")
    assert (again.code, again.out) == (2, "")
    assert again.err == (
        "error: 'tiny' is in the zoo already (tiny). --overwrite replaces it, --name gives "
        "another.\n"
    )
    assert cli("models", "add", "tiny", "--license", "mit", "--overwrite").code == 0
    assert cli("models", "show", "tiny", "--json").json()["license"] == "mit"


@pytest.mark.parametrize("name", ["doodle-128", "doodle", "wan2.1-t2v-1.3b"])
def test_a_name_that_ships_with_t2v_is_not_taken_over(cli, tiny: Path, name: str):
    for more in ([], ["--overwrite"]):
        result = cli("models", "add", "tiny", "--name", name, *more)
        assert result.code == 2
        assert f"{name!r} is in the zoo already" in result.err


def test_what_is_no_model_is_refused(cli, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    for source, said in (
        ("empty", "is no diffusers model: it has no model_index.json"),
        ("nowhere", "'nowhere' is no folder, and no Hub repository such as org/name."),
        ("Wan-AI/Wan2.1-T2V-1.3B-Diffusers", "is in the zoo as wan2.1-t2v-1.3b. --name makes"),
    ):
        result = cli("models", "add", source)
        assert (result.code in (1, 2), result.out) == (True, "")
        assert said in result.err


def test_a_name_that_is_none_is_refused(cli, tiny: Path):
    result = cli("models", "add", "tiny", "--name", "../evil")
    assert result.err.startswith("error: '../evil' is no name of a model")


def test_the_default_that_goes_away_is_told(cli, tiny: Path):
    cli("models", "add", "tiny")
    cli("models", "default", "tiny")
    result = cli("models", "remove", "tiny", "--yes")
    assert result.err.splitlines()[-1] == (
        "warning: tiny was your default; choose another: t2v models default NAME"
    )
