"""The models as a program sees them: lint catalogs, find and fetch weights, choose a default."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from t2v.plan.events import Event, Listener, silent
from t2v.zoo import hub
from t2v.zoo.catalog import Zoo, builtin_catalog, catalog_documents, overlay_paths
from t2v.zoo.check import Problem, check
from t2v.zoo.documents import read_yaml
from t2v.zoo.preference import prefer_model
from t2v.zoo.spec import ModelSpec

__all__ = ["Problem", "check_models", "locate", "pull", "set_default_model"]


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

    def tell(message: str, done: int, total: int) -> None:
        listener(Event("stage", stage="load", message=message, step=done, of=total or None))

    return hub.pull(_spec(model), allow_pickle=allow_pickle, progress=tell)


def set_default_model(name: str) -> Path:
    """Make a model the one of every request that names none; returns the file that says so.

    Raises:
        UnknownModelError: Nothing has this name.
    """
    spec = Zoo.load().find(name)
    return prefer_model(spec.folder or name)


def _spec(model: str | ModelSpec) -> ModelSpec:
    return model if isinstance(model, ModelSpec) else _zoo(_overlay_states()).find(model)


@lru_cache(maxsize=1)
def _zoo(overlays: tuple[tuple[str, int, int], ...]) -> Zoo:
    return Zoo.load()


def _overlay_states() -> tuple[tuple[str, int, int], ...]:
    states = ((path, path.stat()) for path in overlay_paths())
    return tuple((str(path), state.st_mtime_ns, state.st_size) for path, state in states)
