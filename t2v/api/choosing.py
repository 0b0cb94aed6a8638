"""Narrow down and order a list of models by what matters before a download."""

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Any

from t2v.errors import RequestError

Facts = dict[str, Any]

SORTS = ("catalog", "name", "family", "params", "download", "length", "license", "maturity")
ANSWERS = ("yes", "no", "conditions")
_MATURITY = ("verified", "smoke", "untested", "unverified", "legacy")
_UNITS = {
    "": 10**9, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
    "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40,
}  # fmt: skip
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]i?b|)")


def choose(
    models: Sequence[Facts],
    *,
    family: str | None = None,
    license: str | None = None,
    commercial: str | None = None,
    task: str | None = None,
    max_download: str | None = None,
    fits: bool = False,
    cached: bool = False,
    sort: str | None = None,
    reverse: bool = False,
) -> list[Facts]:
    """The models that meet every condition; a word that no model could meet is an error.

    Args:
        models: What `list_models` gives.
        family: The family, such as `wan`.
        license: The license, or how it begins: `apache`.
        commercial: What the license says to commercial use: `yes`, `no` or `conditions`.
        task: A task, such as `text-to-video`.
        max_download: The largest download, such as `20GB`; without a unit, GB.
        fits: Only models that fit this machine, with offload where need be.
        cached: Only models whose files are all on this machine.
        sort: One of `SORTS`; what is not known comes last.
        reverse: The other way around.

    Raises:
        RequestError: A value is wrong; the message has its flag and those that there are.
    """
    chosen = list(models)
    if family:
        wanted = _known("--family", family.replace("-", "_"), (m["family"] for m in models))
        chosen = [m for m in chosen if m["family"] == wanted]
    if license:
        start = _begins("--license", license, {m["license"] for m in models})
        chosen = [m for m in chosen if m["license"].startswith(start)]
    if commercial:
        wanted = _known("--commercial", commercial, ANSWERS)
        chosen = [m for m in chosen if m["commercial"] == wanted]
    if task:
        wanted = _known("--task", task, (t for m in models for t in m["tasks"]))
        chosen = [m for m in chosen if wanted in m["tasks"]]
    if max_download:
        most = size_bytes(max_download)
        chosen = [m for m in chosen if _is_download_known(m) and m["download_bytes"] <= most]
    if fits:
        chosen = [m for m in chosen if m["fits"]["answer"] in ("yes", "offload")]
    if cached:
        chosen = [m for m in chosen if m["is_here"]]
    return _sorted(chosen, _known("--sort", sort or "catalog", SORTS), reverse=reverse)


def size_bytes(text: str) -> int:
    """A size as people write it, in bytes.

    >>> [size_bytes(text) for text in ("20GB", "1.5 gb", "500MB", "8")]
    [20000000000, 1500000000, 500000000, 8000000000]
    """
    match = _SIZE.fullmatch(text.strip().lower())
    if match is None:
        raise RequestError(f"--max-download must look like 20GB or 500MB, not {_short(text)}.")
    return int(float(match[1]) * _UNITS[match[2]])


def _sorted(models: list[Facts], key: str, *, reverse: bool) -> list[Facts]:
    if key == "catalog":
        return models[::-1] if reverse else models
    order = {name: place for place, name in enumerate(_MATURITY)}

    def place(model: Facts) -> Any:
        match key:
            case "params":
                return model["params"] or None
            case "download":
                return model["download_bytes"] if _is_download_known(model) else None
            case "length":
                return model["native"]["duration_s"]
            case "maturity":
                return order[model["maturity"]]
            case _:
                return model[key]

    known = sorted((m for m in models if place(m) is not None), key=place, reverse=reverse)
    return known + [m for m in models if place(m) is None]


def _is_download_known(model: Facts) -> bool:
    return bool(model["download_bytes"] or not model.get("repo"))


def _known(flag: str, typed: str, values: Iterable[str]) -> str:
    """The value as it is written in the catalog; its beginning will do where it is the only one."""
    there = list(dict.fromkeys(values))
    wanted = typed.strip().lower()
    if wanted in there:
        return wanted
    begun = [value for value in there if value.startswith(wanted)] if wanted else []
    if len(begun) == 1:
        return begun[0]
    close = begun or difflib.get_close_matches(wanted[:80], there, n=3)
    hint = f"Did you mean {' or '.join(close)}?" if close else f"There are {', '.join(there)}."
    raise RequestError(f"{flag} knows no {_short(typed)}. {hint}")


def _begins(flag: str, typed: str, values: Iterable[str]) -> str:
    there = sorted(values)
    wanted = typed.strip().lower()
    if any(value.startswith(wanted) for value in there):
        return wanted
    return _known(flag, typed, there)


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:37]}...")
