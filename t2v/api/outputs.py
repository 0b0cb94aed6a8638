"""Where the videos of a plan go; known before anything heavy is loaded."""

import os
from pathlib import Path

from t2v.api.work import refuse_unfinished, work_folder
from t2v.media.codecs import check_encoding
from t2v.media.names import output_paths as paths_for
from t2v.media.parts import refuse_unwritable
from t2v.plan.request import Plan
from t2v.plan.space import check_space


def output_paths(
    plan: Plan,
    output: str | Path | None = None,
    *,
    overwrite: bool = False,
    resume: Path | None = None,
) -> list[Path]:
    """Where the videos of a plan go, in order.

    Args:
        plan: What will be made.
        output: A name for all, or a template such as `out/{prompt}-{seed}.mp4`; without one
            `{prompt}-{seed}.mp4` in this folder, with a counter where that is taken by a file. A
            path without suffix is a folder of pictures.
        overwrite: Whether files that exist may be replaced.
        resume: The work folder to go on from.

    Raises:
        RequestError: The name or template cannot be used, or not with the codec or its quality; or
            the disk cannot hold what will be written.
        OutputExistsError: A file is there already, or an unfinished video of that name.
        DiskError: The place cannot be written to.
    """
    if isinstance(output, Path):
        output = str(output) if output.suffix else f"{output}{os.sep}"
    paths = paths_for(output, plan.requests, overwrite=overwrite)
    for path, request in zip(paths, plan.requests, strict=True):
        check_encoding(path, request.codec, request.crf)
        refuse_unwritable(path)
        if resume is None and not overwrite:
            refuse_unfinished(work_folder(path))
    check_space(plan.requests, paths)
    return paths
