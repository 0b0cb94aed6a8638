"""Carries out a plan: one model, its videos one after another."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from t2v.api.loading import load_for
from t2v.api.outputs import output_paths
from t2v.api.video import Video, refuse_suspect
from t2v.api.work import refuse_to_save
from t2v.plan.events import Listener, silent
from t2v.plan.request import Plan


def run(
    plan: Plan,
    *,
    output: str | Path | Sequence[Path] | None = None,
    overwrite: bool = False,
    strict: bool = False,
    save_latents: bool = False,
    allow_pickle: bool = False,
    resume: Path | None = None,
    listener: Listener = silent,
) -> Iterator[Video]:
    """Load the plan's model once and make its videos, each handed out as soon as it is finished.

    Args:
        plan: What to make.
        output: As for `output_paths`, or what that returned.
        overwrite: Whether files may be replaced.
        strict: Whether to fail after the last video if one looks broken.
        save_latents: Whether to keep the latents beside each output.
        allow_pickle: Whether weights in pickle files may be read.
        resume: The work folder of the unfinished video that the plan is of, from `resume_plan`.
        listener: Hears of stages, steps and frames.

    Raises:
        OutputExistsError: A file is there already; nothing was started.
        RequestError: Latents of a long video are to be saved; nothing was started.
        SuspectError: Under `strict`, after the last video.
    """
    if output is None or isinstance(output, str | Path):
        output = output_paths(plan, output, overwrite=overwrite, resume=resume)
    if save_latents:
        refuse_to_save(plan.requests[0])
    generator = load_for(plan, allow_pickle=allow_pickle, listener=listener)
    videos = []
    for request, path in zip(plan.requests, output, strict=True):
        video = generator.run(
            request,
            output=path,
            overwrite=overwrite,
            save_latents=save_latents,
            resume=resume,
            notes=plan.notes,
            listener=listener,
        )
        videos.append(video)
        yield video
    if strict:
        refuse_suspect(videos)
