"""Take a model off this machine: its files in the cache, and the entry that `add` made for it."""

import contextlib
import os
import shutil
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from t2v.errors import DiskError, RequestError
from t2v.zoo.cache import locate
from t2v.zoo.drafts import own_entry
from t2v.zoo.listing import forget
from t2v.zoo.places import cache_home, hub_cache, repo_folder, repo_name
from t2v.zoo.spec import ModelSpec


@dataclass(frozen=True, slots=True)
class Removal:
    """What would go, and what would stay."""

    model: str
    repos: tuple[tuple[str, int], ...] = ()
    """Repositories whose folders in the cache go, with their bytes on disk."""
    kept: tuple[tuple[str, str], ...] = ()
    """Repositories that stay, each with a model on this machine that needs it."""
    entry: Path | None = None
    """The catalog of the user that has this entry alone."""
    folder: str | None = None
    """A local folder, which is never touched."""

    @property
    def num_bytes(self) -> int:
        """What is freed."""
        return sum(size for _, size in self.repos)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to remove."""
        return not self.repos and self.entry is None


def plan_removal(spec: ModelSpec, others: Iterable[ModelSpec]) -> Removal:
    """What removing a model would take away; nothing is touched.

    A repository of its own goes. A part that another model on this machine needs too, such as the
    base of several motion adapters, stays.

    Raises:
        RequestError: The model is the one inside t2v.
    """
    if spec.builtin:
        raise RequestError(f"{spec.name} is part of t2v and stays.")
    needed = {
        repo: other.name
        for other in others
        if other.name != spec.name and locate(other)
        for repo in _repos(other)
    }
    own = [repo for repo in _repos(spec) if repo_folder(repo).is_dir()]
    going = [repo for repo in own if repo not in needed]
    return Removal(
        spec.name,
        tuple((repo, disk_bytes(repo_folder(repo))) for repo in going),
        tuple((repo, needed[repo]) for repo in own if repo in needed),
        own_entry(spec.name),
        spec.folder,
    )


def remove(removal: Removal) -> None:
    """Do what was planned. The lock of the commit stays, so that a later pull gets the same.

    Raises:
        DiskError: Something cannot be removed.
    """
    for repo, _ in removal.repos:
        _remove_folder(repo_folder(repo))
        _remove_folder(hub_cache() / ".locks" / repo_name(repo))
        _remove_folder(cache_home() / "damaged" / repo_name(repo))
        forget(repo)
    if removal.entry:
        try:
            removal.entry.unlink(missing_ok=True)
        except OSError as error:
            raise _cannot(removal.entry, error) from None


def disk_bytes(folder: Path) -> int:
    """What the files of a folder take on the disk; a link takes nothing."""
    total = 0
    for top, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                found = Path(top, name).lstat()
                total += found.st_size if stat.S_ISREG(found.st_mode) else 0
    return total


def _repos(spec: ModelSpec) -> list[str]:
    places = [spec.repo, *(part.repo for part in spec.elsewhere)]
    return list(dict.fromkeys(repo for repo in places if repo))


def _remove_folder(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _cannot(folder, error) from None


def _cannot(path: Path, error: OSError) -> DiskError:
    return DiskError(f"Cannot remove {error.filename or path}: {error.strerror or error}.")
