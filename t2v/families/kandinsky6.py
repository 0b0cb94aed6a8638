"""Kandinsky 6: pictures and sound from one denoiser, the sound over a spectrogram of its own."""

from collections.abc import Iterator
from typing import Any

import torch
from diffusers import DiffusionPipeline

from t2v.media.audio import Sound
from t2v.plan.request import Request
from t2v.runtime.adapter import Frame, Latents, OnStep
from t2v.runtime.explain import explained
from t2v.runtime.layout import LatentLayout, video_layout
from t2v.runtime.pipeline import StreamingAdapter
from t2v.runtime.sound import decoded_sound, to_part
from t2v.runtime.steps import watched
from t2v.runtime.tiles import tiled_frames


class Kandinsky6Adapter(StreamingAdapter):
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
        """Run the pipeline up to its latents, which it turns around itself."""
        with watched(pipe, on_step) as callbacks, explained(pipe):
            output = pipe(**arguments, **callbacks, output_type="latent")
        return Latents(output.frames, output.audio)

    def decode_stream(
        self, pipe: DiffusionPipeline, chunks: Iterator[torch.Tensor]
    ) -> Iterator[Frame]:
        """Frames of one tile of time after another, as the VAE of HunyuanVideo blends them."""
        return tiled_frames(pipe, chunks)

    def sound(self, pipe: DiffusionPipeline, latents: Latents) -> Sound | None:
        """The spectrogram of the audio VAE, made audible by the vocoder: one channel."""
        if latents.audio is None:
            return None
        audio = to_part(pipe.audio_vae, latents.audio) / pipe.audio_vae.config.scaling_factor

        def decode() -> torch.Tensor:
            spectrogram = pipe.audio_vae.decode(audio, return_dict=False)[0]
            spectrogram = spectrogram.to(pipe.vocoder.dtype)
            return pipe.vocoder(spectrogram, return_dict=False)[0][0]

        return decoded_sound(pipe, decode, rate=pipe.audio_sample_rate)

    def layout(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> LatentLayout:
        """B F H W C in the steps, B C F H W in the call's argument."""
        noise = video_layout(pipe, arguments, pipe.transformer.config.in_visual_dim)
        _, channels, *size = noise.shape
        return LatentLayout((1, *size, channels), frame_axis=1, noise=noise)


adapter = Kandinsky6Adapter()
