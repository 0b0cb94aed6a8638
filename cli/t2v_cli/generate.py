"""`t2v generate` and `t2v plan`: the same options, the work and its arithmetic."""

import functools
from pathlib import Path
from typing import Any

import typer

import t2v
from t2v_cli import options as o
from t2v_cli.planning import show_plan
from t2v_cli.progress import display
from t2v_cli.running import Manner, carry_out
from t2v_cli.values import examples, read_prompt, refuse_beside_resume, to_options

GENERATE_EXAMPLES = examples(
    't2v generate "a red ball bounces over green hills"',
    't2v generate "a fox in the snow" -m wan2.1-t2v-1.3b --seconds 5 --seed 7 -o fox.mp4',
    't2v generate "rain on a window" --num-videos 4 -o "rain-{seed}.mp4" --json',
    't2v generate "a red ball bounces" --seconds 10 --at "5s: it begins to rain" -o story.mp4',
    "echo 'a paper boat' | t2v generate - -o boat.gif",
)
PLAN_EXAMPLES = examples(
    't2v plan "a fox in the snow" -m wan2.1-t2v-1.3b --seconds 5',
    't2v plan "a fox in the snow" --size 480x480 --json',
    't2v plan "a red ball bounces" --seconds 10 --at "5s: it begins to rain"',
)
PLAN_HELP = """Show what generate would do, and load nothing.

Takes the options of generate. Every value is printed with where it comes from: a flag, a
configuration file, the model's entry in the zoo, or t2v itself."""


def generate(
    ctx: typer.Context,
    prompt: o.PromptArg = None,
    model: o.ModelOpt = None,
    output: o.OutputOpt = None,
    seconds: o.SecondsOpt = None,
    num_frames: o.FramesOpt = None,
    size: o.SizeOpt = None,
    height: o.HeightOpt = None,
    width: o.WidthOpt = None,
    fps: o.FpsOpt = None,
    num_inference_steps: o.StepsOpt = None,
    guidance_scale: o.GuidanceOpt = None,
    guidance_scale_2: o.Guidance2Opt = None,
    negative_prompt: o.NegativeOpt = None,
    seed: o.SeedOpt = None,
    num_videos: o.NumVideosOpt = None,
    scheduler: o.SchedulerOpt = None,
    flow_shift: o.FlowShiftOpt = None,
    lora: o.LoraOpt = None,
    device: o.DeviceOpt = None,
    dtype: o.DtypeOpt = None,
    memory: o.MemoryOpt = None,
    codec: o.CodecOpt = None,
    crf: o.CrfOpt = None,
    story: o.StoryOpt = None,
    at: o.AtOpt = None,
    method: o.MethodOpt = None,
    window: o.WindowOpt = None,
    overlap: o.OverlapOpt = None,
    order: o.OrderOpt = None,
    noise: o.NoiseOpt = None,
    loop: o.LoopOpt = None,
    endless: o.EndlessOpt = None,
    metadata: o.MetadataOpt = None,
    save_latents: o.SaveLatentsOpt = False,
    resume: o.ResumeOpt = None,
    strict: o.StrictOpt = False,
    overwrite: o.OverwriteOpt = False,
    allow_pickle: o.PickleOpt = False,
    dry_run: o.DryRunOpt = False,
    progress: o.ProgressOpt = "auto",
    yes: o.YesOpt = False,
    json: o.JsonOpt = False,
    quiet: o.QuietOpt = False,
) -> None:
    """Make a video of a prompt.

    Values that are not given come from the project's t2v.yaml, the user's configuration, and the
    model's entry in the zoo. The path of the video goes to stdout, everything else to stderr.
    """
    show = display(progress, quiet=quiet)
    if resume is None:
        plan = t2v.make_plan(read_prompt(prompt), to_options(ctx.params))
    else:
        refuse_beside_resume(ctx.params)
        plan = t2v.resume_plan(resume)
    work = None if resume is None else Path(resume)
    target = output if output or work is None else t2v.work_output(work)
    if dry_run:
        outputs = t2v.output_paths(plan, target, overwrite=overwrite, resume=work)
        show_plan(plan, outputs, json=json)
        return
    manner = Manner(
        show=show,
        output=target,
        overwrite=overwrite,
        strict=strict,
        save_latents=save_latents,
        allow_pickle=allow_pickle,
        resume=work,
        json=json,
        yes=yes,
    )
    carry_out(plan, manner)


@functools.wraps(generate)
def plan(*, dry_run: bool, **given: Any) -> None:
    """Run `generate` as with --dry-run."""
    generate(dry_run=True, **given)
