"""The JSON of `t2v models` is what its schemas in the docs say."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import t2v
from t2v.zoo.catalog import catalog_documents
from tests.cli.conftest import ROOT, environment
from tests.docs.schemas import faults
from tests.patience import PATIENCE_S
from tests.zoo.making import save_model


def check(docs: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, docs / "schemas.py", "--check"],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=PATIENCE_S,
    )
    return done.returncode, done.stderr


def test_the_schemas_are_current():
    assert check(ROOT / "docs") == (0, "")


def test_a_schema_that_nothing_makes_is_told(tmp_path: Path):
    for part in ("outputs", "pages/schemas"):
        shutil.copytree(ROOT / "docs" / part, tmp_path / part)
    shutil.copy(ROOT / "docs/schemas.py", tmp_path)
    strange = tmp_path / "pages/schemas/strange.json"
    strange.write_text("{}")
    assert check(tmp_path) == (1, f"not made by docs/schemas.py: {strange}\n")


def test_the_list():
    assert faults("models-list", t2v.list_models()) == []


def test_a_search():
    found, _ = t2v.search_models("wan")
    assert found
    assert faults("models-search", found) == []


@pytest.mark.parametrize("name", t2v.Zoo.of(catalog_documents(overlays=False)))
def test_a_page(name: str):
    assert faults("models-show", t2v.show_model(name)) == []


def test_a_page_of_a_folder_without_an_entry(tmp_path: Path):
    assert faults("models-show", t2v.show_model(str(save_model(tmp_path / "tiny")))) == []


def test_a_schema_refuses_what_is_missing_or_misspelt():
    (first, *_) = t2v.list_models()
    assert faults("models-list", [{k: v for k, v in first.items() if k != "fits"}])
    assert faults("models-list", [{**first, "licence": "mit"}])
    assert faults("models-list", [{**first, "params": "many"}])
