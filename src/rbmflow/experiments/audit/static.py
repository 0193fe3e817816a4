"""What parameters tell without chains: ln Z and likelihoods, the mean-field flow, effective couplings."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.errors import LikelihoodWarning
from rbmflow.experiments.audit.result import Parameters
from rbmflow.experiments.tables import Cell, Table, columns_of
from rbmflow.flow import fixed_points, mean_field_free_energy, spectrum
from rbmflow.likelihood import LogPartition, log_partition
from rbmflow.networks import RBM, effective_couplings, effective_fields, effective_pairs, effective_triples
from rbmflow.spins import random_spins

MAX_WORK = 1e9
"""n² m, n the smaller layer and m the other, up to which fixed points are searched; a minute or so."""
FEWEST_STARTS = 8
MAX_PAIR_WORK = 1e12
"""Hidden units times squared visible ones times 1 + the largest Σ|W| of a hidden unit; minutes."""
MAX_EXACT = 20
"""Visible units up to which couplings of all orders are summed."""
TRIPLED = 24
"""Visible units, those with the largest pair couplings, whose triples are computed."""
STRONGEST = 500
"""Couplings of an order that are listed."""
RANDOM_STATES = 4096
"""From which the variance of ln p over all states is estimated."""


def likelihood(
    parameters: Parameters, model: RBM, rows: SpinArray | None, rng: np.random.Generator, n_threads: int
) -> dict[str, Table]:
    """Return ln Z and, of rows, their mean log-likelihood beside that of independent units."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LikelihoodWarning)  # the table tells
        ln_z = log_partition(
            model,
            "auto",
            n_temperatures=parameters.n_temperatures,
            n_chains=parameters.n_chains,
            data=rows,
            rng=rng,
            n_threads=n_threads,
        )
    names = ("log_partition", "stderr", "lower", "upper", "n_effective", "floor", "doubt")
    found = (ln_z.value, ln_z.stderr, ln_z.lower, ln_z.upper, ln_z.n_effective, ln_z.floor, ln_z.doubt)
    tables = {"log_partition": Table("ln Z, in natural logarithms", columns_of(names, [found]))}
    if rows is not None:
        tables["likelihood"] = _likelihood(model, rows, ln_z)
    return tables


def _likelihood(model: RBM, rows: SpinArray, ln_z: LogPartition) -> Table:
    machine = -np.asarray(model.free_energy(rows)) - ln_z.value
    alone = independent_log_likelihood(rows)
    doubts = ln_z.stderr, ln_z.value - ln_z.upper, ln_z.value - ln_z.lower
    lines: list[tuple[Cell, ...]] = [
        ("machine", *_mean(machine, *doubts)),
        ("independent units", *_mean(alone)),
        ("fair coins", *_mean(np.full(len(rows), -rows.shape[1] * np.log(2)))),
        ("machine less independent units", *_mean(machine - alone, *doubts)),
    ]
    caption = f"Mean log-likelihood of the {len(rows)} rows, nats; independent units have the rows' own means"
    return Table(caption, columns_of(("law", "mean", "stderr", "lower", "upper"), lines))


def _mean(
    values: FloatArray, stderr: float = 0.0, below: float = 0.0, above: float = 0.0
) -> tuple[float, float, float, float]:
    """Return mean, standard error and bounds; the other arguments are what is known of −ln Z."""
    spread = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")
    mean = float(values.mean())
    return mean, float(np.hypot(spread, stderr)), mean + below, mean + above


def independent_log_likelihood(rows: SpinArray) -> FloatArray:
    """Return ln p of each row in the law of independent units with the means of all rows.

    Examples
    --------
    >>> independent_log_likelihood(np.array([[1, 1], [-1, 1]], dtype=np.int8)).round(4)
    array([-0.6931, -0.6931])
    """
    up = (1 + rows.mean(axis=0)) / 2
    # a unit that is the same in all rows adds nothing, and its other value never comes
    log_up, log_down = (np.log(p, where=p > 0, out=np.zeros(len(p))) for p in (up, 1 - up))
    return np.asarray((rows @ (log_up - log_down) + (log_up + log_down).sum()) / 2)


def mean_field(
    parameters: Parameters, model: RBM, rows: SpinArray | None, rng: np.random.Generator
) -> dict[str, Table]:
    """Return singular values of W, and the fixed points of the mean-field map by their free energies."""
    modes = spectrum(model)
    size = len(modes.singular_values)
    tables = {
        "singular_values": Table(
            "Singular values of W, and over how many units of each layer their vectors are spread",
            {
                "mode": list(range(1, size + 1)),
                "singular_value": modes.singular_values.tolist(),
                "visible_participation": modes.visible_participation.tolist(),
                "hidden_participation": modes.hidden_participation.tolist(),
            },
        )
    }
    work = min(model.weights.shape) ** 2 * max(model.weights.shape)
    if work > MAX_WORK:
        return tables
    n_starts = min(parameters.n_starts, max(FEWEST_STARTS, int(MAX_WORK / work)))
    found = fixed_points(model, starts=_starts(model, rows, n_starts, rng))
    order = np.argsort(energies := np.asarray(mean_field_free_energy(model, found.points)), kind="stable")
    tables["fixed_points"] = Table(
        f"Fixed points of the mean-field map that a search from {n_starts} starts finds "
        f"({found.undecided} undecided), by free energy",
        {
            "free_energy": energies[order].tolist(),
            "magnetization": found.magnetization[order].tolist(),
            "stable": found.stable[order].tolist(),
            "spectral_radius": found.spectral_radius[order].tolist(),
            "starts": found.basin[order].tolist(),
        },
    )
    return tables


