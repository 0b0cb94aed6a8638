"""Where t2v keeps its configuration and its caches."""

import os
from pathlib import Path


def config_home() -> Path:
    """The folder of the user's settings; `T2V_CONFIG_HOME` and `XDG_CONFIG_HOME` move it."""
    return _home("T2V_CONFIG_HOME", "XDG_CONFIG_HOME", ".config")


def cache_home() -> Path:
    """The folder of what can be made again; `T2V_CACHE_HOME` and `XDG_CACHE_HOME` move it."""
    return _home("T2V_CACHE_HOME", "XDG_CACHE_HOME", ".cache")


def hub_cache() -> Path:
    """The folder of the Hugging Face cache, found by the rules of huggingface_hub."""
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if os.environ.get(variable):
            return Path(os.path.expandvars(os.environ[variable])).expanduser()
    if os.environ.get("HF_HOME"):
        return Path(os.path.expandvars(os.environ["HF_HOME"])).expanduser() / "hub"
    caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(caches).expanduser() / "huggingface" / "hub"


def _home(own: str, standard: str, fallback: str) -> Path:
    if os.environ.get(own):
        return Path(os.environ[own]).expanduser()
    base = os.environ.get(standard)
    # The XDG specification asks to ignore relative paths.
    return (Path(base) if base and Path(base).is_absolute() else Path.home() / fallback) / "t2v"
