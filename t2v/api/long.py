"""A request longer than one clip, from its windows to a delivered video."""

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from t2v import longvideo
from t2v.api.clips import clip_frames
from t2v.api.delivery import Delivered, Memory, deliver
from t2v.api.record import public_request
from t2v.api.rendering import Rendering
from t2v.api.timing import Timed
from t2v.api.video import Video
from t2v.api.work import Work
from t2v.errors import InterruptedRun
from t2v.longvideo.checkpoint import frames_made
from t2v.longvideo.joins import joins, switches
from t2v.longvideo.report import Observer
from t2v.media.writer import Writer
from t2v.plan.endless import (
    endless_shots,
    endless_windows,
    num_windows,
    prompts_of,
    shown_frames,
)
from t2v.plan.events import Event, Listener
from t2v.plan.latents import fitting_latents
from t2v.plan.outline import shot_facts, window_facts
from t2v.plan.story import Cue
from t2v.plan.windows import LongPlan, Shot
from t2v.runtime.adapter import Frame


@dataclass(slots=True, kw_only=True)
class LongRendering(Rendering):
    """What a long video is made with and where it goes."""

    @property
    def long(self) -> LongPlan:
        """The plan of its windows."""
        assert self.request.long is not None
        return self.request.long

    def _render(self, work: Work | None, sink: Writer | Memory) -> Video:
        """Denoise, decode, look and write, all at once; what is unfinished can be gone on with."""
        frames = self._long_frames(None if work is None else work.folder())
        if self.long.endless:
            stop = self.progress.listener = _Stop(self.progress.listener)
            num_made = 0 if self.work is None else frames_made(self.work, self.long)
            frames = _until(stop, frames, num_made)
        reach = max(8, self.long.rule.factor * self.long.overlap)
        observer = Observer(joins(self.long), switches(self.long), reach=reach, loop=self.long.loop)
        try:
            with self.watched(), closing(frames):
                delivered = deliver(
                    frames,
                    sink,
                    num_frames=0 if self.long.endless else self.request.num_frames,
                    # Earlier frames are written already when the first bad one comes.
                    strict_finite=False,
                    progress=self.progress,
                    observer=observer,
                )
            if self.long.endless:
                self._settle_end(delivered)
            self.record["report"] = observer.report()
            return self._close(delivered, sink)
        except KeyboardInterrupt:
            raise InterruptedRun(self._stopped()) from None

    def _long_frames(self, folder: Path | None) -> Generator[Frame]:
        """The frames in order, none more than asked for."""
        self.progress.encode()
        if self.long.method == "cut":
            yield from clip_frames(self, folder)
            return
        adapter: Any = Timed(self.adapter, self.progress)
        yield from longvideo.frames(
            self.pipe,
            adapter,
            self.request,
            self.further_arguments,
            work=folder,
            on_step=self._on_step,
            resume=self.work is not None,
        )

    def _on_step(self, step: int, of: int) -> None:
        self._say_problems()
        self.progress.step(step, 0 if self.long.endless else of)

    def _say_problems(self) -> None:
        """What is wrong with a story file that was changed meanwhile, while it can be mended."""
        while self.long.prompts is not None and self.long.prompts.problems:
            self._warn(self.long.prompts.problems.pop(0))

    def _settle_end(self, delivered: Delivered) -> None:
        """Put into the request how long the video has become and what was shown in it."""
        if not delivered.num_frames:
            raise KeyboardInterrupt  # it was ended before the first frame
        self._say_problems()
        long, num_frames = self.long, delivered.num_frames
        prompts = prompts_of(long)
        # Windows behind the last frame have been blended into those before it.
        used = tuple(prompts.used)
        is_told = len(used) > 1 or used[0] != Cue(used[0].prompt, used[0].at)
        request = replace(
            self.request,
            num_frames=num_frames,
            story=used if is_told else (),
            prompt=used[0].prompt,
        )
        self.saved = replace(self.saved, request=request)
        last = replace(long.shots[0], num_frames=num_frames)
        again = replace(long, shots=(last,), prompts=prompts.again())
        shots = [self._shown(again, shot) for shot in endless_shots(again)]
        facts = [
            window_facts(again, shot, window)
            for shot in shots
            for window in islice(endless_windows(again, shot), num_windows(again, shot.num_frames))
        ]
        self.record.update(windows=facts, request=public_request(request), prompt=request.prompt)
        self.record["long"]["shots"] = [shot_facts(shot) for shot in shots]
        self.record["long"]["num_windows"] = len(facts)

    def _shown(self, long: LongPlan, shot: Shot) -> Shot:
        """A shot of an endless video with the length it has come to."""
        num_frames = shown_frames(long, shot)
        num_latents = fitting_latents(self.spec.frames, long.rule, num_frames)
        return replace(shot, num_frames=num_frames, num_latents=num_latents)


_FIRST_THE_OLD = "first the {} frames that are made already; once more leaves them for --resume"


class _Stop:
    """Lets the end that a user asks for wait for the frame at hand."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self.is_asked = False

    def __call__(self, event: Event) -> None:
        """Pass the event on; what ends the run between two frames ends it with the last one."""
        try:
            self._listener(event)
        except KeyboardInterrupt:
            # Once asked to end, a listener says so at every event up to the last.
            if not self.is_asked and event.event != "frames":
                self.is_asked = True
                raise
            self.is_asked = True


def _until(stop: _Stop, frames: Generator[Frame], num_made: int) -> Generator[Frame]:
    """The frames up to where the user ends them: of a video without an end that is its end.

    The first `num_made`, of an earlier run, are in it in any case.
    """
    num_given = 0
    is_told = False
    with closing(frames):
        try:
            for num_given, frame in enumerate(frames, start=1):
                yield frame
                if not stop.is_asked:
                    continue
                if num_given >= num_made:
                    return
                if not is_told:
                    stop(Event("warning", message=_FIRST_THE_OLD.format(num_made)))
                    is_told = True
        except KeyboardInterrupt:
            if num_given < num_made:
                raise
            return
