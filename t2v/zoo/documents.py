"""Read a YAML document that nobody vouches for, and remember where each value stands.

Only plain data comes out: mappings, lists, strings, numbers, booleans and null. Scalars follow
YAML 1.2, so `no`, `12:30` and `2026-01-01` stay strings and `1e3` is a number.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from t2v.errors import DocumentError
from t2v.zoo.files import MAX_BYTES, read_text

MAX_DEPTH = 20

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """The data of one file, and the position of every key in it."""

    data: Any
    name: str
    """How messages call the file."""
    marks: dict[KeyPath, tuple[int, int]] = field(default_factory=dict, repr=False)

    def where(self, path: Sequence[str | int] = ()) -> str:
        """`file:line:column` of a key, or of the nearest one around it that is in the file."""
        path = tuple(path)
        while path and path not in self.marks:
            path = path[:-1]
        line, column = self.marks.get(path, (1, 1))
        return f"{self.name}:{line}:{column}"

    def error(self, path: Sequence[str | int], message: str) -> DocumentError:
        """An error about one value: its place, its key path, and what is wrong."""
        key = key_text(path)
        return DocumentError(f"{self.where(path)}: {key + ': ' if key else ''}{message}")


def key_text(path: Sequence[str | int]) -> str:
    """A key path as people write it.

    >>> key_text(("models", "wan2.1-t2v-1.3b", "sizes", "native", 0))
    'models.wan2.1-t2v-1.3b.sizes.native[0]'
    """
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def read_yaml(path: Path | Traversable, *, max_bytes: int = MAX_BYTES) -> Document:
    """Read one YAML file.

    Raises:
        DiskError: The file cannot be read.
        DocumentError: It is too large, no UTF-8, broken, or uses what is refused here.
    """
    return parse_yaml(read_text(path, max_bytes), str(path))


def parse_yaml(text: str, name: str = "<text>") -> Document:
    """Parse the text of one YAML document.

    Raises:
        DocumentError: The text is broken, or has anchors, aliases, tags, duplicate keys or more
            than 20 levels.
    """
    # The YAML library takes longer to import than most commands take; many of them read none.
    from t2v.zoo.building import build  # noqa: PLC0415

    return build(text, name)
