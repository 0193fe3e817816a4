"""Ground states of lattices whose bonds can all be satisfied at once, in fields that agree with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.ising.crystal import Crystal
from rbmflow.ising.graph import Graph
from rbmflow.ising.lattice import IndexArray, Lattice


@dataclass(frozen=True)
class GroundStates:
    """States in which each bond and each field has its way.

    Attributes
    ----------
    signs : numpy.ndarray of int8, shape (n_sites,)
        One of them; the first site of each part that no field holds is up.
    part : numpy.ndarray of int32, shape (n_sites,)
        Number of the connected part of each site.
    free : numpy.ndarray of bool, shape (n_parts,)
        Whether a part is in no field, and can be turned over.
    energy : float
        Per site, in units of J.
    """

    signs: SpinArray
    part: IndexArray
    free: np.ndarray[tuple[int], np.dtype[np.bool_]]
    energy: float

    def turned(self, coins: Any) -> Any:
        """Return states whose free parts are turned over by coins ±1, shape (n, n_parts).

        Examples
        --------
        >>> from rbmflow import Ring
        >>> ground_states(Ring(3)).turned(np.array([[1], [-1]])).tolist()
        [[1, 1, 1], [-1, -1, -1]]
        """
        return self.signs * np.where(self.free, coins, coins.dtype.type(1))[:, self.part]


def ground_states(lattice: Lattice, field: float = 0.0) -> GroundStates | None:
    """Return the ground states of a lattice in a uniform field, None where bonds or fields are frustrated.

    Examples
    --------
    >>> from rbmflow import Chain, Hypercubic, Triangular
    >>> ground_states(Hypercubic((2, 2), periodic=False, couplings=-1.0)).signs.tolist()
    [1, -1, -1, 1]
    >>> ground_states(Triangular(3, 3, couplings=-1.0)) is None, ground_states(Chain(3), -0.5).energy
    (True, -1.1666666666666665)
    """
    if isinstance(lattice, Crystal) and all(J == 1 for J in lattice.couplings):  # all sites hang together
        all_up = np.full(lattice.n_sites, -1 if field < 0 else 1, dtype=np.int8)
        together, alone = np.zeros(lattice.n_sites, dtype=np.int32), np.array([not field], dtype=np.bool_)
        return GroundStates(all_up, together, alone, -(lattice.n_bonds / lattice.n_sites + abs(field)))
    from scipy import sparse
    from scipy.sparse import csgraph

    n, (first, second, J) = lattice.n_sites, pair_couplings(lattice)
    crossed = n * (J < 0)
    # each site and a double that is turned over: bonds lead to the neighbour that agrees with them
    there, back = np.concatenate([first, first + n]), np.concatenate([second + crossed, second + n - crossed])
    cover = sparse.coo_array((np.ones(len(there), dtype=np.int8), (there, back)), (2 * n, 2 * n))
    _, label = csgraph.connected_components(cover, directed=False)
    if (label[:n] == label[n:]).any():
        return None
    lower = np.minimum(label[:n], label[n:])
    _, start, part = np.unique(lower, return_index=True, return_inverse=True)
    signs = np.where(label[:n] == label[start][part], 1, -1).astype(np.int8)
    fields = fields_of(lattice, field)
    wanted = fields * signs
    up, down = (np.bincount(part, weights=sign * wanted > 0, minlength=len(start)) > 0 for sign in (1, -1))
    if (up & down).any():
        return None
    signs = np.where(down[part], -signs, signs).astype(np.int8)
    energy = -(np.abs(J).sum() + np.abs(fields).sum()) / n
    return GroundStates(signs, part.astype(np.int32), ~(up | down), float(energy))


def pair_couplings(lattice: Lattice) -> tuple[IndexArray, IndexArray, FloatArray]:
    """Return the pairs of sites with a coupling, and that; bonds of one pair add up.

    Examples
    --------
    >>> from rbmflow import Torus
    >>> [one.tolist() for one in pair_couplings(Torus(2, 2))]
    [[0, 0, 1, 2], [1, 2, 3, 3], [2.0, 2.0, 2.0, 2.0]]
    """
    bonds = lattice.bonds().astype(np.int64)
    pairs, which = np.unique(bonds @ [lattice.n_sites, 1], return_inverse=True)
    J = np.bincount(which, weights=lattice.bond_couplings(), minlength=len(pairs))
    first, second = np.divmod(pairs[J != 0], lattice.n_sites)
    return first, second, J[J != 0]


def fields_of(lattice: Lattice, field: float = 0.0) -> FloatArray:
    """Return the field of each site: those that a graph has, or a uniform one.

    Examples
    --------
    >>> from rbmflow import Ring
    >>> fields_of(Ring(3), 0.5)
    array([0.5, 0.5, 0.5])
    """
    own = lattice.fields if isinstance(lattice, Graph) else np.zeros(lattice.n_sites)
    return own + field
