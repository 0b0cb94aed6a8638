"""Which commit of a repository this user runs: resolved once, and the same from then on."""

import json
from typing import Any

from t2v.errors import DocumentError
from t2v.zoo.files import read_json
from t2v.zoo.hashes import COMMIT_HASH
from t2v.zoo.places import config_home
from t2v.zoo.store import write_text


def locked_revision(repo: str, reference: str = "") -> str | None:
    """The commit that a repository, or a branch or tag of it, was locked to.

    Raises:
        DocumentError: The lock file is broken.
    """
    return _read().get(_key(repo, reference))


def lock_revision(repo: str, commit: str, reference: str = "") -> None:
    """Remember the commit for every later run; one that is locked already stays.

    Raises:
        DiskError: The lock file cannot be written.
    """
    revisions = _read()
    key = _key(repo, reference)
    if key in revisions:
        return
    revisions[key] = commit
    text = json.dumps(dict(sorted(revisions.items())), indent=2)
    write_text(config_home() / "revisions.json", text + "\n")


def _read() -> dict[str, str]:
    path = config_home() / "revisions.json"
    if not path.is_file():
        return {}
    data: Any = read_json(path)
    if not isinstance(data, dict) or not all(_is_commit(v) for v in data.values()):
        raise DocumentError(
            f"{path}:1:1: must map repositories to commit hashes. Delete it to resolve them anew."
        )
    return data


def _is_commit(value: object) -> bool:
    return isinstance(value, str) and COMMIT_HASH.fullmatch(value) is not None


def _key(repo: str, reference: str) -> str:
    return f"{repo}@{reference}" if reference else repo
