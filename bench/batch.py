"""Many videos in one run: what `t2v batch` takes beside two ways to do the same without it.

    python bench/batch.py [--prompts 64] [--generate 4] [--rounds 1]
    python bench/batch.py --slope 200

The other ways are a shell loop of `t2v generate`, of which only so many are run and the rest is
reckoned from them, and the loop that one writes with diffusers alone: load once, call, then
`export_to_video` (which needs `pip install imageio-ffmpeg`). All make the same videos of the embedded
model with as many threads as there are cores; frames are compared. Time is that of the whole command.
Memory is the most that all of its processes held together, each shared page counted once.

`--slope` makes so many short videos instead and prints how memory grows from one to the next.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

MODEL = "doodle-128"
OVER_SHELL, OVER_PLAIN, MEMORY = 5.0, 1.15, 1.1
MIB = 2**20
_COLORS = ("red", "blue", "green", "yellow", "orange", "purple", "white", "black")
_THINGS = ("ball", "cube", "star", "fish", "bird", "car", "boat", "cloud")
_PLACES = ("over green hills", "in the snow", "by the sea", "at night")

PLAIN = """
import hashlib, json, sys
from pathlib import Path
import numpy as np
import torch
from diffusers import DiffusionPipeline
from diffusers.utils import export_to_video

folder, out = Path(sys.argv[1]), Path(sys.argv[2])
pipe = DiffusionPipeline.from_pretrained(folder, dtype=torch.float32)
pipe.set_progress_bar_config(disable=True)
for number, line in enumerate(Path(sys.argv[3]).read_text().splitlines()):
    item = json.loads(line)
    generator = torch.Generator("cpu").manual_seed(item.pop("seed"))
    frames = pipe(**item, generator=generator, output_type="np").frames[0]
    export_to_video(list(frames), str(out / f"{number}.mp4"), fps=8)
    pixels = (np.clip(frames, 0, 1) * 255).round().astype(np.uint8)
    print(hashlib.sha256(pixels.tobytes()).hexdigest(), flush=True)
"""


@dataclass
class Taken:
    """What a command took."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    """Of all of its processes: what is left to compare where others keep the machine busy."""
    peak_bytes: int = 0
    memory: list[tuple[float, int]] = field(default_factory=list)
    """Seconds since the start, and bytes then."""
    output: str = ""


def prompts(number: int) -> list[str]:
    """Different lines of our own, in the words that the model knows."""
    lines = [f"a {c} {t} moves {p}" for p in _PLACES for t in _THINGS for c in _COLORS]
    return lines[:number]


def taken(command: list[str], home: Path) -> Taken:
    """Run a command to its end, and look at its memory ten times a second."""
    environment = os.environ | {"T2V_CACHE_HOME": str(home / "cache"), "HF_HUB_OFFLINE": "1"}
    environment.pop("OMP_NUM_THREADS", None)
    began, cpu_s, result = time.perf_counter(), _cpu_s(), Taken()
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
        )
        watcher = threading.Thread(target=_watch, args=(process.pid, began, result))
        watcher.start()
        result.output, _ = process.communicate()
    result.wall_s, result.cpu_s = time.perf_counter() - began, _cpu_s() - cpu_s
    watcher.join()
    if process.returncode:
        sys.exit(f"{command[:3]} failed: {(home / 'log').read_text()[-2000:]}")
    return result


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _watch(pid: int, began: float, result: Taken) -> None:
    while True:
        try:
            parent = psutil.Process(pid)
            held = sum(_pss(one) for one in (parent, *parent.children(recursive=True)))
        except psutil.Error:
            return
        if not held:
            return
        result.peak_bytes = max(result.peak_bytes, held)
        result.memory.append((time.perf_counter() - began, held))
        time.sleep(0.1)


def _pss(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0


def batch(
    file: Path, out: Path, home: Path, *options: str
) -> tuple[Taken, list[dict[str, object]]]:
    """All prompts of a file by `t2v batch`; what it took, and the records in the file's order."""
    command = [sys.executable, "-m", "t2v_cli", "batch", str(file), "-o", str(out), "-m", MODEL]
    took = taken([*command, "--seed", "1", "--progress", "none", *options], home)
    results = [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]
    records = {one["response"]["body"]["prompt"]: one["response"]["body"] for one in results}
    return took, [records[line] for line in file.read_text().splitlines()]


