"""Which cached files a verification found to be damaged; a pull fetches them again."""

import contextlib
import json
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from t2v.errors import DiskError, DocumentError
from t2v.zoo.files import read_json
from t2v.zoo.places import cache_home, repo_name
from t2v.zoo.store import write_text


def damaged(repo: str, revision: str) -> list[str]:
    """The damaged files of a commit."""
    path = _record(repo, revision)
    if not path.is_file():
        return []
    try:
        names = read_json(path)
    except (DiskError, DocumentError):
        return []
    return [name for name in names if _is_inside(name)] if isinstance(names, list) else []


def mark_damaged(repo: str, revision: str, names: Iterable[str]) -> None:
    """Remember them, until they have been fetched again; without any, all is well.

    Raises:
        DiskError: That cannot be written.
    """
    names = list(names)
    if names:
        write_text(_record(repo, revision), json.dumps(names) + "\n")
    else:
        mend(repo, revision)


def mend(repo: str, revision: str) -> None:
    """Forget what was damaged."""
    with contextlib.suppress(OSError):
        _record(repo, revision).unlink()


def _record(repo: str, revision: str) -> Path:
    return cache_home() / "damaged" / repo_name(repo) / f"{revision}.json"


def _is_inside(name: object) -> bool:
    return isinstance(name, str) and not (
        PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts
    )
