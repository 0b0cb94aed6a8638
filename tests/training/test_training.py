"""The one command that trains the embedded model, with budgets of seconds."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]
SECOND = "0.017"
"""In minutes: every stage makes one step at least."""


def train(out: Path, *options: str) -> None:
    budgets = (f"--{stage}-minutes" for stage in ("autoencoder", "decoder", "denoiser"))
    command = [sys.executable, "-m", "training", "--out", str(out), "--threads", "1", *options]
    command += [word for budget in budgets for word in (budget, SECOND)]
    subprocess.run([*command, "--clips", "6", "--batch-size", "2"], cwd=ROOT, check=True)


@pytest.mark.slow
def test_one_command_goes_from_nothing_to_a_pipeline_that_makes_a_video(tmp_path):
    train(tmp_path)
    program = (
        "import sys; from pathlib import Path; from training import pipeline\n"
        "pipe = pipeline.load(Path(sys.argv[1]))\n"
        "print(pipeline.generate(pipe, 'a red star', 1, num_inference_steps=1).shape)"
    )
    folder = tmp_path / "denoiser/pipeline"
    said = subprocess.run(
        [sys.executable, "-c", program, str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert said.stdout.splitlines()[-1] == "(1, 17, 128, 128, 3)"


@pytest.mark.slow
def test_what_is_trained_is_not_trained_again(tmp_path):
    train(tmp_path)
    files = [tmp_path / stage / "checkpoint.pt" for stage in ("autoencoder", "decoder", "denoiser")]
    before = [elapsed(file) for file in files]
    train(tmp_path, "--resume")
    assert [elapsed(file) for file in files] == before


def elapsed(checkpoint: Path) -> float:
    saved = torch.load(checkpoint)
    return saved.get("counters", saved)["elapsed"]
