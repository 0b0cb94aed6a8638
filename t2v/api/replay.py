"""Makes a video again from its own record, or a variation of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from t2v.api.planning import make_plan
from t2v.api.record import version_differences
from t2v.errors import RequestError
from t2v.media.metadata import read_metadata
from t2v.plan.options import Options
from t2v.plan.request import Plan, Request
from t2v.zoo.hub import revision_of


class Replay(NamedTuple):
    """How to make a video again."""

    plan: Plan
    differences: tuple[str, ...]
    """What is not as the first time, a line each: versions, the model's revision."""
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
    record = read_metadata(Path(path))
    request = _recorded(record, Path(path))
    changed = dict(changes or {})
    prompt = changed.pop("prompt", request.prompt)
    # The device is left to this machine; what the frames depend on is not.
    options = request.to_options().overlaid(Options.from_strings(changed))
    planned = make_plan(prompt, options, origin="replay", config=False)
    versions, sha256 = record.get("versions"), record.get("frames_sha256")
    differences = (
        *(version_differences(versions) if isinstance(versions, Mapping) else ()),
        *_model(record, planned),
    )
    is_same = not changes and isinstance(sha256, str)
    return Replay(planned, differences, sha256 if is_same else None)


def _recorded(record: Mapping[str, Any], path: Path) -> Request:
    try:
        return Request.from_dict(record["request"])
    except (KeyError, TypeError, AttributeError) as error:
        raise RequestError(f"The record of {path.name} has no usable request: {error}.") from None


def _model(record: Mapping[str, Any], planned: Plan) -> list[str]:
    then, now = record.get("revision"), revision_of(planned.spec)
    if isinstance(then, str) and now and then != now:
        return [f"{planned.spec.name} was at revision {then[:12]} then, at {now[:12]} now"]
    return []
