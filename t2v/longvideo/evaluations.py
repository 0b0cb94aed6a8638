"""One call of a pipeline, kept as it goes, so that a later run can go on with it.

What a call does between two evaluations of its denoisers takes no time and follows from the seed. So
what every evaluation returned is kept, in order; a run that goes on with the call is handed it back
where it would compute. Nothing has to be known of the pipeline: its schedulers, chunks and histories
come to be what they were.
"""

import errno
import functools
import importlib
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from diffusers import DiffusionPipeline
from diffusers.utils import BaseOutput

from t2v.errors import DiskError, T2VError
from t2v.longvideo.denoisers import denoisers, has_memory
from t2v.longvideo.identity import check_identity
from t2v.longvideo.pace import Pace
from t2v.longvideo.packing import files_of, read_packed, write_packed

EVERY_S = 20.0
"""Seconds of a call that a crash may cost; what is younger is in memory."""
_FILE = "evaluations-{:06}.safetensors"


class Evaluations:
    """The evaluations of one call in a folder: files in order, each with those of some seconds."""

    def __init__(
        self,
        folder: Callable[[], Path],
        identity: dict[str, str],
        warn: Callable[[str], None],
        *,
        resume: bool,
    ) -> None:
        """Those of a call that is begun, or gone on with.

        Args:
            folder: Makes the folder when there is something to keep.
            identity: What has to be the same for a run to go on.
            warn: Hears that nothing can be kept any more; the call goes on.
            resume: Whether to go on from what is there.
        """
        self._folder, self._identity, self._warn = folder, identity, warn
        self._resume = resume
        self._recent: list[Any] = []
        self._num_files, self._is_over = 0, False
        self._pace = Pace(EVERY_S)

    @contextmanager
    def kept(self, pipe: DiffusionPipeline) -> Generator[None]:
        """Keep what the pipeline's denoisers return until the block ends.

        A step cache would miss the evaluations that are not made again, and what is compiled as a
        whole shows nothing: of such a pipeline nothing is kept.

        Raises:
            RequestError: What is to be gone on with is another run.
            DiskError: It is damaged.
        """
        parts = denoisers(pipe)
        if any(has_memory(part) or part._compiled_call_impl for part in parts.values()):
            yield
            return
        known = self._known() if self._resume else iter(())
        with ExitStack() as stack:
            for name, part in parts.items():
                stack.enter_context(_Watched(part, functools.partial(self._returned, name, known)))
            try:
                yield
            except BaseException:
                if self._num_files and self._recent:
                    self._write()
                raise

    def _returned(
        self,
        name: str,
        known: Iterator[dict[str, Any]],
        forward: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """What an evaluation returns, or returned in an earlier run."""
        given = {str(number): one for number, one in enumerate(args)} | kwargs
        entry = next(known, None)
        if entry is None:
            returned = forward(*args, **kwargs)
            if not self._is_over:
                self._keep(name, _told(returned, given))
            return returned
        if entry["part"] != name:
            raise DiskError("What is kept is of another call. Begin again without --resume.")
        if not any(True for _ in _tensors(entry["returned"])):
            # It was made for what it left behind, as the keys and values of a chunk that is done.
            return forward(*args, **kwargs)
        return _again(entry["returned"], given)

    def _keep(self, name: str, told: Any) -> None:
        if not all(bool(one.isfinite().all()) for one in _tensors(told)):
            self._give_up()  # it would be so again
            return
        self._recent.append({"part": name, "returned": told})
        if self._pace.is_due:
            self._write()

    def _write(self) -> None:
        """Put what is in memory into the next file; where that fails, the call goes on without."""
        try:
            path = self._folder() / _FILE.format(self._num_files + 1)
            with self._pace.writing():
                write_packed(path, {"identity": self._identity, "entries": self._recent})
            self._num_files += 1
            self._recent = []
        except T2VError as error:
            cause = error.__cause__
            if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT):
                self._give_up()  # the video itself needs the room
            self._is_over, self._recent = True, []
            left = "what comes from now on" if self._num_files else "all of it"
            self._warn(f"{error} If this run is stopped, {left} has to be made again.")

    def _give_up(self) -> None:
        if self._num_files:
            for file in files_of(self._folder()):
                with suppress(OSError):
                    file.unlink()
        self._is_over, self._recent, self._num_files = True, [], 0

    def _known(self) -> Iterator[dict[str, Any]]:
        """What the denoisers returned in earlier runs, file by file."""
        folder = self._folder()
        while (path := folder / _FILE.format(self._num_files + 1)).exists():
            found = read_packed(path)
            check_identity(folder, found["identity"], self._identity)
            self._num_files += 1
            yield from found["entries"]
        self._pace.begin()


class _Watched:
    """Stands in for the `forward` of a module until the block ends."""

    def __init__(self, part: torch.nn.Module, around: Callable[..., Any]) -> None:
        """`around` is called with the module's own `forward` and with what that was to be called with."""
        self._own, self._part = vars(part), part

        @functools.wraps(part.forward)  # pipelines read the signature
        def forward(*args: Any, **kwargs: Any) -> Any:
            return around(self._evaluate, args, kwargs)

        self._forward = forward

    def __enter__(self) -> None:
        self._step_in()

    def __exit__(self, *_: object) -> None:
        if self._own.get("forward") is not self._forward:
            return  # offloading has put in its own
        del self._own["forward"]
        if self._before is not None:
            self._own["forward"] = self._before

    def _step_in(self) -> None:
        self._before, self._inner = self._own.get("forward"), self._part.forward
        self._own["forward"] = self._forward

    def _evaluate(self, *args: Any, **kwargs: Any) -> Any:
        returned = self._inner(*args, **kwargs)
        if self._own.get("forward") is not self._forward:
            # A hook of offloading has done its work in the first evaluation and taken itself out.
            self._step_in()
        return returned


def _told(value: Any, given: Mapping[str, Any]) -> Any:
    """A value without classes; what the denoiser was given and hands back is named alone."""
    for name, argument in given.items():
        if value is argument and value is not None:
            return {"argument": name}
    if isinstance(value, torch.Tensor):
        return {"tensor": value.detach().to("cpu", copy=True), "device": str(value.device)}
    if isinstance(value, BaseOutput):
        fields = {name: _told(one, given) for name, one in value.items()}
        return {"output": type(value).__qualname__, "module": type(value).__module__, "of": fields}
    if isinstance(value, tuple | list):
        return [_told(one, given) for one in value]
    return value


def _again(told: Any, given: Mapping[str, Any]) -> Any:
    """The value that `_told` was given."""
    match told:
        case {"argument": name}:
            return given[name]
        case {"tensor": tensor, "device": device}:
            return tensor.to(device)
        case {"output": name, "module": module, "of": fields}:
            return _output(module, name)(**{k: _again(one, given) for k, one in fields.items()})
        case list():
            return tuple(_again(one, given) for one in told)
        case _:
            return told


def _output(module: str, name: str) -> type[BaseOutput]:
    is_known = module.partition(".")[0] == "diffusers"
    found = getattr(importlib.import_module(module), name, None) if is_known else None
    if isinstance(found, type) and issubclass(found, BaseOutput):
        return found
    raise DiskError("What is kept was changed. Begin again without --resume.")


def _tensors(told: Any) -> Iterator[torch.Tensor]:
    """Those that are new, and no arguments."""
    match told:
        case {"tensor": tensor}:
            yield tensor
        case {"of": fields}:
            for one in fields.values():
                yield from _tensors(one)
        case list():
            for one in told:
                yield from _tensors(one)
