"""What lattices in the plane share: rows and columns of cells, and their critical couplings."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rbmflow.ising.crystal import check_boundaries, check_couplings, check_sides
from rbmflow.ising.strips.transferred import Transferred
from rbmflow.roots import bracketed_root

MAX_SIDE = 10**6


@dataclass(frozen=True)
class Planar(Transferred):
    """Rows and columns of cells, each direction periodic or open, a coupling for each kind of bond."""

    n_rows: int
    n_cols: int
    periodic: tuple[bool, ...] = True  # type: ignore[assignment]
    couplings: tuple[float, ...] = 1.0  # type: ignore[assignment]

    def __post_init__(self) -> None:
        sides = check_sides({"n_rows": self.n_rows, "n_cols": self.n_cols}, MAX_SIDE)
        for name, value in (
            ("n_rows", sides[0]),
            ("n_cols", sides[1]),
            ("periodic", check_boundaries(self.periodic, 2)),
            ("couplings", check_couplings(self.couplings, len(self.bond_types))),
        ):
            object.__setattr__(self, name, value)

    @property
    def _noun(self) -> str:
        return f"{self.name} lattice"

    @property
    def cells(self) -> tuple[int, ...]:
        """Rows and columns of cells."""
        return self.n_rows, self.n_cols


def critical_coupling(couplings: tuple[float, ...], surplus: Callable[[list[float]], float]) -> float:
    """Return K where `surplus`, of sinh 2K|J| for each kind of bond, vanishes: it rises with K."""
    J = [abs(one) for one in couplings]

    def of(log_K: float) -> float:
        return surplus([math.sinh(min(2 * math.exp(log_K) * one, 300.0)) for one in J])

    scale = math.log(max(J))
    return float(np.exp(bracketed_root(of, -scale - 9.0, -scale + 50.0, absolute=1e-15)))


def frustrated_critical_coupling(couplings: tuple[float, ...]) -> float:
    """Return K where ``1 = S₃/S₁ + S₃/S₂ + 1/(S₁S₂)``, S₃ that of the weakest of three; infinite if two are.

    Examples
    --------
    >>> print(round(frustrated_critical_coupling((1.0, -0.5, 1.0)), 6))
    0.745227
    """
    weakest, *others = sorted(abs(one) for one in couplings)
    if weakest == others[0]:
        return math.inf

    def ratio(J: float, K: float) -> float:
        return math.exp(2 * K * (weakest - J)) * math.expm1(-4 * K * weakest) / math.expm1(-4 * K * J)

    def of(log_K: float) -> float:
        K = math.exp(log_K)
        inverse = math.prod(2 * math.exp(-2 * K * J) / -math.expm1(-4 * K * J) for J in others)
        return 1 - sum(ratio(J, K) for J in others) - inverse

    low, high = math.log(0.1 / others[1]), math.log(10 / others[0] + 1 / (others[0] - weakest))
    return math.exp(bracketed_root(of, low, high, absolute=1e-15))
