import pytest

from t2v.errors import DiskError, DocumentError
from t2v.zoo.places import config_home
from t2v.zoo.preference import prefer_model, preferred_model


@pytest.fixture
def config():
    config_home().mkdir(parents=True, exist_ok=True)
    return config_home() / "config.yaml"


def test_nothing_is_preferred_at_first():
    assert preferred_model() is None


def test_the_choice_is_remembered():
    path = prefer_model("doodle-128")
    assert path.read_text() == "model: doodle-128\n"
    assert preferred_model() == "doodle-128"


def test_the_rest_of_the_config_stays_as_it_is(config):
    config.write_text("# mine\nsteps: 20   # few\nmodel: old\nfps: 24\n")
    prefer_model("new")
    assert config.read_text() == "# mine\nsteps: 20   # few\nmodel: new\nfps: 24\n"


def test_a_config_without_a_model_gets_one_in_front(config):
    config.write_text("fps: 24\nmodels: {a: {fps: 8}}\n")
    prefer_model("new")
    assert config.read_text() == "model: new\nfps: 24\nmodels: {a: {fps: 8}}\n"


def test_a_folder_whose_name_needs_quotes_keeps_its_name():
    prefer_model("/models/a: b # c")
    assert preferred_model() == "/models/a: b # c"


def test_a_model_line_that_goes_on_below_is_left_alone(config):
    config.write_text("model:\n  [a]\n")
    with pytest.raises(DocumentError):
        prefer_model("new")
    assert config.read_text() == "model:\n  [a]\n"


def test_a_config_that_is_too_clever_is_left_alone(config):
    config.write_text("{fps: 24}\n")
    with pytest.raises(DocumentError, match=r"config.yaml:\d+:\d+: "):
        prefer_model("new")
    assert config.read_text() == "{fps: 24}\n"


def test_a_model_that_is_no_name_is_an_error(config):
    config.write_text("model: [a]\n")
    with pytest.raises(DocumentError, match=r"config.yaml:1:1: model: must be the name of a model"):
        preferred_model()


@pytest.mark.parametrize("text", ["", "# nothing\n", "[a]", "fps: 24"])
def test_a_config_without_a_choice_has_none(config, text):
    config.write_text(text)
    assert preferred_model() is None


def test_a_folder_that_cannot_be_made_is_a_disk_error(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("T2V_CONFIG_HOME", str(tmp_path / "file"))
    with pytest.raises(DiskError, match=r"Cannot write .*config.yaml"):
        prefer_model("new")
