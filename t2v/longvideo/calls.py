"""One window as one call of the pipeline that it was loaded as.

The call gets a shallow copy of the pipeline with a scheduler of its own. The copy's scheduler meets
the other windows after every step; its denoisers keep apart what step caches remember; its prompts
are encoded once for all windows. Nothing of the pipeline itself is changed.
"""

import copy
import functools
import inspect
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import torch
from diffusers import DiffusionPipeline

from t2v.errors import RequestError
from t2v.longvideo.baton import Call, Meet
from t2v.longvideo.denoisers import Denoiser, denoisers
from t2v.longvideo.meeting import Meeting, WindowState
from t2v.longvideo.noise import ShotNoise, one_draw
from t2v.longvideo.rendezvous import Live
from t2v.plan.latents import pixel_frames
from t2v.plan.request import Request
from t2v.plan.windows import LongPlan, Window
from t2v.runtime.adapter import Adapter
from t2v.runtime.encoded import MAX_KEPT, Encodings
from t2v.runtime.layout import LatentLayout
from t2v.runtime.seeds import generator

_STATEFUL = ("scheduler", "guider")
"""Parts that remember the step before."""
_CALLS_A_PROMPT = 4
"""Encoders that a pipeline has, at most, and a negative prompt for some."""


class _Encoded(BaseException):
    """Ends a call once its prompts are encoded."""


class WindowCalls:
    """Makes the calls of a video's windows."""

    def __init__(
        self,
        pipe: DiffusionPipeline,
        adapter: Adapter,
        request: Request,
        further_arguments: dict[str, Any],
        long: LongPlan,
    ) -> None:
        """Calls that ask for what the request asks for, less its length and its prompt."""
        self._pipe, self._adapter, self._request = pipe, adapter, request
        self._further, self._rule = further_arguments, long.rule
        # A story without an end may have any number of prompts; the last few are kept.
        told = {(window.prompt, window.negative_prompt) for window in long.windows}
        self._encodings = Encodings(
            max_kept=max(MAX_KEPT, _CALLS_A_PROMPT * len(told)),
            before=self._before_encoding,
            on_host=True,
        )
        self._is_denoising = False

    def encode(self, windows: Iterable[Window]) -> None:
        """Encode the prompts of windows now, so that the text encoders are not needed later on."""
        prompts = {(window.prompt, window.negative_prompt): window for window in windows}
        for window in prompts.values():
            pipe = self._copy("encoding")
            for denoiser in _own_denoisers(pipe).values():
                denoiser.skips = _end
            arguments = self._arguments(pipe, window) | {"generator": generator(0)}
            with suppress(_Encoded):
                self._adapter.denoise(pipe, arguments)
        make_room(self._pipe)
        self._is_denoising = True

    def start(self, window: Window, noise: ShotNoise, reached: WindowState | None = None) -> Live:
        """The call of a window, not running yet; it begins with the step after those reached."""
        pipe = self._copy(f"w{window.index}")
        arguments = self._arguments(pipe, window)
        layout = self._adapter.layout(pipe, arguments)
        _check(layout, window, type(pipe).__name__)
        own_generator = generator(noise.further_seed(window.start))
        arguments["generator"] = own_generator
        initial = noise.initial(layout, window.start)
        if layout.takes_latents:
            arguments["latents"] = initial
            _cast_latents(pipe)
        else:
            _replace_draw(pipe, initial)
        meeting = Meeting(pipe, layout, noise, window.start, own_generator)
        for denoiser in _own_denoisers(pipe).values():
            # What else takes steps needs what was returned in this one.
            denoiser.step = lambda: meeting.num_steps if meeting.beside else None
        if reached is not None:
            _skip(pipe, meeting, reached)

        def call(meet: Meet) -> torch.Tensor:
            meeting.meet = meet
            try:
                return self._adapter.denoise(pipe, arguments).video
            finally:
                for denoiser in _own_denoisers(pipe).values():
                    denoiser.forget()

        def state() -> WindowState:
            now = meeting.state()
            parts = _own_denoisers(pipe)
            now.outputs = {name: part.outputs for name, part in parts.items()}
            now.caches = {name: part.memory() for name, part in parts.items()}
            now.latest = {name: part.latest for name, part in parts.items()}
            return now

        return Live(Call(call, name=f"window {window.index}"), layout, state)

    def _arguments(self, pipe: DiffusionPipeline, window: Window) -> dict[str, Any]:
        request = replace(
            self._request,
            prompt=window.prompt,
            negative_prompt=window.negative_prompt,
            num_frames=pixel_frames(self._rule, window.length),
            long=None,
        )
        return self._adapter.call_arguments(pipe, request) | self._further

    def _copy(self, name: str) -> Any:
        pipe = detached(self._pipe)
        own = vars(pipe)
        for part in _STATEFUL:
            if getattr(pipe, part, None) is not None:
                own[part] = copy.deepcopy(own[part])
        for part, module in denoisers(self._pipe).items():
            own[part] = Denoiser(module, name)
        if hasattr(pipe, "encode_prompt"):
            own["encode_prompt"] = self._encodings.around(pipe)
        return pipe

    def _before_encoding(self) -> None:
        if self._is_denoising:
            make_room(self._pipe)


