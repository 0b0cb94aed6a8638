"""How well windows join, on a model whose truth is known: the embedded one.

    python bench/long_quality.py [WAY ...] [--seeds 20] [--folder FOLDER]

Every way of `bench/long_ways.py` makes videos of eight times the native length: blend rules,
overlaps, noises, continuations, no windows at all, and what `t2v generate` itself does. Prompts are
single subjects of the embedded model's world, and `training.measure` says from the pixels alone what
each eighth of a video shows. Videos are kept in the folder, so a stopped run goes on where it was.
"""

import argparse
import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import WanPipeline
from long_ways import CELLS, SWITCH, changed, cost, joins, make

from t2v import builtin
from t2v.longvideo.report import Observer
from t2v.plan.windows import Join
from t2v.runtime.quiet import quiet
from training import drawing, measure, pipeline, world
from training.evaluate import Case, cases

# --- judging ------------------------------------------------------------------------------------


def switched_at(frames: np.ndarray, before: str, after: str) -> int | None:
    """The frame from which on there is more of the second color; None if it never comes."""
    empty = drawing.empty_place(measure.find_place(frames)).astype(np.int16)
    foreground = np.abs(frames.astype(np.int16) - empty).max(-1) > measure.BACKGROUND_TOLERANCE
    palette = np.array(list(world.COLORS.values()), dtype=np.float32)
    nearest = np.linalg.norm(frames[..., None, :].astype(np.float32) - palette, axis=-1).argmin(-1)
    names = list(world.COLORS)
    areas = [(foreground & (nearest == names.index(name))).sum((1, 2)) for name in (before, after)]
    if areas[1][-world.NUM_FRAMES :].mean() < measure.MIN_AREA:
        return None
    more = np.sign(areas[1] - areas[0])
    # Of all places to change at, the one that fewest frames speak against.
    return int(
        np.argmin([(more[:at] > 0).sum() + (more[at:] < 0).sum() for at in range(len(more))])
    )


def judge(frames: np.ndarray, case: Case, where: list[Join]) -> dict[str, Any]:
    """Everything that is known of a video."""
    asked_at = 4 * SWITCH - 3
    observer = Observer(where, [asked_at])
    for frame in frames:
        observer.look(frame)
    parts = [frames[i : i + world.NUM_FRAMES] for i in range(0, len(frames), world.NUM_FRAMES)]
    readings = [measure.read(part) for part in parts]
    verdicts = [measure.judge(reading, case.scene) for reading in readings]
    asked = case.scene.subjects[0].color
    seen = [{one.color: one.shape for one in reading.subjects}.get(asked) for reading in readings]
    colors = case.scene.subjects[0].color, changed(case)[0].subjects[0].color
    return {
        "report": observer.report(),
        "asked_at": asked_at,
        "switched_at": switched_at(frames, *colors),
        "colors": [reading.subjects[0].color if reading.subjects else "" for reading in readings],
        "shapes": [shape or "" for shape in seen],
        "verdicts": [[int(v.color), int(v.shape), int(v.motion), int(v.place)] for v in verdicts],
    }


def summary(name: str, rows: list[dict[str, Any]], native: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures of a cell: means over its videos, beside native clips of the same seeds."""

    def mean(part: Callable[[dict[str, Any]], float], of: list[dict[str, Any]]) -> float:
        return float(np.mean([part(row) for row in of]))

    def motion(row: dict[str, Any]) -> float:
        return float(row["report"]["dynamic_degree"])

    def sharpness(row: dict[str, Any]) -> float:
        return float(row["report"]["sharpness"]["mean"])

    def drift(row: dict[str, Any], aspect: str) -> float:
        return abs(row["report"]["drift_percent"][aspect])

    def right(row: dict[str, Any], aspect: int) -> float:
        return float(np.mean([verdict[aspect] for verdict in row["verdicts"]]))

    joined = [row for row in rows if row["report"]["seams"]["joins"]]
    same = native[: len(rows)]
    return {
        "way": name,
        "videos": len(rows),
        "cost": cost(CELLS[name]),
        "seam": mean(lambda row: row["report"]["seams"]["ratio"], joined) if joined else None,
        "worst": mean(lambda row: row["report"]["seams"]["worst"], joined) if joined else None,
        "beat": mean(_beat, rows),
        **{aspect: mean(functools.partial(drift, aspect=aspect), rows) for aspect in DRIFTS},
        "motion": mean(motion, rows) / mean(motion, same),
        "sharpness": mean(sharpness, rows) / mean(sharpness, same),
        "one color": mean(lambda row: len(set(row["colors"])) == 1, rows),
        "one shape": mean(lambda row: len(set(row["shapes"])) == 1, rows),
        **{
            f"{aspect} right": mean(functools.partial(right, aspect=index), rows)
            for index, aspect in enumerate(("color", "shape", "motion", "place"))
        },
    }


DRIFTS = ("luma", "saturation", "contrast")


def _beat(row: dict[str, Any]) -> float:
    flicker = row["report"]["flicker"]
    return float(flicker["motion_percent"]) if flicker else 0.0


def table(figures: list[dict[str, Any]]) -> list[str]:
    """The summary in Markdown."""
    heads = list(figures[0])
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for row in figures:
        cells = [_cell(name, value) for name, value in row.items()]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, float):
        return str(value)
    if name.endswith(" right") or name.startswith("one "):
        return f"{100 * value:.0f}%"
    return f"{value:.2f}" if name not in (*DRIFTS, "beat") else f"{value:.1f}%"


def kept(file: Path, produce: Callable[[], np.ndarray]) -> np.ndarray:
    """The frames in the file, made if it is not there: judging again costs no denoising."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".part.npz")
        np.savez_compressed(partial, frames=produce())
        partial.rename(file)
    with np.load(file) as archive:
        return archive["frames"]


def made(pipe: WanPipeline, name: str, todo: list[Case], folder: Path) -> list[dict[str, Any]]:
    """A verdict a case; what is in the folder already is not made again."""
    cell, rows = CELLS[name], []
    for case in todo:
        file = folder / name / f"{case.seed}.npz"
        verdict = file.with_suffix(".json")
        if not verdict.exists():
            frames = kept(file, functools.partial(make, pipe, case, cell))
            verdict.write_text(json.dumps(judge(frames, case, joins(cell, case))))
        rows.append(json.loads(verdict.read_text()))
    return rows


def main() -> None:
    """Make and judge what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cells", nargs="*", help="which cells; all without")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--folder", type=Path, default=Path("long_quality"), help="for results")
    args = parser.parse_args()
    torch.set_num_threads(1)
    with quiet():
        pipe = pipeline.load(builtin.folder())
    todo = [case for case in cases(3 * args.seeds) if case.group == "single, seen"]
    native = made(pipe, "native", todo, args.folder)
    figures = []
    for name in args.cells or CELLS:
        figures.append(summary(name, made(pipe, name, todo, args.folder), native))
        print(table(figures)[-1], flush=True)
    print("", *table(figures), sep="\n")


if __name__ == "__main__":
    main()
