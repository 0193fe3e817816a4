"""The threshold dynamics spelled out: whole numbers as Python's, floating sums in the order of the kernel."""

import numpy as np


def sum_fields(couplings, biases, spins):
    """b + t(0) + t(1) + …, t(g) the sum of four units from the first one on."""
    n_states, n = spins.shape
    signed = np.where(spins > 0, 1, -1)
    fields = np.empty((n_states, n), dtype=object if couplings.dtype.kind == "i" else float)
    for s in range(n_states):
        terms = [
            [(int(w) if couplings.dtype.kind == "i" else w) * int(signed[s, i]) for w in couplings[i]]
            for i in range(n)
        ]
        for j in range(n):
            total = biases[j].item()
            for g in range(0, n, 4):
                total = total + (((terms[g][j] + terms[g + 1][j]) + terms[g + 2][j]) + terms[g + 3][j])
            fields[s, j] = total
    return fields


def relax(couplings, order, clamped, spins, fields, sweeps, settled):
    """All in place; `clamped` may have no rows."""
    for s in range(len(spins)):
        for visits in order:
            if settled[s]:
                break
            changed = False
            for i in visits:
                wanted = 1 if fields[s, i] >= 0 else -1
                if spins[s, i] != wanted and not (len(clamped) and clamped[s, i]):
                    spins[s, i] = wanted
                    for j in range(len(couplings)):
                        step = 2 * couplings[i, j].item()
                        fields[s, j] = fields[s, j] + step if wanted == 1 else fields[s, j] - step
                    changed = True
            sweeps[s] += changed
            settled[s] = not changed
