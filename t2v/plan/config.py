"""The two files that change defaults: the user's own, and the one of the project around the cwd."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from t2v.errors import DocumentError, RequestError
from t2v.plan import wording
from t2v.plan.lora import is_here, parse_lora
from t2v.plan.options import Options
from t2v.plan.paths import absolute, is_model_path
from t2v.plan.request import Lora
from t2v.zoo.documents import Document, read_yaml
from t2v.zoo.places import config_home

USER = "user config"
PROJECT = "project config"
PROJECT_FILE = "t2v.yaml"

_OF_ONE_VIDEO = {"story", "at", "endless"}
_KEYS = [*(name for name in Options.model_fields if name not in _OF_ONE_VIDEO), "models"]


@dataclass(frozen=True, slots=True)
class Config:
    """Options for every model, and those for one model only, which count more."""

    path: Path
    options: Options
    models: Mapping[str, Options] = field(default_factory=dict)

    def layers(self, origin: str, names: tuple[str, ...]) -> list[tuple[str, Options]]:
        """What the file says about a model with these names, the stronger last."""
        own = [self.models[name] for name in names if name in self.models]
        return [(origin, options) for options in (self.options, *own)]


def read_configs(cwd: Path | None = None) -> tuple[list[tuple[str, Config]], list[str]]:
    """The configs that hold here, the stronger last, and what is to be said about them."""
    found: list[tuple[str, Config]] = []
    notes: list[str] = []
    user = config_home() / "config.yaml"
    if user.is_file():
        found.append((USER, read_config(user)))
    cwd = cwd or _working_folder()
    project = find_project(cwd) if cwd else None
    if cwd and project:
        if _is_trusted(project, cwd):
            found.append((PROJECT, read_config(project, inside=project.parent)))
        else:
            notes.append(
                f"{os.path.relpath(project, cwd)} belongs to another user and was not read"
            )
    return found, notes


def find_project(cwd: Path) -> Path | None:
    """The nearest `t2v.yaml` in this folder or one above, not above the home folder."""
    home = Path.home()
    for folder in (cwd, *cwd.parents):
        path = folder / PROJECT_FILE
        if os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises where a folder is closed to us
            return path
        if folder == home:
            return None
    return None


def read_config(path: Path, *, inside: Path | None = None) -> Config:
    """Read one config. With `inside`, it may name no file or folder outside of that folder.

    Raises:
        DocumentError: Something in it is wrong; the message names every place.
    """
    document = read_yaml(path)
    data = {} if document.data is None else document.data
    if not isinstance(data, dict):
        raise document.error((), "a config is a mapping of options such as `width: 832`")
    reader = _Reader(document, inside or path.parent, is_confined=inside is not None)
    models = data.pop("models", None) or {}
    config = Config(path, reader.options(data, ()), dict(reader.models(models)))
    if reader.errors:
        raise DocumentError("\n".join(reader.errors))
    return config


@dataclass
class _Reader:
    document: Document
    folder: Path
    is_confined: bool
    errors: list[str] = field(default_factory=list)

    def models(self, data: Any) -> Iterator[tuple[str, Options]]:
        if not isinstance(data, dict):
            self._wrong(("models",), "must be a mapping of model names to options")
            return
        for name, values in data.items():
            path = ("models", name)
            if isinstance(values, dict):
                yield name, self.options({**values}, path)
            else:
                self._wrong(path, "must be a mapping of options such as `width: 832`")

    def options(self, values: dict[str, Any], path: tuple[str, ...]) -> Options:
        """The good values; each wrong one is an error at its own place."""
        good: dict[str, Any] = {}
        for key, value in values.items():
            try:
                good[key] = self._value(key, value)
            except RequestError as error:
                self._wrong((*path, key), str(error).lstrip(": "))
        return Options(**good)

    def _value(self, key: str, value: Any) -> Any:
        if key not in _KEYS:
            raise RequestError(f"there is no such option.{wording.suggestion(key, _KEYS)}")
        if key == "lora" and isinstance(value, str):
            value = (value,)
        checked = getattr(Options.checked({key: value}, name=lambda _: ""), key)
        if checked is None:
            return None
        if key == "lora":
            return tuple(self._lora(text) for text in checked)
        return self._model(checked) if key == "model" else checked

    def _lora(self, text: str) -> str:
        lora = parse_lora(text)
        if not is_here(lora.source, self.folder):
            return text
        return str(Lora(self._inside(lora.source), lora.scale))

    def _model(self, text: str) -> str:
        if not text.isprintable():
            raise RequestError(f"{wording.quoted(text)} is no name of a model")
        return self._inside(text) if is_model_path(text, self.folder) else text

    def _inside(self, source: str) -> str:
        path = absolute(source, self.folder)
        if self.is_confined and not path.is_relative_to(absolute("", self.folder)):
            raise RequestError("a project config may name only files below its own folder")
        return str(path)

    def _wrong(self, path: tuple[str, ...], message: str) -> None:
        self.errors.append(str(self.document.error(path, message)))


def _working_folder() -> Path | None:
    try:
        return Path.cwd()
    except OSError:  # it has been deleted
        return None


def _is_trusted(path: Path, cwd: Path) -> bool:
    """Whether a file found by walking upward is ours, and not put into /tmp by someone else."""
    if not hasattr(os, "getuid"):
        return True
    return path.stat().st_uid in {os.getuid(), 0, cwd.stat().st_uid}
