"""What tests with real workers have in common."""

from pathlib import Path

import pytest

from tests.batch.killing import ROOT


@pytest.fixture
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers find `tests.batch.quick_maker`, wherever the tests were started."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a run goes; it is not there yet."""
    return tmp_path / "out"
