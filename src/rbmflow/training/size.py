"""What training would take, before it takes it."""

from __future__ import annotations

import os

BYTES_A_WEIGHT = 65  # at the peak: parameters in two precisions, gradients, memory of an optimiser, the state
BYTES_A_UNIT = 9  # of a chain: a spin, and the mean of a hidden unit
FALLBACK = 64 * 2**30


def check_size(n_visible: int, n_hidden: int, n_chains: int = 0) -> None:
    """Raise unless a machine and its chains can be trained within the memory of this computer."""
    needed = BYTES_A_WEIGHT * n_visible * n_hidden + BYTES_A_UNIT * n_chains * (n_visible + n_hidden)
    if needed > memory():
        chains = f" and {n_chains} chains" if n_chains else ""
        raise ValueError(
            f"n_visible={n_visible}, n_hidden={n_hidden}{chains}: training needs about {needed / 2**30:.3g} GiB"
            f" of memory, {memory() / 2**30:.3g} GiB are there"
        )


def memory() -> int:
    """Return the bytes of this computer, or 64 GiB where it does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return FALLBACK
