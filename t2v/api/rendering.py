"""One request, from noise to a delivered video."""

import shlex
from collections.abc import Callable, Generator, Iterable
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from diffusers import DiffusionPipeline

from t2v.api.delivery import Delivered, Memory, deliver, guard_facts, open_sink
from t2v.api.latents import (
    SavedRun,
    keep_latents,
    latents_folder,
    refuse_foreign_latents,
    save_latents,
)
from t2v.api.progress import Progress
from t2v.api.record import public_text
from t2v.api.video import Video
from t2v.api.work import Work, work_folder, working
from t2v.errors import InterruptedRun, T2VError
from t2v.longvideo.evaluations import Evaluations
from t2v.longvideo.identity import identity_of
from t2v.longvideo.report import Observer
from t2v.media.guard import NonFiniteFrame
from t2v.media.writer import Writer
from t2v.plan.request import Request
from t2v.runtime.adapter import Adapter, Frame, Latents
from t2v.runtime.device import peak_memory
from t2v.runtime.offload import memory_errors
from t2v.runtime.quiet import quiet
from t2v.runtime.seeds import generator
from t2v.runtime.vae import upcast_vae
from t2v.zoo.spec import ModelSpec

_SOUND_MARGIN_S = 0.1
"""Models make sound in latents of some 40 ms, and round."""


