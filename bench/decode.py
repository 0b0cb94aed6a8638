"""Counts what decoders hold at their peak that decode layer by layer, beside one decode of the whole.

    python bench/decode.py

Modules are built on fake tensors, as in `bench/footprint.py`: every shape is real, nothing is
computed, no weights are needed.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
from diffusers import AutoencoderKLHunyuanVideo15, AutoencoderKLLTX2Video, AutoencoderKLLTXVideo
from footprint import GIB, HALF, counted

from t2v.runtime.lookahead import lookahead_parts
from t2v.runtime.recollection import recollecting_parts
from t2v.runtime.stages import LATENTS_AT_ONCE, Layers, Part

Parts = Callable[[Any], Iterable[Part]]

CASES: dict[str, tuple[Callable[[], Any], tuple[int, int, int], Parts]] = {
    "LTX-Video 0.9, 704x512": (AutoencoderKLLTXVideo, (128, 16, 22), lookahead_parts),
    "LTX-2, 768x512": (
        lambda: AutoencoderKLLTX2Video(decoder_causal=False), (128, 16, 24), lookahead_parts
    ),
    "HunyuanVideo 1.5, a tile of 256x256": (
        AutoencoderKLHunyuanVideo15, (32, 16, 16), recollecting_parts
    ),
}  # fmt: skip
LENGTHS = (16, 32, 64)


def whole(vae: Any, shape: tuple[int, int, int], num_latents: int) -> None:
    """All latents in one decode."""
    channels, height, width = shape
    vae.decode(torch.zeros(1, channels, num_latents, height, width))


def streamed(vae: Any, shape: tuple[int, int, int], num_latents: int, parts: Parts) -> None:
    """Some latents after others, layer by layer."""
    channels, height, width = shape
    layers = Layers(parts(vae.decoder))
    for _ in range(0, num_latents, LATENTS_AT_ONCE):
        layers.feed(torch.zeros(1, channels, LATENTS_AT_ONCE, height, width))
    for _ in layers.finish():
        pass


def main() -> None:
    """Print a row a decoder and length, in Markdown."""
    print("| decoder | latent frames | at once, GiB | streamed, GiB |\n|---|---|---|---|")
    for name, (make, shape, parts) in CASES.items():
        for num_latents in LENGTHS:
            once = counted(HALF, make, partial(whole, shape=shape, num_latents=num_latents))
            stream = counted(
                HALF, make, partial(streamed, shape=shape, num_latents=num_latents, parts=parts)
            )
            print(f"| {name} | {num_latents} | {once / GIB:.2f} | {stream / GIB:.2f} |", flush=True)


if __name__ == "__main__":
    main()
