"""Cosmos 3: one transformer for words, pictures and sound, and the guardrail of its kin."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from diffusers import DiffusionPipeline

from t2v.media.audio import Sound
from t2v.plan.request import Request
from t2v.runtime.adapter import Frame, Latents, OnStep
from t2v.runtime.explain import explained
from t2v.runtime.guardrail import guarded, require_guardrail
from t2v.runtime.layout import LatentLayout, video_layout
from t2v.runtime.pipeline import PipelineAdapter
from t2v.runtime.sound import decoded_sound
from t2v.runtime.steps import watched
from t2v.runtime.vae import frames_of, to_vae


class Cosmos3Adapter(PipelineAdapter):
    """Text to video with Cosmos 3, with sound where the repository has what makes it."""

    family = "cosmos3"
    takes_lists = False
    pipelines = ("Cosmos3OmniPipeline",)
    # The pipeline looks up two words when it is made, and knows the rate of the sound.
    decoders = ("vae", "sound_tokenizer", "text_tokenizer")

    def call_arguments(self, pipe: DiffusionPipeline, request: Request) -> dict[str, Any]:
        """Arguments of `pipe(...)`; sound where the model was trained for it."""
        require_guardrail(pipe, request.model)
        has_sound = pipe.sound_tokenizer is not None and pipe.transformer.config.sound_gen
        return {**super().call_arguments(pipe, request), "enable_sound": bool(has_sound)}

    def denoise(
        self, pipe: DiffusionPipeline, arguments: dict[str, Any], on_step: OnStep | None = None
    ) -> Latents:
        """Run the pipeline up to its latents; the sound is made already."""
        with watched(pipe, on_step) as callbacks, explained(pipe):
            output = pipe(**arguments, **callbacks, output_type="latent")
        return Latents(output.video, output.sound)

    def decode(self, pipe: DiffusionPipeline, latents: Latents) -> Iterator[Frame]:
        """Frames of one decode by the VAE of Wan, each as the guardrail lets it pass."""
        video = to_vae(pipe, latents.video)

        def per_channel(values: torch.Tensor) -> torch.Tensor:
            return values.to(video).view(1, -1, 1, 1, 1)

        inverse_std = per_channel(pipe._vae_latents_inv_std)
        video = video / inverse_std + per_channel(pipe._vae_latents_mean)
        with torch.no_grad(), explained(pipe):
            # In float32 before the range changes, as the pipeline does it.
            decoded = pipe.vae.decode(video, return_dict=False)[0].float()
        pipe.maybe_free_model_hooks()
        for frame in guarded(pipe, frames_of(decoded)):
            yield frame.astype(np.float32) / 255.0

    def sound(self, pipe: DiffusionPipeline, latents: Latents) -> Sound | None:
        """The waveform that the call made."""
        audio = latents.audio
        if audio is None:
            return None
        return decoded_sound(pipe, lambda: audio, rate=pipe.sound_tokenizer.config.sampling_rate)

    def layout(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> LatentLayout:
        """B C F H W in the call's argument; its scheduler's steps have an axis more in front."""
        noise = video_layout(pipe, arguments, pipe.transformer.config.latent_channel)
        return LatentLayout((1, *noise.shape), frame_axis=3, noise=noise)


adapter = Cosmos3Adapter()
