"""How many videos one model makes at once, and who may work when."""

import threading
from collections.abc import Generator as Iterating
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from t2v.api.generator import Generator
    from t2v.runtime.encoded import Elsewhere, Encodings

_MOST = 8
"""Lanes beyond so many would wait for memory and for Python."""
_SMALL_BYTES = 2 * 10**9
"""The steps of larger models keep all cores busy by themselves."""


class Lanes:
    """Generators that share one model's weights; each makes one video at a time."""

    def __init__(
        self,
        generator: "Generator",
        num_lanes: int,
        encodings: "Encodings",
        elsewhere: "Elsewhere | None" = None,
    ) -> None:
        """So many lanes; `elsewhere` lends text encoders to a model that was loaded without them."""
        self._encodings, self._elsewhere = encodings, elsewhere
        self._open((generator, *(generator.beside() for _ in range(num_lanes - 1))))
        self._changed = threading.Condition()
        self._is_alone = False
        is_cpu = generator.loaded.device.type == "cpu"
        # A device that is busy with one denoising does not do two of them any faster.
        self.denoising: Any = nullcontext() if is_cpu else threading.Lock()
        # Decoding takes the most memory and the least time: half of the lanes do it at once.
        self.decoding = threading.Semaphore(max(1, num_lanes // 2))

    @property
    def first(self) -> "Generator":
        """The one that is lent to whoever is alone."""
        return self.all[0]

    def become(self, generator: "Generator") -> None:
        """Have one lane alone from now on; for whoever is alone and has closed all."""
        self._open((generator,))

    def close(self) -> None:
        """Free the weights."""
        for lane in self.all:
            lane.close()

    def _open(self, lanes: "tuple[Generator, ...]") -> None:
        self.all, self._free = lanes, list(lanes)
        for lane in lanes:
            if has_encoding(lane.pipe):
                self._encodings.attach(lane.pipe, self._elsewhere)

    @contextmanager
    def one(self) -> Iterating["Generator"]:
        """Any lane, as soon as one is free."""
        with self._changed:
            self._changed.wait_for(lambda: self._free and not self._is_alone)
            lane = self._free.pop()
        try:
            yield lane
        finally:
            with self._changed:
                self._free.append(lane)
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterating["Generator"]:
        """The first lane, while no other is at work."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_alone)
            self._is_alone = True
            self._changed.wait_for(lambda: len(self._free) == len(self.all))
        try:
            yield self.first
        finally:
            with self._changed:
                self._is_alone = False
                self._changed.notify_all()


def has_encoding(pipe: Any) -> bool:
    """Whether prompts are encoded by a method of the pipeline, where they can be remembered."""
    return hasattr(pipe, "encode_prompt")


def lanes_for(generator: "Generator", num_threads: int, wanted: int | None) -> int:
    """How many lanes suit a model on its device.

    On the CPU a lane has a thread: two videos on a core each are made in less time than one after
    the other on both. On a GPU a second lane decodes and writes while the first denoises.
    """
    loaded = generator.loaded
    # Where prompts are not remembered, nobody keeps two lanes from using one tokenizer.
    if loaded.memory.rung != "none" or not has_encoding(generator.pipe):
        return 1
    if wanted is not None:
        return max(1, wanted)
    if loaded.device.type != "cpu":
        return 2
    weights = _weight_bytes(generator.pipe)
    most = _MOST if weights <= _SMALL_BYTES else 2
    return max(1, min(num_threads, most, _fitting(loaded.memory.host_bytes, weights)))


def _weight_bytes(pipe: Any) -> int:
    modules = [part for part in pipe.components.values() if hasattr(part, "parameters")]
    return sum(weight.nbytes for module in modules for weight in module.parameters())


def _fitting(peak: int | None, weights: int) -> int:
    """How many videos the free memory has room for; the weights are in it already."""
    one = (peak or 2 * weights) - weights
    return int(psutil.virtual_memory().available * 0.8) // max(one, 1)
