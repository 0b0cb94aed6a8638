"""The JSON of `t2v models` is what its schemas in the docs say."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import t2v
from t2v.zoo.catalog import catalog_documents
from tests.cli.conftest import ROOT, environment
from tests.patience import PATIENCE_S
from tests.zoo.making import save_model

SCHEMAS = ROOT / "docs/pages/schemas"


def faults(name: str, document: Any) -> list[str]:
    schema = json.loads((SCHEMAS / f"{name}.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    found = Draft202012Validator(schema).iter_errors(as_printed(document))
    return [f"{error.json_path}: {error.message}" for error in found]


def as_printed(document: Any) -> Any:
    return json.loads(json.dumps(document))


def test_the_schemas_are_current():
    done = subprocess.run(
        [sys.executable, ROOT / "docs/schemas.py", "--check"],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=PATIENCE_S,
    )
    assert (done.returncode, done.stderr) == (0, "")


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
