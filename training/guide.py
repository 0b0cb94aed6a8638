"""Two lessons beside the main one: what is where in the picture, and which word speaks of what.

A linear layer reads the tokens after one of the denoiser's blocks and names, for each patch of the
latent video, how much of it a subject covers, which color, shape and motion that subject has, and how
far it is turned.
Another reads the text encoder's output and names, for each word, the color, shape and motion of the
subject it speaks of: a denoiser that looks at "red" then finds "star" and "spins" beside it. Both
layers are thrown away after training; the features they ask for stay.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from training import motion, world

TABLES = {"color": world.COLORS, "shape": world.SHAPES, "motion": world.MOTIONS}
ATTRIBUTES = tuple(name for table in TABLES.values() for name in table)
GRID = 4
LATENT_FRAMES = (world.NUM_FRAMES - 1) // 4 + 1


class Labels(NamedTuple):
    """What the guide should say of each patch.

    Attributes:
        named: How much of it each attribute's subjects cover, 0 to 1, (clips, patches, attributes).
        turned: Cosine and sine of the turn, times the shape's symmetry, of the subject that covers
            most of it, (clips, patches, 2).
        weight: How much of it that subject covers, 0 for a circle, (clips, patches).
    """

    named: torch.Tensor
    turned: torch.Tensor
    weight: torch.Tensor


class Guide(nn.Module):
    """Reads the output of one block by a hook; `loss` compares it with the scenes."""

    def __init__(self, block: nn.Module, width: int) -> None:
        super().__init__()
        self.head = nn.Linear(width, len(ATTRIBUTES))
        nn.init.zeros_(self.head.weight)
        nn.init.constant_(self.head.bias, -3.0)
        self.turn = nn.Linear(width, 2)
        nn.init.zeros_(self.turn.weight)
        self._hidden_states: torch.Tensor | None = None
        block.register_forward_hook(self._keep)

    def _keep(self, module: nn.Module, inputs: tuple, output: torch.Tensor) -> None:
        self._hidden_states = output

    def loss(self, labels: Labels) -> torch.Tensor:
        """Cross entropy of the naming, summed over attributes, and squared error of the turn.

        Both averaged over patches.
        """
        hidden_states = self._hidden_states.float()
        hidden_states = functional.layer_norm(hidden_states, hidden_states.shape[-1:])
        naming = functional.binary_cross_entropy_with_logits(
            self.head(hidden_states), labels.named, reduction="none"
        )
        turning = (self.turn(hidden_states) - labels.turned).square().sum(-1) * labels.weight
        return naming.sum(-1).mean() + turning.mean()


def coverage(ways: list[motion.Track]) -> torch.Tensor:
    """How much of each patch the (up to two) subjects of a clip cover.

    (2, latent frames, GRID, GRID), uint8.
    """
    result = np.zeros((2, _num_latent_frames(ways), GRID, GRID), dtype=np.uint8)
    for row, way in enumerate(ways):
        result[row] = np.round(255 * _inside(way))
    return torch.from_numpy(result)


def _num_latent_frames(ways: list[motion.Track]) -> int:
    return (len(ways[0].x) - 1) // 4 + 1


def _inside(way: motion.Track) -> np.ndarray:
    """The part of each patch inside the subject's disc, averaged over a latent frame's frames."""
    fine = 4
    centers = (np.arange(GRID * fine) + 0.5) / (GRID * fine)
    far = (centers[None, None, :] - way.x[:, None, None]) ** 2
    far = far + (centers[None, :, None] - way.y[:, None, None]) ** 2
    inside = (far < way.radius[:, None, None] ** 2).astype(np.float32)
    patches = inside.reshape(-1, GRID, fine, GRID, fine).mean((2, 4))
    return _by_latent_frame(patches)


def _by_latent_frame(values: np.ndarray) -> np.ndarray:
    """Values of each frame, first axis, averaged over the frames of each latent frame."""
    later = values[1:].reshape(-1, 4, *values.shape[1:]).mean(1)
    return np.concatenate([values[:1], later])


def turns(ways: list[motion.Track]) -> torch.Tensor:
    """How far the (up to two) subjects are turned, in radians: (2, latent frames)."""
    result = torch.zeros(2, _num_latent_frames(ways))
    for row, way in enumerate(ways):
        result[row] = torch.from_numpy(_by_latent_frame(way.angle))
    return result


def labels(scenes: list[world.Scene], covered: torch.Tensor, turned: torch.Tensor) -> Labels:
    """What the guide should say of clips with this coverage and these turns.

    Args:
        scenes: What the clips show.
        covered: Of `coverage`, (clips, 2, latent frames, GRID, GRID).
        turned: Of `turns`, (clips, 2, latent frames).
    """
    said = torch.zeros(len(scenes), 2, len(ATTRIBUTES))
    symmetry = torch.zeros(len(scenes), 2)
    for row, scene in enumerate(scenes):
        for column, subject in enumerate(scene.subjects):
            symmetry[row, column] = world.SYMMETRY.get(subject.shape, 0)
            for name in TABLES:
                said[row, column, ATTRIBUTES.index(getattr(subject, name))] = 1.0
    part = covered.flatten(2).float() / 255
    most, subject_of = part.max(1)
    phase = (symmetry[:, :, None] * turned).repeat_interleave(GRID * GRID, -1)
    phase = phase.gather(1, subject_of[:, None])[:, 0]
    has_turn = (symmetry > 0).float().gather(1, subject_of)
    return Labels(
        named=torch.einsum("bsp,bsa->bpa", part, said).clamp(0, 1),
        turned=torch.stack([phase.cos(), phase.sin()], dim=-1),
        weight=most * has_turn,
    )


class WordGuide(nn.Module):
    """Reads the text encoder's output; `loss` compares it with what the words speak of."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = nn.ModuleDict(
            {name: nn.Linear(width, len(table)) for name, table in TABLES.items()}
        )

    def loss(
        self,
        hidden_states: torch.Tensor,
        captions: list[list[world.Word]],
        scenes: list[world.Scene],
    ) -> torch.Tensor:
        """Cross entropy of the naming, summed over attributes, averaged over words.

        Args:
            hidden_states: Of the text encoder, (clips, tokens, width).
            captions: The words that were read, a list a clip.
            scenes: What the words are about.
        """
        rows, places, subjects = [], [], []
        for row, (words, scene) in enumerate(zip(captions, scenes, strict=True)):
            for place, word in enumerate(tokens(words)[: hidden_states.shape[1]]):
                if word.subject is not None:
                    rows.append(row)
                    places.append(place)
                    subjects.append(scene.subjects[word.subject])
        if not subjects:
            return hidden_states.new_zeros(())
        chosen = hidden_states[rows, places].float()
        total = chosen.new_zeros(())
        for name, table in TABLES.items():
            names = list(table)
            truth = torch.tensor([names.index(getattr(subject, name)) for subject in subjects])
            total = total + functional.cross_entropy(
                self.heads[name](chosen), truth.to(chosen.device)
            )
        return total


def tokens(words: list[world.Word]) -> list[world.Word]:
    """The words as the tokenizer cuts them: a comma is a token of its own."""
    cut = []
    for word in words:
        cut.append(word)
        if word.text.endswith(","):
            cut.append(world.Word(","))
    return cut
