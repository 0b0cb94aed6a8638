"""Put trained parts together as an ordinary WanPipeline folder, and make clips with it.

`python -m training.pipeline --denoiser RUN/pipeline --vae RUN/vae --out t2v/builtin/doodle-128`
"""

import argparse
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import torch
from diffusers import (
    AutoencoderKLWan,
    FlowMatchEulerDiscreteScheduler,
    WanPipeline,
    WanTransformer3DModel,
)
from transformers import PreTrainedTokenizerFast, UMT5EncoderModel

from training import text, world

#: The scheduler's; training draws its times with a smaller one (`training.denoiser.SHIFT`).
SHIFT = 4.0
TOKENIZER_CLASS = "PreTrainedTokenizerFast"
DEFAULTS = {"num_inference_steps": 16, "guidance_scale": 4.0}


def save(
    folder: Path,
    *,
    tokenizer: PreTrainedTokenizerFast,
    text_encoder: UMT5EncoderModel,
    transformer: WanTransformer3DModel,
    vae: AutoencoderKLWan,
    dtype: torch.dtype = torch.float16,
) -> None:
    """Write the folder whole, in the place of an older one if there is one."""
    parts = {"text_encoder": text_encoder, "transformer": transformer, "vae": vae}
    stored = {name: _copy(part).to(dtype) for name, part in parts.items()}
    scheduler = FlowMatchEulerDiscreteScheduler(shift=SHIFT)
    pipeline = WanPipeline(tokenizer=tokenizer, scheduler=scheduler, **stored)
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    partial.chmod(0o755)
    pipeline.save_pretrained(partial)
    _tidy(partial)
    replace_folder(partial, folder)


def _copy(part: torch.nn.Module) -> torch.nn.Module:
    copy = (
        type(part)(part.config) if isinstance(part, UMT5EncoderModel) else type(part)(**part.config)
    )
    copy.load_state_dict(part.state_dict())
    return copy


def _tidy(folder: Path) -> None:
    """Drop what configs note of this machine, name the tokenizer as all versions do, open the files."""
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(0o644)
        if path.suffix == ".json" and path.name != "tokenizer.json":
            config = json.loads(path.read_text().replace("TokenizersBackend", TOKENIZER_CLASS))
            for name in ("_name_or_path", "is_local", "local_files_only"):
                config.pop(name, None)
            path.write_text(json.dumps(config, indent=2) + "\n")


def replace_folder(new: Path, folder: Path) -> None:
    """Put a finished folder in the place of an older one."""
    old = folder.with_name(f".{folder.name}-old")
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def load(folder: Path, *, dtype: torch.dtype = torch.float32, device: str = "cpu") -> WanPipeline:
    """The pipeline of a folder, without its progress bar."""
    pipeline = WanPipeline.from_pretrained(folder, dtype=dtype).to(device)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def generate(
    pipeline: WanPipeline,
    prompt: str | list[str],
    seed: int | list[int],
    *,
    num_inference_steps: int = DEFAULTS["num_inference_steps"],
    guidance_scale: float = DEFAULTS["guidance_scale"],
    negative_prompt: str = "",
) -> np.ndarray:
    """Clips of the prompts as uint8, (clips, frames, height, width, 3)."""
    seeds = [seed] if isinstance(seed, int) else seed
    clips = pipeline(
        prompt=prompt,
        negative_prompt=negative_prompt
        if isinstance(prompt, str)
        else [negative_prompt] * len(prompt),
        height=world.SIZE,
        width=world.SIZE,
        num_frames=world.NUM_FRAMES,
        num_inference_steps=num_inference_steps,
        guidance_scale=guidance_scale,
        max_sequence_length=text.MAX_TOKENS,
        generator=[torch.Generator().manual_seed(number) for number in seeds],
        output_type="np",
    ).frames
    return (clips * 255).round().astype(np.uint8)


def main() -> None:
    """Write a pipeline folder with another autoencoder in it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--denoiser", type=Path, required=True, help="a pipeline folder")
    parser.add_argument("--vae", type=Path, required=True, help="its encoder must be the same")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    pipeline = load(args.denoiser)
    save(
        args.out,
        tokenizer=pipeline.tokenizer,
        text_encoder=pipeline.text_encoder,
        transformer=pipeline.transformer,
        vae=AutoencoderKLWan.from_pretrained(args.vae, dtype=torch.float32),
    )


if __name__ == "__main__":
    main()
