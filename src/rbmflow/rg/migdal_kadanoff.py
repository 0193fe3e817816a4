"""The bond-moving renormalization group of Migdal and Kadanoff, in any dimension.

Of every b parallel bonds in each of the d − 1 other directions one is left, b^(d−1) times as strong;
what remains are chains, which are decimated exactly:

    K' = artanh tanh^b (b^(d−1) K)

(A. A. Migdal, Sov. Phys. JETP 42, 743 (1976); L. P. Kadanoff, Ann. Phys. 100, 359 (1976)).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from rbmflow.arguments import MAX_SIZE, FloatArray, check_digits, check_integer, check_real
from rbmflow.errors import PrecisionError
from rbmflow.precision import exact_functions, exact_map, settle
from rbmflow.records import Record
from rbmflow.rg.decimation import MAX_FLOW, decimate, decimated_bond

if TYPE_CHECKING:
    from rbmflow.typing import MPF, ArrayLike, ExactArray, ExactArrayLike, ExactNumber, Number, Numbers

FLOAT_DIGITS = 20
"""Digits asked for when the answer is rounded to float64."""
LARGEST_FACTOR = 10**6
"""Beyond it tanh cK* is so close to 1 that Newton's method is slow."""


@dataclass(frozen=True)
class MigdalKadanoffFixedPoint(Record):
    """The critical fixed point of the bond-moving recursion.

    Attributes
    ----------
    K : float or mpmath.mpf
        The coupling that is mapped onto itself, 0 < K < ∞.
    multiplier : float or mpmath.mpf
        ``dK'/dK`` there, above 1: the fixed point is unstable.
    y_t : float or mpmath.mpf
        Thermal exponent ``ln multiplier / ln b``; the correlation length diverges with ν = 1/y_t.
    """

    K: Any
    multiplier: Any
    y_t: Any


@overload
def migdal_kadanoff(K: Number, *, scale_factor: int = 2, dimension: int = 2, dps: None = None) -> float: ...
@overload
def migdal_kadanoff(
    K: ArrayLike, *, scale_factor: int = 2, dimension: int = 2, dps: None = None
) -> FloatArray: ...
@overload
def migdal_kadanoff(K: ExactNumber, *, scale_factor: int = 2, dimension: int = 2, dps: int) -> MPF: ...
@overload
def migdal_kadanoff(
    K: ExactArrayLike, *, scale_factor: int = 2, dimension: int = 2, dps: int
) -> ExactArray: ...
def migdal_kadanoff(K: object, *, scale_factor: int = 2, dimension: int = 2, dps: int | None = None) -> Any:
    """Return the coupling after bonds are moved and the chains that remain are decimated.

    ``K' = artanh tanh^b (b^(d−1) K)``; in one dimension no bond is moved and this is `decimate`. For K < 0
    and even b the new coupling is positive, for odd b it keeps the sign of K.

    Parameters
    ----------
    K : array_like
        Couplings of either sign, ±∞ included; with `dps` also decimal strings, fractions or mpf.
    scale_factor : int
        The factor b, at least 2.
    dimension : int
        The dimension d, at least 1; b^(d−1) is at most 10¹⁵⁰.
    dps : int, optional
        Correct decimal digits; float64 without it.

    Returns
    -------
    float, numpy.ndarray or mpmath.mpf
        K' in the shape of `K`.

    See Also
    --------
    migdal_kadanoff_fixed_point : Its critical point.
    decimate : One dimension, exact.

    References
    ----------
    * A. A. Migdal, Sov. Phys. JETP 42, 743 (1976).
    * L. P. Kadanoff, Ann. Phys. 100, 359 (1976).

    Examples
    --------
    >>> print(round(float(migdal_kadanoff(0.4)), 6))
    0.473403
    """
    b, moved = _moved_bonds(scale_factor, dimension, 1)
    if dps is None:
        with np.errstate(over="ignore"):
            return decimate(moved * check_real("K", K), scale_factor=b).K
    return exact_map(lambda ctx, K: decimated_bond(exact_functions(ctx), moved * K, 0, b)[0], dps, K=K)


