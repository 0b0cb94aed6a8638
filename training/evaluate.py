"""Measure a trained pipeline: `python -m training.evaluate [FOLDER] [--limit N] [--json FILE]`.

Freshly drawn prompts, fixed seeds, default settings. A third are single subjects in
combinations met in training, a third in combinations kept out of it, a third are two subjects.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKLWan, WanPipeline

from t2v import builtin
from training import drawing, measure, pipeline, redrawn, world
from training.encode import to_tensor

ASPECTS = ("color", "shape", "motion", "place", "everything")
GROUPS: dict[str, dict[str, Any]] = {
    "single, seen": {"num_subjects": 1, "held_out": False},
    "single, unseen": {"num_subjects": 1, "held_out": True},
    "two subjects": {"num_subjects": 2, "held_out": None},
}


@dataclass(frozen=True)
class Case:
    """A prompt with what it means and the seed that its clip is made with."""

    group: str
    scene: world.Scene
    prompt: str
    seed: int


def cases(limit: int = 300, seed: int = 2026) -> list[Case]:
    """The prompts; the first `limit`, the groups in turn."""
    rng = random.Random(seed)
    names = list(GROUPS)
    result = []
    for index in range(limit):
        group = names[index % len(names)]
        scene = world.draw_scene(rng, **GROUPS[group])
        result.append(Case(group, scene, world.caption(scene, rng), 1000 + index))
    return result


def follow_prompts(
    pipe: WanPipeline, todo: list[Case], batch_size: int, settings: dict[str, Any]
) -> list[dict[str, Any]]:
    """Make the clips and judge each: one row a case."""
    rows = []
    for start in range(0, len(todo), batch_size):
        batch = todo[start : start + batch_size]
        clips = pipeline.generate(
            pipe, [case.prompt for case in batch], [case.seed for case in batch], **settings
        )
        for case, clip in zip(batch, clips, strict=True):
            verdict = measure.judge(measure.read(clip), case.scene)
            found = {**asdict(verdict), "everything": verdict.everything}
            rows.append({"group": case.group, "prompt": case.prompt, "seed": case.seed, **found})
        _say(f"{len(rows)} of {len(todo)} clips")
    return rows


def summary(rows: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """The share of clips, by group and aspect, in which it was found."""
    groups = {name: [row for row in rows if row["group"] == name] for name in GROUPS}
    groups["single"] = [row for row in rows if row["group"].startswith("single")]
    return {
        name: {
            "clips": len(group),
            **{a: round(float(np.mean([r[a] for r in group])), 3) for a in ASPECTS},
        }
        for name, group in groups.items()
        if group
    }


def reconstruction(vae: AutoencoderKLWan, num_clips: int = 40) -> dict[str, float]:
    """Held-out clips through the autoencoder: PSNR of all pixels together, in dB, and what is left.

    `shape` and `everything` are the parts of clips in which the measuring program still finds them:
    no denoiser can do better. `pointed_shape` is of as many single stars and triangles, held out or not,
    `spinning_shape` of as many that spin.
    """
    rng = random.Random(11)
    errors, verdicts = _through(vae, num_clips, rng, held_out=True)
    _, pointed = _through(vae, num_clips, rng, num_subjects=1, held_out=None, pointed=1.0)
    _, spinning = _through(vae, num_clips, rng, num_subjects=1, held_out=None, spinning=1.0)
    return {
        "clips": num_clips,
        "psnr": round(_psnr(float(np.mean(errors))), 2),
        "shape": _share(verdicts, "shape"),
        "everything": _share(verdicts, "everything"),
        "pointed_shape": _share(pointed, "shape"),
        "spinning_shape": _share(spinning, "shape"),
    }


def _share(verdicts: list[measure.Verdict], aspect: str) -> float:
    return round(float(np.mean([getattr(verdict, aspect) for verdict in verdicts])), 3)


@torch.no_grad()
def _through(
    vae: AutoencoderKLWan, num_clips: int, rng: random.Random, **kind: Any
) -> tuple[list[float], list[measure.Verdict]]:
    """Clips encoded and decoded: the squared error of each, and what is read off it."""
    errors, verdicts = [], []
    for _ in range(num_clips):
        scene = world.draw_scene(rng, **kind)
        clip = to_tensor([drawing.render(scene, rng)]).to(vae.device)
        decoded = vae.decode(vae.encode(clip).latent_dist.mode()).sample.clamp(-1, 1)
        errors.append((decoded - clip).square().mean().item())
        frames = decoded[0].permute(1, 2, 3, 0).add(1).mul(127.5).round().byte().cpu().numpy()
        verdicts.append(measure.judge(measure.read(frames), scene))
    return errors, verdicts


@torch.no_grad()
def drift(vae: AutoencoderKLWan, num_frames: int = 201) -> dict[str, float]:
    """A long clip decoded in one go: PSNR and change of brightness by stretches of the clip."""
    rng = random.Random(12)
    subject = world.Subject("red", "star", "left")
    clip = to_tensor([drawing.render(world.Scene((subject,), "light blue"), rng, num_frames)])
    decoded = (
        vae.decode(vae.encode(clip.to(vae.device)).latent_dist.mode()).sample.clamp(-1, 1).cpu()
    )
    errors = (decoded - clip).square().mean((0, 1, 3, 4))
    shift = (decoded - clip).mean((0, 1, 3, 4)).mul(127.5)
    return {
        "frames": num_frames,
        "psnr_first_17": round(_psnr(errors[:17].mean().item()), 2),
        "psnr_last_17": round(_psnr(errors[-17:].mean().item()), 2),
        "brightness_shift_first_17": round(shift[:17].mean().item(), 2),
        "brightness_shift_last_17": round(shift[-17:].mean().item(), 2),
    }


@torch.no_grad()
def redrawn_psnr(pipe: WanPipeline, num_clips: int = 24) -> float:
    """PSNR of clips whose latents the denoiser has made (`training.redrawn`), in dB.

    What the decoder makes of latents that are not quite right, with the denoiser's own mistakes in it.
    """
    torch.manual_seed(13)
    pool = redrawn.Pool(pipe, pipe.vae, pointed=0.0, spinning=0.0, bfloat16=False, size=num_clips)
    drawn = pool.draw(random.Random(13), num_clips, world.SIZE)
    errors = [
        (pipe.vae.decode(latents[None]).sample.clamp(-1, 1) - clip).square().mean().item()
        for clip, latents in zip(drawn.clips, drawn.latents, strict=True)
    ]
    return round(_psnr(float(np.mean(errors))), 2)


def _psnr(squared_error: float) -> float:
    return 10 * float(np.log10(4 / squared_error))


def behavior(pipe: WanPipeline, settings: dict[str, Any]) -> dict[str, float]:
    """Speed, and what seeds, guidance and negative prompts change (mean difference, of 255)."""
    prompt = "a red ball bounces over green hills"
    pipeline.generate(pipe, prompt, 1, **{**settings, "num_inference_steps": 1})
    begin = time.perf_counter()
    first = pipeline.generate(pipe, prompt, 1, **settings)
    seconds = time.perf_counter() - begin

    def difference(seed: int = 1, **changed: Any) -> float:
        other = pipeline.generate(pipe, prompt, seed, **{**settings, **changed})
        return round(float(np.abs(first.astype(int) - other).mean()), 3)

    return {
        "seconds_per_clip": round(seconds, 2),
        "frames_per_second": round(world.NUM_FRAMES / seconds, 2),
        "same_seed_difference": difference(),
        "other_seed_difference": difference(seed=2),
        "no_guidance_difference": difference(guidance_scale=1.0),
        "negative_prompt_difference": difference(negative_prompt="over green hills"),
    }


def table(groups: dict[str, dict[str, float]]) -> Iterator[str]:
    """The summary as lines of text."""
    yield f"{'':16}{'clips':>7}" + "".join(f"{aspect:>12}" for aspect in ASPECTS)
    for name, row in groups.items():
        yield f"{name:16}{row['clips']:7}" + "".join(f"{100 * row[a]:11.1f}%" for a in ASPECTS)


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=builtin.folder())
    parser.add_argument("--limit", type=int, default=300, help="prompts")
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--num-inference-steps", type=int)
    parser.add_argument("--guidance-scale", type=float)
    parser.add_argument("--prompts-only", action="store_true")
    parser.add_argument("--vae", type=Path, help="measure this autoencoder, and nothing else")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", type=Path, help="write all figures and every prompt's row here")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if args.vae:
        vae = AutoencoderKLWan.from_pretrained(args.vae, dtype=torch.float32).to(args.device)
        sys.stdout.write(json.dumps({**reconstruction(vae), **drift(vae)}, indent=1) + "\n")
        return
    given = {name: getattr(args, name) for name in pipeline.DEFAULTS}
    settings = {
        **pipeline.DEFAULTS,
        **{name: value for name, value in given.items() if value is not None},
    }
    pipe = pipeline.load(args.folder, device=args.device)
    rows = follow_prompts(pipe, cases(args.limit), args.batch_size, settings)
    report: dict[str, Any] = {"settings": settings, "prompts": summary(rows)}
    lines = list(table(report["prompts"]))
    if not args.prompts_only:
        report |= {
            "autoencoder": {
                **reconstruction(pipe.vae),
                "redrawn_psnr": redrawn_psnr(pipe),
            },
            "long_decode": drift(pipe.vae),
            "behavior": behavior(pipe, settings),
        }
        for name in ("autoencoder", "long_decode", "behavior"):
            lines += ["", name, *(f"  {key:28}{value}" for key, value in report[name].items())]
    sys.stdout.write("\n".join(lines) + "\n")
    if args.json:
        args.json.write_text(json.dumps({**report, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
