"""Shots that are clips of their own: one plain call of the pipeline each, one after another."""

import functools
import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from t2v.api.latents import TENSORS, SavedRun, read_latents, save_latents
from t2v.api.work import IDENTITY
from t2v.longvideo.identity import identity_of, settle_identity
from t2v.media.parts import make_folder
from t2v.plan.longplan import clip_length
from t2v.plan.request import Request
from t2v.plan.windows import Shot
from t2v.runtime.adapter import Frame, Latents
from t2v.runtime.seeds import generator

if TYPE_CHECKING:
    from t2v.api.long import LongRendering


def clip_frames(rendering: "LongRendering", folder: Path | None) -> Iterator[Frame]:
    """The frames of all shots.

    In the work folder are the latents of finished shots, and of the one under way its evaluations.
    """
    shots = rendering.long.shots
    if folder is not None:
        identity = identity_of(rendering.pipe, rendering.request, rendering.further_arguments)
        settle_identity(folder / IDENTITY, identity)
    for shot in shots:
        clip = _clip(rendering, shot)
        kept = None if folder is None else folder / f"shot-{shot.index:05d}"
        if kept is not None and (kept / TENSORS).is_file():
            latents, _ = read_latents(kept)
        else:
            begun = None if folder is None else folder / f"begun-{shot.index:05d}"
            latents = _denoise(rendering, clip, shot.index, len(shots), begun)
            if kept is not None:
                run = SavedRun.of(rendering.spec, clip, rendering.saved.memory, rendering.record)
                save_latents(kept, latents, run)
            if begun is not None:
                shutil.rmtree(begun, ignore_errors=True)
        rendering.progress.decode()
        yield from islice(rendering.adapter.decode(rendering.pipe, latents), shot.num_frames)


def _clip(rendering: "LongRendering", shot: Shot) -> Request:
    """The request of one shot, a clip like any other."""
    window = shot.windows[0]
    return replace(
        rendering.request,
        prompt=window.prompt,
        negative_prompt=window.negative_prompt,
        num_frames=clip_length(rendering.spec, shot.num_frames),
        seed=shot.seed,
        story=(),
        method="native",
        long=None,
    )


def _denoise(
    rendering: "LongRendering", clip: Request, index: int, of_shots: int, begun: Path | None
) -> Latents:
    arguments = rendering.adapter.call_arguments(rendering.pipe, clip)
    arguments |= rendering.further_arguments
    arguments["generator"] = generator(clip.seed)
    progress = rendering.progress
    progress.encode()

    def on_step(step: int, of: int) -> None:
        if step == 0:
            progress.denoise()
        if step or index == 0:
            progress.step(index * of + step, of_shots * of)

    folder = None if begun is None else functools.partial(make_folder, begun, exist_ok=True)
    with rendering.evaluations(folder, clip):
        return rendering.adapter.denoise(rendering.pipe, arguments, on_step)