def detached(pipe: DiffusionPipeline) -> Any:
    """A copy that shares all weights, and does not move them away when its call is over.

    What step caches remember is dropped then too, of all windows at once; so it is done for the
    pipeline itself when all is over.
    """
    other: Any = copy.copy(pipe)
    vars(other)["maybe_free_model_hooks"] = lambda: None
    other.set_progress_bar_config(disable=True)
    return other


def make_room(pipe: Any) -> None:
    """Take offloaded parts off the device: text encoder and denoiser may not fit on it together."""
    for hook in getattr(pipe, "_all_hooks", ()):
        hook.offload()


def _own_denoisers(pipe: DiffusionPipeline) -> dict[str, Denoiser]:
    return {name: part for name, part in denoisers(pipe).items() if isinstance(part, Denoiser)}


def _end() -> bool:
    raise _Encoded


def _skip(pipe: DiffusionPipeline, meeting: Meeting, reached: WindowState) -> None:
    """Let denoisers return zeros while the steps are those that were done before.

    In the last of them they return what they returned then, where something beside needs it.
    """
    meeting.reached = reached
    for name, denoiser in _own_denoisers(pipe).items():
        denoiser.outputs = dict(reached.outputs.get(name, {}))
        denoiser.recall(reached.caches.get(name, {}))
        denoiser.skips = lambda: meeting.is_skipping
        latest = iter(reached.latest.get(name, []))
        denoiser.recalled = functools.partial(_next_of, latest, meeting)


def _next_of(latest: Iterator[list[torch.Tensor]], meeting: Meeting) -> list[torch.Tensor] | None:
    return next(latest, None) if meeting.is_arriving else None


def _cast_latents(pipe: Any) -> None:
    """Let given latents have the type that drawn ones would have: many pipelines only move them."""
    prepare = getattr(pipe, "prepare_latents", None)
    if prepare is None:
        return
    signature = inspect.signature(prepare)

    @functools.wraps(prepare)
    def prepare_latents(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs)
        latents, dtype = (given.arguments.get(name) for name in ("latents", "dtype"))
        if isinstance(latents, torch.Tensor) and isinstance(dtype, torch.dtype):
            given.arguments["latents"] = latents.to(dtype)
        return prepare(*given.args, **given.kwargs)

    vars(pipe)["prepare_latents"] = prepare_latents


def _replace_draw(pipe: Any, initial: torch.Tensor) -> None:
    """Give noise to a pipeline that draws its own."""
    prepare = pipe.prepare_latents

    @functools.wraps(prepare)
    def prepare_latents(*args: Any, **kwargs: Any) -> Any:
        with one_draw(initial):
            return prepare(*args, **kwargs)

    vars(pipe)["prepare_latents"] = prepare_latents


def _check(layout: LatentLayout, window: Window, name: str) -> None:
    if layout.num_latents != window.length:
        raise RequestError(
            f"{name} lays out {layout.num_latents} latent frames where a window has "
            f"{window.length}; its entry has another --window than the model."
        )
