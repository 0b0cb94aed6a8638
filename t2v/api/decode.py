"""Finishes a run whose latents were saved: denoising is not done again, only the VAE is needed."""

from pathlib import Path
from typing import TYPE_CHECKING

from t2v.api.latents import TENSORS, latents_output, read_latents
from t2v.api.loading import load_for
from t2v.api.video import Video, refuse_suspect
from t2v.api.work import refuse_work
from t2v.errors import RequestError
from t2v.plan.events import Listener, silent

if TYPE_CHECKING:
    from t2v.api.generator import Generator
    from t2v.runtime.adapter import Latents


def decode(
    folder: str | Path,
    output: str | Path | None = None,
    *,
    overwrite: bool = False,
    strict: bool = False,
    allow_pickle: bool = False,
    listener: Listener = silent,
) -> Video:
    """Decode saved latents and write the video they stand for.

    Args:
        folder: What `--save-latents` made, or a run left that failed after denoising.
        output: Where to; by default what the run was to write.
        overwrite: Whether that file may be replaced.
        strict: Whether a video that looks broken is an error.
        allow_pickle: Whether weights in pickle files may be read.
        listener: Hears of stages and frames.

    Raises:
        RequestError: The folder holds no saved latents.
        SuspectError: The frames look broken, and `strict` is set.
    """
    folder = Path(folder)
    if folder.name in ("", ".."):  # `.` and the like have no name to find the output by
        folder = folder.resolve()
    if not (folder / TENSORS).is_file():
        refuse_work(folder)
    latents, saved = read_latents(folder)
    target = Path(output) if output is not None else latents_output(folder)
    generator = load_for(
        saved.plan(), share="decoders", allow_pickle=allow_pickle, listener=listener
    )
    _check_fit(generator, latents, folder)
    video = generator.finish(latents, saved, output=target, overwrite=overwrite, listener=listener)
    if strict:
        refuse_suspect([video])
    return video


def _check_fit(generator: "Generator", latents: "Latents", folder: Path) -> None:
    """Refuse latents that the model's VAE does not take: it would fail in the middle."""
    config = getattr(getattr(generator.pipe, "vae", None), "config", {})
    channels = config.get("z_dim") or config.get("latent_channels")
    # What a pipeline without a family leaves are pixels, whatever its VAE takes.
    if generator.spec.family == "generic" or not isinstance(channels, int):
        return
    if latents.video.shape[1] != channels:
        raise RequestError(
            f"The latents in {folder} have {latents.video.shape[1]} channels; "
            f"{generator.spec.name} has {channels}."
        )
