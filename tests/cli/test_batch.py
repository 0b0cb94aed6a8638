"""`t2v batch` with the model in the box: made, gone on with, failed, stopped."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, environment
from tests.patience import PATIENCE_S, wait_for

pytestmark = pytest.mark.slow

QUICK = ("--num-frames", "5", "--steps", "2")
PROMPTS = "a red ball bounces\na blue square slides left --d 3\n"


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    file = tmp_path / "p.txt"
    file.write_text(PROMPTS)
    return file


def digests(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.mp4")
    }


@pytest.mark.usefixtures("prompts")
def test_a_batch_is_made_once_and_known_again(program: Cli, tmp_path: Path):
    first = program("batch", "p.txt", "-o", "out", *QUICK)
    assert first.code == 0, first.err
    made = first.out.split()
    assert len(made) == 2
    assert all((tmp_path / path).is_file() for path in made)
    assert "2 videos: 2 made in" in first.err
    before = digests(tmp_path / "out")

    again = program("batch", "p.txt", "-o", "out", *QUICK, "--verify")
    assert (again.code, again.out) == (0, "")
    assert "2 videos: 2 there already" in again.err
    assert digests(tmp_path / "out") == before

    state = program("batch", "p.txt", "-o", "out", *QUICK, "--dry-run", "--json").json()
    assert (state["num_done"], state["jobs"][0]["state"]) == (2, "done")

    # The frames are those of `t2v generate`.
    record = json.loads(next((tmp_path / "out").glob("a-blue*.json")).read_text())
    one = program("generate", "a blue square slides left", "--seed", "3", *QUICK, "--json").json()
    assert one["frames_sha256"] == record["frames_sha256"]


def test_an_item_that_fails_is_told_and_the_others_are_made(program: Cli, tmp_path: Path):
    (tmp_path / "p.yaml").write_text(
        "- {prompt: a red ball, id: one}\n- {prompt: a red ball, id: two, scheduler: NoSuch}\n"
    )
    result = program("batch", "p.yaml", "-o", "out", *QUICK, "--json")
    assert result.code == 3
    summary = result.json()
    assert (summary["num_made"], summary["num_failed"]) == (1, 1)
    assert summary["failures"][0]["source"] == "p.yaml:2"
    assert "NoSuch does not fit WanPipeline" in summary["failures"][0]["message"]
    lines = (tmp_path / "out" / "results.jsonl").read_text().splitlines()
    results = {one["custom_id"]: one for one in map(json.loads, lines)}
    assert results["one"]["error"] is None
    assert results["two"]["response"] is None


def test_ctrl_c_keeps_what_is_finished_and_the_same_command_goes_on(tmp_path: Path):
    (tmp_path / "p.txt").write_text("\n".join(f"a red ball number {n}" for n in range(6)))
    command = [sys.executable, "-m", "t2v_cli", "batch", "p.txt", "-o", "out"]
    command += ["--num-frames", "5", "--steps", "8"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True
    ) as run:
        wait_for(lambda: list((tmp_path / "out").glob("*.mp4")))
        run.send_signal(signal.SIGINT)
        _, err = run.communicate(timeout=PATIENCE_S)
    assert run.returncode == 130, err
    assert "go on: the same command" in err
    before = digests(tmp_path / "out")
    assert 1 <= len(before) < 6
    again = subprocess.run(
        command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert again.returncode == 0, again.stderr
    after = digests(tmp_path / "out")
    assert len(after) == 6
    assert before.items() <= after.items()


def test_nothing_of_this_machine_is_in_what_a_batch_leaves(program: Cli, tmp_path: Path, prompts):
    assert program("batch", str(prompts), "-o", "out", *QUICK).code == 0
    for name in ("results.jsonl", "index.html", "journal.jsonl"):
        text = (tmp_path / "out" / name).read_text()
        assert str(tmp_path) not in text
        assert os.path.expanduser("~") not in text  # noqa: PTH111
