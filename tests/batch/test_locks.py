"""Two runs over one folder: shares of one division go side by side, all else is refused."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from t2v.batch.planning.shards import Shard
from t2v.batch.run_folder.folder import open_run, read_run
from t2v.errors import BusyError
from tests.batch.runs import finished_run, make_jobs
from tests.patience import PATIENCE_S, patience

HOLD = """
import sys
from pathlib import Path
from t2v.batch.run_folder.folder import open_run
from t2v.batch.planning.shards import Shard

shard = Shard.parse(sys.argv[2]) if sys.argv[2] else None
with open_run(Path(sys.argv[1]), shard=shard):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held(folder: Path, shard: str = "") -> Iterator[subprocess.Popen[str]]:
    """Another process with a run in the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), shard],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process, patience(process):
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_run_is_refused_at_once_and_told_who_is_there(tmp_path: Path):
    with held(tmp_path) as other:
        began = time.monotonic()
        with pytest.raises(BusyError) as caught, open_run(tmp_path):
            pass
        assert time.monotonic() - began < 1
    assert caught.value.exit_code == 75
    assert re.search(rf"\(process {other.pid} on \S+, since 20\S+\)", str(caught.value))
    assert "--shard 1/4" in str(caught.value)


def test_a_run_that_was_killed_holds_nothing(tmp_path: Path):
    with held(tmp_path) as other:
        os.kill(other.pid, signal.SIGKILL)
        other.wait(PATIENCE_S)
        with open_run(tmp_path) as run:
            assert run.notes == ()


def test_a_folder_is_free_when_its_run_is_over(tmp_path: Path):
    for _ in range(2):
        with open_run(tmp_path):
            pass


@pytest.mark.parametrize(
    ("first", "second"),
    [("1/2", "1/2"), ("1/2", ""), ("", "1/2"), ("1/2", "2/3"), ("1/2", "1/4")],
)
def test_shares_that_overlap_are_refused(tmp_path: Path, first: str, second: str):
    shard = Shard.parse(second) if second else None
    with (
        held(tmp_path, first),
        pytest.raises(BusyError, match="is at work in"),
        open_run(tmp_path, shard=shard),
    ):
        pass


def test_shares_of_one_division_go_side_by_side(tmp_path: Path):
    with held(tmp_path, "1/3"), held(tmp_path, "3/3"), open_run(tmp_path, shard=Shard(2, 3)):
        pass
    assert len(list(tmp_path.glob("journal.*-of-3.jsonl"))) == 3


def test_a_refused_run_changes_nothing(tmp_path: Path):
    jobs = make_jobs(2)
    finished_run(tmp_path, jobs)
    with held(tmp_path, "") as other:
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        with pytest.raises(BusyError), open_run(tmp_path, fresh=True):
            pass
        assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before
        assert [read_run(tmp_path).is_done(job) for job in jobs] == [True, True]
        assert other.poll() is None


def test_of_many_that_begin_at_once_one_gets_the_folder(tmp_path: Path):
    code = HOLD.replace("sys.stdin.read()", "sys.stdin.readline()")
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path), ""],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    # Whoever has it keeps it until all others have been refused.
    losers = 0
    deadline = time.monotonic() + PATIENCE_S
    while losers < 3 and time.monotonic() < deadline:
        losers = sum(process.poll() is not None for process in processes)
        time.sleep(0.05)
    told = [process.communicate("\n", timeout=PATIENCE_S) for process in processes]
    assert sorted(process.returncode for process in processes) == [0, 1, 1, 1]
    assert sorted(out for out, _ in told) == ["", "", "", "held\n"]
    assert sum("BusyError" in err for _, err in told) == 3
