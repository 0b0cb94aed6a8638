"""The models as a program sees them: lint catalogs, find and fetch weights, choose a default."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from t2v.errors import RequestError
from t2v.plan.events import Event, Listener, silent
from t2v.zoo import hub
from t2v.zoo.catalog import Zoo, builtin_catalog, catalog_documents, overlay_paths
from t2v.zoo.check import Problem, check
from t2v.zoo.documents import read_yaml
from t2v.zoo.drafts import Draft, Said, draft, save
from t2v.zoo.preference import prefer_model
from t2v.zoo.progress import Progress
from t2v.zoo.removal import Removal, remove
from t2v.zoo.removal import plan_removal as removal_of
from t2v.zoo.spec import ModelSpec
from t2v.zoo.verify import Verification
from t2v.zoo.verify import verify as check_hashes

__all__ = [
    "Draft",
    "Problem",
    "Removal",
    "Verification",
    "add_model",
    "check_models",
    "locate",
    "plan_removal",
    "pull",
    "remove_model",
    "set_default_model",
    "verify",
]


def check_models(paths: Sequence[Path | str] = ()) -> list[Problem]:
    """Lint catalogs: the user's own and the one that ships with t2v, or those given.

    A catalog that is given may build on the families that ship with t2v.
    """
    if not paths:
        return check(catalog_documents())
    documents = [read_yaml(Path(path)) for path in paths]
    return check(documents, base=[read_yaml(builtin_catalog())])


def locate(model: str | ModelSpec) -> Path | None:
    """The folder of a model whose files are all on this machine, else None. Never downloads.

    Raises:
        UnknownModelError: Nothing has this name.
    """
    return hub.locate(_spec(model))


def pull(
    model: str | ModelSpec, *, allow_pickle: bool = False, listener: Listener = silent
) -> Path:
    """Fetch what is missing of a model, check it, and return its folder.

    Raises:
        ModelError: It cannot be fetched or must not be loaded; the message says what to do.
        DiskError: There is no room for it.
    """
    return hub.pull(_spec(model), allow_pickle=allow_pickle, progress=_telling(listener))


def verify(model: str | ModelSpec, *, listener: Listener = silent) -> Verification:
    """Compare the hashes of a model's cached files with those that the Hub gave for them.

    No network is needed for what t2v fetched itself. A file that is damaged makes the model count
    as missing, until `pull` has fetched it again.

    Raises:
        UnknownModelError: Nothing has this name.
        RequestError: The model is a local folder or part of t2v; nobody has said what it must be.
        WeightsMissingError: None of its files is on this machine.
    """
    spec = _spec(model)
    if spec.repo is None and not any(part.repo for part in spec.elsewhere):
        place = "part of t2v" if spec.builtin else f"a folder of yours, {spec.folder}"
        raise RequestError(f"{spec.name} is {place}; there are no hashes to compare it with.")
    return check_hashes(spec, _telling(listener))


def plan_removal(model: str, *, shared: bool = False) -> Removal:
    """What `remove_model` would take away, and what it would free; nothing is touched.

    Args:
        model: Its name. An entry that `add_model` made goes, too; one written by hand stays.
        shared: Whether to remove what other models on this machine need as well.

    Raises:
        UnknownModelError: Nothing has this name.
        RequestError: The model is part of t2v.
    """
    zoo = Zoo.load()
    return removal_of(zoo.find(model), () if shared else zoo.values())


def remove_model(removal: Removal) -> None:
    """Remove what `plan_removal` found.

    Raises:
        DiskError: Something cannot be removed.
    """
    remove(removal)


def add_model(
    source: str,
    *,
    name: str | None = None,
    description: str | None = None,
    license: str | None = None,
    commercial: str | None = None,
    aliases: Sequence[str] = (),
    overwrite: bool = False,
    dry_run: bool = False,
) -> Draft:
    """Make an entry of a local diffusers folder or a Hub repository, in the user's own catalogs.

    Everything that its configuration files say is filled in; `fill_in` of the result has the rest.

    Args:
        source: A folder, or `org/name[@revision]`.
        name: Its name in the zoo; by default made of the source's.
        description: One line that helps to choose it.
        license: Its identifier, where the model's card does not say it.
        commercial: What the license says to commercial use: `yes`, `no` or `conditions`.
        aliases: Shorter names.
        overwrite: Whether to replace an entry made before.
        dry_run: Draft and check it, and write nothing.

    Raises:
        RequestError: The name is taken, or the repository is in the zoo already.
        ModelError: The source is no diffusers model.
        WeightsMissingError: The Hub cannot be reached.
    """
    said = Said(
        name=name,
        description=description,
        license=license,
        commercial=commercial,
        aliases=tuple(aliases),
    )
    made = draft(source, Zoo.load(), said, overwrite=overwrite)
    if not dry_run:
        save(made, overwrite=overwrite)
    return made


def set_default_model(name: str) -> Path:
    """Make a model the one of every request that names none; returns the file that says so.

    Raises:
        UnknownModelError: Nothing has this name.
    """
    zoo = Zoo.load()
    spec = zoo.find(name)
    if spec.folder and zoo.get(spec.name) != spec:
        # A folder without an entry has no name that would find it from elsewhere.
        return prefer_model(spec.folder)
    return prefer_model(name if spec.repo else spec.name)


def _telling(listener: Listener) -> Progress:
    def tell(message: str, done: int, total: int) -> None:
        listener(Event("stage", stage="load", message=message, step=done, of=total or None))

    return tell


def _spec(model: str | ModelSpec) -> ModelSpec:
    return model if isinstance(model, ModelSpec) else _zoo(_overlay_states()).find(model)


@lru_cache(maxsize=1)
def _zoo(overlays: tuple[tuple[str, int, int], ...]) -> Zoo:
    return Zoo.load()


def _overlay_states() -> tuple[tuple[str, int, int], ...]:
    states = ((path, path.stat()) for path in overlay_paths())
    return tuple((str(path), state.st_mtime_ns, state.st_size) for path, state in states)
