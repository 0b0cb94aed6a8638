"""A page that no longer says what the code says does not pass."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.reading import ROOT
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.slow


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """A copy of the documentation."""
    ignored = shutil.ignore_patterns(".cache", "site", "__pycache__")
    return shutil.copytree(ROOT / "docs", tmp_path / "docs", ignore=ignored)


def reference(docs: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(docs / "reference.py"), *options],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'cli'}"},
        timeout=PATIENCE_S,
    )


def test_a_stale_page_is_named_and_written_anew(docs: Path):
    page = docs / "pages" / "zoo.md"
    current = page.read_text("utf-8")
    page.write_text(current.replace("| `doodle-128` | 7.0M |", "| `doodle-128` | 9.0M |"), "utf-8")

    checked = reference(docs, "--check")
    assert checked.returncode == 1
    assert checked.stderr == f"out of date: {page}; run python docs/reference.py\n"
    assert reference(docs).returncode == 0
    assert page.read_text("utf-8") == current
