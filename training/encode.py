"""Render clips and encode them once: `python -m training.encode --vae FOLDER --out FOLDER`.

The denoiser learns from these latents. Captions are not stored: scenes are, and the trainer puts
each into other words every time it meets it.

`--inside` cuts the clips out of longer ones, as windows of a long video are: something came before,
what moves may be on its way back, and the first latent frame is four frames where that of a clip from
its beginning is one.
"""

import argparse
import dataclasses
import json
import random
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLWan
from safetensors.torch import load_file, save_file

from training import drawing, guide, motion, world

SHARD = 256

BEFORE = 2
"""Latent frames before a clip that begins inside a longer one, for what the encoder remembers."""


def to_tensor(clips: Iterable[np.ndarray]) -> torch.Tensor:
    """Clips of uint8 frames as one batch in [-1, 1], (B, C, F, H, W)."""
    batch = torch.from_numpy(np.stack(list(clips)))
    return batch.permute(0, 4, 1, 2, 3).float().div(127.5).sub(1)


def scene_to_dict(scene: world.Scene) -> dict:
    """A scene as plain JSON."""
    return dataclasses.asdict(scene)


def scene_from_dict(data: dict) -> world.Scene:
    """The scene that `scene_to_dict` wrote."""
    return world.Scene(tuple(world.Subject(**item) for item in data["subjects"]), data["place"])


@torch.no_grad()
def encode_shard(
    vae: AutoencoderKLWan,
    seed: int,
    size: int,
    *,
    pairs: float,
    pointed: float,
    spinning: float,
    inside: bool,
    batch_size: int,
) -> tuple[dict[str, torch.Tensor], list[dict]]:
    """What the denoiser learns from, and the scenes, of `size` clips.

    The tensors, a row a clip: latents (not normalised, half precision), coverage and turns as the
    guide has them, and whether the clip begins inside a longer one.
    """
    rng = random.Random(seed)
    counts = [2 if rng.random() < pairs else 1 for _ in range(size)]
    scenes = [
        world.draw_scene(rng, num_subjects=count, pointed=pointed, spinning=spinning)
        for count in counts
    ]
    ways = [_ways(scene, rng, inside=inside) for scene in scenes]
    latents = []
    for start in range(0, size, batch_size):
        batch = slice(start, start + batch_size)
        clips = to_tensor(map(drawing.paint, scenes[batch], ways[batch]))
        clips = clips.to(vae.device, vae.dtype)
        latents.append(vae.encode(clips).latent_dist.mode().half().cpu())
    tensors = {
        "latents": torch.cat(latents),
        "coverage": torch.stack([guide.coverage(way) for way in ways]),
        "turns": torch.stack([guide.turns(way) for way in ways]),
    }
    last = slice(-guide.LATENT_FRAMES, None)
    tensors = {name: tensor[:, :, last].contiguous() for name, tensor in tensors.items()}
    tensors["inside"] = torch.full((size,), inside)
    return tensors, [scene_to_dict(scene) for scene in scenes]


def _ways(scene: world.Scene, rng: random.Random, *, inside: bool) -> list[motion.Track]:
    if not inside:
        return motion.tracks(scene, rng)
    # With a latent frame, as windows do: within one, what spins is turned as in every other.
    there_and_back = 2 * (world.NUM_FRAMES - 1)
    num_frames = world.NUM_FRAMES + 4 * BEFORE
    return motion.tracks(scene, rng, num_frames, first_frame=rng.randrange(0, there_and_back, 4))


def write_shard(
    folder: Path, seed: int, tensors: dict[str, torch.Tensor], scenes: list[dict]
) -> None:
    """Write one shard: the scenes, then the tensors by rename, so that readers see both or none."""
    (folder / f"{seed:06d}.json").write_text(json.dumps(scenes))
    partial = folder / f"{seed:06d}.partial"
    save_file(tensors, partial)
    partial.rename(folder / f"{seed:06d}.safetensors")


def read_shards(folder: Path) -> tuple[dict[str, torch.Tensor], list[world.Scene]]:
    """All shards that are complete, in order, as one."""
    shards, scenes = [], []
    for path in sorted(folder.glob("*.safetensors")):
        shards.append(load_file(path))
        scenes += [
            scene_from_dict(data) for data in json.loads(path.with_suffix(".json").read_text())
        ]
    if not scenes:
        raise FileNotFoundError(
            f"No encoded clips in {folder}: run python -m training.encode first."
        )
    return {name: torch.cat([shard[name] for shard in shards]) for name in shards[0]}, scenes


def main() -> None:
    """Encode until the folder holds as many clips as asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vae", type=Path, required=True, help="an AutoencoderKLWan folder")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--clips", type=int, default=12_288)
    parser.add_argument("--pairs", type=float, default=0.6, help="part of clips with two subjects")
    parser.add_argument(
        "--pointed", type=float, default=0.0, help="part of clips that must have a star or triangle"
    )
    parser.add_argument(
        "--spinning", type=float, default=0.0, help="part of clips where something must spin"
    )
    parser.add_argument("--inside", action="store_true", help="cut the clips out of longer ones")
    parser.add_argument("--first-seed", type=int, default=0, help="of the shards, a seed each")
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    vae = AutoencoderKLWan.from_pretrained(args.vae, dtype=torch.float32).to(args.device)
    for seed, start in enumerate(range(0, args.clips, SHARD), start=args.first_seed):
        if (args.out / f"{seed:06d}.safetensors").exists():
            continue
        size = min(SHARD, args.clips - start)
        encoded = encode_shard(
            vae,
            seed,
            size,
            pairs=args.pairs,
            pointed=args.pointed,
            spinning=args.spinning,
            inside=args.inside,
            batch_size=args.batch_size,
        )
        write_shard(args.out, seed, *encoded)
        print(f"{start + size} of {args.clips} clips", flush=True)


if __name__ == "__main__":
    main()
