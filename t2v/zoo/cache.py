"""Is a model on this machine already, whole? Looks at files alone, never at the network."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2v.errors import T2VError
from t2v.zoo.damage import damaged
from t2v.zoo.hashes import COMMIT_HASH
from t2v.zoo.places import embedded, expanded, repo_folder
from t2v.zoo.revisions import locked_revision
from t2v.zoo.safety import file_names, own_index, parts_of, read_index
from t2v.zoo.weights import weights_of

if TYPE_CHECKING:
    from t2v.zoo.spec import ModelSpec, Part

_WEIGHTLESS = ("scheduler", "tokenizer", "processor", "feature_extractor", "image_processor")


def locate(spec: "ModelSpec") -> Path | None:
    """The folder of a model that can be loaded now, or None where files are missing."""
    if not all(locate_part(part, spec.variant) for part in spec.elsewhere):
        return None
    if spec.builtin or spec.folder:
        folder = embedded(spec.builtin) if spec.builtin else expanded(str(spec.folder))
        return folder if (folder / "model_index.json").is_file() else None
    revision = revision_of(spec)
    if not spec.repo or not revision:
        return None
    folder = snapshot(spec.repo, revision)
    return folder if is_complete(folder, spec) else None


def locate_part(part: "Part", variant: str | None = None) -> Path | None:
    """The folder of a part from elsewhere, or its one file; None where files are missing."""
    revision = revision_of(part)
    if part.repo and not revision:
        return None
    folder = snapshot(part.repo, str(revision)) if part.repo else expanded(str(part.folder))
    if part.repo and damaged(part.repo, str(revision)):
        return None
    if part.file:
        return folder / part.file if (folder / part.file).is_file() else None
    names = file_names(folder)
    weights = weights_of(names, ".", variant)
    return folder if "config.json" in names and weights and weights.is_complete else None


def revision_of(spec: "ModelSpec | Part") -> str | None:
    """The commit that runs: pinned in the entry, else locked at a pull, else the one cached."""
    if spec.revision or not spec.repo:
        return spec.revision
    branch = branch_of(spec)
    return locked_revision(spec.repo, branch) or cached_revision(spec.repo, branch or "main")


def branch_of(spec: "ModelSpec | Part") -> str:
    """The branch or tag that an entry names; empty for the main one, as parts always have it."""
    return getattr(spec, "branch", None) or ""


def cached_revision(repo: str, reference: str = "main") -> str | None:
    """The commit that a branch had when its repository was last fetched, by any program."""
    try:
        commit = (repo_folder(repo) / "refs" / reference).read_text("utf-8").strip()
    except (OSError, ValueError):
        return None
    return commit if COMMIT_HASH.fullmatch(commit) else None


def snapshot(repo: str, revision: str) -> Path:
    """Where the Hugging Face cache keeps the files of one commit, whether they are there or not."""
    return repo_folder(repo) / "snapshots" / revision


def is_complete(folder: Path, spec: "ModelSpec") -> bool:
    """Whether a snapshot has every file that loading it takes."""
    try:
        index = own_index(read_index(folder), spec)
        if spec.repo and damaged(spec.repo, folder.name):
            return False
        return not missing_parts(file_names(folder), index, spec.variant)
    except T2VError:
        return False


def missing_parts(
    names: Collection[str], index: Mapping[str, Any], variant: str | None
) -> list[str]:
    """The components of which some file is not among the names."""
    return [part for part in parts_of(index) if not _has(names, part, variant)]


def _has(names: Collection[str], part: str, variant: str | None) -> bool:
    inside = [name for name in names if name.startswith(f"{part}/")]
    if part.startswith(_WEIGHTLESS):
        return bool(inside)
    if f"{part}/config.json" not in inside:
        # Guiders and other parts without weights have a config of another name.
        return any(name.endswith("_config.json") for name in inside)
    weights = weights_of(inside, part, variant)
    return weights is not None and weights.is_complete
