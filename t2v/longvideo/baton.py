"""A call on a thread of its own that runs only while it is waited for."""

import contextvars
import ctypes
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from t2v.runtime.heap import share_heap

Result = TypeVar("Result")
_WAKE_S = 0.5
"""An interrupt that comes to another thread, or on Windows, does not end a wait by itself."""
Meet = Callable[[Any], Any]
"""Called inside with what there is to show: waits, and returns what `Call.send` was given."""


class _Stopped(SystemExit):
    """Ends a call from outside. Threads end with a SystemExit without a word."""


class Finished(Generic[Result]):
    """What a call returned."""

    def __init__(self, result: Result) -> None:
        self.result = result


class Call(Generic[Result]):
    """A function that stops in `meet` until it is sent on, like a generator.

    Either the function runs or its owner does, never both. What it raises is raised by `send`.
    """

    def __init__(self, function: Callable[[Meet], Result], name: str) -> None:
        self._function = function
        self._inbox: SimpleQueue[tuple[bool, Any]] = SimpleQueue()
        self._outbox: SimpleQueue[tuple[str, Any]] = SimpleQueue()
        context = contextvars.copy_context()
        # A thread that hangs in a library shall not keep the process from ending.
        self._thread = threading.Thread(
            target=context.run, args=(self._run,), name=name, daemon=True
        )
        self._is_running = False

    def send(self, value: Any = None) -> Any:
        """Let the call run on with a value; returns what it shows next, or `Finished`."""
        if self._thread.ident is None:
            # One thread runs at a time: what a window has freed is there for the next one.
            share_heap()
            self._thread.start()
        self._is_running = True
        self._inbox.put((True, value))
        kind, payload = self._next()
        self._is_running = False
        if kind == "shown":
            return payload
        self._thread.join()
        if kind == "raised":
            raise payload
        return Finished(payload)

    def _next(self) -> tuple[str, Any]:
        while True:
            try:
                return self._outbox.get(timeout=_WAKE_S)
            except Empty:
                continue

    def close(self) -> None:
        """End the call where it is, and wait until it has ended."""
        if not self._thread.is_alive():
            return
        if self._is_running and self._thread.ident is not None:
            # It was left in the middle of a step; the next bytecode of its thread raises.
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(self._thread.ident), ctypes.py_object(_Stopped)
            )
        self._inbox.put((False, None))
        self._thread.join()

    def _run(self) -> None:
        try:
            self._wait()
            outcome: tuple[str, Any] = ("returned", self._function(self._meet))
        except _Stopped:
            return
        except BaseException as error:
            outcome = ("raised", error)
        finally:
            # What the function holds on to, a whole pipeline, shall go with it.
            del self._function
        self._outbox.put(outcome)

    def _meet(self, shown: Any) -> Any:
        self._outbox.put(("shown", shown))
        return self._wait()

    def _wait(self) -> Any:
        goes_on, value = self._inbox.get()
        if not goes_on:
            raise _Stopped
        return value
