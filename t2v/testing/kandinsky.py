"""Tiny Kandinsky 5 and 6."""

# ruff: noqa: TID253 - tiny pipelines are made of torch

from typing import Any

import diffusers as df
import torch
from diffusers import DiffusionPipeline

from t2v.testing.parts import clip, clip_tokenizer, qwen_tokenizer
from t2v.testing.qwen_vl import qwen_vl


def _parts() -> dict[str, Any]:
    tokenizer, tokenizer_2 = qwen_tokenizer(), clip_tokenizer()
    return {
        "vae": df.AutoencoderKLHunyuanVideo(
            latent_channels=16,
            block_out_channels=(8, 8, 8, 8),
            layers_per_block=1,
            norm_num_groups=4,
        ),
        "text_encoder": qwen_vl(tokenizer),
        "tokenizer": tokenizer,
        "text_encoder_2": clip(tokenizer_2),
        "tokenizer_2": tokenizer_2,
        "scheduler": df.FlowMatchEulerDiscreteScheduler(shift=5.0),
    }


def _sizes() -> dict[str, Any]:
    return {
        "in_visual_dim": 16,
        "out_visual_dim": 16,
        "in_text_dim": 32,
        "in_text_dim2": 32,
        "time_dim": 16,
        "ff_dim": 32,
        "num_text_blocks": 1,
        "num_visual_blocks": 2,
        "visual_cond": True,
    }


def _awake(transformer: Any) -> Any:
    """With random weights where the class begins with zeros, through which nothing would be seen."""
    for parameter in transformer.parameters():
        if parameter.ndim == 2 and not parameter.any():
            torch.nn.init.normal_(parameter, std=0.2)
    return transformer


def kandinsky5() -> DiffusionPipeline:
    """The 5 second shape of Lite: every token attends to every other."""
    transformer = df.Kandinsky5Transformer3DModel(
        **_sizes(), model_dim=16, patch_size=(1, 2, 2), axes_dims=(4, 6, 6)
    )
    return df.Kandinsky5T2VPipeline(transformer=_awake(transformer), **_parts())


def kandinsky5_nabla() -> DiffusionPipeline:
    """The 10 second shape: attention to some blocks of 64 tokens."""
    transformer = df.Kandinsky5Transformer3DModel(
        **_sizes(),
        model_dim=32,
        patch_size=(1, 2, 2),
        axes_dims=(8, 12, 12),
        attention_type="nabla",
        attention_causal=False,
        attention_local=False,
        attention_glob=False,
        attention_window=3,
        attention_P=0.9,
        attention_wT=3,
        attention_wW=3,
        attention_wH=3,
        attention_add_sta=True,
        attention_method="topcdf",
    )
    return df.Kandinsky5T2VPipeline(transformer=_awake(transformer), **_parts())


def kandinsky6(*, sound: bool = True) -> DiffusionPipeline:
    """Pictures and sound together; the sound has its real rate and length."""
    transformer = df.Kandinsky6Transformer3DModel(
        **_sizes(), model_dim=16, axes_dims=(4, 6, 6), in_audio_dim=4, out_audio_dim=4
    )
    parts = _parts()
    if sound:
        parts["audio_vae"] = df.MMAudioVAE(
            mel_bins=8,
            latent_channels=4,
            hidden_channels=8,
            channel_multipliers=(1, 2),
            layers_per_block=1,
            n_fft=256,
        )
        parts["vocoder"] = df.MMAudioVocoder(
            num_mels=8,
            upsample_initial_channel=16,
            upsample_rates=(16, 16, 2),
            upsample_kernel_sizes=(32, 32, 4),
            resblock_kernel_sizes=(3,),
            resblock_dilation_sizes=((1, 3, 5),),
        )
    return df.Kandinsky6TI2VAPipeline(transformer=_awake(transformer), **parts)


def kandinsky6_silent() -> DiffusionPipeline:
    """A repository without the parts that make sound."""
    return kandinsky6(sound=False)
