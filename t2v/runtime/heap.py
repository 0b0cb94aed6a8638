"""What the C library keeps of memory that was freed, where it is glibc's.

It gives every thread a heap of its own and keeps what tensors leave behind in each: some hundred MiB
for a model of 30 (`bench/batch.py`, `bench/long.py`).
"""

import ctypes
import functools
import sys
from typing import Any

_M_ARENA_MAX = -8
"""Of glibc's malloc.h."""


def share_heap() -> None:
    """Let threads that start from now on take memory from one heap."""
    _call("mallopt", _M_ARENA_MAX, 1)


def return_free_memory() -> None:
    """Give what is free in the heap back to the system: some milliseconds."""
    _call("malloc_trim", 0)


def _call(name: str, *arguments: int) -> None:
    function = getattr(_c_library(), name, None)  # another C library has other names
    if function is not None:
        function(*arguments)


@functools.cache
def _c_library() -> Any:
    return ctypes.CDLL(None) if sys.platform == "linux" else None
