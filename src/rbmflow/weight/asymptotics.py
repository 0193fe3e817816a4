"""The laws of the trained weight at its three ends: weak coupling, strong coupling, long rings.

- weak coupling: ``W² = 2K/[N(M−1)] (1 + c₁K + …)``, see `rbmflow.weight.weak_coupling`;
- strong coupling: ``e^(−2W) = X + c₂X² + …``, ``X = (A e^(−4K))^(1/N)``,
  see `rbmflow.weight.strong_coupling`;
- long rings at fixed K and N/M: ``M N W² = 1 − e^(−2K) + O(1/M)``, here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import numpy as np

from rbmflow.arguments import FloatArray, check_integer, check_real
from rbmflow.precision import MACHINE, Functions, exact_functions, exact_map
from rbmflow.weight.equation import check_sizes
from rbmflow.weight.strong_coupling import StrongCouplingSeries, strong_coupling_series
from rbmflow.weight.weak_coupling import weak_coupling_coefficients, weak_coupling_weight

if TYPE_CHECKING:
    from rbmflow.typing import MPF, ArrayLike, ExactArray, ExactArrayLike, ExactNumber, Number

__all__ = [
    "StrongCouplingSeries",
    "long_ring_gain",
    "strong_coupling_series",
    "weak_coupling_coefficients",
    "weak_coupling_weight",
]


def __dir__() -> list[str]:
    return __all__


@overload
def long_ring_gain(
    K: Number, n_visible: int, n_hidden: int, *, order: int = 1, dps: None = None
) -> float: ...
@overload
def long_ring_gain(
    K: ArrayLike, n_visible: int, n_hidden: int, *, order: int = 1, dps: None = None
) -> FloatArray: ...
@overload
def long_ring_gain(K: ExactNumber, n_visible: int, n_hidden: int, *, order: int = 1, dps: int) -> MPF: ...
@overload
def long_ring_gain(
    K: ExactArrayLike, n_visible: int, n_hidden: int, *, order: int = 1, dps: int
) -> ExactArray: ...
def long_ring_gain(
    K: object, n_visible: int, n_hidden: int, *, order: int = 1, dps: int | None = None
) -> Any:
    """Return ``M N W²`` of long rings at fixed K and γ = N/M, to the power ``M^(−order)``.

    With ξ = V/√M both laws are nearly Gaussian. The machine's has variance σ² = 1/(1 − G), G = MNW²,
    and the corrections ::

        ⟨ξ²⟩_p = σ² + [σ⁴ − (1 + G²/γ) σ⁶]/M + O(1/M²)

    (from Stirling's formula and the quartic term of ln cosh); the ring's is χ = e^(2K) up to tanh^M K. The
    quartic term of V tanh WV drops out, as ⟨ξ⁴⟩ = 3χ² under both. Hence ::

        G = 1 − e^(−2K) + (e^(2K) − 1) [1 + (1 − e^(−2K))/γ]/M + O(1/M²)

    Parameters
    ----------
    K : array_like
        Couplings βJ; with `dps` also decimal strings, fractions or mpf. 0 is returned for K ≤ 0.
    n_visible, n_hidden : int
        Units in each layer: M from 3, N from 1.
    order : int
        0 for the limit, 1 with its first correction.
    dps : int, optional
        Decimal digits of the evaluation; float64 without it.

    Returns
    -------
    float, numpy.ndarray, mpmath.mpf or array of mpf
        In the shape of `K`. The law needs ``e^(2K) ≪ √M``: beyond, the flow's threshold
        `rbmflow.flow.critical_coupling_law` takes over.

    Examples
    --------
    >>> from rbmflow import trained_weight
    >>> exact = 1000 * 500 * trained_weight(0.5, 1000, 500) ** 2
    >>> [round(float(x), 6) for x in (long_ring_gain(0.5, 1000, 500), exact)]
    [0.636011, 0.635988]
    """
    n_visible, n_hidden = check_sizes(n_visible, n_hidden)
    order = check_integer("order", order, 0, 1)
    if dps is not None:
        return exact_map(
            lambda ctx, K: _gain(exact_functions(ctx), max(K, ctx.zero), n_visible, n_hidden, order), dps, K=K
        )
    couplings = np.maximum(check_real("K", K), 0.0)
    with np.errstate(over="ignore"):
        return np.asarray(_gain(MACHINE, couplings, n_visible, n_hidden, order))[()]


def _gain(fn: Functions, K: Any, n_visible: int, n_hidden: int, order: int) -> Any:
    limit = -fn.expm1(-2 * K)
    if not order:
        return limit
    return limit + fn.expm1(2 * K) * (1 + limit * n_visible / n_hidden) / n_visible
