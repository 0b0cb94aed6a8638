"""What text encoders made of prompts: made once, kept in memory, and on disk for later processes."""

import functools
import hashlib
import inspect
import json
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import diffusers
import torch
import transformers

from t2v.runtime.shelf import Shelf

_INNER = re.compile(r"_get_\w*prompt_embeds")
"""Methods of pipelines that encode one text; `encode_prompt` calls them for each of its texts."""
_FEW = 4


class Encodings:
    """Encoded prompts of one model. Pipelines that share its weights may share this too.

    Texts are encoded one at a time: tokenizers are no good in several threads.
    """

    def __init__(
        self,
        *,
        max_kept: int = 32,
        shelf: Shelf | None = None,
        identity: str = "",
        before: Callable[[], None] = lambda: None,
    ) -> None:
        """Keep so many in memory, and all on the shelf, if there is one.

        Args:
            max_kept: Calls whose results stay in memory.
            shelf: Where results lie for other processes.
            identity: What the results depend on beside the arguments; see `encoders_of`.
            before: Is called before the text encoders are put to work.
        """
        self._max_kept, self._shelf, self._identity, self._before = (
            max_kept,
            shelf,
            identity,
            before,
        )
        self._kept: OrderedDict[str, Any] = OrderedDict()
        self._texts: OrderedDict[str, Any] = OrderedDict()
        self._lock = threading.RLock()

    def attach(self, pipe: Any) -> None:
        """Let a pipeline ask here before it encodes. It has to have `encode_prompt`."""
        own = vars(pipe)
        for name in _methods(pipe):
            own[name] = self._remembering(getattr(pipe, name), self._texts, _FEW)
        own["encode_prompt"] = self.around(pipe)

    def around(self, pipe: Any) -> Callable[..., Any]:
        """The pipeline's `encode_prompt`, with a memory."""
        encode_prompt = pipe.encode_prompt

        @functools.wraps(encode_prompt)
        def encode(*args: Any, **kwargs: Any) -> Any:
            call = _described((args, kwargs))
            if call is None:
                with self._lock:
                    return encode_prompt(*args, **kwargs)
            with self._lock:
                return self._found(call, pipe, lambda: encode_prompt(*args, **kwargs))

        return encode

    def has(self, pipe: Any, *args: Any, **kwargs: Any) -> bool:
        """Whether this call of `encode_prompt` needs no text encoder."""
        call = _described((args, kwargs))
        if call is None:
            return False
        with self._lock:
            kept = call in self._kept
            return kept or (self._shelf is not None and self._shelf.has(self._name(call)))

    def _found(self, call: str, pipe: Any, encode: Callable[[], Any]) -> Any:
        if call not in self._kept:
            self._kept[call] = self._fetched(call, pipe, encode)
        self._kept.move_to_end(call)
        while len(self._kept) > self._max_kept:
            self._kept.popitem(last=False)
        return self._kept[call]

    def _fetched(self, call: str, pipe: Any, encode: Callable[[], Any]) -> Any:
        if self._shelf is None:
            self._before()
            return encode()
        name = self._name(call)
        found = self._shelf.get(name, pipe._execution_device)
        if found is not None:
            return found.value
        self._before()
        made = encode()
        self._shelf.put(name, made)
        return made

    def _name(self, call: str) -> str:
        return hashlib.sha256(
            f"{self._identity}\n{call}".encode(errors="surrogatepass")
        ).hexdigest()

    def _remembering(
        self, encode: Callable[..., Any], kept: OrderedDict[str, Any], max_kept: int
    ) -> Callable[..., Any]:
        @functools.wraps(encode)
        def remember(*args: Any, **kwargs: Any) -> Any:
            call = _described((encode.__name__, args, kwargs))
            if call is None:
                return encode(*args, **kwargs)
            with self._lock:
                if call not in kept:
                    kept[call] = encode(*args, **kwargs)
                kept.move_to_end(call)
                if len(kept) > max_kept:
                    kept.popitem(last=False)
                return kept[call]

        return remember


def encoders_of(pipe: Any, model: Mapping[str, Any]) -> str:
    """What encoded prompts depend on beside the text: the model, its classes, formats, libraries.

    `model` says which weights they are, in plain words and numbers.
    """
    kinds = {
        name: [type(part).__name__, str(getattr(part, "dtype", ""))]
        for name, part in sorted(pipe.components.items())
        if part is not None and re.match("text|token|processor|conn|image_enc", name)
    }
    facts = {
        "pipeline": type(pipe).__name__,
        "parts": kinds,
        "device": torch.device(pipe._execution_device).type,
        "libraries": [torch.__version__, transformers.__version__, diffusers.__version__],
        "model": dict(model),
    }
    return json.dumps(facts, sort_keys=True, default=str)


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
            return value.type
        case torch.dtype():
            return str(value)
        case _:
            raise TypeError(type(value).__name__)
