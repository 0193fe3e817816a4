"""The trained weight at weak coupling, with exact rational coefficients.

``W² = 2K/[N(M−1)] · (1 + c₁K + c₂K² + …)``.

With w = W² the equation ``f/W = g/W`` reads ``Σ_j a_j w^j [⟨V^(2j+2)⟩_p − ⟨V^(2j+2)⟩_q] = 0``, a_j the Taylor
coefficients of tanh. The moments of the machine's law are power series in w, those of the ring in K:

- ``p ∝ b cosh^N WV`` with b the law of independent spins, ``⟨e^(θV)⟩_b = cosh^M θ``;
- ``⟨e^(θV)⟩_q ∝ λ₊^M + λ₋^M``, ``λ± = e^K cosh θ ± (e^(2K) sinh² θ + e^(−2K))^(1/2)``, where λ₋^M = O(K^M).
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import factorial
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from rbmflow.arguments import FloatArray, check_integer, check_real, shown
from rbmflow.precision import exact_map
from rbmflow.weight.equation import check_sizes
from rbmflow.weight.power_series import (
    Series,
    add,
    compose,
    constant,
    divide,
    evaluate_exactly,
    multiply,
    power,
    scale,
)

if TYPE_CHECKING:
    from rbmflow.typing import MPF, ArrayLike, ExactArray, ExactArrayLike, ExactNumber, Number

MAX_ORDER = 20


def weak_coupling_coefficients(n_visible: int, n_hidden: int, order: int) -> tuple[Fraction, ...]:
    """Return c₁, c₂, … of ``W² = 2K/[N(M−1)] · (1 + c₁K + c₂K² + …)``, exactly.

    ``c₁ = −(3MN − 6M − 9N + 8)/[3N(M−1)]`` for every ring; c₂ and c₃ as functions of M and N stand in
    docs/theory/series.md. The closure of the ring enters c_k from k = M − 1 on, and is counted.

    Parameters
    ----------
    n_visible, n_hidden : int
        Units in each layer: M from 3, N from 1.
    order : int
        How many coefficients, 1 to 20.

    Returns
    -------
    tuple of fractions.Fraction
        c₁ … c_order.

    Examples
    --------
    >>> [str(c) for c in weak_coupling_coefficients(8, 4, 3)]
    ['-5/21', '146/315', '-2873/21609']
    """
    n_visible, n_hidden = check_sizes(n_visible, n_hidden)
    return _coefficients(n_visible, n_hidden, check_integer("order", order, 1, MAX_ORDER))


@overload
def weak_coupling_weight(
    K: Number, n_visible: int, n_hidden: int, *, order: int = 3, dps: None = None
) -> float: ...
@overload
def weak_coupling_weight(
    K: ArrayLike, n_visible: int, n_hidden: int, *, order: int = 3, dps: None = None
) -> FloatArray: ...
@overload
def weak_coupling_weight(
    K: ExactNumber, n_visible: int, n_hidden: int, *, order: int = 3, dps: int
) -> MPF: ...
@overload
def weak_coupling_weight(
    K: ExactArrayLike, n_visible: int, n_hidden: int, *, order: int = 3, dps: int
) -> ExactArray: ...
def weak_coupling_weight(
    K: object, n_visible: int, n_hidden: int, *, order: int = 3, dps: int | None = None
) -> Any:
    """Return W(K) by its expansion at weak coupling, cut after the term of the given order.

    ``W = {2K/[N(M−1)] · (1 + c₁K + … + c_n K^n)}^(1/2)``; the relative error is of order K^(n+1), and the
    series converges for small K only.

    Parameters
    ----------
    K : array_like
        Couplings βJ; with `dps` also decimal strings, fractions or mpf.
    n_visible, n_hidden : int
        Units in each layer: M from 3, N from 1.
    order : int
        Power of K at which the bracket is cut, 0 to 20.
    dps : int, optional
        Decimal digits of the evaluation; float64 without it.

    Returns
    -------
    float, numpy.ndarray, mpmath.mpf or array of mpf
        In the shape of `K`: 0 for K ≤ 0, and 0 where the cut bracket is negative (far outside its range).

    Examples
    --------
    >>> print(round(weak_coupling_weight(0.001, 8, 4), 12))
    0.00845053831
    """
    n_visible, n_hidden = check_sizes(n_visible, n_hidden)
    order = check_integer("order", order, 0, MAX_ORDER)
    bracket = (Fraction(1), *(_coefficients(n_visible, n_hidden, order) if order else ()))
    if dps is None:
        couplings = np.maximum(check_real("K", K), 0.0)
        if np.isinf(couplings).any():
            raise ValueError(f"K={shown(K)}: the expansion needs finite couplings")
        # far outside its range the last term alone counts, and its sign
        factor = np.polynomial.polynomial.polyval(np.minimum(couplings, 1e10), [float(c) for c in bracket])
        with np.errstate(over="ignore"):
            return (
                np.sqrt(couplings)
                * np.sqrt(np.maximum(factor, 0.0))
                * np.sqrt(2 / (n_hidden * (n_visible - 1.0)))
            )[()]

    def exact(ctx: Any, K: Any) -> Any:
        if ctx.isinf(K) and K > 0:
            raise ValueError(f"K={K}: the expansion needs finite couplings")
        K = max(K, ctx.zero)
        factor = evaluate_exactly(ctx, bracket, K)
        return ctx.sqrt(2 * K / (n_hidden * (n_visible - 1)) * max(factor, ctx.zero))

    return exact_map(exact, dps, K=K)


@lru_cache(maxsize=64)
def _coefficients(n_visible: int, n_hidden: int, order: int) -> tuple[Fraction, ...]:
    size = order + 2  # w is needed up to K^(order + 1)
    tanh = divide(_sinh_over_y(size), _cosh(size))
    model = _model_moments(n_visible, n_hidden, size)
    ring = _ring_moments(n_visible, size)
    slope = n_hidden * n_visible * (n_visible - 1)  # d⟨V²⟩_p/dw at w = 0
    w, correct = [Fraction(0), Fraction(2 * n_visible, slope)], 2
    while correct < size:
        correct = min(2 * correct - 1, size)
        w += [Fraction(0)] * (correct - len(w))
        residual, derivative = _residual(tanh, model, [q[:correct] for q in ring], w)
        w = add(w, scale(divide(residual, derivative), -1))
    return tuple(w[k + 2] / w[1] for k in range(order))


def _residual(tanh: Series, model: list[Series], ring: list[Series], w: Series) -> tuple[Series, Series]:
    """``Σ_j a_j w^j [P_j(w) − Q_j(K)]`` and its derivative by w, to the length of w."""
    length = len(w)
    value, derivative, w_power, lower = (
        constant(0, length),
        constant(0, length),
        constant(1, length),
        constant(0, length),
    )
    for j in range(length):
        p, slope = model[j], [i * c for i, c in enumerate(model[j])][1:]
        difference = add(compose(p, w), scale(ring[j], -1))
        value = add(value, scale(multiply(w_power, difference), tanh[j]))
        change = add(multiply(w_power, compose(slope, w)), scale(multiply(lower, difference), j))
        derivative = add(derivative, scale(change, tanh[j]))
        w_power, lower = multiply(w_power, w), w_power
    return value, derivative


def _cosh(size: int) -> Series:
    """Coefficients of cosh y in powers of y²."""
    return [Fraction(1, factorial(2 * i)) for i in range(size)]


def _sinh_over_y(size: int) -> Series:
    """Coefficients of sinh y / y in powers of y²."""
    return [Fraction(1, factorial(2 * i + 1)) for i in range(size)]


def _model_moments(n_visible: int, n_hidden: int, size: int) -> list[Series]:
    """``⟨V^(2j+2)⟩_p``, j = 0, 1, …, as series in w = W²."""
    free = [c * factorial(2 * i) for i, c in enumerate(power(_cosh(2 * size + 1), n_visible))]
    tilt = power(_cosh(size), n_hidden)
    norm = [e * free[i] for i, e in enumerate(tilt)]
    return [divide([e * free[i + j + 1] for i, e in enumerate(tilt)], norm) for j in range(size)]


def _ring_moments(n_visible: int, size: int) -> list[Series]:
    """``⟨V^(2j+2)⟩_q``, j = 0, 1, …, as series in K."""
    up = [Fraction(1, factorial(i)) for i in range(size)]
    down = [(-1) ** i * c for i, c in enumerate(up)]
    # coefficients of powers of θ², each a series in K
    cosh = [scale(up, c) for c in _cosh(size + 1)]
    root = [down]
    e2k = multiply(up, up)
    sinh_squared = [Fraction(0), *(Fraction(2 ** (2 * i - 1), factorial(2 * i)) for i in range(1, size + 1))]
    for i in range(1, size + 1):
        known = scale(e2k, sinh_squared[i])
        for j in range(1, i):
            known = add(known, scale(multiply(root[j], root[i - j]), -1))
        root.append(scale(multiply(known, up), Fraction(1, 2)))
    half = Fraction(1, 2)
    larger = [scale(add(c, r), half) for c, r in zip(cosh, root, strict=True)]
    smaller = [scale(add(c, scale(r, -1)), half) for c, r in zip(cosh, root, strict=True)]
    partition = _power_of_both(larger, n_visible, size)
    if n_visible < size:
        partition = [
            add(a, b) for a, b in zip(partition, _power_of_both(smaller, n_visible, size), strict=True)
        ]
    return [scale(divide(partition[j + 1], partition[0]), factorial(2 * j + 2)) for j in range(size)]


def _power_of_both(series: list[Series], exponent: int, size: int) -> list[Series]:
    """Return a series in θ² with series in K as coefficients to a whole power, by repeated squaring."""

    def product(first: list[Series], second: list[Series]) -> list[Series]:
        result = [constant(0, size) for _ in first]
        for i, a in enumerate(first):
            for j in range(len(first) - i):
                result[i + j] = add(result[i + j], multiply(a, second[j]))
        return result

    result = [constant(int(i == 0), size) for i in range(len(series))]
    while exponent:
        if exponent & 1:
            result = product(result, series)
        series = product(series, series) if exponent > 1 else series
        exponent >>= 1
    return result
