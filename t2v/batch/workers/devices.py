"""The GPUs of this machine, as a process is shown one of them. Found without torch."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

VARIABLES = {"cuda": "CUDA_VISIBLE_DEVICES", "rocm": "HIP_VISIBLE_DEVICES"}
_TIMEOUT_S = 10


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
        cards = Path("/sys/class/drm").glob("card[0-9]*/device/mem_info_vram_total")
        return tuple(str(index) for index, _ in enumerate(cards))
    tool = shutil.which("nvidia-smi")
    return parse_list(_answer([tool, "-L"])) if tool else ()


def parse_list(answer: str) -> tuple[str, ...]:
    """Numbers of the GPUs in what `nvidia-smi -L` prints: `GPU 0: NVIDIA H100 (UUID: GPU-...)`."""
    return tuple(re.findall(r"^GPU (\d+):", answer, re.MULTILINE))


def _answer(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout if done.returncode == 0 else ""
