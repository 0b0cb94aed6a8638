"""Decoding latents piece by piece along time, with the very bits that one big decode gives."""

import copy
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from diffusers import DiffusionPipeline
from diffusers.models.autoencoders.autoencoder_kl_wan import unpatchify
from diffusers.utils.torch_utils import get_module_execution_device

from t2v.runtime.explain import explained
from t2v.runtime.mosaic import Memory, Step, going_on

Piece = TypeVar("Piece")

TOGETHER = 8
"""Steps that a tile goes on for before it is the next one's turn: moving memories takes time."""


def to_vae(pipe: DiffusionPipeline, latents: torch.Tensor) -> torch.Tensor:
    """The latents where the VAE computes and in its number format."""
    return latents.to(get_module_execution_device(pipe.vae), dtype=pipe.vae.dtype)


@contextmanager
def upcast_vae(pipe: DiffusionPipeline) -> Generator[bool]:
    """A VAE that computes in float32 for a while; False where it cannot or does so already."""
    before = None if getattr(pipe, "vae", None) is None else pipe.vae.dtype
    # Sequential offload keeps the weights out of reach.
    if before in (None, torch.float32) or any(w.is_meta for w in pipe.vae.parameters()):
        yield False
        return
    vae: Any = pipe.vae
    # Another pipeline may be decoding with the very same weights. Not so where they are moved to
    # and fro, and the hooks that do it lead to all other modules.
    wide = vae if hasattr(vae, "_hf_hook") else copy.deepcopy(vae)
    try:
        pipe.register_modules(vae=wide.to(dtype=torch.float32))
        yield True
    finally:
        # The next video shall not depend on what happened to this one.
        pipe.register_modules(vae=vae)
        vae.to(dtype=before)


def decoded_frames(
    pipe: DiffusionPipeline, latents: torch.Tensor, *arguments: Any
) -> Iterator[np.ndarray]:
    """Frames (height x width x 3, float32, 0 to 1) of latents as the VAE takes them.

    Further arguments go to `vae.decode`. VAEs with a causal cache are run a few latents at a time
    with just the pieces that their own `decode` would make, unless tiling is on.
    """
    causal = causal_decoder(pipe.vae)
    if causal is not None and not pipe.vae.use_tiling:
        sizes = causal.sizes(pipe.vae, latents.shape[2])
        yield from _causal_frames(pipe, causal, iter([latents]), sizes)
    else:
        whole: Callable[..., torch.Tensor] = _WHOLE.get(type(pipe.vae).__name__, _decode_whole)

        def step(latents: torch.Tensor) -> torch.Tensor:
            return whole(pipe.vae, latents, *arguments)

        yield from stepped_frames(pipe, iter([latents]), step)


def streamed_frames(
    pipe: DiffusionPipeline, chunks: Iterator[torch.Tensor]
) -> Iterator[np.ndarray]:
    """Frames of consecutive latents, B C f H W, through the cache of a VAE that has one.

    They are those of one decode of all the latents. Needs a `causal_decoder`; nothing is held but
    its cache, or one for each tile, so that it does not matter how many latents come.
    """
    causal = causal_decoder(pipe.vae)
    assert causal is not None
    yield from _causal_frames(pipe, causal, chunks, causal.sizes(pipe.vae, None))


def _causal_frames(
    pipe: DiffusionPipeline,
    causal: "CausalDecoder",
    chunks: Iterator[torch.Tensor],
    sizes: tuple[int, int],
) -> Iterator[np.ndarray]:
    vae, (first, later) = pipe.vae, sizes
    own_step, is_tiling = causal.step(vae), vae.use_tiling
    if is_tiling:
        # Its own decode prepares each tile by itself.
        first, later = first + (TOGETHER - 1) * later, TOGETHER * later
    else:
        chunks = _prepared(pipe, causal, chunks)

    def step(latents: torch.Tensor, memory: Memory) -> torch.Tensor:
        return own_step(causal.prepare(vae, latents) if is_tiling else latents, memory)

    decode = going_on(vae, step, *sizes, causal.patch(vae))
    try:
        yield from stepped_frames(
            pipe,
            regrouped(chunks, first, later),
            lambda latents: causal.complete(vae, decode(latents)),
        )
    finally:
        causal.finish(vae)


