"""What is measured of configurations on a lattice: structure factor, sublattices, correlation length."""

from __future__ import annotations

from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray, check_flag, shown
from rbmflow.ising.crystal import Crystal, check_periodic
from rbmflow.ising.lattice import IndexArray, Lattice
from rbmflow.ising.structure_factor import smallest_waves
from rbmflow.sampling.measurements import Observable
from rbmflow.sampling.quantities import Quantity, Series
from rbmflow.sampling.topology import check_lattice

STRUCTURE_FACTOR = "structure_factor"
"""Series that the correlation length is made of."""


def observables(lattice: Lattice) -> dict[str, Observable]:
    """Return what `run` can measure on a lattice beside energy and magnetization, by name.

    ``structure_factor``, on lattices without ends, is S(k) at the smallest wave vector k, the mean over those
    that are equally small: `Run.correlation_length_estimate` and `correlation_length` ask for it.
    ``sublattice_magnetizations`` are the means over the sites of each sublattice, of two where no bond joins
    sites of one, of three on a triangular lattice; ``staggered_magnetization`` is half the difference of two,
    the order of an antiferromagnet.

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
    ['structure_factor', 'sublattice_magnetizations', 'staggered_magnetization']
    >>> chains = sampling.run(Torus(4, 4), -0.6, n_chains=8, n_sweeps=400, rng=1, observables=measured)
    >>> bool(abs(chains.observables["staggered_magnetization"]).mean() > 0.9)
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
        found["staggered_magnetization"] = _Staggered(on.n_sites, sublattices[1])
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


def correlation_length(lattice: Crystal, *, per_length: bool = False) -> Quantity:
    """Return the second-moment correlation length as a quantity of `Reweighting`.

    ``ξ = √(S(0)/S(k) − 1)/k̂`` at the smallest wave vectors, where k̂ is ``2 sin(k/2)`` on hypercubic lattices
    and the same measure of the lattice's own steps on others: exact for the correlations of a lattice
    Gaussian, and ``√t/(1 − t)``, t = tanh K, on every ring (F. Cooper, B. Freedman and D. Preston, Nucl.
    Phys. B 210, 210 (1982)). NaN where S(0) is below S(k).

    Parameters
    ----------
    lattice : Ring, Torus or another that repeats cells and has no ends
        Where runs measured ``structure_factor``, see `observables`.
    per_length : bool
        Whether ξ/L is meant, with ``L = n^(1/d)``, which crosses as a cumulant does.

    Returns
    -------
    Quantity
        In lengths of a bond.

    Examples
    --------
    >>> from rbmflow import Ring, sampling
    >>> ring = Ring(16)
    >>> measured = sampling.observables(ring)
    >>> chains = sampling.run(ring, 0.5, n_chains=64, n_sweeps=1000, rng=1, observables=measured)
    >>> t = np.tanh(0.45)
    >>> found = sampling.reweight(chains).estimate(sampling.correlation_length(ring), 0.45)
    >>> abs(found.deviation(np.sqrt(t) / (1 - t))) < 4
    True
    """
    momentum, _ = smallest_waves(check_periodic(lattice))
    unit = lattice.n_sites ** (1 / lattice.dimension) if check_flag("per_length", per_length) else 1.0

    def value(n: int, _K: Any, m2: Any, S: Any) -> Any:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.sqrt(np.divide(n * m2, S) - 1) / (momentum * unit)

    return Quantity("correlation_length_per_length" if per_length else "correlation_length", _series, value)


def _series(series: Series) -> tuple[FloatArray, ...]:
    if STRUCTURE_FACTOR not in series:
        raise ValueError(
            f"series {', '.join(map(shown, series))}: {STRUCTURE_FACTOR!r} is needed as well; "
            "run(..., observables=sampling.observables(lattice)) measures it"
        )
    return series["magnetization"] ** 2, series[STRUCTURE_FACTOR]
