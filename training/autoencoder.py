"""Train the video autoencoder: `python -m training.autoencoder --help`.

Clips of several lengths are mixed, so that the causal decoder stays steady in long videos.
With --decoder-only the encoder is left as it is, and latents made with it stay valid.
"""

import argparse
import copy
import json
import random
import shutil
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from diffusers import AutoencoderKLWan

from training import drawing, pipeline, redrawn, world
from training.encode import to_tensor
from training.muon import Muon

#: (frames, clips a batch at --batch-size 4, how often): about the same work each.
LENGTHS = ((9, 4, 0.25), (17, 2, 0.6), (33, 1, 0.15))
LOG_EVERY = 20


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="checkpoint.pt, log.txt, vae/")
    parser.add_argument("--init", type=Path, help="an AutoencoderKLWan folder to continue from")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    parser.add_argument("--decoder-only", action="store_true")
    parser.add_argument("--latent-noise", type=float, default=0.0, help="in latent deviations")
    parser.add_argument(
        "--redrawn", type=float, default=0.0, help="part of batches from a denoiser's latents"
    )
    parser.add_argument("--denoiser", type=Path, help="the pipeline folder that --redrawn needs")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--batch-size", type=int, default=4, help="of clips of nine frames")
    parser.add_argument("--crop", type=int, default=world.SIZE, help="side of the squares, /16")
    parser.add_argument("--lr", type=float, default=0.02)
    parser.add_argument("--constant", type=float, default=0.5, help="part before the rate falls")
    parser.add_argument("--kl", type=float, default=1e-4)
    parser.add_argument("--steady", type=float, default=0.05, help="weight of even amplitudes")
    parser.add_argument(
        "--subject-weight", type=float, default=4.0, help="how much more a subject's pixels count"
    )
    parser.add_argument(
        "--pointed", type=float, default=0.0, help="part of clips that must have a star or triangle"
    )
    parser.add_argument(
        "--spinning", type=float, default=0.0, help="part of clips where something must spin"
    )
    parser.add_argument("--base-dim", type=int, default=32)
    parser.add_argument("--z-dim", type=int, default=32)
    parser.add_argument("--checkpoint-minutes", type=float, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    args = parser.parse_args()
    if args.redrawn and not (args.denoiser and args.decoder_only):
        parser.error("--redrawn needs --denoiser and --decoder-only")
    return args


def build(args: argparse.Namespace) -> AutoencoderKLWan:
    """Sixteen times smaller in space, four times in time; fresh, or taken over from --init."""
    if args.init:
        return AutoencoderKLWan.from_pretrained(args.init, dtype=torch.float32)
    return AutoencoderKLWan(
        base_dim=args.base_dim,
        z_dim=args.z_dim,
        dim_mult=[1, 2, 4],
        num_res_blocks=1,
        temperal_downsample=[True, True],
        in_channels=48,
        out_channels=48,
        patch_size=4,
        scale_factor_spatial=16,
        latents_mean=[0.0] * args.z_dim,
        latents_std=[1.0] * args.z_dim,
    )


def draw_batch(
    rng: random.Random, batch_size: int, crop: int, *, pointed: float, spinning: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Clips of one of the lengths, or crops of them, and which pixels belong to a subject."""
    (num_frames, share, _), *_ = rng.choices(LENGTHS, [row[2] for row in LENGTHS])
    count = max(1, share * batch_size // LENGTHS[0][1]) * (world.SIZE // crop) ** 2
    clips, subjects = [], []
    while len(clips) < count:
        scene = world.draw_scene(rng, pointed=pointed, spinning=spinning)
        total = max(num_frames, world.NUM_FRAMES)
        clip = drawing.render(scene, rng, total)
        start, top, left = (
            rng.randint(0, n) for n in (total - num_frames, world.SIZE - crop, world.SIZE - crop)
        )
        part = np.s_[start : start + num_frames, top : top + crop, left : left + crop]
        clips.append(clip[part])
        subjects.append(drawing.subject_pixels(clip, scene.place)[part])
    return to_tensor(clips), torch.from_numpy(np.stack(subjects)).float().unsqueeze(1)


def picture_loss(error: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Absolute and squared error of the pixels, and of their differences to their neighbors."""
    across = (error.diff(dim=-1).abs() * weight[..., 1:]).mean()
    down = (error.diff(dim=-2).abs() * weight[..., 1:, :]).mean()
    return (
        (error.abs() * weight).mean()
        + 0.25 * (across + down)
        + 3 * (error.square() * weight).mean()
    )


def divergence(posterior: object) -> torch.Tensor:
    """Kullback-Leibler divergence from the standard normal, a latent value."""
    return 0.5 * (posterior.mean.square() + posterior.var - 1 - posterior.logvar).float().mean()


def unsteadiness(latents: torch.Tensor) -> torch.Tensor:
    """How much the latents' amplitude differs from one frame to another: a variance of logs.

    A causal encoder has no other reason to treat late frames like early ones, and the denoiser
    sees frames of a tenth of the usual amplitude as noise.
    """
    return latents.square().mean((0, 1, 3, 4)).log().var(correction=0)


class Losses(NamedTuple):
    """What one batch says: what is minimised, and squared errors and unsteadiness to look at."""

    total: torch.Tensor
    error: torch.Tensor | None = None
    unsteadiness: torch.Tensor | None = None
    redrawn: torch.Tensor | None = None


class Trainer:
    """The autoencoder, its optimizer, and an average of its weights."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        torch.manual_seed(args.seed)
        self.rng = random.Random(args.seed)
        self.vae = build(args).to(args.device)
        frozen = (self.vae.encoder, self.vae.quant_conv) if args.decoder_only else ()
        for part in frozen:
            part.requires_grad_(False)
        self.average = copy.deepcopy(self.vae).requires_grad_(False)
        self.std = torch.tensor(self.vae.config.latents_std, device=args.device).view(
            1, -1, 1, 1, 1
        )
        trained = [pair for pair in self.vae.named_parameters() if pair[1].requires_grad]
        self.optimizer = Muon(trained, lr=args.lr, dtype=getattr(torch, args.dtype))
        self.pool = (
            redrawn.Pool(
                pipeline.load(args.denoiser, device=args.device),
                self.vae,
                pointed=args.pointed,
                spinning=args.spinning,
                bfloat16=args.dtype == "bfloat16",
            )
            if args.redrawn
            else None
        )
        self.steps = 0
        self.elapsed = 0.0

    def schedule(self) -> float:
        """The factor on the learning rate: a short rise, a plateau, a straight fall."""
        constant = self.args.constant
        fall = max(0.0, self.elapsed / self.args.seconds - constant) / (1 - constant)
        return min(1.0, (self.steps + 1) / 20) * (1 - 0.97 * min(1.0, fall))

    def step(self) -> Losses:
        """One update; what it was about."""
        args = self.args
        device_type = torch.device(args.device).type
        with torch.autocast(device_type, torch.bfloat16, enabled=args.dtype == "bfloat16"):
            if self.pool and self.rng.random() < args.redrawn:
                losses = self._redrawn_losses(self.pool)
            else:
                losses = self._losses()
        self.optimizer.zero_grad()
        losses.total.backward()
        torch.nn.utils.clip_grad_norm_(self.vae.parameters(), 1.0)
        self.optimizer.step(self.schedule())
        self.steps += 1
        self._follow()
        return Losses(*(value if value is None else value.detach() for value in losses))

    def _losses(self) -> Losses:
        args = self.args
        clips, subjects = draw_batch(
            self.rng, args.batch_size, args.crop, pointed=args.pointed, spinning=args.spinning
        )
        clips, subjects = clips.to(args.device), subjects.to(args.device)
        with torch.set_grad_enabled(not args.decoder_only):
            posterior = self.vae.encode(clips).latent_dist
            latents = posterior.sample()
        noise = args.latent_noise * self.std * torch.randn_like(latents)
        error = self.vae.decode(latents + noise).sample.float() - clips
        uneven = unsteadiness(posterior.mean.float())
        total = picture_loss(error, 1 + args.subject_weight * subjects)
        if not args.decoder_only:
            total = total + args.kl * divergence(posterior) + args.steady * uneven
        return Losses(total, error.square().mean(), unsteadiness=uneven)

    def _redrawn_losses(self, pool: redrawn.Pool) -> Losses:
        count = max(1, self.args.batch_size // 2) * (world.SIZE // self.args.crop) ** 2
        crops = pool.draw(self.rng, count, self.args.crop)
        error = self.vae.decode(crops.latents).sample.float() - crops.clips
        total = picture_loss(error, 1 + self.args.subject_weight * crops.subjects)
        return Losses(total, redrawn=error.square().mean())

    @torch.no_grad()
    def _follow(self) -> None:
        keep = min(0.995, self.steps / (self.steps + 10))
        for slow, fast in zip(self.average.parameters(), self.vae.parameters(), strict=True):
            slow.lerp_(fast, 1 - keep)

    @torch.no_grad()
    def measure_latents(self, num_clips: int = 96) -> None:
        """Note mean and deviation of the latents in the config, where pipelines look for them."""
        rng = random.Random(self.args.seed + 1)
        clips = (to_tensor([drawing.render(world.draw_scene(rng), rng)]) for _ in range(num_clips))
        latents = torch.cat(
            [self.average.encode(clip.to(self.args.device)).latent_dist.mode() for clip in clips]
        )
        self.average.register_to_config(
            latents_mean=latents.mean((0, 2, 3, 4)).tolist(),
            latents_std=latents.std((0, 2, 3, 4)).tolist(),
        )

    def save(self) -> None:
        """Write the checkpoint and the averaged autoencoder."""
        if not self.args.decoder_only:
            self.measure_latents()
        parts = {name: getattr(self, name).state_dict() for name in ("vae", "average", "optimizer")}
        partial = self.args.out / "checkpoint.partial"
        torch.save({"steps": self.steps, "elapsed": self.elapsed, **parts}, partial)
        partial.rename(self.args.out / "checkpoint.pt")
        folder = self.args.out / ".vae-new"
        shutil.rmtree(folder, ignore_errors=True)
        self.average.save_pretrained(folder)
        pipeline.replace_folder(folder, self.args.out / "vae")

    def restore(self) -> None:
        """Take up the checkpoint."""
        saved = torch.load(self.args.out / "checkpoint.pt", map_location=self.args.device)
        for name in ("vae", "average", "optimizer"):
            getattr(self, name).load_state_dict(saved[name])
        self.steps, self.elapsed = saved["steps"], saved["elapsed"]

    def run(self) -> None:
        """Train until the time is used, with a checkpoint every few minutes."""
        begin, before, last_save, recent = time.monotonic(), self.elapsed, self.elapsed, []
        while self.elapsed < self.args.seconds:
            recent.append(self.step())
            self.elapsed = before + time.monotonic() - begin
            if self.steps % LOG_EVERY == 0:
                self._log(figures(recent))
                recent.clear()
            if self.elapsed - last_save > 60 * self.args.checkpoint_minutes:
                last_save = self.elapsed
                self.save()
        self.save()

    def _log(self, figures: str) -> None:
        with (self.args.out / "log.txt").open("a") as log:
            log.write(f"{self.steps} {self.elapsed:.0f}s {figures} rate {self.schedule():.3f}\n")


def figures(recent: list[Losses]) -> str:
    """The averages of some steps, as a line of the log says them."""
    parts = []
    for name, label in (("error", "psnr"), ("redrawn", "redrawn"), ("unsteadiness", "uneven")):
        known = [value.item() for losses in recent if (value := getattr(losses, name)) is not None]
        if known:
            mean = float(np.mean(known))
            parts.append(f"{label} {mean if label == 'uneven' else 10 * np.log10(4 / mean):.3g}")
    return " ".join(parts)


def main() -> None:
    """Train."""
    args = arguments()
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "arguments.json").write_text(json.dumps(vars(args), default=str, indent=2) + "\n")
    trainer = Trainer(args)
    if args.resume:
        trainer.restore()
    trainer.run()


if __name__ == "__main__":
    main()
