"""Whether a model fits a machine says the same as the plan that would run on it."""

from dataclasses import replace

import pytest

from t2v.plan.fit import fit, rungs
from t2v.plan.machine import GIB, Machine
from t2v.plan.memory import plan_memory
from t2v.plan.needs import needs_of
from t2v.zoo.catalog import Zoo, catalog_documents

ZOO = Zoo.of(catalog_documents(overlays=False))
HOST = 512 * GIB
GPU = Machine("cuda", "a GPU", 80 * GIB, 80 * GIB, HOST, HOST, 16)
CPU = Machine("cpu", "a CPU", 32 * GIB, 32 * GIB, 32 * GIB, 32 * GIB, 8)
KNOWN = [name for name, spec in ZOO.items() if spec.components]


def sized(machine: Machine, gib: int) -> Machine:
    return replace(machine, free_bytes=gib * GIB, total_bytes=gib * GIB)


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("gib", [4, 8, 12, 16, 24, 48, 80, 192])
def test_the_rung_is_the_one_that_a_plan_would_choose(name: str, gib: int):
    spec, machine = ZOO[name], sized(GPU, gib)
    width, height = spec.sizes.native[0]
    plan = plan_memory(spec, width, height, spec.frames.native, "auto", machine, "auto")
    found = fit(needs_of(spec), machine)
    if found.answer == "no":
        assert any("may run out of memory" in warning for warning in plan.warnings)
    else:
        assert (found.rung, found.peak_bytes) == (plan.rung, plan.estimated_bytes)
        assert found.answer == ("yes" if plan.rung == "none" else "offload")


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("gib", [2, 16, 64, 256])
def test_on_a_cpu_it_fits_where_a_plan_has_no_warning(name: str, gib: int):
    spec, machine = (
        ZOO[name],
        replace(sized(CPU, gib), host_free_bytes=gib * GIB, host_total_bytes=gib * GIB),
    )
    width, height = spec.sizes.native[0]
    plan = plan_memory(spec, width, height, spec.frames.native, "auto", machine, "auto")
    assert fit(needs_of(spec), machine).answer == ("no" if plan.warnings else "yes")


def test_weights_that_the_host_cannot_hold_do_not_fit():
    small_host = replace(sized(GPU, 24), host_total_bytes=8 * GIB)
    assert fit(needs_of(ZOO["wan2.1-t2v-14b"]), sized(GPU, 24)).answer == "offload"
    assert fit(needs_of(ZOO["wan2.1-t2v-14b"]), small_host).answer == "no"


def test_it_is_the_memory_in_all_that_counts_and_not_what_is_free_now():
    busy = replace(sized(GPU, 80), free_bytes=GIB)
    assert fit(needs_of(ZOO["wan2.1-t2v-1.3b"]), busy).answer == "yes"


def test_nobody_knows_about_a_machine_or_a_model_without_sizes():
    silent = replace(GPU, total_bytes=None)
    assert fit(needs_of(ZOO["doodle-128"]), silent).answer == "unknown"
    assert fit({}, GPU).answer == "unknown"
    assert rungs({}, GPU) == {}


def test_the_estimates_of_the_rungs_do_not_rise():
    peaks = list(rungs(needs_of(ZOO["wan2.1-t2v-14b"]), GPU).values())
    assert len(peaks) == 4
    assert peaks == sorted(peaks, reverse=True)


def test_a_cpu_has_one_rung():
    assert list(rungs(needs_of(ZOO["doodle-128"]), CPU)) == ["none"]
