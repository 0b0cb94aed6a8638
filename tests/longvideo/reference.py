"""The window average at the denoiser, for one long clip: what the windows are compared with.

One call of the stock pipeline denoises all latents together. In its place of the denoiser there is
one that runs the denoiser on each window and averages what it predicts. No scheduler copies, no
threads, no meetings.
"""

from typing import Any

import torch

from t2v.longvideo.noise import ShotNoise, noise_by_frame
from t2v.plan.latents import pixel_frames
from t2v.runtime.layout import LatentLayout
from t2v.runtime.quiet import quiet
from t2v.runtime.seeds import generator
from tests.longvideo.making import Long


class Averaging(torch.nn.Module):
    """Takes a long clip apart by time, and puts what is predicted together by the weights."""

    def __init__(self, module: Any, long: Long, plan: Any) -> None:
        super().__init__()
        self.module, self.long, self.plan = module, long, plan

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("module"), name)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        shot = self.plan.shots[0]
        kwargs = {**kwargs, **({"hidden_states": args[0]} if args else {})}
        total, axis, rows = None, *self._lying()
        for window in shot.windows:
            sliced = self._sliced(kwargs, window, axis, rows)
            out = self.module(*([sliced.pop("hidden_states")] if args else []), *args[1:], **sliced)
            part = out.sample if hasattr(out, "sample") else out[0]
            if total is None:
                shape = list(part.shape)
                shape[axis] = shot.num_latents * rows
                total = torch.zeros(shape, dtype=torch.float64)
            values = torch.tensor(window.weights, dtype=torch.float64).repeat_interleave(rows)
            shape = [1] * part.ndim
            shape[axis] = -1
            total.narrow(axis, window.start * rows, window.length * rows).add_(
                values.reshape(shape) * part.double()
            )
        result = total.to(part.dtype)
        return type(out)(sample=result) if hasattr(out, "sample") else (result,)

    def _lying(self) -> tuple[int, int]:
        family = self.long.adapter.family
        if family == "ltx":
            return 1, self.long.layout(self.long.window).rows_per_frame
        return (1, 1) if family == "cogvideox" else (2, 1)

    def _sliced(self, kwargs: dict[str, Any], window: Any, axis: int, rows: int) -> dict[str, Any]:
        kwargs = dict(kwargs)
        name = "hidden_states" if "hidden_states" in kwargs else "sample"
        start, length = window.start * rows, window.length * rows
        kwargs[name] = kwargs[name].narrow(axis, start, length)
        if "num_frames" in kwargs:
            kwargs["num_frames"] = window.length
        rotary = kwargs.get("image_rotary_emb")
        if rotary is not None:
            tokens = rotary[0].shape[0] * window.length // self.plan.shots[0].num_latents
            kwargs["image_rotary_emb"] = tuple(one[:tokens] for one in rotary)
        if self.long.adapter.family == "animatediff":
            embeds = kwargs["encoder_hidden_states"]
            num_latents = self.plan.shots[0].num_latents
            of_window = slice(window.start, window.start + window.length)
            by_frame = embeds.unflatten(0, (-1, num_latents))[:, of_window]
            kwargs["encoder_hidden_states"] = by_frame.flatten(0, 1)
        return kwargs


def long_clip(long: Long, plan: Any, num_steps: int = 4) -> torch.Tensor:
    """The latents of the plan's one shot, from one call of the stock pipeline."""
    shot = plan.shots[0]
    request = long.request(None, pixel_frames(long.rule, shot.num_latents), num_steps)
    arguments = long.adapter.call_arguments(long.pipe, request) | long.further
    layout = long.adapter.layout(long.pipe, arguments)
    noise = ShotNoise(shot.seed, plan.noise)
    arguments |= {"latents": noise.initial(layout, 0), "generator": generator(0)}
    part = "unet" if getattr(long.pipe, "unet", None) is not None else "transformer"
    other = long.copy(**{part: Averaging(getattr(long.pipe, part), long, plan)})
    with quiet(), frame_noise_in(other.pipe.scheduler, noise, layout):
        return other.adapter.denoise(other.pipe, arguments).video


class frame_noise_in:  # noqa: N801 - it reads as a sentence
    """What a scheduler draws is the noise that windows get, here for the whole clip."""

    def __init__(self, scheduler: Any, noise: ShotNoise, layout: LatentLayout) -> None:
        self.scheduler, self.noise, self.layout, self.step = scheduler, noise, layout, 0

    def __enter__(self) -> None:
        original = self.scheduler.step

        def step(*args: Any, **kwargs: Any) -> Any:
            with noise_by_frame(self.noise, self.layout, 0, self.step):
                result = original(*args, **kwargs)
            self.step += 1
            return result

        step.__signature__ = __import__("inspect").signature(original)
        self.scheduler.step = step

    def __exit__(self, *_: object) -> None:
        del self.scheduler.step
