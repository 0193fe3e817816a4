"""What noise is to a lattice: a field along what was seen, and the coupling from which on it can be mended.

A spin v is seen as y, turned over with probability ε: ``P(y|v) ∝ e^(b y v)`` with ``tanh b = 1 − 2ε``. By
Bayes' theorem ``P(v|y) ∝ exp(K Σ v_i v_j + b Σ y_i v_i)``: the lattice in fields of strength b along y.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from rbmflow.arguments import FloatArray, check_real, shown
from rbmflow.precision import MACHINE, Functions, exact_functions, exact_map

if TYPE_CHECKING:
    from rbmflow.typing import MPF, ArrayLike, ExactArray, ExactArrayLike, ExactNumber, Number


@overload
def noise_field(error_rate: Number, *, dps: None = None) -> float: ...
@overload
def noise_field(error_rate: ArrayLike, *, dps: None = None) -> FloatArray: ...
@overload
def noise_field(error_rate: ExactNumber, *, dps: int) -> MPF: ...
@overload
def noise_field(error_rate: ExactArrayLike, *, dps: int) -> ExactArray: ...
def noise_field(error_rate: object, *, dps: int | None = None) -> Any:
    """Return ``b = ½ ln((1 − ε)/ε)``, the field by which a noisy spin speaks for the clean one.

    Parameters
    ----------
    error_rate : array_like
        ε, the share of spins that are turned over, above 0, at most ½; with `dps` also decimal strings,
        fractions or mpf.
    dps : int, optional
        Correct decimal digits; float64 without it.

    Returns
    -------
    float, numpy.ndarray, mpmath.mpf or array of mpf
        In the shape of `error_rate`; 0 at ε = ½.

    See Also
    --------
    RingInFields : The law of a ring in such fields.

    Examples
    --------
    >>> noise_field([0.05, 0.5])
    array([1.4722, 0.    ])
    """
    return _over(_field, error_rate, dps)


@overload
def denoising_coupling(error_rate: Number, *, dps: None = None) -> float: ...
@overload
def denoising_coupling(error_rate: ArrayLike, *, dps: None = None) -> FloatArray: ...
@overload
def denoising_coupling(error_rate: ExactNumber, *, dps: int) -> MPF: ...
@overload
def denoising_coupling(error_rate: ExactArrayLike, *, dps: int) -> ExactArray: ...
def denoising_coupling(error_rate: object, *, dps: int | None = None) -> Any:
    """Return ``K* = −¼ ln[ε(1 − ε)]``, below which nothing mends a noisy ring.

    The fewest spins are wrong if each is guessed by the sign of its posterior mean. That mean rises with
    every field (Griffiths), so that a spin is most easily overruled where it stands alone against all
    others. These speak to it by ``tanh u = tanh K tanh(b + u)`` from each side, and prevail if 2u > b, hence
    ``tanh K* = tanh(b/2)/tanh(3b/2)``, which is ``e^(2K*) = 2 cosh b = 1/√(ε(1 − ε))``. For K ≤ K* the best
    guess of a ring of any length is the noisy ring itself.

    Parameters
    ----------
    error_rate : array_like
        ε, the share of spins that are turned over, above 0, at most ½; with `dps` also decimal strings,
        fractions or mpf.
    dps : int, optional
        Correct decimal digits; float64 without it.

    Returns
    -------
    float, numpy.ndarray, mpmath.mpf or array of mpf
        In the shape of `error_rate`; ½ ln 2 at ε = ½, where it is lowest.

    See Also
    --------
    rbmflow.sampling.denoise : The best guess, on any lattice.

    Examples
    --------
    >>> denoising_coupling([0.05, 0.15, 0.3])
    array([0.7618, 0.5149, 0.3902])
    >>> denoising_coupling("0.5", dps=20)
    mpf('0.34657359027997265470864')
    """
    return _over(_coupling, error_rate, dps)


def check_error_rate(error_rate: object) -> FloatArray:
    """Return ε as an array, or raise unless each is above 0 and at most ½."""
    rates = check_real("error_rate", error_rate)
    wrong = ~((rates > 0) & (rates <= 0.5))
    if wrong.any():
        raise ValueError(f"error_rate={shown(error_rate)}: numbers above 0 and at most 0.5 are needed")
    return rates


def _over(formula: Callable[[Functions, Any], Any], error_rate: object, dps: int | None) -> Any:
    if dps is None:
        return np.asarray(formula(MACHINE, check_error_rate(error_rate)))[()]

    def exact(ctx: Any, rate: Any) -> Any:
        if not 0 < rate <= 0.5:
            raise ValueError(f"error_rate={shown(error_rate)}: numbers above 0 and at most 0.5 are needed")
        return formula(exact_functions(ctx), rate)

    return exact_map(exact, dps, error_rate=error_rate)


def _field(fn: Functions, rate: Any) -> Any:
    # near ½ the difference of logarithms would cancel, near 0 the tanh is 1
    few = rate < 0.25
    return fn.where(few, (fn.log1p(-rate) - fn.log(rate)) / 2, fn.atanh(1 - 2 * fn.where(few, 0.25, rate)))


def _coupling(fn: Functions, rate: Any) -> Any:
    return -(fn.log(rate) + fn.log1p(-rate)) / 4


def through_noise(measure: FloatArray, error_rate: float) -> FloatArray:
    """Return ``Σ_v P(y|v) μ(v)`` for all y, of a measure μ over all states.

    In the order of `spins.all_states`, site by site, in n 2^n steps.

    Examples
    --------
    >>> through_noise(np.array([1.0, 0.0, 0.0, 0.0]), 0.1)  # from (−1, −1) to (−1, −1), (1, −1), …
    array([0.81, 0.09, 0.09, 0.01])
    """
    seen = np.array(measure)
    for site in range(len(measure).bit_length() - 1):
        halves = seen.reshape(-1, 2, 2**site)
        halves[:] = (1 - error_rate) * halves + error_rate * halves[:, ::-1]
    return seen
