"""Seeds: random ones that can be read aloud, and one for each video of a run."""

import secrets
from hashlib import sha256

MAX_SEED = 2**63 - 1


def random_seed() -> int:
    """A seed nobody chose, below 2**32."""
    return secrets.randbelow(2**32)


def derive_seed(seed: int, index: int) -> int:
    """The seed of the video with that number: the seed itself, then others that follow from it.

    >>> derive_seed(42, 0), derive_seed(42, 1)
    (42, 4251888718461)
    """
    if index == 0:
        return seed
    # 48 bits keep ten thousand videos apart and stay exact in every JSON reader.
    return int.from_bytes(sha256(f"{seed}:{index}".encode()).digest()[:6])
