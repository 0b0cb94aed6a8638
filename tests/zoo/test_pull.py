"""What a pull fetches, keeps and locks."""

from pathlib import Path

import pytest

from t2v.errors import (
    DiskError,
    ModelError,
    UnknownModelError,
    UnsafeModelError,
)
from t2v.zoo.catalog import Zoo
from t2v.zoo.hub import locate, pull
from t2v.zoo.places import hub_cache
from t2v.zoo.revisions import lock_revision, locked_revision
from t2v.zoo.spec import ModelSpec
from tests.zoo.hub_server import COMMIT, HubServer
from tests.zoo.making import write_json, write_weights


def test_a_pull_makes_the_model_whole_and_locks_its_commit(
    hub: HubServer, model: Path, spec: ModelSpec
):
    hub.add("org/tiny", model)
    folder = pull(spec)
    assert folder == locate(spec)
    assert folder.name == COMMIT
    assert locked_revision("org/tiny") == COMMIT
    assert (folder / "vae/config.json").read_text() == (model / "vae/config.json").read_text()


def test_a_second_pull_asks_nobody(hub: HubServer, model: Path, spec: ModelSpec):
    hub.add("org/tiny", model)
    pull(spec)
    hub.requests.clear()
    pull(spec)
    assert hub.requests == []


def test_only_files_that_a_load_reads_are_fetched(hub: HubServer, model: Path, spec: ModelSpec):
    (model / "README.md").write_text("words")
    (model / "demo.mp4").write_bytes(b"x")
    (model / "single_file.safetensors").write_bytes(b"x")
    (model / "vae/diffusion_pytorch_model.bin").write_bytes(b"pickle")
    (model / "vae/model.onnx").write_bytes(b"x")
    write_weights(model / "vae/diffusion_pytorch_model.fp16.safetensors", 3)
    (model / "pipeline.py").write_text("code")
    hub.add("org/tiny", model)
    pull(spec)
    assert {name for name in hub.fetched() if not name.endswith(".json")} <= {
        "text_encoder/model.safetensors",
        "transformer/diffusion_pytorch_model.safetensors",
        "vae/diffusion_pytorch_model.safetensors",
    }


def test_a_variant_is_preferred_where_the_entry_has_one(
    hub: HubServer, model: Path, spec: ModelSpec
):
    write_weights(model / "vae/diffusion_pytorch_model.fp16.safetensors", 3)
    hub.add("org/tiny", model)
    folder = pull(spec.model_copy(update={"variant": "fp16"}))
    assert [p.name for p in (folder / "vae").glob("*.safetensors")] == [
        "diffusion_pytorch_model.fp16.safetensors"
    ]


def test_progress_ends_at_the_whole(hub: HubServer, model: Path, spec: ModelSpec):
    hub.add("org/tiny", model)
    said: list[tuple[str, int, int]] = []
    pull(spec, progress=lambda *report: said.append(report))
    assert said[0] == ("Looking for org/tiny on the Hub", 0, 0)
    message, done, total = said[-1]
    assert message == "Downloaded org/tiny"
    assert done == total > 0


def test_a_locked_commit_is_the_one_that_is_fetched(hub: HubServer, model: Path, spec: ModelSpec):
    hub.add("org/tiny", model, commit="b" * 40)
    lock_revision("org/tiny", "c" * 40)
    with pytest.raises(UnknownModelError, match=f"org/tiny has no revision '{'c' * 40}'"):
        pull(spec)


def test_an_entry_that_names_a_branch_gets_its_commit(hub: HubServer, model: Path, spec: ModelSpec):
    hub.branch = "diffusers/base"
    hub.add("org/tiny", model)
    with pytest.raises(UnknownModelError, match="org/tiny has no revision 'main'"):
        pull(spec)

    branched = spec.model_copy(update={"branch": "diffusers/base"})
    assert pull(branched).name == COMMIT
    assert locate(branched) == pull(branched)
    assert locked_revision("org/tiny", "diffusers/base") == COMMIT
    assert locked_revision("org/tiny") is None


def test_a_pinned_commit_is_not_locked_a_second_time(hub: HubServer, model: Path, spec: ModelSpec):
    hub.add("org/tiny", model)
    pull(spec.model_copy(update={"revision": COMMIT}))
    assert locked_revision("org/tiny") is None


def test_a_hub_that_names_no_commit_is_not_trusted(hub: HubServer, model: Path, spec: ModelSpec):
    hub.add("org/tiny", model, commit="main")
    with pytest.raises(ModelError, match="The Hub named no commit for org/tiny"):
        pull(spec)


def test_a_repository_that_lacks_weights_is_not_fetched(
    hub: HubServer, model: Path, spec: ModelSpec
):
    (model / "vae/diffusion_pytorch_model.safetensors").unlink()
    hub.add("org/tiny", model)
    with pytest.raises(ModelError, match="org/tiny lacks files of vae"):
        pull(spec)
    assert hub.fetched() == ["model_index.json"]


def test_pickles_are_refused_before_they_are_fetched(hub: HubServer, model: Path, spec: ModelSpec):
    weights = model / "vae/diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    hub.add("org/tiny", model)
    with pytest.raises(UnsafeModelError, match="--allow-pickle"):
        pull(spec)
    assert hub.fetched() == ["model_index.json"]
    assert pull(spec, allow_pickle=True) == locate(spec)


def test_other_classes_are_refused_before_weights_are_fetched(
    hub: HubServer, model: Path, spec: ModelSpec
):
    write_json(model / "model_index.json", {"_class_name": ["evil", "WanPipeline"]})
    hub.add("org/tiny", model)
    with pytest.raises(UnsafeModelError, match="expected 'WanPipeline'"):
        pull(spec)
    assert hub.fetched() == ["model_index.json"]


def test_an_entry_whose_repository_is_not_diffusers_says_so(
    hub: HubServer, tmp_path: Path, spec: ModelSpec
):
    write_json(tmp_path / "repo/config.json", {})
    hub.add("org/tiny", tmp_path / "repo")
    with pytest.raises(ModelError, match="org/tiny is no diffusers repository"):
        pull(spec)


def test_a_full_disk_is_noticed_before_the_download(hub: HubServer, model: Path, spec: ModelSpec):
    hub.add("org/tiny", model)
    hub.claimed_sizes["vae/diffusion_pytorch_model.safetensors"] = 10**18
    with pytest.raises(
        DiskError, match=r"org/tiny needs 1000000000 GB and .* Make room, or set HF_HOME"
    ):
        pull(spec)
    assert hub.fetched() == ["model_index.json"]


def test_a_cache_that_cannot_be_written_is_a_disk_error(
    hub: HubServer, model: Path, spec: ModelSpec
):
    hub.add("org/tiny", model)
    hub_cache().parent.mkdir(parents=True)
    hub_cache().write_text("a file where a folder belongs")
    with pytest.raises(DiskError):
        pull(spec)


def test_a_folder_that_went_away_cannot_be_pulled(model: Path, zoo: Zoo):
    spec = zoo.find(str(model))
    (model / "model_index.json").unlink()
    with pytest.raises(ModelError, match=r"no model_index.json in"):
        pull(spec)
