"""The folder of a batch tells how far it is."""

import pytest

from t2v.batch.run_folder.folder import open_run
from tests.batch.small_runs import Wish, make_run
from tests.docs.schemas import faults


@pytest.fixture
def folder(tmp_path):
    """A run with one video of each fate."""
    wishes = [
        Wish("a ball"),
        Wish("a kite", "failed", message="No \x1b[31mroom."),
        Wish("a fox", "failed", message="No \x1b[31mroom."),
        Wish("a hat", "suspect"),
        Wish("a cup", "new"),
    ]
    make_run(tmp_path / "run", wishes)
    return tmp_path / "run"


def test_counts_reasons_and_what_to_do_next_are_said(cli, folder):
    result = cli("inspect", "run")
    lines = [" ".join(line.split()) for line in result.out.splitlines()]
    assert result.code == 0
    assert lines[1] == "videos 5: 1 done, 1 look broken, 2 failed, 1 not begun"
    assert lines[2] == "at work no run"
    assert "2 failed memory: No \ufffd[31mroom. prompts.txt:2, prompts.txt:3" in lines
    assert result.err.splitlines() == [
        "the same t2v batch command makes what is missing",
        "with --retry-failed it tries again what failed",
    ]


def test_as_json_it_is_one_document(cli, folder):
    found = cli("inspect", "run", "--json").json()
    assert (found["num_videos"], found["num_missing"]) == (5, 1)
    assert found["counts"]["failed"] == 2
    assert found["reasons"][0]["examples"][0] == {"id": "video-1", "source": "prompts.txt:2"}
    assert faults("inspect-run", found) == []


def test_as_json_a_run_at_work_is_told(cli, folder):
    with open_run(folder):
        found = cli("inspect", "run", "--json").json()
    assert found["at_work"][0].keys() == {"pid", "host", "since"}
    assert faults("inspect-run", found) == []


def test_a_journal_of_a_newer_version_is_refused_with_exit_code_2(cli, folder):
    journal = folder / "journal.jsonl"
    _, rest = journal.read_bytes().split(b"\n", 1)
    journal.write_bytes(b'{"event":"journal","at":"","version":99}\n' + rest)
    result = cli("inspect", "run")
    assert (result.code, result.out) == (2, "")
    assert "newer t2v" in result.err
