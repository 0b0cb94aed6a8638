"""Repositories without an entry: described by their small files, found again offline."""

from pathlib import Path

import pytest

from t2v.errors import (
    ModelError,
    UnknownModelError,
)
from t2v.zoo.catalog import Zoo
from t2v.zoo.hub import locate, pull, resolve_revision, revision_of
from t2v.zoo.revisions import locked_revision
from t2v.zoo.spec import ModelSpec
from tests.zoo.hub_server import COMMIT, HubServer
from tests.zoo.making import write_json


def test_a_repository_without_an_entry_is_described_by_its_small_files(
    hub: HubServer, model: Path, zoo: Zoo
):
    hub.add("org/tiny", model)
    spec = zoo.find("org/tiny")
    assert (spec.name, spec.family, spec.revision) == ("org/tiny", "wan", COMMIT)
    assert not [name for name in hub.fetched() if name.endswith(".safetensors")]
    assert locate(spec) is None
    assert locate(spec.model_copy()) is None
    assert pull(spec) == locate(spec)


def test_once_described_it_is_found_without_the_hub(hub: HubServer, model: Path, zoo: Zoo):
    hub.add("org/tiny", model)
    first = zoo.find("org/tiny")
    hub.requests.clear()
    assert zoo.find("org/tiny") == first
    assert hub.requests == []


def test_a_branch_is_resolved_once(hub: HubServer, model: Path, zoo: Zoo):
    hub.add("org/tiny", model)
    assert zoo.find("org/tiny@main").revision == COMMIT
    hub.add("org/tiny", model, commit="b" * 40)
    assert zoo.find("org/tiny@main").revision == COMMIT
    assert locked_revision("org/tiny", "main") == COMMIT


def test_a_full_hash_needs_no_resolving():
    assert resolve_revision("org/tiny", "f" * 40) == "f" * 40


def test_the_cached_commit_becomes_the_locked_one(hub: HubServer, model: Path, spec: ModelSpec):
    hub.add("org/tiny", model)
    assert revision_of(spec) is None
    resolve_revision("org/tiny")
    assert revision_of(spec) == COMMIT


def test_an_unknown_repository_is_an_unknown_model(hub: HubServer, zoo: Zoo):
    with pytest.raises(UnknownModelError, match="The Hub has no repository org/nothing"):
        zoo.find("org/nothing")


def test_a_repository_that_is_not_diffusers_says_so(hub: HubServer, tmp_path: Path, zoo: Zoo):
    write_json(tmp_path / "repo/config.json", {})
    hub.add("org/raw", tmp_path / "repo")
    with pytest.raises(ModelError, match=r"no diffusers repository.*-Diffusers"):
        zoo.find("org/raw")
