"""Tiny pipelines, saved once a session and loaded anew for each test."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline

from t2v.runtime.load import load_pipeline
from t2v.runtime.quiet import quiet
from t2v.runtime.seeds import generator
from t2v.testing import tiny_options, tiny_pipeline, tiny_spec

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a tiny pipeline; a test that changes files copies it first."""
    root = tmp_path_factory.mktemp("tiny")

    def folder(name: str) -> Path:
        path = root / name
        return path if path.exists() else tiny_pipeline(name, path)

    return folder


@pytest.fixture(scope="session")
def load_tiny(tiny_folder: Callable[[str], Path]) -> Callable[[str], DiffusionPipeline]:
    """A freshly loaded tiny pipeline."""

    def load(name: str) -> DiffusionPipeline:
        folder = tiny_folder(name)
        with quiet():
            return load_pipeline(folder, tiny_spec(name, folder))

    return load


@pytest.fixture(scope="session")
def run() -> Callable[..., np.ndarray]:
    """The frames of a direct call of a tiny pipeline."""

    def frames(pipe: DiffusionPipeline, name: str, **changes: Any) -> np.ndarray:
        options = {**tiny_options(name), **changes}
        with quiet():
            output = pipe("a red boat", **options, generator=generator(3), output_type="np")
        return output.frames[0]

    return frames
