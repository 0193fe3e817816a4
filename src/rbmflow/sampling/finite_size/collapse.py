"""Curves of several sizes laid over each other."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rbmflow.arguments import FloatArray, check_integer, check_real_scalar, shown
from rbmflow.records import Record
from rbmflow.sampling.blocks import jackknifed
from rbmflow.sampling.finite_size.jackknifed import Jackknifed, of_replicates
from rbmflow.sampling.finite_size.sizes import check_sizes, linear_size
from rbmflow.sampling.quantities import Quantity, QuantityName, check_quantity
from rbmflow.sampling.reweighting import Reweighting

DEGREE, MAX_DEGREE = 5, 30
POINTS_TO_A_DEGREE = 3
"""Of each size, at least: a polynomial through nearly all points has no need of one curve."""


@dataclass(frozen=True, eq=False)
class Collapse(Record):
    """Curves ``L^(−κ) Q`` of several sizes over ``(K − K_c) L^(1/ν)``.

    Attributes
    ----------
    quantity : str
        The name of Q.
    K_c, inverse_nu : Jackknifed
        Where the curves fall together.
    power : Jackknifed
        κ; 0, without an error, where it was not asked for.
    quality : float
        The mean square distance of the points from one curve in units of their errors: about 1 or less where
        scaling holds, more where corrections are seen.
    lengths : tuple of float
        The sizes.
    x, y, stderr : numpy.ndarray of float64, shape (n_sizes, n_points)
        The points.
    """

    quantity: str
    K_c: Jackknifed
    inverse_nu: Jackknifed
    power: Jackknifed
    quality: float
    lengths: tuple[float, ...]
    x: FloatArray = dataclasses.field(repr=False)
    y: FloatArray = dataclasses.field(repr=False)
    stderr: FloatArray = dataclasses.field(repr=False)


def collapse(
    sizes: Sequence[Reweighting],
    quantity: QuantityName | Quantity = "binder_cumulant",
    *,
    K_c: float,
    inverse_nu: float,
    power: float | None = None,
    width: float = 1.0,
    n_points: int = 16,
    degree: int | None = None,
) -> Collapse:
    """Find K_c, 1/ν and κ for which curves of all sizes are one, ``Q = L^κ f[(K − K_c) L^(1/ν)]``.

    f is a polynomial, fitted with the parameters by least squares (K. Slevin and T. Ohtsuki, Phys. Rev. Lett.
    82, 382 (1999), without their irrelevant variables). No corrections to scaling are fitted, so that small
    sizes are better left out.

    Time O(n_blocks × sizes × points × degree²) for each step of the search.

    Parameters
    ----------
    sizes : sequence of Reweighting
        Two or more sizes, of one number of blocks.
    quantity : str or Quantity
        Q.
    K_c, inverse_nu : float
        Where to begin.
    power : float, optional
        κ to begin with; by default it is 0 and not fitted.
    width : float
        Points are taken up to ``|K − K_c| L^(1/ν) = width`` at the start, as far as runs reach.
    n_points : int
        Points of each size.
    degree : int, optional
        Of the polynomial, at most a third of `n_points`, by default up to 5; more is needed for curves that
        bend more within the width.

    Returns
    -------
    Collapse
        Parameters with errors of the jackknife, and the points.

    Raises
    ------
    ValueError
        If runs do not reach the range.

    Examples
    --------
    >>> from rbmflow import Torus, sampling
    >>> long = {"n_chains": 32, "n_sweeps": 400, "rule": "swendsen_wang", "rng": 1}
    >>> runs = [sampling.run(Torus(L, L), 0.44, **long) for L in (8, 16)]
    >>> sizes = [sampling.reweight(one, n_blocks=8) for one in runs]
    >>> found = collapse(sizes, K_c=0.44, inverse_nu=1.0, width=0.5)
    >>> abs(found.K_c.mean - 0.4407) < 0.01
    True
    """
    if not isinstance(sizes, (list, tuple)):
        raise TypeError(f"sizes={shown(sizes)}: a list of results of `reweight` is needed")
    given = check_sizes(*sizes, least=2)
    asked = check_quantity(quantity)
    n_points = check_integer("n_points", n_points, 4, 1000)
    most = min(MAX_DEGREE, n_points // POINTS_TO_A_DEGREE)
    degree = min(DEGREE, most) if degree is None else check_integer("degree", degree, 1, most)
    start = [check_real_scalar("K_c", K_c), _positive("inverse_nu", inverse_nu)]
    if power is not None:
        start.append(check_real_scalar("power", power))
    lengths = np.array([linear_size(one.lattice) for one in given])
    couplings = _couplings(given, lengths, start, _positive("width", width), n_points)
    values = np.stack([one.replicates(asked, K) for one, K in zip(given, couplings, strict=True)], axis=1)
    _, errors = jackknifed(values)
    unit = np.array([width * lengths.max() ** -start[1], 0.1, 0.1][: len(start)])
    found = np.empty((len(values), len(start)))
    for row, points in enumerate(values):
        begin = np.array(start) if row == 0 else found[0]
        found[row] = _search(couplings, points, errors, lengths, begin, unit, degree)
    columns = found if power is not None else np.column_stack([found, np.zeros(len(values))])
    fitted = [of_replicates(column) for column in columns.T]
    x, y, scaled = _scaled(
        couplings, jackknifed(values)[0], errors, lengths, np.array([one.mean for one in fitted])
    )
    return Collapse(
        asked.name,
        K_c=fitted[0],
        inverse_nu=fitted[1],
        power=fitted[2],
        quality=float((_residuals(x, y, scaled, degree) ** 2).mean()),
        lengths=tuple(lengths.tolist()),
        x=x,
        y=y,
        stderr=scaled,
    )


def _positive(name: str, value: object) -> float:
    number = check_real_scalar(name, value)
    if not 0 < number < np.inf:
        raise ValueError(f"{name}={shown(value)}: a positive, finite number is needed")
    return number


def _couplings(
    sizes: list[Reweighting], lengths: FloatArray, start: list[float], width: float, n_points: int
) -> FloatArray:
    """The couplings of each size."""
    found = []
    for one, length in zip(sizes, lengths, strict=True):
        apart = width * length ** -start[1]
        low, high = max(start[0] - apart, one.reach[0]), min(start[0] + apart, one.reach[1])
        if not low < high:
            raise ValueError(
                f"width={width:g}: runs of size {length:g} reach from K = {one.reach[0]:.6g} to "
                f"{one.reach[1]:.6g}, not {start[0]:.6g} ± {apart:.2g}"
            )
        found.append(np.linspace(low, high, n_points))
    return np.array(found)


def _scaled(
    K: FloatArray, values: FloatArray, errors: FloatArray, lengths: FloatArray, parameters: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The points ``(K − K_c) L^(1/ν)``, ``L^(−κ) Q`` and its errors."""
    K_c, inverse_nu, *power = parameters
    L = lengths[:, np.newaxis]
    factor = L ** -(power[0] if power else 0.0)
    return (K - K_c) * L**inverse_nu, values * factor, errors * factor


def _search(
    K: FloatArray,
    values: FloatArray,
    errors: FloatArray,
    lengths: FloatArray,
    start: FloatArray,
    unit: FloatArray,
    degree: int,
) -> FloatArray:
    """The parameters of the least squares, found in units of how far they are thought to be."""
    from scipy.optimize import least_squares

    found = least_squares(
        lambda u: _residuals(*_scaled(K, values, errors, lengths, start + u * unit), degree),
        np.zeros(len(start)),
        method="lm",
        xtol=1e-12,
        ftol=1e-12,
        gtol=1e-12,
    )
    return np.asarray(start + found.x * unit)


def _residuals(x: FloatArray, y: FloatArray, errors: FloatArray, degree: int) -> FloatArray:
    """Distances of the points from the polynomial next to them all, in units of their errors."""
    from numpy.polynomial.legendre import legvander

    terms = legvander((x / np.abs(x).max()).ravel(), degree) / errors.reshape(-1, 1)
    scaled = (y / errors).ravel()
    return np.asarray(scaled - terms @ np.linalg.lstsq(terms, scaled, rcond=None)[0])
