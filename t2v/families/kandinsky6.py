"""Kandinsky 6: pictures and sound from one denoiser, the sound over a spectrogram of its own."""

from collections.abc import Iterator
from typing import Any

import torch
from diffusers import DiffusionPipeline

from t2v.media.audio import Sound
from t2v.plan.request import Request
from t2v.runtime.adapter import Frame, Latents, OnStep
from t2v.runtime.explain import explained
from t2v.runtime.layout import LatentLayout
from t2v.runtime.pipeline import PipelineAdapter
from t2v.runtime.sound import decoded_sound, to_part
from t2v.runtime.steps import watched
from t2v.runtime.vae import decoded_frames, to_vae


class Kandinsky6Adapter(PipelineAdapter):
    """Text to video with sound with Kandinsky 6."""

    family = "kandinsky6"
    pipelines = ("Kandinsky6TI2VAPipeline",)
    decoders = ("vae", "audio_vae", "vocoder")

    def call_arguments(self, pipe: DiffusionPipeline, request: Request) -> dict[str, Any]:
        """Arguments of `pipe(...)`; sound where the repository has the parts that make it."""
        parts = pipe.components
        has_sound = parts.get("audio_vae") is not None and parts.get("vocoder") is not None
        return {**super().call_arguments(pipe, request), "sample_audio": has_sound}

    def denoise(
        self, pipe: DiffusionPipeline, arguments: dict[str, Any], on_step: OnStep | None = None
    ) -> Latents:
        """Run the pipeline up to its latents."""
        with watched(pipe, on_step) as callbacks, explained(pipe):
            output = pipe(**arguments, **callbacks, output_type="latent")
        return Latents(output.frames, output.audio)

    def unpack(
        self, pipe: DiffusionPipeline, latents: torch.Tensor, arguments: dict[str, Any]
    ) -> torch.Tensor:
        """Channels before frames, from the layout of the steps."""
        return latents.permute(0, 4, 1, 2, 3)

    def decode(self, pipe: DiffusionPipeline, latents: Latents) -> Iterator[Frame]:
        """Frames of one decode; the VAE of HunyuanVideo blends tiles of 16 frames itself."""
        video = to_vae(pipe, latents.video) / pipe.vae.config.scaling_factor
        yield from decoded_frames(pipe, video)

    def sound(self, pipe: DiffusionPipeline, latents: Latents) -> Sound | None:
        """The spectrogram of the audio VAE, made audible by the vocoder: one channel."""
        if latents.audio is None:
            return None
        audio = to_part(pipe.audio_vae, latents.audio) / pipe.audio_vae.config.scaling_factor

        def decode() -> torch.Tensor:
            spectrogram = pipe.audio_vae.decode(audio, return_dict=False)[0]
            spectrogram = spectrogram.to(pipe.vocoder.dtype)
            return pipe.vocoder(spectrogram, return_dict=False)[0][0]  # type: ignore[no-any-return]

        return decoded_sound(pipe, decode, rate=pipe.audio_sample_rate)

    def layout(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> LatentLayout:
        """B F H W C in the steps, B C F H W in the call's argument."""
        space, time = pipe.vae_scale_factor_spatial, pipe.vae_scale_factor_temporal
        channels = pipe.transformer.config.in_visual_dim
        num_latents = (arguments["num_frames"] - 1) // time + 1
        size = (arguments["height"] // space, arguments["width"] // space)
        noise = LatentLayout((1, channels, num_latents, *size), frame_axis=2)
        return LatentLayout((1, num_latents, *size, channels), frame_axis=1, noise=noise)


adapter = Kandinsky6Adapter()
