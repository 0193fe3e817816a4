"""Plain twin of the heat bath of Boltzmann machines: float32 sums in the order of the kernel, by fours."""

import functools
import operator

import numpy as np

from tests.kernels.twin_logistic import sample


def sweep(spins, generator, couplings, bias, order, thin):
    """Update spins (n_units, 64) in place; return those after every `thin` sweeps."""
    kept = []
    for number, units in enumerate(order, 1):
        for unit in units:
            sums = np.full(spins.shape[1], bias[unit], dtype=np.float32)
            for first in range(0, len(spins), 4):
                terms = [spins[k] * couplings[unit, k] for k in range(first, min(first + 4, len(spins)))]
                sums = sums + functools.reduce(operator.add, terms)
            spins[unit] = sample(sums, generator)
        if number % thin == 0:
            kept.append(spins.astype(np.int8))
    return kept
