"""The denoisers of one window's call: those of the pipeline, with what has to be kept apart."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from diffusers import DiffusionPipeline
from diffusers.hooks.hooks import HookRegistry, StateManager
from diffusers.hooks.mag_cache import MagCacheBlockHook, MagCacheHeadHook

from t2v.errors import RequestError
from t2v.runtime.steps import DENOISERS

_NAMELESS = (MagCacheHeadHook, MagCacheBlockHook)
"""Hooks that make do with a context of their own in a pipeline that names none."""


class Denoiser(torch.nn.Module):  # type: ignore[misc]
    """Passes everything on to the denoiser that all windows share.

    Step caches remember what they need by the name of a context (`cond`, `uncond`); here the window
    is a part of the name, so that windows do not take each other's memories for their own.
    """

    def __init__(self, module: torch.nn.Module, window: str) -> None:
        super().__init__()
        self.module = module
        self.window = window
        self._has_context = False
        self._is_one_for_all = any(type(hook) in _NAMELESS for hook in _stateful_hooks(module))
        self.skips: Callable[[], bool] | None = None
        """Asked before each evaluation whether zeros will do."""
        self.outputs: dict[str, list[Any]] = {}
        """What the denoiser was given -> shapes and formats of what it returned."""
        self.step: Callable[[], int | None] = lambda: None
        """Asked for the number of the step, where `latest` is wanted."""
        self.latest: list[list[torch.Tensor]] = []
        """What the evaluations of that step returned."""
        self._latest_step: int | None = None
        self.recalled: Callable[[], list[torch.Tensor] | None] = lambda: None
        """Asked before an evaluation that is skipped for what to return in the place of zeros."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """One evaluation."""
        given = _given(args, kwargs)
        if self.skips is not None and self.skips():
            known = self.recalled()
            if known is not None:
                self._remember(known)
                return _Blank(known)
            return _Blank(_zeros(shape, kind, kwargs) for shape, kind in self.outputs[given])
        names_one = self._is_one_for_all and not self._has_context
        with self.cache_context("all") if names_one else nullcontext():
            returned = self.module(*args, **kwargs)
        if given not in self.outputs:
            self.outputs[given] = [
                [list(one.shape), str(one.dtype).removeprefix("torch.")]
                for one in _tensors(returned)
            ]
        self._remember(_tensors(returned))
        return returned

    def _remember(self, returned: Iterable[torch.Tensor]) -> None:
        step = self.step()
        if step is None:
            return
        if step != self._latest_step:
            self.latest, self._latest_step = [], step
        self.latest.append([*returned])

    @contextmanager
    def cache_context(self, name: str, **kwargs: Any) -> Generator[None]:
        """The context of that name, for this window alone."""
        module: Any = self.module
        had_context, self._has_context = self._has_context, True
        try:
            with module.cache_context(f"{name}/{self.window}", **kwargs):
                yield
        finally:
            self._has_context = had_context

    def forget(self) -> None:
        """Drop what step caches remember of this window."""
        for manager in _state_managers(self.module):
            for name in self._contexts(manager):
                del manager._state_cache[name]

    def memory(self) -> dict[str, dict[str, Any]]:
        """What step caches remember of this window."""
        return {
            f"{number}:{name}": dict(vars(manager._state_cache[name]))
            for number, manager in enumerate(_state_managers(self.module))
            for name in self._contexts(manager)
        }

    def recall(self, memory: dict[str, dict[str, Any]]) -> None:
        """Let step caches remember what `memory` returned."""
        managers = _state_managers(self.module)
        for key, values in memory.items():
            number, _, name = key.partition(":")
            manager = managers[int(number)]
            state = manager._state_cls(*manager._init_args, **manager._init_kwargs)
            vars(state).update(values)
            manager._state_cache[name] = state

    def _contexts(self, manager: StateManager) -> list[str]:
        return [name for name in manager._state_cache if name.endswith(f"/{self.window}")]

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("module"), name)


class _Blank(tuple[torch.Tensor, ...]):
    """In the place of what a denoiser returns, whichever way that is asked for."""

    __slots__ = ()

    @property
    def sample(self) -> torch.Tensor:
        """The first of them."""
        return self[0]


def denoisers(pipe: DiffusionPipeline) -> dict[str, torch.nn.Module]:
    """The denoisers of a pipeline by the names of its components."""
    found = {name: getattr(pipe, name, None) for name in DENOISERS}
    return {name: part for name, part in found.items() if isinstance(part, torch.nn.Module)}


def has_memory(denoiser: torch.nn.Module) -> bool:
    """Whether a step cache of the denoiser remembers earlier evaluations."""
    return any(True for _ in _stateful_hooks(denoiser))


def refuse_mixing_caches(pipe: DiffusionPipeline) -> None:
    """Raise where a step cache would mix up the windows of a long video.

    Raises:
        RequestError: The cache has one memory for all contexts.
    """
    for name, module in denoisers(pipe).items():
        for hook in _stateful_hooks(module):
            if not any(isinstance(value, StateManager) for value in vars(hook).values()):
                kind = type(hook).__name__.removesuffix("Hook")
                raise RequestError(
                    f"The step cache of the {name} ({kind}) has one memory for everything, so the "
                    "windows of a long video would disturb each other. Disable it, or use "
                    "FirstBlockCache, TaylorSeer or MagCache, which keep windows apart."
                )


def _state_managers(module: torch.nn.Module) -> list[StateManager]:
    """Each once: the hooks of several blocks may share one."""
    values = [value for hook in _stateful_hooks(module) for value in vars(hook).values()]
    return list({id(one): one for one in values if isinstance(one, StateManager)}.values())


def _stateful_hooks(module: torch.nn.Module) -> Iterator[Any]:
    for part in module.modules():
        registry = getattr(part, "_diffusers_hook", None)
        if isinstance(registry, HookRegistry):
            yield from (hook for hook in registry.hooks.values() if hook._is_stateful)


def _zeros(shape: list[int], kind: str, kwargs: dict[str, Any]) -> torch.Tensor:
    device = next(one.device for one in kwargs.values() if isinstance(one, torch.Tensor))
    return torch.zeros(shape, dtype=getattr(torch, kind), device=device)


def _given(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    tensors = [value for value in (*args, *kwargs.values()) if isinstance(value, torch.Tensor)]
    return " ".join("x".join(map(str, tensor.shape)) for tensor in tensors)


def _tensors(returned: Any) -> list[torch.Tensor]:
    values = returned if isinstance(returned, tuple) else returned.to_tuple()
    return [value for value in values if isinstance(value, torch.Tensor)]
