"""A progress bar for huggingface_hub that draws nothing and reports instead."""

import threading
import time
from collections.abc import Callable
from typing import Any

_SECONDS_BETWEEN_REPORTS = 0.5


def reporting_bar(message: str, total: int, progress: Callable[[str, int, int], None]) -> type[Any]:
    """A tqdm class for a download of `total` bytes, to hand to `snapshot_download`."""
    from huggingface_hub.utils import tqdm

    lock = threading.Lock()
    state = {"done": 0, "reported": 0.0}

    def count(number: int) -> None:
        with lock:
            state["done"] += number
            now = time.monotonic()
            if now - state["reported"] >= _SECONDS_BETWEEN_REPORTS or state["done"] >= total:
                state["reported"] = now
                progress(message, min(int(state["done"]), total), total)

    class Bar(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            # One bar counts the bytes that arrive on disk, others files and bytes on the wire.
            self.counts = str(kwargs.get("desc", "")).startswith("Reconstructing")
            super().__init__(*args, **{**kwargs, "disable": True})

        def update(self, n: float | None = 1) -> None:
            if self.counts:
                count(int(n or 0))

    return Bar
