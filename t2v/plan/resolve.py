"""What the user, the configs and the zoo say, settled into one request."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from t2v.errors import RequestError
from t2v.plan import frames
from t2v.plan.longplan import loop_frames, with_long
from t2v.plan.lora import locate, parse_lora
from t2v.plan.methods import Wish, choose
from t2v.plan.options import MAX_FRAMES, MAX_PIXELS, Options
from t2v.plan.prompts import checked_prompt, clean_prompt
from t2v.plan.request import Request
from t2v.plan.seeds import derive_seed, random_seed
from t2v.plan.story import Cue, parse_at, read_story
from t2v.plan.timeline import natural_frames, place, with_opening
from t2v.plan.wording import flag_name
from t2v.zoo.spec import ModelSpec

Layer = tuple[str, Options]
"""Who says it and what they say."""
Layers = Sequence[Layer]
"""The strongest last."""

_FROM_ENTRY = (
    "negative_prompt",
    "num_inference_steps",
    "guidance_scale",
    "guidance_scale_2",
    "max_sequence_length",
    "scheduler",
    "flow_shift",
)
_OURS: dict[str, Any] = {
    "device": "auto",
    "dtype": "auto",
    "memory": "auto",
    "codec": "auto",
    "crf": None,
    "metadata": True,
    "method": "auto",
    "window": None,
    "overlap": None,
    "order": "auto",
    "noise": "independent",
    "loop": False,
    "endless": False,
}


def resolve(
    spec: ModelSpec, prompt: str | None, layers: Layers, *, prompt_origin: str = "flag"
) -> tuple[Request, list[str]]:
    """Settle every value of a request, with its origin, and say what had to be changed.

    The prompt may be left out where a story begins with one of its own.

    Raises:
        RequestError: The values contradict each other, or the model cannot make such a video.
    """
    settled = _Settled(spec, layers)
    settled.story(prompt, prompt_origin)
    settled.put("model", spec.name, [], settled.said("model", "t2v")[1])
    for name in _FROM_ENTRY:
        stated = getattr(spec.defaults, name)
        settled.take(name, stated, "pipeline" if stated is None else "zoo")
    for name, value in _OURS.items():
        settled.take(name, value, "t2v")
    settled.take("seed", random_seed(), "random")
    settled.steps()
    settled.only_prompt()
    settled.negative_prompt()
    settled.second_guidance()
    settled.loras()
    settled.rate()
    settled.size()
    settled.shift()
    settled.length()
    request = with_long(spec, Request(**settled.values, origins=settled.origins))
    if request.long and spec.audio:
        settled.notes.append(
            f"{spec.name} makes sound for a clip of its own length; a longer video is silent"
        )
    return request, settled.notes


def requests_for(spec: ModelSpec, request: Request, num_videos: int) -> tuple[Request, ...]:
    """The request once a video, with seeds that follow from its own."""
    if num_videos > 1 and request.endless:
        raise RequestError("--endless makes one video; leave --num-videos out")
    origins = request.origins | {"seed": f"derived from {request.seed}"}
    seeds = [derive_seed(request.seed, index) for index in range(1, num_videos)]
    others = (replace(request, seed=seed, origins=origins) for seed in seeds)
    # The shots of each have seeds of their own.
    return (request, *(with_long(spec, other) if other.long else other for other in others))


class _Settled:
    """The values of a request as they become known."""

    def __init__(self, spec: ModelSpec, layers: Layers) -> None:
        self.spec = spec
        self.layers = layers
        self.values: dict[str, Any] = {}
        self.origins: dict[str, str] = {}
        self.notes: list[str] = []

    def said(self, name: str, fallback: str, value: Any = None) -> tuple[Any, str]:
        """What the strongest layer that says anything says, and which one it is."""
        for origin, options in reversed(self.layers):
            found = getattr(options, name, None)
            if found is not None:
                return found, origin
        return value, fallback

    def take(self, name: str, value: Any, fallback: str) -> None:
        """Settle a value that needs no second thought."""
        self.values[name], self.origins[name] = self.said(name, fallback, value)

    def put(self, name: str, value: Any, notes: Sequence[str], origin: str) -> None:
        """Settle a value that was worked out."""
        self.values[name], self.origins[name] = value, origin
        self.notes += [note for note in notes if note not in self.notes]

    def story(self, prompt: str | None, prompt_origin: str) -> None:
        """The prompts over time, and the one that the video begins with."""
        story, origin = self.said("story", "")
        later, at_origin = self.said("at", "")
        if story is not None and later is not None:
            raise RequestError("--story and --at both say what comes when; give one of them")
        file = story if isinstance(story, str) else None
        if file is not None:
            cues = read_story(Path(file).expanduser())
        else:
            cues = story or tuple(parse_at(text) for text in later or ())
        notes: list[str] = []
        if prompt is not None:
            prompt, notes = checked_prompt(prompt)
        cues = with_opening(prompt, cues)
        if prompt is None or (cues and cues[0].prompt != prompt):
            prompt, prompt_origin = cues[0].prompt, origin or at_origin
        self.put("prompt", prompt, notes, prompt_origin)
        self.put("story", cues, [], origin or at_origin or "t2v")
        self.values["story_file"] = file

    def only_prompt(self) -> None:
        """A story of one prompt is a request like any other; the seed of its first is the video's."""
        cues: tuple[Cue, ...] = self.values["story"]
        if not cues:
            return
        self._from_cue("seed", cues[0].seed)
        self.values["story"] = (replace(cues[0], seed=None), *cues[1:])
        if len(cues) == 1:
            self._from_cue("negative_prompt", cues[0].negative_prompt)
            self.values["story"] = ()

    def _from_cue(self, name: str, own: Any) -> None:
        if own is not None:
            self.put(name, own, [], self.origins["story"])

    def steps(self) -> None:
        """Some pipelines need a number of steps to have their parts at all."""
        steps, fewest = self.values["num_inference_steps"], self.spec.defaults.min_inference_steps
        if steps is not None and fewest is not None and steps < fewest:
            raise RequestError(
                f"{self.spec.name} needs at least {fewest} steps, and {steps} were asked for. "
                f"Ask for --steps {fewest} or more."
            )
        self.distilled()

    def distilled(self) -> None:
        """A distilled model has learned one number of steps, and often to do without guidance."""
        name, defaults = self.spec.name, self.spec.defaults
        if "distilled" not in self.spec.tags:
            return
        steps, guidance = self.values["num_inference_steps"], self.values["guidance_scale"]
        if steps is not None and steps != defaults.num_inference_steps:
            known = defaults.num_inference_steps
            self.notes.append(f"{name} is distilled to {known} steps; {steps} may look worse")
        if guidance is not None and guidance > 1 and defaults.guidance_scale == 1:
            self.notes.append(
                f"{name} has guidance in its weights; {guidance:g} takes twice as long and may look worse"
            )

    def negative_prompt(self) -> None:
        if self.values["negative_prompt"] is not None:
            text, notes = clean_prompt(self.values["negative_prompt"], "negative prompt")
            self.put("negative_prompt", text, notes, self.origins["negative_prompt"])
        if self.values["negative_prompt"] and self.origins["negative_prompt"] != "zoo":
            self.notes += _without_effect(self.spec, self.values)

    def shift(self) -> None:
        """The flow shift follows the size in some models, unless somebody asked for another."""
        if self.origins["flow_shift"] in ("zoo", "pipeline"):
            shift = self.spec.defaults.shift_for(self.values["width"], self.values["height"])
            self.put("flow_shift", shift, [], "pipeline" if shift is None else "zoo")

    def second_guidance(self) -> None:
        """A second guidance scale is for models with two denoisers; diffusers refuses others."""
        spec, origin = self.spec, self.origins["guidance_scale_2"]
        has_two = spec.defaults.guidance_scale_2 is not None or "transformer_2" in spec.components
        if self.values["guidance_scale_2"] is None or has_two or spec.family == "generic":
            return
        message = f"{spec.name} has one denoiser and takes no {flag_name('guidance_scale_2')}"
        if not origin.endswith("config"):
            raise RequestError(message)
        self.put("guidance_scale_2", None, [f"{message}; the {origin}'s is left out"], "pipeline")

    def loras(self) -> None:
        texts, origin = self.said("lora", "t2v", ())
        loras = tuple(locate(parse_lora(text)) for text in texts)
        self.put("lora", loras, [], origin)

    def rate(self) -> None:
        """The file plays at the model's rate unless told otherwise."""
        spec, trained = self.spec, Fraction(self.spec.fps)
        text, origin = self.said("fps", "zoo", spec.fps)
        fps = Fraction(text)
        notes = []
        if fps != trained and not spec.fps_input:
            notes.append(
                f"{frames.label(spec)} moves at {frames.number(trained)} fps; played at {frames.number(fps)} "
                f"everything is {frames.number(round(fps / trained, 2))} times as fast"
            )
        self.put("fps", fps, notes, origin)

    def size(self) -> None:
        width, height, origins = wanted_size(self.spec, self.layers)
        if max(width, height) > MAX_PIXELS:
            raise RequestError(
                f"{width}x{height} is too large: a side has at most {MAX_PIXELS} pixels"
            )
        width, height, notes = frames.fit_size(self.spec, width, height)
        self.put("width", width, notes, origins[0])
        self.put("height", height, [], origins[1])

    def length(self) -> None:
        fps, cues = self.values["fps"], self.values["story"]
        wanted, origin, seconds = wanted_length(self.spec, self.layers, fps)
        if self.values["endless"]:
            wanted, origin = self._without_end(wanted, origin)
        elif origin == "zoo" and cues:
            wanted = min(MAX_FRAMES, natural_frames(cues, wanted, fps))
            origin = self.origins["story"]
        notes: list[str] = []
        if self._is_plain(wanted):
            wanted, notes = frames.fit_frames(self.spec, wanted, fps, seconds=seconds)
        elif self.values["loop"]:
            wanted, notes = loop_frames(self.spec, wanted)
        self.put("num_frames", wanted, notes, origin)

    def _without_end(self, wanted: int, origin: str) -> tuple[int, str]:
        """As many frames as there can be; a length that a config has is for other videos."""
        if origin in ("flag", "call"):
            raise RequestError(
                "--endless goes on until it is stopped; leave --seconds and --num-frames out"
            )
        return (MAX_FRAMES, "t2v") if origin.endswith(("zoo", "config")) else (wanted, origin)

    def _is_plain(self, wanted: int) -> bool:
        """Whether one call of the pipeline makes it, so that its rule of frames holds."""
        values = self.values
        fps, cues = values["fps"], values["story"]
        scenes = place(cues, wanted, fps) if cues and not values["endless"] else ()
        asked = (values[name] for name in ("method", "window", "loop", "endless"))
        return choose(self.spec, Wish(wanted, fps, scenes, *asked)) is None


