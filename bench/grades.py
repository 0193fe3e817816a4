"""Grades of ten maps of the critical torus as CSV: ``python bench/grades.py > grading.csv``."""

import sys

import numpy as np

from rbmflow import RBM, Torus, rg, sampling

SIDE, N_SAMPLES = 16, 100_000
CRITICAL = float(np.log(1 + np.sqrt(2)) / 2)
COLUMNS = {"information": None, "y_t": -1, "y_h": 0, "y_h2": -1, "couplings": 0}
"""Which entry of the first step of each; y_h with one operator and with two."""


def shuffled(spins, sides):
    """Blocks of sites that are anywhere."""
    order = np.random.default_rng(0).permutation(spins.shape[-1])
    return rg.block_spins(spins[..., order], sides, rng=0)


def decimating(side, c):
    """A machine whose hidden units copy one sublattice, in the order of `rg.Sublattice`."""
    lattice, half = Torus(side, side), rg.Sublattice()
    rbm = RBM.decimating(lattice, CRITICAL, c)
    order = np.searchsorted(lattice.sublattices()[0], half.sites(lattice))
    return rg.Hidden(RBM(rbm.weights[:, order]), half.output_shape(lattice))


def maps(side):
    """The ten maps by name."""
    return {
        "majority rule": rg.Majority(),
        **{f"filter, w = {w}": rg.BlockFilter(np.full((2, 2), w)) for w in (2.0, 1.0, 0.5, 0.25)},
        "filter by sign, one column": rg.BlockFilter([[1.0, 0.1], [1.0, 0.1]], drawn=False),
        "decimation, b = 2": rg.Decimation(),
        "one sublattice, b = √2": rg.Sublattice(),
        "decimating machine, c = 1": decimating(side, 1.0),
        "majority of sites anywhere": rg.Function(shuffled, 2, lambda sides: tuple(n // 2 for n in sides)),
    }


def main():
    """Write the table."""
    chains = sampling.run(
        Torus(SIDE, SIDE),
        CRITICAL,
        n_chains=40,
        n_sweeps=N_SAMPLES // 40 * 4,
        thin=4,
        burn_in=200,
        rule="swendsen_wang",
        rng=17,
    )
    small = maps(4)
    for number, (name, mapped) in enumerate(maps(SIDE).items()):
        found = rg.grade(mapped, Torus(SIDE, SIDE), CRITICAL, spins=chains.spins, rng=1)
        exact = rg.grade(small[name], Torus(4, 4), CRITICAL, rng=1)
        row = {
            "map": name,
            "kl_4x4": exact.kl[0],
            "information_4x4": exact.information[0],
            "relative_entropy_4x4": exact.relative_entropy[0],
        }
        for quantity, column in COLUMNS.items():
            for suffix in ("", "_stderr"):
                values = getattr(found, quantity.removesuffix("2") + suffix)
                row[quantity + suffix] = values[0] if column is None else values[0, column]
        if not number:
            print(*row, sep=",")
        texts = (f'"{one}"' if isinstance(one, str) else f"{one:.6g}" for one in row.values())
        print(*texts, sep=",", flush=True)


if __name__ == "__main__":
    sys.exit(main())
