"""Prompts of a group encoded before its denoiser is in memory, and the text encoders freed again."""

import gc
from collections import deque
from collections.abc import Callable, Iterable
from collections.abc import Generator as Iterating
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from t2v.batch.jobs import Group
from t2v.runtime.encoded import Encodings  # noqa: TID253 - workers alone import this
from t2v.runtime.shelf import Shelf  # noqa: TID253

if TYPE_CHECKING:
    from t2v.api.generator import Generator


class Prompts:
    """Encodes texts ahead, as many as the disk may hold, and lends the encoders for all others."""

    def __init__(
        self,
        group: Group,
        texts: Iterable[str],
        encodings: Encodings,
        shelf: Shelf,
        load: Callable[[], "Generator"],
    ) -> None:
        """`load` loads the text encoders."""
        self._group, self._encodings, self._shelf, self._load = group, encodings, shelf, load
        self._texts = deque(texts)

    def encode(self) -> None:
        """Encode the next texts, and free the encoders."""
        with self.lent():
            pass

    @contextmanager
    def lent(self) -> Iterating[Any]:
        """A pipeline with the text encoders; while it is there, the next texts are encoded."""
        loaded = self._load()
        try:
            self._encode_next(loaded)
            yield loaded.pipe
        finally:
            loaded.close()
            gc.collect()

    def _encode_next(self, loaded: "Generator") -> None:
        # What is put on a full shelf pushes off what is not used yet.
        before, pipe = self._shelf.num_written, self._encodings.only(loaded.pipe)
        while self._texts and self._shelf.num_written - before < self._shelf.max_bytes // 2:
            request = replace(self._group.request, prompt=self._texts.popleft(), long=None)
            loaded.encode(pipe, request)


def encodes_first(group: Group, wanted: bool | None) -> bool:
    """Whether text encoders and denoiser shall take turns in memory.

    By itself where weights wait for their turn anyway, or where the encoders are most of the model.
    """
    if group.request.lora or group.spec.loras or group.spec.family == "generic":
        return False  # a LoRA may be one of the text encoder
    if wanted is not None:
        return wanted
    sizes = {name: part.bytes for name, part in group.spec.components.items()}
    encoders = sum(size for name, size in sizes.items() if name.startswith("text_encoder"))
    return group.memory.rung != "none" or 2 * encoders > sum(sizes.values())
