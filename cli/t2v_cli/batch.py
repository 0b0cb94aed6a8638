"""`t2v batch`: the videos of whole files of prompts."""

import gc
import sys

import typer

import t2v
from t2v_cli import batch_options as b
from t2v_cli import options as o
from t2v_cli.batch_bars import BatchBars
from t2v_cli.batch_items import CLUSTER_NOTE, to_plan
from t2v_cli.batch_plan import Terms, begin, show_batch
from t2v_cli.batch_progress import BatchLines, BatchTalk
from t2v_cli.batch_summary import show_paths, show_summary
from t2v_cli.batch_values import run_folder, to_engine, to_limits, to_manner
from t2v_cli.output import out
from t2v_cli.progress import display
from t2v_cli.terminal import is_terminal
from t2v_cli.values import examples

EXAMPLES = examples(
    "t2v batch prompts.txt",
    "t2v batch prompts.txt -o out -m wan2.1-t2v-1.3b --steps 30 --dry-run",
    "t2v batch items.csv more.yaml -o out --sweep guidance=3,5 --retry 2",
    "t2v batch prompts.txt -o out --layout vbench --samples 5",
    "t2v batch prompts.txt -o /shared/out --shard 2/8",
    "t2v batch prompts.txt -o out --engine ray --address auto",
)


def batch(
    ctx: typer.Context,
    files: b.FilesArg,
    output: b.FolderOpt = None,
    models: b.ModelsOpt = None,
    changes: o.SetOpt = None,
    sweeps: b.SweepOpt = None,
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
    seed: b.BaseSeedOpt = None,
    samples: b.SamplesOpt = None,
    scheduler: o.SchedulerOpt = None,
    flow_shift: o.FlowShiftOpt = None,
    lora: o.LoraOpt = None,
    device: o.DeviceOpt = None,
    dtype: o.DtypeOpt = None,
    memory: o.MemoryOpt = None,
    codec: o.CodecOpt = None,
    crf: o.CrfOpt = None,
    method: o.MethodOpt = None,
    window: o.WindowOpt = None,
    overlap: o.OverlapOpt = None,
    order: o.OrderOpt = None,
    noise: o.NoiseOpt = None,
    loop: o.LoopOpt = None,
    metadata: o.MetadataOpt = None,
    layout: b.LayoutOpt = "flat",
    retry: b.RetryOpt = None,
    retry_failed: b.RetryFailedOpt = False,
    max_failures: b.MaxFailuresOpt = None,
    timeout: b.TimeoutOpt = None,
    shard: b.ShardOpt = None,
    engine: b.EngineOpt = "local",
    address: b.AddressOpt = None,
    workers: b.WorkersOpt = "auto",
    lanes: b.LanesOpt = None,
    batch_size: b.BatchSizeOpt = None,
    encode_first: b.EncodeFirstOpt = None,
    publish: b.PublishOpt = None,
    fresh: b.FreshOpt = False,
    verify: b.VerifyOpt = False,
    strict: b.StrictBatchOpt = False,
    allow_pickle: o.PickleOpt = False,
    dry_run: o.DryRunOpt = False,
    progress: o.ProgressOpt = "auto",
    yes: o.YesOpt = False,
    json: o.JsonOpt = False,
    quiet: o.QuietOpt = False,
) -> None:
    """Make the videos of prompt files, and record what became of each.

    The same command again makes only what is missing: after a crash, a stop, or with more prompts.
    What an option says here counts more than what the files say. A video that fails does not keep
    the others from being made; the exit code is 3 where some failed.
    """
    show = display(progress, quiet=quiet, talk=BatchTalk, lines=BatchLines, bars=BatchBars)
    limits = to_limits(ctx.params)
    cluster = to_engine(ctx.params)
    folder = run_folder(output, files)
    plan = to_plan(ctx.params, folder, cluster)
    manner = to_manner(ctx.params, folder)
    terms = Terms(manner.lanes, fresh=fresh, retry_failed=retry_failed, verify=verify)
    if dry_run:
        show_batch(plan, folder, terms, json=json)
        if cluster:
            out.talk(CLUSTER_NOTE)
        return
    begin(plan, folder, terms, show, yes=yes)
    gc.enable()  # `main` has it off; a run of hours makes garbage
    # On one terminal the bars say it.
    is_seen = is_terminal(sys.stdout) and is_terminal(sys.stderr) and not quiet
    listener = show if json or is_seen else show_paths(plan, folder, show)
    summary = t2v.run_batch(
        plan, folder=folder, manner=manner, engine=cluster, listener=listener, **limits
    )
    show.rest()
    show_summary(summary, folder, json=json)
    if summary.exit_code:
        raise typer.Exit(summary.exit_code)
