"""A long plan as data: what `t2v plan --json` prints and the record of the video repeats."""

from typing import Any

from t2v.plan.latents import first_pixel, pixel_frames
from t2v.plan.windows import LongPlan, Shot, Window

MAX_PROMPT = 100
"""Characters of a prompt that are repeated with each window."""


def outline(long: LongPlan) -> dict[str, Any]:
    """Everything but the windows. Bare numbers are pixel frames, `latent_` ones latent frames."""
    return {
        "method": long.method,
        "reason": long.reason,
        "order": long.order,
        "noise": long.noise,
        "loop": long.loop,
        "endless": long.endless,
        "window": pixel_frames(long.rule, long.window),
        "overlap": long.rule.factor * long.overlap,
        "latent_window": long.window,
        "latent_overlap": long.overlap,
        "latent_stride": long.stride,
        "num_windows": None if long.endless else len(long.windows),
        "num_evaluations": long.num_evaluations,
        "cost": None if long.cost is None else round(long.cost, 4),
        "shots": [shot_facts(shot) for shot in long.shots],
    }


def shot_facts(shot: Shot) -> dict[str, Any]:
    """One shot: where it lies, and the seed of its noise."""
    return {
        "index": shot.index,
        "first_frame": shot.first_frame,
        "num_frames": shot.num_frames,
        "num_latents": shot.num_latents,
        "seed": shot.seed,
    }


def window_facts(long: LongPlan, shot: Shot, window: Window) -> dict[str, Any]:
    """One window: which frames of the video it counts on, and what it shows."""
    first, last = shown(long, shot, window)
    return {
        "index": window.index,
        "shot": window.shot,
        "first_frame": first,
        "num_frames": last - first,
        "latent_start": window.start,
        "num_latents": window.length,
        "prompt": _beginning(window.prompt),
        "negative_prompt": window.negative_prompt and _beginning(window.negative_prompt),
    }


def _beginning(text: str) -> str:
    """Enough to tell prompts apart: whole they are in the request, and here thousands of times."""
    return text if len(text) <= MAX_PROMPT else f"{text[: MAX_PROMPT - 1]}…"


def all_windows(long: LongPlan) -> list[dict[str, Any]]:
    """The windows of all shots, in order."""
    return [window_facts(long, shot, window) for shot in long.shots for window in shot.windows]


def weighted_windows(long: LongPlan) -> list[dict[str, Any]]:
    """All windows, each with how much it counts on each of its latent frames."""
    windows = zip(all_windows(long), long.windows, strict=True)
    return [
        facts | {"weights": [round(weight, 6) for weight in window.weights]}
        for facts, window in windows
    ]


def shown(long: LongPlan, shot: Shot, window: Window) -> tuple[int, int]:
    """The first pixel frame of the video that a window counts on, and the one after its last.

    On a loop the last may be beyond the end: the frames there are those of the beginning.
    """
    counting = [offset for offset, weight in enumerate(window.weights) if weight > 0]
    bounds = window.start + counting[0], window.start + counting[-1] + 1
    if long.loop:
        first = bounds[0] % shot.num_latents
        return long.rule.factor * first, long.rule.factor * (first + bounds[1] - bounds[0])
    first, last = (first_pixel(long.rule, bound) for bound in bounds)
    return shot.first_frame + first, shot.first_frame + min(last, shot.num_frames)
