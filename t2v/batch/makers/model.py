"""The model of a group in memory, and how one video after another is made with it."""

import gc
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from t2v.api.loading import Share, load_for
from t2v.api.together import arguments_together, denoise_together
from t2v.batch.jobs import Group, Job
from t2v.batch.makers.lanes import Lanes, lanes_for
from t2v.batch.makers.prompts import Prompts, encodes_first
from t2v.batch.makers.relief import Relief, relieved
from t2v.batch.makers.workplace import Workplace
from t2v.batch.making import Manner
from t2v.batch.planning.identity import weights_of
from t2v.batch.run_folder.finished import move_aside
from t2v.errors import DiskError, MemoryExhaustedError, RequestError
from t2v.plan.events import Listener
from t2v.plan.request import MemoryPlan, Plan
from t2v.runtime.encoded import Encodings  # noqa: TID253 - workers alone import this
from t2v.runtime.heap import return_free_memory  # noqa: TID253
from t2v.runtime.offload import next_rung  # noqa: TID253
from t2v.runtime.shelf import Shelf  # noqa: TID253
from t2v.zoo.places import cache_home

if TYPE_CHECKING:
    from t2v.api.generator import Generator
    from t2v.api.rendering import Rendering
    from t2v.api.video import Video


Made = TypeVar("Made")
_MAX_SPLIT = 2
"""Calls for several videos that may fail until each has a call of its own; one where memory ran out."""
_MAX_ENCODED = 8
"""Encoded prompts that stay in memory; all are on disk."""


