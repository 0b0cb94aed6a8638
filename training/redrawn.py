"""Clips whose latents a denoiser has made: the decoder's lesson in latents that are not perfect.

A denoiser's latents are never quite those of the encoder, and most decoders have seen no others.
Here a clip's latents are noised part of the way and denoised again, as at generation from there on;
what the decoder has to draw is still the clip.
"""

import itertools
import random
from typing import NamedTuple

import numpy as np
import torch
from diffusers import AutoencoderKLWan, WanPipeline

from training import drawing, pipeline, text, world
from training.encode import to_tensor

#: Noise levels to begin from; above them the denoiser draws another clip than the one it was given.
LEVELS = (0.2, 0.72)
FRESH = 6
"""Clips redrawn at a time."""
EVERY = 6
"""Draws from one refreshing to the next."""
RATIO = 16
"""Pixels along a side of a latent."""


class Redrawn(NamedTuple):
    """Clips, which pixels belong to a subject, and latents as the denoiser has left them."""

    clips: torch.Tensor
    subjects: torch.Tensor
    latents: torch.Tensor


class Pool:
    """Redrawn clips, the oldest replaced as crops are drawn."""

    def __init__(
        self,
        pipe: WanPipeline,
        vae: AutoencoderKLWan,
        *,
        pointed: float,
        spinning: float,
        bfloat16: bool,
        size: int = 48,
    ) -> None:
        """A pool of `size` clips, a multiple of FRESH, that a pipeline's denoiser redraws."""
        self.pipe = pipe
        self.vae = vae
        self.pointed = pointed
        self.spinning = spinning
        self.bfloat16 = bfloat16
        self.size = size
        shape = (1, -1, 1, 1, 1)
        self.mean = torch.tensor(vae.config.latents_mean, device=vae.device).view(shape)
        self.std = torch.tensor(vae.config.latents_std, device=vae.device).view(shape)
        self.clips: list[Redrawn] = []
        self.draws = 0

    def draw(self, rng: random.Random, count: int, crop: int) -> Redrawn:
        """Crops of `crop` pixels a side, and the latents of the same places."""
        if self.draws % EVERY == 0:
            missing = self.size - len(self.clips)
            for _ in range(max(FRESH, missing) // FRESH):
                self.clips += self._redraw(rng)
            del self.clips[: -self.size]
        self.draws += 1
        parts = [_crop(item, rng, crop // RATIO) for item in rng.choices(self.clips, k=count)]
        return Redrawn(*map(torch.stack, zip(*parts, strict=True)))

    def _redraw(self, rng: random.Random) -> list[Redrawn]:
        scenes = [
            world.draw_scene(rng, pointed=self.pointed, spinning=self.spinning)
            for _ in range(FRESH)
        ]
        frames = [drawing.render(scene, rng) for scene in scenes]
        clips = to_tensor(frames).to(self.vae.device)
        latents = self._denoised(clips, [world.caption(scene, rng) for scene in scenes], rng)
        subjects = [
            torch.from_numpy(drawing.subject_pixels(clip, scene.place)).to(clips).unsqueeze(0)
            for clip, scene in zip(frames, scenes, strict=True)
        ]
        return [Redrawn(*row) for row in zip(clips, subjects, latents, strict=True)]

    @torch.no_grad()
    def _denoised(
        self, clips: torch.Tensor, captions: list[str], rng: random.Random
    ) -> torch.Tensor:
        """The clips' latents, not normalised, noised to one of the levels and denoised again."""
        scheduler, transformer = self.pipe.scheduler, self.pipe.transformer
        scheduler.set_timesteps(pipeline.DEFAULTS["num_inference_steps"])
        sigmas = scheduler.sigmas.tolist()
        first = rng.choice([i for i, s in enumerate(sigmas) if LEVELS[0] < s < LEVELS[1]])
        empty = [""] * len(captions)
        with torch.autocast(clips.device.type, torch.bfloat16, enabled=self.bfloat16):
            words = text.embed(self.pipe.tokenizer, self.pipe.text_encoder, [*captions, *empty])
            clean = (self.vae.encode(clips).latent_dist.mode().float() - self.mean) / self.std
            latents = torch.lerp(clean, torch.randn_like(clean), sigmas[first])
            for sigma, following in itertools.pairwise(sigmas[first:]):
                asked, unasked = (
                    transformer(
                        hidden_states=torch.cat([latents, latents]),
                        timestep=torch.full((2 * len(clips),), sigma * 1000, device=clips.device),
                        encoder_hidden_states=words,
                        return_dict=False,
                    )[0]
                    .float()
                    .chunk(2)
                )
                velocity = torch.lerp(unasked, asked, pipeline.DEFAULTS["guidance_scale"])
                latents = latents + (following - sigma) * velocity
        return latents * self.std + self.mean


def _crop(item: Redrawn, rng: random.Random, side: int) -> Redrawn:
    """A square of `side` latents a side, and its pixels."""
    top, left = (rng.randint(0, world.SIZE // RATIO - side) for _ in range(2))
    small = np.s_[..., top : top + side, left : left + side]
    wide = np.s_[..., top * RATIO : (top + side) * RATIO, left * RATIO : (left + side) * RATIO]
    return Redrawn(item.clips[wide], item.subjects[wide], item.latents[small])
