"""How well windows join, on a model whose truth is known: the embedded one.

    python bench/long_quality.py [CELL ...] [--seeds 20] [--results FILE]

Every cell is one way to make a video of eight times the native length: a blend rule, an overlap, a
noise, or no windows at all. The cells named `t2v` are what `t2v generate` itself makes; the others
average the windows in a loop of our own, all windows of a step in one batch, so that rules which the
product does not offer can be tried. Prompts are single subjects of the embedded model's world, and
`training.measure` says from the pixels alone what each eighth of a video shows. Results are kept a
video at a time, so a stopped run goes on where it was.
"""

import argparse
import functools
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import WanPipeline

from t2v import builtin
from t2v.longvideo.matching import matched
from t2v.longvideo.report import Join, Observer
from t2v.media.frames import to_uint8
from t2v.runtime.quiet import quiet
from t2v.runtime.vae import decoded_frames
from training import measure, pipeline, text, world
from training.evaluate import Case, cases

NATIVE = 5
"""Latent frames of a native clip; 17 frames."""
TIMES = 8
NUM_FRAMES = TIMES * world.NUM_FRAMES
NUM_LATENTS = (NUM_FRAMES - 2) // 4 + 2
"""Enough for them: the first latent is one frame, each later one four."""
SHAPE = (32, 8, 8)
"""Channels, height and width of a latent frame."""

Weights = Callable[[int, int], np.ndarray]


@dataclass(frozen=True)
class Cell:
    """One way to make a long video."""

    overlap: int = 2
    rule: str = "half-open"
    noise: str = "independent"
    kind: str = "windows"
    match: float = 0.0
    """How much of the first window's statistics later ones are given."""


CELLS: dict[str, Cell] = {
    "native": Cell(kind="native"),
    "concatenated": Cell(kind="concatenated"),
    "no overlap": Cell(overlap=0),
    "half-open, overlap 2": Cell(),
    "half-open, overlap 1": Cell(overlap=1),
    "half-open, overlap 3": Cell(overlap=3),
    "half-open, overlap 4": Cell(overlap=4),
    "linear, overlap 1": Cell(overlap=1, rule="linear"),
    "linear, overlap 2": Cell(rule="linear"),
    "linear, overlap 3": Cell(overlap=3, rule="linear"),
    "pyramid, overlap 2": Cell(rule="pyramid"),
    "pyramid, overlap 3": Cell(overlap=3, rule="pyramid"),
    "flat, overlap 2": Cell(rule="flat"),
    "flat, overlap 3": Cell(overlap=3, rule="flat"),
    "hard, overlap 2": Cell(rule="hard"),
    "hard, overlap 3": Cell(overlap=3, rule="hard"),
    "anchor of 2, overlap 3": Cell(overlap=3, rule="anchor-2"),
    "cosine, overlap 3": Cell(overlap=3, rule="cosine"),
    "half-open, freenoise": Cell(noise="freenoise"),
    "half-open, mixed 0.25": Cell(noise="mixed:0.25"),
    "half-open, mixed 0.5": Cell(noise="mixed:0.5"),
    "half-open, mixed 0.75": Cell(noise="mixed:0.75"),
    "half-open, overlap 3, freenoise": Cell(overlap=3, noise="freenoise"),
    "half-open, overlap 3, mixed 0.5": Cell(overlap=3, noise="mixed:0.5"),
    "continued, overlap 2": Cell(rule="continue"),
    "continued, overlap 3": Cell(overlap=3, rule="continue"),
    "continued, overlap 3, matched": Cell(overlap=3, rule="continue", match=0.25),
    "all at once": Cell(kind="direct"),
}

# --- where windows lie and what each says -------------------------------------------------------


