"""The GPUs of this machine, as a process is shown one of them. Found without torch."""

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from t2v.plan.machine import CARDS, amd_cards, answer_of

_TIMEOUT_S = 10
VARIABLES = {"cuda": "CUDA_VISIBLE_DEVICES", "rocm": "HIP_VISIBLE_DEVICES"}


@dataclass(frozen=True, slots=True)
class Gpus:
    """Names of GPUs, and the environment variable that shows a process some of them."""

    variable: str = ""
    names: tuple[str, ...] = ()

    def environment(self, slot: int) -> dict[str, str]:
        """What shows a worker its GPU; workers beyond their number share them."""
        if len(self.names) < 2:
            return {}  # one, or none: it is seen already
        return {self.variable: self.names[slot % len(self.names)]}


def visible_gpus(kind: str, devices: Sequence[str]) -> Gpus:
    """The GPUs that workers are spread over.

    Args:
        kind: As `Machine.device` says it; only NVIDIA's and AMD's can be shown to a process.
        devices: What requests say. `cuda:1` names one; then there is nothing to spread.
    """
    variable = VARIABLES.get(kind)
    if variable is None or any(":" in device or device == "cpu" for device in devices):
        return Gpus()
    return Gpus(variable, _shown(os.environ, variable) or _all(kind))


def _shown(environment: Mapping[str, str], variable: str) -> tuple[str, ...]:
    """Those that the user has chosen."""
    return tuple(part.strip() for part in environment.get(variable, "").split(",") if part.strip())


def _all(kind: str) -> tuple[str, ...]:
    if kind == "rocm":
        return tuple(str(index) for index in range(len(amd_cards(CARDS))))
    tool = shutil.which("nvidia-smi")
    return parse_list(answer_of([tool, "-L"], _TIMEOUT_S)) if tool else ()


def parse_list(answer: str) -> tuple[str, ...]:
    """Numbers of the GPUs in what `nvidia-smi -L` prints: `GPU 0: NVIDIA H100 (UUID: GPU-...)`."""
    return tuple(re.findall(r"^GPU (\d+):", answer, re.MULTILINE))
