"""Several videos denoised in one call of the pipeline, each from the noise of its own seed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from t2v.errors import GenerationError

if TYPE_CHECKING:
    from t2v.api.rendering import Rendering
    from t2v.runtime.adapter import Latents

_EACH = ("prompt", "negative_prompt", "generator")
"""Arguments that a pipeline takes a list of."""


def arguments_together(makings: Sequence["Rendering"]) -> dict[str, Any] | None:
    """The arguments of one call for all; None where that cannot be said in one call."""
    each = [making.arguments() for making in makings]
    first = each[0]
    if any(other.keys() != first.keys() for other in each):
        return None
    common = {name: value for name, value in first.items() if name not in _EACH}
    if any({name: other[name] for name in common} != common for other in each):
        return None
    lists = {name: [one[name] for one in each] for name in _EACH if name in first}
    lists = {name: values for name, values in lists.items() if values != [None] * len(each)}
    if not all(isinstance(text, str) for text in (*lists["prompt"], *lists.get(_EACH[1], ()))):
        return None
    return common | lists


def denoise_together(makings: Sequence["Rendering"], arguments: dict[str, Any]) -> "list[Latents]":
    """The latents of each, from one call with `arguments_together`.

    Its numbers differ from those of a call alone in their last bits: how a matrix product is split
    depends on its size.

    Raises:
        GenerationError: The model gave something else than a video for each.
    """
    first = makings[0]

    def on_step(step: int, of: int) -> None:
        for making in makings:
            making.progress.step(step, of)

    for making in makings:
        making.record["batch_size"] = len(makings)
        making.progress.encode()
    with first.watched():
        latents = first.adapter.denoise(first.pipe, arguments, on_step)
    return [_part(latents, number, len(makings)) for number in range(len(makings))]


def _part(latents: "Latents", number: int, num_parts: int) -> "Latents":
    tensors = (latents.video, latents.audio)
    if any(one is not None and one.shape[0] != num_parts for one in tensors):
        raise GenerationError(f"The model made no {num_parts} videos in one call.")
    video, audio = (None if one is None else one[number : number + 1].clone() for one in tensors)
    return replace(latents, video=video, audio=audio)
