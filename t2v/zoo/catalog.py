"""The catalog: every model t2v knows by name, and a spec for those it is shown."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from t2v.errors import UnknownModelError
from t2v.zoo.documents import Document, read_yaml
from t2v.zoo.entries import Drawer, Family
from t2v.zoo.hub import locate, resolve_revision
from t2v.zoo.introspect import spec_of_folder, spec_of_repo
from t2v.zoo.places import builtin_catalog, cache_home, config_home, expanded, overlay_paths
from t2v.zoo.preference import preferred_model
from t2v.zoo.remember import catalog_state, remembered
from t2v.zoo.spec import ModelSpec

__all__ = [
    "Zoo",
    "builtin_catalog",
    "cache_home",
    "catalog_documents",
    "config_home",
    "overlay_paths",
]

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(@[\w./-]+)?$")


class Zoo(Mapping[str, ModelSpec]):
    """The models of `models.yaml` and of the user's own catalogs: name -> spec, in file order.

    ```python
    zoo = Zoo.load()
    zoo.find("doodle").frames.native     # an alias, a Hub id or a folder will do
    [spec.name for spec in zoo.values()]
    ```
    """

    def __init__(
        self, models: Mapping[str, ModelSpec], families: Mapping[str, Family], default: str
    ) -> None:
        self._models = models
        self.families = dict(families)
        self._default = default
        aliases = models.aliases() if isinstance(models, _Known) else _aliases(models.values())
        self._names = {**aliases, **{name: name for name in models}}

    @classmethod
    def load(cls, *, overlays: bool = True) -> Self:
        """Read the catalog that ships with t2v, and on top of it the user's own.

        Raises:
            DocumentError: A catalog is wrong; the message has file, line, column and key path.
        """
        name = "zoo" if overlays else "shipped"
        known = remembered(
            name,
            catalog_state(overlays=overlays),
            lambda: cls.of(catalog_documents(overlays=overlays))._remember(),
        )
        families = {
            name: Family(name, tuple(pipelines), values)
            for name, (pipelines, values) in known["families"].items()
        }
        return cls(_Known(known["models"]), families, known["default"])

    @classmethod
    def of(cls, documents: Sequence[Document]) -> Self:
        """The zoo of these documents; where two have an entry of one name, the later wins."""
        drawer = Drawer(documents)
        models = {name: drawer.spec(name) for name in drawer.entries}
        return cls(models, drawer.families, drawer.default or next(iter(models), ""))

    def _remember(self) -> dict[str, Any]:
        """What `load` makes the same zoo of."""
        return {
            "models": {name: spec.model_dump(mode="json") for name, spec in self.items()},
            "families": {f.name: (f.pipelines, f.values) for f in self.families.values()},
            "default": self._default,
        }

    def __getitem__(self, name: str) -> ModelSpec:
        return self._models[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._models)

    def __len__(self) -> int:
        return len(self._models)

    def default(self) -> str:
        """The model of a request that names none: the user's choice, else the catalog's."""
        return preferred_model() or self.catalog_default

    @property
    def catalog_default(self) -> str:
        """The model that the catalogs themselves choose."""
        return self._default

    def find(self, name: str) -> ModelSpec:
        """The spec of a zoo name, an alias, a local folder or a Hub id `org/name[@revision]`.

        A repository without an entry is described by its own configuration files, which are
        fetched where they are not in the cache.

        Raises:
            UnknownModelError: Nothing has this name.
            WeightsMissingError: The repository is not in the cache and cannot be reached.
        """
        known = self._names.get(name.strip().lower())
        if known:
            return self._models[known]
        folder = expanded(name)
        if name and _is_folder(folder):
            return self._entry_in(folder) or spec_of_folder(folder, self.families)
        if _HUB_ID.match(name) and not name.startswith(("./", "../", "~")):
            return self._spec_of_repo(name)
        raise UnknownModelError(self._unknown(name))

    def _entry_in(self, folder: Path) -> ModelSpec | None:
        embedded = (spec for spec in self.values() if spec.builtin or spec.folder)
        return next((s for s in embedded if (own := locate(s)) and own.samefile(folder)), None)

    def _spec_of_repo(self, name: str) -> ModelSpec:
        repo, _, revision = name.partition("@")
        entry = next((s for s in self.values() if s.repo and s.repo.lower() == repo.lower()), None)
        if entry and not revision:
            return entry
        if entry:
            return entry.model_copy(update={"revision": resolve_revision(repo, revision)})
        return spec_of_repo(repo, revision, self.families)

    def _unknown(self, name: str) -> str:
        shown = name if len(name) <= 80 else name[:77] + "..."
        close = difflib.get_close_matches(name.lower()[:80], self._names, n=3, cutoff=0.5)
        if close:
            hint = f"Did you mean {' or '.join(repr(c) for c in close)}?"
        else:
            hint = "Show all: t2v models list."
        if "/" in name or name.startswith("~"):
            hint += " There is no such folder either."
        return f"No model {shown!r} in the zoo. {hint}"


class _Known(Mapping[str, ModelSpec]):
    """Entries that were valid when they were remembered; each becomes a spec when it is wanted."""

    def __init__(self, entries: dict[str, dict[str, Any]]) -> None:
        self._entries = entries
        self._specs: dict[str, ModelSpec] = {}

    def __getitem__(self, name: str) -> ModelSpec:
        if name not in self._specs:
            self._specs[name] = ModelSpec.model_validate(self._entries[name])
        return self._specs[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def aliases(self) -> dict[str, str]:
        """Alias -> name."""
        return {alias: name for name, one in self._entries.items() for alias in one["aliases"]}


def _aliases(models: Iterable[ModelSpec]) -> dict[str, str]:
    return {alias: spec.name for spec in models for alias in spec.aliases}


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # too long for a path, or behind a closed door
        return False


def catalog_documents(*, overlays: bool = True) -> list[Document]:
    """The catalogs in the order in which they are laid over one another."""
    return [read_yaml(path) for path in (builtin_catalog(), *(overlay_paths() if overlays else ()))]
