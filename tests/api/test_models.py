from pathlib import Path

import pytest

import t2v
from t2v import builtin
from t2v.errors import UnknownModelError
from t2v.plan.events import Event
from t2v.zoo.places import config_home
from tests.zoo.conftest import hub as hub
from tests.zoo.hub_server import HubServer
from tests.zoo.making import save_model

ENTRY = """
models:
  my-wan:
    family: wan
    repo: me/my-wan
    license: mit
    commercial: yes
    description: My own.
    frames: {max: 83}
"""


def write(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(ENTRY)
    return path


def test_without_paths_the_catalogs_in_use_are_checked():
    assert t2v.check_models() == []
    path = write(config_home() / "models.yaml")
    problems = [str(problem) for problem in t2v.check_models()]
    assert problems == [f"{path}:9:14: models.my-wan.frames.max: 83 is not 4 n + 1."]


def test_a_file_is_checked_on_top_of_the_families_that_ship(tmp_path: Path):
    path = write(tmp_path / "mine.yaml")
    (problem,) = t2v.check_models([path])
    assert problem.where == f"{path}:9:14"
    assert problem.key == "models.my-wan.frames.max"
    assert problem.message == "83 is not 4 n + 1."


def test_the_embedded_model_is_located_by_any_of_its_names():
    assert t2v.locate("doodle") == builtin.folder()
    assert t2v.locate(t2v.Zoo.load()["doodle-128"]) == builtin.folder()


def test_a_model_that_is_not_here_is_located_nowhere():
    assert t2v.locate("wan2.1-t2v-14b") is None


def test_an_unknown_model_cannot_be_located():
    with pytest.raises(UnknownModelError):
        t2v.locate("nothing")


def test_pulling_what_is_here_says_nothing_and_returns_its_folder():
    heard: list[Event] = []
    assert t2v.pull("doodle-128", listener=heard.append) == builtin.folder()
    assert heard == []


def test_a_download_is_told_as_events_of_the_load_stage(hub: HubServer, tmp_path: Path):
    hub.add("org/tiny", save_model(tmp_path / "tiny"))
    heard: list[Event] = []
    folder = t2v.pull("org/tiny", listener=heard.append)
    assert folder == t2v.locate("org/tiny")
    assert {(event.event, event.stage) for event in heard} == {("stage", "load")}
    assert heard[-1].message == "Downloaded org/tiny"
    assert heard[-1].step == heard[-1].of


def test_a_default_is_set_and_used():
    path = t2v.set_default_model("wan2.1")
    assert path == config_home() / "config.yaml"
    assert t2v.Zoo.load().default() == "wan2.1"


def test_a_default_must_exist():
    with pytest.raises(UnknownModelError):
        t2v.set_default_model("nothing")
    assert not (config_home() / "config.yaml").exists()
