"""What a user may ask of one video: the same names on the command line, in config and prompt files."""

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    InstanceOf,
    ValidationError,
    field_validator,
)

from t2v.errors import RequestError
from t2v.plan import wording
from t2v.plan.seeds import MAX_SEED
from t2v.plan.story import Cue, parse_at, parse_story

Memory = Literal["auto", "none", "model", "group", "sequential"]
Device = Annotated[str, Field(pattern=r"^(auto|cpu|mps|xpu|cuda(:[0-9]{1,2})?)$")]
Dtype = Literal["auto", "float32", "float16", "bfloat16"]
Codec = Literal["auto", "h264", "hevc", "av1", "vp9", "prores", "gif", "webp", "avif", "png"]

Noise = Annotated[
    str, Field(pattern=r"^(independent|freenoise|mixed:(0(\.\d{1,6})?|1(\.0{1,6})?))$")
]

MAX_PIXELS = 16384
MAX_FRAMES = 1_000_000

_RATE = re.compile(r"\d{1,6}(\.\d{1,9})?|\d{1,6}/0*[1-9]\d{0,5}", re.ASCII)
_SIZE = re.compile(r"(\d{1,6})\s*[xX×*]\s*(\d{1,6})")
SHORT_NAMES = {
    "steps": "num_inference_steps",
    "guidance": "guidance_scale",
    "guidance_2": "guidance_scale_2",
    "frames": "num_frames",
}
"""The short names of the command line; they hold wherever options are given as text."""
_LENGTHS = {"seconds", "num_frames"}
_STORIES = {"story", "at"}


