"""How a video longer than one clip is made: its shots and windows, from a request."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from t2v.errors import RequestError
from t2v.plan.frames import label, longest, number, snap_frames, untrained
from t2v.plan.latents import fitting_latents, latent_frames, pixel_frames
from t2v.plan.live import LivePrompts
from t2v.plan.methods import Wish, choose, is_long
from t2v.plan.request import Request
from t2v.plan.shots import make_shots
from t2v.plan.story import Cue
from t2v.plan.timeline import Scene, place, split, takes, timed
from t2v.plan.windows import LongPlan, Method, Order, Shot
from t2v.zoo.spec import LatentRule, ModelSpec

_MEANINGLESS = ("window", "overlap", "order", "noise")


def with_long(spec: ModelSpec, request: Request) -> Request:
    """The request with the plan of its windows, where it is no plain clip.

    Raises:
        RequestError: The model cannot make it, or what is asked for contradicts itself.
    """
    return replace(request, long=plan_long(spec, request))


def plan_long(spec: ModelSpec, request: Request) -> LongPlan | None:
    """Shots and windows; None for a plain call of the pipeline.

    Raises:
        RequestError: The model cannot make it, or what is asked for contradicts itself.
    """
    scenes = scenes_of(request)
    wish = wish_of(request, scenes)
    choice = choose(spec, wish)
    if choice is None:
        is_call = request.method == "native" or is_long(spec, wish)
        what = "it is one call of the pipeline" if is_call else "one clip holds all of it"
        _refuse_idle(spec, request, what)
        return None
    if request.loop and request.noise != "independent":
        raise RequestError(
            f"A loop cannot have {request.noise} noise: the windows around its joint would hold the "
            "same noise twice. Use --noise independent."
        )
    method, reason = choice
    geometry = _geometry(spec, request, method)
    long = LongPlan(
        method,
        reason,
        _order(request),
        request.noise,
        geometry.rule,
        geometry.window,
        geometry.overlap,
        geometry.stride,
        (),
        request.loop,
        request.endless,
    )
    if request.endless:
        return _endless(spec, request, long)
    parts = takes(scenes, request.seed)
    if method == "cut":
        parts = split(parts, longest_clip(spec), request.seed)
    shots = make_shots(spec, request, long, parts)
    if all(len(shot.windows) == 1 for shot in shots):
        _refuse_idle(spec, request, "one window holds all of a shot")
    num_windows = sum(len(shot.windows) for shot in shots)
    steps = request.num_inference_steps
    return replace(long, shots=shots, num_evaluations=steps and steps * num_windows)


def scenes_of(request: Request) -> tuple[Scene, ...]:
    """The request's prompts on its frames."""
    cues = request.story or (Cue(request.prompt),)
    return () if request.endless else place(cues, request.num_frames, request.fps)


def wish_of(request: Request, scenes: Sequence[Scene]) -> Wish:
    """What of a request decides the method."""
    return Wish(
        request.num_frames,
        request.fps,
        scenes,
        request.method,
        request.window,
        request.loop,
        request.endless,
    )


def frames_at_once(spec: ModelSpec, request: Request) -> int:
    """Pixel frames of one call of the pipeline: they decide what memory it takes."""
    long = request.long
    if long is None:
        # A pipeline that goes on from its own end computes no more than a clip at a time.
        return min(request.num_frames, spec.frames.native) if _goes_on(spec) else request.num_frames
    if long.endless:
        return pixel_frames(long.rule, long.window)
    if long.method == "cut":
        return max(clip_length(spec, shot.num_frames) for shot in long.shots)
    return pixel_frames(long.rule, max(window.length for window in long.windows))


def is_streamed(spec: ModelSpec, request: Request) -> bool:
    """Whether frames are decoded as their latents come, and not a clip at a time or at the end."""
    return request.long is not None and request.long.method != "cut" and spec.supports.streams


def _goes_on(spec: ModelSpec) -> bool:
    """Whether one call of the pipeline leads to any length."""
    return "native" in spec.supports.long_video


