"""Real entries of the zoo with the windows that their families have, and requests for them."""

from t2v.plan.options import Options
from t2v.plan.request import Request
from t2v.plan.resolve import resolve
from t2v.plan.windows import LongPlan
from t2v.zoo.spec import LatentRule, ModelSpec


def windowed(spec: ModelSpec, window: int = 21, overlap: int = 7, **rule: int) -> ModelSpec:
    """The entry with windows of so many latent frames."""
    supports = spec.supports.model_copy(
        update={"long_video": ("windows",), "window": window, "overlap": overlap}
    )
    latents = LatentRule(**({"factor": 4} | rule))
    return spec.model_copy(update={"supports": supports, "latents": latents})


def request(spec: ModelSpec, prompt: str | None = "a fox", **values: object) -> Request:
    """What these options come to for the model."""
    return resolve(spec, prompt, [("flag", Options(**{"seed": 7, **values}))])[0]


def plan(spec: ModelSpec, prompt: str | None = "a fox", **values: object) -> LongPlan:
    """The windows of a request that needs them."""
    long = request(spec, prompt, **values).long
    assert long is not None
    return long
