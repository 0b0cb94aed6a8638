"""The options that only a batch has. Text here; what they mean is checked when they are read."""

from typing import Annotated

from t2v_cli.options import option, positional, switch
from t2v_cli.values import complete_model

_FILES = (
    "Prompt files: .txt (a prompt a line), .csv, .tsv, .jsonl or .yaml; - reads lines from stdin."
)
_DIR = "The folder of the run; without it, one named like the first file. The same again goes on."
_MODELS = "A model for all items; given more than once, each makes all of them."
_SWEEP = "Make every item once for each value, such as steps=20,30; may be given more than once."
_SEED = "What the seeds of items without one are derived from [0]."
_LAYOUT = "flat, or vbench: $prompt-$i.mp4, as the VBench evaluation reads them."
_RETRY = "How often a video that failed is tried again in this run [1]."
_TIMEOUT = "End a worker that shows no progress for so long; found out from its pace without it."
_SHARD = "Make only this share: 2/8 is the second of eight machines, each with its own number."
_WORKERS = "Processes that make videos: auto (one a GPU), or a number."
_LANES = "Videos in the making at once in a worker."
_SIZE = "Prompts in one call of the pipeline [1]; with more, frames differ in their last bits."
_FIRST = "Encode all prompts before the denoiser is loaded, so that both need not fit at once."
_PUBLISH = "Copy each finished video to this folder or URL before it counts as done."
_FRESH = "Begin again; finished videos that are in the way get another name."

FilesArg = Annotated[list[str], positional("FILES", _FILES)]
FolderOpt = Annotated[str | None, option("DIR", _DIR, "-o", "--output")]
ModelsOpt = Annotated[
    list[str] | None, option("MODEL", _MODELS, "-m", "--model", autocompletion=complete_model)
]
SweepOpt = Annotated[list[str] | None, option("KEY=A,B,...", _SWEEP, "--sweep")]
BaseSeedOpt = Annotated[str | None, option("N", _SEED, "--seed")]
SamplesOpt = Annotated[
    str | None, option("N", "Videos of each item, each with its own seed.", "--samples")
]
LayoutOpt = Annotated[str, option("LAYOUT", _LAYOUT, "--layout")]
RetryOpt = Annotated[str | None, option("N", _RETRY, "--retry")]
RetryFailedOpt = Annotated[bool, switch("Try again what failed in earlier runs.", "--retry-failed")]
MaxFailuresOpt = Annotated[
    str | None, option("N", "Stop when so many videos have failed.", "--max-failures")
]
TimeoutOpt = Annotated[str | None, option("S", _TIMEOUT, "--timeout")]
ShardOpt = Annotated[str | None, option("I/N", _SHARD, "--shard")]
EngineOpt = Annotated[
    str, option("ENGINE", "local (this machine), or ray (a cluster).", "--engine")
]
AddressOpt = Annotated[
    str | None, option("A", "Of a Ray cluster that runs; without it, a local one.", "--address")
]
WorkersOpt = Annotated[str, option("N", _WORKERS, "--workers")]
LanesOpt = Annotated[str | None, option("N", _LANES, "--lanes")]
BatchSizeOpt = Annotated[str | None, option("N", _SIZE, "--batch-size")]
EncodeFirstOpt = Annotated[bool | None, switch(_FIRST, "--encode-first/--no-encode-first")]
PublishOpt = Annotated[str | None, option("URL", _PUBLISH, "--publish")]
FreshOpt = Annotated[bool, switch(_FRESH, "--fresh")]
VerifyOpt = Annotated[
    bool, switch("Compare the hashes of finished files; make damaged ones again.", "--verify")
]
StrictBatchOpt = Annotated[
    bool, switch("Count videos that look broken (black, frozen, NaN) as failed.", "--strict")
]
