"""The options that commands share. All are text here: the library checks them and names the flag."""

from typing import Annotated, Any

import typer

from t2v_cli.values import complete_model


def option(metavar: str, help: str, *flags: str, **more: Any) -> Any:
    """An option with a value."""
    return typer.Option(*flags, metavar=metavar, help=help, show_default=False, **more)


def switch(help: str, *flags: str) -> Any:
    """An option without one."""
    return typer.Option(*flags, help=help, show_default=False)


def positional(metavar: str, help: str, **more: Any) -> Any:
    """What has no name."""
    return typer.Argument(metavar=metavar, help=help, show_default=False, **more)


_MODEL = "A name of the zoo, a Hub repository (org/name[@revision]) or a local diffusers folder."
_OUT = (
    "Where to write: .mp4, .webm, .mov, .mkv, .gif, .webp or .avif, or a folder (frames/) for PNG "
    "pictures. {prompt} {seed} {model} {index} and the like are filled in. Without it, the prompt "
    "and the seed make the name."
)
_LORA = "Add a LoRA from the Hub or a file, at a strength; may be given more than once."
_MEMORY = "Where weights wait: auto, none (all on the device), model, group or sequential offload."
_CODEC = "auto, h264, hevc, av1, vp9, prores, gif, webp, avif or png."
_STORY = (
    "Prompts over time, from a YAML file: a list of `{at: 5s, prompt: ...}`, with `cut: true` for a "
    "new shot. A story file that grows is read again while --endless runs."
)
_AT = "Another prompt from then on (5s, 1m30s, 00:05, 40f); may be given more than once."
_METHOD = (
    "How a video longer than one clip is made: auto, windows (blended), continue (from the last "
    "frames), cut (separate shots) or native (one call of the pipeline)."
)
_WINDOW = "Length of a window in frames; the model's own length without it."
_OVERLAP = "Frames that neighboring windows share; about a third of a window without it."
_ORDER = (
    "auto, wavefront (the first frames early, memory flat) or lockstep; the frames are the same."
)
_NOISE = "Of a long video: independent, freenoise, or mixed:A with A from 0 to 1."
_ENDLESS = "Go on until Ctrl-C, which completes the video."
_RESUME = "Go on with an unfinished video, from the .work folder beside its output."
_SET = "Change a setting, such as seed=3 or steps=20; may be given more than once."

PromptArg = Annotated[
    str | None,
    positional("[PROMPT]", "What the video shows; - reads it from stdin. A story has its own."),
]
ModelArg = Annotated[str, positional("MODEL", _MODEL, autocompletion=complete_model)]
ModelsArg = Annotated[
    str | None,
    positional("[MODEL]", _MODEL, autocompletion=complete_model),
]
FileArg = Annotated[str, positional("FILE", "A video, its folder of frames, or its sidecar.")]
MadeArg = Annotated[
    str,
    positional("FILE", "A video, its folder of frames, its sidecar, or the folder of a batch."),
]

