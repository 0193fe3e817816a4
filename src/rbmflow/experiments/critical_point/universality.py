"""The lattices whose critical points are measured, and what is known of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rbmflow.ising import Honeycomb, Hypercubic, Triangular
from rbmflow.ising.crystal import Crystal

MANY_SIZES = 5
"""For a fit with a second correction."""


@dataclass(frozen=True)
class Universality:
    """Exponents of the Ising model in some dimension.

    Attributes
    ----------
    inverse_nu, gamma_over_nu, beta_over_nu : float
        1/ν, γ/ν and β/ν.
    omega : float
        The first correction to scaling, relative, ``L^(−ω)``: in two dimensions that of the analytic part of
        the susceptibility, which is larger than those of irrelevant operators.
    source : str
        Where they come from.
    """

    inverse_nu: float
    gamma_over_nu: float
    beta_over_nu: float
    omega: float
    source: str

    def corrections(self, n_sizes: int) -> list[float]:
        """Return the powers in a fit to sizes: ω, and 2ω where that falls slowly and there are five sizes."""
        slow = self.omega < 1 and n_sizes >= MANY_SIZES
        return [self.omega, 2 * self.omega] if slow else [self.omega]


UNIVERSALITY = {
    2: Universality(
        1.0, 7 / 4, 1 / 8, 7 / 4, "L. Onsager, Phys. Rev. 65, 117 (1944); C. N. Yang, ibid. 85, 808"
    ),
    3: Universality(
        1.587375,
        1.963702,
        0.518149,
        0.82968,
        "F. Kos et al., JHEP 08, 036 (2016); ω: D. Simmons-Duffin, JHEP 03, 086 (2017)",
    ),
}
"""By dimension: Δ_σ = 0.5181489, Δ_ε = 1.412625 and Δ_ε′ = 3.82968 of the conformal bootstrap."""

LATTICES: dict[str, Callable[[int], Crystal]] = {
    "square": lambda side: Hypercubic((side, side)),
    "triangular": lambda side: Triangular(side, side),
    "honeycomb": lambda side: Honeycomb(side, side),
    "cubic": lambda side: Hypercubic((side,) * 3),
}
"""By name, with so many cells along each axis."""
SIDES = {2: (8, 16, 32, 64), 3: (6, 8, 12, 16, 24, 32)}
"""By dimension."""
