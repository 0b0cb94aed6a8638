"""Small files that are whole or not there: written beside, synced, renamed."""

import contextlib
import os
import tempfile
from pathlib import Path

from t2v.errors import DiskError


def write_text(path: Path, text: str) -> None:
    """Put a text file in place in one step, with its folder.

    Raises:
        DiskError: The folder or the file cannot be written.
    """
    part: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(part).chmod(0o644)
        Path(part).replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            Path(part).unlink() if part else None
        reason = error.strerror or error
        raise DiskError(f"Cannot write {path}: {reason}. Make the folder writable.") from None
