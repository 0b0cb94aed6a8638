from pathlib import Path

import pytest

from t2v import builtin
from t2v.errors import DocumentError
from t2v.zoo.cache import locate, revision_of, snapshot
from t2v.zoo.catalog import Zoo, config_home
from t2v.zoo.places import cache_home, hub_cache
from t2v.zoo.revisions import lock_revision, locked_revision
from t2v.zoo.spec import ModelSpec
from tests.zoo.making import save_model, write_weights

COMMIT = "c" * 40
REPO = "Wan-AI/Wan2.1-T2V-1.3B-Diffusers"


@pytest.fixture
def spec(zoo: Zoo) -> ModelSpec:
    return zoo["wan2.1-t2v-1.3b"]


@pytest.fixture
def cached(spec: ModelSpec) -> Path:
    """The snapshot that another program downloaded from the main branch."""
    folder = save_model(snapshot(REPO, COMMIT))
    refs = folder.parents[1] / "refs/main"
    refs.parent.mkdir()
    refs.write_text(COMMIT)
    return folder


def test_the_embedded_model_is_always_there(zoo: Zoo):
    assert locate(zoo["doodle-128"]) == builtin.folder("doodle-128")


def test_a_local_folder_is_there_while_it_is_there(model: Path, zoo: Zoo):
    spec = zoo.find(str(model))
    assert locate(spec) == model
    (model / "model_index.json").unlink()
    assert locate(spec) is None


def test_a_model_that_nobody_fetched_is_not_there(spec: ModelSpec):
    assert locate(spec) is None
    assert revision_of(spec) is None


def test_what_another_program_fetched_is_found(spec: ModelSpec, cached: Path):
    assert locate(spec) == cached
    assert revision_of(spec) == COMMIT


@pytest.mark.parametrize(
    "name",
    [
        "model_index.json",
        "vae/config.json",
        "vae/diffusion_pytorch_model.safetensors",
        "text_encoder/model.safetensors",
        "tokenizer/tokenizer.json",
        "scheduler/scheduler_config.json",
    ],
)
def test_a_snapshot_that_lacks_a_file_is_not_there(spec: ModelSpec, cached: Path, name: str):
    (cached / name).unlink()
    assert locate(spec) is None


def test_a_snapshot_that_lacks_a_shard_is_not_there(spec: ModelSpec, cached: Path):
    (cached / "vae/diffusion_pytorch_model.safetensors").unlink()
    write_weights(cached / "vae/diffusion_pytorch_model-00001-of-00002.safetensors")
    assert locate(spec) is None
    write_weights(cached / "vae/diffusion_pytorch_model-00002-of-00002.safetensors")
    assert locate(spec) == cached


def test_a_dangling_link_is_a_missing_file(spec: ModelSpec, cached: Path):
    weights = cached / "vae/diffusion_pytorch_model.safetensors"
    weights.unlink()
    weights.symlink_to("../../../blobs/gone")
    assert locate(spec) is None


def test_a_pinned_commit_wins_over_what_is_cached(spec: ModelSpec, cached: Path):
    pinned = spec.model_copy(update={"revision": "d" * 40})
    assert revision_of(pinned) == "d" * 40
    assert locate(pinned) is None


def test_a_locked_commit_wins_over_what_is_cached(spec: ModelSpec, cached: Path):
    lock_revision(REPO, "d" * 40)
    assert revision_of(spec) == "d" * 40
    assert locate(spec) is None


def test_a_ref_that_is_no_commit_is_ignored(spec: ModelSpec, cached: Path):
    (cached.parents[1] / "refs/main").write_text("../../..")
    assert revision_of(spec) is None


def test_the_first_lock_stays():
    lock_revision("org/a", "1" * 40)
    lock_revision("org/a", "2" * 40)
    lock_revision("org/a", "3" * 40, "v2")
    assert locked_revision("org/a") == "1" * 40
    assert locked_revision("org/a", "v2") == "3" * 40
    assert locked_revision("org/b") is None


def test_the_lock_file_is_plain_json_and_leaves_nothing_beside():
    lock_revision("org/b", "2" * 40)
    lock_revision("org/a", "1" * 40)
    assert [p.name for p in config_home().iterdir()] == ["revisions.json"]
    text = (config_home() / "revisions.json").read_text()
    assert text == f'{{\n  "org/a": "{"1" * 40}",\n  "org/b": "{"2" * 40}"\n}}\n'


@pytest.mark.parametrize("text", ["{", "[]", '{"org/a": "main"}', '{"org/a": 5}'])
def test_a_broken_lock_file_is_said_and_not_overwritten(text: str):
    path = config_home() / "revisions.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(DocumentError, match=r"revisions.json:1:\d+"):
        lock_revision("org/a", "1" * 40)
    assert path.read_text() == text


def test_homes_follow_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.delenv("T2V_CONFIG_HOME")
    monkeypatch.delenv("T2V_CACHE_HOME")
    assert config_home() == Path.home() / ".config/t2v"
    assert cache_home() == Path.home() / ".cache/t2v"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert config_home() == tmp_path / "t2v"
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    assert config_home() == Path.home() / ".config/t2v"
    monkeypatch.setenv("T2V_CONFIG_HOME", "~/mine")
    assert config_home() == Path.home() / "mine"


def test_the_hub_cache_is_where_huggingface_hub_keeps_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    assert hub_cache() == Path.home() / "huggingface/hub"
    monkeypatch.delenv("HF_HOME")
    assert hub_cache() == Path.home() / ".cache/huggingface/hub"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert hub_cache() == tmp_path / "huggingface/hub"
    monkeypatch.setenv("HF_HUB_CACHE", "$HOME/hub")
    assert hub_cache() == Path.home() / "hub"
