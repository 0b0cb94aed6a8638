"""A loaded model: takes requests, gives videos."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from diffusers import DiffusionPipeline

from t2v.api import record as records
from t2v.api.latents import SavedRun
from t2v.api.long import LongRendering
from t2v.api.progress import Progress
from t2v.api.rendering import Rendering
from t2v.api.video import Video, refuse_suspect
from t2v.api.work import read_work, refuse_to_save
from t2v.errors import RequestError
from t2v.plan.events import Listener, silent
from t2v.plan.forecast import forecast, timings_of_one, workload_of
from t2v.plan.history import read_runs, record_timings
from t2v.plan.longplan import described, settled_order
from t2v.plan.options import Options
from t2v.plan.request import MemoryPlan, Request
from t2v.plan.resolve import resolve
from t2v.runtime.adapter import Adapter, Latents
from t2v.runtime.device import reset_peak_memory
from t2v.runtime.encoded import Encoded
from t2v.runtime.offload import release
from t2v.runtime.quiet import quiet
from t2v.runtime.scheduler import set_scheduler
from t2v.runtime.seeds import generator
from t2v.runtime.sharing import sharing
from t2v.zoo.spec import ModelSpec

SETTLED_AT_LOADING = ("model", "device", "dtype", "memory", "lora", "scheduler", "flow_shift")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model in memory and what is to be told about it."""

    spec: ModelSpec
    folder: Path
    pipe: DiffusionPipeline
    adapter: Adapter
    device: torch.device
    memory: MemoryPlan
    options: Options
    """What was settled at loading; a request for this model starts from it."""
    facts: dict[str, Any]
    """Revision, device, dtype and LoRA hashes, as they go into every record."""
    machine_name: str
    """The device as `Machine` names it; earlier runs are found under it."""
    seconds: float
    """What loading took."""
    warnings: tuple[str, ...] = ()


