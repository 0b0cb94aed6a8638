"""What this machine has, found out without torch: device, memory, processors."""

import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

GIB = 1024**3
_MIB = 1024**2
_UNLIMITED = 1 << 60
_TIMEOUT_S = 5
CARDS = Path("/sys/class/drm")
"""Where Linux tells of graphics cards."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One device and its host. Bytes are None where nothing says how many there are."""

    device: str
    """`cuda`, `rocm`, `mps`, `xpu` or `cpu`."""
    device_name: str
    free_bytes: int | None
    total_bytes: int | None
    host_free_bytes: int | None
    host_total_bytes: int | None
    num_cpus: int


def probe_machine(device: str = "auto") -> Machine:
    """The machine as it is now. `device` is the wanted torch device; `auto` takes the best one."""
    free, total = _host_memory()
    found = _accelerator(device) if device != "cpu" else None
    kind, name, device_free, device_total = found or ("cpu", _processor(), free, total)
    return Machine(kind, name, device_free, device_total, free, total, num_cpus())


_Found = tuple[str, str, int | None, int | None]


def _accelerator(device: str) -> _Found | None:
    if platform.system() == "Darwin":
        return _apple() if device in {"auto", "mps"} else None
    build = _torch_build()
    if device == "xpu" or (build == "xpu" and device == "auto"):
        return "xpu", "Intel GPU", None, None
    if device == "mps" or build == "cpu":
        return None
    index = int(device.partition(":")[2] or 0)
    return _nvidia(index) or _amd(index)


def _torch_build() -> str:
    """What the installed torch was built for, where its version says so: `cpu`, `xpu`, `cu130`."""
    try:
        return metadata.version("torch").partition("+")[2]
    except metadata.PackageNotFoundError:
        return ""


def _nvidia(index: int) -> _Found | None:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    tool = shutil.which("nvidia-smi")
    if tool is None or visible in {"", "-1"}:
        return None
    if visible is not None:
        listed = visible.split(",")
        if index >= len(listed):
            return None
        wanted = listed[index].strip()
    else:
        wanted = str(index)
    query = "--query-gpu=name,memory.free,memory.total"
    answer = answer_of([tool, query, "--format=csv,noheader,nounits", f"--id={wanted}"])
    return parse_nvidia(answer)


def parse_nvidia(answer: str) -> _Found | None:
    """The first GPU of `nvidia-smi --query-gpu=name,memory.free,memory.total` in CSV."""
    match = re.match(r"\s*(.+?)\s*,\s*(\d+|\[.*?\])\s*,\s*(\d+|\[.*?\])", answer)
    if match is None:
        return None
    free, total = (int(text) * _MIB if text.isdigit() else None for text in match.groups()[1:])
    return "cuda", match[1], free, total


def _amd(index: int) -> _Found | None:
    return amd_card(CARDS, index) if Path("/dev/kfd").exists() else None


def amd_cards(root: Path) -> list[Path]:
    """The memory of each card whose driver tells it."""
    return sorted(root.glob("card[0-9]*/device/mem_info_vram_total"))


def amd_card(root: Path, index: int) -> _Found | None:
    """The card with that number among those whose driver tells their memory."""
    cards = amd_cards(root)
    if index >= len(cards):
        return None
    folder = cards[index].parent
    total, used = _number(cards[index]), _number(folder / "mem_info_vram_used")
    free = total - used if total is not None and used is not None else None
    return "rocm", _text(folder / "product_name") or "AMD GPU", free, total


def _apple() -> _Found | None:
    if platform.machine() != "arm64":
        return None
    free, total = _host_memory()
    # Metal lets one process have about three quarters of the unified memory.
    limit = total * 3 // 4 if total else None
    return "mps", _processor(), min(free, limit) if free and limit else free, limit


def _host_memory() -> tuple[int | None, int | None]:
    match platform.system():
        case "Windows":
            return _windows_memory()
        case "Darwin":
            return _mac_memory()
        case _:
            return _linux_memory()


def _linux_memory() -> tuple[int | None, int | None]:
    lines = _text(Path("/proc/meminfo")).splitlines()
    sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if ":" in line}
    free, total = sizes.get("MemAvailable"), sizes.get("MemTotal")
    for limit, used in cgroup_limits(Path("/sys/fs/cgroup"), _own_cgroup()):
        if total is None or limit < total:
            total = limit
        free = max(0, limit - used) if free is None else min(free, max(0, limit - used))
    return free, total


def _own_cgroup() -> str:
    lines = _text(Path("/proc/self/cgroup")).splitlines()
    return next((line[3:] for line in lines if line.startswith("0::/")), "/")


def cgroup_limits(root: Path, own: str) -> list[tuple[int, int]]:
    """What a container may use, and uses: version 2 from its own level up, then version 1."""
    levels = [part for part in own.split("/") if part not in {"", ".."}]
    folders = [root.joinpath(*levels[:depth]) for depth in range(len(levels), -1, -1)]
    pairs = [(_number(folder / "memory.max"), _in_use(folder)) for folder in folders]
    old = root / "memory"
    pairs.append((_number(old / "memory.limit_in_bytes"), _number(old / "memory.usage_in_bytes")))
    return [(limit, used or 0) for limit, used in pairs if limit is not None and limit < _UNLIMITED]


def _in_use(folder: Path) -> int | None:
    """Used memory less the file cache that the kernel gives back when it is wanted."""
    used = _number(folder / "memory.current")
    match = re.search(r"^inactive_file (\d+)$", _text(folder / "memory.stat"), re.MULTILINE)
    return used - int(match[1]) if used is not None and match else used


def _mac_memory() -> tuple[int | None, int | None]:
    total = answer_of(["sysctl", "-n", "hw.memsize"]).strip()
    return parse_vm_stat(answer_of(["vm_stat"])), int(total) if total.isdigit() else None


def parse_vm_stat(answer: str) -> int | None:
    """Bytes that macOS can hand out at once, by its `vm_stat`."""
    size = re.search(r"page size of (\d+)", answer)
    counts = re.findall(r"Pages (?:free|inactive|speculative|purgeable):\s+(\d+)", answer)
    return int(size[1]) * sum(map(int, counts)) if size and counts else None


def _windows_memory() -> tuple[int | None, int | None]:
    import ctypes  # noqa: PLC0415 - Windows alone needs it

    class Status(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            ("total", ctypes.c_ulonglong),
            ("free", ctypes.c_ulonglong),
            ("rest", ctypes.c_ulonglong * 5),
        )

    status = Status(length=ctypes.sizeof(Status))
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 - absent elsewhere
    return (
        (status.free, status.total)
        if kernel.GlobalMemoryStatusEx(ctypes.byref(status))
        else (None, None)
    )


def num_cpus() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    if platform.system() == "Darwin":
        return answer_of(["sysctl", "-n", "machdep.cpu.brand_string"]).strip() or "Apple"
    match = re.search(r"^model name\s*:\s*(.+)$", _text(Path("/proc/cpuinfo")), re.MULTILINE)
    return match[1] if match else platform.processor() or platform.machine() or "CPU"


def answer_of(command: list[str], timeout_s: float = _TIMEOUT_S) -> str:
    """What a program prints; nothing where it fails."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout_s, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _number(path: Path) -> int | None:
    text = _text(path)
    return int(text) if text.isdigit() else None