def _prepared(
    pipe: DiffusionPipeline, causal: "CausalDecoder", chunks: Iterator[torch.Tensor]
) -> Iterator[torch.Tensor]:
    for chunk in chunks:
        with torch.no_grad(), explained(pipe):
            wake(pipe.vae)
            prepared = causal.prepare(pipe.vae, chunk)
        yield prepared


def picture_frames(
    pipe: DiffusionPipeline, chunks: Iterator[torch.Tensor], at_once: int | None = None
) -> Iterator[np.ndarray]:
    """Frames of consecutive latents, B C f H W, through a VAE that takes them for pictures.

    They are decoded so many at once, wherever the chunks begin and end; else chunk by chunk.
    """
    pieces = chunks if at_once is None else regrouped(chunks, at_once, at_once)
    yield from stepped_frames(pipe, pieces, lambda piece: _decode_pictures(pipe.vae, piece))


def stepped_frames(
    pipe: DiffusionPipeline, pieces: Iterator[Piece], step: Callable[[Piece], torch.Tensor]
) -> Iterator[np.ndarray]:
    """The frames of each piece, which a step decodes to B C F H W; then the weights may rest."""
    try:
        for piece in pieces:
            # Not around the yield: the switch would leak into the code of whoever takes the frames.
            with torch.no_grad(), explained(pipe):
                wake(pipe.vae)
                chunk = step(piece)
            yield from frames_of(chunk)
            del chunk
    finally:
        pipe.maybe_free_model_hooks()


def regrouped(chunks: Iterator[torch.Tensor], first: int, later: int) -> Iterator[torch.Tensor]:
    """The same latents in time, `first` of them and then `later` at a time; the last may be fewer."""
    held: list[torch.Tensor] = []
    wanted, num_held = first, 0
    for chunk in chunks:
        held.append(chunk)
        num_held += chunk.shape[2]
        if num_held < wanted:
            continue
        together = torch.cat(held, dim=2) if len(held) > 1 else chunk
        while num_held >= wanted:
            yield together[:, :, :wanted]
            together, num_held, wanted = together[:, :, wanted:], num_held - wanted, later
        # A copy: a view would keep all of the chunk in memory.
        held = [together.clone()] if num_held else []
    if num_held:
        yield torch.cat(held, dim=2)


def frames_of(video: torch.Tensor) -> Iterator[np.ndarray]:
    """The frames of a decoded video, 1 x 3 x F x H x W from -1 to 1, one conversion at a time."""
    for frame in video[0].unbind(1):
        picture = (frame * 0.5 + 0.5).clamp(0, 1)
        yield picture.permute(1, 2, 0).cpu().float().contiguous().numpy()


def wake(vae: Any) -> None:
    """Bring an offloaded VAE to its device, as the decorator of `decode` does."""
    hook: Any = getattr(vae, "_hf_hook", None)
    if hasattr(hook, "pre_forward"):
        hook.pre_forward(vae)


def _decode_whole(vae: Any, latents: torch.Tensor, *arguments: Any) -> torch.Tensor:
    decoded: torch.Tensor = vae.decode(latents, *arguments, return_dict=False)[0]
    return decoded


def _decode_pictures(vae: Any, latents: torch.Tensor) -> torch.Tensor:
    """An image VAE takes the frames for a batch of pictures."""
    # Only the decoder with layers along time wants to know how many there are.
    looks_along = type(vae).__name__ == "AutoencoderKLTemporalDecoder"
    number = {"num_frames": latents.shape[2]} if looks_along else {}
    pictures: torch.Tensor = vae.decode(latents[0].transpose(0, 1), **number, return_dict=False)[0]
    return pictures.transpose(0, 1).unsqueeze(0)


def _wan(vae: Any) -> Step:
    def step(latents: torch.Tensor, memory: Memory) -> torch.Tensor:
        is_first = not memory
        cache = memory.setdefault("cache", [None] * vae._cached_conv_counts["decoder"])
        chunk: torch.Tensor = vae.decoder(
            latents, feat_cache=cache, feat_idx=[0], first_chunk=is_first
        )
        return chunk

    return step


