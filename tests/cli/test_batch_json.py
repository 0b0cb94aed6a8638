"""The JSON that tells of a batch is what its schemas in the docs say."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import t2v
from t2v.batch.running.runner import run_batch
from tests.batch.quick_run import MAKER
from tests.batch.small_runs import Wish, make_run
from tests.cli.conftest import ROOT, Cli, Result
from tests.docs.schemas import faults

ITEMS = """\
- {prompt: red, id: one}
- {prompt: suspect, seed: 3}
- {prompt: raise}
- {prompt: green, size: 64x64, steps: 3, story: [green, {at: 1s, prompt: blue, cut: true}]}
"""


@pytest.fixture
def batch(cli: Cli, tmp_path: Path) -> Callable[..., Result]:
    """`t2v batch` of a file with an item of each kind."""
    (tmp_path / "p.yaml").write_text(ITEMS)
    return lambda *arguments: cli("batch", "p.yaml", "-o", "out", "--json", *arguments)


@pytest.fixture
def folder(batch: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where all that can be made of it is made, by a real worker with a quick maker."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    folder = tmp_path / "out"
    plan = t2v.plan_batch(t2v.read_items(["p.yaml"]))
    run_batch(plan, folder=folder, manner=t2v.Manner(folder), maker=MAKER, retry=0)
    return folder


def test_a_dry_run(batch):
    plan = batch("--dry-run", "--sweep", "guidance=2,3", "--lora", "ada/watercolor:0.5").json()
    assert faults("batch-dry-run", plan) == []
    assert plan["num_jobs"] == 8
    assert faults("batch-dry-run", plan | {"num_job": 8})


def test_a_dry_run_of_what_is_made_in_part(batch, folder):
    next(folder.glob("green*.mp4")).unlink()
    plan = batch("--dry-run").json()
    assert faults("batch-dry-run", plan) == []
    states = [job["state"] for job in plan["jobs"]]
    assert sorted(states) == ["done", "done", "failed", "missing"]


@pytest.mark.usefixtures("folder")
def test_a_summary(batch):
    summary = batch().json()
    assert faults("batch", summary) == []
    assert (summary["num_there"], len(summary["failures"])) == (3, 1)


def test_the_lines_of_the_results(tmp_path):
    fates = ("ok", "suspect", "failed", "interrupted", "started", "new")
    make_run(tmp_path / "run", [Wish("a ball", fate, custom_id=fate) for fate in fates])
    lines = (tmp_path / "run" / "results.jsonl").read_text("utf-8").splitlines()
    results = [json.loads(line) for line in lines]
    assert [faults("results", result) for result in results] == [[]] * 4
    assert faults("results", results[0] | {"error": results[2]["error"]})
