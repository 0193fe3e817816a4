"""Ising spins on any graph: couplings as a sparse matrix, a field on each site."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import (
    FloatArray,
    as_array,
    check_integer,
    shown,
)
from rbmflow.hardware import check_fits, check_memory
from rbmflow.ising.crystal import Crystal
from rbmflow.ising.edges import as_networkx, columns_of, matrix_of, pairs_of, parts_of_networkx, strengths
from rbmflow.ising.enumerated import Enumerated
from rbmflow.ising.lattice import MAX_LISTED_SITES, IndexArray, Lattice, names_of, read_only

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rbmflow.typing import ArrayLike, Numbers

BYTES = 32  # a site while a graph is built
SPARSER = "fewer sites, or fewer bonds of the site that has most, need less"


@dataclass(frozen=True, eq=False)
class Graph(Enumerated):
    """Ising spins on a graph: ``−βH = K (Σ_(i<j) J_ij v_i v_j + Σ_i h_i v_i)``.

    The arrays are copied and cannot be written to.

    Attributes
    ----------
    indptr : numpy.ndarray of int32, shape (n_sites + 1,)
        Rows of the symmetric matrix J, compressed.
    indices : numpy.ndarray of int32
        The neighbours of each site.
    couplings : numpy.ndarray of float64
        J_ij, each bond twice; not 0, at most 10¹⁰⁰ in size.
    fields : numpy.ndarray of float64, shape (n_sites,)
        h_i, in the unit of J; at most 10¹⁰⁰ in size.

    See Also
    --------
    Ring : With exact laws.
    rbmflow.sampling.run : Configurations.

    Examples
    --------
    >>> Graph.from_bonds(3, [(0, 1), (1, 2)]).couplings
    array([1., 1., 1., 1.])
    """

    name: ClassVar[str] = "graph"

    indptr: IndexArray
    indices: IndexArray
    couplings: FloatArray
    fields: FloatArray = field(repr=False)

    if TYPE_CHECKING:  # what it is made of; the fields say what it holds

        def __init__(
            self, indptr: ArrayLike, indices: ArrayLike, couplings: ArrayLike, fields: ArrayLike
        ) -> None: ...

    def __repr__(self) -> str:
        return f"Graph(n_sites={self.n_sites}, n_bonds={len(self.indices) // 2})"

    @property
    def n_sites(self) -> int:
        """Number of spins."""
        return len(self.fields)

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of sites."""
        return (self.n_sites,)

    @property
    def coordination(self) -> int:
        """The largest number of bonds of a site."""
        return int(np.diff(self.indptr).max())

    @property
    def bipartite(self) -> bool:
        """Whether there is no odd cycle."""
        up, down = self._double_cover()
        return bool((up != down).all())

    @property
    def equal_bonds(self) -> bool:
        """Whether each bond has the coupling 1 and no site a field."""
        return bool((self.couplings == 1).all() and not self.fields.any())

    def _as_graph(self, field: float) -> Graph:
        if field:
            raise ValueError(f"field={shown(field)}: a Graph has fields of its own")
        return self

    def __post_init__(self) -> None:
        fields = strengths("fields", self.fields, None)
        couplings = strengths("couplings", self.couplings, None)
        indptr, indices = (_indices(name, getattr(self, name)) for name in ("indptr", "indices"))
        n_sites = len(fields)
        if not n_sites:
            raise ValueError("fields is empty: a graph has at least one site")
        if (
            len(indptr) != n_sites + 1
            or indptr[0]
            or indptr[-1] != len(indices)
            or (np.diff(indptr) < 0).any()
        ):
            raise ValueError(f"indptr: {n_sites + 1} numbers from 0 up to {len(indices)} are needed")
        if len(couplings) != len(indices):
            raise ValueError(
                f"couplings has {len(couplings)} entries and indices {len(indices)}: they must be equal"
            )
        if len(indices) and not (indices.min() >= 0 and indices.max() < n_sites):
            raise ValueError(f"indices: sites run from 0 to {n_sites - 1}")
        if (couplings == 0).any():
            raise ValueError("couplings holds 0: leave the bond out")
        rows = np.repeat(np.arange(n_sites), np.diff(indptr))
        if (rows == indices).any():
            raise ValueError("indices joins a site to itself")
        there, back = (np.lexsort((couplings, b, a)) for a, b in ((rows, indices), (indices, rows)))
        if not (
            np.array_equal(rows[there], indices[back])
            and np.array_equal(indices[there], rows[back])
            and np.array_equal(couplings[there], couplings[back])
        ):
            raise ValueError("couplings is not symmetric: each bond stands in the rows of both its sites")
        for name, array in (
            ("indptr", indptr),
            ("indices", indices),
            ("couplings", couplings),
            ("fields", fields),
        ):
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    def _parts(self) -> tuple[npt.NDArray[Any], ...]:
        return self.indptr, self.indices, self.couplings, self.fields

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Graph):
            return NotImplemented
        return all(np.array_equal(a, b) for a, b in zip(self._parts(), other._parts(), strict=True))

    def __hash__(self) -> int:
        return hash(tuple(part.tobytes() for part in self._parts()))

    def _near(self) -> IndexArray:
        check_memory(f"the neighbours of {self.n_sites} sites", 4 * self.n_sites * self.coordination, SPARSER)
        return read_only(self._rows(self.indices, -1))

    def _couplings_of_rows(self) -> FloatArray:
        return self._rows(self.couplings, 0)

    def _rows(self, of_bonds: npt.NDArray[Any], elsewhere: int) -> npt.NDArray[Any]:
        """What belongs to the bonds of each site, in rows of equal length."""
        rows = np.full((self.n_sites, self.coordination), elsewhere, dtype=of_bonds.dtype)
        rows[np.arange(self.coordination) < np.diff(self.indptr)[:, np.newaxis]] = of_bonds
        return rows

    def _sublattices(self) -> tuple[IndexArray, ...]:
        up, down = self._double_cover()
        if (up == down).any():
            raise ValueError(f"lattice={self!r}: an odd cycle passes through site {np.argmax(up == down)}")
        sites = np.arange(self.n_sites, dtype=np.int32)
        return read_only(sites[up < down]), read_only(sites[up > down])

    def _double_cover(self) -> tuple[IndexArray, IndexArray]:
        """The first site, or double, that each site and each double is joined to.

        Bonds join sites to doubles.
        """
        from scipy import sparse
        from scipy.sparse import csgraph

        n, bonds = self.n_sites, (np.ones(len(self.indices), dtype=np.int8), self.indices, self.indptr)
        matrix = sparse.csr_array(bonds, shape=(n, n))
        _, part = csgraph.connected_components(
            sparse.block_array([[None, matrix], [matrix, None]]), directed=False
        )
        _, first = np.unique(part, return_index=True)
        return first[part[:n]], first[part[n:]]

    @classmethod
    def from_bonds(
        cls,
        n_sites: int,
        bonds: Iterable[tuple[int, int]],
        couplings: Numbers | None = None,
        fields: Numbers = 0.0,
    ) -> Graph:
        """Return the graph of a list of bonds, or of a mapping from bonds to their couplings.

        Parameters
        ----------
        n_sites : int
            Number of spins, at least 1.
        bonds : iterable of pairs of int, or mapping of them to numbers
            The two sites of each bond, 0 … n_sites − 1, not equal; a pair that comes twice, in one order, is
            two bonds. A mapping ``{(i, j): J}`` brings the couplings along: if it holds both (i, j) and
            (j, i), these are the two entries of the symmetric matrix, must be equal and are one bond.
        couplings : array_like, optional
            J of each bond, or one for all; 1 by default. Not with a mapping.
        fields : array_like
            h of each site, or one for all.

        Returns
        -------
        Graph
            With each bond in the rows of both its sites.

        Examples
        --------
        >>> Graph.from_bonds(2, [(0, 1)], couplings=-1.0, fields=[0.5, 0.0]).n_sites
        2
        >>> Graph.from_bonds(2, {(0, 1): 0.5, (1, 0): 0.5}).couplings
        array([0.5, 0.5])
        """
        n_sites = check_integer("n_sites", n_sites, 1, MAX_LISTED_SITES)
        check_fits("n_sites", n_sites, BYTES)
        pairs, strength = pairs_of(n_sites, bonds, couplings)
        pairs, strength = pairs[strength != 0], np.tile(strength[strength != 0], 2)
        source = np.concatenate([pairs[:, 0], pairs[:, 1]])
        target = np.concatenate([pairs[:, 1], pairs[:, 0]])
        rows = np.argsort(source, kind="stable")
        indptr = np.concatenate([[0], np.cumsum(np.bincount(source, minlength=n_sites))])
        return cls(
            indptr.astype(np.int32),
            target[rows].astype(np.int32),
            strength[rows],
            strengths("fields", fields, n_sites),
        )

    @classmethod
    def from_edges(
        cls, edges: Iterable[tuple[Any, ...]], n_sites: int | None = None, fields: Numbers = 0.0
    ) -> Graph:
        """Return the graph of a list of edges, each two sites and, where it is not 1, a coupling.

        Parameters
        ----------
        edges : iterable of pairs (i, j) or triples (i, j, J), or array_like of two or three columns
            Sites are integers from 0, in an array of three columns also whole floats; an edge that comes
            twice, in one order, is two bonds.
        n_sites : int, optional
            Number of spins; by default one more than the largest site.
        fields : array_like
            h of each site, or one for all.

        Returns
        -------
        Graph
            With the bonds whose J is not 0.

        Raises
        ------
        ValueError, TypeError
            With the place and the edge that is none.

        See Also
        --------
        from_bonds : Sites and couplings apart.

        Examples
        --------
        >>> Graph.from_edges([(0, 1), (1, 2, -0.5)]).bond_couplings()
        array([ 1. , -0.5])
        """
        pairs, couplings = columns_of(edges)
        if n_sites is None:
            n_sites = max((max(pair) for pair in pairs), default=-1) + 1
            if not n_sites:
                raise ValueError("edges is empty: n_sites is needed")
        return cls.from_bonds(n_sites, pairs, couplings, fields)

    @classmethod
    def from_networkx(cls, graph: Any, coupling: str = "weight", field: str = "field") -> Graph:
        """Return an undirected graph of networkx as one of spins.

        Parameters
        ----------
        graph : networkx.Graph or networkx.MultiGraph
            Its nodes, in the order of ``graph.nodes``, are the sites.
        coupling : str
            Attribute of an edge that is its J; 1 where it is missing.
        field : str
            Attribute of a node that is its h; 0 where it is missing.

        Returns
        -------
        Graph
            With the bonds whose J is not 0.

        Raises
        ------
        TypeError, ValueError
            For a directed graph, edges from a node to itself, attributes that are no numbers, or that are
            named here and nowhere in the graph.

        Examples
        --------
        >>> import networkx as nx
        >>> Graph.from_networkx(nx.petersen_graph())
        Graph(n_sites=10, n_bonds=15)
        """
        return cls.from_bonds(*parts_of_networkx(graph, coupling, field))

    def to_networkx(self, coupling: str = "weight", field: str = "field") -> Any:
        """Return the graph as one of networkx, with nodes 0 … n_sites − 1.

        Parameters
        ----------
        coupling, field : str
            Attributes of edges and nodes that are J and h.

        Returns
        -------
        networkx.MultiGraph
            An edge for each bond: two sites may have several.

        Raises
        ------
        ImportError
            Without the extra ``data`` (networkx).

        Examples
        --------
        >>> Graph.from_edges([(0, 1), (1, 2, -0.5)]).to_networkx().edges[1, 2, 0]
        {'weight': -0.5}
        """
        return as_networkx(self.bonds(), self.bond_couplings(), self.fields, coupling, field)

    @classmethod
    def from_matrix(cls, couplings: Any, fields: Numbers = 0.0) -> Graph:
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

        Examples
        --------
        >>> Graph.from_matrix([[0, 2.0], [2.0, 0]]).couplings
        array([2., 2.])
        """
        matrix = matrix_of(couplings)
        n_sites = int(matrix.shape[0])
        return cls(
            matrix.indptr.astype(np.int32),
            matrix.indices.astype(np.int32),
            matrix.data,
            strengths("fields", fields, n_sites),
        )


def check_without_fields(lattice: object) -> Lattice:
    """Return `lattice`, or raise unless it is one, and no graph with fields."""
    if not isinstance(lattice, Lattice):
        raise TypeError(f"lattice={shown(lattice)}: {names_of(Lattice)} is needed")
    if isinstance(lattice, Graph) and lattice.fields.any():
        raise ValueError(f"lattice={shown(lattice)}: one without fields is needed")
    return lattice


def check_equal_bonds(lattice: object) -> Lattice:
    """Return `lattice`, or raise unless it has equal couplings and no fields, and is no graph."""
    if not isinstance(lattice, Lattice) or isinstance(lattice, Graph):
        raise TypeError(f"lattice={shown(lattice)}: {names_of(Crystal)} is needed, not a Graph")
    if not lattice.equal_bonds:
        raise ValueError(f"lattice={shown(lattice)}: equal couplings J = 1 are needed")
    return lattice


def _indices(name: str, values: object) -> IndexArray:
    array = as_array(name, values)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise TypeError(f"{name} is an array of {array.dtype} {array.shape}: a row of integers is needed")
    if array.size and not (array.min() >= 0 and array.max() <= MAX_LISTED_SITES):
        raise ValueError(f"{name}: numbers from 0 to {MAX_LISTED_SITES} are needed")
    return np.array(array, dtype=np.int32)
