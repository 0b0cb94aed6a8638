"""Decoding as a stream with decoders that look ahead in time: those of LTX-Video and LTX-2."""

from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import Any

import torch
from diffusers import DiffusionPipeline

from t2v.runtime.adapter import Frame, Latents
from t2v.runtime.pipeline import PipelineAdapter
from t2v.runtime.stages import Stage, staged_frames
from t2v.runtime.vae import decoded_frames, to_vae


class LookaheadAdapter(PipelineAdapter):
    """A family whose decoder looks ahead in time."""

    def decode_timestep(
        self, pipe: DiffusionPipeline, latents: torch.Tensor, wanted: float | None
    ) -> torch.Tensor | None:
        """What the decoder is told, where it takes a timestep; None for `wanted` is the default."""
        raise NotImplementedError

    def decode(self, pipe: DiffusionPipeline, latents: Latents) -> Iterator[Frame]:
        """Frames of one decode over the whole clip."""
        video = to_vae(pipe, latents.video)
        timestep = self.decode_timestep(pipe, latents.video, latents.decode_timestep)
        yield from decoded_frames(pipe, video, timestep)

    def decode_stream(
        self, pipe: DiffusionPipeline, chunks: Iterator[torch.Tensor]
    ) -> Iterator[Frame]:
        """The same but for rounding, for latents that are still to come."""
        if pipe.vae.use_framewise_decoding:
            yield from super().decode_stream(pipe, chunks)
            return
        first = next(chunks, None)
        if first is None:
            return
        timestep = self.decode_timestep(pipe, first, None)
        yield from lookahead_frames(pipe, chain([first], chunks), timestep)


def lookahead_frames(
    pipe: DiffusionPipeline, chunks: Iterator[torch.Tensor], timestep: torch.Tensor | None = None
) -> Iterator[Frame]:
    """Frames of latents as the VAE takes them, which come in pieces, B C f H W."""
    return staged_frames(pipe, partial(lookahead_parts, pipe.vae.decoder, timestep), chunks)


def lookahead_parts(decoder: Any, timestep: torch.Tensor | None = None) -> list[Stage]:
    """Fresh parts of a VAE's decoder, for one video."""
    return _Decoder(decoder, timestep).stages()


class _Decoder:
    """The layers of an `LTXVideoDecoder3d` or an `LTX2VideoDecoder3d`, in the order of `forward`."""

    def __init__(self, decoder: Any, timestep: torch.Tensor | None) -> None:
        self.decoder = decoder
        multiplier = decoder.timestep_scale_multiplier
        self.temb = timestep if multiplier is None or timestep is None else timestep * multiplier
        # LTX-2's layers are told at every call, LTX-Video's once.
        self.is_told = hasattr(decoder, "is_causal")
        self.is_causal: bool = (decoder if self.is_told else decoder.conv_in).is_causal

    def stages(self) -> list[Stage]:
        """A stage for each convolution, or two of them, along time."""
        decoder = self.decoder
        blocks = [decoder.mid_block, *decoder.up_blocks]
        return [
            self._stage(decoder.conv_in),
            *(stage for block in blocks for stage in self._block(block)),
            self._stage(self._last),
        ]

    def _block(self, block: Any) -> Iterator[Stage]:
        if getattr(block, "conv_in", None) is not None:
            yield self._stage(block.conv_in, num_convolutions=2, takes_time=True)
        for upsampler in getattr(block, "upsamplers", None) or ():
            yield self._stage(upsampler, stride=upsampler.stride[0])
        for resnet in block.resnets:
            yield self._stage(
                resnet, num_convolutions=2, takes_time=True, embedder=block.time_embedder
            )

    def _stage(
        self,
        layer: Any,
        *,
        num_convolutions: int = 1,
        stride: int = 1,
        takes_time: bool = False,
        embedder: Any = None,
    ) -> Stage:
        """A layer with convolutions along time: a causal one looks twice as far, and only back."""
        told = {"causal": self.is_causal} if self.is_told else {}

        def run(frames: torch.Tensor) -> torch.Tensor:
            time = (self._embedded(embedder, frames),) if takes_time else ()
            result: torch.Tensor = layer(frames, *time, **told)
            return result

        reach = num_convolutions * (2 if self.is_causal else 1)
        return Stage(run, reach, stride=stride, is_causal=self.is_causal)

    def _embedded(self, embedder: Any, frames: torch.Tensor) -> torch.Tensor | None:
        if embedder is None or self.temb is None:
            return self.temb
        embedded: torch.Tensor = embedder(
            timestep=self.temb.flatten(),
            resolution=None,
            aspect_ratio=None,
            batch_size=frames.size(0),
            hidden_dtype=frames.dtype,
        )
        return embedded.view(frames.size(0), -1, 1, 1, 1)

    def _last(self, frames: torch.Tensor, **told: bool) -> torch.Tensor:
        """What `forward` does after the last block."""
        decoder = self.decoder
        # LTX-Video's norm is over the last axis.
        frames = (
            decoder.norm_out(frames)
            if self.is_told
            else decoder.norm_out(frames.movedim(1, -1)).movedim(-1, 1)
        )
        if decoder.time_embedder is not None and self.temb is not None:
            embedded = self._embedded(decoder.time_embedder, frames)
            assert embedded is not None
            embedded = embedded.unflatten(1, (2, -1))
            embedded = embedded + decoder.scale_shift_table[None, ..., None, None, None]
            shift, scale = embedded.unbind(1)
            frames = frames * (1 + scale) + shift
        frames = decoder.conv_out(decoder.conv_act(frames), **told)
        size, length = decoder.patch_size, decoder.patch_size_t
        batch, _, num_frames, height, width = frames.shape
        frames = frames.reshape(batch, -1, length, size, size, num_frames, height, width)
        frames = frames.permute(0, 1, 5, 2, 6, 4, 7, 3)
        return frames.flatten(6, 7).flatten(4, 5).flatten(2, 3)
