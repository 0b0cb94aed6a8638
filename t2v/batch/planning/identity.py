"""What a video is, as one number: the same number, the same frames, and nothing is made twice.

Into the key goes what a pixel depends on: the contents of the model and of its LoRAs, and every
resolved value of the call. Left out is where things lie and run, and how the file is written:
names and paths, device, placement of the weights, order of windows, codec and quality.
"""

import functools
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from t2v.batch.jobs import Job
from t2v.batch.run_folder.finished import sha256_of
from t2v.errors import DiskError
from t2v.plan.paths import exists
from t2v.plan.request import Lora, Request
from t2v.plan.windows import LongPlan
from t2v.zoo.cache import revision_of
from t2v.zoo.hub import resolve_revision
from t2v.zoo.places import embedded, expanded
from t2v.zoo.revisions import locked_revision
from t2v.zoo.spec import ModelSpec, Part

SCHEMA = "t2v.job/1"
_ELSEWHERE = ("model", "device", "memory", "order", "story_file", "origins")
_IN_THE_FILE = ("codec", "crf", "metadata")
_BY_CONTENTS = ("lora", "long")
_NO_MATTER = {*_ELSEWHERE, *_IN_THE_FILE, *_BY_CONTENTS}
_VALUES = {one.name: one.default for one in fields(Request) if one.name not in _NO_MATTER}
_SAMPLE_BYTES, _NUM_SAMPLES = 4096, 33


def job_key(spec: ModelSpec, request: Request) -> str:
    """The identity of a video: 64 hex digits.

    A repository counts as the commit that this user is locked to, see `lock_sources`.
    """
    document = {
        "schema": SCHEMA,
        "model": _model(_Model(spec)),
        "call": spec.defaults.further_arguments(request.num_inference_steps),
        "request": _said(request),
        "lora": [[_lora(one), one.scale] for one in request.lora],
        "long": request.long and _long(request.long),
    }
    return hashlib.sha256(_dump(document).encode()).hexdigest()


def weights_of(spec: ModelSpec) -> str:
    """What tells the weights of one model from those of another."""
    return _model(_Model(spec))


def _said(request: Request) -> dict[str, Any]:
    """Values that are not what they always are: one that a later version adds changes no key."""
    return {
        name: value
        for name, default in _VALUES.items()
        if (value := getattr(request, name)) != default
    }


def media_of(output: str, codec: object, crf: object) -> str:
    """How the file of a video is written: what the key leaves out and a file still differs by."""
    stem, _, kind = output.rpartition("/")[2].rpartition(".")
    return f"{kind.lower() if stem else 'folder'} {codec} {crf}"


def media_of_job(job: Job) -> str:
    """The same of a job."""
    return media_of(job.output, job.request.codec, job.request.crf)


def lock_sources(spec: ModelSpec, loras: Sequence[Lora] = ()) -> None:
    """Settle the commit of every repository that is not pinned, so that keys stay the same.

    The first time the Hub is asked; from then on this user's lock file knows.

    Raises:
        WeightsMissingError: The Hub cannot be reached.
        UnknownModelError: It has no such repository.
    """
    sources: list[ModelSpec | Part] = [spec, *spec.elsewhere]
    for source in sources:
        if source.repo and not revision_of(source):
            resolve_revision(source.repo, getattr(source, "branch", None) or "")
    for lora in loras:
        if not exists(expanded(lora.source)):
            resolve_revision(*_repo_of(lora.source))


class _Model:
    """An entry as a key of a cache: looked at once, as long as it is the same object."""

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec

    def __hash__(self) -> int:
        return id(self.spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Model) and self.spec is other.spec


@functools.lru_cache(maxsize=64)
def _model(model: _Model) -> str:
    spec = model.spec
    defaults = spec.defaults
    place = expanded(spec.folder) if spec.folder else None
    if spec.builtin:
        place = embedded(spec.builtin)
    document = {
        "weights": _contents(place) if place else _commit(spec),
        "variant": spec.variant,
        "pipeline": spec.pipeline,
        "parts": {name: _part(part) for name, part in spec.parts.items()},
        "loras": [[_part(lora), lora.scale] for lora in spec.loras],
        "scheduler": [defaults.scheduler, defaults.scheduler_config],
    }
    return hashlib.sha256(_dump(document).encode()).hexdigest()


def _part(part: Part) -> Any:
    if part.folder:
        return _contents(expanded(part.folder))
    return [*_commit(part), part.file]


def _commit(source: ModelSpec | Part) -> list[str | None]:
    return [source.repo, revision_of(source)]


def _contents(place: Path) -> str:
    """A digest of a file, or of all files of a folder, wherever it lies.

    Of a large one it takes the size and samples from end to end: weights that were trained further
    differ everywhere, and gigabytes need not be read.
    """
    digest = hashlib.sha256()
    try:
        for path in [place] if place.is_file() else sorted(place.rglob("*")):
            name = path.relative_to(place)
            if path.is_file() and not any(part.startswith(".") for part in name.parts):
                digest.update(os.fsencode(name.as_posix()) + b"\0")
                _add_samples(digest, path)
    except OSError as error:
        raise DiskError(f"Cannot read {place}: {error.strerror}.") from error
    return digest.hexdigest()


def _add_samples(digest: Any, path: Path) -> None:
    size = path.stat().st_size
    digest.update(b"%d\0" % size)
    with path.open("rb") as file:
        if size <= _SAMPLE_BYTES * _NUM_SAMPLES:
            digest.update(file.read())
            return
        for number in range(_NUM_SAMPLES):
            file.seek(number * (size - _SAMPLE_BYTES) // (_NUM_SAMPLES - 1))
            digest.update(file.read(_SAMPLE_BYTES))


def _lora(lora: Lora) -> Any:
    path = expanded(lora.source)
    if not exists(path):
        repo, reference = _repo_of(lora.source)
        return [lora.source, locked_revision(repo, reference)]
    if path.is_dir():
        return _contents(path)
    status = path.stat()
    return _sha256(path, status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=256)
def _sha256(path: Path, size: int, changed_ns: int) -> str:
    return sha256_of(path)


def _repo_of(source: str) -> tuple[str, str]:
    """`org/name/folder/file.safetensors@v1` -> `org/name`, `v1`."""
    place, _, reference = source.partition("@")
    return "/".join(place.split("/")[:2]), reference


def _long(long: LongPlan) -> dict[str, Any]:
    """What the windows are computed from; `order` gives the same bits either way."""
    return {
        "method": long.method,
        "rule": long.rule.model_dump(),
        "window": long.window,
        "overlap": long.overlap,
        "stride": long.stride,
    }


def _dump(value: Any) -> str:
    # Floats as repr has them, text escaped: the same on every machine and for lone surrogates.
    return _encoder.encode(value)


def _plain(value: Any) -> Any:
    return value.to_dict() if hasattr(value, "to_dict") else str(value)


_encoder = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=_plain)
