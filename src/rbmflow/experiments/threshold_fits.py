"""The limit and the exponent of thresholds over sizes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rbmflow.arguments import FloatArray
from rbmflow.estimate import with_error
from rbmflow.flow.lattice_threshold import exponent_of
from rbmflow.records import Record

SECONDS = {2: (8 / 7, 1.0, 11 / 7, 12 / 7), 3: (1.846, 2.425, 2.713)}
"""Powers of 1/L of the second term of an extrapolation, by dimension; the first of each is the one taken.

With x = d/(2γ) the power of the first term, an analytic correction to χ gives 2x, in the next order 3x, the
Curie-Weiss magnet x + d/2; in three dimensions the correction to scaling of χ, (T − T_c)^0.523, gives 1.523 x
and comes first.
"""


@dataclass(frozen=True)
class Extrapolation(Record):
    """``T_∞ + a L^(−x) + b L^(−y)``.

    Attributes
    ----------
    limit, stderr : float
        T_∞ in units of J/k_B, and its standard error if the second term is the right one.
    a, b : float
        The coefficients.
    lowest, highest : float
        The range of T_∞ over other second terms: what is known of the limit.
    powers : tuple of float
        x, d/(2γ), and y.
    others : tuple of float
        The other second terms.
    """

    limit: float
    stderr: float
    a: float
    b: float
    lowest: float
    highest: float
    powers: tuple[float, float] = (4 / 7, 8 / 7)
    others: tuple[float, ...] = SECONDS[2][1:]

    def __str__(self) -> str:
        return (
            f"T_flow -> {with_error(self.limit, self.stderr)} as L -> infinity "
            f"if the second term is L^(-{self.powers[1]:.3g}), {self.lowest:.3f} to {self.highest:.3f} "
            f"with L^(-{min(self.others):.3g}) to L^(-{max(self.others):.3g})"
        )


@dataclass(frozen=True)
class FittedExponent(Record):
    """x of ``T_flow − T_c = a L^(−x) (1 + b L^(−w))`` with T_c known.

    Attributes
    ----------
    value, stderr : float
        x, and its standard error if w is the right one.
    lowest, highest : float
        The range of x over other second terms.
    expected : float
        d/(2γ).
    """

    value: float
    stderr: float
    lowest: float
    highest: float
    expected: float

    def __str__(self) -> str:
        return (
            f"T_flow - T_c ~ L^-x with x = {with_error(self.value, self.stderr)}, {self.lowest:.3f} to "
            f"{self.highest:.3f} with other second terms; d/(2 gamma) = {self.expected:.3f}"
        )


def extrapolate(sides: FloatArray, T: FloatArray, errors: FloatArray, dimension: int) -> Extrapolation:
    """Fit ``T_∞ + a L^(−x) + b L^(−y)``, x = d/(2γ), by weighted least squares.

    Examples
    --------
    >>> L = np.array([8.0, 16.0, 32.0])
    >>> print(extrapolate(L, 2.0 + L ** (-4 / 7) + L ** (-8 / 7), 1e-3 + 0 * L, 2).limit.__round__(6))
    2.0
    """
    x, (second, *others) = exponent_of(dimension), SECONDS[dimension]
    fits = {
        power: _fit([np.ones_like(sides), sides**-x, sides**-power], T, errors) for power in (second, *others)
    }
    limits = [float(coefficients[0]) for coefficients, _ in fits.values()]
    (limit, a, b), covariance = fits[second]
    stderr = float(np.sqrt(covariance[0, 0]))
    return Extrapolation(
        float(limit), stderr, float(a), float(b), min(limits), max(limits), (x, second), tuple(others)
    )


def fit_exponent(
    sides: FloatArray, T: FloatArray, errors: FloatArray, T_c: float, dimension: int
) -> FittedExponent:
    """Fit x of ``ln(T − T_c) = ln a − x ln L + b L^(−w)``, by weighted least squares.

    Examples
    --------
    >>> L = np.array([8.0, 16.0, 32.0])
    >>> print(fit_exponent(L, 2.0 + 3 * L**-0.6, 1e-3 + 0 * L, 2.0, 2).value.__round__(6))
    0.6
    """
    above, x = T - T_c, exponent_of(dimension)
    if not (above > 0).all():
        raise ValueError(f"T_flow = {T.tolist()}: temperatures above T_c are needed for an exponent")
    fits = [
        _fit([np.ones_like(sides), -np.log(sides), sides ** (x - power)], np.log(above), errors / above)
        for power in SECONDS[dimension]
    ]
    values = [float(coefficients[1]) for coefficients, _ in fits]
    return FittedExponent(values[0], float(np.sqrt(fits[0][1][1, 1])), min(values), max(values), x)


def _fit(terms: list[FloatArray], values: FloatArray, errors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The coefficients of terms by weighted least squares, and their covariance."""
    weighted = np.stack(terms, axis=1) / errors[:, np.newaxis]
    coefficients, *_ = np.linalg.lstsq(weighted, values / errors, rcond=None)
    covariance = np.asarray(np.linalg.inv(weighted.T @ weighted), dtype=np.float64)
    return np.asarray(coefficients, dtype=np.float64), covariance
