"""The schema of `t2v plan --json`, and of a request, which other outputs hold as well."""

from typing import get_args

from outputs.words import (
    COUNT,
    FRACTION,
    MAYBE_BYTES,
    MAYBE_TEXT,
    POSITIVE,
    SECONDS,
    TEXT,
    YES_OR_NO,
    Schema,
    array,
    maybe,
    one_of,
    record,
    said,
)
from pydantic import TypeAdapter

from t2v.plan.options import Options
from t2v.plan.rungs import RUNGS
from t2v.plan.windows import Method, Order
from t2v.zoo.spec import Commercial, Maturity


def _asked(name: str) -> Schema:
    """What may be asked for, as the code checks it; null is left to the pipeline or the codec."""
    schema: Schema = TypeAdapter(Options.model_fields[name].annotation).json_schema()
    return schema


def _settled(name: str) -> Schema:
    """The same of what is never left open."""
    (schema,) = (way for way in _asked(name)["anyOf"] if way != {"type": "null"})
    return dict(schema)


CUE = {
    **record(
        "What is shown from a moment on.",
        at=said(TEXT, "5s, or 40f for a frame; without it the prompts share the time evenly."),
        prompt=TEXT,
        cut=said(YES_OR_NO, "A new shot begins, blended with nothing."),
        noise=one_of(["shared"]),
        seed=COUNT,
        negative_prompt=TEXT,
    ),
    "required": ["prompt"],
}
_VALUES: dict[str, Schema] = {
    "prompt": TEXT,
    "model": TEXT,
    # The model's rules may move them beyond what can be asked for.
    "width": said(POSITIVE, "Pixels."),
    "height": said(POSITIVE, "Pixels."),
    "num_frames": said(POSITIVE, "Of a video without an end, the most there can be."),
    "fps": FRACTION,
    "seed": _settled("seed"),
    "negative_prompt": _asked("negative_prompt"),
    "num_inference_steps": _asked("num_inference_steps"),
    "guidance_scale": _asked("guidance_scale"),
    "guidance_scale_2": said(_asked("guidance_scale_2"), "Of a second denoiser."),
    "max_sequence_length": {"type": ["integer", "null"], "description": "Tokens of a prompt."},
    "scheduler": _asked("scheduler"),
    "flow_shift": _asked("flow_shift"),
    "lora": array(record("A LoRA to add.", source=TEXT, scale={"type": "number"})),
    "device": _settled("device"),
    "dtype": _settled("dtype"),
    "memory": _settled("memory"),
    "codec": _settled("codec"),
    "crf": _asked("crf"),
    "metadata": _settled("metadata"),
    "story": array(CUE, "Prompts over time; empty where there is one alone."),
    "method": _settled("method"),
    "window": said(_asked("window"), "As asked for, in pixel frames."),
    "overlap": said(_asked("overlap"), "As asked for, in pixel frames."),
    "order": _settled("order"),
    "noise": _settled("noise"),
    "loop": _settled("loop"),
    "endless": _settled("endless"),
}
REQUEST = record(
    "Every value with who decided it.",
    **{
        name: {
            "type": "object",
            "properties": {"value": value, "origin": TEXT},
            "required": ["value", "origin"],
            "additionalProperties": False,
        }
        for name, value in _VALUES.items()
    },
)
LONG = record(
    "Bare numbers are pixel frames, latent_ ones latent frames.",
    method=one_of(get_args(Method)),
    reason=TEXT,
    order=one_of(get_args(Order)),
    noise=_settled("noise"),
    loop=YES_OR_NO,
    endless=YES_OR_NO,
    window=COUNT,
    overlap=COUNT,
    latent_window=COUNT,
    latent_overlap=COUNT,
    latent_stride=COUNT,
    num_windows={"type": ["integer", "null"], "description": "Null without an end."},
    num_evaluations={"type": ["integer", "null"], "description": "Windows times steps."},
    cost={
        "type": ["number", "null"],
        "description": "Latent frames computed for each one shown.",
    },
    shots=array(
        record(
            "What is made without a cut.",
            index=COUNT,
            first_frame=COUNT,
            num_frames=POSITIVE,
            num_latents=POSITIVE,
            seed=COUNT,
        ),
        least=1,
    ),
)
WINDOW = record(
    "What is denoised at once.",
    index=COUNT,
    shot=COUNT,
    first_frame=said(COUNT, "The first frame of the video that it counts on."),
    num_frames=POSITIVE,
    latent_start=said(COUNT, "In latent frames of its shot."),
    num_latents=POSITIVE,
    prompt=said(TEXT, "Its beginning; the whole one is in the request."),
    negative_prompt=MAYBE_TEXT,
    weights=array(
        {"type": "number", "minimum": 0, "maximum": 1},
        "How much it counts on each of its latent frames; those of all windows of a shot sum to 1.",
        least=1,
    ),
)
MODEL = record(
    "Which model makes it.",
    name=TEXT,
    family=TEXT,
    pipeline=TEXT,
    repo=MAYBE_TEXT,
    revision=said(MAYBE_TEXT, "Commit of the repository."),
    license=TEXT,
    commercial=one_of(get_args(Commercial)),
    maturity=one_of(get_args(Maturity)),
    download_bytes=said(MAYBE_BYTES, "0 is nothing to download; null is unknown."),
)
MEMORY = record(
    "Where the weights are while it runs.",
    rung=one_of(RUNGS),
    vae_tiling=YES_OR_NO,
    reason=TEXT,
    estimated_bytes=said(MAYBE_BYTES, "Expected peak on the device."),
    host_bytes=said(MAYBE_BYTES, "Expected peak of the host's memory."),
    warnings=array(TEXT),
)
MACHINE = record(
    "This machine; bytes are null where nothing says how many there are.",
    device=one_of(("cuda", "rocm", "mps", "xpu", "cpu")),
    device_name=TEXT,
    free_bytes=MAYBE_BYTES,
    total_bytes=MAYBE_BYTES,
    host_free_bytes=MAYBE_BYTES,
    host_total_bytes=MAYBE_BYTES,
    num_cpus=POSITIVE,
)
ESTIMATE = record(
    "Expected seconds of one video.",
    load_s=SECONDS,
    encode_s=SECONDS,
    seconds_per_step={"type": ["number", "null"], "minimum": 0},
    denoise_s=SECONDS,
    decode_s=SECONDS,
    write_s=SECONDS,
    runs=said(POSITIVE, "Earlier runs that this rests on."),
    is_scaled=said(YES_OR_NO, "They made videos of another size or length."),
    total_s=SECONDS,
)


def plan() -> Schema:
    """A plan, and where its videos will be."""
    return {
        "title": "t2v plan --json",
        **record(
            "Everything that is known before a weight is loaded.",
            model=MODEL,
            request=said(REQUEST, "Of the first video, every value with who decided it."),
            duration_s={
                "description": "Null for a video without an end.",
                "type": ["number", "null"],
                "exclusiveMinimum": 0,
            },
            long=maybe(LONG, "How a video is made that is no plain clip; null for a clip."),
            windows=array(WINDOW),
            seeds=array(COUNT, "One for each video.", least=1),
            memory=MEMORY,
            machine=maybe(MACHINE, "Null where the plan is for no machine."),
            estimate=maybe(ESTIMATE, "From earlier runs; null where none was like it."),
            notes=array(TEXT, "What was changed on the way and why."),
            outputs=array(TEXT, "Paths, one for each video.", least=1),
        ),
    }