def _without_effect(spec: ModelSpec, values: dict[str, Any]) -> list[str]:
    """What to say about a negative prompt that the model does not look at."""
    true_cfg_scale = spec.defaults.call.get("true_cfg_scale")
    if isinstance(true_cfg_scale, int | float):
        if true_cfg_scale > 1:
            return []
        return [
            f"{spec.name} has its guidance built in, so the negative prompt does nothing; "
            "it would with defaults.call.true_cfg_scale above 1 in an entry of your own"
        ]
    scales = [values[name] for name in ("guidance_scale", "guidance_scale_2")]
    if scales[0] is None or max(scale or 0 for scale in scales) > 1:
        return []
    return [
        f"the negative prompt does nothing at a guidance scale of {scales[0]:g}; above 1 it does"
    ]


def wanted_size(spec: ModelSpec, layers: Layers) -> tuple[int, int, tuple[str, str]]:
    """Width and height before snapping, and who decided each.

    A side that is given alone brings the other one along, in the shape of the size below it.
    """
    width, height = spec.sizes.native[0]
    origins = "zoo", "zoo"
    for origin, options in layers:
        match options.width, options.height:
            case None, None:
                continue
            case int(wide), int(high):
                width, height = wide, high
            case int(wide), None:
                width, height = _follow(spec, (width, height), wide, side=0)
            case None, int(high):
                width, height = _follow(spec, (width, height), high, side=1)
        origins = origin, origin
    return width, height, origins


