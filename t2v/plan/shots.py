"""Latent frames, prompts and windows of each shot of a long video."""

from collections.abc import Sequence

from t2v.errors import RequestError
from t2v.plan.frames import label
from t2v.plan.latents import fits, fitting_latents, latent_frames, nearest_latent
from t2v.plan.request import Request
from t2v.plan.story import Cue
from t2v.plan.timeline import Scene, Take
from t2v.plan.windows import LongPlan, Shot, Span, Window, spans, weights
from t2v.zoo.spec import ModelSpec


def make_shots(
    spec: ModelSpec, request: Request, long: LongPlan, parts: Sequence[Take]
) -> tuple[Shot, ...]:
    """The shots with their windows, which are counted over the whole video."""
    shots: list[Shot] = []
    counted = 0
    for index, take in enumerate(parts):
        shot = _shot(spec, request, long, take, index, counted)
        counted += len(shot.windows)
        shots.append(shot)
    return tuple(shots)


def _shot(
    spec: ModelSpec, request: Request, long: LongPlan, take: Take, index: int, counted: int
) -> Shot:
    num_latents, length = _lengths(spec, long, take.num_frames)
    scenes, switches = _switches(spec, long, take, num_latents)
    if long.method == "continue":
        placed, values = _chain(num_latents, length, long, switches)
        num_latents = placed[-1].end
    else:
        overlap = min(long.overlap, length - 1)
        patch = long.rule.patch
        placed = spans(num_latents, length, overlap, patch=patch, switches=switches, loop=long.loop)
        values = weights(placed, num_latents, length, loop=long.loop)
    # On a loop the first prompt begins a little before latent 0.
    pairs = sorted(zip(placed, values, strict=True), key=lambda pair: pair[0].start % num_latents)
    windows = tuple(
        Window(
            counted + k,
            index,
            span.start % num_latents,
            length,
            own,
            scenes[span.segment].cue.prompt,
            _negative(request, scenes[span.segment].cue),
        )
        for k, (span, own) in enumerate(pairs)
    )
    return Shot(index, take.first_frame, take.num_frames, num_latents, take.seed, windows)


def _lengths(spec: ModelSpec, long: LongPlan, num_frames: int) -> tuple[int, int]:
    """Latent frames of a shot and of each of its windows."""
    rule = long.rule
    if long.loop:
        num_latents = num_frames // rule.factor
        shorter = range(min(long.window, num_latents), 0, -1)
        return num_latents, next(one for one in shorter if fits(spec.frames, rule, one))
    whole = fitting_latents(spec.frames, rule, num_frames)
    if whole <= long.window:
        return whole, whole
    # CogVideoX's VAE decodes odd numbers. But where clips are further apart in length, as Latte's and
    # those of CogVideoX 1.5 (odd by its patches), only each window has to be one.
    needed = latent_frames(rule, num_frames)
    num_latents = whole if whole <= needed + 1 else needed
    return num_latents + -(num_latents - long.window) % rule.patch, long.window


def _switches(
    spec: ModelSpec, long: LongPlan, take: Take, num_latents: int
) -> tuple[list[Scene], list[int]]:
    """The scenes of a shot that differ from the one before, and the latent frames they begin at."""
    scenes, switches = [take.scenes[0]], [0]
    for scene in take.scenes[1:]:
        before, cue = scenes[-1].cue, scene.cue
        if (cue.prompt, cue.negative_prompt) == (before.prompt, before.negative_prompt):
            continue
        frame = scene.first_frame - take.first_frame
        latent = min(
            (2 * frame + long.rule.factor) // (2 * long.rule.factor)
            if long.loop
            else nearest_latent(long.rule, frame),
            num_latents - 1,
        )
        if latent <= switches[-1]:
            raise RequestError(
                f"The prompts at frames {scenes[-1].first_frame} and {scene.first_frame} are too "
                f"close: {label(spec)} makes {long.rule.factor} frames at a time. "
                "Move them apart, or make the second a cut."
            )
        scenes.append(scene)
        switches.append(latent)
    return scenes, switches[1:]


def _chain(
    num_latents: int, length: int, long: LongPlan, switches: Sequence[int]
) -> tuple[list[Span], list[tuple[float, ...]]]:
    """Windows that each go on from the tail of the last: what they share is the earlier one's."""
    stride, shared = long.stride, length - long.stride
    count = 1 + -(-(num_latents - length) // stride)
    placed, values = [], []
    for k in range(count):
        start = k * stride
        # The prompt that holds for most of what is new in the window.
        middle = start + shared + stride // 2 if k else 0
        segment = sum(switch <= middle for switch in switches)
        placed.append(Span(start, start + (shared if k else 0), start + length, segment))
        values.append((*([0.0] * (shared if k else 0)), *([1.0] * (length - (shared if k else 0)))))
    return placed, values


def _negative(request: Request, cue: Cue) -> str | None:
    return request.negative_prompt if cue.negative_prompt is None else cue.negative_prompt
