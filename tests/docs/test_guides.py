"""The guides are followed to the letter: a model and a family are added, and videos made."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from t2v.testing import tiny_pipeline
from tests.docs.reading import FOLDER, ROOT, Block, blocks
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.slow


def parts(page: str, language: str) -> list[Block]:
    return [block for block in blocks(language) if block.document == FOLDER / page]


@pytest.fixture
def person(tmp_path: Path) -> Path:
    """The home of somebody who follows the guide."""
    return tmp_path


def follow(person: Path, commands: str) -> str:
    """Run the lines of a shell block one after the other, in a home of their own."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("T2V_", "HF_", "XDG_"))}
    environment |= {
        "HOME": str(person),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": f"{ROOT}:{ROOT / 'cli'}:{person}",
        "HF_HUB_OFFLINE": "1",
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=person,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def write_catalog(person: Path, block: Block) -> None:
    catalog = person / ".config/t2v/models.yaml"
    catalog.parent.mkdir(parents=True, exist_ok=True)
    catalog.write_text(block.text, "utf-8")


def test_a_model_is_added_as_the_guide_says(person: Path):
    weights, unverified, use, _ = parts("adding-a-model.md", "bash")
    (entry,) = parts("adding-a-model.md", "yaml")

    follow(person, weights.text)
    assert "no entry in the zoo" in follow(person, unverified.text)
    write_catalog(person, entry)
    said = follow(person, use.text)

    assert "no problems found" in said
    assert "2 s at 8 fps: 16 frames -> 17, Wan makes 4n+1" in said
    assert "clouds-t2v-1m" in follow(person, "t2v models list --quiet").splitlines()
    facts = json.loads(follow(person, "t2v inspect boat.mp4 --json").splitlines()[0])
    assert facts["record"]["model"] == "clouds-t2v-1m"


def test_the_entry_of_the_guide_is_as_short_as_it_says():
    (entry,) = parts("adding-a-model.md", "yaml")
    fields = re.split(r"^    sources:\n", entry.text, flags=re.MULTILINE)[0].splitlines()

    assert len(fields) <= 15


def test_a_family_is_added_as_the_guide_says(person: Path):
    module = parts("adding-a-family.md", "python")[0]
    *_, use = parts("adding-a-family.md", "bash")
    *_, entry = parts("adding-a-family.md", "yaml")
    package = person / "our_package"
    package.mkdir()
    (package / "our_family.py").write_text(module.text, "utf-8")
    for name in ("our-model", "same-weights"):
        tiny_pipeline("cogvideox", person / "models" / name)
    write_catalog(person, entry)

    assert "no problems found" in follow(person, use.text)
    built_in = "--num-frames 9 --size 32x32 --steps 2 --guidance 3 --seed 1 --json"
    follow(person, f't2v generate "a red boat" -m ~/models/same-weights {built_in} -o theirs.mp4')
    ours, theirs = (
        json.loads(follow(person, f"t2v inspect {name} --json").splitlines()[0])["record"]
        for name in ("ours.mp4", "theirs.mp4")
    )
    assert (ours["family"], theirs["family"]) == ("our_package.our_family", "cogvideox")
    assert ours["frames_sha256"] == theirs["frames_sha256"]
