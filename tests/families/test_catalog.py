"""What the catalog says about its models is so in the diffusers that is installed."""

import inspect
import sys
from collections.abc import Callable
from typing import Any

import diffusers
import pytest
import transformers
from diffusers import CacheMixin
from diffusers.pipelines import stable_diffusion

from t2v.errors import RequestError
from t2v.families import adapter_for
from t2v.plan.options import Options
from t2v.plan.resolve import resolve
from t2v.runtime.pipeline import PipelineAdapter
from t2v.runtime.seeds import generator
from t2v.testing import TINY, cosmos, tiny_spec
from t2v.zoo.catalog import Zoo
from t2v.zoo.spec import ModelSpec
from tests.families.conftest import Model

ZOO = Zoo.load(overlays=False)


def class_of(name: str, *places: Any) -> Any:
    """A class of diffusers or transformers that is more than a placeholder."""
    found = [getattr(place, name, None) for place in (diffusers, transformers, *places)]
    real = [kind for kind in found if kind is not None and "dummy" not in kind.__module__]
    assert real, f"neither diffusers nor transformers has {name}"
    return real[0]


def package_of(pipeline: str) -> Any:
    """Where a pipeline keeps classes that it alone has, such as a vocoder."""
    return sys.modules[class_of(pipeline).__module__.rpartition(".")[0]]


def parts_of(*pipelines: str) -> set[str]:
    return {part for p in pipelines for part in inspect.signature(class_of(p).__init__).parameters}


COSMOS = {
    "CosmosTextToWorldPipeline": (cosmos.cosmos, 17),
    "Cosmos2_5_PredictBasePipeline": (cosmos.cosmos_2_5, 9),
    "Cosmos3OmniPipeline": (cosmos.cosmos3, 9),
}
"""Not among the tiny folders: loading one would bring the real guardrail with it."""


def build_cosmos(spec: ModelSpec) -> Model:
    build, num_frames = COSMOS[spec.pipeline]
    shape = {"num_frames": num_frames, "width": 32, "height": 32}
    return Model(spec, build(), adapter_for(spec), shape | {"num_inference_steps": 2})


@pytest.fixture(params=ZOO)
def spec(request) -> ModelSpec:
    return ZOO[request.param]


@pytest.fixture(scope="module")
def twin(load_tiny) -> Callable[[ModelSpec], Any]:
    """The tiny model of the same pipeline class that has the parts of an entry."""
    loaded: dict[str, Any] = {}

    def find(spec: ModelSpec) -> Any:
        if spec.pipeline in COSMOS:
            return build_cosmos(spec)
        names = [name for name in TINY if tiny_spec(name, "").pipeline == spec.pipeline]
        for name in names:
            model = loaded[name] = loaded.get(name) or load_tiny(name)
            # A tiny model has nothing to hide.
            parts = {part for part, value in model.pipe.components.items() if value is not None}
            parts.add("safety_checker")
            if set(spec.components) <= parts:
                return model
        pytest.fail(f"no tiny pipeline is a {spec.pipeline} with {', '.join(spec.components)}")

    return find


def test_pipeline_and_family_exist(spec):
    assert issubclass(class_of(spec.pipeline), diffusers.DiffusionPipeline)
    assert adapter_for(spec).family == spec.family


def test_parts_and_their_classes_exist(spec):
    own = package_of(spec.pipeline), stable_diffusion

    assert spec.components.keys() <= parts_of(spec.pipeline)
    assert spec.classes.keys() <= parts_of(spec.pipeline, *ZOO.families[spec.family].pipelines)
    assert all(class_of(name, *own) for names in spec.classes.values() for name in names)


def test_scheduler_and_its_settings_exist(spec):
    if spec.defaults.scheduler is None:
        pytest.skip("the repository's scheduler stays")
    taken = inspect.signature(class_of(spec.defaults.scheduler).__init__).parameters

    assert [name for name in spec.defaults.scheduler_config if name not in taken] == []


def test_its_defaults_are_a_call_that_the_pipeline_takes(spec, twin):
    model = twin(spec)
    request, _ = resolve(spec, "a fox", [("flag", Options(seed=1))])
    arguments = {
        **model.adapter.call_arguments(model.pipe, request),
        **spec.defaults.further_arguments(request.num_inference_steps),
        "generator": generator(1),
    }

    with model.adapter.prepared(model.pipe, arguments) as call:
        inspect.signature(type(model.pipe).__call__).bind(model.pipe, **call)
    assert request.num_frames in call.values()


def test_what_it_supports_is_in_the_classes(spec, twin):
    pipe, supports = twin(spec).pipe, spec.supports
    denoiser = getattr(pipe, "transformer", None) or pipe.unet

    assert not supports.lora or hasattr(pipe, "load_lora_weights")
    assert not supports.vae_tiling or hasattr(pipe.vae, "use_tiling")
    assert not supports.caches or isinstance(denoiser, CacheMixin)
    assert not supports.context_parallel or denoiser._cp_plan


def test_what_streams_is_declared(spec):
    adapter = adapter_for(spec)
    own = type(adapter).decode_stream is not PipelineAdapter.decode_stream
    if "windows" in spec.supports.long_video:
        assert spec.supports.streams == (own or adapter.latent_context is not None)


def test_windows_are_declared_where_the_pipeline_can_make_them(spec, twin):
    model = twin(spec)
    arguments = model.arguments()
    if "windows" in spec.supports.long_video:
        assert model.adapter.layout(model.pipe, arguments).shape
    else:
        with pytest.raises(RequestError):
            model.adapter.layout(model.pipe, arguments)
