"""Tiny models with a transformer that have no family of their own yet."""

# ruff: noqa: TID253 - tiny pipelines are made of torch

import diffusers as df
import torch
from diffusers import DiffusionPipeline

from t2v.testing.parts import ddim, image_vae, t5, t5_tokenizer


def latte() -> DiffusionPipeline:
    """The length is called video_length, and has to be 16."""
    tokenizer = t5_tokenizer()
    transformer = df.LatteTransformer3DModel(
        sample_size=4,
        num_layers=1,
        patch_size=2,
        attention_head_dim=8,
        num_attention_heads=3,
        caption_channels=32,
        in_channels=4,
        cross_attention_dim=24,
        out_channels=8,
        attention_bias=True,
        activation_fn="gelu-approximate",
        num_embeds_ada_norm=1000,
        norm_type="ada_norm_single",
        norm_elementwise_affine=False,
        norm_eps=1e-6,
        video_length=16,
    )
    return df.LattePipeline(
        tokenizer=tokenizer,
        text_encoder=t5(tokenizer),
        vae=image_vae(),
        transformer=transformer,
        scheduler=ddim(),
    )


def mochi() -> DiffusionPipeline:
    """Latents of 12 channels, 6 frames each."""
    tokenizer = t5_tokenizer()
    transformer = df.MochiTransformer3DModel(
        patch_size=2,
        num_attention_heads=2,
        attention_head_dim=8,
        num_layers=2,
        pooled_projection_dim=16,
        in_channels=12,
        text_embed_dim=32,
        time_embed_dim=4,
        max_sequence_length=16,
    )
    torch.nn.init.normal_(transformer.pos_frequencies, std=0.02)
    vae = df.AutoencoderKLMochi(
        latent_channels=12,
        out_channels=3,
        encoder_block_out_channels=(32, 32, 32, 32),
        decoder_block_out_channels=(32, 32, 32, 32),
        layers_per_block=(1, 1, 1, 1, 1),
    )
    return df.MochiPipeline(
        scheduler=df.FlowMatchEulerDiscreteScheduler(invert_sigmas=True),
        vae=vae,
        text_encoder=t5(tokenizer),
        tokenizer=tokenizer,
        transformer=transformer,
    )
