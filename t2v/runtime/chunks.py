"""Decoding a video whose latents come in pieces, with VAEs that have no causal cache."""

from collections.abc import Callable, Iterator
from itertools import islice

import torch

from t2v.runtime.adapter import Frame

Decode = Callable[[torch.Tensor], Iterator[Frame]]
"""From latents, B C F H W, to their frames, as if they were a clip."""


def decoded_whole(decode: Decode, chunks: Iterator[torch.Tensor]) -> Iterator[Frame]:
    """Frames of one decode once all latents are there."""
    held = list(chunks)
    if held:
        yield from decode(torch.cat(held, dim=2))


def decoded_with_context(
    decode: Decode, chunks: Iterator[torch.Tensor], context: int, factor: int
) -> Iterator[Frame]:
    """Frames of pieces that are decoded with `context` more latents on each side, then cut out.

    They are those of one decode where a frame depends on no more than that. A piece is at least as
    long as both contexts together: longer ones need more memory, shorter ones more work.

    Args:
        decode: Decodes a clip.
        chunks: Consecutive latents, B C f H W.
        context: Latent frames; 0 for pieces as they come.
        factor: Pixel frames of every latent but the first of a clip, which has one.
    """
    if context == 0:
        for chunk in chunks:
            yield from decode(chunk)
        return
    held: list[torch.Tensor] = []
    num_before, is_last = 0, False
    while not is_last:
        is_last = _fill(held, chunks, num_before + 3 * context)
        if not held:
            return
        together = torch.cat(held, dim=2)
        end = together.shape[2] - (0 if is_last else context)
        yield from islice(decode(together), _frames_in(num_before, factor), _frames_in(end, factor))
        held = [together[:, :, max(0, end - context) :].clone()]
        num_before = min(context, end)


def _fill(held: list[torch.Tensor], chunks: Iterator[torch.Tensor], wanted: int) -> bool:
    """Take chunks until so many latents are there; True where they came to an end first."""
    while sum(chunk.shape[2] for chunk in held) < wanted:
        chunk = next(chunks, None)
        if chunk is None:
            return True
        held.append(chunk)
    return False


def _frames_in(num_latents: int, factor: int) -> int:
    return 1 + factor * (num_latents - 1) if num_latents else 0
