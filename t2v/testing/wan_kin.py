"""Tiny models built on Wan's parts: SkyReels-V2, VACE, Motif-Video, Helios and AnyFlow."""

# ruff: noqa: TID253 - tiny pipelines are made of torch

from typing import Any

import diffusers as df
import transformers as tf
from diffusers import DiffusionPipeline

from t2v.testing.parts import t5_tokenizer, umt5
from t2v.testing.wan import unipc, wan_transformer, wan_vae


def _pipeline(kind: Any, transformer: Any, scheduler: Any, **further: Any) -> DiffusionPipeline:
    tokenizer = t5_tokenizer()
    return kind(
        tokenizer=tokenizer,
        text_encoder=umt5(tokenizer),
        vae=wan_vae(),
        transformer=transformer,
        scheduler=scheduler,
        **further,
    )


def skyreels_v2() -> DiffusionPipeline:
    """The clip in one piece."""
    transformer = wan_transformer(df.SkyReelsV2Transformer3DModel)
    return _pipeline(df.SkyReelsV2Pipeline, transformer, unipc(8.0))


def skyreels_v2_df() -> DiffusionPipeline:
    """Diffusion forcing: a timestep and a scheduler for every latent frame."""
    transformer = wan_transformer(df.SkyReelsV2Transformer3DModel)
    return _pipeline(df.SkyReelsV2DiffusionForcingPipeline, transformer, unipc(8.0))


def wan_vace() -> DiffusionPipeline:
    """Control layers beside the denoiser, which a prompt alone leaves neutral."""
    transformer = wan_transformer(
        df.WanVACETransformer3DModel, vace_layers=[0], vace_in_channels=96
    )
    return _pipeline(df.WanVACEPipeline, transformer, unipc())


def _helios_transformer() -> "df.HeliosTransformer3DModel":
    return df.HeliosTransformer3DModel(
        patch_size=(1, 2, 2),
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=16,
        out_channels=16,
        text_dim=32,
        freq_dim=32,
        ffn_dim=32,
        num_layers=1,
        rope_dim=(4, 4, 4),
    )


def helios() -> DiffusionPipeline:
    """Chunks of 33 frames, each made from those before it."""
    scheduler = df.HeliosScheduler(stages=1, stage_range=[0, 1], use_dynamic_shifting=True)
    return _pipeline(df.HeliosPipeline, _helios_transformer(), scheduler)


def helios_pyramid() -> DiffusionPipeline:
    """Each chunk first at a quarter, then at half and at last at full size."""
    scheduler = df.HeliosScheduler(gamma=0.25)
    kind = df.HeliosPyramidPipeline
    return _pipeline(kind, _helios_transformer(), scheduler, is_cfg_zero_star=True)


def helios_distilled() -> DiffusionPipeline:
    """The pyramid in a few steps and without guidance."""
    scheduler = df.HeliosDMDScheduler(gamma=0.25)
    return _pipeline(df.HeliosPyramidPipeline, _helios_transformer(), scheduler, is_distilled=True)


def anyflow() -> DiffusionPipeline:
    """A flow map: the denoiser is told where a step starts and where it ends."""
    transformer = wan_transformer(df.AnyFlowTransformer3DModel)
    return _pipeline(df.AnyFlowPipeline, transformer, df.FlowMapEulerDiscreteScheduler(shift=5.0))


def anyflow_far() -> DiffusionPipeline:
    """The flow map chunk by chunk, each attending to those before it."""
    transformer = wan_transformer(
        df.AnyFlowFARTransformer3DModel, attention_head_dim=16, chunk_partition=(1, 3)
    )
    return _pipeline(
        df.AnyFlowFARPipeline, transformer, df.FlowMapEulerDiscreteScheduler(shift=5.0)
    )


def motif_video() -> DiffusionPipeline:
    """Guidance in a component of its own, which remembers the steps before."""
    tokenizer = t5_tokenizer()
    text = {
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "vocab_size": len(tokenizer) + 8,
        "max_position_embeddings": 1024,
        "head_dim": 16,
        "num_key_value_heads": 2,
        "dropout_rate": 0.0,
    }
    vision = {
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 28,
        "patch_size": 14,
    }
    encoder = tf.T5Gemma2EncoderConfig(
        text_config=text, vision_config=vision, mm_tokens_per_image=4
    )
    transformer = df.MotifVideoTransformer3DModel(
        in_channels=33,
        out_channels=16,
        num_attention_heads=2,
        attention_head_dim=12,
        num_layers=1,
        num_single_layers=1,
        patch_size=2,
        patch_size_t=1,
        text_embed_dim=32,
        rope_axes_dim=(4, 4, 4),
    )
    return df.MotifVideoPipeline(
        scheduler=df.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        vae=wan_vae(),
        text_encoder=tf.T5Gemma2Encoder(encoder),
        tokenizer=tokenizer,
        transformer=transformer,
        guider=df.AdaptiveProjectedGuidance(
            guidance_scale=8.0, adaptive_projected_guidance_momentum=0.1
        ),
    )
