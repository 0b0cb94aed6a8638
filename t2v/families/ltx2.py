"""LTX-2: pictures and sound from one denoiser, each with a VAE of its own, and a vocoder."""

from typing import Any

import torch
from diffusers import DiffusionPipeline
from diffusers.utils.torch_utils import randn_tensor

from t2v.errors import RequestError
from t2v.media.audio import Sound
from t2v.plan.request import Request
from t2v.runtime.adapter import Latents, OnStep
from t2v.runtime.explain import explained
from t2v.runtime.layout import LatentLayout
from t2v.runtime.lookahead import LookaheadAdapter
from t2v.runtime.sound import decoded_sound, to_part
from t2v.runtime.steps import watched
from t2v.runtime.vae import to_vae


class LTX2Adapter(LookaheadAdapter):
    """Text to video with sound with LTX-2.0, 2.3 and 2.5."""

    family = "ltx2"
    # The other two take pictures as well, and are the same without.
    pipelines = ("LTX2Pipeline", "LTX2ConditionPipeline", "LTX2InContextPipeline")
    decoders = ("vae", "audio_vae", "vocoder")

    def call_arguments(self, pipe: DiffusionPipeline, request: Request) -> dict[str, Any]:
        """Arguments of `pipe(...)`; a size that fails in the decoder is refused here."""
        require_wide(pipe, request)
        return super().call_arguments(pipe, request)

    def denoise(
        self, pipe: DiffusionPipeline, arguments: dict[str, Any], on_step: OnStep | None = None
    ) -> Latents:
        """Run the pipeline up to its latents.

        The video's are those of the last step: asked for latents, the call shifts them to the VAE's
        range in another number format than when it decodes them itself.
        """
        last: dict[str, Any] = {}
        with watched(pipe, on_step) as callbacks, explained(pipe):
            tell = callbacks["callback_on_step_end"]

            def keep(pipe: Any, index: int, timestep: Any, tensors: dict[str, Any]) -> Any:
                last.update(tensors)
                return tell(pipe, index, timestep, tensors)

            output = pipe(**arguments, callback_on_step_end=keep, output_type="latent")
            video = self.unpack(pipe, last["latents"], arguments)
        return Latents(video, output.audio, arguments.get("decode_timestep"))

    def layout(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> LatentLayout:
        """Tokens, frame by frame, in the call's argument as in its steps; of the pictures alone."""
        time, space = pipe.vae_temporal_compression_ratio, pipe.vae_spatial_compression_ratio
        rows = (arguments["height"] // space) * (arguments["width"] // space)
        num_latents = (arguments["num_frames"] - 1) // time + 1
        shape = (1, num_latents * rows, pipe.transformer.config.in_channels)
        return LatentLayout(shape, frame_axis=1, rows_per_frame=rows)

    def unpack(
        self, pipe: DiffusionPipeline, latents: torch.Tensor, arguments: dict[str, Any]
    ) -> torch.Tensor:
        """Tokens to B C F H W in the VAE's range, with noise where its decoder expects some."""
        time, space = pipe.vae_temporal_compression_ratio, pipe.vae_spatial_compression_ratio
        latents = pipe._unpack_latents(
            latents,
            (arguments["num_frames"] - 1) // time + 1,
            arguments["height"] // space,
            arguments["width"] // space,
            pipe.transformer_spatial_patch_size,
            pipe.transformer_temporal_patch_size,
        ).to(pipe.text_encoder.dtype)
        vae = pipe.vae
        if vae.config.timestep_conditioning:
            latents = _noised(latents, arguments)
        return pipe._denormalize_latents(
            latents, vae.latents_mean, vae.latents_std, vae.config.scaling_factor
        )

    def decode_timestep(
        self, pipe: DiffusionPipeline, latents: torch.Tensor, wanted: float | None
    ) -> torch.Tensor | None:
        """None where the decoder takes none; 0 by default."""
        if not pipe.vae.config.timestep_conditioning:
            return None
        return torch.tensor([wanted or 0.0]).to(latents.dtype).to(to_vae(pipe, latents).device)

    def sound(self, pipe: DiffusionPipeline, latents: Latents) -> Sound | None:
        """The spectrogram of the audio VAE, made audible by the vocoder."""
        if latents.audio is None:
            return None
        audio = to_part(pipe.audio_vae, latents.audio)

        def decode() -> torch.Tensor:
            spectrogram = pipe.audio_vae.decode(audio, return_dict=False)[0]
            return pipe.vocoder(spectrogram)[0]

        return decoded_sound(pipe, decode, rate=pipe.vocoder.config.output_sampling_rate)


def require_wide(pipe: DiffusionPipeline, request: Request) -> None:
    """Refuse a side of one latent: a decoder that mirrors its edges needs two.

    Raises:
        RequestError: The video would be lost after all its steps.
    """
    narrowest = 2 * pipe.vae.spatial_compression_ratio
    mirrors = pipe.vae.config.decoder_spatial_padding_mode == "reflect"
    if mirrors and min(request.width, request.height) < narrowest:
        raise RequestError(
            f"{request.model} makes no frames of {request.width}x{request.height}: its decoder "
            f"needs {narrowest} pixels a side. Ask for a larger --size."
        )


def _noised(latents: torch.Tensor, arguments: dict[str, Any]) -> torch.Tensor:
    """The latents with the noise that the call draws after the last step, from its generator."""
    noise = randn_tensor(
        latents.shape,
        generator=arguments.get("generator"),
        device=latents.device,
        dtype=latents.dtype,
    )
    scale = arguments.get("decode_noise_scale")
    scale = torch.tensor(arguments.get("decode_timestep", 0.0) if scale is None else scale)
    scale = scale.to(latents)
    return (1 - scale) * latents + scale * noise


adapter = LTX2Adapter()