def _follow(spec: ModelSpec, shape: tuple[int, int], given: int, side: int) -> tuple[int, int]:
    natives = spec.sizes.native if shape in spec.sizes.native else ()
    for native in natives:
        if native[side] == given:
            return native
    other = max(1, frames.nearest(Fraction(given * shape[1 - side], shape[side])))
    return (given, other) if side == 0 else (other, given)


def wanted_length(spec: ModelSpec, layers: Layers, fps: Fraction) -> tuple[int, str, float | None]:
    """The frame count before snapping, who decided it, and the seconds it comes from."""
    for origin, options in reversed(layers):
        if options.seconds is not None and options.num_frames is not None:
            where = "" if origin == "flag" else f" in the {origin}"
            raise RequestError(
                f"--seconds and --num-frames{where} both say how long the video is; give one of them"
            )
        if options.num_frames is not None:
            return options.num_frames, origin, None
        if options.seconds is not None:
            wanted = frames.frames_for(options.seconds, fps)
            if wanted > MAX_FRAMES:
                raise RequestError(
                    f"{options.seconds:g} s at {frames.number(fps)} fps are {wanted:,} frames; "
                    f"at most {MAX_FRAMES:,} can be asked for"
                )
            return wanted, origin, options.seconds
    return spec.frames.native, "zoo", None
