"""What was worked out once is read back as long as the files that it came from are the same."""

import contextlib
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from t2v.zoo.places import builtin_catalog, cache_home, overlay_paths

_CODE = Path(__file__).parents[1]
_RULES = ("zoo", "plan")
"""Packages whose code decides what is made of a catalog; a checkout changes without a version."""

State = list[list[Any]]


def catalog_state(*, overlays: bool = True) -> State:
    """Which catalogs there are and which code reads them: name, inode, time and size of each file.

    Empty where the catalog that ships is no file of its own, and nothing can be remembered.
    """
    shipped = builtin_catalog()
    if not isinstance(shipped, Path):
        return []
    own = overlay_paths() if overlays else ()
    code = (path for package in _RULES for path in sorted((_CODE / package).glob("*.py")))
    return states([shipped, *own, *code])


def states(paths: Iterable[Path]) -> State:
    """Name, inode, time of change and size of files, which tell when one becomes another."""
    seen = []
    for path in paths:
        with contextlib.suppress(OSError):
            stat = path.stat()
            seen.append([str(path), stat.st_ino, stat.st_mtime_ns, stat.st_size])
    return seen


def remembered(name: str, state: State, make: Callable[[], Any]) -> Any:
    """JSON data that was made in this state before, else made now and kept for the next time."""
    path = cache_home() / f"{name}.json"
    known = _read(path)
    if state and known.get("state") == state:
        return known["made"]
    made = make()
    if state:
        # A cache that cannot be written costs time, and nothing else.
        with contextlib.suppress(OSError):
            _write(path, json.dumps({"state": state, "made": made}, separators=(",", ":")))
    return made


def _write(path: Path, text: str) -> None:
    """In one step, so that nobody reads half of it; lost in a crash, it is made again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(text, "utf-8")
    part.replace(path)


def _read(path: Path) -> dict[str, Any]:
    try:
        known = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return known if isinstance(known, dict) and "made" in known else {}
