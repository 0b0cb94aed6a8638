"""Decoding latents piece by piece along time, with the very bits that one big decode gives."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
import torch
from diffusers import DiffusionPipeline
from diffusers.models.autoencoders.autoencoder_kl_wan import unpatchify
from diffusers.utils.torch_utils import get_module_execution_device

from t2v.runtime.explain import explained

Chunks: TypeAlias = Generator[torch.Tensor, None, None]


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
    pipe.vae.to(dtype=torch.float32)
    try:
        yield True
    finally:
        # The next video shall not depend on what happened to this one.
        pipe.vae.to(dtype=before)


def decoded_frames(
    pipe: DiffusionPipeline, latents: torch.Tensor, *arguments: Any
) -> Iterator[np.ndarray]:
    """Frames (height x width x 3, float32, 0 to 1) of latents as the VAE takes them.

    Further arguments go to `vae.decode`. VAEs with a causal cache are run a few latents at a time
    with just the pieces that their own `decode` would make, unless tiling is on.
    """
    chunks = _decoder(pipe.vae)(pipe.vae, latents, *arguments)
    try:
        while True:
            # Not around the yield: the switch would leak into the code of whoever takes the frames.
            with torch.no_grad(), explained(pipe):
                chunk = next(chunks, None)
            if chunk is None:
                return
            yield from frames_of(chunk)
    finally:
        chunks.close()
        pipe.maybe_free_model_hooks()


def frames_of(video: torch.Tensor) -> Iterator[np.ndarray]:
    """The frames of a decoded video, 1 x 3 x F x H x W from -1 to 1, one conversion at a time."""
    for frame in video[0].unbind(1):
        picture = (frame * 0.5 + 0.5).clamp(0, 1)
        yield picture.permute(1, 2, 0).cpu().float().contiguous().numpy()


def _decode_whole(vae: Any, latents: torch.Tensor, *arguments: Any) -> Chunks:
    yield vae.decode(latents, *arguments, return_dict=False)[0]


def _decode_pictures(vae: Any, latents: torch.Tensor) -> Chunks:
    """An image VAE takes the frames for a batch of pictures."""
    pictures = vae.decode(latents[0].transpose(0, 1), return_dict=False)[0]
    yield pictures.transpose(0, 1).unsqueeze(0)


def _wake(vae: Any) -> None:
    """Bring an offloaded VAE to its device, as the decorator of `decode` does."""
    hook: Any = getattr(vae, "_hf_hook", None)
    if hasattr(hook, "pre_forward"):
        hook.pre_forward(vae)


def _stream_wan(vae: Any, latents: torch.Tensor) -> Chunks:
    _wake(vae)
    latents = vae.post_quant_conv(latents)
    cache: list[Any] = [None] * vae._cached_conv_counts["decoder"]
    for index, latent in enumerate(latents.split(1, dim=2)):
        chunk = vae.decoder(latent, feat_cache=cache, feat_idx=[0], first_chunk=index == 0)
        if vae.config.patch_size is not None:
            chunk = unpatchify(chunk, patch_size=vae.config.patch_size)
        yield torch.clamp(chunk, min=-1.0, max=1.0)


def _stream_cogvideox(vae: Any, latents: torch.Tensor) -> Chunks:
    _wake(vae)
    size = vae.num_latent_frames_batch_size
    num_batches = max(latents.shape[2] // size, 1)
    # The first batch takes the remainder, so that all others are full.
    first = latents.shape[2] - size * (num_batches - 1)
    cache: Any = None
    for batch in latents.split([first, *[size] * (num_batches - 1)], dim=2):
        if vae.post_quant_conv is not None:
            batch = vae.post_quant_conv(batch)
        chunk, cache = vae.decoder(batch, conv_cache=cache)
        yield chunk


_STREAMED: dict[str, Callable[..., Chunks]] = {
    "AutoencoderKLCogVideoX": _stream_cogvideox,
    "AutoencoderKLWan": _stream_wan,
}
_WHOLE: dict[str, Callable[..., Chunks]] = {"AutoencoderKL": _decode_pictures}


def _decoder(vae: Any) -> Callable[..., Chunks]:
    name = type(vae).__name__
    if name in _STREAMED and not vae.use_tiling:
        return _STREAMED[name]
    return _WHOLE.get(name, _decode_whole)
