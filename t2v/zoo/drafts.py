"""Draft the entry of a model from its own configuration files, as YAML for the user's catalogs."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from t2v.errors import (
    DiskError,
    DocumentError,
    ModelError,
    OutputExistsError,
    RequestError,
    T2VError,
)
from t2v.zoo.cache import missing_parts
from t2v.zoo.catalog import Zoo, catalog_documents
from t2v.zoo.check import check
from t2v.zoo.documents import Document, parse_yaml, read_yaml
from t2v.zoo.entries import Family, inherit
from t2v.zoo.files import read_text
from t2v.zoo.introspect import spec_of_folder, spec_of_repo
from t2v.zoo.licenses import commercial_of
from t2v.zoo.listing import list_files
from t2v.zoo.places import expanded, overlay_folder
from t2v.zoo.safety import file_names, read_index
from t2v.zoo.spec import ModelSpec
from t2v.zoo.store import write_text

_READ = "read from the configuration files by t2v models add"
_FOUND = ("frames", "latents", "sizes", "fps", "supports")
"""Keys that the configuration files can say otherwise than the family."""
_NOT_SAID = ("", "other", "unknown", "unverified")
_NAME = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*")
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry that is ready to be written, and what a person has to add."""

    name: str
    text: str
    """A catalog with this entry alone."""
    path: Path
    """Where it goes: a file of its own among the user's catalogs."""
    fill_in: tuple[str, ...] = ()
    """What the files do not say, a line each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the user says of the model; None and empty where the files are to be asked."""

    name: str | None = None
    description: str | None = None
    license: str | None = None
    commercial: str | None = None
    aliases: tuple[str, ...] = ()


def draft(source: str, zoo: Zoo, said: Said | None = None, *, overwrite: bool = False) -> Draft:
    """The entry of a local diffusers folder or a Hub repository, checked like any other.

    Raises:
        RequestError: The name is taken or is no name, or the repository has an entry.
        ModelError: The source is no diffusers model.
        WeightsMissingError: The Hub cannot be reached.
        DocumentError: The files give no valid entry.
    """
    said = said or Said()
    spec = _described(source, zoo, said)
    name = said.name or _as_name(spec.name)
    _check_name(name, zoo, overwrite=overwrite)
    license = (said.license or _license(spec) or "").lower()
    fill_in = []
    if license in _NOT_SAID:
        license = "unverified"
        fill_in.append("license: its identifier, such as apache-2.0; read it at its origin")
    commercial = said.commercial or commercial_of(license)
    if not said.commercial and commercial == "conditions":
        fill_in.append("commercial: yes, no or conditions, as the license says")
    if not said.description:
        fill_in.append("description: one line that helps to choose it")
    fill_in.append("defaults: steps and guidance, where the pipeline's own are not right")
    entry = {
        **_identity(spec, zoo.families[spec.family]),
        "description": said.description or f"{spec.pipeline} from {source}.",
        **({"aliases": list(said.aliases)} if said.aliases else {}),
        "license": license,
        "commercial": commercial,
        **_numbers(spec, zoo.families[spec.family]),
    }
    text = _yaml(name, entry, source)
    _validate(name, text)
    return Draft(name, text, overlay_folder() / f"{name}.yaml", tuple(fill_in))


def save(made: Draft, *, overwrite: bool = False) -> Path:
    """Write a draft among the user's catalogs; the model is in the zoo from then on.

    Raises:
        OutputExistsError: There is such a file, and `overwrite` is off.
        DiskError: It cannot be written.
    """
    if made.path.exists() and not overwrite:
        raise OutputExistsError(f"{made.path} is there already; --overwrite replaces it.")
    write_text(made.path, made.text)
    return made.path


def own_entry(name: str) -> Path | None:
    """The user's catalog that has the entry of this name and nothing else."""
    path = overlay_folder() / f"{name}.yaml"
    if not path.is_file():
        return None
    try:
        data = read_yaml(path).data
    except (DiskError, DocumentError):
        return None
    models = data.get("models") if isinstance(data, dict) else None
    alone = isinstance(models, dict) and set(data) == {"models"} and set(models) == {name}
    return path if alone else None


