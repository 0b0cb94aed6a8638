"""The few rules of the house that no other tool holds."""

import subprocess

import pytest

from tests.docs.reading import ROOT
from tests.patience import PATIENCE_S

FOLDERS = {".ci", ".github", "bench", "cli", "docs", "t2v", "tests", "training"}
LONGEST = 400
"""Lines of a module."""


def tracked(*patterns: str) -> list[str]:
    """Files that git knows, or will know: not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_module_is_longer_than_a_reader_can_hold():
    modules = tracked("t2v/*.py", "cli/*.py", "bench/*.py", "docs/*.py")
    lengths = {name: len((ROOT / name).read_bytes().splitlines()) for name in modules}

    assert {name: lines for name, lines in lengths.items() if lines > LONGEST} == {}


def test_the_top_level_stays_as_it_is():
    assert {name.split("/")[0] for name in tracked() if "/" in name} == FOLDERS


def test_agents_read_one_page():
    assert len((ROOT / "AGENTS.md").read_text("utf-8").splitlines()) <= 80


def test_the_readme_has_the_two_commands():
    readme = (ROOT / "README.md").read_text("utf-8")

    assert "```bash\npip install . && t2v generate" in readme
    assert "<!-- test -->\n```bash\npip install -e '.[test]' && pytest" in readme
