"""What is tried, one thing after another, when memory runs out: the same seed, the same latents."""

import threading
from collections.abc import Generator as Iterating
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Literal

from t2v.plan.request import Request

if TYPE_CHECKING:
    from t2v.api.generator import Generator

Measure = Literal["planned", "alone", "tiled"]

_NOTES: dict[Measure, str] = {
    "alone": "The memory ran out at first; this was made with no other video beside it",
    "tiled": "The memory ran out at first; this was decoded in tiles",
}
Shape = tuple[int, int, int]


class Relief:
    """Knows what each shape of video needs, so that the next one of it begins with that."""

    def __init__(self, generator: "Generator") -> None:
        self._measures: list[Measure] = ["planned", "alone"]
        if _can_tile(generator.pipe):
            self._measures.append("tiled")
        self._needed: dict[Shape, int] = {}
        self._lock = threading.Lock()

    def first(self, request: Request) -> Measure:
        """What to begin with."""
        return self._measures[self._needed.get(_shape(request), 0)]

    def next(self, request: Request, tried: Measure) -> Measure | None:
        """What to try after that; None where nothing is left but to move the weights."""
        number = self._measures.index(tried) + 1
        if number == len(self._measures):
            return None
        with self._lock:
            shape = _shape(request)
            self._needed[shape] = max(number, self._needed.get(shape, 0))
        return self._measures[number]


@contextmanager
def relieved(lane: "Generator", measure: Measure) -> Iterating[str | None]:
    """Take the measure for as long as one video is made; tells what is to be said of it."""
    with _tiled(lane.pipe) if measure == "tiled" else nullcontext():
        yield _NOTES.get(measure)


def _shape(request: Request) -> Shape:
    return request.width, request.height, request.num_frames


def _can_tile(pipe: Any) -> bool:
    vae = getattr(pipe, "vae", None)
    return hasattr(vae, "enable_tiling") and getattr(vae, "use_tiling", None) is False


@contextmanager
def _tiled(pipe: Any) -> Iterating[None]:
    try:
        pipe.vae.enable_tiling()
    except NotImplementedError:
        yield
        return
    try:
        yield
    finally:
        pipe.vae.disable_tiling()
