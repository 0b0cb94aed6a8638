"""Turns the work's own milestones into events, with a pace and an expected end."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil

from t2v.plan.events import Event, Listener, Stage, silent


@dataclass(slots=True)
class Progress:
    """Follows one video through its stages, times them, and tells the listener.

    The stages follow one another: encode, denoise, decode, write. Frames are written while others
    are still being decoded; that time is moved from the one to the other by `wrote`.
    """

    listener: Listener = silent
    item: str | None = None
    later_s: float | None = None
    """What decoding and writing are expected to take, from earlier runs, in seconds."""
    usual_step_s: float | None = None
    """What a step took in earlier runs, in seconds; it counts until this one has a pace."""
    load_s: float = 0.0
    seconds_per_step: float | None = None
    _seconds: dict[str, float] = field(default_factory=dict)
    _stage: Stage | None = None
    _since: float = field(default_factory=time.perf_counter)
    _step_ended: float = 0.0
    """0 before denoising; what is gone on with does not begin with step 0."""
    _process: psutil.Process = field(default_factory=psutil.Process)
    _further_steps_s: float = 0.0
    _num_further: int = 0

    def encode(self) -> None:
        """The prompt is being encoded."""
        self._enter("encode")

    def denoise(self) -> None:
        """The denoiser works from here on."""
        self._enter("denoise")
        self._step_ended = time.perf_counter()

    def step(self, step: int, of: int) -> None:
        """`step` of `of` denoising steps are done; step 0, or the first to be told, says they begin.

        Of a video without an end `of` is 0.
        """
        if step == 0 or not self._step_ended:
            self.denoise()
        else:
            self._pace()
        self._step_ended = time.perf_counter()
        if self.listener is silent:
            return  # Asking the system for memory at every step is for those who see it.
        self.listener(
            Event(
                "step",
                item=self.item,
                stage="denoise",
                step=step,
                of=of or None,
                seconds_per_step=self.seconds_per_step,
                eta_s=self._eta(of - step) if of else None,
                memory_bytes=self._process.memory_info().rss,
            )
        )

    def decode(self) -> None:
        """The latents are done; frames are next."""
        self._enter("decode")

    def frame(self, frame: int, of: int, wrote_s: float) -> None:
        """`frame` of `of` frames have been handed on, the last in `wrote_s` seconds.

        Of a video without an end `of` is 0.
        """
        self._add("write", wrote_s)
        self._add(self._stage or "decode", -wrote_s)
        left_s = self.later_s * (of - frame) / of if of and self.later_s is not None else None
        self.listener(
            Event("frames", item=self.item, stage="decode", step=frame, of=of or None, eta_s=left_s)
        )

    @contextmanager
    def during(self, stage: Stage) -> Generator[None]:
        """Count what is done here to a stage, while another goes on around it."""
        around = self._stage
        self._close()
        self._stage = stage
        try:
            yield
        finally:
            self._close()
            self._stage = around

    def write(self) -> None:
        """All frames are there; the file is being completed."""
        self._enter("write")

    def warn(self, message: str) -> None:
        """Pass a warning on."""
        self.listener(Event("warning", item=self.item, message=message))

    def done(self) -> None:
        """The video is finished."""
        self.listener(Event("done", item=self.item))

    def summary(self) -> dict[str, float]:
        """Seconds by stage, up to now, with `load` and `total`."""
        self._close()
        stages = {"load": self.load_s, **self._seconds}
        stages["total"] = sum(stages.values())
        return {name: round(seconds, 4) for name, seconds in stages.items()}

    def _pace(self) -> None:
        """The first step also warms up; it would spoil a short run's pace."""
        took = time.perf_counter() - self._step_ended
        if self.seconds_per_step is None:
            self.seconds_per_step = took
            return
        self._further_steps_s += took
        self._num_further += 1
        self.seconds_per_step = self._further_steps_s / self._num_further

    def _enter(self, stage: Stage) -> None:
        self._close()
        self._stage = stage
        self.listener(Event("stage", item=self.item, stage=stage))

    def _close(self) -> None:
        now = time.perf_counter()
        if self._stage is not None:
            self._add(self._stage, now - self._since)
        self._since = now

    def _add(self, stage: Stage, seconds: float) -> None:
        self._seconds[stage] = self._seconds.get(stage, 0.0) + seconds

    def _eta(self, steps_left: int) -> float | None:
        pace = self.seconds_per_step or self.usual_step_s
        return None if pace is None else steps_left * pace + (self.later_s or 0.0)
