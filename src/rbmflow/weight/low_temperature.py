"""The low-temperature expansion for training sets that reach T = 0, J = 1.

The thesis asks for it (at eq. 79). ``q_T(V) = Σ_k g(n, k) x^k/[2 Σ_j C(M, 2j) x^j]`` with x = e^(−4/T)
is a power series in x, whose powers average over [0, T₀] to generalised exponential integrals,
``(1/T₀) ∫₀^T₀ e^(−4m/T) dT = E₂(4m/T₀)``.
"""

from __future__ import annotations

from math import comb
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from rbmflow.arguments import FloatArray, check_digits, check_integer, check_real, shown
from rbmflow.ising import Law
from rbmflow.ising.law import magnetizations
from rbmflow.ising.ring_counts import wall_pair_count
from rbmflow.precision import borrowed_context, settle, to_exact
from rbmflow.weight.equation import check_sizes
from rbmflow.weight.from_histogram import exact_weight_of_histogram
from rbmflow.weight.mixture_law import both_signs, scaled_exponential_integral

if TYPE_CHECKING:
    from rbmflow.typing import MPF, ArrayLike, ExactNumber, Number

__all__ = ["low_temperature_law", "low_temperature_leading_weight", "low_temperature_weight"]

MAX_TERMS, MAX_SITES = 10_000, 2000
FLOAT_DIGITS = 17
LARGEST_RATE = 1e300  # of 4/T₀: beyond, the logarithms are below rounding


def low_temperature_law(
    T_high: ExactNumber, n_visible: int, *, n_terms: int | None = None, dps: int | None = None
) -> Law:
    """Return the law of a training set, T uniform on [0, T_high], by the low-temperature expansion.

    The power series in x = e^(−4/T) of the ring's law, each power averaged to E₂(4m/T₀).
    The nearest zero of the denominator is ``x = −tan²(π/2M)``: the series converges for
    ``e^(−4/T₀) < tan²(π/2M)``.

    Parameters
    ----------
    T_high : float
        T₀, positive and inside the radius; with `dps` also a decimal string, fraction or mpf.
    n_visible : int
        Spins M of the ring, 3 to 2000.
    n_terms : int, optional
        Terms kept; as many as the digits need by default.
    dps : int, optional
        Correct decimal digits; float64 without it.

    Returns
    -------
    Law
        Of the cut series.

    Raises
    ------
    ValueError
        If `T_high` is outside the radius of convergence, or so near to it that more than 10 000 terms are
        needed.

    Examples
    --------
    >>> low_temperature_law(0.5, 8).probabilities[:3]
    array([0.4995, 0.0001, 0.0001])
    """
    n_visible, _ = _check_expansion(T_high, n_visible, 1)

    def exact(ctx: Any) -> list[Any]:
        return both_signs(_expanded(ctx, T_high, n_visible, n_terms), n_visible)

    probabilities = settle(exact, FLOAT_DIGITS if dps is None else check_digits(dps))
    return Law(
        magnetizations(n_visible), np.array(probabilities, dtype=np.float64 if dps is None else object)
    )


@overload
def low_temperature_weight(
    T_high: Number, n_visible: int, n_hidden: int, *, n_terms: int | None = None, dps: None = None
) -> float: ...
@overload
def low_temperature_weight(
    T_high: ExactNumber, n_visible: int, n_hidden: int, *, n_terms: int | None = None, dps: int
) -> MPF: ...
def low_temperature_weight(
    T_high: Any, n_visible: int, n_hidden: int, *, n_terms: int | None = None, dps: int | None = None
) -> Any:
    """Return the trained weight for temperatures uniform on [0, T_high] by the low-temperature expansion.

    Leading law: ``W ≈ (1/2N) ln[8/((M² − [M odd]) E₂(4/T₀))]``; see `low_temperature_law` for the series.

    Parameters
    ----------
    T_high : float
        T₀, positive and inside the radius of convergence, ``e^(−4/T₀) < tan²(π/2M)``.
    n_visible : int
        Spins M of the ring, 3 to 2000.
    n_hidden : int
        Hidden units N, at least 1.
    n_terms : int, optional
        Terms kept; as many as the digits need by default.
    dps : int, optional
        Correct decimal digits; float64 without it.

    Returns
    -------
    float or mpmath.mpf
        W; as a float infinite where it is beyond 1.8e308.

    Raises
    ------
    ValueError
        If `T_high` is outside the radius of convergence, or so near to it that more than 10 000 terms are
        needed.

    Examples
    --------
    >>> print(round(low_temperature_weight(0.5, 8, 4), 12))
    1.025723680813
    """
    n_visible, n_hidden = _check_expansion(T_high, n_visible, n_hidden)

    def exact(ctx: Any) -> list[Any]:
        half = _expanded(ctx, T_high, n_visible, n_terms)
        return [exact_weight_of_histogram(ctx, half, n_visible, n_hidden)]

    value = settle(exact, FLOAT_DIGITS if dps is None else check_digits(dps))[0]
    return float(value) if dps is None else value


