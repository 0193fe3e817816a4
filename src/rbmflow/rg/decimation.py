"""Decimation of the one-dimensional Ising model: an exact renormalization group.

Summing over all but every b-th spin raises the bond's transfer matrix to the power b, so that

    tanh K' = tanh^b K                                        (thesis eq. 48 for b = 2)
    K0' = b K0 + b ln(2 cosh K) − ln(2 cosh K')               (thesis eq. 49 for b = 2)

with K0 the spin-independent term of one bond. With the dual coupling ``K* = artanh e^(−2K)`` the first
line reads ``K*' = b K*``: near the fixed point K = ∞ that form keeps the digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from rbmflow.arguments import MAX_SIZE, FloatArray, check_broadcast, check_finite, check_integer, check_real
from rbmflow.precision import MACHINE, Functions, exact_array, exact_functions, exact_table
from rbmflow.records import Record

if TYPE_CHECKING:
    from rbmflow.typing import ExactNumbers, Numbers

MAX_BONDS = 10**5  # that are multiplied out one by one in a field
MAX_FLOW = 10**5  # steps, each of which is kept


@dataclass(frozen=True)
class Couplings(Record):
    """The couplings of a chain, per bond (K, K0) and per site (h).

    Attributes
    ----------
    K : float, numpy.ndarray or mpmath.mpf
        Coupling of neighbours, βJ.
    K0 : float, numpy.ndarray or mpmath.mpf
        Spin-independent term, per bond.
    h : float, numpy.ndarray or mpmath.mpf
        Field on a site.
    """

    K: Any
    K0: Any = 0.0
    h: Any = 0.0


@dataclass(frozen=True)
class FixedPoint(Record):
    """A fixed point of decimation.

    Attributes
    ----------
    K : float
        The coupling that is mapped onto itself.
    multiplier : float
        Derivative of the map there, in K at K = 0 and in e^(−2K) at K = ∞.
    stable : bool
        Whether the flow ends there.
    """

    K: float
    multiplier: float
    stable: bool


@overload
def decimate(K: Numbers, K0: Numbers = 0.0, *, scale_factor: int = 2, dps: None = None) -> Couplings: ...
@overload
def decimate(K: ExactNumbers, K0: ExactNumbers = 0.0, *, scale_factor: int = 2, dps: int) -> Couplings: ...
def decimate(K: object, K0: object = 0.0, *, scale_factor: int = 2, dps: int | None = None) -> Couplings:
    """Return the couplings left after summing over all but every `scale_factor`-th spin.

    ``tanh K' = tanh^b K`` and ``K0' = b K0 + b ln(2 cosh K) − ln(2 cosh K')`` (thesis eq. 48-49). For K < 0
    and even b the new coupling is positive, for odd b it keeps the sign of K.

    Parameters
    ----------
    K : array_like
        Couplings of either sign, ±∞ included; with `dps` also decimal strings, fractions or mpf.
    K0 : array_like
        Spin-independent term per bond; broadcasts against `K`.
    scale_factor : int
        The factor b, at least 2.
    dps : int, optional
        Correct decimal digits; float64 without it.

    Returns
    -------
    Couplings
        K' and K0' in the broadcast shape.

    See Also
    --------
    decimate_in_field : With a field.
    decimation_flow : Again and again.
    rbmflow.networks.RBM.decimating : A machine whose hidden layer is the decimated ring.

    References
    ----------
    J. ter Hoeve, *Renormalization Group connected to Neural Networks*, thesis, Utrecht (2018), eq. 48-49.

    Examples
    --------
    >>> print(round(float(decimate(1.0).K), 6))
    0.662501
    """
    b = check_integer("scale_factor", scale_factor, 2, MAX_SIZE)
    if dps is None:
        couplings, constants = check_broadcast(K=check_real("K", K), K0=check_finite("K0", K0))
        with np.errstate(all="ignore"):
            new, constant = decimated_bond(MACHINE, couplings, constants, b)
        return Couplings(new[()], constant[()])
    table = exact_table(
        lambda ctx, K, K0: list(decimated_bond(exact_functions(ctx), K, K0, b)),
        dps,
        K=K,
        K0=exact_array("K0", K0, finite=True),
    )
    return _columns(table)


def decimated_bond(fn: Functions, K: Any, K0: Any, b: int) -> tuple[Any, Any]:
    """Eq. 48-49 in one world of numbers."""
    strength = abs(K)
    t, y = fn.tanh(strength), fn.exp(-2 * strength)
    direct = fn.atanh(fn.where(t**b < 0.5, t**b, 0 * t))
    # e^(−2K') = tanh(b artanh y) = y · ratio, so that K' = K − ln(ratio)/2 at any K
    ratio = fn.where(y == 0, b, fn.divide(fn.tanh(b * fn.atanh(y)), y))
    new = fn.where(t**b < 0.5, direct, strength - fn.log(ratio) / 2)
    leading = fn.where(new == float("inf"), new, b * strength - new)
    constant = b * K0 + leading + b * fn.log1p(y) - fn.log1p(fn.exp(-2 * new))
    return fn.where((K < 0) & (b % 2 == 1), -new, new), constant


@overload
def decimate_in_field(
    K: Numbers, h: Numbers, K0: Numbers = 0.0, *, scale_factor: int = 2, dps: None = None
) -> Couplings: ...
@overload
def decimate_in_field(
    K: ExactNumbers, h: ExactNumbers, K0: ExactNumbers = 0.0, *, scale_factor: int = 2, dps: int
) -> Couplings: ...
def decimate_in_field(
    K: object, h: object, K0: object = 0.0, *, scale_factor: int = 2, dps: int | None = None
) -> Couplings:
    """Return the couplings left by a decimation of a chain in a field.

    The sum is over all but every `scale_factor`-th spin.

    With the transfer matrix ``T = e^K0 [[e^(K+h), e^(−K)], [e^(−K), e^(K−h)]]`` and T' its b-th power,
    ``K' = ¼ ln(T'₊₊ T'₋₋ / T'₊₋²)``, ``h' = ½ ln(T'₊₊ / T'₋₋)``, ``K0' = ¼ ln(T'₊₊ T'₋₋ T'₊₋²)``.

    Parameters
    ----------
    K : array_like
        Couplings of either sign, finite; with `dps` also decimal strings, fractions or mpf.
    h : array_like
        Fields per site, finite.
    K0 : array_like
        Spin-independent term per bond, finite.
    scale_factor : int
        The factor b, at least 2.
    dps : int, optional
        Correct decimal digits; float64 without it (there h' is accurate relative to the larger of h and 1).

    Returns
    -------
    Couplings
        K', K0' and h' in the broadcast shape.

    Examples
    --------
    >>> new = decimate_in_field(1.0, 0.1)
    >>> print(round(float(new.K), 4), round(float(new.h), 4))
    0.6602 0.1964
    """
    b = check_integer("scale_factor", scale_factor, 2, MAX_BONDS)
    if dps is None:
        arguments = {"K": check_finite("K", K), "h": check_finite("h", h), "K0": check_finite("K0", K0)}
        with np.errstate(all="ignore"):
            new = _decimate_in_field(MACHINE, *check_broadcast(**arguments), b=b)
        return Couplings(*(value[()] for value in new))
    table = exact_table(
        lambda ctx, K, h, K0: list(_decimate_in_field(exact_functions(ctx), K, h, K0, b=b)),
        dps,
        K=exact_array("K", K, finite=True),
        h=exact_array("h", h, finite=True),
        K0=exact_array("K0", K0, finite=True),
    )
    return _columns(table)


def _decimate_in_field(fn: Functions, K: Any, h: Any, K0: Any, *, b: int) -> tuple[Any, Any, Any]:
    """(K', K0', h'): the logarithms of the entries of T^b, multiplied out bond by bond."""
    bond_up, bond_down, bond_mixed = K + h, K - h, -K
    up, down, mixed = bond_up, bond_down, bond_mixed
    for _ in range(b - 1):
        up, down, mixed = (
            _log_add(fn, up + bond_up, mixed + bond_mixed),
            _log_add(fn, mixed + bond_mixed, down + bond_down),
            _log_add(fn, up + bond_mixed, mixed + bond_down),
        )
    # T'₊₊ T'₋₋ / T'₊₋² − 1 = (det T)^b / T'₊₋²: without cancellation where K' is small
    log_det = 2 * abs(K) + fn.log(fn.where(K == 0, 1, -fn.expm1(-4 * abs(K))))
    excess = fn.where(K == 0, 0, fn.exp(b * log_det - 2 * mixed))
    excess = fn.where((K < 0) & (b % 2 == 1), -excess, excess)
    small = abs(excess) < 0.5
    new_K = fn.where(small, fn.log1p(fn.where(small, excess, 0)), up + down - 2 * mixed) / 4
    return new_K, b * K0 + (up + down + 2 * mixed) / 4, (up - down) / 2


def _log_add(fn: Functions, a: Any, b: Any) -> Any:
    """``ln(e^a + e^b)``."""
    return fn.where(a > b, a, b) + fn.log1p(fn.exp(-abs(a - b)))


def decimation_flow(K: Numbers, n_steps: int, *, scale_factor: int = 2) -> FloatArray:
    """Return the couplings after 0, 1, …, n_steps decimations (thesis fig. 2).

    Parameters
    ----------
    K : array_like
        Couplings to start from.
    n_steps : int
        Number of decimations, at least 0.
    scale_factor : int
        The factor b of each, at least 2.

    Returns
    -------
    numpy.ndarray of float64, shape (n_steps + 1, ...)
        Row 0 is `K`, of its shape; every finite coupling flows to 0, the high-temperature fixed point.

    Examples
    --------
    >>> decimation_flow(1.0, 3)
    array([1.    , 0.6625, 0.3502, 0.1137])
    """
    n_steps = check_integer("n_steps", n_steps, 0, MAX_FLOW)
    flow = [check_real("K", K)]
    for _ in range(n_steps):
        flow.append(np.asarray(decimate(flow[-1], scale_factor=scale_factor).K))
    return np.stack(flow)


def decimation_fixed_points(scale_factor: int = 2) -> tuple[FixedPoint, FixedPoint]:
    """Return the two fixed points of ``tanh K' = tanh^b K`` on K ≥ 0.

    Near K = 0 the map is ``K' ≈ K^b``, multiplier 0: stable. Near K = ∞ it is ``e^(−2K') ≈ b e^(−2K)``,
    multiplier b: unstable, the critical point of the chain at T = 0.

    Parameters
    ----------
    scale_factor : int
        The factor b, at least 2.

    Returns
    -------
    tuple of FixedPoint
        At K = 0 and at K = ∞.

    Examples
    --------
    >>> [(point.K, point.stable) for point in decimation_fixed_points()]
    [(0.0, True), (inf, False)]
    """
    b = check_integer("scale_factor", scale_factor, 2, MAX_SIZE)
    return FixedPoint(0.0, 0.0, True), FixedPoint(float("inf"), float(b), False)


def _columns(table: Any) -> Couplings:
    return Couplings(*(table[..., column][()] for column in range(table.shape[-1])))
