"""Negative phases: where the averages over the model come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rbmflow.arguments import check_integer, check_real, shown

MAX_SWEEPS, MAX_CHAINS = 10**6, 10**7
MAX_EXACT_UNITS = 20
"""Units of the smaller layer up to which Python enumerates."""


@dataclass(frozen=True)
class Exact:
    """Averages over the model by enumeration of the smaller layer; one update of all data to an epoch.

    Raises
    ------
    ValueError
        By `fit`, if both layers have more than 20 units.

    Examples
    --------
    >>> Exact()
    Exact()
    """


@dataclass(frozen=True)
class CD:
    """Contrastive divergence (thesis section 2.4): k block Gibbs sweeps from the batch itself.

    Its fixed point is not the maximum of the likelihood; see `cd_fixed_point`.

    Parameters
    ----------
    k : int
        Sweeps, at least 1.

    Examples
    --------
    >>> CD(10).k
    10
    """

    k: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "k", check_integer("k", self.k, 1, MAX_SWEEPS))


@dataclass(frozen=True)
class PCD:
    """Persistent contrastive divergence: chains that go on from update to update, k sweeps each time.

    Parameters
    ----------
    k : int
        Sweeps of every chain for an update, at least 1.
    n_chains : int
        Number of chains.

    Examples
    --------
    >>> PCD(10).n_chains
    100
    """

    k: int = 1
    n_chains: int = 100

    def __post_init__(self) -> None:
        object.__setattr__(self, "k", check_integer("k", self.k, 1, MAX_SWEEPS))
        object.__setattr__(self, "n_chains", check_integer("n_chains", self.n_chains, 1, MAX_CHAINS))


@dataclass(frozen=True)
class Tempered:
    """Persistent chains at a ladder of inverse temperatures that exchange their places.

    The chains on rung r have the law ``exp(−β_r E(v, h))``; after k sweeps neighbours
    swap with probability ``min(1, exp[(β_r − β_(r+1)) (E_r − E_(r+1))])``, even rungs
    first and then odd ones. Averages are those of β = 1.

    Parameters
    ----------
    ladder : int or sequence of float
        Inverse temperatures, 1 first and descending to 0 or above;
        a number of rungs stands for equal steps from 1 to 0.
    k : int
        Sweeps of every chain for an update.
    n_chains : int
        Chains on each rung.

    Examples
    --------
    >>> Tempered(3).ladder
    (1.0, 0.5, 0.0)
    """

    ladder: Any
    k: int = 1
    n_chains: int = 100

    def __post_init__(self) -> None:
        object.__setattr__(self, "ladder", _ladder(self.ladder))
        object.__setattr__(self, "k", check_integer("k", self.k, 1, MAX_SWEEPS))
        object.__setattr__(self, "n_chains", check_integer("n_chains", self.n_chains, 1, MAX_CHAINS))


Negative = Exact | CD | PCD | Tempered


def _ladder(ladder: object) -> tuple[float, ...]:
    if not isinstance(ladder, (Sequence, np.ndarray)):
        return tuple(np.linspace(1, 0, check_integer("ladder", ladder, 2, 1000)).tolist())
    rungs = check_real("ladder", ladder)
    if rungs.ndim != 1 or len(rungs) < 2 or rungs[0] != 1 or rungs[-1] < 0 or not (np.diff(rungs) < 0).all():
        raise ValueError(
            f"ladder={shown(ladder)}: at least two inverse temperatures are needed, "
            "descending from 1 to 0 or above"
        )
    return tuple(rungs.tolist())


def check_negative(negative: object) -> Negative:
    """Return a negative phase, or raise."""
    if not isinstance(negative, Negative):
        raise TypeError(
            f"negative={shown(negative)}: Exact(), CD(k), PCD(k, n_chains) or Tempered(ladder, k) is needed"
        )
    return negative
