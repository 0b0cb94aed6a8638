"""Windows that a model inherits from its family, made to fit its own native clip."""

from t2v.zoo.spec import LatentRule, ModelSpec


def latents_of_clip(num_frames: int, rule: LatentRule) -> int:
    """The fewest latent frames that hold so many pixel frames.

    >>> latents_of_clip(81, LatentRule(factor=4))
    21
    """
    return 1 - (rule.first - num_frames) // rule.factor


def within_native(spec: ModelSpec) -> ModelSpec:
    """The model with windows no longer than its native clip, a third of them shared.

    A family has the windows of its usual clip; a model that was trained on shorter ones knows
    nothing of what lies beyond.
    """
    window, latents = spec.supports.window, spec.latents
    if window is None or latents is None:
        return spec
    longest = max(1, 1 + (spec.frames.native - latents.first) // latents.factor)
    if window <= longest:
        return spec
    stride = longest - round(longest / 3)
    stride -= stride % latents.patch
    fitted = {"window": longest, "overlap": longest - stride}
    return spec.model_copy(update={"supports": spec.supports.model_copy(update=fitted)})
