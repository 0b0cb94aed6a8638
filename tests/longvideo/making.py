"""Long plans of any tiny pipeline, and what comes out of them."""

import copy
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import DiffusionPipeline

from t2v import builtin
from t2v.errors import RequestError
from t2v.families import adapter_for
from t2v.longvideo.stream import frames
from t2v.plan.latents import pixel_frames
from t2v.plan.live import LivePrompts
from t2v.plan.request import Request
from t2v.plan.story import Cue
from t2v.plan.windows import LongPlan, Shot, Window, spans, weights
from t2v.runtime.adapter import Adapter
from t2v.runtime.layout import LatentLayout
from t2v.runtime.load import load_pipeline
from t2v.runtime.quiet import quiet
from t2v.testing import TINY, tiny_options, tiny_pipeline, tiny_spec
from t2v.zoo.catalog import Zoo
from t2v.zoo.spec import LatentRule

torch.set_num_threads(1)

EMBEDDED = "doodle-128"
SMALL = {
    "num_frames": 17,
    "width": 64,
    "height": 64,
    "num_inference_steps": 4,
    "guidance_scale": 4.0,
    "negative_prompt": "blurry",
}
"""What is asked of the embedded model."""

LENGTHS = {"wan": 5, "ltx": 3, "cogvideox": 5, "hunyuan_video": 3, "mochi": 3}
"""Family -> latent frames of a window in tests, where the tiny pipeline's own clip is shorter."""


@dataclass(frozen=True)
class Long:
    """A loaded tiny model that makes long videos."""

    name: str
    pipe: DiffusionPipeline
    adapter: Adapter
    options: dict[str, Any]
    further: dict[str, Any]
    rule: LatentRule
    window: int

    def copy(self, **parts: Any) -> "Long":
        """The same with other parts in its pipeline."""
        pipe = copy.copy(self.pipe)
        for name, part in parts.items():
            setattr(pipe, name, part)
        return replace(self, pipe=pipe)

    def plan(
        self,
        num_latents: int,
        *,
        overlap: int = 1,
        order: str = "wavefront",
        noise: str = "independent",
        prompts: tuple[str, ...] = ("a red boat",),
        loop: bool = False,
        seed: int = 3,
        num_steps: int = 4,
    ) -> LongPlan:
        """A plan of one shot."""
        length = self.window
        placed = spans(num_latents, length, overlap, loop=loop)
        given = weights(placed, num_latents, length, loop=loop)
        texts = [prompts[k * len(prompts) // len(placed)] for k in range(len(placed))]
        windows = tuple(
            Window(k, 0, span.start, length, given[k], texts[k], "blurry")
            for k, span in enumerate(placed)
        )
        rule = self.rule
        num_frames = rule.factor * num_latents if loop else pixel_frames(rule, num_latents)
        shot = Shot(0, 0, num_frames, num_latents, seed, windows)
        stride = length - overlap
        count = len(windows) * num_steps
        return LongPlan(
            "windows", "test", order, noise, rule, length, overlap, stride, (shot,), loop,
            num_evaluations=count,
        )  # fmt: skip

    def request(self, plan: LongPlan | None, num_frames: int, num_steps: int = 4) -> Request:
        options = {**self.options, "num_frames": num_frames, "num_inference_steps": num_steps}
        return Request(
            prompt="a red boat", model=self.name, fps=Fraction(8), seed=3, long=plan, **options
        )

    def frames(self, plan: LongPlan, *, num_steps: int = 4, **more: Any) -> Iterator[np.ndarray]:
        """The frames, one after another."""
        num_frames = sum(shot.num_frames for shot in plan.shots)
        request = self.request(plan, num_frames, num_steps)
        more.setdefault("on_step", lambda step, of: None)
        return frames(self.pipe, self.adapter, request, self.further, **more)

    def video(self, plan: LongPlan, **more: Any) -> np.ndarray:
        with quiet():
            return np.stack(list(self.frames(plan, **more)))

    def latents(self, plan: LongPlan, **more: Any) -> torch.Tensor:
        """The latents alone, B C F H W."""
        other = replace(self, adapter=handing_on_latents(self.adapter))
        with quiet():
            return torch.cat(list(other.frames(plan, **more)), dim=2)

    def layout(self, num_latents: int) -> LatentLayout:
        request = self.request(None, pixel_frames(self.rule, num_latents))
        arguments = self.adapter.call_arguments(self.pipe, request) | self.further
        return self.adapter.layout(self.pipe, arguments)


def endless(long: Long, num_frames: int, *cues: Cue, **changes: Any) -> LongPlan:
    """A plan without an end, of which so many frames are taken."""
    plan = long.plan(long.window, overlap=1, **changes)
    prompts = LivePrompts(cues, Fraction(8), long.rule, 3, "blurry")
    shot = Shot(0, 0, num_frames, 1, 3, ())
    return replace(plan, endless=True, shots=(shot,), prompts=prompts, num_evaluations=None)


def handing_on_latents(adapter: Any) -> Any:
    """An adapter whose frames are the latents that it is given."""

    class HandsOn(type(adapter)):
        def decode_stream(self, pipe, chunks):
            yield from chunks

    return HandsOn()


@cache
def _folder(name: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="t2v-tiny-")) / name
    return tiny_pipeline(name, folder)


@cache
def load_long(name: str) -> Long:
    """A tiny model, loaded once: tests leave it as it is."""
    return load_fresh(name)


def load_fresh(name: str, dtype: torch.dtype = torch.float32) -> Long:
    """A freshly loaded tiny model, whose files are written once, or the embedded one."""
    if name == EMBEDDED:
        folder, spec, options = builtin.folder(), Zoo.load(overlays=False).find(name), SMALL
    else:
        folder, spec, options = _folder(name), tiny_spec(name, _folder(name)), tiny_options(name)
    with quiet():
        pipe = load_pipeline(folder, spec, dtype=dtype)
    adapter = adapter_for(spec)
    further = spec.defaults.further_arguments(4)
    clip = Request(prompt="a", model=name, fps=Fraction(8), seed=3, **options)
    layout = adapter.layout(pipe, adapter.call_arguments(pipe, clip) | further)
    num_frames, num_latents = options["num_frames"], layout.num_latents
    is_causal = (num_frames - 1) % (num_latents - 1) == 0
    factor = (num_frames - 1) // (num_latents - 1) if is_causal else num_frames // num_latents
    rule = LatentRule(factor=factor, first=1 if is_causal else factor)
    window = LENGTHS.get(spec.family, num_latents)
    return Long(name, pipe, adapter, options, further, rule, window)


@cache
def tiny_with_windows() -> tuple[str, ...]:
    """All tiny pipelines whose family says how their latents lie."""
    found = []
    for name in TINY:
        try:
            load_long(name)
        except RequestError:
            continue
        found.append(name)
    return tuple(found)
