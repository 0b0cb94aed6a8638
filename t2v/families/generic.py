"""Any other diffusers pipeline that turns a prompt into frames: called whole, signature read."""

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import torch
from diffusers import DiffusionPipeline

from t2v.errors import GenerationError
from t2v.runtime.adapter import Frame, Latents, OnStep
from t2v.runtime.call import parameters
from t2v.runtime.explain import explained
from t2v.runtime.guidance import GuidedAdapter
from t2v.runtime.steps import watched

_FIELDS = ("frames", "images", "videos", "video")


class GenericAdapter(GuidedAdapter):
    """A pipeline without a family of its own. Its "latents" are the finished pixels."""

    family = "generic"
    pipelines: ClassVar[tuple[str, ...]] = ()
    takes_lists = False

    def denoise(
        self, pipe: DiffusionPipeline, arguments: dict[str, Any], on_step: OnStep | None = None
    ) -> Latents:
        """Run the whole pipeline; the result is B C F H W from 0 to 1."""
        accepted = parameters(pipe)
        output_type = {"output_type": "np"} if "output_type" in accepted else {}
        num_steps = self.num_steps(pipe, arguments)
        with (
            self.prepared(pipe, arguments) as call,
            watched(pipe, on_step, num_steps) as callbacks,
            explained(pipe),
        ):
            output = pipe(**call, **callbacks, **output_type)
        return Latents(_video(output, type(pipe).__name__))

    def decode(self, pipe: DiffusionPipeline, latents: Latents) -> Iterator[Frame]:
        """The frames that are there already."""
        for frame in latents.video[0].unbind(1):
            yield frame.permute(1, 2, 0).float().contiguous().numpy()


def _video(output: Any, name: str) -> torch.Tensor:
    """The video of a pipeline's output in whatever field and layout, as B C F H W."""
    field = next((f for f in _FIELDS if getattr(output, f, None) is not None), None)
    if field is None:
        raise GenerationError(
            f"{name} returned no frames: its output has {', '.join(output.keys()) or 'nothing'}."
        )
    frames = getattr(output, field)
    if isinstance(frames, torch.Tensor):
        frames = frames.cpu().float().movedim(-3, -1)
    else:
        frames = torch.from_numpy(np.asarray(_arrays(frames), dtype=np.float32))
    if frames.ndim == 4:
        frames = frames.unsqueeze(0)
    if frames.ndim != 5 or frames.shape[-1] != 3:
        raise GenerationError(
            f"{name} returned {field} of shape {tuple(frames.shape)}, which are no RGB frames."
        )
    return frames[:1].permute(0, 4, 1, 2, 3)


def _arrays(frames: Any) -> Any:
    """Pictures of any kind, nested as they were, as arrays from 0 to 1."""
    if isinstance(frames, list):
        return [_arrays(frame) for frame in frames]
    array = np.asarray(frames)
    return array / np.float32(255) if array.dtype == np.uint8 else array


adapter = GenericAdapter()