def _described(source: str, zoo: Zoo, said: Said) -> ModelSpec:
    folder = expanded(source)
    if folder.is_dir():
        spec = spec_of_folder(folder, zoo.families)
        if missing := missing_parts(file_names(folder), read_index(folder), spec.variant):
            raise ModelError(f"{folder} lacks files of {', '.join(missing)}; save it whole, again.")
        return spec
    if folder.is_file():
        raise RequestError(f"{source} is a file. Give the folder that has its model_index.json.")
    if not re.fullmatch(r"[\w.-]+/[\w.-]+(@[\w./-]+)?", source) or source.startswith("."):
        raise RequestError(f"{source!r} is no folder, and no Hub repository such as org/name.")
    repo, _, reference = source.partition("@")
    known = [spec.name for spec in zoo.values() if spec.repo and spec.repo.lower() == repo.lower()]
    if known and not said.name:
        raise RequestError(f"{repo} is in the zoo as {known[0]}. --name makes another entry of it.")
    return spec_of_repo(repo, reference, zoo.families)


def _as_name(text: str) -> str:
    """A zoo name from the name of a folder or repository.

    >>> _as_name("Some-Org/My Model_v2 (final)")
    'my-model-v2-final'
    """
    last = text.rpartition("/")[2].lower()
    return re.sub(r"[.-]*-[.-]*", "-", re.sub(r"[^a-z0-9.]+", "-", last)).strip(".-")[
        :_LONGEST_NAME
    ]


def _check_name(name: str, zoo: Zoo, *, overwrite: bool) -> None:
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise RequestError(
            f"{name!r} is no name of a model; use lower case letters, digits, dots and dashes."
        )
    taken = next((spec for spec in zoo.values() if name in (spec.name, *spec.aliases)), None)
    if taken is None or (overwrite and own_entry(name)):
        return
    hint = "--overwrite replaces it, --name gives another" if own_entry(name) else "Choose --name"
    raise RequestError(f"{name!r} is in the zoo already ({taken.name}). {hint}.")


def _identity(spec: ModelSpec, family: Family) -> dict[str, Any]:
    entry: dict[str, Any] = {"family": spec.family}
    if not family.pipelines or spec.pipeline != family.pipelines[0]:
        entry["pipeline"] = spec.pipeline
    for key in ("repo", "revision", "folder", "variant"):
        if getattr(spec, key):
            entry[key] = getattr(spec, key)
    return entry


def _numbers(spec: ModelSpec, family: Family) -> dict[str, Any]:
    """What the files say otherwise than the family, each with its source."""
    entry: dict[str, Any] = {}
    said = spec.model_dump(mode="json", exclude_none=True)
    if said["components"]:
        entry["components"] = said["components"]
    plain = {"license": "x", "commercial": "no", "pipeline": spec.pipeline, "repo": "a/b"}
    values = ModelSpec.model_validate(inherit(plain, family, "inherited"))
    inherited = values.model_dump(mode="json", exclude_none=True)
    for key in _FOUND:
        if (found := said.get(key)) is not None and found != inherited.get(key):
            entry[key] = _differing(found, inherited.get(key))
    if not family.pipelines:  # nobody else says which classes the parts may have
        entry["classes"] = {part: list(names) for part, names in spec.classes.items()}
    numbers = [key for key in entry if key != "classes"]
    return {**entry, **({"sources": dict.fromkeys(numbers, _READ)} if numbers else {})}


def _differing(found: Any, inherited: Any) -> Any:
    if isinstance(found, Mapping) and isinstance(inherited, Mapping):
        return {key: value for key, value in found.items() if value != inherited.get(key)}
    return found


def _license(spec: ModelSpec) -> str | None:
    """What the card of the model says, in its folder or on the Hub."""
    if spec.repo:
        try:
            return list_files(spec.repo, spec.revision or "main").license
        except T2VError:
            return None
    try:
        card = read_text(Path(str(spec.folder)) / "README.md")
    except (DiskError, DocumentError):
        return None
    header = re.match(r"---\n(.*?)\n---", card, re.DOTALL)
    match = re.search(r"^license:[ \t]*([\w.+-]+)", header[1], re.MULTILINE) if header else None
    return match[1] if match else None


def _yaml(name: str, entry: Mapping[str, Any], source: str) -> str:
    body = yaml.safe_dump(
        {"models": {name: dict(entry)}},
        sort_keys=False,
        allow_unicode=True,
        width=1 << 20,
        default_flow_style=None,
    )
    told = " ".join(source.split())
    return f"# Made by `t2v models add` from {told}; `t2v models check` reads it.\n{body}"


def _validate(name: str, text: str) -> None:
    made = parse_yaml(text, f"{name}.yaml")
    others: Sequence[Document] = [
        document
        for document in catalog_documents()
        if Path(document.name) != overlay_folder() / f"{name}.yaml"
    ]
    faults = [
        str(problem)
        for problem in check([made], base=others)
        if problem.level == "error" and not problem.key.endswith(".license")
    ]
    if faults:
        raise DocumentError("\n".join(faults))
