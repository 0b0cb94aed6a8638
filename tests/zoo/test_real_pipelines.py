"""What is read from configs alone is what diffusers itself computes from the loaded parts."""

from pathlib import Path
from typing import Any

import pytest

from t2v.zoo.catalog import Zoo
from t2v.zoo.hub import locate
from t2v.zoo.introspect import spec_of_folder
from t2v.zoo.safety import check_safe

pytestmark = pytest.mark.slow

TIME = ("vae_scale_factor_temporal", "vae_temporal_compression_ratio")
SPACE = ("vae_scale_factor_spatial", "vae_spatial_compression_ratio", "vae_scale_factor")


def first(pipe: Any, names: tuple[str, ...], otherwise: int) -> int:
    return next((getattr(pipe, name) for name in names if hasattr(pipe, name)), otherwise)


@pytest.mark.parametrize(
    ("name", "frames", "patch"),
    [
        ("wan", (4, 1), 2),
        ("wan-2.2-5b", (4, 1), 2),
        ("ltx", (8, 1), 1),
        ("ltx-0.9.5", (8, 1), 1),
        ("cogvideox", (8, 1), 2),
        ("cogvideox-1.5", (16, 1), 2),
        ("modelscope", (1, 0), 1),
        ("animatediff", (1, 0), 1),
        ("mochi", (6, 1), 2),
    ],
)
def test_rules_agree_with_the_loaded_pipeline(
    name: str, frames: tuple[int, int], patch: int, tmp_path: Path, zoo: Zoo
):
    testing = pytest.importorskip("t2v.testing")
    diffusers = pytest.importorskip("diffusers")
    folder = testing.tiny_pipeline(name, tmp_path / name)
    spec = spec_of_folder(folder, zoo.families)
    check_safe(folder, spec)
    assert locate(spec) == folder
    pipe = diffusers.DiffusionPipeline.from_pretrained(folder)
    assert type(pipe).__name__ == spec.pipeline
    assert spec.sizes.multiple == max(first(pipe, SPACE, 8) * patch, 8)
    assert frames[0] % first(pipe, TIME, 1) == 0
    assert (spec.frames.multiple, spec.frames.plus) == frames
    total = sum(p.numel() for p in pipe.vae.parameters())
    assert spec.components["vae"].params == pytest.approx(total, abs=300)