def plain(records: list[dict[str, object]], home: Path) -> tuple[Taken, list[str]]:
    """The same videos by diffusers alone."""
    from t2v.zoo.places import embedded

    names = "negative_prompt width height num_frames num_inference_steps guidance_scale"
    calls = home / "calls.jsonl"
    lines = [_call(record, [*names.split(), "max_sequence_length"]) for record in records]
    calls.write_text("\n".join(lines))
    out = home / "plain"
    out.mkdir(exist_ok=True)
    command = [sys.executable, "-c", PLAIN, str(embedded(MODEL)), str(out), str(calls)]
    took = taken(command, home)
    return took, took.output.split()


def _call(record: dict[str, object], names: list[str]) -> str:
    request: dict[str, dict[str, object]] = record["request"]  # type: ignore[assignment]
    return json.dumps({name: request[name]["value"] for name in ("prompt", "seed", *names)})


def shell_loop(records: list[dict[str, object]], home: Path) -> float:
    """Seconds of one `t2v generate`, the mean of some."""
    seconds = []
    for number, record in enumerate(records):
        name = str(home / f"single-{number}.mp4")
        command = [sys.executable, "-m", "t2v_cli", "generate", str(record["prompt"]), "-m", MODEL]
        options = ["--seed", str(record["seed"]), "-o", name, "--progress", "none"]
        seconds.append(taken([*command, *options], home).wall_s)
    return statistics.mean(seconds)


def compare(number: int, number_alone: int, rounds: int) -> None:
    """Print the table."""
    ours: list[Taken] = []
    theirs: list[Taken] = []
    records: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        file = home / "prompts.txt"
        file.write_text("\n".join(prompts(number)))
        for turn in range(rounds):
            # Encoded prompts of the turn before would be a gift.
            home_of_turn = home / str(turn)
            home_of_turn.mkdir()
            took, records = batch(file, home_of_turn / "out", home_of_turn)
            ours.append(took)
            took, hashes = plain(records, home_of_turn)
            theirs.append(took)
            same = [one["frames_sha256"] for one in records] == hashes
            print(f"round {turn}: frames are {'the same' if same else 'NOT THE SAME'}", flush=True)
        alone_s = shell_loop(records[:number_alone], home) * number if number_alone else 0.0
    ours_s, theirs_s = (statistics.median(t.wall_s for t in them) for them in (ours, theirs))
    ours_b, theirs_b = (max(t.peak_bytes for t in them) for them in (ours, theirs))
    print(f"{number} videos of {MODEL}, {os.cpu_count()} cores, median of {rounds}")
    ours_cpu, theirs_cpu = (statistics.median(t.cpu_s for t in them) for them in (ours, theirs))
    print(f"{'':28}{'seconds':>9}{'CPU-s':>8}{'MiB':>7}")
    print(f"{'t2v batch':28}{ours_s:9.1f}{ours_cpu:8.1f}{ours_b / MIB:7.0f}")
    print(f"{'diffusers in one process':28}{theirs_s:9.1f}{theirs_cpu:8.1f}{theirs_b / MIB:7.0f}")
    if number_alone:
        print(f"{'t2v generate in a loop':28}{alone_s:9.1f}   reckoned from {number_alone}")
        print(f"over the shell loop  {alone_s / ours_s:5.2f}   wanted {OVER_SHELL}")
    print(f"over diffusers       {theirs_s / ours_s:5.2f}   wanted {OVER_PLAIN}", end="")
    print(f"   ({theirs_cpu / ours_cpu:.2f} in CPU seconds)")
    print(f"memory of diffusers' {ours_b / theirs_b:5.2f}   at most {MEMORY}")


def slope(number: int) -> None:
    """Print how the memory grows from one video to the next, once the first ones are made."""
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        file = home / "prompts.txt"
        file.write_text("\n".join(prompts(number)))
        took, _ = batch(file, home / "out", home, "--steps", "2")
        finished = sorted(path.stat().st_mtime for path in (home / "out").glob("*.mp4"))
    half = took.memory[len(took.memory) // 4 :]
    first_s, last_s = half[0][0], half[-3][0]
    held = [memory for _, memory in half[:-2]]
    share = (last_s - first_s) / (finished[-1] - finished[0])
    grown = statistics.mean(held[-10:]) - statistics.mean(held[:10])
    print(f"{number} videos: {grown / MIB / (share * number):+.3f} MiB a video, peak", end=" ")
    print(f"{took.peak_bytes / MIB:.0f} MiB")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prompts", type=int, default=64)
    parser.add_argument("--generate", type=int, default=4, help="runs of t2v generate; 0 for none")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--slope", type=int, help="measure memory over so many videos instead")
    arguments = parser.parse_args()
    if arguments.slope:
        slope(arguments.slope)
    else:
        compare(arguments.prompts, arguments.generate, arguments.rounds)


if __name__ == "__main__":
    main()
