"""Train the embedded model from nothing: `python -m training --out runs/doodle`.

Runs the stages one after another, each in a process of its own; with --resume the stages that are
finished are skipped and the one in the middle goes on. A GPU: `--device cuda --dtype bfloat16`,
larger `--batch-size`, `--num-layers` and `--num-attention-heads`.
"""

import argparse
import subprocess
import sys
from pathlib import Path


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--autoencoder-minutes", type=float, default=90)
    parser.add_argument("--decoder-minutes", type=float, default=60)
    parser.add_argument("--denoiser-minutes", type=float, default=480)
    parser.add_argument("--clips", type=int, default=16_384)
    parser.add_argument("--batch-size", type=int, default=48)
    parser.add_argument("--num-layers", type=int, default=6)
    parser.add_argument("--num-attention-heads", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    return parser.parse_args()


def stages(args: argparse.Namespace) -> list[tuple[str, list[str]]]:
    """The module and the arguments of each stage, in order."""
    out = args.out
    machine = ["--threads", str(args.threads), "--device", args.device]
    training = [*machine, "--dtype", args.dtype]
    first, second = out / "autoencoder", out / "decoder"
    latents, denoiser = str(out / "latents"), out / "denoiser"
    size = ["--num-layers", args.num_layers, "--num-attention-heads", args.num_attention_heads]
    return [
        ("autoencoder", [
            *("--out", str(first), "--crop", "64", "--batch-size", "2"),
            *("--seconds", str(60 * args.autoencoder_minutes), *training),
        ]),
        ("encode", [
            *("--vae", str(first / "vae"), "--out", latents),
            *("--clips", str(args.clips), *machine),
        ]),
        ("autoencoder", [
            *("--out", str(second), "--init", str(first / "vae"), "--decoder-only"),
            *("--latent-noise", "0.06", "--seconds", str(60 * args.decoder_minutes), *training),
        ]),
        ("denoiser", [
            *("--latents", latents, "--vae", str(second / "vae"), "--out", str(denoiser)),
            *("--seconds", str(60 * args.denoiser_minutes), "--batch-size", str(args.batch_size)),
            *(*map(str, size), *training),
        ]),
    ]  # fmt: skip


def main() -> None:
    """Run the stages; the pipeline ends up in OUT/denoiser/pipeline."""
    args = arguments()
    for module, flags in stages(args):
        folder = Path(flags[flags.index("--out") + 1])
        going_on = args.resume and (folder / "checkpoint.pt").exists()
        extra = ["--resume"] if going_on else []
        subprocess.run([sys.executable, "-m", f"training.{module}", *flags, *extra], check=True)
    sys.stdout.write(f"{args.out / 'denoiser' / 'pipeline'}\n")


if __name__ == "__main__":
    main()
