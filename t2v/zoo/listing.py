"""What files a commit has and what each must be: asked of the Hub once, then kept."""

import contextlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2v.errors import DiskError, DocumentError, ModelError
from t2v.zoo.files import read_json
from t2v.zoo.hashes import COMMIT_HASH, Expected, is_hash
from t2v.zoo.hub_errors import explained
from t2v.zoo.places import cache_home, repo_name
from t2v.zoo.store import write_text

_MAX_RECORD_BYTES = 50_000_000


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of one commit."""

    repo: str
    revision: str
    files: Mapping[str, Expected]
    license: str | None = None
    """What the repository's card says, where it was asked for now."""

    def size(self, names: Iterable[str]) -> int:
        """Bytes of these files together."""
        return sum(self.files[name].size for name in names)


def list_files(repo: str, revision: str) -> Listing:
    """The files of a branch, a tag or a commit, as the Hub has them now.

    Raises:
        WeightsMissingError: The Hub cannot be reached.
        UnknownModelError: It has no such repository or revision.
        GatedModelError: It wants a login.
        ModelError: It names no commit.
    """
    send_no_telemetry()
    from huggingface_hub import HfApi

    with explained(repo, revision):
        info = HfApi(library_name="t2v").model_info(repo, revision=revision, files_metadata=True)
    if info.sha is None or not COMMIT_HASH.fullmatch(info.sha):
        raise ModelError(f"The Hub named no commit for {repo}; it cannot be pinned.")
    files = {file.rfilename: _expected(file) for file in info.siblings or []}
    return Listing(repo, info.sha, files, _license(info.tags))


def keep(listing: Listing, names: Iterable[str]) -> None:
    """Remember what these files must be, so that they can be verified without the Hub."""
    known = kept(listing.repo, listing.revision)
    files = dict(known.files) if known else {}
    files |= {name: listing.files[name] for name in names}
    data = {name: [one.size, one.hash] for name, one in sorted(files.items())}
    # What cannot be kept can be asked again.
    with contextlib.suppress(DiskError):
        write_text(_record(listing.repo, listing.revision), json.dumps(data, indent=1) + "\n")


def kept(repo: str, revision: str) -> Listing | None:
    """The files that were fetched of a commit, as the Hub named them then."""
    path = _record(repo, revision)
    try:
        data = read_json(path, max_bytes=_MAX_RECORD_BYTES)
        return Listing(repo, revision, {name: _read(value) for name, value in data.items()})
    except (DiskError, DocumentError, AttributeError, TypeError, ValueError):
        return None


def forget(repo: str) -> None:
    """Remove all records of a repository."""
    for path in _records(repo).glob("*.json"):
        with contextlib.suppress(OSError):
            path.unlink()
    with contextlib.suppress(OSError):
        _records(repo).rmdir()


def send_no_telemetry() -> None:
    """Keep huggingface_hub from counting; it reads this once, when it is imported."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")


def _expected(file: Any) -> Expected:
    lfs = file.lfs
    known = lfs.sha256 if lfs else file.blob_id
    return Expected(file.size or 0, known if known and is_hash(known) else None)


def _license(tags: Iterable[str] | None) -> str | None:
    found = (tag.partition(":")[2] for tag in tags or () if tag.startswith("license:"))
    return next(found, None)


def _records(repo: str) -> Path:
    return cache_home() / "hashes" / repo_name(repo)


def _record(repo: str, revision: str) -> Path:
    return _records(repo) / f"{revision}.json"


def _read(value: Any) -> Expected:
    size, known = value
    if not isinstance(size, int) or not (known is None or is_hash(known)):
        raise ValueError(value)
    return Expected(size, known)
