"""Tiny Latte, Mochi, Allegro and EasyAnimate."""

# ruff: noqa: TID253 - tiny pipelines are made of torch

import diffusers as df
import torch
import transformers as tf
from diffusers import DiffusionPipeline

from t2v.testing.parts import ddim, image_vae, qwen_tokenizer, t5, t5_tokenizer


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


def allegro() -> DiffusionPipeline:
    """Cubes of 24 frames and 128 x 128 pixels, which overlap by 120 down and by 80 across."""
    tokenizer = t5_tokenizer()
    transformer = df.AllegroTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=4,
        out_channels=4,
        num_layers=1,
        cross_attention_dim=24,
        sample_width=16,
        sample_height=16,
        sample_frames=6,
        caption_channels=24,
    )
    vae = df.AutoencoderKLAllegro(
        block_out_channels=(8, 8, 8, 8),
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=2,
        temporal_compression_ratio=4,
        sample_size=128,
    )
    return df.AllegroPipeline(
        tokenizer=tokenizer,
        text_encoder=t5(tokenizer, 24),
        vae=vae,
        transformer=transformer,
        scheduler=df.EulerAncestralDiscreteScheduler(),
    )


def easyanimate() -> DiffusionPipeline:
    """A language model that could also see, and a causal VAE that remembers in its layers."""
    tokenizer = qwen_tokenizer()
    transformer = df.EasyAnimateTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=16,
        in_channels=4,
        out_channels=4,
        time_embed_dim=8,
        text_embed_dim=16,
        num_layers=1,
        mmdit_layers=1,
        sample_width=16,
        sample_height=16,
        patch_size=2,
    )
    vae = df.AutoencoderKLMagvit(
        latent_channels=4,
        block_out_channels=[8, 8, 8, 8],
        layers_per_block=1,
        norm_num_groups=2,
        spatial_group_norm=True,
    )
    return df.EasyAnimatePipeline(
        vae=vae,
        text_encoder=_qwen2_vl(tokenizer),
        tokenizer=tokenizer,
        transformer=transformer,
        scheduler=df.FlowMatchEulerDiscreteScheduler(),
    )


def _qwen2_vl(tokenizer: "tf.Qwen2Tokenizer") -> "tf.Qwen2VLForConditionalGeneration":
    rope = {"mrope_section": [1, 1, 2], "rope_type": "default", "rope_theta": 1e6}
    config = tf.Qwen2VLConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": 16,
            "intermediate_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "max_position_embeddings": 4096,
            "rope_parameters": rope,
            "bos_token_id": None,
            "eos_token_id": None,
            "pad_token_id": None,
        },
        vision_config={
            "depth": 1,
            "embed_dim": 16,
            "hidden_size": 16,
            "num_heads": 2,
            "mlp_ratio": 2,
        },
        image_token_id=1,
        video_token_id=2,
        vision_start_token_id=3,
        vision_end_token_id=4,
    )
    return tf.Qwen2VLForConditionalGeneration(config)
