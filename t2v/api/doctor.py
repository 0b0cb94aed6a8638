"""Looks at the machine the way a run would, and says what to fix."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from t2v.api.models import locate
from t2v.api.record import versions
from t2v.errors import T2VError
from t2v.plan.config import read_configs
from t2v.plan.machine import GIB, probe_machine
from t2v.text import gib
from t2v.zoo.catalog import Zoo
from t2v.zoo.places import hub_cache

LOW_DISK_BYTES = 20 * GIB
"""Less free space than a mid-sized model takes."""


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: what was looked at, how it stands, and what would mend it."""

    name: str
    status: Literal["ok", "warn", "fail"]
    detail: str
    fix: str | None = None


def doctor() -> list[Check]:
    """Look at device, memory, versions, codecs, caches, configuration and token.

    Nothing is changed and nothing is downloaded; whether a token exists is said, never the token.
    """
    return [check for name, look in _LOOKS.items() for check in _guarded(name, look)]


def _guarded(name: str, look: Callable[[], Iterator[Check]]) -> list[Check]:
    try:
        return list(look())
    except Exception as error:  # a broken installation is what doctor is for
        return [Check(name, "fail", f"{type(error).__name__}: {error}", "reinstall t2v")]


def _versions() -> Iterator[Check]:
    yield Check("versions", "ok", ", ".join(f"{name} {v}" for name, v in versions().items()))


def _device() -> Iterator[Check]:
    from t2v.runtime.device import device_label, pick_device

    device = pick_device("auto")
    if device.type == "cpu":
        fix = "a GPU needs the torch build for it: see pytorch.org, then run t2v doctor again"
        yield Check("device", "warn", "no GPU that torch can use; models run on the CPU", fix)
    else:
        yield Check("device", "ok", f"{device_label(device)} ({device})")


def _memory() -> Iterator[Check]:
    machine = probe_machine()
    detail = f"host {gib(machine.host_free_bytes)} free of {gib(machine.host_total_bytes)}"
    if machine.device != "cpu":
        detail += f"; device {gib(machine.free_bytes)} free of {gib(machine.total_bytes)}"
    yield Check("memory", "ok", detail)


def _codecs() -> Iterator[Check]:
    from t2v.media.probe import working_codecs

    encoders = working_codecs()
    broken = [name for name, reason in encoders.items() if reason is not None]
    if broken:
        yield Check("codecs", "warn", f"not working: {', '.join(broken)}", "pip install -U av")
    else:
        yield Check("codecs", "ok", ", ".join(encoders))


def _cache() -> Iterator[Check]:
    folder = hub_cache()
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    detail = f"{gib(free)} free for downloads in {folder}"
    if not os.access(existing, os.W_OK):
        yield Check(
            "cache", "fail", f"{folder} is not writable", "set HF_HOME to a folder of yours"
        )
    elif free < LOW_DISK_BYTES:
        fix = "large models take 15 to 140 GB; set HF_HOME to a bigger disk"
        yield Check("cache", "warn", detail, fix)
    else:
        yield Check("cache", "ok", detail)


def _output() -> Iterator[Check]:
    here = Path.cwd()
    if os.access(here, os.W_OK):
        yield Check(
            "output", "ok", f"this folder is writable, {gib(shutil.disk_usage(here).free)} free"
        )
    else:
        yield Check("output", "warn", "this folder is not writable", "use -o, or change the folder")


def _configuration() -> Iterator[Check]:
    try:
        zoo = Zoo.load()
        files = [str(config.path) for _, config in read_configs()[0]]
    except T2VError as error:
        yield Check("configuration", "fail", str(error), "correct the file, or remove it")
        return
    detail = f"{len(zoo)} models, default {zoo.default()}"
    yield Check("configuration", "ok", f"{detail}; read {', '.join(files) or 'no config files'}")


def _hub() -> Iterator[Check]:
    from huggingface_hub import constants, get_token

    token = "token present" if get_token() else "no token"
    if constants.HF_HUB_OFFLINE:
        fix = "unset HF_HUB_OFFLINE to download models"
        yield Check("hub", "warn", f"offline by HF_HUB_OFFLINE; {token}", fix)
    elif get_token():
        yield Check("hub", "ok", token)
    else:
        yield Check("hub", "ok", f"{token} (only gated models need one: hf auth login)")


def _embedded_model() -> Iterator[Check]:
    folder = locate("doodle-128")
    if folder is None:
        yield Check("embedded model", "fail", "its files are missing", "reinstall t2v")
    else:
        yield Check("embedded model", "ok", "doodle-128 is ready")


_LOOKS: dict[str, Callable[[], Iterator[Check]]] = {
    "versions": _versions,
    "device": _device,
    "memory": _memory,
    "codecs": _codecs,
    "cache": _cache,
    "output": _output,
    "configuration": _configuration,
    "hub": _hub,
    "embedded model": _embedded_model,
}
