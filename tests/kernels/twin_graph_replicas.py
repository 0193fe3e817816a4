"""Plain twin of blocks of 64 chains on a graph: the same random words, exact fields, the kernel's float32."""

from fractions import Fraction

import numpy as np

from tests.kernels.twin_logistic import Generator, choose, decay, uniforms, words_of

CHAINS = 64


def unit(couplings, field):
    """The unit of a site's local fields, a power of two; None where there are none."""
    strength = sum((abs(Fraction(J)) for J in couplings), abs(Fraction(field)))
    if not strength:
        return None
    power = Fraction(1, 2**1100)
    while power * 2**30 <= strength:
        power *= 2
    return power


def sweep(spins, state, K, near, fields, order, metropolis, n_sweeps, chooser=None):
    """Sweep spins[site] of -1 and 1, (64,); near[site] is a list of (neighbour, J); return the state.

    With a chooser, a generator, sites are drawn.
    """
    generator = Generator(state)
    units = [unit([J for _, J in bonds], h) for bonds, h in zip(near, fields, strict=True)]
    largest = max((one for one in units if one), default=Fraction(1, 2**29))
    with np.errstate(over="ignore"):
        strength = np.clip(K * float(largest), -1e30, 1e30).astype(np.float32)
    for _ in range(n_sweeps):
        for site in order if chooser is None else [chooser.below(len(near)) for _ in near]:
            one = units[site] or largest
            total = np.full(CHAINS, round(Fraction(fields[site]) / one), dtype=np.int64)
            for other, J in near[site]:
                total += round(Fraction(J) / one) * spins[other]
            with np.errstate(over="ignore"):
                x = total.astype(np.float32) * np.float32(one / largest) * strength
            e, u = decay(np.abs(x)), uniforms(generator, CHAINS, np.float32)
            if metropolis and (near[site] or round(Fraction(fields[site]) / one)):
                keep = (e < u) & (np.signbit(x) == (spins[site] < 0))
                spins[site] = np.where(keep, spins[site], -spins[site])
            else:
                spins[site] = choose(x, e, u).astype(np.int64)
    return words_of(generator)


def energy(spins, bonds, fields):
    """Totals of 64 chains, bond by bond and site by site."""
    total = np.full(CHAINS, -(np.sum([2 * J for _, _, J in bonds]) + np.sum(2 * np.asarray(fields))) / 2)
    for a, b, J in bonds:
        total += np.where(spins[a] != spins[b], 2 * J, 0.0)
    if np.any(fields):
        for site, h in enumerate(fields):
            total += np.where(spins[site] < 0, 2 * h, 0.0)
    return total
