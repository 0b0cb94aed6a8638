"""Tiny SANA-Video."""

# ruff: noqa: TID253 - tiny pipelines are made of torch

from typing import Any

import diffusers as df
from diffusers import DiffusionPipeline

from t2v.testing.gemma import gemma2, gemma_tokenizer
from t2v.testing.ltx2 import ltx2_vae
from t2v.testing.wan import wan_vae


def _sana(vae: Any, channels: int, sample_size: int) -> DiffusionPipeline:
    tokenizer = gemma_tokenizer()
    transformer = df.SanaVideoTransformer3DModel(
        in_channels=channels,
        out_channels=channels,
        num_attention_heads=2,
        attention_head_dim=12,
        num_layers=2,
        num_cross_attention_heads=2,
        cross_attention_head_dim=12,
        cross_attention_dim=24,
        caption_channels=8,
        sample_size=sample_size,
        patch_size=(1, 2, 2) if sample_size == 30 else (1, 1, 1),
        rope_max_seq_len=64,
    )
    scheduler = df.DPMSolverMultistepScheduler(
        use_flow_sigmas=True, prediction_type="flow_prediction", flow_shift=8.0
    )
    return df.SanaVideoPipeline(
        tokenizer=tokenizer,
        text_encoder=gemma2(tokenizer),
        vae=vae,
        transformer=transformer,
        scheduler=scheduler,
    )


def sana_video() -> DiffusionPipeline:
    """The 480p shape, over the VAE of Wan."""
    return _sana(wan_vae(), 16, 30)


def sana_video_720p() -> DiffusionPipeline:
    """The 720p shape, over the VAE of LTX-2."""
    return _sana(ltx2_vae(), 4, 22)
