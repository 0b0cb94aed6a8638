"""Makes a video again from its own record, or a variation of it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from t2v.api.planning import make_plan
from t2v.api.record import public_request, version_differences
from t2v.api.work import refuse_work
from t2v.errors import RequestError, UnknownModelError
from t2v.media.metadata import read_metadata
from t2v.plan.lora import is_path, parse_lora
from t2v.plan.options import Options
from t2v.plan.request import Plan, Request
from t2v.plan.wording import quoted
from t2v.zoo.hub import revision_of
from t2v.zoo.spec import COMMIT_HASH


class Replay(NamedTuple):
    """How to make a video again."""

    plan: Plan
    differences: tuple[str, ...]
    """What is not as the first time, a line each: versions, device, settings of the entry."""
    frames_sha256: str | None
    """The digest the frames should have; None where something was changed on purpose."""


def replay_plan(path: str | Path, changes: Mapping[str, str] | None = None) -> Replay:
    """Plan a recorded video once more.

    Args:
        path: The video, its folder of frames, or its sidecar.
        changes: `{name: value}` to differ in, with the names of `Options`, and `prompt`.

    Raises:
        RequestError: The file has no record, or a change is none that can be made.
        UnknownModelError: The model it was made with is not known here.
    """
    refuse_work(Path(path))
    record = read_metadata(Path(path))
    request = _recorded(record, Path(path))
    changed = dict(changes or {})
    prompt = changed.pop("prompt", request.prompt)
    options = _with_opening(request, prompt).overlaid(Options.from_strings(changed))
    planned = _planned(prompt, options, changed)
    if "model" not in changed and (model := _other_revision(record, planned)):
        planned = _planned(prompt, options.overlaid(Options(model=model)), changed)
    versions, sha256 = record.get("versions"), record.get("frames_sha256")
    differences = (
        *(version_differences(versions) if isinstance(versions, Mapping) else ()),
        *_device(record, planned),
        *(() if changes else _settings(record, request, planned)),
    )
    is_same = not changes and isinstance(sha256, str)
    return Replay(planned, differences, sha256 if is_same else None)


def _with_opening(request: Request, prompt: str) -> Options:
    """The options of the request; a story begins with the prompt."""
    if not request.story:
        return request.to_options()
    first, *others = request.story
    story = (replace(first, prompt=prompt), *others)
    return replace(request, prompt=prompt, story=story).to_options()


def _planned(prompt: str, options: Options, changed: Mapping[str, str]) -> Plan:
    try:
        return make_plan(prompt, options, origin="replay", config=False)
    except UnknownModelError as error:
        if "model" in changed:
            raise
        # A record has no folders of the machine that it was made on.
        raise UnknownModelError(f"{error} If it is a folder: --set model=FOLDER") from None
    except RequestError as error:
        if "lora" in changed or not _has_lora_files(options):
            raise
        raise RequestError(f"{error} (here: --set lora=FILE:SCALE)") from None


def _recorded(record: Mapping[str, Any], path: Path) -> Request:
    try:
        return Request.from_dict(record["request"])
    except (KeyError, TypeError, AttributeError) as error:
        raise RequestError(f"The record of {path.name} has no usable request: {error}.") from None


def _has_lora_files(options: Options) -> bool:
    return any(is_path(parse_lora(text).source) for text in options.lora or ())


def _other_revision(record: Mapping[str, Any], planned: Plan) -> str | None:
    """The repository at the commit it was used at, where that is not the one used now."""
    then, spec = record.get("revision"), planned.spec
    is_commit = isinstance(then, str) and COMMIT_HASH.fullmatch(then)
    return f"{spec.repo}@{then}" if is_commit and spec.repo and revision_of(spec) != then else None


def _device(record: Mapping[str, Any], planned: Plan) -> list[str]:
    device = record.get("device")
    then = device.get("type") if isinstance(device, Mapping) else None
    now = planned.machine.device if planned.machine else None
    if not isinstance(then, str) or now is None or then == {"rocm": "cuda"}.get(now, now):
        return []
    return [f"device {quoted(then)} then, {quoted(now)} now"]


def _settings(record: Mapping[str, Any], request: Request, planned: Plan) -> list[str]:
    """Values that the record has and a request cannot ask for, as the model's entry has them now."""
    then, now = public_request(request), public_request(planned.requests[0])
    pairs = {name: (then[name]["value"], now[name]["value"]) for name in then}
    steps = planned.requests[0].num_inference_steps
    further = planned.spec.defaults.further_arguments(steps)
    pairs["further_arguments"] = (record.get("further_arguments", further), further)
    return [
        f"{name} {quoted(before)} then, {quoted(after)} now"
        for name, (before, after) in pairs.items()
        if before != after
    ]
