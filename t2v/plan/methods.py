"""Which way a long video is made, and why; or what can be done instead."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

from t2v.errors import RequestError
from t2v.plan.frames import longest, number, snap_frames
from t2v.plan.timeline import Scene
from t2v.plan.windows import Method
from t2v.zoo.spec import ModelSpec


@dataclass(frozen=True, slots=True)
class Wish:
    """What decides the method. Frames are pixel frames."""

    num_frames: int
    fps: Fraction
    scenes: Sequence[Scene] = ()
    method: str = "auto"
    window: int | None = None
    loop: bool = False
    endless: bool = False

    @property
    def is_told(self) -> bool:
        """Whether there are several prompts."""
        return len(self.scenes) > 1


def choose(spec: ModelSpec, wish: Wish) -> tuple[Method, str] | None:
    """The method and why it is the one; None for a plain call of the pipeline.

    Raises:
        RequestError: The model cannot make it this way, or in no way.
    """
    if wish.method == "native":
        _require_one_call(spec, wish)
        return None
    if wish.loop and any(scene.cue.cut for scene in wish.scenes[1:]):
        raise RequestError(
            "A loop goes on into its own beginning, which a cut would end; "
            "leave --loop or the cuts out"
        )
    if wish.endless and not spec.supports.streams:
        raise RequestError(
            f"{spec.name} shows no frame before its last is made, and --endless has no last; "
            "ask for --seconds, or for another model: t2v models list"
        )
    if not is_long(spec, wish):
        return None
    if wish.method != "auto":
        _require(spec, wish, wish.method)
        return cast(Method, wish.method), "as asked for"
    if _is_cut(wish, spec.frames.native):
        return "cut", "every shot fits into one clip"
    for method in spec.supports.long_video:
        if _is_able(spec, wish, method):
            return None if method == "native" else (cast(Method, method), _need(spec, wish))
    raise RequestError(_refusal(spec, wish))


def is_long(spec: ModelSpec, wish: Wish) -> bool:
    """Whether a plain clip of the trained length is not enough."""
    num_frames = snap_frames(spec.frames, wish.num_frames)
    most = min(spec.frames.native, wish.window or spec.frames.native)
    return wish.loop or wish.endless or wish.is_told or num_frames > most


def _require_one_call(spec: ModelSpec, wish: Wish) -> None:
    """Raise if one call of the pipeline, whatever its length, does not lead there."""
    for has, what in ((wish.is_told, "several prompts"), (wish.loop, "a loop")):
        if has:
            raise RequestError(f"--method native is one call of {spec.name}, without {what}")
    if wish.endless:
        raise RequestError(f"--method native is one call of {spec.name}, and that has an end")


def _require(spec: ModelSpec, wish: Wish, method: str) -> None:
    """Raise if this way, asked for, does not lead there."""
    if method == "windows" and not _is_able(spec, wish, method):
        raise RequestError(f"{_lacks(spec, 'windows')}; {_instead(spec, wish)}")
    if method == "continue":
        if "continue" not in spec.supports.long_video:
            raise RequestError(f"{spec.name} cannot continue a clip; {_instead(spec, wish)}")
        if wish.loop or wish.endless:
            raise RequestError("--loop and --endless need --method windows")
    if method == "cut" and (wish.loop or wish.endless):
        raise RequestError("--loop and --endless need windows; leave --method cut out")


def _is_able(spec: ModelSpec, wish: Wish, method: str) -> bool:
    if method not in spec.supports.long_video:
        return False
    match method:
        case "windows":
            return spec.latents is not None
        case "continue":
            return spec.latents is not None and not (wish.loop or wish.endless)
        case _:
            is_plain = not (wish.loop or wish.endless or wish.is_told)
            limit = longest(spec.frames)
            return is_plain and (
                limit is None or snap_frames(spec.frames, wish.num_frames) <= limit
            )


def _is_cut(wish: Wish, native: int) -> bool:
    return wish.is_told and all(
        scene.num_frames <= native and (scene.cue.cut or index == 0)
        for index, scene in enumerate(wish.scenes)
    )


def _need(spec: ModelSpec, wish: Wish) -> str:
    if wish.endless:
        return "a video without an end"
    if wish.loop:
        return "a loop"
    if wish.num_frames > spec.frames.native:
        return f"one clip of {spec.name} has {spec.frames.native} frames"
    return "several prompts" if wish.is_told else "a smaller window was asked for"


def _lacks(spec: ModelSpec, what: str) -> str:
    return f"{spec.name} has no {what}"


def _refusal(spec: ModelSpec, wish: Wish) -> str:
    native = spec.frames.native
    if wish.endless or wish.loop:
        what = "--endless" if wish.endless else "--loop"
        return f"{what} needs windows, and {spec.name} has none; t2v models list shows others"
    if wish.is_told:
        return (
            f"Prompts that change within a shot need windows, and {spec.name} has none; "
            "add `cut: true` to the entries, or --method cut"
        )
    return (
        f"{spec.name} makes {native} frames ({_seconds(native, wish.fps)}) in one clip, "
        f"{wish.num_frames} were asked for, and it has no windows; {_instead(spec, wish)}"
    )


def _instead(spec: ModelSpec, wish: Wish) -> str:
    ways = [f"ask for --num-frames {spec.frames.native} or less", "--method cut for separate shots"]
    limit = longest(spec.frames)
    if limit is None or wish.num_frames <= limit:
        ways.append("--method native for one long call, which may repeat or drift")
    return ", or ".join(ways)


def _seconds(num_frames: int, fps: Fraction) -> str:
    return f"{number(num_frames / fps)} s"
