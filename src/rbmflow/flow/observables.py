"""What is measured of each configuration along a flow; spins or means alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray, check_integer, refuse_mask, shown
from rbmflow.ising import Hypercubic
from rbmflow.ising.bonds import aligned_energy, energies, shifted
from rbmflow.ising.crystal import Crystal, check_periodic
from rbmflow.ising.lattice import Lattice
from rbmflow.sampling.topology import check_lattice

Observable = Callable[[Any], Any]
"""Of a batch, shape ``(n, n_visible)``: one number for each configuration, shape ``(n,)``."""


def lattice_observables(lattice: Lattice, distances: Iterable[int] = ()) -> dict[str, Observable]:
    """Return the observables of a lattice, by name, for `orbit`.

    ``energy`` is ``E = −Σ J v_i v_j / n`` over the bonds, per site in units of J; of a graph with fields
    ``−Σ h_i v_i / n`` is added. ``excess`` is ``E + (Σ J / n) m²``, and with fields ``+ (Σ h / n) m``:
    E + (z/2) m² with z neighbours to a site and J = 1, that is E + m² on a ring, E + 3m²/2 on a honeycomb,
    E + 2m² on a torus, E + 3m² on a triangular or a cubic lattice. It vanishes for spins drawn independently
    of each other with one mean, up to ``−(Σ J / n)(1 − m²)/n`` since m² of a configuration contains each spin
    with itself; a magnetic order without correlations is told by it from a magnet. ``correlation_r`` is
    ``Σ v_i v_(i+r) / n − m²``, over the distance r along the axes, on a triangular lattice all three of them,
    and on one with several sites to a cell in cells.

    Parameters
    ----------
    lattice : Lattice
        Where the visible units are; for distances without ends.
    distances : iterable of int, optional
        The distances r, from 1 to half of the shortest side, in cells.

    Returns
    -------
    dict of str to callable
        Each takes a batch, shape ``(n, n_sites)``, and returns one number for each configuration.

    Examples
    --------
    >>> from rbmflow import Hypercubic, Torus
    >>> up = np.ones((1, 16))
    >>> {name: f(up).tolist() for name, f in lattice_observables(Torus(4, 4), [1]).items()}
    {'energy': [-2.0], 'excess': [0.0], 'correlation_1': [0.0]}
    >>> list(lattice_observables(Hypercubic((2, 3), periodic=False)))
    ['energy', 'excess']
    """
    on = check_lattice(lattice)

    def energy(batch: Any) -> FloatArray:
        return energies(on, fitting(on, batch))

    aligned, field = aligned_energy(on)

    def excess(batch: Any) -> FloatArray:
        m = magnetization(batch)
        return energy(batch) - aligned * m**2 - (field * m if field else 0.0)

    found: dict[str, Observable] = {"energy": energy, "excess": excess}
    refuse_mask("distances", distances)
    for r in distances:
        periodic = check_periodic(on)
        distance = check_integer("distances", r, 1, min(periodic.cells) // 2)
        found[f"correlation_{distance}"] = _correlation(periodic, distance)
    return found


def _correlation(lattice: Crystal, r: int) -> Observable:
    """Mean of v_i v_(i+r) over the sites and the axes, less m²."""
    axes = lattice.steps if lattice.basis == 1 else Hypercubic(lattice.cells).steps

    def correlation(batch: Any) -> FloatArray:
        sites = np.asarray(fitting(lattice, batch), dtype=np.float64)
        total = sum((sites * shifted(lattice, sites, step, r)).mean(axis=1) for step in axes)
        return np.asarray(total / len(axes) - magnetization(batch) ** 2)

    return correlation


def fitting(lattice: Lattice, batch: Any) -> Any:
    """Return a batch, or raise unless its configurations are as large as the lattice.

    Examples
    --------
    >>> from rbmflow import Ring
    >>> fitting(Ring(3), np.ones((2, 3))).shape
    (2, 3)
    """
    if batch.shape[-1] != lattice.n_sites:
        raise ValueError(f"a batch of shape {batch.shape} does not lie on {shown(lattice)}")
    return batch


def magnetization(batch: Any) -> FloatArray:
    """Return ``m = Σ v_i / n`` of each configuration."""
    # on short rows four times as fast as mean
    sums = np.einsum("...i->...", batch, dtype=np.int64 if batch.dtype.kind in "iu" else np.float64)
    return np.asarray(sums / batch.shape[-1])
