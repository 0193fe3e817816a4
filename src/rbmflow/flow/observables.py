"""What is measured of each configuration along a flow; spins or means alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray, check_integer, refuse_mask, shown
from rbmflow.ising.bonds import energies, shifted
from rbmflow.ising.crystal import Crystal, check_periodic

Observable = Callable[[Any], Any]
"""Of a batch, shape ``(n, n_visible)``: one number for each configuration, shape ``(n,)``."""


def lattice_observables(lattice: Crystal, distances: Iterable[int] = ()) -> dict[str, Observable]:
    """Return the observables of a lattice, by name, for `orbit`.

    ``energy`` is ``E = −Σ v_i v_j / n`` over the bonds, per site in units of J. ``excess`` is
    ``E + (z/2) m²`` with z neighbours to a site: E + 2m² on a torus, E + m² on a ring. It vanishes for spins
    drawn independently of each other with one mean, up to ``−(z/2)(1 − m²)/n`` since m² of a configuration
    contains each spin with itself; a magnetic order without correlations is told by it from a magnet.
    ``correlation_r`` is ``Σ v_i v_(i+r) / n − m²``, over the distance r along the axes.

    Parameters
    ----------
    lattice : Crystal
        Where the visible units are: without ends, a cell one site, all couplings 1.
    distances : iterable of int, optional
        The distances r, from 1 to half of the shortest side.

    Returns
    -------
    dict of str to callable
        Each takes a batch, shape ``(n, n_sites)``, and returns one number for each configuration.

    Examples
    --------
    >>> from rbmflow import Torus
    >>> up = np.ones((1, 16))
    >>> {name: f(up).tolist() for name, f in lattice_observables(Torus(4, 4), [1]).items()}
    {'energy': [-2.0], 'excess': [0.0], 'correlation_1': [0.0]}
    """
    check_periodic(lattice)

    def fitting(batch: Any) -> Any:
        if batch.shape[-1] != lattice.n_sites:
            raise ValueError(f"a batch of shape {batch.shape} does not lie on {shown(lattice)}")
        return batch

    def energy(batch: Any) -> FloatArray:
        return energies(lattice, fitting(batch))

    def neighbours(batch: Any, r: int) -> FloatArray:
        """Mean of v_i v_(i+r) over the sites and the axes."""
        sites = np.asarray(fitting(batch), dtype=np.float64)
        total = sum((sites * shifted(lattice, sites, step, r)).mean(axis=1) for step in lattice.steps)
        return np.asarray(total / len(lattice.steps))

    def correlation(r: int) -> Observable:
        return lambda batch: neighbours(batch, r) - magnetization(batch) ** 2

    found: dict[str, Observable] = {
        "energy": energy,
        "excess": lambda batch: energy(batch) + lattice.bonds_per_site * magnetization(batch) ** 2,
    }
    refuse_mask("distances", distances)
    for r in distances:
        distance = check_integer("distances", r, 1, min(lattice.shape) // 2)
        found[f"correlation_{distance}"] = correlation(distance)
    return found


def magnetization(batch: Any) -> FloatArray:
    """Return ``m = Σ v_i / n`` of each configuration."""
    # on short rows four times as fast as mean
    sums = np.einsum("...i->...", batch, dtype=np.int64 if batch.dtype.kind in "iu" else np.float64)
    return np.asarray(sums / batch.shape[-1])