def clip_length(spec: ModelSpec, num_frames: int) -> int:
    """The shortest clip that holds so many frames."""
    made = snap_frames(spec.frames, num_frames)
    return made if made >= num_frames else made + spec.frames.multiple


def settled_order(spec: ModelSpec, request: Request, rung: str) -> Request:
    """The request with the order of windows that suits where the weights wait.

    Weights that are moved for every step are moved once a round in lock-step, and once a window in
    wavefront where two denoisers take turns; frames are the same in both.
    """
    long = request.long
    is_free = long is not None and request.order == "auto" and not (long.loop or long.endless)
    if long is None or not is_free or rung == "none" or "transformer_2" not in spec.components:
        return request
    return replace(request, long=replace(long, order="lockstep"))


def described(spec: ModelSpec, request: Request) -> list[str]:
    """The method and why, and what is lost by it; nothing for a plain clip."""
    long = request.long
    if long is None:
        if request.num_frames <= spec.frames.native:
            return []
        own = _goes_on(spec)
        how = "goes on from what it has made" if own else "was not trained for the length"
        return [f"--method native: one call of the pipeline, which {how}"]
    rule, seconds = long.rule, number(long.rule.factor * long.overlap / request.fps)
    window = pixel_frames(rule, long.window)
    size = f"{window} frames"
    match long.method:
        case "cut":
            what = f"{len(long.shots)} clips, one after another"
        case _ if long.endless:
            what = f"windows of {size}, {seconds} s shared, until you stop it (Ctrl-C)"
        case "continue":
            what = f"{len(long.windows)} clips of {size}, each from the last {seconds} s before it"
        case _:
            what = f"{len(long.windows)} windows of {size}, at least {seconds} s shared"
    changed = [
        f"--{name} {wanted} -> {made}, whole latent frames of {label(spec)}"
        for name, wanted, made in (
            ("window", request.window, window),
            ("overlap", request.overlap, rule.factor * long.overlap),
        )
        # Clips one after another have neither; a config may say it for other videos.
        if wanted not in (None, made) and long.method != "cut"
    ]
    if window > spec.frames.native and long.method != "cut":
        changed.append(untrained(spec, request.fps, window))
    silent = [f"{spec.name} makes sound for a clip; this video has none"] if spec.audio else []
    return [f"--method {long.method}: {what}; {long.reason}", *changed, *silent]


