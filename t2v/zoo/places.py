"""Where t2v keeps its configuration and its caches."""

import contextlib
import os
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path


def expanded(path: str) -> Path:
    """The path with the home folder for `~`; `~name` stays as it is where nobody has that name."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - Path.expanduser raises for `~name`


def config_home() -> Path:
    """The folder of the user's settings; `T2V_CONFIG_HOME` and `XDG_CONFIG_HOME` move it."""
    return _home("T2V_CONFIG_HOME", "XDG_CONFIG_HOME", ".config")


def cache_home() -> Path:
    """The folder of what can be made again; `T2V_CACHE_HOME` and `XDG_CACHE_HOME` move it."""
    return _home("T2V_CACHE_HOME", "XDG_CACHE_HOME", ".cache")


def builtin_catalog() -> Traversable:
    """The models.yaml that ships with t2v: inside the wheel, or at the root of a checkout."""
    packaged = resources.files("t2v") / "models.yaml"
    return packaged if packaged.is_file() else Path(__file__).parents[2] / "models.yaml"


def overlay_paths() -> list[Path]:
    """The user's own catalogs, in the order in which they are laid over the one that ships."""
    own = config_home() / "models.yaml"
    folder = overlay_folder()
    with contextlib.suppress(OSError):
        names = sorted(name for name in os.listdir(folder) if name.endswith(".yaml"))  # noqa: PTH208 - strings sort faster than paths
        return [*([own] if own.is_file() else []), *(folder / name for name in names)]
    return [own] if own.is_file() else []


def overlay_folder() -> Path:
    """Where each entry that `t2v models add` makes has a file of its own."""
    return config_home() / "models.d"


def hub_cache() -> Path:
    """The folder of the Hugging Face cache, found by the rules of huggingface_hub."""
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if os.environ.get(variable):
            return expanded(os.path.expandvars(os.environ[variable]))
    if os.environ.get("HF_HOME"):
        return expanded(os.path.expandvars(os.environ["HF_HOME"])) / "hub"
    caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return expanded(caches) / "huggingface" / "hub"


def repo_folder(repo: str) -> Path:
    """The folder of a repository in the Hugging Face cache."""
    return hub_cache() / repo_name(repo)


def repo_name(repo: str) -> str:
    """What the Hugging Face cache calls the folder of a repository."""
    return f"models--{repo.replace('/', '--')}"


def embedded(name: str) -> Path:
    """The folder of a model that ships inside the package."""
    return Path(__file__).parents[1] / "builtin" / name


def _home(own: str, standard: str, fallback: str) -> Path:
    if os.environ.get(own):
        return expanded(os.environ[own])
    base = os.environ.get(standard)
    # The XDG specification asks to ignore relative paths.
    return (Path(base) if base and Path(base).is_absolute() else Path.home() / fallback) / "t2v"
