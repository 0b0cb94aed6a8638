"""Fixtures of the hostile tests: one world a test, one loaded model for all."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import t2v
from t2v.testing import tiny_pipeline
from tests.hostile.world import World


@pytest.fixture
def world(
    tmp_path: Path,
    home: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    """An empty folder to work in, with something precious beside it."""
    return World(tmp_path, home, capsys, monkeypatch)


@pytest.fixture(scope="session")
def doodle() -> "t2v.Generator":
    """The embedded model, in memory."""
    return t2v.load("doodle-128", device="cpu")


@pytest.fixture(scope="session")
def tiny_wan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good diffusers folder, to be spoiled in copies."""
    return tiny_pipeline("wan", tmp_path_factory.mktemp("tiny") / "wan")


@pytest.fixture
def model_folder(tiny_wan: Path, world: World) -> Callable[[], Path]:
    """Copy the good folder into the world as `model`."""

    def copy() -> Path:
        return Path(shutil.copytree(tiny_wan, world.work / "model"))

    return copy