@dataclass(slots=True)
class Rendering:
    """What one video is made with and where it goes."""

    pipe: DiffusionPipeline
    adapter: Adapter
    device: torch.device
    spec: ModelSpec
    saved: SavedRun
    """The request, and its record so far: filled in as things become known."""
    output: Path | None
    progress: Progress
    further_arguments: dict[str, Any] = field(default_factory=dict)
    """Arguments of the pipeline's call that the model's entry adds."""
    overwrite: bool = False
    work: Path | None = None
    """The work folder to go on from; None begins one."""
    place: Path | None = None
    """Where it is begun; None is beside the output."""
    warnings: list[str] = field(default_factory=list)

    @property
    def request(self) -> Request:
        """What is asked for."""
        return self.saved.request

    @property
    def record(self) -> dict[str, Any]:
        """The video's record, as far as it is known."""
        return self.saved.record

    def render(self) -> Video:
        """Denoise, decode, look, write.

        A run that is stopped or fails can be gone on with: from its last evaluations or, after the
        last step, from its latents, so that the expensive part is never lost.
        """
        # Opened before the work starts: a folder that cannot be written to is found out now.
        if self.saved.save_latents and self.output:
            refuse_foreign_latents(latents_folder(self.output))
        sink = open_sink(self.request, self.output, overwrite=self.overwrite)
        try:
            with self.working() as work:
                return self._render(work, sink)
        finally:
            sink.abort()

    def _render(self, work: Work | None, sink: Writer | Memory) -> Video:
        try:
            latents = self._denoise(work)
            if self.saved.save_latents and self.output:
                save_latents(latents_folder(self.output), latents, self.saved)
            try:
                self.progress.decode()
                return self._decode(latents, sink)
            except (T2VError, KeyboardInterrupt) as error:
                kept = keep_latents(latents, self.saved, self.output)
                if kept and work:
                    work.discard()
                raise _pointing_to(kept, error) from error
        except KeyboardInterrupt:
            raise InterruptedRun(self._stopped()) from None

    def denoise(self) -> Latents:
        """The first half alone. The work folder stays, for whoever chose its place."""
        with self.working(leave=True) if self.place else nullcontext() as work:
            try:
                return self._denoise(work)
            except KeyboardInterrupt:
                raise InterruptedRun(self._stopped()) from None

    @contextmanager
    def working(self, *, leave: bool = False) -> Generator[Work | None]:
        """The work folder; none without an output. What ends the run tells how to go on from it."""
        if self.output is None:
            yield None
            return
        folder = self.work or self.place or work_folder(self.output)
        is_resumed = self.work is not None
        with working(
            folder, self.saved, resume=is_resumed, overwrite=self.overwrite, leave=leave
        ) as work:
            try:
                yield work
            except T2VError as error:
                # Whoever chose the place knows how to go on, and what is wrong with the work
                # itself says what to do about --resume.
                if self.place or not work.is_begun or "--resume" in str(error):
                    raise
                raise type(error)(
                    f"{error}\nWhat is done is kept; go on with: "
                    f"t2v generate --resume {shlex.quote(str(folder))}"
                ) from error

    def decode(self, latents: Latents) -> Video:
        """The second half alone, for latents that are kept somewhere already."""
        sink = open_sink(self.request, self.output, overwrite=self.overwrite)
        try:
            self.progress.decode()
            return self._decode(latents, sink)
        except KeyboardInterrupt:
            raise InterruptedRun(self._stopped()) from None
        finally:
            sink.abort()

    def arguments(self) -> dict[str, Any]:
        """What the pipeline is called with."""
        arguments = self.adapter.call_arguments(self.pipe, self.request)
        arguments |= self.further_arguments
        return arguments | {"generator": generator(self.request.seed)}

    def _denoise(self, work: Work | None) -> Latents:
        arguments = self.arguments()
        self.progress.encode()
        folder = None if work is None else work.folder
        with self.watched(), self.evaluations(folder, self.request):
            return self.adapter.denoise(self.pipe, arguments, self.progress.step)

    def evaluations(
        self, folder: Callable[[], Path] | None, request: Request
    ) -> AbstractContextManager[None]:
        """What keeps the evaluations of one call in a folder; nothing without one."""
        if folder is None:
            return nullcontext()
        identity = identity_of(self.pipe, request, self.further_arguments)
        evaluations = Evaluations(folder, identity, self._warn, resume=self.work is not None)
        return evaluations.kept(self.pipe)

    def _decode(self, latents: Latents, sink: Writer | Memory) -> Video:
        try:
            delivered = self._deliver(latents, sink, strict_finite=True)
        except NonFiniteFrame as error:
            sink.abort()
            return self._decode_again(latents, error)
        return self._close(delivered, sink)

    def _decode_again(self, latents: Latents, error: NonFiniteFrame) -> Video:
        """Once more with a float32 VAE where that can help; else with zeros for what is no number."""
        sink = open_sink(self.request, self.output, overwrite=self.overwrite)
        try:
            with upcast_vae(self.pipe) as is_upcast:
                if is_upcast:
                    self._warn(f"{error} Decoding again with the VAE in float32.")
                return self._close(self._deliver(latents, sink, strict_finite=False), sink)
        finally:
            sink.abort()

    def _deliver(
        self, latents: Latents, sink: Writer | Memory, *, strict_finite: bool
    ) -> Delivered:
        is_long = latents.joins or self.request.num_frames > self.spec.frames.native
        observer = Observer(latents.joins) if is_long else None
        with self.watched(), self._frames(latents) as frames:
            delivered = deliver(
                frames,
                sink,
                num_frames=self.request.num_frames,
                strict_finite=strict_finite,
                progress=self.progress,
                sound=self.adapter.sound(self.pipe, latents),
                observer=observer,
            )
        if observer is not None:
            self.record["report"] = observer.report()
        return delivered

    @contextmanager
    def _frames(self, latents: Latents) -> Generator[Iterable[Frame]]:
        """As many frames as were asked for: models that go on chunk by chunk make whole chunks."""
        frames = self.adapter.decode(self.pipe, latents)
        try:
            yield islice(frames, self.request.num_frames)
        finally:
            if isinstance(frames, Generator):
                frames.close()

    @contextmanager
    def watched(self) -> Generator[None]:
        """What the libraries have to say becomes warnings; running out of memory becomes advice."""
        with quiet() as heard, memory_errors(self.saved.memory, self.device):
            yield
        for message in heard:
            self._warn(message)

    def _close(self, delivered: Delivered, sink: Writer | Memory) -> Video:
        if delivered.num_frames != self.request.num_frames:
            self._warn(
                f"{self.request.num_frames} frames were asked for and the model made "
                f"{delivered.num_frames}"
            )
        if delivered.audio:
            self._compare_lengths(delivered.audio["duration_s"])
        if isinstance(sink, Writer):
            self._pass_on(sink.notes)
        facts = {
            "status": "suspect" if delivered.guard.suspect else "ok",
            "num_frames": delivered.num_frames,
            "duration_s": round(float(delivered.num_frames / self.request.fps), 6),
            "frames_sha256": delivered.frames_sha256,
            "audio": delivered.audio,
            "guard": guard_facts(delivered.guard),
            "warnings": self.warnings,
            "peak_memory_bytes": peak_memory(self.device),
            "timings_s": self.progress.summary(),
        }
        self.record.update(facts)
        if isinstance(sink, Memory):
            return Video(self.record, frames=sink.stacked(), sound=sink.sound)
        return self._publish(sink)

    def _compare_lengths(self, sound_s: float) -> None:
        """Say it where the sound is not as long as the pictures, as at another frame rate."""
        missing_s = self.request.duration_s - sound_s
        if abs(missing_s) > max(float(1 / self.request.fps), _SOUND_MARGIN_S):
            what = "its end is silent" if missing_s > 0 else "its end is cut off"
            self._warn(
                f"The sound is {sound_s:.2f} s long and the video {self.request.duration_s:.2f} s: "
                f"{what}, and it may be out of step. Leave --fps at the model's own rate."
            )

    def _publish(self, writer: Writer) -> Video:
        self.progress.write()
        num_notes = len(writer.notes)
        place = writer.finish(self.record if self.request.metadata else None)
        self._pass_on(writer.notes[num_notes:])
        output = self.output.with_name(place.name) if self.output else place
        self.record["timings_s"] = self.progress.summary()
        return Video(self.record, output=output)

    def _pass_on(self, notes: Iterable[str]) -> None:
        for note in notes:
            self._warn(note)

    def _warn(self, message: str) -> None:
        message = public_text(message)
        self.warnings.append(message)
        self.progress.warn(message)

    def _stopped(self) -> str:
        where = self.output.name if self.output else "the video"
        return f"Stopped; {where} was not written."


def _pointing_to(kept: Path | None, error: T2VError | KeyboardInterrupt) -> T2VError:
    """The error with the way to go on from the latents."""
    if isinstance(error, KeyboardInterrupt):
        error = InterruptedRun("Stopped; all steps were done already.")
    if kept is None:
        return error
    return type(error)(
        f"{error}\nThe latents are kept; finish with: t2v decode {shlex.quote(str(kept))}"
    )
