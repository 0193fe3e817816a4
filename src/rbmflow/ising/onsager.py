"""The infinite square lattice: Onsager's free energy, energy and heat capacity, Yang's magnetization.

With s = sinh 2K, κ = 2 tanh² 2K − 1 = (s² − 1)/(1 + s²) and the modulus ``k² = 1 − κ²``
(L. Onsager, Phys. Rev. 65, 117 (1944)), and ``1 + e = (2/π) K(k)``:

    u = −coth 2K [1 + κ + κ e],        C = (K coth 2K)² [e (1 − κ) + (1 + e) Σ_(n≥1) 2ⁿ c_n²],

where c_n are the differences of the arithmetic-geometric mean of 1 and k' = |κ|, and
``K − E = ½ K Σ_(n≥0) 2ⁿ c_n²``. The modulus enters through k' alone, which keeps its digits next to K_c;
all terms of C are positive.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from rbmflow.arguments import FloatArray, check_real
from rbmflow.ising.kaufman import CRITICAL_COUPLING, one_minus_sinh
from rbmflow.precision import exact_map

if TYPE_CHECKING:
    from rbmflow.typing import MPF, ArrayLike, ExactArray, ExactArrayLike, ExactNumber, Number

CRITICAL_TEMPERATURE = 2.269185314213022
"""``T_c = 2/ln(1 + √2)`` in J/k_B."""

_N_NODES = 24
_DEEPEST = 40.0
_SATURATED = 300.0


@overload
def critical_coupling(*, dps: None = None) -> float: ...
@overload
def critical_coupling(*, dps: int) -> MPF: ...
def critical_coupling(*, dps: int | None = None) -> Any:
    """Return ``K_c = ½ ln(1 + √2)``, where sinh 2K = 1.

    Parameters
    ----------
    dps : int, optional
        Correct decimal digits; float64 without it.

    Returns
    -------
    float or mpmath.mpf
        The coupling J/(k_B T_c).

    Examples
    --------
    >>> import mpmath
    >>> mpmath.nstr(critical_coupling(dps=30), 30)
    '0.440686793509771512616304662490'
    """
    if dps is None:
        return CRITICAL_COUPLING
    return exact_map(lambda ctx, one: ctx.log(one + ctx.sqrt(2)) / 2, dps, one=1)


@overload
def log_partition(K: Number, *, dps: None = None) -> float: ...
@overload
def log_partition(K: ArrayLike, *, dps: None = None) -> FloatArray: ...
@overload
def log_partition(K: ExactNumber, *, dps: int) -> MPF: ...
@overload
def log_partition(K: ExactArrayLike, *, dps: int) -> ExactArray: ...
def log_partition(K: object, *, dps: int | None = None) -> Any:
    """Return ln Z per site.

    ``ln(√2 cosh 2K) + (1/π) ∫_0^(π/2) ln(1 + √(k'² + k² sin² θ)) dθ``; even in K.

    Parameters
    ----------
    K : array_like
        Couplings βJ of any sign; with `dps` also decimal strings, fractions or mpf.
    dps : int, optional
        Correct decimal digits; float64 without it.

    Returns
    -------
    float, numpy.ndarray, mpmath.mpf or array of mpf
        In the shape of `K`; infinite at K = ±∞.

    Examples
    --------
    >>> print(round(log_partition(critical_coupling()), 12))
    0.929695398342
    """
    return _over_couplings(_machine_log_partition, _exact_log_partition, K, dps)


@overload
def energy(K: Number, *, dps: None = None) -> float: ...
@overload
def energy(K: ArrayLike, *, dps: None = None) -> FloatArray: ...
@overload
def energy(K: ExactNumber, *, dps: int) -> MPF: ...
@overload
def energy(K: ExactArrayLike, *, dps: int) -> ExactArray: ...
def energy(K: object, *, dps: int | None = None) -> Any:
    """Return the energy per site in J, ``u = −d ln Z/dK``; odd in K, −√2 at K_c.

    Parameters
    ----------
    K : array_like
        Couplings βJ of any sign; with `dps` also decimal strings, fractions or mpf.
    dps : int, optional
        Correct decimal digits; float64 without it.

    Returns
    -------
    float, numpy.ndarray, mpmath.mpf or array of mpf
        In the shape of `K`; ∓2 at K = ±∞.

    Examples
    --------
    >>> energy([0.0, critical_coupling()])
    array([ 0.    , -1.4142])
    """
    return _over_couplings(_machine_energy, _exact_energy, K, dps)


@overload
def heat_capacity(K: Number, *, dps: None = None) -> float: ...
@overload
def heat_capacity(K: ArrayLike, *, dps: None = None) -> FloatArray: ...
@overload
def heat_capacity(K: ExactNumber, *, dps: int) -> MPF: ...
@overload
def heat_capacity(K: ExactArrayLike, *, dps: int) -> ExactArray: ...
def heat_capacity(K: object, *, dps: int | None = None) -> Any:
    """Return the heat capacity per site in k_B, ``K² d² ln Z/dK²``; even in K.

    Parameters
    ----------
    K : array_like
        Couplings βJ of any sign; with `dps` also decimal strings, fractions or mpf.
    dps : int, optional
        Correct decimal digits; float64 without it.

    Returns
    -------
    float, numpy.ndarray, mpmath.mpf or array of mpf
        In the shape of `K`; infinite, without `dps`, at the float64 nearest to ±K_c, and 0 at K = ±∞.

    Examples
    --------
    >>> heat_capacity([0.1, critical_coupling(), 1.0])
    array([0.021 ,    inf, 0.0234])
    """
    return _over_couplings(_machine_heat_capacity, _exact_heat_capacity, K, dps)


@overload
def magnetization(K: Number, *, dps: None = None) -> float: ...
@overload
def magnetization(K: ArrayLike, *, dps: None = None) -> FloatArray: ...
@overload
def magnetization(K: ExactNumber, *, dps: int) -> MPF: ...
@overload
def magnetization(K: ExactArrayLike, *, dps: int) -> ExactArray: ...
def magnetization(K: object, *, dps: int | None = None) -> Any:
    """Return the spontaneous magnetization per site, ``(1 − sinh(2K)^(−4))^(1/8)`` above K_c.

    C. N. Yang, Phys. Rev. 85, 808 (1952). It is 0 for K ≤ K_c, the antiferromagnet included.

    Parameters
    ----------
    K : array_like
        Couplings βJ of any sign; with `dps` also decimal strings, fractions or mpf.
    dps : int, optional
        Correct decimal digits; float64 without it.

    Returns
    -------
    float, numpy.ndarray, mpmath.mpf or array of mpf
        In the shape of `K`, between 0 and 1.

    Examples
    --------
    >>> magnetization([0.4, 0.5, 1.0])
    array([0.    , 0.9113, 0.9993])
    """
    return _over_couplings(_machine_magnetization, _exact_magnetization, K, dps)


def _over_couplings(
    machine: Callable[[float], float], exact: Callable[..., Any], K: object, dps: int | None
) -> Any:
    if dps is not None:
        return exact_map(exact, dps, K=K)
    couplings = check_real("K", K)
    values = [machine(coupling) for coupling in couplings.ravel().tolist()]
    return np.array(values, dtype=np.float64).reshape(couplings.shape)[()]


def _machine_modulus(K: float) -> tuple[float, float, float, float]:
    """κ, 1 − κ, e and ``Σ_(n≥1) 2ⁿ c_n²`` for 0 < K ≤ 300, K ≠ K_c."""
    s, c = float(np.sinh(2 * K)), float(np.cosh(2 * K))
    kappa = -float(one_minus_sinh(K)) * ((1 + s) / c) / c
    b, c_n = abs(kappa), 2 * (s / c) / c
    a, log_growth, rest, weight = 1.0, 0.0, 0.0, 1.0
    smallest = 1e-20 * c_n * c_n
    while c_n > smallest:
        mean = (a + b) / 2
        # the second form keeps the digits of a small difference, the first those of repeated squares
        c_n = (a - b) / 2 if 2 * b < a else c_n * c_n / (4 * mean)
        b, a, weight = float(np.sqrt(a * b)), mean, 2 * weight
        log_growth += float(np.log1p(c_n / a))
        rest += weight * c_n * c_n
    return kappa, 2 / c / c, float(np.expm1(log_growth)), rest


def _machine_log_partition(K: float) -> float:
    K = abs(K)
    if K > _SATURATED:
        return 2 * K
    s, c = float(np.sinh(2 * K)), float(np.cosh(2 * K))
    complement = abs(float(one_minus_sinh(K))) * ((1 + s) / c) / c
    modulus = 2 * (s / c) / c
    node, weight = _nodes()
    sigma = np.arcsinh(complement / modulus) if modulus > 1e-100 else np.inf
    end = float(np.arcsinh(np.pi / 2 / sigma)) if sigma > 0 else _DEEPEST
    if sigma > 1:
        theta, slope = np.pi / 4 * (1 + node), np.full_like(node, np.pi / 4)
        weights = weight
    else:
        # √(k'² + k² sin² θ) has a branch point at θ = iσ; in τ, θ = σ sinh(end − τ), it
        # is π/2 from the real axis
        n_panels = int(end / 3) + 1
        half = end / n_panels / 2
        tau = np.add.outer(2 * half * np.arange(n_panels), half * (1 + node)).ravel()
        weights, excess = np.tile(half * weight, n_panels), 2 / np.expm1(2 * end)
        theta = np.pi / 2 * (np.exp(-tau) - excess * np.sinh(tau))
        slope = np.pi / 2 * (np.exp(-tau) + excess * np.cosh(tau))
    integrand = np.log1p(np.hypot(complement, modulus * np.sin(theta)))
    integral = float((weights * slope * integrand).sum())
    return 2 * K - float(np.log(2)) / 2 + float(np.log1p(np.exp(-4 * K))) + integral / float(np.pi)


@lru_cache(maxsize=1)
def _nodes() -> tuple[FloatArray, FloatArray]:
    node, weight = np.polynomial.legendre.leggauss(_N_NODES)
    return node, weight


def _machine_energy(K: float) -> float:
    if K < 0:
        return -_machine_energy(-K)
    if K in (0, CRITICAL_COUPLING):
        return -float(np.sqrt(2)) if K else 0.0
    if K > _SATURATED:
        return -2.0
    if K < 1e-8:
        return -2 * K
    kappa, below_one, e, _ = _machine_modulus(K)
    one_plus = 2 - below_one if kappa > 0 else 2 * float(np.tanh(2 * K)) ** 2
    return -(one_plus + kappa * e) / float(np.tanh(2 * K))


def _machine_heat_capacity(K: float) -> float:
    K = abs(K)
    if K == CRITICAL_COUPLING:
        return float("inf")
    if K == 0 or K > _SATURATED:
        return 0.0
    _, below_one, e, rest = _machine_modulus(K)
    return float((K / np.tanh(2 * K)) ** 2) * (e * below_one + (1 + e) * rest)


def _machine_magnetization(K: float) -> float:
    if K <= CRITICAL_COUPLING:
        return 0.0
    if K > _SATURATED:
        return 1.0
    s = float(np.sinh(2 * K))
    deficit = -float(one_minus_sinh(K)) / s * ((s + 1) / s) * (1 + (1 / s) ** 2)
    return float(deficit**0.125)


def _exact_modulus(ctx: Any, K: Any) -> tuple[Any, Any, Any, Any]:
    tanh = ctx.tanh(2 * K)
    kappa, below_one = 2 * tanh * tanh - 1, 2 * ctx.sech(2 * K) ** 2
    a, b, c_n = ctx.one, abs(kappa), 2 * tanh * ctx.sech(2 * K)
    log_growth, rest, weight = ctx.zero, ctx.zero, ctx.one
    if not b:
        return kappa, below_one, ctx.inf, ctx.zero
    # the sums are of the order of k² and k⁴ where k is small
    smallest = c_n * c_n * ctx.eps
    while c_n > smallest:
        mean = (a + b) / 2
        c_n, b, a, weight = c_n * c_n / (4 * mean), ctx.sqrt(a * b), mean, 2 * weight
        log_growth += ctx.log1p(c_n / a)
        rest += weight * c_n * c_n
    return kappa, below_one, ctx.expm1(log_growth), rest


def _exact_log_partition(ctx: Any, K: Any) -> Any:
    K = abs(K)
    if ctx.isinf(K):
        return ctx.inf
    tanh, sech = ctx.tanh(2 * K), ctx.sech(2 * K)
    complement, modulus = abs(2 * tanh * tanh - 1), 2 * tanh * sech
    base = ctx.log(2) / 2 + ctx.log(ctx.cosh(2 * K))
    if not modulus:
        return base + ctx.log(2) / 2

    def integrand(theta: Any) -> Any:
        return ctx.log1p(ctx.hypot(complement, modulus * ctx.sin(theta)))

    if not complement:
        return base + ctx.quad(integrand, [0, ctx.pi / 2]) / ctx.pi
    sigma = ctx.asinh(complement / modulus)
    end = ctx.asinh(ctx.pi / 2 / sigma)
    panels = ctx.linspace(0, end, 2 + int(end / 3))
    return base + ctx.quad(lambda t: integrand(sigma * ctx.sinh(t)) * sigma * ctx.cosh(t), panels) / ctx.pi


def _exact_energy(ctx: Any, K: Any) -> Any:
    if ctx.isinf(K):
        return ctx.mpf(-2 if K > 0 else 2)
    if not K:
        return ctx.zero
    kappa, below_one, e, _ = _exact_modulus(ctx, abs(K))
    if ctx.isinf(e):
        return -ctx.sign(K) * ctx.sqrt(2)
    return -ctx.coth(2 * K) * (2 - below_one + kappa * e)


def _exact_heat_capacity(ctx: Any, K: Any) -> Any:
    if ctx.isinf(K) or not K:
        return ctx.zero
    _, below_one, e, rest = _exact_modulus(ctx, abs(K))
    return (K * ctx.coth(2 * K)) ** 2 * (e * below_one + (1 + e) * rest)


def _exact_magnetization(ctx: Any, K: Any) -> Any:
    if ctx.isinf(K):
        return ctx.one if K > 0 else ctx.zero
    s = ctx.sinh(2 * K)
    return ctx.root(1 - s**-4, 8) if s > 1 else ctx.zero
