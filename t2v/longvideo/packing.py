"""What a running call remembers, as tensors and one JSON document: no code, no pickle."""

import json
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from t2v.errors import DiskError, RequestError
from t2v.media.parts import disk_error

_DOCUMENT, _CHECKSUM = "t2v", "crc32"


def write_packed(path: Path, value: Any) -> int:
    """Put a value of plain types and tensors in a file that appears whole; returns its bytes.

    Raises:
        RequestError: It holds something else.
        DiskError: The file cannot be written.
    """
    tensors: dict[str, torch.Tensor] = {}
    document = json.dumps(_pack(value, tensors))
    metadata = {_DOCUMENT: document, _CHECKSUM: _checksum(document, tensors)}
    data = save(tensors, metadata=metadata)
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise disk_error(path, error) from error
    return len(data)


def read_packed(path: Path) -> Any:
    """The value of a file that `write_packed` made.

    Raises:
        DiskError: It cannot be read, or it is damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata()
            document = metadata[_DOCUMENT]
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no dict
        if _checksum(document, tensors) != metadata[_CHECKSUM]:
            raise ValueError("its checksum is another")
        return _unpack(json.loads(document), tensors)
    except (OSError, ValueError, LookupError, TypeError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DiskError(
            f"{path} cannot be read: {reason}. Begin again without --resume."
        ) from error


def _pack(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case list():
            return [_pack(one, tensors) for one in value]
        case tuple():
            return {"tuple": [_pack(one, tensors) for one in value]}
        case dict():
            return {"dict": [[_pack(k, tensors), _pack(v, tensors)] for k, v in value.items()]}
        case torch.dtype():
            return {"dtype": str(value).removeprefix("torch.")}
        case torch.device():
            return {"device": str(value)}
        case np.generic():
            return {"scalar": value.item(), "dtype": str(value.dtype)}
        case np.ndarray() if value.dtype.kind in "biuf":
            return {"array": _add(torch.from_numpy(value), tensors)}
        case torch.Tensor():
            strides = None if value.is_contiguous() or 0 in value.stride() else list(value.stride())
            return {"tensor": _add(value, tensors), "device": str(value.device), "strides": strides}
        case _:
            raise RequestError(
                f"A checkpoint cannot hold the {type(value).__name__} that this model or its "
                "scheduler remembers. Choose another --scheduler."
            )


def _add(tensor: torch.Tensor, tensors: dict[str, torch.Tensor]) -> str:
    key = str(len(tensors))
    # A view, or a tensor that is there twice, would be refused.
    tensors[key] = tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
    return key


def _unpack(value: Any, tensors: Mapping[str, torch.Tensor]) -> Any:
    match value:
        case list():
            return [_unpack(one, tensors) for one in value]
        case {"tuple": parts}:
            return tuple(_unpack(one, tensors) for one in parts)
        case {"dict": pairs}:
            return {_unpack(key, tensors): _unpack(one, tensors) for key, one in pairs}
        case {"scalar": number, "dtype": kind}:
            return np.dtype(kind).type(number)
        case {"dtype": kind}:
            return getattr(torch, kind)
        case {"device": device, "tensor": key, **more}:
            tensor, strides = tensors[key], more.get("strides")
            # How values lie decides which kernel takes them, and so their last bits later on.
            if strides is not None:
                tensor = torch.empty_strided(tensor.shape, strides, dtype=tensor.dtype).copy_(
                    tensor
                )
            return tensor.to(device)
        case {"device": device}:
            return torch.device(device)
        case {"array": key}:
            return tensors[key].numpy()
        case _:
            return value


def _checksum(document: str, tensors: Mapping[str, torch.Tensor]) -> str:
    """Of everything: a bit that a disk has lost would be seen in the video alone."""
    total = zlib.crc32(document.encode())
    for _, tensor in sorted(tensors.items()):
        total = zlib.crc32(tensor.reshape(-1).view(torch.uint8).numpy(), total)
    return f"{total:08x}"


def files_of(folder: Path) -> Iterator[Path]:
    """The packed files in a folder, and what is left of those half-written."""
    yield from folder.glob("*.safetensors")
    yield from folder.glob(".*.safetensors.part")
