"""Tiny Cosmos 1.0, Predict 2.5 and 3, with a guardrail that can be told what to do.

They are built, and not saved and loaded: the real guardrail is part of every Cosmos pipeline, and
loading one makes it, with its own gigabytes.
"""

# ruff: noqa: TID253 - tiny pipelines are made of torch

from typing import Any

import diffusers as df
import numpy as np
import torch
from diffusers import DiffusionPipeline

from t2v.testing.parts import qwen_tokenizer, t5, t5_tokenizer
from t2v.testing.qwen_vl import qwen_vl
from t2v.testing.wan import unipc, wan_2_2_vae, wan_vae


class Guardrail(torch.nn.Module):  # type: ignore[misc]
    """Stands in for the real one: remembers what it saw, and darkens what it is shown."""

    device = torch.device("cpu")
    dtype = torch.float32

    def __init__(self) -> None:
        super().__init__()
        self.prompts: list[str] = []
        self.num_clips = 0
        self.lets_prompts_pass = True
        self.lets_clips_pass = True

    def check_text_safety(self, prompt: str) -> bool:
        """Whether the prompt may pass."""
        self.prompts.append(prompt)
        return self.lets_prompts_pass

    def check_video_safety(self, frames: "np.ndarray") -> "np.ndarray | None":
        """The clip, half as bright as before; None where it may not pass."""
        self.num_clips += 1
        return frames // 2 if self.lets_clips_pass else None


def _transformer(**sizes: Any) -> "df.CosmosTransformer3DModel":
    common = {
        "num_attention_heads": 2,
        "attention_head_dim": 16,
        "num_layers": 2,
        "mlp_ratio": 2,
        "adaln_lora_dim": 4,
        "max_size": (16, 32, 32),
        "patch_size": (1, 2, 2),
    }
    return df.CosmosTransformer3DModel(**{**common, **sizes})


def cosmos() -> DiffusionPipeline:
    """The shape of 1.0; its VAE has statistics for each of 3 latent frames."""
    tokenizer = t5_tokenizer()
    vae = df.AutoencoderKLCosmos(
        latent_channels=4,
        encoder_block_out_channels=(8, 8, 8, 8),
        decode_block_out_channels=(8, 8, 8, 8),
        attention_resolutions=(8,),
        resolution=64,
        num_layers=1,
        spatial_compression_ratio=8,
        temporal_compression_ratio=8,
        latents_mean=[0.1 * n for n in range(12)],
        latents_std=[1 + 0.1 * n for n in range(12)],
    )
    scheduler = df.EDMEulerScheduler(
        sigma_min=0.002,
        sigma_max=80,
        sigma_data=0.5,
        sigma_schedule="karras",
        prediction_type="epsilon",
        final_sigmas_type="sigma_min",
    )
    return df.CosmosTextToWorldPipeline(
        text_encoder=t5(tokenizer),
        tokenizer=tokenizer,
        transformer=_transformer(in_channels=4, out_channels=4, text_embed_dim=32),
        vae=vae,
        scheduler=scheduler,
        safety_checker=Guardrail(),
    )


def cosmos_2_5() -> DiffusionPipeline:
    """The shape of Predict 2.5, over the VAE of Wan."""
    tokenizer = qwen_tokenizer()
    num_layers, dim = 2, 32
    return df.Cosmos2_5_PredictBasePipeline(
        text_encoder=qwen_vl(tokenizer, dim, num_layers),
        tokenizer=tokenizer,
        transformer=_transformer(in_channels=17, out_channels=16, text_embed_dim=num_layers * dim),
        vae=wan_vae(),
        scheduler=unipc(3.0),
        safety_checker=Guardrail(),
    )


def cosmos3(*, sound: bool = True) -> DiffusionPipeline:
    """The shape of 3: no text encoder, and sound in 25 latents a second."""
    tokenizer = qwen_tokenizer()
    tokenizer.add_tokens(["<|vision_start|>"], special_tokens=True)
    transformer = df.Cosmos3OmniTransformer(
        head_dim=16,
        hidden_size=32,
        intermediate_size=64,
        num_attention_heads=2,
        num_hidden_layers=2,
        num_key_value_heads=1,
        rope_axes_dim=(4, 2, 2),
        vocab_size=len(tokenizer),
        sound_dim=4 if sound else None,
        sound_gen=sound,
    )
    audio = df.Cosmos3AVAEAudioTokenizer(
        sampling_rate=16000,
        vocoder_input_dim=4,
        dec_dim=4,
        dec_c_mults=(1, 2),
        dec_strides=(16, 40),
        encoder_enabled=False,
    )
    return df.Cosmos3OmniPipeline(
        transformer=transformer,
        text_tokenizer=tokenizer,
        vae=wan_2_2_vae(),
        scheduler=unipc(10.0),
        sound_tokenizer=audio if sound else None,
        safety_checker=Guardrail(),
    )
