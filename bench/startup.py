"""How much processor time the command line takes before it does anything, beside its peers.

`python bench/startup.py [--runs N]` runs every command N times in turn and prints the median of
user + system seconds, the ratio to the slowest peer, and the budget where there is one. Commands that
look at the zoo are also run with 200 models of the user's own beside those that ship. What a command
remembers for the next time is there already: each is run once before it is measured.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BIN = Path(sys.executable).parent
T2V = [sys.executable, "-m", "t2v_cli"]
LOOKING = {
    "t2v models list": [*T2V, "models", "list"],
    "t2v models show": [*T2V, "models", "show", "wan2.1-t2v-1.3b"],
    "t2v models search": [*T2V, "models", "search", "small", "wan"],
}
NUM_OWN = 200
OWN = """
models:
  own-{number}:
    family: wan
    repo: me/own-{number}
    description: A model of somebody's own, number {number}, tuned on clips of the sea.
    aliases: [mine-{number}]
    license: apache-2.0
    commercial: "yes"
    components:
      transformer: {{params: 1419000000, bytes: 2838000000}}
      text_encoder: {{params: 5681000000, bytes: 11362000000}}
      vae: {{params: 127000000, bytes: 508000000}}
    defaults: {{num_inference_steps: 50, guidance_scale: 5.0, flow_shift: 3.0}}
    sources: {{components: counted, defaults: chosen by eye}}
"""
COMMANDS: dict[str, tuple[list[str], float | None]] = {
    "python -c pass": ([sys.executable, "-c", "pass"], None),
    "t2v --version": ([*T2V, "--version"], 0.15),
    "t2v --help": ([*T2V, "--help"], 0.15),
    "t2v generate --help": ([*T2V, "generate", "--help"], 0.30),
    **{name: (command, 0.30) for name, command in LOOKING.items()},
    **{f"{name} (+{NUM_OWN})": (command, 0.30) for name, command in LOOKING.items()},
    "t2v plan": ([*T2V, "plan", "a red ball"], 0.30),
    "hf --help": ([str(BIN / "hf"), "--help"], None),
    "diffusers-cli --help": ([str(BIN / "diffusers-cli"), "--help"], None),
}


def cpu_seconds(command: list[str], environment: dict[str, str]) -> float:
    """User and system seconds of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        command,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def homes(folder: Path) -> dict[bool, dict[str, str]]:
    """Two environments: without models of the user's own, and with 200, a file each."""
    # A program that may not keep its bytecode compiles all of t2v at every start.
    plain = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    own = folder / "many/models.d"
    own.mkdir(parents=True)
    for number in range(NUM_OWN):
        (own / f"own-{number}.yaml").write_text(OWN.format(number=number))
    return {
        has_own: plain
        | {"T2V_CONFIG_HOME": str(folder / name), "T2V_CACHE_HOME": str(folder / f"{name}-cache")}
        for has_own, name in ((False, "none"), (True, "many"))
    }


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
    with tempfile.TemporaryDirectory() as folder:
        environments = homes(Path(folder))
        # In turn, so that a busy moment of the machine does not fall on one command alone.
        for run in range(runs + 1):
            for name, (command, _budget) in COMMANDS.items():
                taken = cpu_seconds(command, environments[name.endswith(f"(+{NUM_OWN})")])
                seconds[name] += [taken] if run else []
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    slowest = medians["diffusers-cli --help"]
    hf = medians["hf --help"]
    print(f"{'command':25} {'CPU-s':>7} {'best':>7} {'/ hf':>7} {'/ diffusers-cli':>16}  budget")
    for name, (_, budget) in COMMANDS.items():
        verdict = (
            "" if budget is None else f"{budget:.2f} {'ok' if medians[name] <= budget else 'OVER'}"
        )
        print(
            f"{name:25} {medians[name]:7.3f} {min(seconds[name]):7.3f} {medians[name] / hf:7.2f}"
            f" {medians[name] / slowest:16.3f}  {verdict}"
        )
    first = statistics.median(first_line_seconds() for _ in range(runs))
    print(f"t2v generate: first line after {first:.2f} s by the clock (budget 0.50)")


if __name__ == "__main__":
    main()
