"""Every test runs offline, with a home of its own, and sees no setting of the machine it runs on."""

import faulthandler
import os
import signal
import socket
from pathlib import Path

import pytest
from pytest_timeout import Settings

os.environ["HF_HUB_OFFLINE"] = "1"  # read once, when huggingface_hub is imported
os.environ["TOKENIZERS_PARALLELISM"] = "false"

# A shell that starts tests in the background has Ctrl-C ignored, for them and all their children.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

LOOPBACK = ("127.", "::1", "localhost")
STDERR = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    """Remember stderr: later it is captured, and of a worker nothing else is seen."""
    config.stash[STDERR] = os.dup(2)


def pytest_timeout_set_timer(item: pytest.Item, settings: Settings) -> bool:
    """End the process of a test that hangs, all stacks told; pytest or xdist says which test it was.

    pytest-timeout's own ways wait for the interpreter, which a library may hold, or for the test.
    """
    stderr = item.config.stash[STDERR]
    faulthandler.dump_traceback_later(settings.timeout, exit=True, file=stderr)
    return True


def pytest_timeout_cancel_timer(item: pytest.Item) -> bool:
    """The test has ended."""
    faulthandler.cancel_dump_traceback_later()
    return True


def pytest_enter_pdb() -> None:
    """A person who looks around has all the time."""
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home for configuration and caches."""
    folder = tmp_path_factory.mktemp("home")
    for name in [name for name in os.environ if name.startswith("T2V_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("T2V_CONFIG_HOME", str(folder / "config"))
    monkeypatch.setenv("T2V_CACHE_HOME", str(folder / "cache"))
    monkeypatch.setenv("HF_HOME", str(folder / "huggingface"))
    monkeypatch.setenv("NO_COLOR", "1")
    return folder


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if isinstance(address, tuple) and not str(address[0]).startswith(LOOPBACK):
            raise OSError(f"tests do not use the network: {address[0]}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
