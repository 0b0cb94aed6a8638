"""Keeps a continued video from drifting: its latents are drawn towards those it began with.

What a model makes of its own tail is a little brighter or more saturated each time, and the errors
add up. Each continuation is given a part of the mean and deviation, channel by channel, that the
first window has. The first and not the previous: matching to that would walk off at random. LTX-Video
0.9.8 does the same with the same share (diffusers, `LTXI2VLongMultiPromptPipeline`, `adain_factor`).
"""

from collections.abc import Iterator

import torch

SHARE = 0.25


def matched(
    chunks: Iterator[torch.Tensor], first: int, stride: int, share: float = SHARE
) -> Iterator[torch.Tensor]:
    """The latents with each stretch after the first drawn towards the first.

    Args:
        chunks: Latents in the order of time, B C f H W, cut anywhere.
        first: Latent frames of the first window.
        stride: Latent frames that each later one adds.
        share: How much of the first window's statistics: 0 nothing, 1 all.
    """
    reference: tuple[torch.Tensor, torch.Tensor] | None = None
    for stretch in _stretches(chunks, first, stride):
        if reference is None:
            reference = _statistics(stretch)
            yield stretch
        else:
            yield _drawn(stretch, reference, share)


def _stretches(chunks: Iterator[torch.Tensor], first: int, stride: int) -> Iterator[torch.Tensor]:
    """The same frames, cut where windows add theirs."""
    wanted, held = first, torch.empty(0)
    for chunk in chunks:
        held = torch.cat([held, chunk], dim=2) if held.numel() else chunk
        while held.shape[2] >= wanted:
            yield held[:, :, :wanted]
            held, wanted = held[:, :, wanted:], stride
    if held.numel():
        yield held


def _statistics(latents: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and deviation of each channel, in float32."""
    values = latents.float()
    return values.mean((2, 3, 4), keepdim=True), values.std((2, 3, 4), keepdim=True)


def _drawn(
    latents: torch.Tensor, reference: tuple[torch.Tensor, torch.Tensor], share: float
) -> torch.Tensor:
    mean, deviation = _statistics(latents)
    new_mean = torch.lerp(mean, reference[0], share)
    new_deviation = torch.lerp(deviation, reference[1], share)
    result = (latents.float() - mean) * (new_deviation / deviation.clamp_min(1e-6)) + new_mean
    return result.to(latents.dtype)
