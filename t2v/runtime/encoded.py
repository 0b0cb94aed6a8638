"""What text encoders made of prompts: made once, kept in memory, and on disk for later processes."""

import copy
import functools
import hashlib
import inspect
import json
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import diffusers
import torch
import transformers

from t2v.runtime.shelf import Shelf

MAX_KEPT = 32
"""Calls whose results stay in memory, where nothing else is said."""
_INNER = re.compile(r"_get_\w*prompt_embeds")
"""Methods of pipelines that encode one text; `encode_prompt` calls them for each of its texts."""
_FEW = 4
_LIBRARIES = (torch.__version__, transformers.__version__, diffusers.__version__)


Elsewhere = Callable[[], AbstractContextManager[Any]]
"""Lends a pipeline that has the text encoders."""


class Encoded(BaseException):
    """Ends a call once its prompts are encoded."""


class Encodings:
    """Encoded prompts of one model. Pipelines that share its weights may share this too.

    Texts are encoded one at a time: tokenizers are no good in several threads.
    """

    def __init__(
        self,
        *,
        max_kept: int = MAX_KEPT,
        shelf: Shelf | None = None,
        identity: str = "",
        before: Callable[[], None] = lambda: None,
        on_host: bool = False,
    ) -> None:
        """Keep so many in memory, and all on the shelf, if there is one.

        Args:
            max_kept: Calls whose results stay in memory.
            shelf: Where results lie for other processes.
            identity: Which weights they are and in which format. The class of the pipeline, the kind
                of device and the versions of the libraries tell results apart as well.
            before: Is called before the text encoders are put to work.
            on_host: Whether what is kept waits in the host's memory, to be moved to the pipeline's
                device whenever it is asked for.
        """
        self._max_kept, self._shelf, self._identity, self._before, self._on_host = (
            max_kept,
            shelf,
            identity,
            before,
            on_host,
        )
        self._kept: OrderedDict[str, Any] = OrderedDict()
        self._texts: OrderedDict[str, Any] = OrderedDict()
        self._lock = threading.RLock()

    def attach(self, pipe: Any, elsewhere: Elsewhere | None = None) -> None:
        """Let a pipeline ask here before it encodes. It has to have `encode_prompt`.

        One without text encoders of its own borrows `elsewhere` for what is not known.
        """
        own = vars(pipe)
        for name in _methods(pipe):
            own[name] = self._remembering(name, getattr(pipe, name))
        own["encode_prompt"] = self.around(pipe, elsewhere)

    def around(self, pipe: Any, elsewhere: Elsewhere | None = None) -> Callable[..., Any]:
        """The pipeline's `encode_prompt`, with a memory."""
        encode_prompt = pipe.encode_prompt if elsewhere is None else _borrowed(pipe, elsewhere)
        names = [*inspect.signature(pipe.encode_prompt).parameters]

        @functools.wraps(encode_prompt)
        def encode(*args: Any, **kwargs: Any) -> Any:
            call = _described((args, kwargs))
            with self._lock:
                if call is None:
                    return encode_prompt(*args, **kwargs)
                # What is kept of one text shall do for it among others.
                each = [encode(*one, **named) for one, named in _one_by_one(names, args, kwargs)]
                together = _joined(each) if each else None
                if together is not None:
                    return together
                return self._found(call, pipe, lambda: encode_prompt(*args, **kwargs))

        return encode

    def only(self, pipe: Any) -> Any:
        """A copy of a pipeline whose calls end with `Encoded` as soon as the result is kept here."""
        encode, other = self.around(pipe), copy.copy(pipe)

        @functools.wraps(encode)
        def stop(*args: Any, **kwargs: Any) -> Any:
            encode(*args, **kwargs)
            raise Encoded

        vars(other)["encode_prompt"] = stop
        return other

    def has(self, pipe: Any, *args: Any, **kwargs: Any) -> bool:
        """Whether this call of `encode_prompt` needs no text encoder."""
        call = _described((args, kwargs))
        if call is None:
            return False
        with self._lock:
            kept = call in self._kept
            return kept or (self._shelf is not None and self._shelf.has(self._name(call, pipe)))

    def _found(self, call: str, pipe: Any, encode: Callable[[], Any]) -> Any:
        def make() -> Any:
            made = self._fetched(call, pipe, encode)
            return _moved(made, "cpu") if self._on_host else made

        found = _recalled(self._kept, call, make, self._max_kept)
        return _moved(found, pipe._execution_device) if self._on_host else found

    def _fetched(self, call: str, pipe: Any, encode: Callable[[], Any]) -> Any:
        if self._shelf is None:
            self._before()
            return encode()
        name = self._name(call, pipe)
        found = self._shelf.get(name, pipe._execution_device)
        if found is not None:
            return found.value
        self._before()
        made = encode()
        self._shelf.put(name, made)
        return made

    def _name(self, call: str, pipe: Any) -> str:
        place = torch.device(pipe._execution_device).type
        facts = [self._identity, type(pipe).__name__, place, *_LIBRARIES, call]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    def _remembering(self, name: str, encode: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(encode)
        def remember(*args: Any, **kwargs: Any) -> Any:
            call = _described((name, args, kwargs))
            if call is None:
                return encode(*args, **kwargs)
            with self._lock:
                return _recalled(self._texts, call, lambda: encode(*args, **kwargs), _FEW)

        return remember


def _recalled(memory: OrderedDict[str, Any], call: str, make: Callable[[], Any], most: int) -> Any:
    """What is remembered of a call, made where nothing is; the oldest beyond so many are forgotten."""
    if call not in memory:
        memory[call] = make()
    memory.move_to_end(call)
    while len(memory) > most:
        memory.popitem(last=False)
    return memory[call]


def _moved(value: Any, device: Any) -> Any:
    """The same on a device."""
    match value:
        case torch.Tensor():
            return value.to(device)
        case tuple() | list() if type(value) in (tuple, list):
            return type(value)(_moved(one, device) for one in value)
        case _:
            return value


def _one_by_one(
    names: list[str], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    """The arguments of a call for each of several prompts; empty where there is one.

    `names` are those of its parameters: instructions that go before every prompt are lists, too.
    """
    named = {**dict(zip(names, args, strict=False)), **kwargs}
    lists = {name for name, one in named.items() if "prompt" in name and _is_texts(one)}
    lengths = {len(named[name]) for name in lists}
    if "prompt" not in lists or len(lengths) > 1 or max(lengths) < 2:
        return []

    def of(name: str, value: Any, number: int) -> Any:
        return value[number] if name in lists else value

    return [
        (
            tuple(of(name, one, n) for name, one in zip(names, args, strict=False)),
            {name: of(name, one, n) for name, one in kwargs.items()},
        )
        for n in range(max(lengths))
    ]


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(isinstance(t, str) for t in value)


def _joined(each: list[Any]) -> Any:
    """Results of single texts as that of all; None where they cannot be put together."""
    if not isinstance(each[0], tuple):
        return None
    together: list[torch.Tensor | None] = []
    for parts in zip(*each, strict=True):
        if all(part is None for part in parts):
            together.append(None)
        elif _is_row(parts[0]) and all(_is_row(p) and p.shape == parts[0].shape for p in parts):
            together.append(torch.cat(parts))
        else:
            return None
    return tuple(together)


def _is_row(part: Any) -> bool:
    return isinstance(part, torch.Tensor) and part.ndim > 0 and len(part) == 1


def _borrowed(pipe: Any, elsewhere: Elsewhere) -> Callable[..., Any]:
    @functools.wraps(pipe.encode_prompt)
    def encode(*args: Any, **kwargs: Any) -> Any:
        with elsewhere() as other:
            return other.encode_prompt(*args, **kwargs)

    return encode


def _methods(pipe: Any) -> Iterator[str]:
    for name, _ in inspect.getmembers(type(pipe), inspect.isfunction):
        if _INNER.fullmatch(name):
            yield name


def _described(value: Any) -> str | None:
    """The arguments of a call as text, the same in every process; None where they have no such."""
    try:
        return json.dumps(_plain(value), ensure_ascii=True)
    except TypeError:
        return None


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case list() | tuple():
            return [_plain(one) for one in value]
        case dict():
            return [[key, _plain(one)] for key, one in sorted(value.items())]
        case torch.device():
            return "device"  # which kind it is, the identity says
        case torch.dtype():
            return str(value)
        case _:
            raise TypeError(type(value).__name__)