class Model:
    """One loaded model with its lanes."""

    def __init__(
        self,
        group: Group,
        prompts: Sequence[str],
        manner: Manner,
        num_threads: int,
        listener: Listener,
    ) -> None:
        self._group, self._manner, self._listener = group, manner, listener
        shelf = Shelf(cache_home() / "prompts")
        self._share: Share = "others" if encodes_first(group, manner.encode_first) else "all"
        generator = self._load(group.memory) if self._share == "all" else None
        loras = generator.loaded.facts["loras"] if generator else []
        encodings = Encodings(max_kept=_MAX_ENCODED, shelf=shelf, identity=_identity(group, loras))
        elsewhere = None
        if generator is None:
            ahead = Prompts(group, prompts, encodings, shelf, self._load_encoders)
            ahead.encode()
            elsewhere, generator = ahead.lent, self._load(group.memory)
        num_lanes = lanes_for(generator, num_threads, manner.lanes)
        self.lanes = Lanes(generator, num_lanes, encodings, elsewhere)
        self.threads_of_a_lane = max(1, num_threads // num_lanes)
        self._relief = Relief(generator)
        self._num_split = 0
        return_free_memory()

    def close(self) -> None:
        """Free the weights."""
        self.lanes.close()
        gc.collect()

    def make(self, job: Job, listener: Listener) -> "Video":
        """The finished video of a job. Where memory runs out, one thing after another is tried.

        Raises:
            MemoryExhaustedError: Nothing helped.
        """
        measure = self._relief.first(job.request)
        while True:
            with self.lanes.one() if measure == "planned" else self.lanes.alone() as lane:
                rung = lane.loaded.memory.rung
                try:
                    with relieved(lane, measure) as note:
                        return self._make(lane, job, listener, note)
                except MemoryExhaustedError as error:
                    # Without its traceback, which holds on to the very tensors.
                    exhausted = MemoryExhaustedError(str(error))
            gc.collect()
            further = self._relief.next(job.request, measure)
            if further is None:
                self._move_weights(rung, exhausted)
            measure = further or "planned"

    def denoise_together(self, jobs: Sequence[tuple[Job, Listener]]) -> None:
        """Denoise several in one call and keep their latents, from which `make` goes on.

        Nothing happens where the family takes no lists. What fails is not tried again for long.
        """
        if self._num_split >= _MAX_SPLIT:
            return
        try:
            with self.lanes.one() as lane:
                self._denoise_together(lane, jobs)
        except Exception as error:
            is_memory = isinstance(error, MemoryExhaustedError)
            self._num_split += _MAX_SPLIT if is_memory else 1
            raise

    def _denoise_together(self, lane: "Generator", jobs: Sequence[tuple[Job, Listener]]) -> None:
        if not lane.loaded.adapter.takes_lists:
            return
        revision = lane.loaded.facts["revision"]
        places = [(one, Workplace(self._manner.folder, one[0])) for one in jobs]
        open_ones = [one for one in places if one[1].kept(revision) is None]
        if len(open_ones) < 2:
            return
        makings = [self._begin(lane, job, listener, None) for (job, listener), _ in open_ones]
        arguments = arguments_together(makings)
        if arguments is None:
            return
        with self.lanes.denoising:
            latents = denoise_together(makings, arguments)
        for (_, place), making, one in zip(open_ones, makings, latents, strict=True):
            place.keep(one, making.saved)

    def _load(self, memory: MemoryPlan, share: Share | None = None) -> "Generator":
        group = self._group
        return load_for(
            Plan(group.spec, (group.request,), memory, machine=group.machine),
            share=share or self._share,
            allow_pickle=self._manner.allow_pickle,
            listener=self._listener,
        )

    def _load_encoders(self) -> "Generator":
        return self._load(self._group.memory, "encoders")

    def _move_weights(self, rung: str, exhausted: MemoryExhaustedError) -> None:
        """Load the model again so that less of it is on the device.

        Raises:
            MemoryExhaustedError: Nothing needs less.
        """
        with self.lanes.alone() as lane:
            now = lane.loaded.memory
            if now.rung != rung:
                return  # another lane did it meanwhile
            stronger = next_rung(rung) if lane.loaded.device.type != "cpu" else None
            if stronger is None:
                raise exhausted
            self.lanes.close()
            gc.collect()
            reason = f"--memory {rung} was not enough"
            generator = self._load(MemoryPlan(stronger, vae_tiling=True, reason=reason))
            self.lanes.become(generator)
            self._relief = Relief(generator)

    def _make(self, lane: "Generator", job: Job, listener: Listener, note: str | None) -> "Video":
        place = Workplace(self._manner.folder, job)
        output, is_new = self._manner.folder / job.output, place.is_new
        began = time.perf_counter()
        move_aside(output)
        if job.request.long:
            video = self._make_long(lane, job, place, listener, note)
        else:
            video = self._make_clip(lane, job, place, listener, note)
        if is_new:
            timings = _with_waiting(video.record["timings_s"], time.perf_counter() - began)
            lane.remember(job.request, timings, num_lanes=len(self.lanes.all))
        return video

    def _make_clip(
        self, lane: "Generator", job: Job, place: Workplace, listener: Listener, note: str | None
    ) -> "Video":
        kept = place.kept(lane.loaded.facts["revision"])
        if kept is None:
            making, latents = self._go_on(
                lane, job, place, listener, note, lambda one: one.denoise()
            )
            place.keep(latents, making.saved)
            place.forget_work()
        else:
            making = self._begin(lane, job, listener, note)
            latents, making.saved = kept
            making.record["memory"] = _memory_facts(lane)
        making.record["key"] = job.key
        with self.lanes.decoding:
            try:
                video = making.decode(latents)
            finally:
                return_free_memory()
        making.progress.done()
        return video

    def _make_long(
        self, lane: "Generator", job: Job, place: Workplace, listener: Listener, note: str | None
    ) -> "Video":
        making, video = self._go_on(lane, job, place, listener, note, lambda one: one.render())
        making.progress.done()
        return video

    def _go_on(
        self,
        lane: "Generator",
        job: Job,
        place: Workplace,
        listener: Listener,
        note: str | None,
        make: "Callable[[Rendering], Made]",
    ) -> "tuple[Rendering, Made]":
        """A making and what it made, from where an earlier attempt was, or from the beginning."""
        resume = place.begun(lane.spec, lane.loaded.facts["revision"])
        making = self._begin(lane, job, listener, note, work=place.work, resume=resume)
        try:
            with self.lanes.denoising:
                return making, make(making)
        except (RequestError, DiskError) as error:
            # Work that cannot be gone on with says so by the name of that option.
            if not resume or "--resume" not in str(error):
                raise
        place.forget_work()
        making = self._begin(lane, job, listener, note, work=place.work)
        with self.lanes.denoising:
            return making, make(making)

    def _begin(
        self,
        lane: "Generator",
        job: Job,
        listener: Listener,
        note: str | None,
        *,
        work: Path | None = None,
        resume: bool = False,
    ) -> "Rendering":
        making = lane.begin(
            job.request,
            output=self._manner.folder / job.output,
            resume=work if resume else None,
            work=work,
            notes=self._group.notes,
            listener=listener,
        )
        making.record["key"] = job.key
        making.record["memory"] = _memory_facts(lane)
        if note:
            making.warnings.append(note)
        return making


def _identity(group: Group, loras: Sequence[Any]) -> str:
    return json.dumps([weights_of(group.spec), group.request.dtype, list(loras)])


def _with_waiting(timings_s: Mapping[str, float], took_s: float) -> dict[str, float]:
    """What a lane waits for others is part of what a video takes in it; it counts as denoising."""
    worked_s = timings_s["total"] - timings_s["load"]
    return {**timings_s, "denoise": timings_s.get("denoise", 0.0) + max(0.0, took_s - worked_s)}


def _memory_facts(lane: "Generator") -> dict[str, Any]:
    tiles = getattr(getattr(lane.pipe, "vae", None), "use_tiling", False)
    memory = lane.loaded.memory
    return {"rung": memory.rung, "vae_tiling": bool(tiles) or memory.vae_tiling}
