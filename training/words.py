"""Give a pipeline a fresh text encoder: `python -m training.words --init PIPELINE --out PIPELINE`.

The new encoder learns two things at once: to say what the old one said, so that the denoiser
understands it, and which word speaks of which subject (`guide.WordGuide`). It is for pipelines
whose encoder was trained without that lesson; the trainer of the denoiser gives it from the start.
"""

import argparse
import random
import shutil
import sys
import time
from pathlib import Path

import torch
from torch import nn
from transformers import UMT5EncoderModel

from training import guide, text, world

BATCH = 64
LEARNING_RATE = 3e-3
CONSTANT = 0.4
LOG_EVERY = 50


def teach(old: UMT5EncoderModel, seconds: float, likeness: float, seed: int) -> UMT5EncoderModel:
    """A fresh encoder that agrees with the old one and knows what its words speak of.

    Args:
        old: The encoder that the denoiser was trained with.
        seconds: How long to train.
        likeness: The weight of the squared difference to the old one, as a part of its square.
        seed: Of weights, scenes and captions.
    """
    torch.manual_seed(seed)
    rng, tokenizer = random.Random(seed), text.build_tokenizer()
    encoder = text.build_text_encoder(len(tokenizer), width=old.config.d_model)
    lesson = guide.WordGuide(old.config.d_model)
    trained = nn.ModuleList([encoder, lesson])
    optimizer = torch.optim.Adam(trained.parameters(), betas=(0.9, 0.98))
    begin, recent = time.monotonic(), []
    while (progress := (time.monotonic() - begin) / seconds) < 1:
        fall = max(0.0, progress - CONSTANT) / (1 - CONSTANT)
        optimizer.param_groups[0]["lr"] = LEARNING_RATE * (1 - 0.97 * fall)
        scenes = [world.draw_scene(rng, num_subjects=rng.choice((1, 2, 2))) for _ in range(BATCH)]
        said = [world.caption_words(scene, rng) if rng.random() < 0.95 else [] for scene in scenes]
        captions = [world.joined(words) for words in said]
        hidden_states = text.embed(tokenizer, encoder, captions)
        with torch.no_grad():
            known = text.embed(tokenizer, old, captions)
        words = lesson.loss(hidden_states, said, scenes)
        unlike = (hidden_states - known).square().sum() / known.square().sum()
        optimizer.zero_grad()
        (words + likeness * unlike).backward()
        torch.nn.utils.clip_grad_norm_(trained.parameters(), 1.0)
        optimizer.step()
        recent.append((words.item(), unlike.item()))
        if len(recent) == LOG_EVERY:
            means = torch.tensor(recent).mean(0).tolist()
            recent.clear()
            sys.stderr.write("words {:.4f} unlike the old one {:.4f}\n".format(*means))
    return encoder


def main() -> None:
    """Teach, and write a copy of the pipeline with the new encoder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--init", type=Path, required=True, help="a pipeline folder")
    parser.add_argument("--out", type=Path, required=True, help="the same with the new encoder")
    parser.add_argument("--seconds", type=float, default=170)
    parser.add_argument("--likeness", type=float, default=4.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    old = UMT5EncoderModel.from_pretrained(args.init / "text_encoder", dtype=torch.float32)
    encoder = teach(old.requires_grad_(False), args.seconds, args.likeness, args.seed)
    shutil.copytree(args.init, args.out)
    encoder.half().save_pretrained(args.out / "text_encoder")


if __name__ == "__main__":
    main()
