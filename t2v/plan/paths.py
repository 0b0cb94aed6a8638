"""Paths that users wrote, which no file system may have to like."""

import os
from pathlib import Path

from t2v.zoo.places import expanded


def exists(path: Path) -> bool:
    """Whether it is there; a path that the system refuses is not."""
    return os.path.exists(path)  # noqa: PTH110 - Path.exists raises where a name is too long


def absolute(source: str, folder: Path) -> Path:
    """The path from `folder` on, with `~` and links followed as far as they lead."""
    return Path(
        os.path.realpath(folder / expanded(source))
    )  # Path.resolve raises for loops of links


def is_model_path(text: str, folder: Path) -> bool:
    """Whether a model named in a file of that folder is a folder here, and no name or repository."""
    return (
        ("/" in text and exists(folder / text)) or text.startswith((".", "/", "~")) or "\\" in text
    )
