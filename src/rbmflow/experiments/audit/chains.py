"""What chains of a machine tell: how far they drift from the data, what they forget, how long they take."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.autocorrelation import chains_disagree
from rbmflow.errors import ConvergenceWarning
from rbmflow.estimate import Estimate
from rbmflow.experiments.audit.moments import (
    compare,
    covariances_of_pairs,
    grouped_moments,
    means_of_units,
)
from rbmflow.experiments.audit.result import Parameters
from rbmflow.experiments.tables import Cell, Table, columns_of
from rbmflow.flow.observables import magnetization
from rbmflow.networks import RBM
from rbmflow.sampling import block_gibbs
from rbmflow.sampling.block_gibbs import GibbsChains
from rbmflow.spins import random_spins

TIMES = 25
"""Sweeps, equally spaced in their logarithms, after which chains are compared with their start."""
MEASUREMENTS = 200
BINS = 40
FROM_DATA, FROM_RANDOM = "data", "random states"


@dataclass(frozen=True, eq=False)
class Watched:
    """What was seen of chains from one kind of start.

    Attributes
    ----------
    times : list of int
        Sweeps.
    magnetization, free_energy, memory : numpy.ndarray, shape (n_times, n_chains)
        At those times.
    series : dict of str to numpy.ndarray, shape (n_chains, n)
        Measured afterwards.
    groups : numpy.ndarray, shape (n_groups, 1 + n_visible, n_visible)
        Of so many groups of chains the mean of v and below it that of v vᵀ, over what was measured.
    """

    times: list[int]
    magnetization: FloatArray
    free_energy: FloatArray
    memory: FloatArray
    series: dict[str, FloatArray]
    groups: FloatArray


def chains(
    parameters: Parameters, model: RBM, rows: SpinArray | None, rng: np.random.Generator, n_threads: int
) -> dict[str, Table]:
    """Return what chains do that begin in rows of the data, if there are any, and in random states."""
    begin, *sources = rng.spawn(3)
    starts = {FROM_RANDOM: random_spins(begin, parameters.n_chains, model.n_visible)}
    if rows is not None:
        chosen = begin.choice(len(rows), parameters.n_chains, replace=len(rows) < parameters.n_chains)
        starts = {FROM_DATA: rows[np.sort(chosen)], **starts}
    spacing = max(1, parameters.n_sweeps // MEASUREMENTS)
    watched = {
        name: _watch(model, start, parameters.n_sweeps, spacing, source, n_threads)
        for (name, start), source in zip(starts.items(), sources, strict=False)
    }
    tables = {"chains": _along(watched), "mixing": _mixing(watched, spacing)}
    tables["free_energies"] = _free_energies(model, watched, rows)
    if rows is not None:
        tables["drift"] = _drift(model, rows, watched[FROM_DATA], spacing)
        tables["moments"] = _moments(rows, watched[FROM_DATA])
    return tables


def _watch(
    model: RBM, start: SpinArray, n_sweeps: int, spacing: int, rng: np.random.Generator, n_threads: int
) -> Watched:
    times = [0, *np.unique(np.geomspace(1, n_sweeps, TIMES).round().astype(int)).tolist()]
    now = block_gibbs(model, initial=start, n_chains=len(start), n_sweeps=0, rng=rng, n_threads=n_threads)
    seen: list[tuple[FloatArray, ...]] = []
    for before, after in zip([0, *times], times, strict=False):
        now = block_gibbs(model, initial=now, n_sweeps=after - before, n_threads=n_threads)
        free_energy = np.asarray(model.free_energy(now.visible))
        seen.append((magnetization(now.visible), free_energy, memory(now.visible, start)))
    series, groups = _measure(model, now, n_sweeps // spacing, spacing, n_threads)
    m, F, kept = (np.array(one) for one in zip(*seen, strict=True))
    return Watched(times, m, F, kept, series, groups)


def memory(now: SpinArray, start: SpinArray) -> FloatArray:
    """Return of each chain the overlap with its own start beyond that with the starts of the others.

    ``r_k = Σ_i v_ki (s_ki − s̄_i)/Σ``, s̄ the mean of the other starts, in units of its mean at the start: 1
    there, 0 on average where a chain has forgotten in which of the starts it began.

    Examples
    --------
    >>> start = np.array([[1, 1], [-1, 1]], dtype=np.int8)
    >>> memory(start, start)
    array([1., 1.])
    """
    n = len(start)
    own, total = start.astype(np.float64), start.sum(axis=0, dtype=np.float64)
    apart = own - (total - own) / (n - 1)
    scale = float((own * apart).sum() / n)
    return np.asarray((now * apart).sum(axis=1) / (scale or math.nan))


def _measure(
    model: RBM, now: GibbsChains, n: int, spacing: int, n_threads: int
) -> tuple[dict[str, FloatArray], FloatArray]:
    """Return series along the chains, and the moments of groups of them."""
    leading = np.linalg.svd(model.weights, full_matrices=False)[0][:, 0]
    found: list[tuple[FloatArray, ...]] = []
    moments: Any = 0.0
    for _ in range(n):
        now = block_gibbs(model, initial=now, n_sweeps=spacing, n_threads=n_threads)
        v = now.visible
        found.append((np.asarray(model.free_energy(v)), magnetization(v), v @ leading))
        moments = moments + grouped_moments(v) / n
    names = ("free energy", "magnetization", "leading mode")
    series = zip(names, zip(*found, strict=True), strict=True)
    return {name: np.array(one).T for name, one in series}, moments


def _along(watched: dict[str, Watched]) -> Table:
    lines: list[tuple[Cell, ...]] = []
    for name, one in watched.items():
        for k, time in enumerate(one.times):
            columns = (one.magnetization[k], one.free_energy[k], one.memory[k])
            lines.append((name, time, *(_cell(x) for column in columns for x in _mean(column))))
    names = ["begun_in", "sweeps"]
    for quantity in ("magnetization", "free_energy", "memory"):
        names += [quantity, f"{quantity}_stderr"]
    return Table(
        "Chains along their first sweeps; memory is 1 at the start and 0 where it is forgotten",
        columns_of(names, lines),
    )


def _mean(values: FloatArray) -> tuple[float, float]:
    """Return the mean over independent chains or rows, and its standard error."""
    if len(values) < 2:
        return float(values.mean()), math.nan
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))


def _cell(value: float) -> float | None:
    return None if math.isnan(value) else value


def _mixing(watched: dict[str, Watched], spacing: int) -> Table:
    """Return autocorrelation times of all chains together, whose starts must not tell."""
    lines: list[tuple[Cell, ...]] = []
    for name in next(iter(watched.values())).series:
        series = np.concatenate([one.series[name] for one in watched.values()])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the table tells
            found = _estimate(series, spacing)
        values = (found.mean, found.stderr, found.tau, found.tau_stderr, found.n_effective, found.r_hat)
        n = series.shape[1] * spacing
        lines.append((name, n, *map(_cell, values), not chains_disagree(series)))
    names = ("quantity", "sweeps", "mean", "stderr", "tau", "tau_stderr", "n_effective", "r_hat", "agree")
    caption = f"Along further sweeps of {len(series)} chains; autocorrelation times tau in sweeps"
    return Table(caption, columns_of(names, lines))


def _estimate(series: FloatArray, spacing: int) -> Estimate:
    return Estimate.from_series(series, spacing=spacing)


def _free_energies(model: RBM, watched: dict[str, Watched], rows: SpinArray | None) -> Table:
    """Return how free energies of rows and of measured states are spread."""
    values = {} if rows is None else {"rows": np.asarray(model.free_energy(rows))}
    values |= {f"begun in {name}": one.series["free energy"].ravel() for name, one in watched.items()}
    low = min(float(one.min()) for one in values.values())
    high = max(float(one.max()) for one in values.values())
    edges = np.linspace(low, high if high > low else low + 1.0, BINS + 1)
    columns: dict[str, list[Cell]] = {"from": edges[:-1].tolist(), "to": edges[1:].tolist()}
    for name, one in values.items():
        columns[name] = (np.histogram(one, edges)[0] / one.size).tolist()
    return Table("Shares of the rows, and of the states of chains, by their free energy", columns)


def _drift(model: RBM, rows: SpinArray, one: Watched, spacing: int) -> Table:
    """Return means over the rows beside those over the chains that began in them."""
    lines: list[tuple[Cell, ...]] = []
    of_rows = {"free energy": np.asarray(model.free_energy(rows)), "magnetization": magnetization(rows)}
    for name, values in of_rows.items():
        mean, error = _mean(values)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            chain = _estimate(one.series[name], spacing)
        stderr = 0.0 if math.isnan(chain.stderr) else chain.stderr
        scale = math.hypot(0.0 if math.isnan(error) else error, stderr)
        deviation = (chain.mean - mean) / scale if scale else math.nan
        lines.append((name, *map(_cell, (mean, error, chain.mean, chain.stderr, deviation))))
    names = ("quantity", "rows", "rows_stderr", "chains", "chains_stderr", "deviation")
    return Table("Chains that began in the data, after their first sweeps", columns_of(names, lines))


def _moments(rows: SpinArray, one: Watched) -> Table:
    """Return how far moments of chains are from those of rows, and the chance of that if they were alike."""
    mixed = np.random.default_rng(0).permutation(len(rows))  # rows may be sorted
    of_rows = grouped_moments(rows[mixed])
    kinds = {"means of units": means_of_units, "covariances of pairs": covariances_of_pairs}
    lines: list[tuple[Cell, ...]] = []
    for name, moment in list(kinds.items())[: min(of_rows.shape[1], 2)]:
        known = moment(of_rows)
        lines.append((name, _rms(known.mean(axis=0)), *compare(known, moment(one.groups))))
    names = ("moments", "of_rows", "difference", "noise", "chance")
    return Table(
        "Moments of rows and of chains that began in them, root mean square", columns_of(names, lines)
    )


def _rms(values: FloatArray) -> float:
    return float(np.sqrt(np.mean(values**2))) if values.size else 0.0
