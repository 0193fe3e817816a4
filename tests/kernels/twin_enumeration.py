"""Twins of the enumeration kernel: spin by spin, and the closed form."""

from math import comb

import numpy as np
import numpy.typing as npt


def tally_ring(n_sites: int, first: int, last: int) -> npt.NDArray[np.uint64]:
    """Tally x = first, ..., last - 1 and their spin flips, each from its own spins."""
    counts = np.zeros((n_sites // 2 + 1, n_sites + 1), dtype=np.uint64)
    everything = 2**n_sites - 1
    for x in range(first, last):
        for configuration in (x, everything - x):
            spins = [configuration >> i & 1 for i in range(n_sites)]
            walls = sum(spins[i] != spins[i - 1] for i in range(n_sites))
            counts[walls // 2, sum(spins)] += np.uint64(1)
    return counts


def degeneracies(n_sites: int) -> npt.NDArray[np.uint64]:
    """Return the number of rings with k wall pairs and n up spins, (M/k) C(n-1, k-1) C(M-n-1, k-1)."""
    counts = np.zeros((n_sites // 2 + 1, n_sites + 1), dtype=np.uint64)
    counts[0, 0] = counts[0, n_sites] = 1
    for k in range(1, n_sites // 2 + 1):
        for n in range(k, n_sites - k + 1):
            counts[k, n] = n_sites * comb(n - 1, k - 1) * comb(n_sites - n - 1, k - 1) // k
    return counts
