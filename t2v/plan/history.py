"""How long earlier runs took on this machine, and what that says about the next one."""

import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Self

from t2v.zoo.places import cache_home

MAX_RUNS = 500
"""Kept when the file is cut down; it grows to twice as many in between."""
_MAX_LINE_BYTES = 2000
_RECENT = 5
_FAR = 64.0
"""A run whose video has more than so many times the pixels, or fewer, says nothing."""


@dataclass(frozen=True, slots=True)
class Workload:
    """What decides how long a video takes."""

    model: str
    device_name: str
    width: int
    height: int
    num_frames: int
    num_inference_steps: int | None = None

    @property
    def pixels(self) -> int:
        """Pixels of all frames together."""
        return self.width * self.height * self.num_frames


@dataclass(frozen=True, slots=True)
class Run:
    """One finished video: its workload, and seconds by stage."""

    workload: Workload
    timings_s: Mapping[str, float]

    @classmethod
    def parse(cls, line: str) -> Self | None:
        """The run of one line, or None if the line is not one."""
        try:
            record = json.loads(line)
            workload = Workload(**record["workload"])
            timings = {str(stage): float(value) for stage, value in record["timings_s"].items()}
            sizes = workload.width, workload.height, workload.num_frames
            numbers = [*sizes, workload.num_inference_steps or 1, *timings.values()]
            is_sane = all(0 <= number < 1e9 for number in numbers) and workload.pixels > 0
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None
        return cls(workload, timings) if is_sane else None


@dataclass(frozen=True, slots=True)
class Estimate:
    """Expected seconds of one video, stage by stage."""

    load_s: float
    encode_s: float
    seconds_per_step: float | None
    denoise_s: float
    decode_s: float
    write_s: float
    runs: int
    """How many earlier runs this rests on."""
    is_scaled: bool
    """Whether they made a video of another size or length."""

    @property
    def total_s(self) -> float:
        """Everything, from the start of the program."""
        return self.load_s + self.encode_s + self.denoise_s + self.decode_s + self.write_s


def history_path() -> Path:
    """The file that holds the earlier runs. Prompts are not in it."""
    return cache_home() / "timings.jsonl"


def record_timings(
    workload: Workload, timings_s: Mapping[str, float], path: Path | None = None
) -> None:
    """Add one finished video. A history that cannot be written is no reason to fail a run."""
    path = path or history_path()
    record = {
        "workload": asdict(workload),
        "timings_s": {k: round(v, 4) for k, v in timings_s.items()},
    }
    line = json.dumps(record, separators=(",", ":")) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # One short write in append mode is whole even when two runs end together.
        with path.open("ab", buffering=0) as file:
            file.write(line.encode())
        if path.stat().st_size > 2 * MAX_RUNS * len(line):
            _cut_down(path)
    except OSError:
        return


def read_runs(path: Path | None = None) -> list[Run]:
    """The earlier runs, oldest first; lines that are broken are passed over."""
    path = path or history_path()
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 2 * MAX_RUNS * _MAX_LINE_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return []
    return [run for line in lines if (run := Run.parse(line))]


def estimate(workload: Workload, runs: Iterable[Run]) -> Estimate | None:
    """What the runs of the same model on the same device say about this workload.

    Runs of the very same size and length count alone if there are any. Otherwise the nearest
    ones are scaled: seconds of denoising, decoding and writing in proportion to the pixels.
    """
    alike = [
        run
        for run in runs
        if (run.workload.model, run.workload.device_name) == (workload.model, workload.device_name)
        and 1 / _FAR <= workload.pixels / run.workload.pixels <= _FAR
    ]
    if not alike:
        return None
    best = min(_distance(workload, run) for run in alike)
    nearest = [run for run in alike if _distance(workload, run) == best][-_RECENT:]
    return _estimate_from(workload, nearest)


def _distance(workload: Workload, run: Run) -> float:
    ratio = workload.pixels / run.workload.pixels
    return max(ratio, 1 / ratio)


def _estimate_from(workload: Workload, runs: list[Run]) -> Estimate:
    def typical(stage: str, scaled: bool) -> float:
        return median(
            run.timings_s.get(stage, 0.0) * (_scale(workload, run) if scaled else 1.0)
            for run in runs
        )

    paces = [
        run.timings_s.get("denoise", 0.0) * _scale(workload, run) / run.workload.num_inference_steps
        for run in runs
        if run.workload.num_inference_steps
    ]
    pace = median(paces) if paces else None
    steps = workload.num_inference_steps
    return Estimate(
        load_s=typical("load", scaled=False),
        encode_s=typical("encode", scaled=False),
        seconds_per_step=pace,
        denoise_s=pace * steps if pace is not None and steps else typical("denoise", scaled=True),
        decode_s=typical("decode", scaled=True),
        write_s=typical("write", scaled=True),
        runs=len(runs),
        is_scaled=_distance(workload, runs[0]) != 1.0,
    )


def _scale(workload: Workload, run: Run) -> float:
    return workload.pixels / run.workload.pixels


def _cut_down(path: Path) -> None:
    lines = [
        line for line in path.read_bytes().splitlines(keepends=True) if Run.parse(_decoded(line))
    ]
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(lines[-MAX_RUNS:])
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _decoded(line: bytes) -> str:
    return line.decode("utf-8", "replace")
