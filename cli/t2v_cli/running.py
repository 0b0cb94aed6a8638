"""A plan carried out before the eyes of the user: said, asked, run, shown."""

import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

import t2v
from t2v_cli.output import one_line, out
from t2v_cli.phrases import duration, length
from t2v_cli.progress import Display
from t2v_cli.stopping import Stopping
from t2v_cli.terminal import is_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from t2v import ModelSpec, Plan, Request, Video
    from t2v.errors import T2VError

GB = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a run is carried out and shown: what the options beside the request say."""

    show: Display
    output: "str | Path | None" = None
    overwrite: bool = False
    strict: bool = False
    save_latents: bool = False
    allow_pickle: bool = False
    resume: "Path | None" = None
    json: bool = False
    yes: bool = False


def headline(plan: "Plan", outputs: "Sequence[Path]") -> str:
    """The run in one line: model, size, length, steps, seed and where it goes."""
    request = plan.requests[0]
    parts = [
        f"{request.width}x{request.height}",
        _length(request),
        f"{request.num_inference_steps} steps" if request.num_inference_steps else "",
        f"seed {request.seed}",
        f"about {duration(plan.estimate.total_s)}" if plan.estimate else "",
    ]
    more = f" and {len(outputs) - 1} more" if len(outputs) > 1 else ""
    said = ", ".join(filter(None, parts))
    return f"{one_line(plan.spec.name)}: {said} -> {outputs[0]}{more}"


def _length(request: "Request") -> str:
    rate = f"{float(request.fps):.5g} fps"
    if request.endless:
        return f"until you stop it, at {rate}"
    return f"{request.num_frames} frames = {length(request.duration_s)} at {rate}"


def carry_out(plan: "Plan", manner: Manner) -> "list[Video]":
    """Make the videos of a plan and show each as it is finished."""
    outputs = t2v.output_paths(
        plan, manner.output, overwrite=manner.overwrite, resume=manner.resume
    )
    manner.show(t2v.Event("plan", item=outputs[0].name, message=headline(plan, outputs)))
    for note in plan.notes:
        manner.show(t2v.Event("plan", message=note))
    videos: list[Video] = []
    try:
        for video in _made(plan, outputs, manner):
            videos.append(video)
    except (KeyboardInterrupt, t2v.errors.T2VError) as error:
        ending = _ending(error, videos)
        # Of a video that is suspect the object has been printed.
        if manner.json and not isinstance(ending, t2v.errors.SuspectError):
            out.json({"status": "failed", "error": str(ending), "exit_code": ending.exit_code})
        raise ending from error
    return videos


def _made(plan: "Plan", outputs: "Sequence[Path]", manner: Manner) -> "Iterator[Video]":
    began = time.monotonic()
    with Stopping(manner.show) as listener:
        ask_for_weights(plan.spec, yes=manner.yes, is_said=True)
        for video in t2v.run(
            plan,
            output=outputs,
            overwrite=manner.overwrite,
            strict=manner.strict,
            save_latents=manner.save_latents,
            allow_pickle=manner.allow_pickle,
            resume=manner.resume,
            listener=listener,
        ):
            show_video(video, time.monotonic() - began, manner.show, json=manner.json)
            yield video
            began = time.monotonic()
            # A video without an end is whole when it is stopped.
            if listener.is_asked and not plan.requests[0].endless:
                raise KeyboardInterrupt


def ask_for_weights(spec: "ModelSpec", *, yes: bool, is_said: bool = False) -> None:
    """Say what has to be downloaded, unless a plan said it, and ask a person if that is wanted."""
    if spec.repo is None or t2v.locate(spec) is not None:
        return
    if not is_said:
        size = f"{spec.download_bytes / GB:.1f} GB" if spec.download_bytes else "an unknown size"
        out.talk(
            f"{spec.name} is not on this machine: {size} to download from {spec.repo}, "
            f"license {spec.license}"
        )
    if yes or not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        return
    if not typer.confirm("Download it?", default=True, err=True):
        raise t2v.errors.WeightsMissingError(
            f"{spec.name} was not downloaded; `t2v models pull {spec.name}` does it later"
        )


def show_video(video: "Video", seconds: float, show: Display, *, json: bool) -> None:
    """The result: data on stdout, and a line for people on stderr."""
    show.rest()
    for warning in video.record.get("warnings", ()):
        if warning not in show.said:
            show(t2v.Event("warning", message=warning))
    if video.status == "suspect":
        reasons = ", ".join(video.record["guard"]["suspect"])
        out.warn(f"the frames look broken: {reasons}")
    made = f"{length(float(video.record['duration_s']))} of video"
    out.talk(f"{video.output}: {made} made in {duration(seconds)}")
    if json:
        out.json(video.record | {"output": str(video.output)})
    # On one terminal the line above has said it.
    elif out.quiet or not (is_terminal(sys.stdout) and is_terminal(sys.stderr)):
        out.data(video.output)


def _ending(error: BaseException, videos: "list[Video]") -> "T2VError":
    """The error to end with; a stop by the user says what is kept."""
    if isinstance(error, t2v.errors.T2VError) and not isinstance(error, t2v.errors.InterruptedRun):
        return error
    kept = ", ".join(str(video.output) for video in videos)
    said = str(error) or "Stopped."
    return t2v.errors.InterruptedRun(f"{said}\nFinished and kept: {kept}" if kept else said)
