"""`t2v decode`: from saved latents to a video."""

import time
from typing import Annotated

import typer

import t2v
from t2v_cli import options as o
from t2v_cli.progress import display
from t2v_cli.running import show_video
from t2v_cli.stopping import Stopping
from t2v_cli.values import examples

EXAMPLES = examples(
    't2v generate "a paper boat" --save-latents -o boat.mp4',
    "t2v decode boat.mp4.latents -o boat.mov",
)
FolderArg = Annotated[
    str,
    typer.Argument(metavar="DIR", help="A folder of saved latents.", show_default=False),
]


def decode(
    folder: FolderArg,
    output: o.OutputOpt = None,
    overwrite: o.OverwriteOpt = False,
    strict: o.StrictOpt = False,
    allow_pickle: o.PickleOpt = False,
    progress: o.ProgressOpt = "auto",
    json: o.JsonOpt = False,
    quiet: o.QuietOpt = False,
) -> None:
    """Finish a run whose latents were saved, without denoising again."""
    show, began = display(progress, quiet=quiet), time.monotonic()
    try:
        with Stopping(show) as listener:
            video = t2v.decode(
                folder,
                output=output,
                overwrite=overwrite,
                strict=strict,
                allow_pickle=allow_pickle,
                listener=listener,
            )
    except KeyboardInterrupt:
        raise t2v.errors.InterruptedRun("stopped; the latents are kept") from None
    show_video(video, time.monotonic() - began, show, json=json)
