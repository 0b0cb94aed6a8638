"""One loaded model for all crashes; the children inherit it."""

import pytest

import t2v


@pytest.fixture(scope="session")
def doodle() -> "t2v.Generator":
    """The embedded model, in memory."""
    return t2v.load("doodle-128", device="cpu")
