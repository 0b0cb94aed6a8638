"""Tiny Wan: one denoiser, two, and the 5B with its own VAE."""

# ruff: noqa: TID253 - tiny pipelines are made of torch

from typing import Any

import diffusers as df
from diffusers import DiffusionPipeline

from t2v.testing.parts import t5_tokenizer, umt5


def wan_vae() -> "df.AutoencoderKLWan":
    """The VAE of Wan 2.1 and of the many models built on it: 8 times in space, 4 in time."""
    return df.AutoencoderKLWan(
        base_dim=3,
        z_dim=16,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
    )


def wan_transformer(
    kind: Any = df.WanTransformer3DModel, channels: int = 16, **further: Any
) -> Any:
    """A denoiser in the shape of Wan's, of any class that takes its parameters."""
    common = {
        "patch_size": (1, 2, 2),
        "num_attention_heads": 2,
        "attention_head_dim": 12,
        "in_channels": channels,
        "out_channels": channels,
        "text_dim": 32,
        "freq_dim": 32,
        "ffn_dim": 32,
        "num_layers": 2,
        "cross_attn_norm": True,
        "rope_max_seq_len": 64,
    }
    return kind(**{**common, **further})


def unipc(flow_shift: float = 3.0) -> "df.UniPCMultistepScheduler":
    """The scheduler of Wan."""
    return df.UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=flow_shift
    )


def _wan_pipeline(**parts: Any) -> DiffusionPipeline:
    tokenizer = t5_tokenizer()
    common = {"tokenizer": tokenizer, "text_encoder": umt5(tokenizer), "scheduler": unipc()}
    return df.WanPipeline(**{**common, **parts})


def wan() -> DiffusionPipeline:
    """The 2.1 shape: one denoiser."""
    return _wan_pipeline(vae=wan_vae(), transformer=wan_transformer())


def wan_2_2() -> DiffusionPipeline:
    """Two denoisers that change over where most of the noise is gone."""
    return _wan_pipeline(
        vae=wan_vae(),
        transformer=wan_transformer(),
        transformer_2=wan_transformer(),
        boundary_ratio=0.875,
    )


def wan_2_2_vae() -> "df.AutoencoderKLWan":
    """The VAE of Wan 2.2 5B and of Cosmos 3: 16 times in space, 4 in time."""
    return df.AutoencoderKLWan(
        base_dim=3,
        z_dim=48,
        in_channels=12,
        out_channels=12,
        is_residual=True,
        patch_size=2,
        latents_mean=[0.0] * 48,
        latents_std=[1.0] * 48,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        scale_factor_spatial=16,
        scale_factor_temporal=4,
        temperal_downsample=[False, True, True],
    )


def wan_2_2_5b() -> DiffusionPipeline:
    """A timestep a token, and the VAE that shrinks 16 times."""
    return _wan_pipeline(
        vae=wan_2_2_vae(), transformer=wan_transformer(channels=48), expand_timesteps=True
    )
