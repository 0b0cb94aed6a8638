"""One call of a pipeline, kept as it goes, so that a later run can go on with it.

What a call does between two evaluations of its denoisers takes no time and follows from the seed. So
what every evaluation returned is kept, in order; a run that goes on with the call is handed it back
where it would compute. Nothing has to be known of the pipeline: its schedulers, chunks and histories
come to be what they were.
"""

import functools
import importlib
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
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
                keeping = functools.partial(self._keeping, name, known)
                stack.enter_context(_forward_by(keeping, part))
            try:
                yield
            except BaseException:
                if self._num_files and self._recent:
                    self._write()
                raise

    def _keeping(
        self, name: str, known: Iterator[dict[str, Any]], forward: Callable[..., Any]
    ) -> Callable[..., Any]:
        @functools.wraps(forward)  # pipelines read the signature
        def keeping(*args: Any, **kwargs: Any) -> Any:
            given = {str(number): one for number, one in enumerate(args)} | kwargs
            entry = next(known, None)
            if entry is None:
                returned = forward(*args, **kwargs)
                self._keep(name, _told(returned, given))
                return returned
            if entry["part"] != name:
                raise DiskError("What is kept is of another call. Begin again without --resume.")
            if not any(True for _ in _tensors(entry["returned"])):
                # It was made for what it left behind, as the keys and values of a chunk that is done.
                return forward(*args, **kwargs)
            return _again(entry["returned"], given)

        return keeping

    def _keep(self, name: str, told: Any) -> None:
        if self._is_over:
            return
        if not all(bool(one.isfinite().all()) for one in _tensors(told)):
            self._give_up()  # it would be so again
            return
        self._recent.append({"part": name, "returned": told})
        if self._pace.is_due:
            self._write()

    def _write(self) -> None:
        """Put what is in memory into the next file; where that fails, the call does without."""
        try:
            path = self._folder() / _FILE.format(self._num_files + 1)
            with self._pace.writing():
                write_packed(path, {"identity": self._identity, "entries": self._recent})
            self._num_files += 1
        except T2VError as error:
            self._warn(f"{error} If it is stopped, this video begins again.")
            self._give_up()
        self._recent = []

    def _give_up(self) -> None:
        self._is_over, self._recent = True, []
        if self._num_files:
            for file in files_of(self._folder()):
                file.unlink(missing_ok=True)

    def _known(self) -> Iterator[dict[str, Any]]:
        """What the denoisers returned in earlier runs, file by file."""
        folder = self._folder()
        while (path := folder / _FILE.format(self._num_files + 1)).exists():
            found = read_packed(path)
            check_identity(folder, found["identity"], self._identity)
            self._num_files += 1
            yield from found["entries"]
        self._pace.begin()


@contextmanager
def _forward_by(
    around: Callable[[Callable[..., Any]], Callable[..., Any]], part: torch.nn.Module
) -> Generator[None]:
    """Another `forward` of a module until the block ends, unless offloading has put in its own."""
    own = vars(part)
    before, now = own.get("forward"), around(part.forward)
    own["forward"] = now
    try:
        yield
    finally:
        if own.get("forward") is now:
            del own["forward"]
            if before is not None:
                own["forward"] = before


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