class Options(BaseModel):
    """Everything that can be asked; None means "not said", and the next layer below decides.

    The names are the ones of a diffusers call. Sizes are pixels, `seconds` is the wanted duration.
    A value that cannot be is a `RequestError` that names every wrong one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    model: Annotated[str, Field(max_length=4096)] | None = None
    negative_prompt: str | None = None
    width: Annotated[int, Field(ge=1, le=MAX_PIXELS)] | None = None
    height: Annotated[int, Field(ge=1, le=MAX_PIXELS)] | None = None
    num_frames: Annotated[int, Field(ge=1, le=MAX_FRAMES)] | None = None
    seconds: Annotated[float, Field(gt=0, le=86_400)] | None = None
    fps: str | None = None
    """Playback rate of the file as an exact fraction (`16`, `24000/1001`, `23.976`)."""
    num_inference_steps: Annotated[int, Field(ge=1, le=1000)] | None = None
    guidance_scale: Annotated[float, Field(ge=0, le=100)] | None = None
    guidance_scale_2: Annotated[float, Field(ge=0, le=100)] | None = None
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] | None = None
    num_videos: Annotated[int, Field(ge=1, le=10_000)] | None = None
    scheduler: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=100)] | None = (
        None
    )
    flow_shift: Annotated[float, Field(gt=0, le=100)] | None = None
    lora: tuple[str, ...] | None = None
    """`REPO_OR_FILE[:SCALE]`, each."""
    device: Device | None = None
    dtype: Dtype | None = None
    memory: Memory | None = None
    codec: Codec | None = None
    crf: Annotated[int, Field(ge=0, le=63)] | None = None
    story: str | tuple[InstanceOf[Cue], ...] | None = None
    """Prompts over time: a story file, or a list of prompts or of `{"at": "5s", "prompt": ...}`."""
    at: tuple[str, ...] | None = None
    """Later prompts, each as `5s: what is shown from then on`."""
    method: Literal["auto", "native", "windows", "continue", "cut"] | None = None
    window: Annotated[int, Field(ge=1, le=MAX_FRAMES)] | None = None
    """Length of a window in pixel frames."""
    overlap: Annotated[int, Field(ge=0, le=MAX_FRAMES)] | None = None
    """Pixel frames that neighboring windows share at least."""
    order: Literal["auto", "lockstep", "wavefront"] | None = None
    noise: Noise | None = None
    loop: bool | None = None
    endless: bool | None = None
    metadata: bool | None = None
    """Whether the file and a sidecar say how the video was made."""

    def __init__(self, **values: Any) -> None:
        self._fill(values, name=str)

    def _fill(self, values: Mapping[str, Any], name: wording.Namer) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            found = wording.problems(error, list(type(self).model_fields), name)
            raise RequestError("\n".join(found)) from None

    @classmethod
    def checked(cls, values: Mapping[str, Any], name: wording.Namer = wording.flag_name) -> Self:
        """The same, with every wrong value called what `name` calls it (`--num-frames`)."""
        options = cls.__new__(cls)
        options._fill(values, name)
        return options

    @classmethod
    def from_strings(cls, pairs: Mapping[str, str]) -> Self:
        """Options given as text: `{"steps": "20", "size": "832x480", "lora": "a.safetensors:0.5"}`.

        Dashes and the short names of the command line are understood; several LoRAs are separated
        by commas.
        """
        values: dict[str, Any] = {}
        for key, text in pairs.items():
            name = key.strip().replace("-", "_")
            name = SHORT_NAMES.get(name, name)
            if name == "size":
                values["width"], values["height"] = parse_size(text)
            elif name == "at":
                values["at"] = (text,)
            elif name == "lora":
                values["lora"] = tuple(part for part in text.split(",") if part)
            else:
                values[name] = text
        return cls.checked(values, name=str)

    def overlaid(self, upper: Self) -> Self:
        """These options with what `upper` says on top.

        Its `seconds` also replaces `num_frames`, and its `at` a `story`.
        """
        said = self.said()
        if upper.seconds is not None or upper.num_frames is not None:
            said = {key: value for key, value in said.items() if key not in _LENGTHS}
        if upper.story is not None or upper.at is not None:
            said = {key: value for key, value in said.items() if key not in _STORIES}
        return type(self)(**(said | upper.said()))

    def said(self) -> dict[str, Any]:
        """Only what has been said, by name."""
        return {name: value for name, value in self if value is not None}

    @field_validator("story", mode="before")
    @classmethod
    def _cues(cls, value: object) -> object:
        if isinstance(value, list | tuple):
            return parse_story(value)
        if value is None or isinstance(value, str):
            return value
        raise ValueError(f"must be a file or a list of prompts, not {wording.quoted(value)}")

    @field_validator("at")
    @classmethod
    def _form_of_at(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for text in value or ():
            parse_at(text)
        return value

    @field_validator("fps", mode="before")
    @classmethod
    def _exact_rate(cls, value: object) -> object:
        is_text = isinstance(value, str | int | float | Fraction) and not isinstance(value, bool)
        return str(parse_rate(str(value))) if is_text else value


def parse_rate(text: str) -> Fraction:
    """A frame rate as the exact fraction it stands for.

    >>> parse_rate("23.976"), parse_rate("12.5"), parse_rate("30000/1001")
    (Fraction(24000, 1001), Fraction(25, 2), Fraction(30000, 1001))
    """
    text = text.strip()
    if not _RATE.fullmatch(text):
        raise ValueError("not a frame rate such as 16, 23.976 or 24000/1001")
    rate = Fraction(text)
    ntsc = Fraction(round(rate) * 1000, 1001)
    # 23.98, 29.97 and 59.94 are what people write for multiples of 1000/1001.
    if "." in text and rate.denominator > 1 and rate > 20 and abs(rate - ntsc) < Fraction(1, 200):
        rate = ntsc
    if not Fraction(1, 10) <= rate <= 1000:
        raise ValueError("a frame rate lies between 0.1 and 1000")
    return rate.limit_denominator(1001)


def parse_size(text: str) -> tuple[int, int]:
    """Width and height of `832x480`."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise RequestError(f"--size must look like 832x480, not {wording.quoted(text)}")
    return int(match[1]), int(match[2])
