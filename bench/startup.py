"""How much processor time the command line takes before it does anything, beside its peers.

`python bench/startup.py [--runs N]` runs every command N times in turn and prints the median of
user + system seconds, the ratio to the slowest peer, and the budget where there is one.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BIN = Path(sys.executable).parent
T2V = [sys.executable, "-m", "t2v_cli"]
COMMANDS: dict[str, tuple[list[str], float | None]] = {
    "python -c pass": ([sys.executable, "-c", "pass"], None),
    "t2v --version": ([*T2V, "--version"], 0.15),
    "t2v --help": ([*T2V, "--help"], 0.15),
    "t2v generate --help": ([*T2V, "generate", "--help"], 0.30),
    "t2v models list": ([*T2V, "models", "list"], 0.30),
    "t2v plan": ([*T2V, "plan", "a red ball"], 0.30),
    "hf --help": ([str(BIN / "hf"), "--help"], None),
    "diffusers-cli --help": ([str(BIN / "diffusers-cli"), "--help"], None),
}


def cpu_seconds(command: list[str]) -> float:
    """User and system seconds of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def first_line_seconds() -> float:
    """Seconds by the clock from the start of `t2v generate` to its first line; then it is ended."""
    began = time.perf_counter()
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            [*T2V, "generate", "a red ball"], stderr=subprocess.PIPE, cwd=folder
        ) as program,
    ):
        assert program.stderr is not None
        program.stderr.readline()
        seconds = time.perf_counter() - began
        program.kill()
    return seconds


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    # In turn, so that a busy moment of the machine does not fall on one command alone.
    for _ in range(runs):
        for name, (command, _budget) in COMMANDS.items():
            seconds[name].append(cpu_seconds(command))
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    slowest = medians["diffusers-cli --help"]
    hf = medians["hf --help"]
    print(f"{'command':22} {'CPU-s':>7} {'best':>7} {'/ hf':>7} {'/ diffusers-cli':>16}  budget")
    for name, (_, budget) in COMMANDS.items():
        verdict = (
            "" if budget is None else f"{budget:.2f} {'ok' if medians[name] <= budget else 'OVER'}"
        )
        print(
            f"{name:22} {medians[name]:7.3f} {min(seconds[name]):7.3f} {medians[name] / hf:7.2f}"
            f" {medians[name] / slowest:16.3f}  {verdict}"
        )
    first = statistics.median(first_line_seconds() for _ in range(runs))
    print(f"t2v generate: first line after {first:.2f} s by the clock (budget 0.50)")


if __name__ == "__main__":
    main()