ModelOpt = Annotated[
    str | None, option("MODEL", _MODEL, "-m", "--model", autocompletion=complete_model)
]
OutputOpt = Annotated[str | None, option("OUT", _OUT, "-o", "--output")]
SecondsOpt = Annotated[str | None, option("S", "Length in seconds.", "--seconds")]
FramesOpt = Annotated[str | None, option("N", "Length in frames.", "--num-frames", "--frames")]
SizeOpt = Annotated[str | None, option("WxH", "Width and height, such as 832x480.", "--size")]
HeightOpt = Annotated[str | None, option("H", "Height in pixels.", "--height")]
WidthOpt = Annotated[str | None, option("W", "Width in pixels.", "--width")]
FpsOpt = Annotated[str | None, option("F", "Frames a second: 16, 23.976, 24000/1001.", "--fps")]
StepsOpt = Annotated[
    str | None, option("N", "Denoising steps.", "--num-inference-steps", "--steps")
]
GuidanceOpt = Annotated[
    str | None,
    option("G", "How strictly the prompt is followed.", "--guidance-scale", "--guidance"),
]
Guidance2Opt = Annotated[
    str | None,
    option(
        "G",
        "The same for the second denoiser of a model with two.",
        "--guidance-scale-2",
        "--guidance-2",
    ),
]
NegativeOpt = Annotated[
    str | None, option("TEXT", "What the video should not show.", "-n", "--negative-prompt")
]
SeedOpt = Annotated[
    str | None, option("N", "The same seed makes the same video; random without it.", "--seed")
]
NumVideosOpt = Annotated[
    str | None, option("N", "Several videos, each with a seed of its own.", "--num-videos")
]
SchedulerOpt = Annotated[str | None, option("NAME", "A diffusers scheduler class.", "--scheduler")]
FlowShiftOpt = Annotated[
    str | None, option("X", "Shift of the noise levels of a flow-matching model.", "--flow-shift")
]
LoraOpt = Annotated[list[str] | None, option("REPO_OR_FILE[:SCALE]", _LORA, "--lora")]
DeviceOpt = Annotated[str | None, option("D", "auto, cuda, cuda:N, mps, xpu or cpu.", "--device")]
DtypeOpt = Annotated[str | None, option("T", "auto, bfloat16, float16 or float32.", "--dtype")]
MemoryOpt = Annotated[str | None, option("RUNG", _MEMORY, "--memory")]
CodecOpt = Annotated[str | None, option("C", _CODEC, "--codec")]
CrfOpt = Annotated[str | None, option("Q", "Quality of the encoding; lower is better.", "--crf")]
StoryOpt = Annotated[str | None, option("FILE", _STORY, "--story")]
AtOpt = Annotated[list[str] | None, option("TIME: PROMPT", _AT, "--at")]
MethodOpt = Annotated[str | None, option("HOW", _METHOD, "--method")]
WindowOpt = Annotated[str | None, option("N", _WINDOW, "--window")]
OverlapOpt = Annotated[str | None, option("N", _OVERLAP, "--overlap")]
OrderOpt = Annotated[str | None, option("ORDER", _ORDER, "--order")]
NoiseOpt = Annotated[str | None, option("KIND", _NOISE, "--noise")]
LoopOpt = Annotated[
    bool | None, switch("Let the end go on with the beginning.", "--loop/--no-loop")
]
EndlessOpt = Annotated[bool | None, switch(_ENDLESS, "--endless")]
ResumeOpt = Annotated[str | None, option("DIR", _RESUME, "--resume")]
MetadataOpt = Annotated[
    bool | None,
    switch("Say in the file and a sidecar how it was made [yes].", "--metadata/--no-metadata"),
]
SaveLatentsOpt = Annotated[
    bool, switch("Keep the latents beside the video, for t2v decode.", "--save-latents")
]
StrictOpt = Annotated[
    bool, switch("Exit with 4 where the frames look broken (black, frozen, NaN).", "--strict")
]
PickleOpt = Annotated[bool, switch("Accept weights that are not safetensors.", "--allow-pickle")]
OverwriteOpt = Annotated[bool, switch("Replace an output that is there.", "--overwrite")]
ProgressOpt = Annotated[
    str, option("HOW", "auto, bar, json (a line an event, on stderr) or none.", "--progress")
]
YesOpt = Annotated[bool, switch("Download missing weights without asking.", "--yes", "-y")]
DryRunOpt = Annotated[bool, switch("Say what would be done, and do nothing.", "--dry-run")]
JsonOpt = Annotated[bool, switch("Print JSON on stdout.", "--json")]
QuietOpt = Annotated[bool, switch("Print bare names or paths, no talk.", "-q", "--quiet")]
SetOpt = Annotated[list[str] | None, option("KEY=VALUE", _SET, "--set")]
