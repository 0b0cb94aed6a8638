"""Seconds, frames and pixels: what was asked, moved to what the model can make."""

from fractions import Fraction
from math import floor

from t2v.errors import RequestError
from t2v.zoo.spec import FrameRule, ModelSpec

_LABELS = {
    "wan": "Wan",
    "ltx": "LTX",
    "ltx2": "LTX-2",
    "ltx_long": "LTX",
    "cogvideox": "CogVideoX",
    "modelscope": "ModelScope",
    "hunyuan_video": "HunyuanVideo",
    "mochi": "Mochi",
    "skyreels_v2": "SkyReels-V2",
    "skyreels_v2_df": "SkyReels-V2",
    "hunyuan_video_15": "HunyuanVideo 1.5",
    "wan_vace": "Wan VACE",
    "motif_video": "Motif-Video",
    "helios": "Helios",
    "helios_pyramid": "Helios",
    "animatediff": "AnimateDiff",
    "text2video_zero": "Text2Video-Zero",
    "latte": "Latte",
    "allegro": "Allegro",
    "easyanimate": "EasyAnimate",
    "anyflow": "AnyFlow",
    "anyflow_far": "AnyFlow FAR",
    "kandinsky5": "Kandinsky 5",
    "kandinsky6": "Kandinsky 6",
    "sana_video": "SANA-Video",
    "cosmos": "Cosmos",
    "cosmos3": "Cosmos 3",
}


def label(spec: ModelSpec) -> str:
    """What people call the model's family, for messages."""
    return _LABELS.get(spec.family, spec.name)


def nearest(value: Fraction | int) -> int:
    """The nearest whole number, halves upward."""
    return floor(value + Fraction(1, 2))


def frames_for(seconds: float | Fraction, fps: Fraction) -> int:
    """How many frames last that long, at least one.

    >>> frames_for(5, Fraction(16))
    80
    """
    # A float such as 0.1 means the decimal that the user wrote, not its binary neighbor.
    exact = Fraction(str(seconds)) if isinstance(seconds, float) else Fraction(seconds)
    return max(1, nearest(exact * fps))


def smallest(rule: FrameRule) -> int:
    """The shortest clip that the rule allows."""
    units = 0 if rule.plus else 1
    if rule.min is not None:
        units = max(units, -((rule.plus - rule.min) // rule.multiple))
    return rule.multiple * units + rule.plus


def longest(rule: FrameRule) -> int | None:
    """The longest clip that one call makes, or None where there is no limit."""
    return None if rule.max is None else rule.max - (rule.max - rule.plus) % rule.multiple


def snap_frames(rule: FrameRule, wanted: int) -> int:
    """The legal frame count nearest to the wanted one, the longer of two equally near.

    >>> snap_frames(FrameRule(multiple=4, plus=1, native=81), 80)
    81
    """
    units = nearest(Fraction(wanted - rule.plus, rule.multiple))
    return max(smallest(rule), rule.multiple * units + rule.plus)


def rule_text(rule: FrameRule) -> str:
    """The rule as people write it: `4n+1`, `8n`, `exactly 16`, `any number`."""
    if longest(rule) == smallest(rule):
        return f"exactly {smallest(rule)}"
    if rule.multiple == 1:
        return "any number of frames"
    return f"{rule.multiple}n+{rule.plus}" if rule.plus else f"{rule.multiple}n"


def fit_frames(
    spec: ModelSpec, wanted: int, fps: Fraction, *, seconds: float | None = None
) -> tuple[int, list[str]]:
    """A frame count that one call of the model makes, and what is to be said about it.

    `seconds` is what the wanted count was worked out from, if it was.
    """
    rule = spec.frames
    num_frames = snap_frames(rule, wanted)
    limit = longest(rule)
    if limit is not None and num_frames > limit:
        raise RequestError(
            f"{spec.name} makes at most {limit} frames in one clip ({_duration(limit, fps)}); "
            f"{wanted} were asked for. Ask for --num-frames {limit} or less."
        )
    notes = []
    if num_frames != wanted:
        source = "" if seconds is None else f"{seconds:g} s at {number(fps)} fps: "
        makes = f"{label(spec)} makes {_reason(rule, wanted)}"
        notes.append(f"{source}{wanted} frames -> {num_frames}, {makes}")
    if num_frames > rule.native and "native" not in spec.supports.long_video:
        notes.append(untrained(spec, fps, num_frames))
    return num_frames, notes


def untrained(spec: ModelSpec, fps: Fraction, num_frames: int) -> str:
    """What is said of a call for more frames than the model was trained on."""
    native = spec.frames.native
    return (
        f"{spec.name} was trained on {native} frames ({_duration(native, fps)}); "
        f"{num_frames} may repeat or drift, and need more memory"
    )


def snap_size(multiple: int, wanted: int) -> int:
    """The multiple nearest to the wanted number of pixels, at least one.

    >>> snap_size(16, 500)
    496
    """
    return max(1, nearest(Fraction(wanted, multiple))) * multiple


def fit_size(spec: ModelSpec, width: int, height: int) -> tuple[int, int, list[str]]:
    """A size that the model makes, and what is to be said about it."""
    multiple = spec.sizes.multiple
    fitted = snap_size(multiple, width), snap_size(multiple, height)
    notes = []
    if fitted != (width, height):
        notes.append(
            f"{width}x{height} -> {fitted[0]}x{fitted[1]}, "
            f"{label(spec)} makes multiples of {multiple} pixels"
        )
    areas = [native_width * native_height for native_width, native_height in spec.sizes.native]
    if not Fraction(min(areas), 4) <= fitted[0] * fitted[1] <= 4 * max(areas):
        native = ", ".join(f"{pair[0]}x{pair[1]}" for pair in spec.sizes.native)
        notes.append(f"{spec.name} was trained at {native}; {fitted[0]}x{fitted[1]} is far from it")
    return *fitted, notes


def number(value: Fraction) -> str:
    """A rate or a factor for people: `16`, `23.976`."""
    return f"{float(value):.5g}"


def _duration(num_frames: int, fps: Fraction) -> str:
    return f"{float(num_frames / fps):.3g} s"


def _reason(rule: FrameRule, wanted: int) -> str:
    short = wanted < smallest(rule) and rule.min is not None and longest(rule) != smallest(rule)
    return f"at least {smallest(rule)} frames" if short else rule_text(rule)
