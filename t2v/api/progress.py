"""Turns the work's own milestones into events, with a pace and an expected end."""

import time
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
    _process: psutil.Process = field(default_factory=psutil.Process)
    _paces: list[float] = field(default_factory=list)

    def encode(self) -> None:
        """The prompt is being encoded."""
        self._enter("encode")

    def step(self, step: int, of: int) -> None:
        """`step` of `of` denoising steps are done; step 0 says that they begin."""
        if step == 0:
            self._enter("denoise")
        now = time.perf_counter()
        if step > 0:
            self._paces.append(now - self._step_ended)
            # The first step also warms up; it would spoil a short run's pace.
            paces = self._paces[1:] or self._paces
            self.seconds_per_step = sum(paces) / len(paces)
        self._step_ended = now
        if self.listener is silent:
            return  # Asking the system for memory at every step is for those who see it.
        self.listener(
            Event(
                "step",
                item=self.item,
                stage="denoise",
                step=step,
                of=of,
                seconds_per_step=self.seconds_per_step,
                eta_s=self._eta(of - step),
                memory_bytes=self._process.memory_info().rss,
            )
        )

    def decode(self) -> None:
        """The latents are done; frames are next."""
        self._enter("decode")

    def frame(self, frame: int, of: int, wrote_s: float) -> None:
        """`frame` of `of` frames have been handed on, the last in `wrote_s` seconds."""
        self._add("write", wrote_s)
        self._add("decode", -wrote_s)
        left_s = None if self.later_s is None else self.later_s * (of - frame) / of
        self.listener(
            Event("frames", item=self.item, stage="decode", step=frame, of=of, eta_s=left_s)
        )

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
