"""Real entries of the zoo, and machines that are described and not probed."""

from dataclasses import replace

import pytest
from hypothesis import settings

from t2v.plan.machine import GIB, Machine
from t2v.zoo.catalog import Zoo
from t2v.zoo.spec import ModelSpec

# The same examples every time, and no clock: a busy machine must not fail a test.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def zoo() -> Zoo:
    return Zoo.load(overlays=False)


@pytest.fixture(scope="session")
def wan(zoo: Zoo) -> ModelSpec:
    return zoo.find("wan2.1-t2v-1.3b")


@pytest.fixture(scope="session")
def ltx(zoo: Zoo) -> ModelSpec:
    return zoo.find("ltx-video-2b-0.9")


@pytest.fixture
def desktop() -> Machine:
    """A CPU with 32 GiB of memory."""
    return Machine("cpu", "Some CPU", 32 * GIB, 32 * GIB, 32 * GIB, 32 * GIB, 8)


@pytest.fixture
def gpu(desktop: Machine) -> Machine:
    """A GPU with 24 GiB, all free, in a host with 64."""
    return replace(
        desktop,
        device="cuda",
        device_name="Some GPU",
        free_bytes=24 * GIB,
        total_bytes=24 * GIB,
        host_free_bytes=64 * GIB,
        host_total_bytes=64 * GIB,
    )
