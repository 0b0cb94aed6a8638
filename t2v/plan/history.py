"""How long earlier runs took on this machine, and what that says about the next one."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from os import SEEK_END
from pathlib import Path
from typing import Self

from t2v.errors import DiskError
from t2v.zoo.places import cache_home
from t2v.zoo.store import write_text

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
    num_lanes: int = 1
    """Videos that were made side by side; each then takes longer."""

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
            is_counted = type(workload.num_lanes) is int and workload.num_lanes > 0
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None
        return cls(workload, timings) if is_sane and is_counted else None


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

    def stretched(self, calls: float, length: float) -> Self:
        """The same for so many calls of the pipeline and a video so many times as long."""
        return replace(
            self,
            denoise_s=self.denoise_s * calls,
            decode_s=self.decode_s * length,
            write_s=self.write_s * length,
        )


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
            file.write(b"\n" * _is_torn(path) + line.encode())
        if path.stat().st_size > 2 * MAX_RUNS * len(line):
            _cut_down(path)
    except (OSError, DiskError):
        return


def read_runs(path: Path | None = None) -> list[Run]:
    """The earlier runs, oldest first; lines that are broken are passed over."""
    try:
        lines = _last_lines(path or history_path())
    except OSError:
        return []
    return [run for line in lines if (run := Run.parse(line))]


def estimate(workload: Workload, runs: Iterable[Run]) -> Estimate | None:
    """What the runs of the same model on the same device say about this workload.

    Runs of the very same size and length count alone if there are any. Otherwise the nearest
    ones are scaled: seconds of denoising, decoding and writing in proportion to the pixels.
    """
    alike = [run for run in runs if _is_alike(workload, run)]
    if not alike:
        return None
    best = min(_distance(workload, run) for run in alike)
    nearest = [run for run in alike if _distance(workload, run) == best][-_RECENT:]
    return _estimate_from(workload, nearest, load_s=_usual_load_s(alike))


def _usual_load_s(runs: list[Run]) -> float:
    """What loading took of late; only the first of several videos counts it."""
    loads = [run.timings_s["load"] for run in runs if run.timings_s.get("load")]
    return _median(loads[-_RECENT:]) if loads else 0.0


def _is_alike(workload: Workload, run: Run) -> bool:
    """Whether the same model ran on the same device, with steps that can be compared."""
    own, other = workload, run.workload
    return (
        (own.model, own.device_name, own.num_lanes)
        == (other.model, other.device_name, other.num_lanes)
        and (own.num_inference_steps is None) == (other.num_inference_steps is None)
        and _distance(own, run) <= _FAR
    )


def _distance(workload: Workload, run: Run) -> float:
    ratio = _scale(workload, run)
    return max(ratio, 1 / ratio)


def _estimate_from(workload: Workload, runs: list[Run], *, load_s: float) -> Estimate:
    def typical(stage: str, *, scaled: bool) -> float:
        seconds = [
            run.timings_s[stage] * (_scale(workload, run) if scaled else 1.0)
            for run in runs
            if run.timings_s.get(stage)
        ]
        return _median(seconds) if seconds else 0.0

    paces = [
        run.timings_s.get("denoise", 0.0) * _scale(workload, run) / run.workload.num_inference_steps
        for run in runs
        if run.workload.num_inference_steps
    ]
    pace = _median(paces) if paces else None
    steps = workload.num_inference_steps
    return Estimate(
        load_s=load_s,
        encode_s=typical("encode", scaled=False),
        seconds_per_step=pace,
        denoise_s=pace * steps if pace is not None and steps else typical("denoise", scaled=True),
        decode_s=typical("decode", scaled=True),
        write_s=typical("write", scaled=True),
        runs=len(runs),
        is_scaled=_distance(workload, runs[0]) != 1.0,
    )


def _median(values: list[float]) -> float:
    middle = sorted(values)[(len(values) - 1) // 2 : len(values) // 2 + 1]
    return sum(middle) / len(middle)


def _scale(workload: Workload, run: Run) -> float:
    return workload.pixels / run.workload.pixels


def _is_torn(path: Path) -> bool:
    """Whether the last line has no end, after a crash or on a full disk."""
    with path.open("rb") as file:
        size = file.seek(0, SEEK_END)
        file.seek(max(0, size - 1))
        return size > 0 and file.read() != b"\n"


def _last_lines(path: Path) -> list[str]:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 2 * MAX_RUNS * _MAX_LINE_BYTES))
        return file.read().decode("utf-8", "replace").splitlines()


def _cut_down(path: Path) -> None:
    lines = [line for line in _last_lines(path) if Run.parse(line)][-MAX_RUNS:]
    write_text(path, "".join(f"{line}\n" for line in lines))
