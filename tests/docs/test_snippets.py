"""Every program in the documentation runs as it is printed."""

import runpy
from pathlib import Path

import pytest
import yaml

from tests.docs.reading import ROOT, blocks

SNIPPETS = sorted((ROOT / "docs" / "snippets").glob("*.py"))


@pytest.fixture
def quick_model(home: Path) -> None:
    """The embedded model, told to take two steps and make five frames."""
    entry = yaml.safe_load((ROOT / "models.yaml").read_text("utf-8"))["models"]["doodle-128"]
    entry["defaults"]["num_inference_steps"] = 2
    entry["frames"]["native"] = 5
    overlay = home / "config" / "models.yaml"
    overlay.parent.mkdir()
    overlay.write_text(yaml.safe_dump({"models": {"doodle-128": entry}}), "utf-8")


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda path: path.stem)
@pytest.mark.usefixtures("quick_model")
def test_snippet_runs(snippet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    runpy.run_path(str(snippet))


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_python_on_a_page_is_a_snippet_or_the_code_itself(block):
    sources = [*SNIPPETS, *(ROOT / "t2v").rglob("*.py")]

    assert any(block.text in source.read_text("utf-8") for source in sources)


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda path: path.stem)
def test_every_snippet_is_on_a_page(snippet: Path):
    assert snippet.read_text("utf-8") in [block.text for block in blocks("python")]
