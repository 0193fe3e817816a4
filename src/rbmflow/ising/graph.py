"""Ising spins on any graph: couplings as a sparse matrix, a field on each site."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray, check_integer, check_real

if TYPE_CHECKING:
    from collections.abc import Iterable

IndexArray = npt.NDArray[np.int32]
MAX_GRAPH_SITES = 2**31 - 1


@dataclass(frozen=True, eq=False)
class Graph:
    """Ising spins on a graph: ``−βH = K (Σ_(i<j) J_ij v_i v_j + Σ_i h_i v_i)``.

    Attributes
    ----------
    indptr : numpy.ndarray of int32, shape (n_sites + 1,)
        Rows of the symmetric matrix J, compressed.
    indices : numpy.ndarray of int32
        The neighbours of each site.
    couplings : numpy.ndarray of float64
        J_ij, each bond twice.
    fields : numpy.ndarray of float64, shape (n_sites,)
        h_i, in the unit of J.

    Examples
    --------
    >>> Graph.from_bonds(3, [(0, 1), (1, 2)]).couplings
    array([1., 1., 1., 1.])
    """

    indptr: IndexArray
    indices: IndexArray
    couplings: FloatArray
    fields: FloatArray = field(repr=False)

    @property
    def n_sites(self) -> int:
        """Number of spins."""
        return len(self.fields)

    def _parts(self) -> tuple[npt.NDArray[Any], ...]:
        return self.indptr, self.indices, self.couplings, self.fields

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Graph):
            return NotImplemented
        return all(np.array_equal(a, b) for a, b in zip(self._parts(), other._parts(), strict=True))

    def __hash__(self) -> int:
        return hash(tuple(part.tobytes() for part in self._parts()))

    @classmethod
    def from_bonds(
        cls, n_sites: int, bonds: Iterable[tuple[int, int]], couplings: object = 1.0, fields: object = 0.0
    ) -> Graph:
        """Return the graph of a list of bonds.

        Parameters
        ----------
        n_sites : int
            Number of spins, at least 1.
        bonds : iterable of pairs of int
            The two sites of each bond, 0 … n_sites − 1, not equal; a pair that comes twice is two bonds.
        couplings : array_like
            J of each bond, or one for all.
        fields : array_like
            h of each site, or one for all.

        Returns
        -------
        Graph
            With each bond in the rows of both its sites.

        Raises
        ------
        TypeError, ValueError
            If a site is not there, a bond joins a site to itself, or a number is not finite.

        Examples
        --------
        >>> Graph.from_bonds(2, [(0, 1)], couplings=-1.0, fields=[0.5, 0.0]).n_sites
        2
        """
        n_sites = check_integer("n_sites", n_sites, 1, MAX_GRAPH_SITES)
        pairs = np.array(list(bonds))
        if pairs.size == 0:
            pairs = np.empty((0, 2), dtype=np.int64)
        if pairs.ndim != 2 or pairs.shape[1] != 2 or pairs.dtype.kind not in "iu":
            raise TypeError(
                f"bonds: pairs of integers are needed, not an array of {pairs.dtype} {pairs.shape}"
            )
        outside = (pairs < 0) | (pairs >= n_sites)
        if outside.any():
            raise ValueError(f"bonds holds site {pairs[outside][0]}: sites run from 0 to {n_sites - 1}")
        if (pairs[:, 0] == pairs[:, 1]).any():
            raise ValueError("bonds joins a site to itself")
        strength = np.tile(_finite("couplings", couplings, len(pairs)), 2)
        source = np.concatenate([pairs[:, 0], pairs[:, 1]])
        target = np.concatenate([pairs[:, 1], pairs[:, 0]])
        rows = np.argsort(source, kind="stable")
        indptr = np.concatenate([[0], np.cumsum(np.bincount(source, minlength=n_sites))])
        return cls(
            indptr.astype(np.int32),
            target[rows].astype(np.int32),
            strength[rows],
            _finite("fields", fields, n_sites),
        )

    @classmethod
    def from_matrix(cls, couplings: Any, fields: object = 0.0) -> Graph:
        """Return the graph of a symmetric matrix of couplings.

        Parameters
        ----------
        couplings : scipy sparse array or array_like, shape (n_sites, n_sites)
            J, symmetric, with a zero diagonal.
        fields : array_like
            h of each site, or one for all.

        Returns
        -------
        Graph
            With the bonds whose J is not zero.

        Raises
        ------
        TypeError, ValueError
            If the matrix is not square and symmetric, has a diagonal, or a number is not finite.

        Examples
        --------
        >>> Graph.from_matrix([[0, 2.0], [2.0, 0]]).couplings
        array([2., 2.])
        """
        from scipy import sparse

        matrix = sparse.csr_array(
            couplings if sparse.issparse(couplings) else check_real("couplings", couplings)
        )
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.shape[0]:
            raise ValueError(f"couplings has shape {matrix.shape}: a square matrix is needed")
        matrix = matrix.astype(np.float64)
        matrix.sum_duplicates()
        matrix.eliminate_zeros()
        if not np.isfinite(matrix.data).all():
            raise ValueError("couplings holds a value that is not finite")
        if (abs(matrix - matrix.T)).nnz:
            raise ValueError("couplings is not symmetric")
        if matrix.diagonal().any():
            raise ValueError("couplings has a diagonal: a spin has no coupling to itself")
        n_sites = int(matrix.shape[0])
        return cls(
            matrix.indptr.astype(np.int32),
            matrix.indices.astype(np.int32),
            matrix.data,
            _finite("fields", fields, n_sites),
        )


def _finite(name: str, values: object, n: int) -> FloatArray:
    array = check_real(name, values)
    if array.ndim > 1 or (array.ndim == 1 and len(array) != n):
        raise ValueError(f"{name} has shape {array.shape}: one number or {n} are needed")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds an infinity: finite numbers are needed")
    return np.ascontiguousarray(np.broadcast_to(array, (n,)))
