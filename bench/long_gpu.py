"""What a long video costs on a GPU: Wan 2.1 1.3B with random weights, 321 frames at 832x480.

    python bench/long_gpu.py [--frames 321] [--steps 8] [--device cuda] [--tiny]

The denoiser and the VAE have the sizes of the released ones, the text encoder has one layer; all are
made on the spot, in bfloat16, and nothing is downloaded (3.1 GB on disk). Three processes: a clip of 81
frames by t2v, the long video by t2v, and the stock pipeline asked for all its frames at once. Each makes
one small clip first, so that kernels are loaded, then tells seconds and the peak of the device's
memory. `--tiny` has a tiny Wan in the place of it, to try the program on any machine; of a CPU there is
no peak. Exits 1 when a ratio misses its goal.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from long import judged, run

import t2v
from t2v.testing import tiny_pipeline
from t2v.testing.parts import t5_tokenizer
from t2v.testing.wan import unipc

TIME_GOAL, MEMORY_GOAL = 0.65, 1.05
NATIVE = 81
PROMPT = "a red ball bounces over green hills"
OPTIONS = {"guidance_scale": 5.0, "negative_prompt": ""}
SIZES = {True: {"width": 32, "height": 32}, False: {"width": 832, "height": 480}}


def build(folder: Path) -> None:
    """A pipeline of the released sizes, as in the configurations of Wan-AI/Wan2.1-T2V-1.3B-Diffusers."""
    from diffusers import AutoencoderKLWan, WanPipeline, WanTransformer3DModel
    from transformers import UMT5Config, UMT5EncoderModel

    tokenizer = t5_tokenizer()
    one_layer = UMT5Config(
        vocab_size=len(tokenizer), d_model=4096, d_kv=64, d_ff=64, num_layers=1, num_heads=1
    )
    transformer = WanTransformer3DModel(
        num_attention_heads=12, attention_head_dim=128, ffn_dim=8960, num_layers=30, text_dim=4096
    )
    pipe = WanPipeline(
        tokenizer=tokenizer,
        text_encoder=UMT5EncoderModel(one_layer),
        transformer=transformer,
        vae=AutoencoderKLWan(),
        scheduler=unipc(),
    )
    pipe.to(torch.bfloat16).save_pretrained(folder)


def measured(job: dict[str, Any]) -> dict[str, float | None]:
    """Make a small clip, then what the job asks for; what the second took."""
    make = _direct(job) if job["way"] == "direct" else _ours(job)
    make(5)
    is_cuda = job["device"].startswith("cuda")
    if is_cuda:
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
    began = time.perf_counter()
    num_frames = make(job["num_frames"])
    if num_frames != job["num_frames"]:
        raise SystemExit(f"{num_frames} frames were made")
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "peak": torch.cuda.max_memory_allocated() if is_cuda else None}


def _ours(job: dict[str, Any]) -> Any:
    generator = t2v.load(job["folder"], device=job["device"], dtype=job["dtype"], memory="none")

    def make(num_frames: int) -> int:
        output = Path(job["folder"]).with_name("made.mp4")
        video = generator.generate(
            PROMPT, output=output, overwrite=True, num_frames=num_frames, seed=1, **job["options"]
        )
        count: int = video.record["num_frames"]
        return count

    return make


def _direct(job: dict[str, Any]) -> Any:
    from diffusers import DiffusionPipeline

    dtype = getattr(torch, job["dtype"])
    pipe = DiffusionPipeline.from_pretrained(job["folder"], dtype=dtype).to(job["device"])

    def make(num_frames: int) -> int:
        seed = torch.Generator().manual_seed(1)
        asked = {**job["options"], "num_frames": num_frames, "generator": seed}
        return len(pipe(PROMPT, **asked, output_type="np").frames[0])

    return make


def main() -> None:
    """Measure the three and compare them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, help="321, and 161 of a tiny Wan, which has no more")
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="a tiny Wan")
    parser.add_argument("--job", type=json.loads, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.job:
        print(json.dumps(measured(args.job)))
        return
    frames = args.frames or (161 if args.tiny else 321)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "wan"
        tiny_pipeline("wan", folder) if args.tiny else build(folder)
        found = {}
        for label, way, num_frames in (
            ("t2v, a clip", "t2v", NATIVE),
            ("t2v, long", "t2v", frames),
            ("the stock pipeline", "direct", frames),
        ):
            options = {**OPTIONS, **SIZES[args.tiny], "num_inference_steps": args.steps}
            job = {
                "way": way,
                "folder": str(folder),
                "device": args.device,
                "dtype": "float32" if args.tiny else "bfloat16",
                "num_frames": num_frames,
                "options": options,
            }
            found[label] = one = run(job, program=__file__)
            print(f"{label:20} {num_frames:4} frames  {_told(one)}", flush=True)
    sys.exit(0 if all(_ratios(*found.values())) else 1)


def _told(found: dict[str, Any]) -> str:
    if "failed" in found:
        return str(found["failed"])
    peak = "" if found["peak"] is None else f"  peak {found['peak'] / 2**30:.2f} GiB"
    return f"{found['seconds']:8.1f} s{peak}"


def _ratios(clip: dict[str, Any], long: dict[str, Any], direct: dict[str, Any]) -> list[bool]:
    """Print what the goals are about; whether each is met."""
    if "failed" in clip or "failed" in long:
        return [False]
    ratios = []
    if "failed" not in direct:
        ratios.append(("time, long / stock", long["seconds"] / direct["seconds"], TIME_GOAL))
    if clip["peak"] is not None:
        ratios.append(("peak memory, long / clip", long["peak"] / clip["peak"], MEMORY_GOAL))
    return judged(ratios)


if __name__ == "__main__":
    main()
