"""What children do until they are killed; the server that forks them has all of it imported."""

import os
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

import t2v
from t2v.longvideo import evaluations
from t2v.media.writer import open_writer
from t2v.plan.events import Event
from t2v.plan.windows import LongPlan
from t2v.runtime.quiet import quiet
from t2v_cli import stopping
from t2v_cli.__main__ import run
from tests.longvideo.making import load_long

Tell = Callable[[Event], None]

torch.set_num_threads(1)

QUICK: dict[str, Any] = {"num_frames": 5, "num_inference_steps": 2}


@cache
def doodle() -> t2v.Generator:
    """The embedded model, loaded once a process."""
    return t2v.load("doodle-128", device="cpu")


def generate(tell: Tell, output: Path, **more: Any) -> None:
    """A clip of the embedded model at its quickest."""
    doodle().generate("a red ball", output=output, listener=tell, **QUICK, **more)


def write(tell: Tell, output: Path, num_frames: int, **more: Any) -> None:
    """A long, quick video of noise: nearly all moments are moments of writing."""
    noise = np.random.default_rng(0).integers(0, 256, (32, 64, 64, 3), np.uint8)
    with open_writer(output, width=64, height=64, fps=Fraction(16), **more) as writer:
        for n in range(num_frames):
            writer.write(noise[n % 32])
            tell(Event("frames", stage="write", step=n))
        tell(Event("stage", stage="write"))
        writer.finish({"prompt": "noise"})


def command(tell: Tell, folder: Path, *arguments: str) -> int:
    """`t2v ARGUMENTS` in the folder; its events are told as they are shown."""
    os.chdir(folder)
    show = stopping.Stopping.__call__

    def shown(self: stopping.Stopping, event: Event) -> None:
        tell(event)
        show(self, event)

    stopping.Stopping.__call__ = shown  # type: ignore[method-assign]
    return run(arguments)


def long_video(tell: Tell, name: str, plan: LongPlan, work: Path) -> None:
    """A long video of a tiny model, with a checkpoint after every step."""

    def on_step(step: int, of: int) -> None:
        tell(Event("step", stage="denoise", step=step, of=of))

    with quiet():
        for _ in load_long(name).frames(plan, work=work, checkpoint_s=0, on_step=on_step):
            pass


def one_call(tell: Tell, model: Path, output: Path, options: dict[str, Any]) -> None:
    """A video of one call, of which all is kept at once; its steps alone are told."""
    evaluations.EVERY_S = 0

    def listen(event: Event) -> None:
        if event.event == "step" and event.step:
            tell(event)

    t2v.load(model).generate(output=output, listener=listen, **options)
