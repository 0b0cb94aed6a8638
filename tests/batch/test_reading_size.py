"""A hundred thousand lines are read in seconds, in memory that does not grow with them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench" / "reading.py"


def measured(kind: str, lines: int) -> dict[str, float]:
    command = [sys.executable, str(BENCH), "--kind", kind, "--lines", str(lines)]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "most_mib"),
    [("flags.txt", 8), ("jsonl", 24)],  # of every name of an item a number is kept
)
def test_a_hundred_thousand_lines_need_seconds_and_no_memory(kind, most_mib):
    found = measured(kind, 100_000)

    assert found["items"] == 100_000
    assert found["all_items_s"] < 40
    assert found["growth_bytes"] < most_mib * 2**20


def test_the_first_of_ten_thousand_is_there_at_once():
    found = measured("plain.txt", 10_000)

    assert found["first_item_s"] < 2
    assert found["growth_bytes"] < 8 * 2**20
