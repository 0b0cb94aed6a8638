"""Fetch files of one commit into the Hugging Face cache: room first, each whole, none twice."""

import contextlib
import glob
import os
import shutil
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from t2v.errors import DiskError
from t2v.text import gb
from t2v.zoo.cache import snapshot
from t2v.zoo.damage import damaged, mend
from t2v.zoo.hashes import is_sha256
from t2v.zoo.hub_errors import explained
from t2v.zoo.listing import Listing, keep, send_no_telemetry
from t2v.zoo.places import hub_cache, repo_folder
from t2v.zoo.progress import Progress, Tally, quiet
from t2v.zoo.transfer import PART_SUFFIX, transfer

_SPARE_BYTES = 200_000_000
_DEAD_AFTER_S = 3600
_THREADS = 8
"""As many files at once as huggingface_hub fetches."""
_MAX_HTTP_BYTES = 50_000_000_000
"""Larger files the Hub gives to its own client alone."""


def fetch(listing: Listing, names: Sequence[str], progress: Progress = quiet) -> Path:
    """The folder of a commit with these files in it; those that are missing are fetched.

    Raises:
        DiskError: There is no room for them, or the cache cannot be written.
        WeightsMissingError: The connection broke off; what has come is kept.
        ModelError: A file is not what the Hub said it is.
    """
    send_no_telemetry()
    _sweep(listing.repo)
    _drop_damaged(listing)
    missing = missing_files(listing, names)
    total = listing.size(missing)
    _check_room(listing, missing)
    tally = Tally(f"Downloading {listing.repo}", total, progress)
    large = [name for name in missing if _goes_on(listing, name)]
    with explained(listing.repo, listing.revision):
        folder = _snapshot(listing, [name for name in names if name not in large], tally)
        if large:
            _transfer_all(listing, large, tally)
            # The blobs are there; this links them.
            folder = _snapshot(listing, names, tally)
    keep(listing, names)
    mend(listing.repo, listing.revision)
    progress(f"Downloaded {listing.repo}", total, total)
    return folder


def missing_files(listing: Listing, names: Sequence[str]) -> list[str]:
    """Those of the files that the cache does not have."""
    folder = snapshot(listing.repo, listing.revision)
    return [name for name in names if not (folder / name).is_file()]


def _snapshot(listing: Listing, names: Sequence[str], tally: Tally) -> Path:
    from huggingface_hub import snapshot_download

    folder = snapshot_download(
        listing.repo,
        revision=listing.revision,
        cache_dir=hub_cache(),
        allow_patterns=[glob.escape(name) for name in names],
        library_name="t2v",
        tqdm_class=tally.bar(),
    )
    return Path(folder)


def _goes_on(listing: Listing, name: str) -> bool:
    """Whether a try at the file can be gone on with later: its content has to have a name."""
    expected = listing.files[name]
    if expected.hash is None or not is_sha256(expected.hash) or expected.size > _MAX_HTTP_BYTES:
        return False
    return not os.environ.get("HF_XET_HIGH_PERFORMANCE") and _has_links()


def _has_links() -> bool:
    """Without symbolic links a blob would be copied, and take its room twice."""
    from huggingface_hub.file_download import are_symlinks_supported

    hub_cache().mkdir(parents=True, exist_ok=True)
    return bool(are_symlinks_supported(hub_cache()))


def _transfer_all(listing: Listing, names: Sequence[str], tally: Tally) -> None:
    with ThreadPoolExecutor(_THREADS) as pool:
        running = [
            pool.submit(
                transfer, listing.repo, listing.revision, name, listing.files[name], tally.add
            )
            for name in names
        ]
        try:
            for one in running:
                one.result()
        except BaseException:
            tally.is_stopped = True
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _check_room(listing: Listing, missing: Sequence[str]) -> None:
    place = hub_cache()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    needed = listing.size(missing) - _begun(listing, missing)
    if needed > 0 and needed + _SPARE_BYTES > free:
        raise DiskError(
            f"{listing.repo} needs {gb(needed)} and {place} has {gb(free)} free. "
            "Make room, or set HF_HOME to a folder on a larger disk."
        )


def _begun(listing: Listing, missing: Sequence[str]) -> int:
    """Bytes of earlier tries that are on the disk already."""
    blobs = repo_folder(listing.repo) / "blobs"
    begun = 0
    for name in missing:
        with contextlib.suppress(OSError):
            begun += (blobs / f"{listing.files[name].hash}{PART_SUFFIX}").stat().st_size
    return begun


def _drop_damaged(listing: Listing) -> None:
    """Remove the files that a verification found to be others than they must be."""
    folder = snapshot(listing.repo, listing.revision)
    for name in damaged(listing.repo, listing.revision):
        path = folder / name
        with contextlib.suppress(OSError):
            (path.parent / path.readlink()).unlink()
        with contextlib.suppress(OSError):
            path.unlink()


def _sweep(repo: str) -> None:
    """Remove what killed downloads of huggingface_hub left; it neither uses nor cleans it."""
    for path in repo_folder(repo).glob("blobs/*.incomplete"):
        with contextlib.suppress(OSError):
            # One that is alive is written to all the time.
            if time.time() - path.stat().st_mtime > _DEAD_AFTER_S:
                path.unlink()