def _complete_wan(vae: Any, video: torch.Tensor) -> torch.Tensor:
    if vae.config.patch_size is not None:
        video = unpatchify(video, patch_size=vae.config.patch_size)
    return torch.clamp(video, min=-1.0, max=1.0)


def _magvit(vae: Any) -> Step:
    # Its layers remember by themselves, what they saw last of all.
    layers = [layer for layer in vae.decoder.modules() if hasattr(layer, "prev_features")]

    def step(latents: torch.Tensor, memory: Memory) -> torch.Tensor:
        for layer, features in zip(layers, memory.get("seen", [None] * len(layers)), strict=True):
            layer.prev_features = features
        frames: torch.Tensor = vae.decoder(latents)
        memory["seen"] = [layer.prev_features for layer in layers]
        return frames

    return step


def _cogvideox(vae: Any) -> Step:
    size = vae.num_latent_frames_batch_size

    def step(latents: torch.Tensor, memory: Memory) -> torch.Tensor:
        # The VAE makes one frame of a single latent; it makes them all of a full batch.
        is_short = bool(memory) and latents.shape[2] < size
        num_frames = latents.shape[2] * vae.config.temporal_compression_ratio
        if is_short:
            last = latents[:, :, -1:].expand(-1, -1, size - latents.shape[2], -1, -1)
            latents = torch.cat([latents, last], dim=2)
        if vae.post_quant_conv is not None:
            latents = vae.post_quant_conv(latents)
        chunk, memory["cache"] = vae.decoder(latents, conv_cache=memory.get("cache"))
        return chunk[:, :, :num_frames] if is_short else chunk

    return step


def _sizes_cogvideox(vae: Any, num_latents: int | None) -> tuple[int, int]:
    # The first batch takes the remainder, so that all others are full. It has to be odd for the
    # VAE to make one frame of the first latent.
    size = vae.num_latent_frames_batch_size
    if num_latents is None:
        return size + 1, size
    return (num_latents if num_latents < size else size + num_latents % size), size


@dataclass(frozen=True, slots=True)
class CausalDecoder:
    """A VAE that decodes forward in time, a few latents after another."""

    step: Callable[[Any], Step]
    """From the VAE to its step."""
    sizes: Callable[[Any, int | None], tuple[int, int]]
    """How many latents its own `decode` puts in the first step and in each later one, for so many
    in all; None where their number is not known yet."""
    prepare: Callable[[Any, torch.Tensor], torch.Tensor] = lambda vae, latents: latents
    """What its own `decode` does to all latents at once, frame by frame."""
    patch: Callable[[Any], int] = lambda vae: 1
    """Pixels along the side of a patch, if a step makes patches."""
    complete: Callable[[Any, torch.Tensor], torch.Tensor] = lambda vae, video: video
    """What its own `decode` does to what the steps have made, once tiles are joined."""
    finish: Callable[[Any], None] = lambda vae: None
    """Make the VAE forget what it remembered, however far the steps came."""


_CAUSAL: dict[str, CausalDecoder] = {
    "AutoencoderKLCogVideoX": CausalDecoder(_cogvideox, _sizes_cogvideox),
    "AutoencoderKLMagvit": CausalDecoder(
        _magvit,
        lambda vae, num_latents: (1, vae.num_latent_frames_batch_size),
        lambda vae, latents: vae.post_quant_conv(latents),
        finish=lambda vae: vae._clear_conv_cache(),
    ),
    "AutoencoderKLWan": CausalDecoder(
        _wan,
        lambda vae, num_latents: (1, 1),
        lambda vae, latents: vae.post_quant_conv(latents),
        lambda vae: vae.config.patch_size or 1,
        _complete_wan,
    ),
}
_WHOLE: dict[str, Callable[..., torch.Tensor]] = {"AutoencoderKL": _decode_pictures}


def causal_decoder(vae: Any) -> CausalDecoder | None:
    """How to decode with the VAE's own causal cache; None where it has none."""
    return _CAUSAL.get(type(vae).__name__)
