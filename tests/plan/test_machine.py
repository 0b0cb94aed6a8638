import os
from pathlib import Path

import pytest

from t2v.plan.machine import (
    GIB,
    amd_card,
    cgroup_limits,
    parse_nvidia,
    parse_vm_stat,
    probe_machine,
)


def test_this_machine_has_memory_and_processors():
    machine = probe_machine()

    assert machine.num_cpus >= 1
    assert machine.host_total_bytes is not None
    assert machine.host_free_bytes is not None
    assert 0 < machine.host_free_bytes <= machine.host_total_bytes


def test_the_cpu_is_a_device_that_has_the_hosts_memory():
    machine = probe_machine("cpu")

    assert machine.device == "cpu"
    assert machine.device_name
    assert (machine.free_bytes, machine.total_bytes) == (
        machine.host_free_bytes,
        machine.host_total_bytes,
    )


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (
            "NVIDIA H100 80GB HBM3, 80000, 81559\n",
            ("cuda", "NVIDIA H100 80GB HBM3", 80000 * 1024**2, 81559 * 1024**2),
        ),
        ("NVIDIA GB10, [N/A], [N/A]\n", ("cuda", "NVIDIA GB10", None, None)),
        ("No devices were found\n", None),
        ("", None),
    ],
)
def test_the_answer_of_nvidia_smi_is_read(answer, found):
    assert parse_nvidia(answer) == found


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An nvidia-smi that knows two GPUs, and a torch that could use them."""
    path = tmp_path / "nvidia-smi"
    path.write_text(
        "#!/bin/sh\n"
        'case "$3" in --id=0) echo "First GPU, 1000, 2000";; --id=1) echo "Second GPU, 3000, 4000";;\n'
        "*) exit 6;; esac\n"
    )
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr("t2v.plan.machine._torch_build", lambda: "cu130")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return path


@pytest.mark.parametrize(
    ("device", "visible", "name"),
    [
        ("auto", None, "First GPU"),
        ("cuda:1", None, "Second GPU"),
        ("cuda", "1", "Second GPU"),
        ("cuda:1", "1,0", "First GPU"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="the tool is a shell script")
def test_the_gpu_that_torch_will_see_is_asked_for(
    tool: Path, monkeypatch: pytest.MonkeyPatch, device: str, visible: str | None, name: str
):
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)

    assert probe_machine(device).device_name == name


@pytest.mark.parametrize(("device", "visible"), [("auto", ""), ("auto", "-1"), ("cuda:2", "0,1")])
def test_a_hidden_gpu_is_none(
    tool: Path, monkeypatch: pytest.MonkeyPatch, device: str, visible: str
):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)

    assert probe_machine(device).device == "cpu"


def test_a_broken_tool_is_no_gpu(tool: Path):
    tool.write_text("#!/bin/sh\nexit 9\n")

    assert probe_machine().device == "cpu"


def test_the_limit_of_a_container_is_found_on_every_level(tmp_path: Path):
    inner = tmp_path / "outer" / "inner"
    inner.mkdir(parents=True)
    (inner / "memory.max").write_text("max\n")
    (tmp_path / "outer" / "memory.max").write_text(f"{8 * GIB}\n")
    (tmp_path / "outer" / "memory.current").write_text(f"{3 * GIB}\n")
    (tmp_path / "outer" / "memory.stat").write_text(f"anon 5\ninactive_file {GIB}\nfile 7\n")

    assert cgroup_limits(tmp_path, "/outer/inner") == [(8 * GIB, 2 * GIB)]


def test_the_old_kind_of_limit_counts_unless_it_means_none(tmp_path: Path):
    old = tmp_path / "memory"
    old.mkdir()
    (old / "memory.limit_in_bytes").write_text("9223372036854771712\n")
    assert cgroup_limits(tmp_path, "/") == []

    (old / "memory.limit_in_bytes").write_text(f"{4 * GIB}\n")
    (old / "memory.usage_in_bytes").write_text(f"{GIB}\n")
    assert cgroup_limits(tmp_path, "/") == [(4 * GIB, GIB)]


def test_amd_cards_tell_their_memory_in_files(tmp_path: Path):
    folder = tmp_path / "card1" / "device"
    folder.mkdir(parents=True)
    (folder / "mem_info_vram_total").write_text("17163091968\n")
    (folder / "mem_info_vram_used").write_text("163091968\n")
    (folder / "product_name").write_text("AMD Radeon RX 7800 XT\n")
    (tmp_path / "card0" / "device").mkdir(parents=True)

    assert amd_card(tmp_path, 0) == ("rocm", "AMD Radeon RX 7800 XT", 17000000000, 17163091968)
    assert amd_card(tmp_path, 1) is None


def test_free_pages_of_macos_are_counted():
    answer = (
        "Mach Virtual Memory Statistics: (page size of 16384 bytes)\n"
        "Pages free:                 1000.\n"
        "Pages active:             500000.\n"
        "Pages inactive:             2000.\n"
        "Pages speculative:            10.\n"
        "Pages purgeable:               5.\n"
    )

    assert parse_vm_stat(answer) == 3015 * 16384
    assert parse_vm_stat("") is None


def test_an_intel_gpu_does_not_tell_its_memory():
    machine = probe_machine("xpu")

    assert (machine.device, machine.device_name, machine.free_bytes) == ("xpu", "Intel GPU", None)
