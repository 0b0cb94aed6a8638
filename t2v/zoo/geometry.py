"""Frames, latents and sizes of a pipeline, from the configs of its VAE and its denoiser."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_FIXED_RATIOS = {"AutoencoderKLMochi": (6, 8), "AutoencoderKLMagvit": (4, 8)}
"""VAEs whose code has the ratios that their config does not: (temporal, spatial)."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """What the configs say; None where they are silent."""

    frame_multiple: int | None = None
    frame_plus: int | None = None
    native_frames: int | None = None
    max_frames: int | None = None
    latent_factor: int | None = None
    """Pixel frames of every latent frame but the first."""
    latent_first: int | None = None
    """Pixel frames of the first latent frame."""
    latent_patch: int | None = None
    """Latent frames that the denoiser takes as one."""
    size_multiple: int | None = None
    native_size: tuple[int, int] | None = None
    """Width and height in pixels."""


def geometry_of(vae: Mapping[str, Any], denoiser: Mapping[str, Any]) -> Geometry:
    """Combine the compression of the VAE with the patches of the denoiser.

    ```python
    wan = {"scale_factor_spatial": 8, "scale_factor_temporal": 4}
    geometry_of(wan, {"patch_size": [1, 2, 2]}).size_multiple   # 16
    ```
    """
    temporal, spatial = vae_ratios(vae)
    patch_t, patch = patch_sizes(denoiser)
    multiple, plus = _frame_rule(vae, temporal, patch_t)
    return Geometry(
        frame_multiple=multiple,
        frame_plus=plus,
        native_frames=_native_frames(denoiser),
        max_frames=_max_frames(denoiser, temporal),
        latent_factor=temporal,
        latent_first=temporal and _first_latent(vae, temporal),
        latent_patch=temporal and patch_t,
        # Every pipeline asks for multiples of 8, whatever its VAE does.
        size_multiple=math.lcm(spatial * patch * _block_size(denoiser), 8) if spatial else None,
        native_size=_native_size(denoiser, spatial),
    )


def vae_ratios(vae: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """How many frames and how many pixels of one side a latent stands for."""
    name = str(vae.get("_class_name"))
    if name in _FIXED_RATIOS:
        return _FIXED_RATIOS[name]
    scaling = vae.get("spatio_temporal_scaling")
    halvings = 2 ** sum(map(bool, scaling)) if isinstance(scaling, list) else None
    temporal = _first(vae, "scale_factor_temporal", "temporal_compression_ratio")
    spatial = _first(vae, "scale_factor_spatial", "spatial_compression_ratio")
    if halvings:
        temporal = temporal or halvings * (_positive(vae.get("patch_size_t")) or 1)
        spatial = spatial or halvings * (_positive(vae.get("patch_size")) or 1)
    blocks = vae.get("block_out_channels")
    if spatial is None and isinstance(blocks, list) and 0 < len(blocks) < 10:
        spatial = 2 ** (len(blocks) - 1)
    if temporal is None and name == "AutoencoderKL":
        temporal = 1
    return temporal, spatial


def patch_sizes(denoiser: Mapping[str, Any]) -> tuple[int, int]:
    """How many latents a token spans, in time and along a side."""
    patch = denoiser.get("patch_size")
    if isinstance(patch, list) and len(patch) == 3:
        time, height, width = (_positive(p) or 1 for p in patch)
        return time, max(height, width)
    return _positive(denoiser.get("patch_size_t")) or 1, _positive(patch) or 1


def _block_size(denoiser: Mapping[str, Any]) -> int:
    """How many tokens along a side sparse attention takes as one."""
    return 8 if denoiser.get("attention_type") == "nabla" else 1


def _frame_rule(
    vae: Mapping[str, Any], temporal: int | None, patch: int
) -> tuple[int | None, int | None]:
    if temporal is None:
        return None, None
    if temporal == 1 or not _is_causal(vae):
        return temporal * patch, 0
    # This decoder turns an even number of latents into 4 n frames instead of 4 n + 1.
    odd_latents = 2 if vae.get("_class_name") == "AutoencoderKLCogVideoX" else 1
    return temporal * odd_latents * patch, 1


def _is_causal(vae: Mapping[str, Any]) -> bool:
    """Whether the first latent stands for one frame, so that a picture is a video too."""
    return vae.get("_class_name") != "AutoencoderKLAllegro"


def _first_latent(vae: Mapping[str, Any], temporal: int) -> int:
    return 1 if _is_causal(vae) else temporal


def _native_frames(denoiser: Mapping[str, Any]) -> int | None:
    # Others count latents here.
    if denoiser.get("_class_name") == "CogVideoXTransformer3DModel":
        return _positive(denoiser.get("sample_frames"))
    return None


def _max_frames(denoiser: Mapping[str, Any], temporal: int | None) -> int | None:
    motion = _positive(denoiser.get("motion_max_seq_length"))
    if motion:
        return motion
    positions = _positive(denoiser.get("rope_max_seq_len"))
    return (positions - 1) * temporal + 1 if positions and temporal else None


def _native_size(denoiser: Mapping[str, Any], spatial: int | None) -> tuple[int, int] | None:
    height, width = denoiser.get("sample_height"), denoiser.get("sample_width")
    sample = denoiser.get("sample_size")
    if str(denoiser.get("_class_name")).startswith("UNet") and sample:
        height, width = sample if isinstance(sample, list) and len(sample) == 2 else (sample,) * 2
    high, wide = _positive(height), _positive(width)
    return (wide * spatial, high * spatial) if high and wide and spatial else None


def _first(config: Mapping[str, Any], *keys: str) -> int | None:
    return next((value for key in keys if (value := _positive(config.get(key)))), None)


def _positive(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1_000_000:
        return value
    return None
