"""From a seed to a generator of random numbers."""

import torch


def generator(seed: int) -> torch.Generator:
    """A generator on the CPU: the same noise whatever device the model runs on."""
    return torch.Generator("cpu").manual_seed(seed)
