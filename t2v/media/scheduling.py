"""Keeps encoders from taking the machine over."""

import contextlib
import os
from collections.abc import Generator
from pathlib import Path

_TASKS = Path("/proc/self/task")


@contextlib.contextmanager
def as_before() -> Generator[None, None, None]:
    """Give every thread the scheduling that this one has now, whatever is done to it meanwhile.

    SVT-AV1 opened by root, as in most containers, makes all threads of the process real-time
    ones. A busy one of those leaves its core to nobody, and programs started later inherit it.
    """
    if not hasattr(os, "sched_getscheduler") or not _TASKS.is_dir():
        yield
        return
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        for task in _TASKS.iterdir():
            with contextlib.suppress(OSError):  # The thread may have ended.
                if os.sched_getscheduler(int(task.name)) != policy:
                    os.sched_setscheduler(int(task.name), policy, parameters)
