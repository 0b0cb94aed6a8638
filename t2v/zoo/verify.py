"""Compare the cached files of a model with what the Hub said that they are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from t2v.errors import T2VError, WeightsMissingError
from t2v.zoo.cache import revision_of, snapshot
from t2v.zoo.damage import mark_damaged
from t2v.zoo.hashes import Expected, is_hash
from t2v.zoo.listing import Listing, keep, kept, list_files
from t2v.zoo.progress import Progress, Tally, quiet
from t2v.zoo.spec import ModelSpec, Part

Reason = Literal["missing", "size", "hash", "unreadable"]


@dataclass(frozen=True, slots=True)
class Damage:
    """One file that is not what it must be."""

    repo: str
    name: str
    reason: Reason
    path: str

    def __str__(self) -> str:
        said = {
            "missing": "is missing",
            "size": "has the wrong size",
            "hash": "has the wrong hash",
            "unreadable": "cannot be read",
        }
        return f"{self.repo}: {self.name} {said[self.reason]}"


@dataclass(frozen=True, slots=True)
class Verification:
    """What was compared with what."""

    model: str
    num_files: int
    num_bytes: int
    sources: tuple[str, ...]
    """Where the hashes came from: `pull` (kept then), `hub` (asked now) or `cache` (the names that
    huggingface_hub gave the files when it fetched them)."""
    damages: tuple[Damage, ...]
    """Empty where all is well."""


def verify(spec: ModelSpec, progress: Progress = quiet) -> Verification:
    """Read every cached file of a model, of all its repositories, and compare its hash.

    Hashes that were kept at the pull need no network. Files that are damaged are remembered: the
    model counts as missing until `pull` has fetched them again.

    Raises:
        WeightsMissingError: None of the model is in the cache.
        DiskError: What was found cannot be remembered.
    """
    found = [(repo, revision, *known(repo, revision)) for repo, revision in cached_commits(spec)]
    if not found:
        raise WeightsMissingError(
            f"{spec.name} is not on this machine; `t2v models pull {spec.name}` downloads it"
        )
    total = sum(listing.size(listing.files) for _, _, listing, _ in found)
    tally = Tally(f"Verifying {spec.name}", total, progress)
    damages: list[Damage] = []
    for repo, revision, listing, _ in found:
        bad = list(_damages(listing, snapshot(repo, revision), tally))
        mark_damaged(repo, revision, [damage.name for damage in bad])
        damages += bad
    return Verification(
        spec.name,
        sum(len(listing.files) for _, _, listing, _ in found),
        total,
        tuple(dict.fromkeys(source for *_, source in found)),
        tuple(damages),
    )


def cached_commits(spec: ModelSpec) -> list[tuple[str, str]]:
    """The repositories of a model of which something is in the cache, each with its commit."""
    places: Sequence[ModelSpec | Part] = [spec, *spec.elsewhere]
    commits = [(place.repo, revision_of(place)) for place in places if place.repo]
    return [
        (repo, revision)
        for repo, revision in dict.fromkeys(commits)
        if repo and revision and snapshot(repo, revision).is_dir()
    ]


def known(repo: str, revision: str) -> tuple[Listing, str]:
    """What the cached files of a commit must be, and who says so."""
    listing = kept(repo, revision)
    if listing is not None:
        return listing, "pull"
    names = _names(snapshot(repo, revision))
    try:
        asked = list_files(repo, revision)
    except T2VError:
        return Listing(repo, revision, _by_blobs(snapshot(repo, revision), names)), "cache"
    files = {name: asked.files[name] for name in names if name in asked.files}
    listing = Listing(repo, revision, files)
    keep(listing, files)
    return listing, "hub"


def _damages(listing: Listing, folder: Path, tally: Tally) -> Iterator[Damage]:
    for name, expected in listing.files.items():
        path = folder / name
        reason = _reason(path, expected, tally)
        if reason:
            yield Damage(listing.repo, name, reason, str(path))


def _reason(path: Path, expected: Expected, tally: Tally) -> Reason | None:
    try:
        if path.stat().st_size != expected.size:
            return "size"
        return None if expected.matches(path, tally.add) else "hash"
    except FileNotFoundError:
        return "missing"
    except OSError:
        return "unreadable"


def _names(folder: Path) -> list[str]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_symlink() or path.is_file())
    return [path.relative_to(folder).as_posix() for path in found]


def _by_blobs(folder: Path, names: Sequence[str]) -> dict[str, Expected]:
    """The cache names each blob by the hash that the Hub gave for it."""
    files = {}
    for name in names:
        path = folder / name
        # One link only: what lies behind may be a store with names of its own.
        blob = path.readlink().name if path.is_symlink() else ""
        size = path.stat().st_size if path.is_file() else 0
        files[name] = Expected(size, blob if is_hash(blob) else None)
    return files
