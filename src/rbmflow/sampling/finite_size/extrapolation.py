"""Numbers of several sizes, carried on to the infinite one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rbmflow.arguments import FloatArray, check_finite, check_real_scalar, shown
from rbmflow.records import Record
from rbmflow.sampling.finite_size.jackknifed import Jackknifed, of_replicates, together


@dataclass(frozen=True, eq=False)
class Extrapolation(Record):
    """``y(L) = y_∞ + Σ_j a_j L^(−p_j)``, fitted.

    Attributes
    ----------
    limit : Jackknifed
        y_∞; its error is that of the jackknife through the fit, if the powers are the right ones.
    powers : tuple of float
        p_j.
    coefficients : tuple of Jackknifed
        a_j.
    chi_squared : float
        Of the residuals, by the errors of the numbers as if they were independent.
    n_free : int
        Numbers less parameters.
    """

    limit: Jackknifed
    powers: tuple[float, ...]
    coefficients: tuple[Jackknifed, ...]
    chi_squared: float
    n_free: int

    def at(self, length: float) -> float:
        """Return the fit at a size.

        Parameters
        ----------
        length : float
            L, or infinity.

        Returns
        -------
        float
            ``y(L)``.

        Examples
        --------
        >>> from rbmflow.sampling.finite_size.jackknifed import of_replicates
        >>> scatter = np.array([0.0, 0.1, -0.1, 0.1, -0.1])
        >>> found = extrapolate([4, 8], [of_replicates(2 + 8 / L + scatter) for L in (4, 8)], [1.0])
        >>> round(found.at(16.0), 6)
        2.5
        """
        L = check_real_scalar("length", length)
        if not L > 0:
            raise ValueError(f"length={shown(length)}: a positive number is needed")
        with np.errstate(over="ignore"):
            terms = [
                a.mean * np.float64(L) ** -p for a, p in zip(self.coefficients, self.powers, strict=True)
            ]
        return float(self.limit.mean + sum(terms))


def extrapolate(
    lengths: Sequence[float], numbers: Sequence[Jackknifed], powers: Sequence[float]
) -> Extrapolation:
    """Fit ``y_∞ + Σ_j a_j L^(−p_j)`` to numbers of several sizes, by weighted least squares.

    Parameters
    ----------
    lengths : sequence of float
        Positive; of crossings `Crossing.effective_length`.
    numbers : sequence of Jackknifed
        One for each, of one number of blocks.
    powers : sequence of float
        p_j, positive; none for a weighted mean.

    Returns
    -------
    Extrapolation
        Limit, coefficients and what they leave.

    Examples
    --------
    >>> from rbmflow.sampling.finite_size.jackknifed import of_replicates
    >>> scatter = np.array([0.0, 1e-3, -1e-3, 1e-3, -1e-3])
    >>> numbers = [of_replicates(2 + 3 / L + scatter) for L in (4, 8, 16)]
    >>> print(extrapolate([4, 8, 16], numbers, [1.0]).limit)
    2.0000 ± 0.0017
    """
    p = check_powers(powers)
    given = together(numbers, "numbers", 1 + len(p))
    L = check_finite("lengths", lengths)
    if L.shape != (len(given),) or (L <= 0).any():
        raise ValueError(f"lengths={shown(lengths)}: {len(given)} positive numbers are needed")
    found, chi_squared = fit(given, np.column_stack([np.ones(len(L)), *falling(L, p)]))
    return Extrapolation(found[0], tuple(p.tolist()), tuple(found[1:]), chi_squared, len(given) - len(found))


def check_powers(powers: object) -> FloatArray:
    """Return the powers of corrections, shape (n,), or raise."""
    p = check_finite("powers", powers)
    if p.ndim != 1 or (p <= 0).any():
        raise ValueError(f"powers={shown(powers)}: a list of positive numbers is needed")
    return p


def falling(lengths: FloatArray, powers: FloatArray) -> FloatArray:
    """Return ``L^(−p)`` of each power."""
    return np.asarray(lengths ** -powers[:, np.newaxis])


def fit(numbers: list[Jackknifed], terms: FloatArray) -> tuple[list[Jackknifed], float]:
    """Return the coefficients of terms, shape (n_numbers, n_terms), by least squares, and χ².

    Weights are those of the errors of all measurements, for each replicate.
    """
    errors = np.array([one.stderr for one in numbers])
    if not (np.isfinite(errors) & (errors > 0)).all():
        raise ValueError(f"numbers have errors {errors.tolist()}: positive ones are needed")
    y = np.array([one.replicates for one in numbers])
    weights = errors[:, np.newaxis]
    coefficients = [
        of_replicates(row) for row in np.linalg.lstsq(terms / weights, y / weights, rcond=None)[0]
    ]
    means, fitted = (np.array([one.mean for one in some]) for some in (numbers, coefficients))
    residuals = (means - terms @ fitted) / errors
    return coefficients, float((residuals**2).sum()) if len(numbers) > len(fitted) else 0.0