@overload
def low_temperature_leading_weight(T_high: Number, n_visible: int, n_hidden: int) -> float: ...
@overload
def low_temperature_leading_weight(T_high: ArrayLike, n_visible: int, n_hidden: int) -> FloatArray: ...
def low_temperature_leading_weight(T_high: object, n_visible: int, n_hidden: int) -> Any:
    """Return the leading law of the weight for temperatures uniform on [0, T₀].

    ``W = (1/2N) ln[8/((M² − [M odd]) E₂(4/T₀))]``.

    Parameters
    ----------
    T_high : array_like
        T₀ > 0.
    n_visible, n_hidden : int
        Units in each layer: M from 3, N from 1.

    Returns
    -------
    float or numpy.ndarray
        In the shape of `T_high`; infinite where it is beyond 1.8e308.

    Examples
    --------
    >>> leading, exact = low_temperature_leading_weight(0.25, 8, 4), low_temperature_weight(0.25, 8, 4)
    >>> print(round(leading, 6), round(exact, 6))
    2.10066 2.100653
    """
    n_visible, n_hidden = check_sizes(n_visible, n_hidden)
    high = check_real("T_high", T_high)
    if not ((high > 0) & np.isfinite(high)).all():
        raise ValueError(f"T_high={shown(T_high)}: positive, finite temperatures are needed")
    # E₂(z) = e^(−z) − z E₁(z) = e^(−z)/(z + 2 − …): its logarithm, scaled, does not underflow
    square = n_visible**2 - n_visible % 2
    with np.errstate(over="ignore"):
        z = np.minimum(4 / high, LARGEST_RATE)
        usual = (np.log(8 / square) + z - np.log(scaled_exponential_integral(z))) / (2 * n_hidden)
        return np.where(z < LARGEST_RATE, usual, 2 / (n_hidden * high))[()]


def _check_expansion(T_high: object, n_visible: object, n_hidden: object) -> tuple[int, int]:
    n_visible, n_hidden = check_sizes(n_visible, n_hidden)
    check_integer("n_visible", n_visible, 3, MAX_SITES)
    with borrowed_context(30) as ctx:
        high = to_exact(ctx, "T_high", T_high)
        if not high > 0:
            raise ValueError(f"T_high={shown(T_high)}: a positive temperature is needed")
        largest = -2 / ctx.log(ctx.tan(ctx.pi / (2 * n_visible)))
        if high >= largest:
            raise ValueError(
                f"T_high={shown(T_high)}: the expansion converges for exp(-4/T_high) < tan²(π/2M), that is "
                f"T_high < {ctx.nstr(largest, 8)}"
            )
    return n_visible, n_hidden


def _expanded(ctx: Any, T_high: Any, n_visible: int, n_terms: int | None) -> list[Any]:
    """Return P(|V|), |V| = M, M − 2, …, by the expansion in e^(−4/T).

    Each power is averaged over [0, T_high].
    """
    rate = 4 / to_exact(ctx, "T_high", T_high)
    if n_terms is None:
        gained = rate + 2 * ctx.log(ctx.tan(ctx.pi / (2 * n_visible)))  # per term
        terms = int(ctx.dps * ctx.log(10) / gained) + 5
        if terms > MAX_TERMS:
            raise ValueError(
                f"T_high={shown(T_high)}: {terms} terms would be needed so near to the radius of "
                f"convergence, {MAX_TERMS} are possible"
            )
    else:
        terms = check_integer("n_terms", n_terms, 1, MAX_TERMS)
    averages = [ctx.expint(2, m * rate) for m in range(1, terms + 1)]
    norm = [comb(n_visible, 2 * j) for j in range(n_visible // 2 + 1)]
    inverse = [1]
    for m in range(1, terms):
        inverse.append(-sum(norm[j] * inverse[m - j] for j in range(1, min(m, len(norm) - 1) + 1)))
    means = [ctx.fdot(inverse[: terms - k], averages[k:]) for k in range(min(terms, n_visible // 2))]
    half = []
    for n in range(1, n_visible // 2 + 1):
        counts = [wall_pair_count(n_visible, n, k) for k in range(1, min(n, terms) + 1)]
        share = ctx.fdot(counts, means)
        half.append(share / 2 if 2 * n == n_visible else share)
    return [1 - ctx.fsum(half), *half]
