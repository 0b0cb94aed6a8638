"""What was worked out of catalogs is read back until one of them changes."""

import json
import os
from pathlib import Path

import pytest

from t2v.errors import DocumentError
from t2v.zoo.catalog import Zoo, catalog_documents
from t2v.zoo.places import cache_home, overlay_folder
from t2v.zoo.remember import catalog_state, remembered, states

ENTRY = """
models:
  mine:
    family: wan
    repo: org/mine
    description: {said}
    license: mit
    commercial: "yes"
"""


def write(said: str) -> Path:
    path = overlay_folder() / "mine.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(ENTRY.format(said=said))
    return path


def test_a_zoo_that_is_read_back_is_the_same_to_the_last_value():
    fresh = Zoo.of(catalog_documents(overlays=False))
    Zoo.load(overlays=False)
    again = Zoo.load(overlays=False)
    assert dict(again) == dict(fresh)
    assert again.families == fresh.families
    assert again.default() == fresh.default()
    for name in ("doodle", "wan2.1", "doodle-128"):
        assert again.find(name) == fresh.find(name)


def test_a_second_load_parses_no_catalog(monkeypatch: pytest.MonkeyPatch):
    Zoo.load()
    monkeypatch.setattr("t2v.zoo.catalog.read_yaml", lambda path: pytest.fail(f"read {path}"))
    assert "doodle-128" in Zoo.load()


def test_a_changed_catalog_is_seen_at_once():
    write("before")
    assert Zoo.load()["mine"].description == "before"
    write("after!")  # the same number of bytes
    assert Zoo.load()["mine"].description == "after!"


def test_a_removed_catalog_is_seen_at_once():
    path = write("here")
    assert "mine" in Zoo.load()
    path.unlink()
    assert "mine" not in Zoo.load()


def test_a_broken_catalog_is_an_error_every_time():
    write("fine")
    Zoo.load()
    write("{broken")
    for _ in range(2):
        with pytest.raises(DocumentError, match=r"mine\.yaml:"):
            Zoo.load()


def test_the_shipped_zoo_and_the_users_are_kept_apart():
    write("own")
    assert "mine" in Zoo.load()
    assert "mine" not in Zoo.load(overlays=False)
    assert "mine" in Zoo.load()


@pytest.mark.parametrize(
    "content", ["", "no json", "[]", '{"state": [], "made": {}}', "[" * 100_000]
)
def test_a_cache_that_is_damaged_is_made_again(content: str):
    Zoo.load()
    (cache_home() / "zoo.json").write_text(content)
    assert "doodle-128" in Zoo.load()
    assert json.loads((cache_home() / "zoo.json").read_text())["made"]["models"]


def test_a_cache_that_cannot_be_written_is_done_without():
    cache_home().parent.mkdir(parents=True, exist_ok=True)
    cache_home().write_text("a file where a folder belongs")
    assert "doodle-128" in Zoo.load()


def test_nothing_is_kept_where_the_state_is_not_known():
    assert remembered("x", [], lambda: 1) == 1
    assert remembered("x", [], lambda: 2) == 2
    assert not (cache_home() / "x.json").exists()


def test_a_file_that_is_replaced_by_one_of_the_same_time_and_size_is_another(tmp_path: Path):
    path, other = tmp_path / "a", tmp_path / "b"
    path.write_text("one")
    other.write_text("two")
    for file in (path, other):
        os.utime(file, ns=(10**9, 10**9))
    before = states([path])
    other.replace(path)
    assert states([path]) != before


def test_the_code_that_reads_catalogs_is_part_of_the_state():
    files = [Path(name).name for name, *_ in catalog_state()]
    assert files[0] == "models.yaml"
    assert {"spec.py", "entries.py", "footprint.py"} <= set(files)
