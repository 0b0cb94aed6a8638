"""What a second worker of a Ray cluster adds: the same batch on one node, and on two.

`python bench/cluster.py [--items N] [--runs N]` begins clusters of virtual nodes on this machine, each
node with one processor and so each worker with one thread, makes N videos of the embedded model on
them by `t2v batch --engine ray`, on one node and on two in turn, and prints videos a minute. What is
counted is from the first finished video to the last, so that loading and Ray's start are not in it;
the time of the whole command stands beside it. Frames of both are compared by their hashes first.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

SHAPES = ("ball", "cube", "cone", "pyramid")
COLORS = ("red", "green", "blue", "yellow")
PLACES = ("over green hills", "in the desert", "on the sea", "in the snow")
STORE_BYTES = 80 << 20


@dataclass(frozen=True)
class Run:
    """One batch."""

    command_s: float
    per_minute: float
    workers: frozenset[str]
    hashes: dict[str, str]


class Nodes:
    """A cluster of this machine, as long as it is open."""

    def __init__(self, number: int) -> None:
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": STORE_BYTES}
        self._cluster = Cluster(initialize_head=True, head_node_args=head)
        for _ in range(number):
            self._cluster.add_node(num_cpus=1, object_store_memory=STORE_BYTES)
        self.address: str = self._cluster.address

    def close(self) -> None:
        """End it."""
        self._cluster.shutdown()


def prompts(number: int) -> list[str]:
    """So many different ones."""
    found = [f"a {c} {s} moves {p}" for p in PLACES for s in SHAPES for c in COLORS]
    return [found[index % len(found)] for index in range(number)]


def measure(num_nodes: int, file: Path, folder: Path) -> Run:
    """Make the batch of `file` on so many nodes."""
    command = [sys.executable, "-m", "t2v_cli", "batch", str(file), "-o", str(folder)]
    with closing(Nodes(num_nodes)) as nodes:
        began = time.perf_counter()
        subprocess.run(
            [*command, "--engine", "ray", "--address", nodes.address, "--progress", "none", "-q"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        command_s = time.perf_counter() - began
    lines = (folder / "journal.jsonl").read_text().splitlines()
    done = [event for line in lines if (event := json.loads(line))["event"] == "done"]
    started = [event for line in lines if (event := json.loads(line))["event"] == "started"]
    times = sorted(datetime.fromisoformat(event["at"]).timestamp() for event in done)
    return Run(
        command_s,
        60 * (len(times) - 1) / (times[-1] - times[0]),
        frozenset(event["worker"] for event in started),
        {event["key"]: _frames(event) for event in done},
    )


def _frames(event: dict[str, Any]) -> str:
    found: str = event["record"]["frames_sha256"]
    return found


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=24)
    parser.add_argument("--runs", type=int, default=2)
    given = parser.parse_args()
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"}
    os.environ.pop("OMP_NUM_THREADS", None)  # Ray gives each worker as many as its processors
    runs: dict[int, list[Run]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as root:
        file = Path(root, "prompts.txt")
        file.write_text("\n".join(prompts(given.items)) + "\n")
        # In turn, so that a busy moment of the machine does not fall on one of them alone.
        for number in range(given.runs):
            for num_nodes, found in runs.items():
                found.append(measure(num_nodes, file, Path(root, f"out-{num_nodes}-{number}")))
    first = runs[1][0]
    assert all(run.hashes == first.hashes for found in runs.values() for run in found)
    assert all(len(run.workers) == number for number, found in runs.items() for run in found)
    print(f"{given.items} videos, median of {given.runs}; load {os.getloadavg()[0]:.1f}")
    print(f"{'workers':>8} {'videos a minute':>16} {'whole command, s':>17}")
    rates = {}
    for number, found in runs.items():
        rates[number] = statistics.median(run.per_minute for run in found)
        whole = statistics.median(run.command_s for run in found)
        print(f"{number:8} {rates[number]:16.1f} {whole:17.1f}")
    print(f"2 workers make {rates[2] / rates[1]:.2f} times what one makes")


if __name__ == "__main__":
    main()
