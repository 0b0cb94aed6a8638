"""Train the denoiser and its text encoder: `python -m training.denoiser --help`."""

import argparse
import copy
import json
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel
from torch import nn
from transformers import AutoTokenizer, PreTrainedTokenizerFast, UMT5EncoderModel

from training import guide, pipeline, text, world
from training.encode import read_shards
from training.muon import Muon

GUIDED_BLOCK = 0.5
LOG_EVERY = 25
SHIFT = 2.0
KEPT = ("model", "guide", "word_guide", "average", "optimizer")


class Losses(NamedTuple):
    """What one batch says: the main lesson's squared error, and the two beside it."""

    velocity: torch.Tensor
    guide: torch.Tensor
    words: torch.Tensor


@dataclass
class Clips:
    """The encoded training set, normalised; `inside` says which began inside a longer clip."""

    latents: torch.Tensor
    scenes: list[world.Scene]
    coverage: torch.Tensor
    turns: torch.Tensor
    inside: torch.Tensor


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latents", type=Path, required=True, help="folder of training.encode")
    parser.add_argument("--vae", type=Path, required=True, help="goes into the saved pipeline")
    parser.add_argument("--out", type=Path, required=True, help="checkpoint.pt, log.txt, pipeline/")
    parser.add_argument("--init", type=Path, help="a pipeline folder to continue from")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--samples", type=float, default=float("inf"))
    parser.add_argument("--batch-size", type=int, default=48)
    parser.add_argument("--lr", type=float, default=0.02)
    parser.add_argument("--constant", type=float, default=0.4, help="part before the rate falls")
    parser.add_argument("--guide-weight", type=float, default=0.05)
    parser.add_argument(
        "--subject-weight",
        type=float,
        default=0.0,
        help="how much more a patch with a subject counts",
    )
    parser.add_argument(
        "--noisiness", type=float, default=0.4, help="mean of the noise level, in log odds"
    )
    parser.add_argument("--num-layers", type=int, default=6)
    parser.add_argument("--num-attention-heads", type=int, default=4)
    parser.add_argument("--text-width", type=int, default=128)
    parser.add_argument("--checkpoint-minutes", type=float, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--compile", action="store_true")
    args = parser.parse_args()
    if min(args.seconds, args.samples) == float("inf"):
        parser.error("give a budget: --seconds or --samples")
    return args


def build(args: argparse.Namespace) -> tuple[PreTrainedTokenizerFast, nn.ModuleDict]:
    """The tokenizer, and what is trained: fresh, or taken over from --init."""
    tokenizer = text.build_tokenizer()
    encoder = text.build_text_encoder(len(tokenizer), width=args.text_width)
    if args.init:
        transformer = WanTransformer3DModel.from_pretrained(
            args.init / "transformer", dtype=torch.float32
        )
        old = UMT5EncoderModel.from_pretrained(args.init / "text_encoder", dtype=torch.float32)
        text.adopt_words(
            encoder, tokenizer, old, AutoTokenizer.from_pretrained(args.init / "tokenizer")
        )
    else:
        vae_config = AutoencoderKLWan.load_config(args.vae)
        transformer = WanTransformer3DModel(
            patch_size=(1, 2, 2),
            num_attention_heads=args.num_attention_heads,
            attention_head_dim=64,
            in_channels=vae_config["z_dim"],
            out_channels=vae_config["z_dim"],
            text_dim=args.text_width,
            freq_dim=64,
            ffn_dim=args.num_attention_heads * 256,
            num_layers=args.num_layers,
            rope_max_seq_len=256,
        )
    model = nn.ModuleDict({"transformer": transformer, "text_encoder": encoder})
    return tokenizer, model.to(args.device)


def read_clips(folder: Path, mean: torch.Tensor, std: torch.Tensor) -> Clips:
    """The clips that are encoded by now."""
    tensors, scenes = read_shards(folder)
    shape = (1, -1, 1, 1, 1)
    normal = (tensors["latents"].float() - mean.view(shape)) / std.view(shape)
    return Clips(normal.half(), scenes, tensors["coverage"], tensors["turns"], tensors["inside"])


class Trainer:
    """Flow matching with classifier-free guidance's empty captions and an average of the weights."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.device = torch.device(args.device)
        torch.manual_seed(args.seed)
        self.rng = random.Random(args.seed)
        self.tokenizer, self.model = build(args)
        transformer = self.model["transformer"]
        self.vae = AutoencoderKLWan.from_pretrained(args.vae, dtype=torch.float32)
        self.mean = torch.tensor(self.vae.config.latents_mean)
        self.std = torch.tensor(self.vae.config.latents_std)
        block = transformer.blocks[int(GUIDED_BLOCK * len(transformer.blocks)) - 1]
        width = transformer.config.num_attention_heads * transformer.config.attention_head_dim
        self.guide = guide.Guide(block, width).to(self.device)
        self.word_guide = guide.WordGuide(self.model["text_encoder"].config.d_model).to(self.device)
        self.average = copy.deepcopy(self.model).requires_grad_(False)
        for module in self.average.modules():
            module._forward_hooks.clear()
        trained = nn.ModuleList([self.model, self.guide, self.word_guide])
        self.optimizer = Muon(
            trained.named_parameters(), lr=args.lr, dtype=getattr(torch, args.dtype)
        )
        self.denoise = torch.compile(transformer) if args.compile else transformer
        self.steps = self.samples = 0
        self.elapsed = 0.0

    @property
    def progress(self) -> float:
        """How much of the budget is used, 0 to 1."""
        return max(self.elapsed / self.args.seconds, self.samples / self.args.samples)

    def schedule(self) -> float:
        """The factor on the learning rate: a short rise, a plateau, a straight fall."""
        constant = self.args.constant
        fall = max(0.0, self.progress - constant) / (1 - constant)
        return min(1.0, (self.steps + 1) / 30) * (1 - 0.97 * min(1.0, fall))

    def losses(self, clips: Clips) -> Losses:
        """The velocity's squared error and those of the guides, for one random batch."""
        chosen = torch.randint(0, len(clips.scenes), (self.args.batch_size,))
        scenes = [clips.scenes[index] for index in chosen.tolist()]
        said = [
            [] if self.rng.random() < 0.1 else world.caption_words(scene, self.rng)
            for scene in scenes
        ]
        captions = [world.joined(words) for words in said]
        clean = clips.latents[chosen].float().to(self.device)
        noise = torch.randn_like(clean)
        sigma = shifted(torch.sigmoid(torch.randn(len(chosen)) + self.args.noisiness)).to(
            self.device
        )
        part = sigma.view(-1, 1, 1, 1, 1)
        length = self.rng.choice((text.MAX_TOKENS,) * 15 + (5 * text.MAX_TOKENS,))
        bfloat16 = self.args.dtype == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=bfloat16):
            words = text.embed(self.tokenizer, self.model["text_encoder"], captions, length=length)
            velocity = self.denoise(
                hidden_states=(1 - part) * clean + part * noise,
                timestep=sigma * 1000,
                encoder_hidden_states=words,
                return_dict=False,
            )[0]
        labels = guide.labels(scenes, clips.coverage[chosen], clips.turns[chosen])
        labels = guide.Labels(*(part.to(self.device) for part in labels))
        error = (velocity.float() - (noise - clean)).square()
        weight = place_weights(
            clips.coverage[chosen], clips.inside[chosen], self.args.subject_weight
        ).to(error)
        return Losses(
            velocity=(error * weight).sum() / weight.expand_as(error).sum(),
            guide=self.guide.loss(labels),
            words=self.word_guide.loss(words, said, scenes),
        )

    def step(self, clips: Clips) -> list[float]:
        """One update; the losses."""
        losses = self.losses(clips)
        self.optimizer.zero_grad()
        lessons = losses.guide + losses.words
        (losses.velocity + self.args.guide_weight * lessons).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step(self.schedule())
        self.steps += 1
        self.samples += self.args.batch_size
        self._follow()
        return [loss.item() for loss in losses]

    @torch.no_grad()
    def _follow(self) -> None:
        keep = min(0.998, self.steps / (self.steps + 20))
        for slow, fast in zip(self.average.parameters(), self.model.parameters(), strict=True):
            slow.lerp_(fast, 1 - keep)

    def save(self) -> None:
        """Write the checkpoint and the pipeline of the averaged weights."""
        counters = {name: getattr(self, name) for name in ("steps", "samples", "elapsed")}
        parts = {name: getattr(self, name).state_dict() for name in KEPT}
        partial = self.args.out / "checkpoint.partial"
        torch.save({"counters": counters, **parts}, partial)
        partial.rename(self.args.out / "checkpoint.pt")
        pipeline.save(
            self.args.out / "pipeline",
            tokenizer=self.tokenizer,
            text_encoder=self.average["text_encoder"],
            transformer=self.average["transformer"],
            vae=self.vae,
        )

    def restore(self) -> None:
        """Take up the checkpoint."""
        saved = torch.load(self.args.out / "checkpoint.pt", map_location=self.device)
        for name in KEPT:
            getattr(self, name).load_state_dict(saved[name])
        for name, value in saved["counters"].items():
            setattr(self, name, value)

    def run(self) -> None:
        """Train until the budget is used, with a checkpoint every few minutes."""
        while self.progress < 1:
            clips = read_clips(self.args.latents, self.mean, self.std)
            self._log(f"# {len(clips.scenes)} clips")
            self._train_for(60 * self.args.checkpoint_minutes, clips)
            self.save()

    def _train_for(self, seconds: float, clips: Clips) -> None:
        begin, before, recent = time.monotonic(), self.elapsed, []
        while time.monotonic() - begin < seconds and self.progress < 1:
            recent.append(self.step(clips))
            self.elapsed = before + time.monotonic() - begin
            if self.steps % LOG_EVERY == 0:
                velocity, guided, words = torch.tensor(recent).mean(0).tolist()
                recent.clear()
                self._log(
                    f"{self.steps} {self.samples} {self.elapsed:.0f}s "
                    f"loss {velocity:.4f} guide {guided:.4f} words {words:.4f} rate {self.schedule():.3f}"
                )

    def _log(self, line: str) -> None:
        with (self.args.out / "log.txt").open("a") as log:
            log.write(line + "\n")


def place_weights(
    coverage: torch.Tensor, inside: torch.Tensor, subject_weight: float
) -> torch.Tensor:
    """What each place in the latents counts for, (clips, 1, latent frames, height, width).

    More where a subject is, for its outline. Nothing in the first latent frame of clips from inside of
    longer ones: it is there to be gone on from, as a window's is, which the window before has made.
    Were it learned, it would be made where a video begins.

    Args:
        coverage: How much of each patch the subjects cover, as `guide.coverage` has it, a row a clip.
        inside: Which clips are from inside of longer ones, (clips,).
        subject_weight: How much more a patch counts that is all subject.
    """
    patches = coverage.float().sum(1, keepdim=True).clamp(max=255) / 255
    weight = 1 + subject_weight * patches.repeat_interleave(2, -1).repeat_interleave(2, -2)
    weight[inside, :, 0] = 0
    return weight


def shifted(time: torch.Tensor) -> torch.Tensor:
    """Flow-matching times moved towards noise, where what is drawn is decided."""
    return SHIFT * time / (1 + (SHIFT - 1) * time)


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
