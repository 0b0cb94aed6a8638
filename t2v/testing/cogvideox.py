"""Tiny CogVideoX: 2B, 5B and 1.5."""

# ruff: noqa: TID253 - tiny pipelines are made of torch

from typing import Any

import diffusers as df
from diffusers import DiffusionPipeline

from t2v.testing.parts import t5, t5_tokenizer


def _cogvideox_pipeline(
    scheduler: Any, *, rotary: bool, patch_size_t: int | None = None
) -> DiffusionPipeline:
    tokenizer = t5_tokenizer()
    transformer = df.CogVideoXTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=16,
        in_channels=4,
        out_channels=4,
        time_embed_dim=8,
        text_embed_dim=32,
        num_layers=1,
        sample_width=4,
        sample_height=4,
        sample_frames=9 if patch_size_t is None else 17,
        patch_size=2,
        patch_size_t=patch_size_t,
        patch_bias=patch_size_t is None,
        temporal_compression_ratio=4,
        max_text_seq_length=226,
        use_rotary_positional_embeddings=rotary,
    )
    vae = df.AutoencoderKLCogVideoX(
        block_out_channels=(8, 8, 8, 8),
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=2,
        temporal_compression_ratio=4,
    )
    return df.CogVideoXPipeline(
        tokenizer=tokenizer,
        text_encoder=t5(tokenizer),
        vae=vae,
        transformer=transformer,
        scheduler=scheduler,
    )


def cogvideox() -> DiffusionPipeline:
    """The 2B shape: sine and cosine positions."""
    return _cogvideox_pipeline(df.CogVideoXDDIMScheduler(), rotary=False)


def cogvideox_5b() -> DiffusionPipeline:
    """Rotary positions, and a scheduler that remembers the step before."""
    return _cogvideox_pipeline(df.CogVideoXDPMScheduler(), rotary=True)


def cogvideox_1_5() -> DiffusionPipeline:
    """Latents in pairs: an odd number is padded in front."""
    return _cogvideox_pipeline(df.CogVideoXDPMScheduler(), rotary=True, patch_size_t=2)
