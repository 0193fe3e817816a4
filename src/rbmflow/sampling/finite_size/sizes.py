"""Sizes, and which of them belong together."""

from __future__ import annotations

import numpy as np

from rbmflow.arguments import shown
from rbmflow.ising.crystal import Crystal
from rbmflow.ising.lattice import Lattice, names_of
from rbmflow.sampling.reweighting import Reweighting


def linear_size(lattice: Lattice) -> float:
    """Return ``L = n^(1/d)``, in units of the spacing of a square or cubic lattice of as many sites.

    Parameters
    ----------
    lattice : Ring, Torus or another that repeats cells
        Its number of sites n, in d dimensions.

    Returns
    -------
    float
        The side of a torus L × L.

    Examples
    --------
    >>> from rbmflow import Torus
    >>> linear_size(Torus(16, 16))
    16.0
    """
    if not isinstance(lattice, Crystal):
        raise TypeError(f"lattice={shown(lattice)}: {names_of(Crystal)} is needed, which has a dimension")
    return float(round(lattice.n_sites ** (1 / lattice.dimension), 12))


def check_sizes(*sizes: object, least: int = 1) -> list[Reweighting]:
    """Return reweightings of one jackknife, in the order of their sizes, or raise."""
    given = []
    for one in sizes:
        if not isinstance(one, Reweighting):
            raise TypeError(f"{shown(one)}: the result of `reweight` is needed for each size")
        given.append(one)
    if len(given) < least:
        raise ValueError(f"sizes: at least {least} are needed, {len(given)} are given")
    blocks = sorted({one.n_blocks for one in given})
    if len(blocks) > 1:
        raise ValueError(f"sizes have n_blocks = {blocks}: one number of blocks is needed")
    lengths = [linear_size(one.lattice) for one in given]
    if len(set(lengths)) < len(lengths):
        raise ValueError(f"sizes = {lengths}: different sizes are needed")
    return [given[place] for place in np.argsort(lengths)]