def window_starts(overlap: int) -> list[int]:
    """First latents of the fewest windows with at least this overlap, evenly spread."""
    rest = NUM_LATENTS - NATIVE
    count = 1 + -(-rest // (NATIVE - overlap))
    return [round(index * rest / (count - 1)) for index in range(count)]


def _rise(rule: str, overlap: int) -> np.ndarray:
    """How much a window counts on the frames that it shares with the one before."""
    steps = np.arange(overlap)
    match rule:
        case "half-open":
            return steps / overlap
        case "cosine":
            return (1 - np.cos(np.pi * steps / overlap)) / 2
        case "anchor-2":
            return np.clip((steps - 1) / max(overlap - 1, 1), 0, 1)
        case "continue":
            return np.zeros(overlap)
        case "hard":
            return (steps >= -(-overlap // 2)).astype(float)
        case _:
            return (steps + 1) / (overlap + 1)


def blend_weights(rule: str, starts: list[int]) -> np.ndarray:
    """Windows x latents of a window; over all windows they are one on every latent."""
    weights = np.ones((len(starts), NATIVE))
    if rule == "pyramid":
        weights *= np.minimum(np.arange(NATIVE) + 1, NATIVE - np.arange(NATIVE))
    elif rule != "flat":
        for index, (before, start) in enumerate(pairwise(starts), start=1):
            overlap = max(before + NATIVE - start, 0)
            rise = _rise(rule, overlap)
            weights[index, :overlap] *= rise
            weights[index - 1, NATIVE - overlap :] *= 1 - rise
    total = np.zeros(NUM_LATENTS)
    for start, row in zip(starts, weights, strict=True):
        total[start : start + NATIVE] += row
    return np.stack([row / total[s : s + NATIVE] for s, row in zip(starts, weights, strict=True)])


def draw_noise(kind: str, seed: int, starts: list[int]) -> torch.Tensor:
    """One noise a latent frame, the same whatever the number of frames: C F H W."""

    def frame(index: int, stream: int = 0) -> torch.Tensor:
        state = torch.Generator().manual_seed((seed * 1_000_003 + index) * 7 + stream)
        return torch.randn(SHAPE, generator=state)

    fresh = torch.stack([frame(index) for index in range(NUM_LATENTS)], dim=1)
    if kind == "independent":
        return fresh
    source = list(range(NATIVE))
    rng = random.Random(seed)
    for before, start in pairwise(starts):
        dropped = source[before:start]
        rng.shuffle(dropped)
        source += dropped
    shared = torch.stack([frame(index, 1) for index in source[:NUM_LATENTS]], dim=1)
    part = 1.0 if kind == "freenoise" else float(kind.removeprefix("mixed:"))
    return part**0.5 * shared + (1 - part) ** 0.5 * fresh


# --- videos -------------------------------------------------------------------------------------


@torch.no_grad()
def denoise(pipe: WanPipeline, prompt: str, latents: torch.Tensor, cell: Cell) -> torch.Tensor:
    """Average the predictions of all windows at every step: C F H W to the same."""
    num_latents = latents.shape[1]
    windowed = cell.kind == "windows" and num_latents > NATIVE
    starts = window_starts(cell.overlap) if windowed else [0]
    length = NATIVE if windowed else num_latents
    weights = blend_weights(cell.rule, starts) if windowed else np.ones((1, length))
    texts = pipe.encode_prompt(prompt, "", max_sequence_length=text.MAX_TOKENS)
    embeds = torch.cat(texts).repeat_interleave(len(starts), dim=0)
    scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config)
    scheduler.set_timesteps(pipeline.DEFAULTS["num_inference_steps"])
    for timestep in scheduler.timesteps:
        batch = torch.stack([latents[:, start : start + length] for start in starts])
        with_text, without = pipe.transformer(
            hidden_states=batch.repeat(2, 1, 1, 1, 1),
            timestep=timestep.expand(2 * len(starts)),
            encoder_hidden_states=embeds,
            return_dict=False,
        )[0].chunk(2)
        guided = without + pipeline.DEFAULTS["guidance_scale"] * (with_text - without)
        blended = torch.zeros_like(latents)
        for start, row, one in zip(starts, weights, guided, strict=True):
            part = torch.as_tensor(row, dtype=torch.float32).view(1, -1, 1, 1)
            blended[:, start : start + length] += part * one
        latents = scheduler.step(blended, timestep, latents, return_dict=False)[0]
    if cell.match:
        # Continuations that are evenly spread: each adds what the one before does not have.
        stride = round((num_latents - NATIVE) / (len(starts) - 1))
        latents = torch.cat([*matched(iter([latents[None]]), NATIVE, stride, cell.match)], 2)[0]
    return latents


def decode(pipe: WanPipeline, latents: torch.Tensor) -> list[np.ndarray]:
    """The frames of C F H W, uint8."""
    mean = torch.tensor(pipe.vae.config.latents_mean).view(1, -1, 1, 1, 1)
    std = torch.tensor(pipe.vae.config.latents_std).view(1, -1, 1, 1, 1)
    return [to_uint8(frame) for frame in decoded_frames(pipe, latents[None] * std + mean)]


def kept(file: Path, produce: Callable[[], np.ndarray]) -> np.ndarray:
    """The frames in the file, made if it is not there: judging again costs no denoising."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".part.npz")
        np.savez_compressed(partial, frames=produce())
        partial.rename(file)
    with np.load(file) as archive:
        return archive["frames"]


def make(pipe: WanPipeline, case: Case, cell: Cell) -> np.ndarray:
    """The video of a case in this way: frames x height x width x 3."""
    starts = window_starts(cell.overlap)
    noise = draw_noise(cell.noise, case.seed, starts)
    if cell.kind in ("native", "concatenated"):
        clips = range(TIMES if cell.kind == "concatenated" else 1)
        noises = [draw_noise("independent", case.seed + 5000 * clip, starts) for clip in clips]
        made = [decode(pipe, denoise(pipe, case.prompt, one[:, :NATIVE], cell)) for one in noises]
        return np.stack([frame for clip in made for frame in clip])
    return np.stack(decode(pipe, denoise(pipe, case.prompt, noise, cell))[:NUM_FRAMES])


# --- judging ------------------------------------------------------------------------------------


def joins(cell: Cell) -> list[Join]:
    """Where the windows of a cell meet, in frames."""
    if cell.kind == "concatenated":
        return [Join(clip * world.NUM_FRAMES, clip * world.NUM_FRAMES) for clip in range(1, TIMES)]
    if cell.kind != "windows":
        return []
    return [
        Join(4 * start - 3, max(4 * (before + NATIVE) - 4, 4 * start - 3))
        for before, start in pairwise(window_starts(cell.overlap))
    ]


def judge(frames: np.ndarray, case: Case, where: list[Join]) -> dict[str, Any]:
    """Everything that is known of a video."""
    observer = Observer(where)
    for frame in frames:
        observer.look(frame)
    parts = [frames[i : i + world.NUM_FRAMES] for i in range(0, len(frames), world.NUM_FRAMES)]
    readings = [measure.read(part) for part in parts]
    verdicts = [measure.judge(reading, case.scene) for reading in readings]
    asked = case.scene.subjects[0].color
    seen = [{one.color: one.shape for one in reading.subjects}.get(asked) for reading in readings]
    return {
        "report": observer.report(),
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


def cost(cell: Cell) -> float:
    """Latent frames denoised for each one that is shown."""
    if cell.kind != "windows":
        return 1.0
    return len(window_starts(cell.overlap)) * NATIVE / NUM_LATENTS


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


def made(pipe: WanPipeline, name: str, todo: list[Case], folder: Path) -> list[dict[str, Any]]:
    """A verdict a case; what is in the folder already is not made again."""
    cell, rows = CELLS[name], []
    for case in todo:
        file = folder / name / f"{case.seed}.npz"
        verdict = file.with_suffix(".json")
        if not verdict.exists():
            frames = kept(file, functools.partial(make, pipe, case, cell))
            verdict.write_text(json.dumps(judge(frames, case, joins(cell))))
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
