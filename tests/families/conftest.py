"""Tiny models, saved and loaded once a session."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKLAllegro, DiffusionPipeline, attention_backend

from t2v.families import adapter_for
from t2v.plan.request import Request
from t2v.runtime.adapter import Adapter
from t2v.runtime.load import load_pipeline
from t2v.runtime.quiet import quiet
from t2v.runtime.seeds import generator
from t2v.testing import tiny_options, tiny_pipeline, tiny_spec
from t2v.zoo.spec import ModelSpec

torch.set_num_threads(1)


@dataclass(frozen=True)
class Model:
    """A loaded tiny model, and two ways to make a video with it: ours and diffusers' own."""

    spec: ModelSpec
    pipe: DiffusionPipeline
    adapter: Adapter
    options: dict[str, Any]

    def request(self, **changes: Any) -> Request:
        options = {**self.options, **changes}
        return Request(
            prompt="a red boat", model=self.spec.name, fps=Fraction(8), seed=3, **options
        )

    def arguments(self, **changes: Any) -> dict[str, Any]:
        request = self.request(**changes)
        arguments = self.adapter.call_arguments(self.pipe, request)
        further = self.spec.defaults.further_arguments(request.num_inference_steps)
        return {**arguments, **further, "generator": generator(3)}

    def ours(self, **changes: Any) -> np.ndarray:
        with quiet():
            latents = self.adapter.denoise(self.pipe, self.arguments(**changes))
            return np.stack(list(self.adapter.decode(self.pipe, latents)))

    def direct(self, **changes: Any) -> np.ndarray:
        if isinstance(self.pipe.vae, AutoencoderKLAllegro):
            self.pipe.vae.enable_tiling()
        arguments, guider = self.arguments(**changes), getattr(self.pipe, "guider", None)
        if guider is not None:
            self.pipe.guider = guider.new(guidance_scale=arguments.pop("guidance_scale"))
        config = getattr(getattr(self.pipe, "transformer", None), "config", {})
        sparse = config.get("attention_type") == "nabla"
        with quiet(), attention_backend("flex" if sparse else "native"):
            frames = _frames(self.pipe(**arguments, output_type="np"))
        if guider is not None:
            self.pipe.guider = guider
        return frames


def _frames(output: Any) -> np.ndarray:
    # Text2Video-Zero calls its frames images, and has them without a batch.
    return output.frames[0] if "frames" in output else output.images


@pytest.fixture(scope="session")
def load_tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Model]:
    """A freshly loaded tiny model; the files are written once."""
    root = tmp_path_factory.mktemp("tiny")

    def load(name: str, dtype: Any = torch.float32) -> Model:
        folder = root / name
        if not folder.exists():
            tiny_pipeline(name, folder)
        spec = tiny_spec(name, folder)
        with quiet():
            pipe = load_pipeline(folder, spec, dtype=dtype)
        return Model(spec, pipe, adapter_for(spec), tiny_options(name))

    return load


@pytest.fixture(scope="session")
def wan(load_tiny: Callable[..., Model]) -> Model:
    """The tiny Wan; tests that share it leave it as it is."""
    return load_tiny("wan")