class Generator:
    """A model in memory, made by `load`. Makes one video at a time.

    ```python
    generator = t2v.load("doodle-128")
    video = generator.generate("a red ball bounces over green hills", output="ball.mp4")
    ```
    """

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._load_s = loaded.seconds

    @property
    def spec(self) -> ModelSpec:
        """The model's entry."""
        return self._loaded.spec

    @property
    def loaded(self) -> Loaded:
        """All that is known of the model as it was loaded."""
        return self._loaded

    def beside(self) -> "Generator":
        """Another one with the same weights in memory, so that two threads can make a video each."""
        return Generator(replace(self._loaded, pipe=sharing(self.pipe), seconds=0.0))

    @property
    def pipe(self) -> DiffusionPipeline:
        """The diffusers pipeline itself."""
        return self._loaded.pipe

    def generate(
        self,
        prompt: str | None = None,
        *,
        output: str | Path | None = None,
        overwrite: bool = False,
        strict: bool = False,
        save_latents: bool = False,
        listener: Listener = silent,
        **options: Any,
    ) -> Video:
        """Make one video.

        Args:
            prompt: What it shows; a `story` may begin with a prompt of its own.
            output: The file, or a folder for PNG frames; without one the frames stay in memory.
            overwrite: Whether an existing file may be replaced.
            strict: Whether a video that looks broken is an error.
            save_latents: Whether to keep the latents beside the output.
            listener: Hears of stages and steps.
            options: Fields of `Options`, in diffusers' words (`num_frames`, `seed`, ...) and for
                long videos (`story`, `method`, `window`, ...), less those that `load` settles
                (`device`, `dtype`, `lora`, `scheduler`, ...).

        Raises:
            RequestError: The options are wrong for this model.
            GenerationError: The model failed.
            SuspectError: The frames look broken, and `strict` is set.
            DiskError: The file cannot be written.
        """
        layers = [("load", self._loaded.options), ("call", _for_a_call(options))]
        request, notes = resolve(self.spec, prompt, layers, prompt_origin="call")
        request = settled_order(self.spec, request, self._loaded.memory.rung)
        video = self.run(
            request,
            output=None if output is None else Path(output),
            overwrite=overwrite,
            save_latents=save_latents,
            notes=[*notes, *described(self.spec, request)],
            listener=listener,
        )
        if strict:
            refuse_suspect([video])
        return video

    def run(
        self,
        request: Request,
        *,
        output: Path | None = None,
        overwrite: bool = False,
        save_latents: bool = False,
        resume: Path | None = None,
        notes: Sequence[str] = (),
        listener: Listener = silent,
    ) -> Video:
        """Make the video of a planned request: `generate` with the planning done already.

        `resume` is the work folder of an unfinished video to go on with.
        """
        if save_latents:
            refuse_to_save(request)
        making = self.begin(
            request,
            output=output,
            overwrite=overwrite,
            save_latents=save_latents,
            resume=resume,
            notes=notes,
            listener=listener,
        )
        reset_peak_memory(self._loaded.device)
        video = making.render()
        if not (request.endless or resume):
            self.remember(request, video.record["timings_s"])
        making.progress.done()
        return video

    def begin(
        self,
        request: Request,
        *,
        output: Path | None = None,
        overwrite: bool = False,
        save_latents: bool = False,
        resume: Path | None = None,
        work: Path | None = None,
        notes: Sequence[str] = (),
        listener: Listener = silent,
    ) -> Rendering:
        """The making of a video, for whoever wants its halves: `denoise` and `decode`.

        `work` is where the work folder shall be, instead of beside the output.
        """
        loaded = self._loaded
        if loaded.spec.defaults.flow_shift_by_height:
            set_scheduler(loaded.pipe, flow_shift=request.flow_shift)
        record = records.begin(request, loaded.spec, loaded.memory) | loaded.facts
        further = loaded.spec.defaults.further_arguments(request.num_inference_steps)
        record["further_arguments"] = further
        save_latents = save_latents or (resume is not None and read_work(resume).save_latents)
        record["notes"] = [records.public_text(note) for note in notes]
        common = {
            "pipe": loaded.pipe,
            "adapter": loaded.adapter,
            "device": loaded.device,
            "spec": loaded.spec,
            "saved": SavedRun.of(
                loaded.spec, request, loaded.memory, record, save_latents=save_latents
            ),
            "output": output,
            "progress": self._progress(request, output, listener),
            "further_arguments": further,
            "overwrite": overwrite,
            "work": resume,
            "place": work,
            "warnings": [records.public_text(warning) for warning in loaded.warnings],
        }
        return LongRendering(**common) if request.long else Rendering(**common)

    def encode(self, pipe: DiffusionPipeline, request: Request) -> None:
        """Call a copy of the pipeline that ends with `Encoded` once it has encoded the prompt."""
        loaded = self._loaded
        further = loaded.spec.defaults.further_arguments(request.num_inference_steps)
        arguments = loaded.adapter.call_arguments(pipe, request) | further
        with suppress(Encoded), quiet():
            loaded.adapter.denoise(pipe, arguments | {"generator": generator(0)})

    def remember(
        self, request: Request, timings_s: Mapping[str, float], *, num_lanes: int = 1
    ) -> None:
        """Let later forecasts know how long a video took, and how many were made side by side."""
        workload = workload_of(self.spec, request, self._loaded.machine_name, num_lanes)
        record_timings(workload, timings_of_one(request, workload, timings_s))

    def finish(
        self,
        latents: Latents,
        saved: SavedRun,
        *,
        output: Path | None = None,
        overwrite: bool = False,
        listener: Listener = silent,
    ) -> Video:
        """Deliver the video of latents that an earlier run saved."""
        loaded = self._loaded
        rendering = Rendering(
            loaded.pipe,
            loaded.adapter,
            loaded.device,
            loaded.spec,
            saved,
            output,
            self._progress(saved.request, output, listener),
            overwrite=overwrite,
            warnings=[records.public_text(warning) for warning in loaded.warnings],
        )
        video = rendering.decode(latents)
        rendering.progress.done()
        return video

    def close(self) -> None:
        """Free the model's memory."""
        device = self._loaded.device
        del self._loaded
        release(device)

    def _progress(self, request: Request, output: Path | None, listener: Listener) -> Progress:
        # Nobody waits for an estimate that nobody hears.
        name = self._loaded.machine_name
        past = None if listener is silent else forecast(self.spec, request, name, read_runs())
        # A long video is decoded and written while it is denoised.
        later_s = None if past is None or request.long else past.decode_s + past.write_s
        step_s = None if past is None else past.seconds_per_step
        load_s, self._load_s = self._load_s, 0.0  # counted with the first video alone
        return Progress(listener, output.name if output else None, later_s, step_s, load_s)


def _for_a_call(options: dict[str, Any]) -> Options:
    if settled := [name for name in options if name in SETTLED_AT_LOADING]:
        raise RequestError(f"{', '.join(settled)}: settled when the model is loaded, by t2v.load.")
    if "num_videos" in options:
        raise RequestError("num_videos: generate makes one video; call it again, or use t2v.run.")
    return Options(**options)
