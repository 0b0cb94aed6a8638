"""A page of frames, eight prompts by five: `python -m training.gallery OUT.png [FOLDER]`."""

import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from t2v import builtin
from training import pipeline, world

PROMPTS = (
    "a red ball bounces over green hills",
    "a yellow star moves right at night",
    "a pink heart grows on a white background",
    "a green triangle spins on a black background",
    "a white square moves left at sunset",
    "a purple circle rises in the snow",
    "an orange star moves in a circle over the sea",
    "a blue heart falls and a red square stays still on a beige background",
)
#: Three frames apart: what spins or bounces looks the same again after four.
SHOWN = (1, 4, 7, 10, 13)
LABEL_HEIGHT = 26
GAP = 4


def page(clips: np.ndarray, labels: tuple[str, ...]) -> Image.Image:
    """Five frames of each clip in a row under its label."""
    step, height = world.SIZE + GAP, world.SIZE + LABEL_HEIGHT + GAP
    sheet = Image.new("RGB", (step * len(SHOWN) - GAP, height * len(clips) - GAP), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(15)
    for row, (clip, label) in enumerate(zip(clips, labels, strict=True)):
        draw.text((2, row * height + 4), label, fill=(40, 40, 40), font=font)
        for column, index in enumerate(SHOWN):
            sheet.paste(Image.fromarray(clip[index]), (column * step, row * height + LABEL_HEIGHT))
    return sheet


def main() -> None:
    """Make the clips with default settings and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("folder", type=Path, nargs="?", default=builtin.folder())
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument(
        "--num-inference-steps", type=int, default=pipeline.DEFAULTS["num_inference_steps"]
    )
    parser.add_argument("--guidance-scale", type=float, default=pipeline.DEFAULTS["guidance_scale"])
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    clips = pipeline.generate(
        pipeline.load(args.folder),
        list(PROMPTS),
        list(range(args.first_seed, args.first_seed + len(PROMPTS))),
        num_inference_steps=args.num_inference_steps,
        guidance_scale=args.guidance_scale,
    )
    args.out.parent.mkdir(parents=True, exist_ok=True)
    page(clips, PROMPTS).save(args.out, optimize=True)


if __name__ == "__main__":
    main()
