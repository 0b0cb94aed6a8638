"""Decoding that goes on in time, and in overlapping tiles, put together as the VAE does it itself."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import torch
from torch.utils._pytree import tree_map

Memory: TypeAlias = dict[str, Any]
"""What a decoder has to know of latents that are past; nothing before the first."""
Step: TypeAlias = Callable[[torch.Tensor, Memory], torch.Tensor]
"""From the next few latents, B C F H W, to their frames; brings the memory up to date."""
Place: TypeAlias = tuple[int, int]
"""Top and left of a tile, in latents."""


class Mosaic:
    """Where the tiles of latents lie, and what becomes of their frames."""

    def __init__(self, vae: Any, like: torch.Tensor, patch: int = 1) -> None:
        """Tiles of latents, B C F H W, as large as `like`.

        Args:
            vae: Has tiling on.
            like: The latents.
            patch: Pixels along the side of a patch, for a decoder that makes patches.
        """
        self._vae = vae
        self._down, self._across = (_cut(vae, side, patch) for side in ("height", "width"))
        self.places: tuple[Place, ...] = tuple(
            (top, left)
            for top in range(0, like.shape[-2], self._down.stride)
            for left in range(0, like.shape[-1], self._across.stride)
        )

    def tile(self, latents: torch.Tensor, place: Place) -> torch.Tensor:
        """The latents of a tile."""
        top, left = place
        return latents[..., top : top + self._down.size, left : left + self._across.size]

    def joined(self, tiles: Mapping[Place, torch.Tensor]) -> torch.Tensor:
        """The frames of all tiles as one picture, blended where they overlap."""
        blended = dict(tiles)
        rows: dict[int, list[torch.Tensor]] = {}
        for (top, left), tile in tiles.items():
            if top:
                above = blended[top - self._down.stride, left]
                tile = self._vae.blend_v(above, tile, self._down.blend)
            if left:
                before = blended[top, left - self._across.stride]
                tile = self._vae.blend_h(before, tile, self._across.blend)
            blended[top, left] = tile
            rows.setdefault(top, []).append(tile[..., : self._down.kept, : self._across.kept])
        return torch.cat([torch.cat(row, dim=-1) for row in rows.values()], dim=-2)


def is_tiled(vae: Any, latents: torch.Tensor) -> bool:
    """Whether the VAE's own decode would work in tiles; it leaves small pictures whole."""
    height, width = latents.shape[-2:]
    return bool(
        getattr(vae, "use_tiling", False)
        and (height > _cut(vae, "height").size or width > _cut(vae, "width").size)
    )


def going_on(
    vae: Any, step: Step, first: int, later: int, patch: int = 1
) -> Callable[[torch.Tensor], torch.Tensor]:
    """A decoder that goes on where it was, tile by tile where the VAE would decode so.

    All but one tile's memory rests in the memory of the host meanwhile, since together they are
    nearly as large as what a picture takes that is decoded whole.

    Args:
        vae: Tells whether there are tiles, and how large.
        step: Takes a few latents.
        first: How many at the first time, or fewer where there are no more.
        later: How many at a time then.
        patch: Pixels along the side of a patch, for a decoder that makes patches.
    """
    mosaic: Mosaic | None = None
    memories: dict[Place, Memory] = {}

    def through(latents: torch.Tensor, memory: Memory) -> torch.Tensor:
        size = later if memory else first
        pieces = [latents[:, :, :size], *latents[:, :, size:].split(later, dim=2)]
        made = [step(piece, memory) for piece in pieces if piece.shape[2]]
        return made[0] if len(made) == 1 else torch.cat(made, dim=2)

    def decode(latents: torch.Tensor) -> torch.Tensor:
        nonlocal mosaic
        if not is_tiled(vae, latents):
            return through(latents, memories.setdefault((0, 0), {}))
        mosaic = mosaic or Mosaic(vae, latents, patch)
        tiles = {}
        for place in mosaic.places:
            memory = _moved(memories.get(place, {}), latents.device)
            tiles[place] = through(mosaic.tile(latents, place), memory)
            memories[place] = _moved(memory, torch.device("cpu"))
        return mosaic.joined(tiles)

    return decode


def _moved(memory: Memory, device: torch.device) -> Memory:
    moved: Memory = tree_map(
        lambda leaf: leaf.to(device) if isinstance(leaf, torch.Tensor) else leaf, memory
    )
    return moved


class _Cut(NamedTuple):
    """Tiles along one side: their size and stride in latents, what is blended and kept in pixels."""

    size: int
    stride: int
    blend: int
    kept: int


def _cut(vae: Any, side: str, patch: int = 1) -> _Cut:
    pixels = getattr(vae, f"tile_sample_min_{side}")
    for name in (f"tile_overlap_factor_{side}", "tile_overlap_factor"):
        if hasattr(vae, name):
            size, part = getattr(vae, f"tile_latent_min_{side}"), getattr(vae, name)
            blend = int(pixels * part)
            return _Cut(size, int(size * (1 - part)), blend, pixels - blend)
    ratio, stride = vae.spatial_compression_ratio, getattr(vae, f"tile_sample_stride_{side}")
    kept = stride // patch
    return _Cut(pixels // ratio, stride // ratio, pixels // patch - kept, kept)
