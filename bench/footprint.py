"""Counts what real configurations hold in memory at their peak, beside what the plan expects.

    python bench/footprint.py [NAME...]

Modules are built on fake tensors: every shape is real, nothing is computed, no weights are needed.
A ratio above 1 means that the plan expects more than is needed, which is the side it should err on.
"""

import sys
import weakref
from collections.abc import Callable
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderKLAllegro,
    AutoencoderKLCogVideoX,
    AutoencoderKLCosmos,
    AutoencoderKLHunyuanVideo,
    AutoencoderKLHunyuanVideo15,
    AutoencoderKLLTX2Video,
    AutoencoderKLLTXVideo,
    AutoencoderKLMagvit,
    AutoencoderKLMochi,
    AutoencoderKLWan,
    CogVideoXTransformer3DModel,
    LTXVideoTransformer3DModel,
    UNet3DConditionModel,
    WanTransformer3DModel,
)
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from t2v.plan.footprint import Footprint, weights_of
from t2v.runtime.edges import edge_step
from t2v.zoo.catalog import Zoo

GIB = 2**30
Case = tuple[str, tuple[int, int, int], str, torch.dtype, Callable[[], Any], Callable[[Any], Any]]


class Peak(TorchDispatchMode):
    """Follows the bytes of all tensors that are alive, and remembers the most."""

    def __init__(self, known: list[torch.Tensor]) -> None:
        super().__init__()
        self.known = {tensor.untyped_storage()._cdata for tensor in known}
        self.alive: dict[int, int] = {}
        self.most = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run one operation and look at what it made."""
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, torch.Tensor):
                self._follow(leaf.untyped_storage())
        return result

    def _follow(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key in self.known or key in self.alive:
            return
        self.alive[key] = storage.nbytes()
        self.most = max(self.most, sum(self.alive.values()))
        weakref.finalize(storage, self.alive.pop, key, None)


def wan_transformer() -> Any:
    """Wan 2.1 1.3B."""
    return WanTransformer3DModel(
        num_attention_heads=12, attention_head_dim=128, ffn_dim=8960, num_layers=30
    )


def wan_denoise(module: Any) -> None:
    """832x480, 81 frames."""
    module(
        hidden_states=torch.zeros(1, 16, 21, 60, 104),
        timestep=torch.zeros(1, dtype=torch.long),
        encoder_hidden_states=torch.zeros(1, 512, 4096),
    )


def wan_decode(module: Any) -> None:
    """832x480; from the third latent on the peak stays."""
    module.decode(torch.zeros(1, 16, 3, 60, 104))


def ltx_denoise(module: Any) -> None:
    """704x512, 161 frames, both halves of guidance."""
    module(
        hidden_states=torch.zeros(2, 21 * 16 * 22, 128),
        encoder_hidden_states=torch.zeros(2, 128, 4096),
        timestep=torch.zeros(2, dtype=torch.long),
        encoder_attention_mask=torch.ones(2, 128),
        num_frames=21,
        height=16,
        width=22,
    )


def ltx_decode(module: Any) -> None:
    """704x512, 65 frames."""
    module.decode(torch.zeros(1, 128, 9, 16, 22))


def cogvideox_transformer() -> Any:
    """CogVideoX 5B."""
    return CogVideoXTransformer3DModel(
        num_attention_heads=48,
        num_layers=42,
        use_rotary_positional_embeddings=True,
    )


def cogvideox_denoise(module: Any) -> None:
    """720x480, 49 frames, both halves of guidance."""
    rotary = torch.zeros(13 * 30 * 45, 64)
    module(
        hidden_states=torch.zeros(2, 13, 16, 60, 90),
        encoder_hidden_states=torch.zeros(2, 226, 4096),
        timestep=torch.zeros(2, dtype=torch.long),
        image_rotary_emb=(rotary, rotary),
    )


def cogvideox_vae() -> Any:
    """The VAE of all CogVideoX."""
    return AutoencoderKLCogVideoX(block_out_channels=(128, 256, 256, 512), layers_per_block=3)


def cogvideox_decode(module: Any) -> None:
    """720x480, the first two batches of latents."""
    cache = None
    for batch in torch.zeros(1, 16, 4, 60, 90).split(2, dim=2):
        _, cache = module.decoder(batch, conv_cache=cache)


def modelscope_vae() -> Any:
    """The VAE of Stable Diffusion."""
    return AutoencoderKL(
        block_out_channels=(128, 256, 512, 512),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=2,
    )


def modelscope_denoise(module: Any) -> None:
    """576x320, 24 frames, both halves of guidance."""
    module(torch.zeros(2, 4, 24, 40, 72), torch.zeros(2).long(), torch.zeros(2, 77, 1024))


def hunyuan_decode(module: Any) -> None:
    """1280x720, one tile of time."""
    module.decoder(module.post_quant_conv(torch.zeros(1, 16, 5, 90, 160)))


def easyanimate_vae() -> Any:
    """The VAE of EasyAnimate 5.1."""
    return AutoencoderKLMagvit(
        latent_channels=16,
        block_out_channels=(128, 256, 512, 512),
        down_block_types=("SpatialDownBlock3D", *("SpatialTemporalDownBlock3D",) * 3),
    )


def mochi_stream(module: Any) -> None:
    """848x480, pieces of two latents."""
    step, memory = edge_step(module), {}
    for _ in range(3):
        step(torch.zeros(1, 12, 2, 60, 106), memory)


HALF = torch.bfloat16
CASES: dict[str, Case] = {
    "wan denoise": (
        "wan2.1-t2v-1.3b", (832, 480, 81), "denoising", HALF, wan_transformer, wan_denoise
    ),
    "wan decode": (
        "wan2.1-t2v-1.3b", (832, 480, 9), "decoding", torch.float32, AutoencoderKLWan, wan_decode
    ),
    "ltx denoise": (
        "ltx-video-2b-0.9", (704, 512, 161), "denoising", HALF, LTXVideoTransformer3DModel, ltx_denoise
    ),
    "ltx decode": (
        "ltx-video-2b-0.9", (704, 512, 65), "decoding", HALF, AutoencoderKLLTXVideo, ltx_decode
    ),
    "cogvideox denoise": (
        "cogvideox-5b", (720, 480, 49), "denoising", HALF, cogvideox_transformer, cogvideox_denoise
    ),
    "cogvideox decode": (
        "cogvideox-5b", (720, 480, 13), "decoding", HALF, cogvideox_vae, cogvideox_decode
    ),
    "hunyuan decode": (
        "hunyuan-video", (1280, 720, 129), "decoding", torch.float16,
        AutoencoderKLHunyuanVideo, hunyuan_decode,
    ),
    "hunyuan 1.5 decode": (
        "hunyuan-video-1.5-480p", (256, 256, 33), "decoding", HALF,
        AutoencoderKLHunyuanVideo15, lambda module: module.decoder(torch.zeros(1, 32, 9, 16, 16)),
    ),
    "ltx 2 decode": (
        "ltx-2", (768, 512, 121), "decoding", HALF, lambda: AutoencoderKLLTX2Video(decoder_causal=False),
        lambda module: module.decode(torch.zeros(1, 128, 16, 16, 24)),
    ),
    "mochi decode": (
        "mochi-1", (848, 480, 84), "decoding", HALF, AutoencoderKLMochi,
        lambda module: module.decode(torch.zeros(1, 12, 14, 60, 106)),
    ),
    "mochi, long": ("mochi-1", (848, 480, 84), "streaming", HALF, AutoencoderKLMochi, mochi_stream),
    "easyanimate decode": (
        "easyanimate-v5.1-12b", (512, 512, 49), "decoding", HALF, easyanimate_vae,
        lambda module: module.decode(torch.zeros(1, 16, 13, 64, 64)),
    ),
    "allegro decode": (
        "allegro", (1280, 720, 88), "decoding", torch.float32, AutoencoderKLAllegro,
        lambda module: module.decoder(torch.zeros(1, 4, 6, 40, 40)),
    ),
    "cosmos 1 decode": (
        "cosmos1-7b", (1280, 704, 121), "decoding", HALF, AutoencoderKLCosmos,
        lambda module: module.decode(torch.zeros(1, 16, 16, 88, 160)),
    ),
    "modelscope denoise": (
        "zeroscope-v2-576w", (576, 320, 24), "denoising", torch.float16,
        lambda: UNet3DConditionModel(cross_attention_dim=1024), modelscope_denoise,
    ),
    "modelscope decode": (
        "modelscope-1.7b", (256, 256, 16), "decoding", torch.float16,
        modelscope_vae, lambda module: module.decode(torch.zeros(16, 4, 32, 32)),
    ),
}  # fmt: skip


def counted(dtype: torch.dtype, make: Callable[[], Any], call: Callable[[Any], Any]) -> int:
    """Bytes held at the peak of a call, beside the weights."""
    torch.set_default_dtype(dtype)
    with FakeTensorMode(allow_non_fake_inputs=True), torch.no_grad():
        module = make().eval()
        with Peak([*module.parameters(), *module.buffers()]) as peak:
            call(module)
    return peak.most


def main(names: list[str]) -> None:
    """Print a line a case."""
    zoo = Zoo.load(overlays=False)
    for name in names or CASES:
        model, size, stage, dtype, make, call = CASES[name]
        spec = zoo.find(model)
        weights, is_streamed = weights_of(spec, "auto", "cuda"), stage == "streaming"
        footprint = Footprint(spec, weights, *size, "auto", "cuda", is_streamed)
        planned = footprint.denoising if stage == "denoising" else footprint.decoding
        expected, needed = planned(), counted(dtype, make, call)
        print(
            f"{name:20} needs {needed / GIB:6.2f} GiB, planned {expected / GIB:6.2f} GiB, "
            f"ratio {expected / needed:.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
