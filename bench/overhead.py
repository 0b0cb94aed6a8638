"""What t2v adds to a bare diffusers call: planning, watching, guarding, hashing.

`python bench/overhead.py [--runs N]` makes the same video with diffusers alone and with
`t2v.load(...).generate(...)` in turn, without writing a file, and prints medians and their ratio.
Both sides get the same prompt, seed and settings and one thread, and both keep all their frames,
which are checked to be equal first.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import DiffusionPipeline

import t2v
from t2v import builtin
from t2v.media.frames import to_uint8
from t2v.runtime.quiet import quiet
from t2v.testing import tiny_pipeline

BUDGET = 1.03
CALL = (
    "negative_prompt",
    "width",
    "height",
    "num_frames",
    "num_inference_steps",
    "guidance_scale",
    "max_sequence_length",
)
PROMPT = "a red ball bounces over green hills"
MODELS: dict[str, dict[str, Any]] = {
    "tiny wan": {"width": 64, "height": 64, "num_frames": 17, "num_inference_steps": 20},
    "doodle-128": {},  # its own defaults
}


def measure(call: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor seconds of one call."""
    wall, processor = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - processor


def compare(folder: Path, options: dict[str, Any], runs: int) -> tuple[list[Any], list[Any]]:
    """Seconds of the bare call and of ours, run in turn on two loaded copies of the model."""
    with quiet():
        pipe = DiffusionPipeline.from_pretrained(str(folder), dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    generator = t2v.load(folder)

    def ours() -> t2v.Video:
        return generator.generate(PROMPT, seed=1, **options)

    decided = ours().record["request"]
    settled = {name: decided[name]["value"] for name in CALL if decided[name]["value"] is not None}

    def bare() -> Any:
        seeded = torch.Generator("cpu").manual_seed(1)
        return pipe(PROMPT, **settled, generator=seeded, output_type="np").frames[0]

    np.testing.assert_array_equal(ours().frames, np.stack([to_uint8(f) for f in bare()]))
    theirs, mine = [], []
    for run in range(runs):
        # Each goes first every other time, so that neither finds warmer caches.
        if run % 2:
            theirs.append(measure(bare))
            mine.append(measure(ours))
        else:
            mine.append(measure(ours))
            theirs.append(measure(bare))
    return theirs, mine


def main() -> None:
    """Measure each model and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=11)
    runs = parser.parse_args().runs
    torch.set_num_threads(1)
    print(f"{'model':12} {'clock':10} {'diffusers':>10} {'t2v':>10} {'ratio':>7}  budget {BUDGET}")
    with tempfile.TemporaryDirectory() as scratch:
        folders = {
            "tiny wan": tiny_pipeline("wan", Path(scratch) / "wan"),
            "doodle-128": builtin.folder(),
        }
        for name, options in MODELS.items():
            theirs, mine = compare(folders[name], options, runs)
            for index, clock in enumerate(("wall", "processor")):
                bare = statistics.median(run[index] for run in theirs)
                ours = statistics.median(run[index] for run in mine)
                print(f"{name:12} {clock:10} {bare:9.4f}s {ours:9.4f}s {ours / bare:7.3f}")


if __name__ == "__main__":
    main()
