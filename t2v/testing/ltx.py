"""Tiny LTX-Video: the first class, and the one of 0.9.5 and later."""

# ruff: noqa: TID253 - tiny pipelines are made of torch

from typing import Any

import diffusers as df
from diffusers import DiffusionPipeline

from t2v.testing.parts import t5, t5_tokenizer


def _ltx_parts(*, timestep_conditioning: bool = False) -> dict[str, Any]:
    tokenizer = t5_tokenizer()
    transformer = df.LTXVideoTransformer3DModel(
        in_channels=8,
        out_channels=8,
        num_attention_heads=2,
        attention_head_dim=16,
        cross_attention_dim=32,
        num_layers=1,
        caption_channels=32,
    )
    vae = df.AutoencoderKLLTXVideo(
        latent_channels=8,
        block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(8, 8, 8, 8),
        layers_per_block=(1, 1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1, 1),
        timestep_conditioning=timestep_conditioning,
    )
    return {
        "scheduler": df.FlowMatchEulerDiscreteScheduler(),
        "vae": vae,
        "text_encoder": t5(tokenizer),
        "tokenizer": tokenizer,
        "transformer": transformer,
    }


def ltx() -> DiffusionPipeline:
    """The class of 0.9."""
    return df.LTXPipeline(**_ltx_parts())


def ltx_0_9_5() -> DiffusionPipeline:
    """The class of 0.9.5 and later, with a decoder that takes a timestep."""
    return df.LTXConditionPipeline(**_ltx_parts(timestep_conditioning=True))


def ltx_long() -> DiffusionPipeline:
    """The class that makes windows of 0.9.8 one after another, with the scheduler it is made for."""
    parts = _ltx_parts(timestep_conditioning=True)
    return df.LTXI2VLongMultiPromptPipeline(
        **parts | {"scheduler": df.LTXEulerAncestralRFScheduler()}
    )
