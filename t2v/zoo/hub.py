"""Fetch models from the Hugging Face Hub: the files that are needed, of one commit, checked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from t2v.errors import ModelError, UnsafeModelError
from t2v.zoo.cache import (
    branch_of,
    cached_revision,
    locate,
    locate_part,
    missing_parts,
    revision_of,
    snapshot,
)
from t2v.zoo.fetch import fetch
from t2v.zoo.hashes import COMMIT_HASH
from t2v.zoo.listing import Listing, list_files
from t2v.zoo.progress import Progress, quiet
from t2v.zoo.revisions import lock_revision, locked_revision
from t2v.zoo.safety import (
    check_files,
    check_index,
    check_part,
    check_safe,
    own_index,
    parts_of,
    read_index,
)
from t2v.zoo.spec import ModelSpec, Part
from t2v.zoo.weights import configuration_of, weights_of

__all__ = ["fetch_configs", "locate", "pull", "resolve_revision", "revision_of"]

_MAX_CONFIG_BYTES = 5_000_000


def pull(spec: ModelSpec, *, allow_pickle: bool = False, progress: Progress = quiet) -> Path:
    """Make sure that a model is on this machine, and return its folder.

    Only the files that a load reads are fetched. A download that broke off keeps its whole files.

    Raises:
        WeightsMissingError: The Hub cannot be reached and files are missing.
        GatedModelError: Its licence has to be accepted, or a login is needed.
        UnknownModelError: The Hub has no such repository.
        UnsafeModelError: It would run foreign code, or has only pickles and `allow_pickle` is off.
        DiskError: There is no room, or the cache cannot be written.
    """
    folder = locate(spec)
    if folder is None:
        for part in spec.elsewhere:
            if locate_part(part, spec.variant) is None:
                _download_part(part, spec, progress)
        folder = locate(spec)
    if folder is None:
        if spec.repo is None:
            place = spec.folder or "the t2v package; reinstall it"
            raise ModelError(f"{spec.name}: no model_index.json in {place}.")
        folder = _download(spec, allow_pickle=allow_pickle, progress=progress)
    check_safe(folder, spec, allow_pickle=allow_pickle)
    for name, part in spec.parts.items():
        if not part.file and (found := locate_part(part, spec.variant)):
            check_part(found, name, spec)
    sources: list[ModelSpec | Part] = [spec, *spec.elsewhere]
    for source in sources:
        if source.repo and not source.revision and (commit := revision_of(source)):
            lock_revision(source.repo, commit, branch_of(source))
    return folder


def resolve_revision(repo: str, reference: str = "") -> str:
    """The commit of a branch or tag: a hash itself, locked before, or asked of the Hub now.

    Raises:
        WeightsMissingError: It is not known and the Hub cannot be reached.
        UnknownModelError: The Hub has no such repository or revision.
    """
    if COMMIT_HASH.fullmatch(reference):
        return reference
    known = locked_revision(repo, reference) or cached_revision(repo, reference or "main")
    commit = known or list_files(repo, reference or "main").revision
    lock_revision(repo, commit, reference)
    return commit


def fetch_configs(repo: str, revision: str) -> Path:
    """The folder of a commit with at least its `model_index.json` and its components' configs.

    Raises:
        WeightsMissingError: They are not in the cache and the Hub cannot be reached.
        ModelError: The repository is no diffusers model.
    """
    folder = snapshot(repo, revision)
    if _has_configs(folder):
        return folder
    listing = list_files(repo, revision)
    if "model_index.json" not in listing.files:
        raise ModelError(
            f"{repo} is no diffusers repository: it has no model_index.json. "
            "Look for one whose name ends in -Diffusers."
        )
    names = [n for n in listing.files if n == "model_index.json" or n.endswith("/config.json")]
    return fetch(listing, [n for n in names if listing.files[n].size <= _MAX_CONFIG_BYTES])


def needed_files(
    listing: Listing, index: Mapping[str, Any], variant: str | None
) -> tuple[list[str], list[str]]:
    """The files that a load reads, and the components that lack some."""
    names = list(listing.files)
    needed = ["model_index.json"]
    for part in parts_of(index):
        weights = weights_of(names, part, variant)
        needed += configuration_of(names, part) + list(weights.files if weights else ())
    return needed, missing_parts(needed, index, variant)


def _download(spec: ModelSpec, *, allow_pickle: bool, progress: Progress) -> Path:
    repo = str(spec.repo)
    progress(f"Looking for {repo} on the Hub", 0, 0)
    listing = list_files(repo, revision_of(spec) or spec.branch or "main")
    if "model_index.json" not in listing.files:
        raise ModelError(f"{repo} is no diffusers repository: it has no model_index.json.")
    index = own_index(read_index(fetch(listing, ["model_index.json"])), spec)
    check_index(index, spec)
    check_files(listing.files, index, spec, allow_pickle=allow_pickle)
    names, missing = needed_files(listing, index, spec.variant)
    if missing:
        raise ModelError(f"{repo} lacks files of {', '.join(missing)} and cannot be loaded.")
    folder = fetch(listing, names, progress)
    if not spec.revision:
        lock_revision(repo, listing.revision, branch_of(spec))
    return folder


def _download_part(part: Part, spec: ModelSpec, progress: Progress) -> None:
    if part.repo is None:
        raise ModelError(f"{spec.name} takes a part from {part.folder}, and it is not there.")
    progress(f"Looking for {part.repo} on the Hub", 0, 0)
    listing = list_files(part.repo, revision_of(part) or "main")
    weights = weights_of(listing.files, ".", spec.variant)
    names = [part.file] if part.file else ["config.json", *(weights.files if weights else ())]
    if (not part.file and weights is None) or not set(names) <= set(listing.files):
        raise ModelError(f"{part.repo} lacks {part.file or 'a config or weights'}.")
    if weights and weights.kind != "safetensors" and not part.file:
        raise UnsafeModelError(f"{spec.name}: {part.repo} has only pickles, which can run code.")
    fetch(listing, names, progress)
    if not part.revision:
        lock_revision(part.repo, listing.revision)


def _has_configs(folder: Path) -> bool:
    if not (folder / "model_index.json").is_file():
        return False
    parts = parts_of(read_index(folder))
    core = [part for part in ("vae", "transformer", "unet") if part in parts]
    return all((folder / part / "config.json").is_file() for part in core)
