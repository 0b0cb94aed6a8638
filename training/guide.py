"""A lesson beside the main one: say, from inside the denoiser, what is where.

A linear layer reads the tokens after one of the blocks and names, for each patch of the latent
video, how much of it a subject covers and which color, shape and motion that subject has. The
layer is thrown away after training; the features it asks for stay.
"""

import random

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from training import motion, world

ATTRIBUTES = (*world.COLORS, *world.SHAPES, *world.MOTIONS)
GRID = 4
LATENT_FRAMES = (world.NUM_FRAMES - 1) // 4 + 1


class Guide(nn.Module):
    """Reads the output of one block by a hook; `loss` compares it with the scenes."""

    def __init__(self, block: nn.Module, width: int) -> None:
        super().__init__()
        self.head = nn.Linear(width, len(ATTRIBUTES))
        nn.init.zeros_(self.head.weight)
        nn.init.constant_(self.head.bias, -3.0)
        self._hidden_states: torch.Tensor | None = None
        block.register_forward_hook(self._keep)

    def _keep(self, module: nn.Module, inputs: tuple, output: torch.Tensor) -> None:
        self._hidden_states = output

    def loss(self, labels: torch.Tensor) -> torch.Tensor:
        """Cross entropy of the naming, summed over attributes, averaged over patches."""
        hidden_states = self._hidden_states.float()
        logits = self.head(functional.layer_norm(hidden_states, hidden_states.shape[-1:]))
        return (
            functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
            .sum(-1)
            .mean()
        )


def shard_coverage(seed: int, size: int) -> torch.Tensor:
    """How much of each patch the (up to two) subjects of a shard's scenes cover.

    Repeats the draws of `training.encode` without painting: (size, 2, patches), uint8.
    """
    rng = random.Random(seed)
    scenes = [world.draw_scene(rng) for _ in range(size)]
    result = np.zeros((size, 2, LATENT_FRAMES * GRID * GRID), dtype=np.uint8)
    for row, scene in enumerate(scenes):
        for column, track in enumerate(motion.tracks(scene, rng)):
            result[row, column] = np.round(255 * _coverage(track))
    return torch.from_numpy(result)


def _coverage(track: motion.Track) -> np.ndarray:
    """The part of each patch inside the subject's disc, averaged over a latent frame's frames."""
    fine = 4
    centers = (np.arange(GRID * fine) + 0.5) / (GRID * fine)
    far = (centers[None, None, :] - track.x[:, None, None]) ** 2
    far = far + (centers[None, :, None] - track.y[:, None, None]) ** 2
    inside = (far < track.radius[:, None, None] ** 2).astype(np.float32)
    patches = inside.reshape(-1, GRID, fine, GRID, fine).mean((2, 4))
    later = patches[1:].reshape(LATENT_FRAMES - 1, 4, GRID, GRID).mean(1)
    return np.concatenate([patches[:1], later]).reshape(-1)


def labels(scenes: list[world.Scene], coverage: torch.Tensor) -> torch.Tensor:
    """What the guide should say: (clips, patches, attributes) between 0 and 1."""
    said = torch.zeros(len(scenes), 2, len(ATTRIBUTES))
    for row, scene in enumerate(scenes):
        for column, subject in enumerate(scene.subjects):
            for word in (subject.color, subject.shape, subject.motion):
                said[row, column, ATTRIBUTES.index(word)] = 1.0
    return torch.einsum("bsp,bsa->bpa", coverage.float() / 255, said).clamp(0, 1)
