import os
from pathlib import Path

import pytest

from t2v.errors import DocumentError
from t2v.plan.config import PROJECT, USER, find_project, read_config, read_configs
from t2v.plan.options import Options


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_a_config_says_what_options_say(project: Path):
    path = write(project / "t2v.yaml", "width: 512\nfps: 23.976\nlora: org/name:0.5\n")

    assert read_config(path).options == Options(width=512, fps="24000/1001", lora=("org/name:0.5",))


def test_an_empty_config_says_nothing(project: Path):
    assert read_config(write(project / "t2v.yaml", "# nothing yet\n")).options == Options()


def test_what_is_said_for_one_model_counts_more_than_the_rest(project: Path):
    text = "width: 512\nmodels:\n  wan2.1-t2v-1.3b:\n    width: 832\n"
    config = read_config(write(project / "t2v.yaml", text))

    assert config.layers("user config", ("wan2.1-t2v-1.3b", "alias")) == [
        ("user config", Options(width=512)),
        ("user config", Options(width=832)),
    ]
    assert config.layers("user config", ("doodle-128",)) == [("user config", Options(width=512))]


def test_every_mistake_is_said_with_its_place(project: Path):
    path = write(
        project / "t2v.yaml",
        "num_frame: 8\nfps: fast\nmodels:\n  some-model:\n    seed: -1\n    dtype: int8\n  other: 5\n",
    )

    with pytest.raises(DocumentError) as caught:
        read_config(path)

    assert str(caught.value).splitlines() == [
        f"{path}:1:1: num_frame: there is no such option. Did you mean 'num_frames'?",
        f"{path}:2:1: fps: not a frame rate such as 16, 23.976 or 24000/1001 (it is 'fast')",
        f"{path}:5:5: models.some-model.seed: must be at least 0, not -1",
        f"{path}:6:5: models.some-model.dtype: "
        "must be auto, float32, float16 or bfloat16, not 'int8'",
        f"{path}:7:3: models.other: must be a mapping of options such as `width: 832`",
    ]


@pytest.mark.parametrize("text", ["- width\n", "width\n", "5\n"])
def test_a_config_that_is_no_mapping_is_refused(project: Path, text: str):
    with pytest.raises(DocumentError, match="a config is a mapping of options"):
        read_config(write(project / "t2v.yaml", text))


def test_models_that_are_no_mapping_are_refused(project: Path):
    with pytest.raises(DocumentError, match=r"models: must be a mapping of model names"):
        read_config(write(project / "t2v.yaml", "models: [wan]\n"))


@pytest.mark.parametrize("key", ["allow_pickle", "output", "overwrite", "trust_remote_code"])
def test_a_config_cannot_loosen_what_is_safe(project: Path, key: str):
    with pytest.raises(DocumentError, match="there is no such option"):
        read_config(write(project / "t2v.yaml", f"{key}: true\n"))


@pytest.mark.parametrize("key", ["story", "at", "endless"])
def test_what_is_about_one_video_is_no_key_of_a_config(project: Path, key: str):
    with pytest.raises(DocumentError, match=f"{key}: there is no such option"):
        read_config(write(project / "t2v.yaml", f"{key}: story.yaml\n"))


def test_files_are_found_from_the_folder_of_the_config(project: Path):
    path = write(project / "t2v.yaml", "lora: [styles/ink.safetensors:0.5]\nmodel: ./tiny\n")

    assert read_config(path).options == Options(
        lora=(f"{project}/styles/ink.safetensors:0.5",), model=f"{project}/tiny"
    )


@pytest.mark.parametrize(
    "line",
    [
        "lora: ../other/ink.safetensors",
        "lora: /etc/ink.safetensors:0.5",
        "lora: ~/ink.safetensors",
        "lora: link/ink.safetensors",
        "model: /opt/model",
        "model: ../model",
    ],
)
def test_a_project_config_names_nothing_outside_its_folder(project: Path, line: str):
    (project / "link").symlink_to("/etc")
    path = write(project / "t2v.yaml", line + "\n")

    with pytest.raises(DocumentError, match="may name only files below its own folder"):
        read_config(path, inside=project)


def test_a_project_config_may_name_models_and_loras_of_the_hub(project: Path):
    path = write(project / "t2v.yaml", "model: org/name\nlora: org/style\n")

    assert read_config(path, inside=project).options == Options(
        model="org/name", lora=("org/style",)
    )


def test_the_project_config_stands_above_the_users(home: Path, project: Path):
    write(home / "config" / "config.yaml", "seed: 1\n")
    write(project / "t2v.yaml", "seed: 2\n")

    (project / "deep" / "down").mkdir(parents=True)

    found, notes = read_configs(project / "deep" / "down")

    assert [(origin, config.options.seed) for origin, config in found] == [(USER, 1), (PROJECT, 2)]
    assert notes == []


def test_no_configs_is_fine(project: Path):
    assert read_configs(project) == ([], [])


def test_the_search_for_a_project_ends_at_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write(tmp_path / "t2v.yaml", "seed: 1\n")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "work").mkdir(parents=True)

    assert find_project(tmp_path / "home" / "work") is None


def test_the_nearest_project_counts(tmp_path: Path):
    write(tmp_path / "t2v.yaml", "seed: 1\n")
    nearest = write(tmp_path / "inner" / "t2v.yaml", "seed: 2\n")

    assert find_project(tmp_path / "inner" / "deeper") == nearest


@pytest.mark.skipif(
    not hasattr(os, "getuid") or os.getuid() != 0, reason="only root gives files away"
)
def test_a_project_config_of_somebody_else_above_our_folder_is_not_read(tmp_path: Path):
    os.chown(write(tmp_path / "t2v.yaml", "seed: 1\n"), 12345, 12345)
    (tmp_path / "mine").mkdir()

    assert read_configs(tmp_path / "mine") == (
        [],
        ["../t2v.yaml belongs to another user and was not read"],
    )
