"""Ways to make a long video with the embedded model, for `bench/long_quality.py` to compare.

The windows of a step are denoised in one batch, in a loop of our own, so that blend rules and noises
which the product does not offer can be tried, and a comparison takes hours and not days.
"""

import functools
import random
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from diffusers import WanPipeline

import t2v
from t2v.longvideo.joins import joins as plan_joins
from t2v.longvideo.matching import matched
from t2v.media.frames import to_uint8
from t2v.plan.windows import Join, spans, weights
from t2v.runtime.vae import decoded_frames
from training import pipeline, text, world
from training.evaluate import Case

NATIVE = 5
"""Latent frames of a native clip; 17 frames."""
TIMES = 8
NUM_FRAMES = TIMES * world.NUM_FRAMES
NUM_LATENTS = (NUM_FRAMES - 2) // 4 + 2
"""Enough for them: the first latent is one frame, each later one four."""
SWITCH = 17
"""The latent frame that a story changes at: frame 65."""
SHAPE = (32, 8, 8)
"""Channels, height and width of a latent frame."""


@dataclass(frozen=True)
class Cell:
    """One way to make a long video."""

    overlap: int = 2
    rule: str = "half-open"
    noise: str = "independent"
    kind: str = "windows"
    late_rule: str = ""
    """The rule from the middle of the steps on, where that is another."""
    match: float = 0.0
    """How much of the first window's statistics later ones are given."""


CELLS: dict[str, Cell] = {
    "native": Cell(kind="native"),
    "concatenated": Cell(kind="concatenated"),
    "t2v": Cell(kind="t2v"),
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
    "half-open, then hard, overlap 2": Cell(late_rule="hard"),
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
    "story, overlap 1": Cell(overlap=1, kind="story"),
    "story, overlap 2": Cell(kind="story"),
    "story, overlap 3": Cell(overlap=3, kind="story"),
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
    rows = np.ones((len(starts), NATIVE))
    if rule == "pyramid":
        rows *= np.minimum(np.arange(NATIVE) + 1, NATIVE - np.arange(NATIVE))
    elif rule != "flat":
        for index, (before, start) in enumerate(pairwise(starts), start=1):
            overlap = max(before + NATIVE - start, 0)
            rise = _rise(rule, overlap)
            rows[index, :overlap] *= rise
            rows[index - 1, NATIVE - overlap :] *= 1 - rise
    total = np.zeros(NUM_LATENTS)
    for start, row in zip(starts, rows, strict=True):
        total[start : start + NATIVE] += row
    return np.stack([row / total[s : s + NATIVE] for s, row in zip(starts, rows, strict=True)])


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


@dataclass(frozen=True)
class Grid:
    """Windows of one video, each with its weights and its prompt."""

    starts: list[int]
    weights: np.ndarray
    prompts: list[str]
    late_weights: np.ndarray | None = None
    """Those of the second half of the steps, where they are others."""

    @property
    def length(self) -> int:
        """Latents of a window."""
        return self.weights.shape[1]


def grid_of(cell: Cell, case: Case) -> Grid:
    """The windows of a cell."""
    if cell.kind == "story":
        placed = spans(NUM_LATENTS, NATIVE, cell.overlap, switches=[SWITCH])
        texts = [case.prompt, changed(case)[1]]
        return Grid(
            [span.start for span in placed],
            np.array(weights(placed, NUM_LATENTS, NATIVE)),
            [texts[span.segment] for span in placed],
        )
    if cell.kind == "windows":
        starts = window_starts(cell.overlap)
        late = blend_weights(cell.late_rule, starts) if cell.late_rule else None
        return Grid(starts, blend_weights(cell.rule, starts), [case.prompt] * len(starts), late)
    length = NUM_LATENTS if cell.kind == "direct" else NATIVE
    return Grid([0], np.ones((1, length)), [case.prompt])


@torch.no_grad()
def denoise(pipe: WanPipeline, grid: Grid, latents: torch.Tensor) -> torch.Tensor:
    """Average the predictions of all windows at every step: C F H W to the same."""
    encoded = {
        prompt: torch.cat(pipe.encode_prompt(prompt, "", max_sequence_length=text.MAX_TOKENS))
        for prompt in set(grid.prompts)
    }
    embeds = torch.stack([encoded[prompt] for prompt in grid.prompts], dim=1).flatten(0, 1)
    scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config)
    scheduler.set_timesteps(pipeline.DEFAULTS["num_inference_steps"])
    for step, timestep in enumerate(scheduler.timesteps):
        is_late = grid.late_weights is not None and 2 * step >= len(scheduler.timesteps)
        rows = grid.late_weights if is_late else grid.weights
        batch = torch.stack([latents[:, start : start + grid.length] for start in grid.starts])
        with_text, without = pipe.transformer(
            hidden_states=batch.repeat(2, 1, 1, 1, 1),
            timestep=timestep.expand(2 * len(grid.starts)),
            encoder_hidden_states=embeds,
            return_dict=False,
        )[0].chunk(2)
        guided = without + pipeline.DEFAULTS["guidance_scale"] * (with_text - without)
        blended = torch.zeros_like(latents)
        for start, row, one in zip(grid.starts, rows, guided, strict=True):
            part = torch.as_tensor(row, dtype=torch.float32).view(1, -1, 1, 1)
            blended[:, start : start + grid.length] += part * one
        latents = scheduler.step(blended, timestep, latents, return_dict=False)[0]
    return latents


