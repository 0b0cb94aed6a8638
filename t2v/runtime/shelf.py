"""Tensors in files, by name: a cache of bounded size that any number of processes share."""

import contextlib
import json
import os
import tempfile
import threading
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

MAX_BYTES = 4 * 2**30
_SUFFIX = ".safetensors"


@dataclass(frozen=True, slots=True)
class Found:
    """What lay under a name; it may be None itself."""

    value: Any


class Shelf:
    """Keeps nested tuples and lists of tensors. What was not used for longest goes first.

    Nothing here is needed: what cannot be written is not kept, and what cannot be read was never
    there.
    """

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self.max_bytes, self.num_written = max_bytes, 0
        self._num_bytes: int | None = None
        self._lock = threading.Lock()

    def has(self, name: str) -> bool:
        """Whether something lies there; reading it may still fail."""
        return self._path(name).is_file()

    def get(self, name: str, device: torch.device | str = "cpu") -> Found | None:
        """What was put there, on the device; None where nothing was, or it is damaged."""
        path = self._path(name)
        try:
            value = _read(path, device)
            os.utime(path)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, SafetensorError):
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        return Found(value)

    def put(self, name: str, value: Any) -> bool:
        """Keep it for later; False where it cannot be."""
        tensors: list[torch.Tensor] = []
        try:
            layout = _taken_apart(value, tensors)
        except TypeError:
            return False
        path = self._path(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            num_bytes = _write(path, layout, tensors)
        except (OSError, SafetensorError):
            return False
        self._make_room(num_bytes)
        return True

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / (name + _SUFFIX)

    def _make_room(self, num_bytes: int) -> None:
        with self._lock:
            self.num_written += num_bytes
            if self._num_bytes is None or self._num_bytes + num_bytes > self.max_bytes:
                self._num_bytes = self._cleared()
            else:
                self._num_bytes += num_bytes

    def _cleared(self) -> int:
        """Delete something where there is too much; returns how much there is."""
        files = sorted(self._files())
        left = sum(size for _, size, _ in files)
        if left <= self.max_bytes:
            return left
        for _, size, path in files:
            if left <= 0.9 * self.max_bytes:
                break
            with contextlib.suppress(OSError):
                path.unlink()
                left -= size
        return left

    def _files(self) -> list[tuple[float, int, Path]]:
        found = []
        for path in self._folder.glob(f"??/*{_SUFFIX}"):
            with contextlib.suppress(OSError):  # another process makes room as well
                status = path.stat()
                found.append((status.st_mtime, status.st_size, path))
        return found


def _write(path: Path, layout: Any, tensors: list[torch.Tensor]) -> int:
    named, shapes, sums = {}, [], []
    for number, tensor in enumerate(tensors):
        kept = _without_padding(tensor.detach().cpu())
        shapes.append(list(tensor.shape))
        sums.append(_checksum(kept))
        named[str(number)] = kept
    about = {"layout": json.dumps(layout), "shapes": json.dumps(shapes), "sums": json.dumps(sums)}
    handle, part = tempfile.mkstemp(prefix=".", dir=path.parent)
    os.close(handle)
    try:
        save_file(named, part, metadata=about)
        num_bytes = Path(part).stat().st_size
        Path(part).replace(path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
    return num_bytes


def _read(path: Path, device: torch.device | str) -> Any:
    if not path.is_file():
        raise FileNotFoundError(path)
    with safe_open(str(path), "pt") as file:
        about = file.metadata()
        layout, shapes, sums = (json.loads(about[key]) for key in ("layout", "shapes", "sums"))
        tensors = [file.get_tensor(str(number)) for number in range(len(shapes))]
    if [_checksum(tensor) for tensor in tensors] != sums:
        raise ValueError("damaged")
    whole = [_padded(one, shape).to(device) for one, shape in zip(tensors, shapes, strict=True)]
    return _put_together(layout, whole)


def _without_padding(tensor: torch.Tensor) -> torch.Tensor:
    """Without the zeros at its end along time: most prompts fill a fraction of their tokens."""
    if tensor.ndim != 3 or tensor.is_complex():
        return tensor.contiguous()
    # The sign of a zero is lost; where there is one, nothing is cut.
    used = (tensor != 0).any(dim=2).any(dim=0) | torch.signbit(tensor.float()).any(dim=2).any(dim=0)
    last = int(used.nonzero().max()) + 1 if bool(used.any()) else 0
    return tensor[:, :last].contiguous()


def _padded(tensor: torch.Tensor, shape: list[int]) -> torch.Tensor:
    if list(tensor.shape) == shape:
        return tensor
    whole = tensor.new_zeros(shape)
    whole[:, : tensor.shape[1]] = tensor
    return whole


def _checksum(tensor: torch.Tensor) -> int:
    return zlib.crc32(tensor.contiguous().flatten().view(torch.uint8).numpy())


def _taken_apart(value: Any, tensors: list[torch.Tensor]) -> Any:
    match value:
        case torch.Tensor():
            tensors.append(value)
            return len(tensors) - 1
        case None:
            return None
        case tuple():
            return {"tuple": [_taken_apart(one, tensors) for one in value]}
        case list():
            return {"list": [_taken_apart(one, tensors) for one in value]}
        case _:
            raise TypeError(type(value).__name__)


def _put_together(layout: Any, tensors: list[torch.Tensor]) -> Any:
    match layout:
        case None:
            return None
        case int():
            return tensors[layout]
        case {"tuple": list(parts)}:
            return tuple(_put_together(one, tensors) for one in parts)
        case {"list": list(parts)}:
            return [_put_together(one, tensors) for one in parts]
        case _:
            raise ValueError("damaged")
