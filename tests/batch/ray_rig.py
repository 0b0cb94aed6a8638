"""A cluster of virtual nodes and drivers on it, all processes of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import psutil

from tests.patience import wait_for

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0


def _environment(**more: str) -> dict[str, str]:
    ours = {"PYTHONPATH": str(ROOT), "RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}
    return {**os.environ, "OMP_NUM_THREADS": "1", **ours, **more}


class Driver:
    """One run of a batch."""

    def __init__(self, folder: Path, wishes: Sequence[Any], *flags: str, **more: str) -> None:
        self._folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.batch.ray_driver", str(folder), *flags],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=_environment(**more),
        )
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([_wish(wish) for wish in wishes]))
        self.process.stdin.close()
        self.process.stdin = None

    def end(self) -> tuple[dict[str, Any], int]:
        """What it says of itself, and its exit code; stdout has nothing else."""
        output, self.errors = self.process.communicate(timeout=PATIENCE_S)
        assert output, self.errors
        return json.loads(output), self.process.returncode

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def events(self, name: str) -> list[dict[str, Any]]:
        journal = self._folder / "journal.jsonl"
        lines = journal.read_bytes().splitlines() if journal.exists() else []
        return [event for line in lines if (event := json.loads(line))["event"] == name]

    def wait_until_done(self, number: int) -> None:
        wait_for(lambda: len(self.events("done")) >= number, f"{number} videos")


def _wish(wish: Any) -> list[Any]:
    return [wish, None] if isinstance(wish, str) else list(wish)


class Rig:
    """A cluster whose nodes have one processor each; the head has none."""

    def __enter__(self) -> Self:
        self._cluster = subprocess.Popen(
            [sys.executable, "-m", "tests.batch.ray_cluster"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            env=_environment(),
        )
        self._address = self._answer()
        self._nodes: list[str] = []
        return self

    def __exit__(self, *_: object) -> None:
        self._cluster.communicate(timeout=PATIENCE_S)

    def have_nodes(self, number: int) -> list[str]:
        """So many nodes, by name."""
        while len(self._nodes) > number:
            self.kill_node(self._nodes[-1])
        while len(self._nodes) < number:
            self.add_node()
        return list(self._nodes)

    def add_node(self) -> None:
        self._nodes.append(self._tell("add"))

    def kill_node(self, node: str) -> None:
        self._tell(f"kill {node}")
        self._nodes.remove(node)

    def drive(self, folder: Path, wishes: Sequence[Any], *flags: str, **more: str) -> Driver:
        return Driver(folder, wishes, *flags, RAY_ADDRESS=self._address, **more)

    def actors(self) -> list[psutil.Process]:
        """Processes of workers."""
        return [
            process
            for process in psutil.Process(self._cluster.pid).children(recursive=True)
            if process.name().startswith("ray::Actor")
        ]

    def _tell(self, command: str) -> str:
        assert self._cluster.stdin is not None
        self._cluster.stdin.write(f"{command}\n")
        self._cluster.stdin.flush()
        return self._answer()

    def _answer(self) -> str:
        assert self._cluster.stdout is not None
        return self._cluster.stdout.readline().strip()
