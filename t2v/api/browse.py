"""The models of the zoo as a person looks at them: what each is, what it costs, where it fits.

Everything here is plain data, and comes without torch, the network or, once the catalogs have been
read, the library that validates them.
"""

import os
import shlex
from collections.abc import Iterable
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2v.api.choosing import choose
from t2v.errors import RequestError
from t2v.plan.fit import fit, rungs
from t2v.plan.machine import probe_machine
from t2v.zoo import search
from t2v.zoo.cache import locate, revision_of
from t2v.zoo.licenses import meaning_of
from t2v.zoo.places import embedded, expanded, hub_cache, repo_name
from t2v.zoo.preference import preferred_model
from t2v.zoo.remember import catalog_state, remembered

if TYPE_CHECKING:
    from t2v.zoo.spec import ModelSpec

__all__ = ["list_models", "search_models", "show_model"]

Facts = dict[str, Any]
"""All that is known of one model, JSON-ready."""
Card = dict[str, Any]
"""An entry with what follows from it on any machine."""

COMMAND = 't2v generate "a red ball bounces over green hills"'
_DENOISERS = ("transformer", "transformer_2", "unet")


def list_models(
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
    """The models of the zoo and of the user's own catalogs, each with what it needs.

    Beside the entry itself: `params` of what denoises, `download_bytes`, the `native` clip,
    `is_here`, `is_default`, and under `fits` whether it fits this machine.

    Args:
        family: Only this family, such as `wan`.
        license: Only licenses that begin so, such as `apache`.
        commercial: Only those whose license says `yes`, `no` or `conditions` to commercial use.
        task: Only this task, such as `text-to-video`.
        max_download: The largest download, such as `20GB`.
        fits: Only models that fit this machine, with offload where need be.
        cached: Only models whose files are all on this machine.
        sort: `name`, `family`, `params`, `download`, `length`, `license` or `maturity`; what is not
            known comes last. By default the order of the catalogs.
        reverse: The other way around.

    Raises:
        RequestError: No model could meet a condition; the message has the values that there are.
        DocumentError: A catalog is wrong; the message has file, line, column and key path.
    """
    return choose(
        _facts(_cards()),
        family=family,
        license=license,
        commercial=commercial,
        task=task,
        max_download=max_download,
        fits=fits,
        cached=cached,
        sort=sort,
        reverse=reverse,
    )


def search_models(query: str) -> tuple[list[Facts], list[str]]:
    """The models that all words of the query fit, the best first, each with its `score`.

    Where there are none, the second list has the names that look most like it.

    Raises:
        RequestError: The query has no word.
    """
    if not query.strip():
        raise RequestError("There is no word to look for. All models: t2v models list.")
    cards = {card["entry"]["name"]: card for card in _cards()}
    entries = [card["entry"] for card in cards.values()]
    found = search.search(entries, query)
    facts = _facts(cards[entry["name"]] for _, entry in found)
    scored = [{**one, "score": score} for one, (score, _) in zip(facts, found, strict=True)]
    return scored, [] if found else search.nearest(entries, query)


def show_model(name: str) -> Facts:
    """Everything about one model: a zoo name, an alias, a local folder or a Hub id.

    Beside what `list_models` has: what the license means, the estimate of every rung on this kind
    of device, the folder and commit that are here, and the command that runs it.

    Raises:
        UnknownModelError: Nothing has this name.
        WeightsMissingError: It is a repository without an entry, and the Hub cannot be reached.
    """
    wanted = name.strip().lower()
    card = next((card for card in _cards() if wanted in _names(card["entry"])), None)
    card = card or _card_of_any(name)
    (facts,) = _facts([card])
    machine = probe_machine()
    peaks = rungs(card["needs"], machine)
    return facts | {
        "license_meaning": meaning_of(facts["license"], facts["commercial"]),
        "rungs": [{"rung": rung, "peak_bytes": peak} for rung, peak in peaks.items()],
        "machine": {"device": machine.device, "name": machine.device_name},
        **_on_this_machine(facts, card["entry"]),
        "command": f"{COMMAND} -m {_as_argument(facts)}",
    }


def _cards() -> list[Card]:
    """Entries with what is worked out of them alone; read back while no catalog changes."""
    cards: list[Card] = remembered("models", catalog_state(), _make_cards)
    return cards


def _make_cards() -> list[Card]:
    # pydantic and the YAML library take longer to import than all the rest of a listing.
    from t2v.zoo.catalog import Zoo  # noqa: PLC0415

    return [_card(spec) for spec in Zoo.load().values()]


def _card(spec: "ModelSpec") -> Card:
    from t2v.plan.needs import needs_of  # noqa: PLC0415 - imports pydantic

    entry = spec.model_dump(mode="json", exclude_none=True)
    denoisers = [spec.components[name].params for name in _DENOISERS if name in spec.components]
    width, height = spec.sizes.native[0]
    native = {
        "width": width,
        "height": height,
        "num_frames": spec.frames.native,
        "fps": spec.fps,
        "duration_s": round(float(spec.frames.native / Fraction(spec.fps)), 3),
    }
    worked_out = {
        "params": sum(denoisers),
        "download_bytes": spec.download_bytes,
        "native": native,
    }
    return {"entry": entry, "needs": needs_of(spec), "worked_out": worked_out}


def _card_of_any(name: str) -> Card:
    from t2v.zoo.catalog import Zoo  # noqa: PLC0415 - imports pydantic

    return _card(Zoo.load().find(name))


def _facts(cards: Iterable[Card]) -> list[Facts]:
    """What is known of models, with what holds on this machine now."""
    machine = probe_machine()
    cached = _cached()
    default = _default()
    return [
        {
            **card["entry"],
            **card["worked_out"],
            "is_default": default in _names(card["entry"]),
            "is_here": _is_here(card["entry"], cached),
            "fits": asdict(fit(card["needs"], machine)),
        }
        for card in cards
    ]


def _default() -> str:
    """What a request that names no model asks for, as `Zoo.default` has it."""
    catalogs: str = remembered("default", catalog_state(), _make_default)
    return (preferred_model() or catalogs).strip().lower()


def _make_default() -> str:
    from t2v.zoo.catalog import Zoo  # noqa: PLC0415 - imports pydantic

    return Zoo.load().catalog_default


def _cached() -> set[str]:
    """The names of the folders in the Hugging Face cache, to look at none that is not there."""
    try:
        return set(os.listdir(hub_cache()))  # noqa: PTH208 - names are all that is wanted
    except OSError:
        return set()


def _is_here(entry: Facts, cached: set[str]) -> bool:
    """Whether `locate` finds the model."""
    repo = entry.get("repo")
    if repo and repo_name(repo) not in cached:
        return False
    return _folder(entry) is not None


def _folder(entry: Facts) -> Path | None:
    """What `locate` says; a plain folder needs no spec for it, which takes time to import."""
    if entry.get("repo") or entry.get("parts") or entry.get("loras"):
        return locate(_spec(entry))
    builtin = entry.get("builtin")
    folder = embedded(builtin) if builtin else expanded(entry["folder"])
    return folder if (folder / "model_index.json").is_file() else None


def _on_this_machine(facts: Facts, entry: Facts) -> Facts:
    folder = _folder(entry) if facts["is_here"] else None
    commit = revision_of(_spec(entry)) if folder and entry.get("repo") else None
    return {"folder_here": str(folder) if folder else None, "revision_here": commit}


def _spec(entry: Facts) -> "ModelSpec":
    from t2v.zoo.spec import ModelSpec  # noqa: PLC0415 - imports pydantic

    return ModelSpec.model_validate(entry)


def _names(entry: Facts) -> tuple[str, ...]:
    return (entry["name"], *entry.get("aliases", ()))


def _as_argument(facts: Facts) -> str:
    """How `-m` is given this model: a folder without an entry has no name that would find it."""
    return shlex.quote(
        str(
            facts.get("folder")
            if facts["maturity"] == "unverified" and facts.get("folder")
            else facts["name"]
        )
    )
