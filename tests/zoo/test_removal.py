"""Taking models off the machine, and nothing else."""

from pathlib import Path

import pytest

from t2v.errors import RequestError
from t2v.zoo.catalog import Zoo
from t2v.zoo.hub import locate, pull
from t2v.zoo.places import hub_cache, overlay_folder, repo_folder
from t2v.zoo.removal import plan_removal, remove
from t2v.zoo.revisions import locked_revision
from t2v.zoo.spec import ModelSpec
from tests.zoo.hub_server import COMMIT, HubServer
from tests.zoo.making import write_json, write_weights


def test_a_removal_frees_what_it_said(hub: HubServer, model: Path, spec: ModelSpec):
    hub.add("org/tiny", model)
    folder = pull(spec)
    in_use = sum(
        p.stat().st_size
        for p in repo_folder("org/tiny").rglob("*")
        if not p.is_symlink() and p.is_file()
    )
    removal = plan_removal(spec, [spec])
    assert removal.repos == (("org/tiny", in_use),)
    assert (
        removal.num_bytes
        == in_use
        > sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) - 1
    )
    assert folder.is_dir()
    remove(removal)
    assert not [p for p in hub_cache().rglob("*") if "tiny" in p.name]
    assert locate(spec) is None


def test_the_commit_stays_locked_for_the_next_pull(hub: HubServer, model: Path, spec: ModelSpec):
    hub.add("org/tiny", model)
    pull(spec)
    remove(plan_removal(spec, []))
    assert locked_revision("org/tiny") == COMMIT
    assert pull(spec) == locate(spec)


def test_what_a_stopped_download_left_goes_too(spec: ModelSpec):
    part = repo_folder("org/tiny") / "blobs/abc.t2v-part"
    part.parent.mkdir(parents=True)
    part.write_bytes(bytes(1000))
    removal = plan_removal(spec, [])
    assert removal.num_bytes == 1000
    remove(removal)
    assert not repo_folder("org/tiny").exists()


def test_other_repositories_are_not_touched(hub: HubServer, model: Path, spec: ModelSpec):
    hub.add("org/tiny", model)
    hub.add("org/other", model)
    pull(spec)
    other = spec.model_copy(update={"repo": "org/other", "name": "other"})
    pull(other)
    remove(plan_removal(spec, [spec, other]))
    assert locate(other) is not None


@pytest.fixture
def pair(hub: HubServer, model: Path, spec: ModelSpec, tmp_path: Path) -> list[ModelSpec]:
    """Two models on this machine, of one base and an adapter each."""
    hub.add("org/tiny", model)
    models = []
    for name in ("one", "two"):
        write_json(tmp_path / name / "config.json", {"_class_name": "MotionAdapter"})
        write_weights(tmp_path / name / "diffusion_pytorch_model.safetensors")
        hub.add(f"org/{name}", tmp_path / name)
        entry = spec.model_dump(mode="json", exclude_none=True)
        entry |= {
            "name": name,
            "parts": {"motion_adapter": {"repo": f"org/{name}"}},
            "classes": {"motion_adapter": ["MotionAdapter"]},
        }
        models.append(ModelSpec.model_validate(entry))
        pull(models[-1])
    return models


def test_a_base_stays_as_long_as_another_model_needs_it(pair: list[ModelSpec]):
    one, two = pair
    removal = plan_removal(one, pair)
    assert [repo for repo, _ in removal.repos] == ["org/one"]
    assert removal.kept == (("org/tiny", "two"),)
    remove(removal)
    assert (locate(one), locate(two) is None) == (None, False)
    last = plan_removal(two, pair)
    assert [repo for repo, _ in last.repos] == ["org/tiny", "org/two"]


def test_a_base_goes_where_nobody_else_counts(pair: list[ModelSpec]):
    assert [repo for repo, _ in plan_removal(pair[0], []).repos] == ["org/tiny", "org/one"]


def test_the_model_inside_t2v_stays(zoo: Zoo):
    with pytest.raises(RequestError, match="doodle-128 is part of t2v and stays"):
        plan_removal(zoo.find("doodle"), [])


def test_a_local_folder_is_never_touched(model: Path, zoo: Zoo):
    removal = plan_removal(zoo.find(str(model)), [])
    assert (removal.is_empty, removal.folder) == (True, str(model))
    remove(removal)
    assert (model / "model_index.json").is_file()


ENTRY = """
  {name}:
    family: wan
    folder: {folder}
    license: mit
    commercial: "yes"
"""


def test_an_entry_with_a_file_of_its_own_goes(model: Path):
    overlay_folder().mkdir(parents=True)
    path = overlay_folder() / "mine.yaml"
    path.write_text("models:" + ENTRY.format(name="mine", folder=model))
    removal = plan_removal(Zoo.load()["mine"], [])
    assert removal.entry == path
    remove(removal)
    assert "mine" not in Zoo.load()
    assert model.is_dir()


def test_an_entry_among_others_is_the_users_to_remove(model: Path):
    overlay_folder().mkdir(parents=True)
    path = overlay_folder() / "mine.yaml"
    entries = [ENTRY.format(name=name, folder=model) for name in ("mine", "yours")]
    path.write_text("models:" + "".join(entries))
    assert plan_removal(Zoo.load()["mine"], []).is_empty
