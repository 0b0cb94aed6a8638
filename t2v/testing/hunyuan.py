"""Tiny HunyuanVideo, the first and 1.5."""

# ruff: noqa: TID253 - tiny pipelines are made of torch

import diffusers as df
import transformers as tf
from diffusers import DiffusionPipeline

from t2v.testing.parts import (
    clip,
    clip_tokenizer,
    llama_tokenizer,
    qwen_text_config,
    qwen_tokenizer,
)


def hunyuan_video() -> DiffusionPipeline:
    """Guidance as an input of the denoiser, and a VAE that decodes 16 frames at a time."""
    tokenizer, tokenizer_2 = llama_tokenizer(), clip_tokenizer()
    llama = tf.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=32,
        num_attention_heads=4,
        num_key_value_heads=4,
        num_hidden_layers=3,
        # The pipeline's own template alone has some hundred letters.
        max_position_embeddings=4096,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=1,
        eos_token_id=2,
    )
    transformer = df.HunyuanVideoTransformer3DModel(
        in_channels=4,
        out_channels=4,
        num_attention_heads=2,
        attention_head_dim=10,
        num_layers=1,
        num_single_layers=1,
        num_refiner_layers=1,
        patch_size=2,
        patch_size_t=1,
        guidance_embeds=True,
        text_embed_dim=16,
        pooled_projection_dim=32,
        rope_axes_dim=(2, 4, 4),
    )
    vae = df.AutoencoderKLHunyuanVideo(
        latent_channels=4, block_out_channels=(8, 8, 8, 8), layers_per_block=1, norm_num_groups=4
    )
    return df.HunyuanVideoPipeline(
        text_encoder=tf.LlamaModel(llama),
        tokenizer=tokenizer,
        transformer=transformer,
        vae=vae,
        scheduler=df.FlowMatchEulerDiscreteScheduler(shift=7.0),
        text_encoder_2=clip(tokenizer_2),
        tokenizer_2=tokenizer_2,
    )


def hunyuan_video_15() -> DiffusionPipeline:
    """Guidance in a component of its own, no callback, and a second encoder for quoted words."""
    tokenizer = qwen_tokenizer()
    glyphs = tf.T5Config(
        vocab_size=384, d_model=32, d_ff=64, d_kv=8, num_heads=4, num_layers=1, num_decoder_layers=1
    )
    transformer = df.HunyuanVideo15Transformer3DModel(
        in_channels=9,
        out_channels=4,
        num_attention_heads=2,
        attention_head_dim=8,
        num_layers=1,
        num_refiner_layers=1,
        mlp_ratio=2.0,
        patch_size=1,
        patch_size_t=1,
        text_embed_dim=16,
        text_embed_2_dim=32,
        image_embed_dim=12,
        rope_axes_dim=(2, 2, 4),
        target_size=16,
        task_type="t2v",
    )
    vae = df.AutoencoderKLHunyuanVideo15(
        latent_channels=4,
        block_out_channels=(16, 16),
        layers_per_block=1,
        spatial_compression_ratio=4,
        temporal_compression_ratio=2,
        downsample_match_channel=False,
        upsample_match_channel=False,
    )
    return df.HunyuanVideo15Pipeline(
        text_encoder=tf.Qwen2_5_VLTextModel(qwen_text_config(tokenizer, dim=16, num_layers=3)),
        tokenizer=tokenizer,
        transformer=transformer,
        vae=vae,
        scheduler=df.FlowMatchEulerDiscreteScheduler(shift=7.0),
        text_encoder_2=tf.T5EncoderModel(glyphs),
        tokenizer_2=tf.ByT5Tokenizer(),
        guider=df.ClassifierFreeGuidance(guidance_scale=6.0),
    )
