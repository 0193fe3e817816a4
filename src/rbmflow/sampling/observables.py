"""What is measured of configurations on a lattice: the structure factor, sublattices."""

from __future__ import annotations

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.ising.crystal import Crystal
from rbmflow.ising.lattice import IndexArray, Lattice
from rbmflow.ising.structure_factor import smallest_waves
from rbmflow.sampling.measurements import Observable
from rbmflow.sampling.quantities import STRUCTURE_FACTOR
from rbmflow.sampling.topology import check_lattice


def observables(lattice: Lattice) -> dict[str, Observable]:
    """Return what `run` can measure on a lattice beside energy and magnetization, by name.

    ``structure_factor``, on lattices without ends, is S(k) at the smallest wave vector k, the mean over those
    that are equally small: correlation lengths, of a `Run` or a `Reweighting`, ask for it.
    ``sublattice_magnetizations`` are the means over the sites of each sublattice, of two where no bond joins
    sites of one, of three on a triangular lattice; ``staggered_magnetization`` is the mean over all sites of
    spins that are turned on the second of two, 0 by symmetry, and ``absolute_staggered_magnetization`` its
    size, the order of an antiferromagnet.

    Parameters
    ----------
    lattice : Lattice
        Where the spins are.

    Returns
    -------
    dict of str to callable
        Each takes configurations, shape ``(n, n_sites)``; `run` takes the dict, or a part of it, as
        ``observables=``.

    Examples
    --------
    >>> from rbmflow import Torus, sampling
    >>> measured = sampling.observables(Torus(4, 4))
    >>> list(measured)
    ['structure_factor', 'sublattice_magnetizations', 'staggered_magnetization',
     'absolute_staggered_magnetization']
    >>> chains = sampling.run(Torus(4, 4), -0.6, n_chains=8, n_sweeps=400, rng=1, observables=measured)
    >>> chains.estimate("absolute_staggered_magnetization").mean > 0.9
    True
    """
    on = check_lattice(lattice)
    found: dict[str, Observable] = {}
    if isinstance(on, Crystal) and on.translation_invariant:
        found[STRUCTURE_FACTOR] = _StructureFactor(on)
    try:
        sublattices = on.sublattices()
    except ValueError:  # there are none
        return found
    found["sublattice_magnetizations"] = _Sublattices(sublattices)
    if len(sublattices) == 2:
        found["staggered_magnetization"] = staggered = _Staggered(on.n_sites, sublattices[1])
        found["absolute_staggered_magnetization"] = _Absolute(staggered)
    return found


class _StructureFactor:
    """S at the smallest wave vectors."""

    def __init__(self, lattice: Crystal) -> None:
        self.lattice = lattice
        smallest_waves(lattice)

    def __call__(self, spins: SpinArray) -> FloatArray:
        _, waves = smallest_waves(self.lattice)
        squares = (spins @ waves) ** 2
        n_waves = waves.shape[1] // 2
        return np.asarray(squares.sum(axis=1) / (n_waves * self.lattice.n_sites))


class _Sublattices:
    """The magnetization of each sublattice."""

    def __init__(self, sites: tuple[IndexArray, ...]) -> None:
        self.sites = sites

    def __call__(self, spins: SpinArray) -> FloatArray:
        return np.stack([spins[:, one].mean(axis=1) for one in self.sites], axis=1)


class _Staggered:
    """The mean of spins that are turned on the second of two sublattices."""

    def __init__(self, n_sites: int, turned: IndexArray) -> None:
        self.signs = np.ones(n_sites)
        self.signs[turned] = -1.0

    def __call__(self, spins: SpinArray) -> FloatArray:
        return np.asarray(spins @ self.signs / len(self.signs))


class _Absolute:
    """The size of another."""

    def __init__(self, other: Observable) -> None:
        self.other = other

    def __call__(self, spins: SpinArray) -> FloatArray:
        return np.asarray(np.abs(self.other(spins)))
