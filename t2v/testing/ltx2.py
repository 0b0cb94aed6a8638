"""Tiny LTX-2: random weights in the real proportions, sound at its real length."""

# ruff: noqa: TID253 - tiny pipelines are made of torch

from typing import Any

import diffusers as df
from diffusers import DiffusionPipeline
from diffusers.pipelines.ltx2 import LTX2TextConnectors, LTX2Vocoder

from t2v.testing.gemma import gemma3, gemma_tokenizer

_DIM = 16
_NUM_TEXT_LAYERS = 2


def _transformer() -> "df.LTX2VideoTransformer3DModel":
    return df.LTX2VideoTransformer3DModel(
        in_channels=4,
        out_channels=4,
        num_attention_heads=2,
        attention_head_dim=8,
        cross_attention_dim=16,
        audio_in_channels=4,
        audio_out_channels=4,
        audio_num_attention_heads=2,
        audio_attention_head_dim=4,
        audio_cross_attention_dim=8,
        num_layers=2,
        caption_channels=_DIM,
        rope_double_precision=False,
        rope_type="split",
    )


def _connectors() -> LTX2TextConnectors:
    both: dict[str, Any] = {}
    for kind in ("video", "audio"):
        both[f"{kind}_connector_num_attention_heads"] = 4
        both[f"{kind}_connector_attention_head_dim"] = 4
        both[f"{kind}_connector_num_layers"] = 1
        both[f"{kind}_connector_num_learnable_registers"] = None
    return LTX2TextConnectors(
        caption_channels=_DIM,
        text_proj_in_factor=_NUM_TEXT_LAYERS + 1,
        connector_rope_base_seq_len=32,
        rope_theta=10000.0,
        rope_double_precision=False,
        causal_temporal_positioning=False,
        rope_type="split",
        **both,
    )


def ltx2_vae(*, timestep_conditioning: bool = False) -> "df.AutoencoderKLLTX2Video":
    """32 times smaller in space and 8 times in time, as the real one."""
    return df.AutoencoderKLLTX2Video(
        latent_channels=4,
        block_out_channels=(8, 8, 8),
        down_block_types=("LTX2VideoDownBlock3D",) * 3,
        decoder_block_out_channels=(8, 16, 32),
        layers_per_block=(1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1),
        spatio_temporal_scaling=(True, True, True),
        decoder_spatio_temporal_scaling=(True, True, True),
        downsample_type=("spatiotemporal",) * 3,
        spatial_compression_ratio=32,
        temporal_compression_ratio=8,
        timestep_conditioning=timestep_conditioning,
    )


def _vocoder() -> LTX2Vocoder:
    # 160 samples for each 10 ms of spectrogram, so that the sound is as long as the pictures.
    return LTX2Vocoder(
        in_channels=2 * 8,
        hidden_channels=32,
        out_channels=2,
        upsample_kernel_sizes=[16, 15, 4],
        upsample_factors=[8, 5, 4],
        resnet_kernel_sizes=[3],
        resnet_dilations=[[1, 3, 5]],
        output_sampling_rate=16000,
    )


def ltx2(*, timestep_conditioning: bool = False) -> DiffusionPipeline:
    """The shape of 2.0 and 2.3."""
    tokenizer = gemma_tokenizer()
    tokenizer.padding_side = "left"
    audio_vae = df.AutoencoderKLLTX2Audio(
        base_channels=4,
        ch_mult=(1,),
        num_res_blocks=1,
        resolution=32,
        latent_channels=2,
        mel_bins=8,
    )
    return df.LTX2Pipeline(
        scheduler=df.FlowMatchEulerDiscreteScheduler(),
        vae=ltx2_vae(timestep_conditioning=timestep_conditioning),
        audio_vae=audio_vae,
        text_encoder=gemma3(tokenizer, _DIM, _NUM_TEXT_LAYERS),
        tokenizer=tokenizer,
        connectors=_connectors(),
        transformer=_transformer(),
        vocoder=_vocoder(),
    )


def ltx2_timestep() -> DiffusionPipeline:
    """A decoder that takes a timestep and a little noise."""
    return ltx2(timestep_conditioning=True)
