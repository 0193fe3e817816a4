"""What training would take, before it takes it."""

from __future__ import annotations

from rbmflow.hardware import check_memory

BYTES_A_WEIGHT = 65  # at the peak: parameters in two precisions, gradients, memory of an optimiser, the state
BYTES_A_UNIT = 9  # of a chain: a spin, and the mean of a hidden unit


def check_size(n_visible: int, n_hidden: int, n_chains: int = 0) -> None:
    """Raise unless a machine and its chains can be trained within the memory there is."""
    chains = f" and {n_chains} chains" if n_chains else ""
    check_memory(
        f"n_visible={n_visible}, n_hidden={n_hidden}{chains}",
        BYTES_A_WEIGHT * n_visible * n_hidden + BYTES_A_UNIT * n_chains * (n_visible + n_hidden),
        f"fewer hidden units{' or chains' if n_chains else ''} need less",
    )