def _starts(model: RBM, rows: SpinArray | None, n: int, rng: np.random.Generator) -> FloatArray:
    """Return rows of the data, as far as there are, random spins and random means."""
    n_rows = 0 if rows is None else min(n // 2, len(rows))
    starts = rng.uniform(-1, 1, (n, model.n_visible))
    starts[::2] = np.where(starts[::2] < 0, -1, 1)
    if rows is not None:
        starts[:n_rows] = rows[rng.choice(len(rows), n_rows, replace=False)]
    return starts


def couplings(model: RBM, rng: np.random.Generator) -> dict[str, Table]:
    """Return the effective couplings of one to three visible units, none where they are too much work."""
    n, sizes = model.n_visible, np.abs(model.weights).sum(axis=0)
    if float(n) ** 2 * float((1 + sizes).sum()) > MAX_PAIR_WORK:
        return {}
    try:
        fields, pairs = effective_fields(model), effective_pairs(model)
        chosen = np.sort(np.argsort(-(pairs**2).sum(axis=1), kind="stable")[:TRIPLED])
        triples = effective_triples(model, chosen.tolist())
    except ValueError:  # weights for which the integral has too many nodes
        return {}
    orders = [
        (fields, [(i,) for i in range(n)]),
        (pairs[np.triu_indices(n, 1)], np.transpose(np.triu_indices(n, 1)).tolist()),
        _sorted_triples(triples, chosen.tolist()),
    ]
    lines = [line for values, sites in orders for line in _strongest(np.asarray(values), sites)]
    tables = {
        "couplings": Table(
            "The strongest effective couplings of one to three visible units (numbered from 0), of "
            f"ln p(v) = Σ J v…; triples among the {len(chosen)} units with the largest pair couplings",
            columns_of(("order", "units", "coupling"), lines),
        )
    }
    tables["orders"] = _orders(model, fields, pairs, rng)
    return tables


def _sorted_triples(triples: FloatArray, units: list[int]) -> tuple[FloatArray, list[tuple[int, ...]]]:
    places = [
        (i, j, k)
        for i in range(len(units))
        for j in range(i + 1, len(units))
        for k in range(j + 1, len(units))
    ]
    return np.array([triples[place] for place in places]), [
        tuple(units[one] for one in place) for place in places
    ]


def _strongest(values: FloatArray, sites: Sequence[Sequence[int]]) -> list[tuple[Cell, ...]]:
    order = np.argsort(-np.abs(values), kind="stable")[:STRONGEST]
    return [(len(sites[i]), " ".join(map(str, sites[i])), float(values[i])) for i in order.tolist()]


def _orders(model: RBM, fields: FloatArray, pairs: FloatArray, rng: np.random.Generator) -> Table:
    """Return Σ J² of each order: they add up to the variance of ln p over all states, each alike.

    Of a machine with more units than can be listed, those of three and more are the variance that fields and
    pairs leave, over random states.
    """
    if model.n_visible <= MAX_EXACT:
        squares = effective_couplings(model) ** 2
        order = np.bitwise_count(np.arange(len(squares), dtype=np.uint32))
        sums = np.bincount(order, squares, minlength=model.n_visible + 1)[1:].tolist()
        known, error = {str(k): one for k, one in enumerate(sums, 1)}, 0.0
    else:
        v = random_spins(rng, RANDOM_STATES, model.n_visible)
        left = -np.asarray(model.free_energy(v)) - v @ fields - ((v @ pairs) * v).sum(axis=1) / 2
        rest, fourth = float(left.var(ddof=1)), float(((left - left.mean()) ** 4).mean())
        error = float(np.sqrt(max(fourth - rest**2, 0.0) / len(left)))
        above = float((pairs**2).sum() / 2)
        known = {"1": float((fields**2).sum()), "2": above, "3 and more": rest}
    interactions = sum(known.values()) - known["1"]
    rows: list[tuple[Cell, ...]] = []
    for name, value in known.items():
        stderr = error if name == "3 and more" else 0.0
        share = None if name == "1" or not interactions else value / interactions
        # of x/(x + y) with an error of y, and of y/(x + y) alike
        share_stderr = None if share is None else error * known["2"] / interactions**2
        rows.append((name, value, stderr, share, share_stderr))
    names = ("orders", "sum_of_squares", "stderr", "share", "share_stderr")
    caption = "How much of ln p couplings of each order make: Σ J², and the share in the interactions"
    return Table(caption, columns_of(names, rows))
