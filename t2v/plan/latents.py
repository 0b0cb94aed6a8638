"""Pixel frames and latent frames: how many of the one are in so many of the other."""

from t2v.zoo.spec import FrameRule, LatentRule


def pixel_frames(rule: LatentRule, num_latents: int) -> int:
    """How many pixel frames that many latent frames decode to, from the first one on.

    >>> pixel_frames(LatentRule(factor=4), 21)
    81
    """
    return rule.first + rule.factor * (num_latents - 1)


def latent_frames(rule: LatentRule, num_frames: int) -> int:
    """The fewest latent frames that decode to at least so many pixel frames.

    >>> latent_frames(LatentRule(factor=4), 81), latent_frames(LatentRule(factor=4), 82)
    (21, 22)
    """
    return 1 + max(0, -(-(num_frames - rule.first) // rule.factor))


def first_pixel(rule: LatentRule, latent: int) -> int:
    """The pixel frame that a latent frame begins with.

    >>> [first_pixel(LatentRule(factor=4), latent) for latent in (0, 1, 2)]
    [0, 1, 5]
    """
    return 0 if latent == 0 else pixel_frames(rule, latent)


def nearest_latent(rule: LatentRule, frame: int) -> int:
    """The latent frame whose first pixel frame is nearest to the given one.

    >>> [nearest_latent(LatentRule(factor=4), frame) for frame in (0, 2, 3, 40)]
    [0, 1, 2, 11]
    """
    later = max(0, 1 + (2 * (frame - rule.first) + rule.factor) // (2 * rule.factor))
    return 0 if abs(frame - first_pixel(rule, later)) > frame else later


def fits(frames: FrameRule, rule: LatentRule, num_latents: int) -> bool:
    """Whether the model makes clips of so many latent frames."""
    num_frames = pixel_frames(rule, num_latents)
    is_legal = num_frames >= frames.plus and (num_frames - frames.plus) % frames.multiple == 0
    return is_legal and num_frames >= (frames.min or 1)


def fitting_latents(frames: FrameRule, rule: LatentRule, num_frames: int) -> int:
    """The fewest latent frames that the model makes and that hold so many pixel frames.

    CogVideoX makes odd numbers of latent frames alone; its rule of frames says so.

    >>> fitting_latents(FrameRule(multiple=8, plus=1, native=49), LatentRule(factor=4), 50)
    15
    """
    num_latents = latent_frames(rule, num_frames)
    for candidate in range(num_latents, num_latents + frames.multiple + 1):
        if fits(frames, rule, candidate):
            return candidate
    return num_latents
