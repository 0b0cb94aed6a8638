"""The embedded model, loaded once a session."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import torch

import t2v
from t2v.plan.events import Event

if TYPE_CHECKING:
    from t2v.api.generator import Generator

torch.set_num_threads(1)

QUICK: dict[str, Any] = {"num_inference_steps": 2, "num_frames": 5, "seed": 3}
"""The embedded model at its quickest."""


@pytest.fixture(scope="session")
def doodle() -> "Generator":
    """The embedded model; tests that share it leave it as it is."""
    return t2v.load("doodle-128", device="cpu")


@pytest.fixture
def heard() -> Iterator[list[Event]]:
    """A list to listen with: `listener=heard.append`."""
    return []
