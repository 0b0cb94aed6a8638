"""No long video leaves a thread behind."""

import threading

import pytest


@pytest.fixture(autouse=True)
def _no_thread_is_left():
    yield
    assert [one.name for one in threading.enumerate() if one.name.startswith("window")] == []
