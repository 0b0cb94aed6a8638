"""Tiny models with a U-Net in time and space over an image VAE."""

# ruff: noqa: TID253 - tiny pipelines are made of torch

import diffusers as df
from diffusers import DiffusionPipeline

from t2v.testing.parts import clip, clip_tokenizer, ddim, image_vae


def modelscope() -> DiffusionPipeline:
    """The U-Net in time and space."""
    tokenizer = clip_tokenizer()
    unet = df.UNet3DConditionModel(
        block_out_channels=(8, 16),
        layers_per_block=1,
        sample_size=8,
        in_channels=4,
        out_channels=4,
        down_block_types=("CrossAttnDownBlock3D", "DownBlock3D"),
        up_block_types=("UpBlock3D", "CrossAttnUpBlock3D"),
        cross_attention_dim=32,
        attention_head_dim=4,
        norm_num_groups=2,
    )
    return df.TextToVideoSDPipeline(
        vae=image_vae(),
        text_encoder=clip(tokenizer),
        tokenizer=tokenizer,
        unet=unet,
        scheduler=ddim(),
    )
