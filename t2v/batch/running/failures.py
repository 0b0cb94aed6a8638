"""From an exception to the plain facts that go into the journal."""

import errno

from t2v.api.record import public_text
from t2v.batch.making import Failure, Kind
from t2v.errors import (
    DiskError,
    MemoryExhaustedError,
    ModelError,
    RequestError,
    SuspectError,
    T2VError,
)
from t2v.text import redacted

MAX_LETTERS = 2000
_KINDS: tuple[tuple[type[T2VError], Kind], ...] = (
    (RequestError, "request"),
    (ModelError, "model"),
    (MemoryExhaustedError, "memory"),
    (SuspectError, "suspect"),
    (DiskError, "disk"),
)
_DISK_IS_AWAY = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)


def failure_of(error: BaseException) -> Failure:
    """Why a video was not made, without folders and secrets of this machine."""
    message = redacted(public_text(str(error)))[:MAX_LETTERS] or type(error).__name__
    code = error.exit_code if isinstance(error, T2VError) else 1
    return Failure(_kind(error), type(error).__name__, message, code)


def _kind(error: BaseException) -> Kind:
    for kind_of_error, kind in _KINDS:
        if isinstance(error, kind_of_error):
            return kind
    # torch raises classes of its own, which are not imported here.
    if isinstance(error, MemoryError) or "OutOfMemory" in type(error).__name__:
        return "memory"
    if isinstance(error, OSError) and error.errno in _DISK_IS_AWAY:
        return "disk"
    return "generation"
