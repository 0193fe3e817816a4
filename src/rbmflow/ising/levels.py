"""Energies of a small lattice and how many configurations have each, alone and with the magnetization."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray
from rbmflow.ising.level_table import LevelTable, has_table, level_table, listed_energies
from rbmflow.records import Tabular

if TYPE_CHECKING:
    from rbmflow.ising import Graph

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class EnergyLevels(Tabular):
    """Number of configurations of a lattice for each energy, without zeros.

    Attributes
    ----------
    n_sites : int
        Number of spins.
    energy : numpy.ndarray of float64
        ``E = −Σ J_ij v_i v_j − Σ h_i v_i``, ascending: exact where couplings and fields are integers,
        otherwise rounded once.
    count : numpy.ndarray of int64
        Configurations of that energy.

    Examples
    --------
    >>> from rbmflow import Graph
    >>> Graph.from_bonds(3, [(0, 1), (1, 2), (0, 2)], -1.0).density_of_states()
    EnergyLevels(n_sites=3, energy=array([-1.,  3.]), count=array([6, 2]))
    """

    COLUMNS: ClassVar = ("energy", "count")

    n_sites: int
    energy: FloatArray
    count: Integers

    def __len__(self) -> int:
        return len(self.count)

    @property
    def total(self) -> int:
        """Number of configurations, ``2**n_sites``."""
        return int(self.count.sum())


@dataclass(frozen=True, eq=False)
class JointLevels(Tabular):
    """Number of configurations of a lattice for each energy and magnetization, without zeros.

    The three arrays are parallel and sorted by (energy, magnetization).

    Attributes
    ----------
    n_sites : int
        Number of spins.
    energy : numpy.ndarray of float64
        ``E = −Σ J_ij v_i v_j − Σ h_i v_i``: exact where couplings and fields are integers, otherwise rounded
        once.
    magnetization : numpy.ndarray of int64
        ``V = Σ v_i``.
    count : numpy.ndarray of int64
        Configurations of that E and V.

    Examples
    --------
    >>> from rbmflow import Graph
    >>> levels = Graph.from_bonds(2, [(0, 1)], 1.5).enumerate()
    >>> levels.energy, levels.magnetization, levels.count
    (array([-1.5, -1.5,  1.5]), array([-2,  2,  0]), array([1, 1, 2]))
    """

    COLUMNS: ClassVar = ("energy", "magnetization", "count")

    n_sites: int
    energy: FloatArray
    magnetization: Integers
    count: Integers

    def __len__(self) -> int:
        return len(self.count)

    @property
    def total(self) -> int:
        """Number of configurations, ``2**n_sites``."""
        return int(self.count.sum())


def joint_levels(table: LevelTable) -> JointLevels:
    """Return the levels of a table; energies that are equal as float64 are one.

    Examples
    --------
    >>> from rbmflow import Graph
    >>> from rbmflow.ising.level_table import level_table
    >>> joint_levels(level_table(Graph.from_bonds(2, [(0, 1)]))).count
    array([1, 1, 2])
    """
    n, energy = table.form.n_sites, table.energies
    order = np.argsort(energy, kind="stable")  # those of one energy stay sorted by the spins up
    energy, ups = energy[order], table.ups[order]
    first = np.flatnonzero((np.diff(energy, prepend=np.nan) != 0) | (np.diff(ups, prepend=-1) != 0))
    return JointLevels(n, energy[first], 2 * ups[first] - n, np.add.reduceat(table.count[order], first))


def energy_levels(graph: Graph, n_threads: int | None = None) -> EnergyLevels:
    """Return the energies alone of a graph; without few levels it is they that are listed.

    Examples
    --------
    >>> from rbmflow import Graph
    >>> energy_levels(Graph.from_bonds(2, [(0, 1)])).count
    array([2, 2])
    """
    if not has_table(graph):
        return EnergyLevels(graph.n_sites, *listed_energies(graph))
    levels = joint_levels(level_table(graph, n_threads))
    first = np.flatnonzero(np.diff(levels.energy, prepend=-np.inf))
    return EnergyLevels(levels.n_sites, levels.energy[first], np.add.reduceat(levels.count, first))
