"""Tiny models over Stable Diffusion 1.5 and XL: AnimateDiff and Text2Video-Zero."""

# ruff: noqa: TID253 - tiny pipelines are made of torch

from typing import Any

import diffusers as df
from diffusers import DiffusionPipeline

from t2v.testing.parts import clip, clip_tokenizer, clip_with_projection, ddim, image_vae


def stable_diffusion_parts() -> dict[str, Any]:
    """The components of Stable Diffusion 1.5 that make pictures."""
    tokenizer = clip_tokenizer()
    unet = df.UNet2DConditionModel(
        block_out_channels=(8, 8),
        layers_per_block=1,
        sample_size=8,
        in_channels=4,
        out_channels=4,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=32,
        norm_num_groups=2,
    )
    return {
        "vae": image_vae(),
        "text_encoder": clip(tokenizer),
        "tokenizer": tokenizer,
        "unet": unet,
        "scheduler": ddim(),
    }


def stable_diffusion_xl_parts() -> dict[str, Any]:
    """The components of Stable Diffusion XL: two text encoders, and sizes among the inputs."""
    tokenizer, tokenizer_2 = clip_tokenizer(), clip_tokenizer()
    unet = df.UNet2DConditionModel(
        block_out_channels=(8, 16, 16),
        layers_per_block=1,
        sample_size=8,
        in_channels=4,
        out_channels=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=(2, 4, 4),
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        transformer_layers_per_block=(1, 1, 1),
        projection_class_embeddings_input_dim=6 * 8 + 32,
        cross_attention_dim=64,
        norm_num_groups=2,
    )
    return {
        "vae": image_vae(),
        "text_encoder": clip(tokenizer),
        "text_encoder_2": clip_with_projection(tokenizer_2),
        "tokenizer": tokenizer,
        "tokenizer_2": tokenizer_2,
        "unet": unet,
        "scheduler": ddim(),
    }


def motion_adapter(channels: tuple[int, ...] = (8, 8), *, mid_block: bool = True) -> Any:
    """What stands between the layers of the U-Net and looks along time, up to 32 frames."""
    return df.MotionAdapter(
        block_out_channels=channels,
        motion_layers_per_block=1,
        motion_norm_num_groups=2,
        motion_num_attention_heads=4,
        motion_max_seq_length=32,
        use_motion_mid_block=mid_block,
    )


def animatediff() -> DiffusionPipeline:
    """The U-Net of Stable Diffusion 1.5 with a motion adapter."""
    return df.AnimateDiffPipeline(**stable_diffusion_parts(), motion_adapter=motion_adapter())


def animatediff_sdxl() -> DiffusionPipeline:
    """The U-Net of Stable Diffusion XL with a motion adapter that leaves out its middle."""
    adapter = motion_adapter((8, 16, 16), mid_block=False)
    return df.AnimateDiffSDXLPipeline(**stable_diffusion_xl_parts(), motion_adapter=adapter)


def text2video_zero() -> DiffusionPipeline:
    """Stable Diffusion 1.5 as it is, without its safety checker."""
    return df.TextToVideoZeroPipeline(
        **stable_diffusion_parts(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def text2video_zero_sdxl() -> DiffusionPipeline:
    """Stable Diffusion XL as it is."""
    return df.TextToVideoZeroSDXLPipeline(**stable_diffusion_xl_parts(), add_watermarker=False)
