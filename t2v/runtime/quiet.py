"""The libraries below stay silent on the terminal; what they have to say is collected instead."""

import logging
import re
import warnings
from collections.abc import Generator
from contextlib import contextmanager

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


class _Collector(logging.Handler):
    def __init__(self, messages: list[str]) -> None:
        super().__init__(logging.WARNING)
        self.messages = messages

    def emit(self, record: logging.LogRecord) -> None:
        self.note(record.getMessage())

    def note(self, message: str) -> None:
        text = " ".join(message.split())
        if len(text) > _MAX_LENGTH:
            text = text[:_MAX_LENGTH] + "..."
        if text and text not in self.messages and not _NOISE.search(text):
            self.messages.append(text)


@contextmanager
def quiet() -> Generator[list[str]]:
    """Silence bars, logs and warnings of the libraries; the list has what matters, each once."""
    messages: list[str] = []
    collector = _Collector(messages)
    with warnings.catch_warnings(), _without_bars(), _loggers_into(collector):
        warnings.simplefilter("ignore")
        warnings.simplefilter("default", UserWarning)
        warnings.simplefilter("default", RuntimeWarning)
        warnings.showwarning = lambda message, *_, **__: collector.note(str(message))  # ty: ignore[invalid-assignment]
        yield messages


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