def loop_frames(spec: ModelSpec, wanted: int) -> tuple[int, list[str]]:
    """A length at which a loop closes: its latent frames all make the same number of frames."""
    rule = spec.latents
    if rule is None:
        return wanted, []
    unit = rule.factor * rule.patch
    least = fitting_latents(spec.frames, rule, pixel_frames(rule, 3)) * rule.factor
    num_frames = max(-(-wanted // unit), -(-least // unit)) * unit
    if num_frames == wanted:
        return wanted, []
    least = -(-least // unit) * unit
    return num_frames, [
        f"{wanted} frames -> {num_frames}, a loop of {label(spec)} has {unit}n and at least {least}"
    ]


def longest_clip(spec: ModelSpec) -> int:
    """The longest clip that the model was trained for and makes."""
    native = snap_frames(spec.frames, spec.frames.native)
    return native if native <= spec.frames.native else native - spec.frames.multiple


@dataclass(frozen=True, slots=True)
class _Geometry:
    """A window, in latent frames."""

    rule: LatentRule
    window: int
    overlap: int

    @property
    def stride(self) -> int:
        patch = self.rule.patch
        return max(patch, (self.window - self.overlap) // patch * patch)


def _geometry(spec: ModelSpec, request: Request, method: Method) -> _Geometry:
    rule = spec.latents or LatentRule(factor=1)
    native = latent_frames(rule, longest_clip(spec))
    if method == "cut":
        _refuse_idle(spec, request, "--method cut makes shots without windows")
        return _Geometry(rule, native, 0)
    window = min(native, spec.supports.window or native)
    share = (spec.supports.overlap or 0) / (spec.supports.window or 1) or 1 / 3
    if request.window is not None:
        window = _window(spec, rule, request.window)
    overlap = round(window * share)
    if request.overlap is not None:
        overlap = _overlap(spec, rule, request.overlap, window)
    if method == "continue" and overlap == 0:
        raise RequestError(
            "--method continue goes on from the end of the clip before; --overlap 0 leaves nothing of "
            "it. For shots of their own there is --method cut"
        )
    if request.loop and overlap == 0:
        raise RequestError("--loop blends the end with the beginning; --overlap 0 leaves no room")
    return _Geometry(rule, window, min(overlap, window - 1))


def _window(spec: ModelSpec, rule: LatentRule, wanted: int) -> int:
    num_frames = snap_frames(spec.frames, wanted)
    limit = longest(spec.frames)
    if limit is not None and num_frames > limit:
        raise RequestError(
            f"--window {wanted}: {spec.name} makes at most {limit} frames in one call; "
            f"it was trained on {spec.frames.native}"
        )
    window = latent_frames(rule, num_frames)
    if window < 2:
        raise RequestError(
            f"--window {wanted} is one latent frame of {label(spec)}; "
            f"a window has at least {pixel_frames(rule, 2)} frames"
        )
    return window


def _overlap(spec: ModelSpec, rule: LatentRule, wanted: int, window: int) -> int:
    """Pixel frames that neighbors share, in latent frames: the nearest number."""
    overlap = (2 * wanted + rule.factor) // (2 * rule.factor)
    if overlap == 0 < wanted:
        raise RequestError(
            f"--overlap {wanted} is less than one latent frame of {label(spec)}; "
            f"it is 0 or at least {rule.factor} frames"
        )
    if overlap >= window or wanted >= pixel_frames(rule, window):
        raise RequestError(
            f"--overlap {wanted} leaves nothing of a window of {pixel_frames(rule, window)} frames; "
            f"a third of it, {max(1, round(window / 3)) * rule.factor}, is usual"
        )
    return overlap


def _order(request: Request) -> Order:
    if request.loop and request.endless:
        raise RequestError("A loop has an end and --endless has none; leave one of them out")
    if request.order == "wavefront" and request.loop:
        raise RequestError(
            "A loop has no first window that is finished early; leave --order wavefront out"
        )
    if request.order == "lockstep" and request.endless:
        raise RequestError("--endless has no last window to wait for; leave --order lockstep out")
    return "lockstep" if request.loop or request.order == "lockstep" else "wavefront"


def _refuse_idle(spec: ModelSpec, request: Request, why: str) -> None:
    """A flag that would change nothing is an error; in a config it is for the videos it fits."""
    for name in _MEANINGLESS:
        origin = request.origins.get(name, "t2v")
        if origin in {"flag", "call"} and getattr(request, name) not in {None, "auto"}:
            if name == "window" and is_long(spec, wish_of(request, scenes_of(request))):
                raise RequestError(
                    f"--window {request.window}: {why}, which is one call of the pipeline; ask for "
                    "that by --method native"
                )
            raise RequestError(
                f"--{name} changes nothing here: {why} "
                f"({request.num_frames} frames = {number(request.num_frames / request.fps)} s); "
                "leave it out"
            )


def _endless(spec: ModelSpec, request: Request, long: LongPlan) -> LongPlan:
    cues = timed(request.story or (Cue(request.prompt),), spec.frames.native, request.fps)
    file = Path(request.story_file) if request.story_file else None
    prompts = LivePrompts(cues, request.fps, long.rule, request.seed, request.negative_prompt, file)
    num_latents = fitting_latents(spec.frames, long.rule, request.num_frames)
    shot = Shot(0, 0, request.num_frames, num_latents, prompts.openings[0].seed, ())
    return replace(long, shots=(shot,), prompts=prompts)
