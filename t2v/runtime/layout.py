"""How a pipeline lays out its latents, for whoever takes them apart by time."""

from dataclasses import dataclass
from typing import Any

import torch
from diffusers import DiffusionPipeline


@dataclass(frozen=True, slots=True)
class LatentLayout:
    """The latents of one call of a pipeline, as its steps hand them on.

    That is: as `callback_on_step_end` has them, or where the pipeline has none, as its
    `scheduler.step` does.
    """

    shape: tuple[int, ...]
    """Of the whole tensor, batch included."""
    frame_axis: int
    """The axis that runs over latent frames."""
    rows_per_frame: int = 1
    """Rows of that axis for each latent frame: more than 1 where frames are cut into tokens."""
    leading: int = 0
    """Latent frames of padding in front, which belong to no frame of the video."""
    noise: "LatentLayout | None" = None
    """How the pipeline takes its noise, where that is another layout than the one of its steps."""
    takes_latents: bool = True
    """Whether the noise is given as `latents=`; else the pipeline draws it itself, in one draw of
    the shape of the noise."""

    @property
    def num_latents(self) -> int:
        """Latent frames of the video in the tensor."""
        return self.shape[self.frame_axis] // self.rows_per_frame - self.leading

    @property
    def frame_shape(self) -> tuple[int, ...]:
        """The shape of one latent frame: that of the whole, `rows_per_frame` long in time."""
        before, after = self.shape[: self.frame_axis], self.shape[self.frame_axis + 1 :]
        return (*before, self.rows_per_frame, *after)

    @property
    def noise_layout(self) -> "LatentLayout":
        """How the pipeline takes its noise."""
        return self.noise or self

    def frames(self, latents: torch.Tensor, start: int, num_latents: int) -> torch.Tensor:
        """A view of some latent frames, counted from the first one of the video."""
        rows = self.rows_per_frame
        return latents.narrow(self.frame_axis, (start + self.leading) * rows, num_latents * rows)

    def joined(self, frames: list[torch.Tensor]) -> torch.Tensor:
        """Latent frames, padding included, put together in time."""
        return torch.cat(frames, dim=self.frame_axis)


def video_layout(pipe: DiffusionPipeline, arguments: dict[str, Any], channels: int) -> LatentLayout:
    """The layout of most pipelines: B C F H W, with one frame of the clip in the first latent."""
    num_latents = (arguments["num_frames"] - 1) // pipe.vae_scale_factor_temporal + 1
    ratio = pipe.vae_scale_factor_spatial
    height, width = arguments["height"] // ratio, arguments["width"] // ratio
    return LatentLayout((1, channels, num_latents, height, width), frame_axis=2)