def decode(pipe: WanPipeline, latents: torch.Tensor) -> list[np.ndarray]:
    """The frames of C F H W, uint8."""
    mean = torch.tensor(pipe.vae.config.latents_mean).view(1, -1, 1, 1, 1)
    std = torch.tensor(pipe.vae.config.latents_std).view(1, -1, 1, 1, 1)
    return [to_uint8(frame) for frame in decoded_frames(pipe, latents[None] * std + mean)]


def make(pipe: WanPipeline, case: Case, cell: Cell) -> np.ndarray:
    """The video of a case in this way: frames x height x width x 3."""
    if cell.kind == "t2v":
        return _generator().run(planned(case)).frames
    grid = grid_of(cell, case)
    if cell.kind in ("native", "concatenated"):
        clips = range(TIMES if cell.kind == "concatenated" else 1)
        noises = [draw_noise("independent", case.seed + 5000 * clip, [0]) for clip in clips]
        made = [decode(pipe, denoise(pipe, grid, one[:, :NATIVE])) for one in noises]
        return np.stack([frame for clip in made for frame in clip])
    latents = denoise(pipe, grid, draw_noise(cell.noise, case.seed, grid.starts))
    if cell.match:
        # Continuations that are evenly spread: each adds what the one before does not have.
        stride = grid.starts[1]
        latents = torch.cat([*matched(iter([latents[None]]), NATIVE, stride, cell.match)], 2)[0]
    return np.stack(decode(pipe, latents)[:NUM_FRAMES])


@functools.cache
def _generator() -> t2v.Generator:
    return t2v.load("doodle-128")


def planned(case: Case) -> t2v.Request:
    """What `t2v generate` would run for a case, with nothing said but its length and seed."""
    options = t2v.Options(model="doodle-128", num_frames=NUM_FRAMES, seed=case.seed)
    return t2v.make_plan(case.prompt, options, config=False).requests[0]


def changed(case: Case) -> tuple[world.Scene, str]:
    """The scene with its subject in another color, and words for it."""
    rng = random.Random(case.seed)
    (subject,) = case.scene.subjects
    others = [
        replace(subject, color=color)
        for color in world.COLORS
        # Neighbors that the model itself takes for one another would say nothing of time.
        if color != subject.color and {color, subject.color} not in CLOSE
    ]
    seen = [one for one in others if world.is_possible(one, case.scene.place)]
    scene = replace(case.scene, subjects=(rng.choice(seen),))
    return scene, world.caption(scene, rng, strange=0)


CLOSE = ({"orange", "yellow"}, {"red", "orange"}, {"purple", "blue"}, {"pink", "red"})


def joins(cell: Cell, case: Case) -> list[Join]:
    """Where the windows of a cell meet, in frames."""
    if cell.kind == "concatenated":
        return [Join(clip * world.NUM_FRAMES, clip * world.NUM_FRAMES) for clip in range(1, TIMES)]
    if cell.kind == "t2v":
        return list(plan_joins(planned(case).long))
    if cell.kind not in ("windows", "story"):
        return []
    return [
        Join(4 * start - 3, max(4 * (before + NATIVE) - 4, 4 * start - 3))
        for before, start in pairwise(grid_of(cell, case).starts)
    ]


def cost(cell: Cell) -> float:
    """Latent frames denoised for each one that is shown."""
    if cell.kind in ("windows", "t2v"):
        return len(window_starts(cell.overlap)) * NATIVE / NUM_LATENTS
    return 1.0
