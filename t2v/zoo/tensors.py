"""Count the parameters of safetensors files from their headers alone."""

import json
import math
import struct
from collections.abc import Iterable
from pathlib import Path

_MAX_HEADER = 100_000_000


def count_parameters(files: Iterable[Path]) -> tuple[int, set[str]]:
    """The number of parameters, and in which dtypes they are stored (`F32`, `BF16`, ...).

    A file that is no safetensors file counts as nothing; loading it will say so.
    """
    params = 0
    dtypes: set[str] = set()
    for file in files:
        for name, tensor in _header(file).items():
            if name != "__metadata__" and isinstance(tensor, dict):
                params += _size(tensor.get("shape"))
                dtypes.add(str(tensor.get("dtype")))
    return params, dtypes


def _size(shape: object) -> int:
    is_shape = isinstance(shape, list) and all(type(side) is int and side >= 0 for side in shape)
    return math.prod(shape) if is_shape else 0  # type: ignore[call-overload]


def _header(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length)) if length <= _MAX_HEADER else {}
    except (OSError, ValueError, struct.error, RecursionError):
        return {}
    return header if isinstance(header, dict) else {}
