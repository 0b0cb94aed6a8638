"""How long a request will take: that of one call of its pipeline, once for every window."""

from collections.abc import Mapping, Sequence

from t2v.plan.history import Estimate, Run, Workload, estimate
from t2v.plan.longplan import frames_at_once
from t2v.plan.request import Request
from t2v.zoo.spec import ModelSpec

_OF_EACH_CALL = {"denoise"}
_OF_EACH_FRAME = {"decode", "write"}


def workload_of(
    spec: ModelSpec, request: Request, device_name: str, num_lanes: int = 1
) -> Workload:
    """One call of the pipeline, while other lanes make as much."""
    return Workload(
        spec.name,
        device_name,
        request.width,
        request.height,
        frames_at_once(spec, request) if request.long else request.num_frames,
        request.num_inference_steps,
        num_lanes,
    )


def forecast(
    spec: ModelSpec,
    request: Request,
    device_name: str,
    runs: Sequence[Run],
    num_lanes: int = 1,
) -> Estimate | None:
    """What earlier runs say; None where they say nothing, or the video has no end."""
    workload = workload_of(spec, request, device_name, num_lanes)
    one = estimate(workload, runs)
    if one is None or request.long is None:
        return one
    if request.endless:
        return None
    return one.stretched(len(request.long.windows), request.num_frames / workload.num_frames)


def timings_of_one(
    request: Request, workload: Workload, timings_s: Mapping[str, float]
) -> dict[str, float]:
    """What one call took of a run that is over, so that the next forecast can rest on it."""
    if request.long is None:
        return dict(timings_s)
    calls, length = len(request.long.windows), request.num_frames / workload.num_frames
    shares = dict.fromkeys(_OF_EACH_CALL, calls) | dict.fromkeys(_OF_EACH_FRAME, length)
    return {name: seconds / shares.get(name, 1) for name, seconds in timings_s.items()}
