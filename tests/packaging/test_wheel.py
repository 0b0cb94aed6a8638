"""The wheel has all it needs and nothing else, and works in an empty environment."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

INSTALLING_S = 900
"""Of torch and its kin, where no cache has them."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2 * INSTALLING_S)]


def run(*command: str | Path, cwd: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": ""}
    result = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, env=environment, timeout=INSTALLING_S
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    # Without --wheel the wheel is built from the sdist, as an index builds it.
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def empty_environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    pip = (folder / "bin" / "python", "-m", "pip")
    # Most modules of torch and its kin are never imported here: no need to compile them all.
    run(*pip, "install", "--quiet", "--no-compile", wheel, cwd=folder)
    return folder


def test_the_wheel_has_two_packages_and_the_zoo(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"t2v", "t2v_cli"}
    assert "t2v/models.yaml" in names
    assert "t2v/py.typed" in names


def test_the_wheel_carries_the_embedded_model(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        sizes = [i.file_size for i in archive.infolist() if i.filename.startswith("t2v/builtin/")]
    assert max(sizes) <= 16 * 2**20
    assert sum(sizes) <= 40 * 2**20


def test_the_wheel_carries_the_parts_of_the_contact_sheet(wheel: Path):
    parts = {
        f"t2v/batch/sheet/page/{path.name}" for path in (ROOT / "t2v/batch/sheet/page").iterdir()
    }
    with zipfile.ZipFile(wheel) as archive:
        assert parts <= set(archive.namelist())
    assert "t2v/batch/sheet/page/sheet.html" in parts


def test_models_list_works_from_another_folder(empty_environment: Path, tmp_path: Path):
    names = run(empty_environment / "bin" / "t2v", "models", "list", "-q", cwd=tmp_path)
    assert "doodle-128" in names.splitlines()


def test_the_embedded_model_makes_a_video_there(empty_environment: Path, tmp_path: Path):
    t2v = empty_environment / "bin" / "t2v"
    run(t2v, "generate", "a red ball", "--steps", "2", "-o", "ball.mp4", "--yes", cwd=tmp_path)
    assert (tmp_path / "ball.mp4").stat().st_size > 1000
