"""The libraries below stay silent on the terminal; what they have to say is collected instead."""

import logging
import re
import threading
import warnings
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar

from diffusers.utils import logging as diffusers_logging
from transformers.utils import logging as transformers_logging

_LIBRARIES = ("accelerate", "diffusers", "huggingface_hub", "peft", "transformers")

# Messages for the programmer of a library; nobody who makes a video can act on them.
_NOISE = re.compile(
    r"deprecat|will be removed|torch_dtype|Keyword arguments .* are not expected"
    r"|tokenizer class you load|You are using the default legacy|not a valid attribute"
    r"|requires torchvision .* falling back|`timesteps` were passed without `sigmas`"
    r"|clean_caption|CPU autocast|last_sigmas_type"
    r"|Token indices sequence length|should be kept in float32"
    r"|loading of peft weights|No LoRA keys associated to|Guiders are currently an experimental"
    r"|torch\.meshgrid: in an upcoming|Default grid_sample and affine_grid behavior"
    r"|flex_attention called without torch.compile|You have supplied packed `latents`",
    re.IGNORECASE,
)

_MAX_LENGTH = 300


class _Collector:
    def __init__(self) -> None:
        self.messages: list[str] = []

    def note(self, message: str) -> None:
        text = " ".join(message.split())
        if len(text) > _MAX_LENGTH:
            text = text[:_MAX_LENGTH] + "..."
        if text and text not in self.messages and not _NOISE.search(text):
            self.messages.append(text)


_own: ContextVar[_Collector | None] = ContextVar("_own", default=None)
"""The collector of whoever runs; threads that are started inside have it by their context."""


class _Silence(logging.Handler):
    """Holds for the whole process, from the first who wants it to the last."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._guard = threading.Lock()
        self._open: list[_Collector] = []
        self._undo = ExitStack()

    def emit(self, record: logging.LogRecord) -> None:
        self.note(record.getMessage())

    def note(self, message: str) -> None:
        # A thread that a library started belongs to nobody; whoever came last is told.
        collector = _own.get() or next(reversed(self._open), None)
        if collector is not None:
            collector.note(message)

    def begin(self, collector: _Collector) -> None:
        with self._guard:
            if not self._open:
                self._undo.enter_context(_without_warnings(self))
                self._undo.enter_context(_without_bars())
                self._undo.enter_context(_loggers_into(self))
            self._open.append(collector)

    def end(self, collector: _Collector) -> None:
        with self._guard:
            self._open.remove(collector)
            if not self._open:
                self._undo.close()


_silence = _Silence()


@contextmanager
def quiet() -> Generator[list[str]]:
    """Silence bars, logs and warnings of the libraries; the list has what matters, each once.

    Several threads may be quiet at once: each hears what its own work has to say.
    """
    collector = _Collector()
    _silence.begin(collector)
    before = _own.set(collector)
    try:
        yield collector.messages
    finally:
        _own.reset(before)
        _silence.end(collector)


@contextmanager
def _without_warnings(silence: _Silence) -> Generator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Not once a place: another thread, or the next video, shall hear of it as well.
        warnings.simplefilter("always", UserWarning)
        warnings.simplefilter("always", RuntimeWarning)
        warnings.showwarning = lambda message, *_, **__: silence.note(str(message))  # ty: ignore[invalid-assignment]
        yield


@contextmanager
def _loggers_into(handler: logging.Handler) -> Generator[None]:
    loggers = [logging.getLogger(name) for name in _LIBRARIES]
    before = [(logger.handlers, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.handlers, logger.propagate = [handler], False
    try:
        yield
    finally:
        for logger, (handlers, propagate) in zip(loggers, before, strict=True):
            logger.handlers, logger.propagate = handlers, propagate


@contextmanager
def _without_bars() -> Generator[None]:
    shown = [
        library
        for library in (diffusers_logging, transformers_logging)
        if library.is_progress_bar_enabled()
    ]
    for library in shown:
        library.disable_progress_bar()
    try:
        yield
    finally:
        for library in shown:
            library.enable_progress_bar()