def migdal_kadanoff_flow(
    K: Numbers, n_steps: int, *, scale_factor: int = 2, dimension: int = 2
) -> FloatArray:
    """Return the couplings after 0, 1, …, n_steps steps of `migdal_kadanoff`.

    Parameters
    ----------
    K : array_like
        Couplings to start from.
    n_steps : int
        Number of steps, at least 0.
    scale_factor : int
        The factor b of each, at least 2.
    dimension : int
        The dimension d, at least 1.

    Returns
    -------
    numpy.ndarray of float64, shape (n_steps + 1, ...)
        Row 0 is `K`, of its shape; below the fixed point couplings flow to 0, above it to ∞.

    Examples
    --------
    >>> migdal_kadanoff_flow([0.30, 0.31], 3)
    array([[0.3   , 0.31  ],
           [0.2968, 0.3136],
           [0.2916, 0.3198],
           [0.2829, 0.3303]])
    """
    n_steps = check_integer("n_steps", n_steps, 0, MAX_FLOW)
    flow = [check_real("K", K)]
    for _ in range(n_steps):
        flow.append(np.asarray(migdal_kadanoff(flow[-1], scale_factor=scale_factor, dimension=dimension)))
    return np.stack(flow)


def migdal_kadanoff_fixed_point(
    *, scale_factor: int = 2, dimension: int = 2, dps: int | None = None
) -> MigdalKadanoffFixedPoint:
    """Return the fixed point of `migdal_kadanoff` between 0 and ∞, its multiplier and thermal exponent.

    With c = b^(d−1) and t = tanh cK*, ``artanh t^b = K*`` and ``dK'/dK = b c t^(b−1) (1 − t²)/(1 − t^(2b))``.

    Parameters
    ----------
    scale_factor : int
        The factor b, 2 to 10⁶.
    dimension : int
        The dimension d, at least 2; in one dimension the fixed points are those of `decimation_fixed_points`.
        b^(d−1) is at most 10¹⁵⁰.
    dps : int, optional
        Correct decimal digits; float64 without it.

    Returns
    -------
    MigdalKadanoffFixedPoint
        Its numbers are float, or mpmath.mpf where digits were asked for.

    Raises
    ------
    PrecisionError
        If the root is not reached.

    Examples
    --------
    >>> point = migdal_kadanoff_fixed_point()
    >>> print(round(point.K, 12), round(point.y_t, 12))
    0.304688931718 0.747235718929
    """
    check_integer("scale_factor", scale_factor, 2, LARGEST_FACTOR)
    b, moved = _moved_bonds(scale_factor, dimension, 2)
    digits = FLOAT_DIGITS if dps is None else check_digits(dps)
    values = settle(lambda ctx: _fixed_point(ctx, b, moved), digits)
    return MigdalKadanoffFixedPoint(*(map(float, values) if dps is None else values))


def _fixed_point(ctx: Any, b: int, moved: int) -> list[Any]:
    """(K*, multiplier, y_t) by Newton's method for ln K'/K as a function of ln K.

    That function rises and is concave, and the start, where K' of the lowest order is K, lies below the root:
    the iteration approaches from one side.
    """
    K = ctx.mpf(moved) ** (-ctx.mpf(b) / (b - 1))
    for _ in range(100):
        t = ctx.tanh(moved * K)
        new = ctx.atanh(t**b)
        multiplier = b * moved * t ** (b - 1) * (1 - t * t) / (1 - t ** (2 * b))
        step = ctx.log(new / K) / (1 - multiplier * K / new)
        K *= ctx.exp(step)
        if abs(step) < ctx.mpf(10) ** (10 - ctx.dps):
            return [K, multiplier, ctx.log(multiplier) / ctx.log(b)]
    raise PrecisionError("the fixed point was not reached", best=K, digits=0)


def _moved_bonds(scale_factor: int, dimension: int, lowest: int) -> tuple[int, int]:
    """The factor b, and the number of bonds moved onto one."""
    b = check_integer("scale_factor", scale_factor, 2, MAX_SIZE)
    d = check_integer("dimension", dimension, lowest, MAX_SIZE)
    if (d - 1) * np.log10(float(b)) > 150:
        raise ValueError(f"scale_factor={b}, dimension={d}: b^(d-1) is beyond 1e150")
    return b, b ** (d - 1)
