"""Estimates of series that are larger than memory: by averages of neighbours, read block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray
from rbmflow.estimate import Estimate
from rbmflow.sampling.quantities import Quantity
from rbmflow.sampling.result import component_of


def estimate_of_averages(
    function: Callable[..., Any],
    blocks: Iterable[tuple[FloatArray, ...]],
    at_once: int,
    *,
    spacing: int,
    name: str,
) -> Estimate:
    """Return the estimate of a function of means, whose error is that of averages of neighbours.

    The averages have the errors of the series, as long as there are many. The variance of single
    measurements, ``g^T C g`` with the covariances C of the series and the slopes g of the function, says how
    many independent ones would have that error, and so the time τ.

    Parameters
    ----------
    function : callable
        Of the means of the series, elementwise.
    blocks : iterable of tuple of numpy.ndarray, shape (n_chains, n)
        The series, a block of draws at a time; n is a multiple of `at_once` in all but the last.
    at_once : int
        Neighbours that are averaged.
    spacing : int
        Sweeps between measurements.
    name : str
        What warnings call the function.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> blocks = [(x**2, x) for x in rng.normal(size=(20, 4, 1000))]
    >>> found = estimate_of_averages(lambda m2, m: m2 - m**2, blocks, 10, spacing=1, name="variance")
    >>> bool(abs(found.deviation(1.0)) < 4), round(found.tau, 1)
    (True, 0.5)
    """
    each = map(np.stack, blocks)
    begin = next(each)
    shift: FloatArray = begin.mean(axis=(1, 2), keepdims=True)  # squares of what is small do not cancel
    n, total, products, averages = 0, np.zeros(len(begin)), np.zeros((len(begin), len(begin))), []
    for block in chain([begin], each):
        values = block - shift
        flat = values.reshape(len(values), -1)
        n, total, products = n + flat.shape[1], total + flat.sum(axis=1), products + flat @ flat.T
        whole = values[..., : values.shape[2] // at_once * at_once]
        averages.append(whole.reshape(*whole.shape[:2], -1, at_once).mean(axis=3))
    means, series = shift[:, 0, 0] + total / n, shift + np.concatenate(averages, axis=2)
    found = Estimate.jackknife(function, *series, spacing=spacing * at_once, name=name)
    ends = float(function(*means)) - float(function(*series.mean(axis=(1, 2))))  # draws in no average
    slopes = _slopes(function, means, np.sqrt(np.diagonal(products) / n**2))
    covariance = products / n - np.outer(total / n, total / n)
    n_effective = float(slopes @ covariance @ slopes) / found.stderr**2
    tau = n / (2 * n_effective) * spacing
    return replace(
        found,
        mean=found.mean + ends,
        tau=tau,
        n_effective=n_effective,
        tau_stderr=found.tau_stderr * tau / found.tau,
    )


def component_quantity(name: str, component: int | None) -> Quantity:
    """Return what one number of an observable is, as a quantity."""
    return Quantity(
        name,
        lambda series: (component_of(name, series[name], component)[1],),
        lambda _lattice, _K, mean: mean,
    )


def _slopes(function: Callable[..., Any], means: FloatArray, steps: FloatArray) -> FloatArray:
    """Return the derivatives of a function by each mean, from differences of the size of its error."""
    found = np.zeros(len(means))
    for k, step in enumerate(steps):
        change = np.zeros(len(means))
        change[k] = step
        if step:
            found[k] = float(function(*(means + change)) - function(*(means - change))) / (2 * step)
    return found
