"""Plain twin of the heat bath of Boltzmann machines: float32 sums in the kernel's order, unit by unit."""

import numpy as np

from tests.kernels.twin_logistic import sample


def sweep(spins, generator, couplings, bias, order, thin):
    """Update spins (n_units, 64) in place; return those after every `thin` sweeps."""
    kept = []
    for number, units in enumerate(order, 1):
        for unit in units:
            sums = np.full(spins.shape[1], bias[unit], dtype=np.float32)
            for other in range(len(spins)):
                sums = sums + spins[other] * couplings[unit, other]
            spins[unit] = sample(sums, generator)
        if number % thin == 0:
            kept.append(spins.astype(np.int8))
    return kept
