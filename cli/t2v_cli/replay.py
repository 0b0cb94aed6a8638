"""`t2v replay`: the same video again, or a variation of it."""

import t2v
from t2v_cli import options as o
from t2v_cli.output import out
from t2v_cli.progress import display
from t2v_cli.running import Manner, carry_out
from t2v_cli.values import examples, to_changes

EXAMPLES = examples(
    "t2v replay clip.mp4",
    "t2v replay clip.mp4 --set seed=8 --set steps=30 -o other.mp4",
    't2v replay clip.mp4 --set prompt="a blue ball"',
)


def replay(
    file: o.FileArg,
    changes: o.SetOpt = None,
    output: o.OutputOpt = None,
    overwrite: o.OverwriteOpt = False,
    strict: o.StrictOpt = False,
    allow_pickle: o.PickleOpt = False,
    progress: o.ProgressOpt = "auto",
    yes: o.YesOpt = False,
    json: o.JsonOpt = False,
    quiet: o.QuietOpt = False,
) -> None:
    """Make a video again from its own record.

    With the same versions on a CPU the frames are the same to the bit; where versions differ, it
    is said. --set changes settings on the way.
    """
    show = display(progress, quiet=quiet)
    again = t2v.replay_plan(file, to_changes(changes))
    manner = Manner(
        show=show,
        output=output,
        overwrite=overwrite,
        strict=strict,
        allow_pickle=allow_pickle,
        json=json,
        yes=yes,
    )
    for difference in again.differences:
        out.warn(f"not as the first time: {difference}")
    videos = carry_out(again.plan, manner)
    if again.frames_sha256:
        is_same = videos[0].record["frames_sha256"] == again.frames_sha256
        out.talk("the frames are " + ("the same to the bit" if is_same else "not the same"))
