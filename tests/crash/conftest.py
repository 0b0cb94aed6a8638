"""One loaded model for all crashes."""

import pytest

import t2v
from tests.crash import works


@pytest.fixture(scope="session")
def doodle() -> "t2v.Generator":
    """The embedded model, in memory."""
    return works.doodle()
