"""The search of all cells: each by itself, then along K."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor

import numpy as np

from rbmflow.arguments import FloatArray, check_rng
from rbmflow.checkpoints import Checkpoints
from rbmflow.experiments.optimum.descent import NO_STARS, ZERO, Minimum, descend_to_limit, n_repeats
from rbmflow.experiments.optimum.diagram import COLUMNS, COUNTS, NUMBERS, Optimum, Parameters, caption
from rbmflow.experiments.optimum.search import SAME, curvature, invariance, search, search_repeated, swept
from rbmflow.experiments.optimum.target import Target
from rbmflow.experiments.tables import Table, columns_of
from rbmflow.experiments.tasks import one_thread, rows_of_tasks
from rbmflow.weight import kl_uniform, trained_weight

SEARCHED = ("kl_symmetric", "starts", "hits", "value")
"""Of a cell, before its neighbours are looked at, as `_cell` returns them; weights follow."""


def run(
    parameters: Parameters | None = None,
    *,
    rng: object,
    executor: Executor | None = None,
    progress: Callable[[int, int], object] | None = None,
    checkpoints: Checkpoints | None = None,
) -> Optimum:
    """Search the least divergence KL(q‖p) of all bias-free machines from a ring or torus, cell by cell.

    Time for each start and step of a descent O(2^M M N).

    Parameters
    ----------
    parameters : Parameters, optional
        What to search; by default rings up to M = 12, N = 1 … M, a quarter of an hour of one core.
    rng : numpy.random.Generator or int
        Generator or seed; each cell has a stream of its own.
    executor : concurrent.futures.Executor, optional
        Where to compute; here by default. The result does not depend on it.
    progress : callable, optional
        Called as ``progress(cells done, cells)``.
    checkpoints : Checkpoints, optional
        Where finished cells are kept, of these parameters and this seed: none is computed again.

    Returns
    -------
    Optimum
        The table; `draw_optimum` draws it.

    Examples
    --------
    >>> found = run(Parameters(sides=(6,), hidden=(2, 3), couplings=(0.5,), n_starts=4), rng=1)
    >>> found.of(6, 2)["kl"], found.of(6, 3)["stars"]
    (array([0.1161]), array([3.]))
    """
    parameters = parameters or Parameters()
    cells, ends, n_chains = parameters.cells, parameters.chains, len(parameters.chains)

    def told(finished: int) -> Callable[[int, int], object]:
        return lambda done, _: progress and progress(finished + done, len(cells) + n_chains)

    streams = check_rng(rng).spawn(len(cells))
    tasks = [(parameters, *cell, stream) for cell, stream in zip(cells, streams, strict=True)]
    width = len(SEARCHED) + parameters.most_weights
    with one_thread():  # of the BLAS
        searched = rows_of_tasks(
            _cell, tasks, width, executor=executor, progress=told(0), checkpoints=checkpoints
        )
        per_chain = searched.reshape(n_chains, len(parameters.couplings), width)
        found = rows_of_tasks(
            _chain,
            [(parameters, *end, rows) for end, rows in zip(ends, per_chain, strict=True)],
            len(parameters.couplings) * len(NUMBERS),
            executor=executor,
            progress=told(len(cells)),
        )
    numbers = found.reshape(len(cells), len(NUMBERS)).tolist()
    rows = [(*cell, *map(_plain, NUMBERS, row)) for cell, row in zip(cells, numbers, strict=True)]
    return Optimum(parameters, Table(caption(parameters), columns_of(COLUMNS, rows)))


def _plain(name: str, value: float) -> float | int | None:
    if np.isnan(value):
        return None
    return int(value) if name in COUNTS else value


def _cell(parameters: Parameters, side: int, n_hidden: int, K: float, rng: np.random.Generator) -> FloatArray:
    """The numbers of `SEARCHED` of a cell, and the weights of its best machine."""
    target = Target(parameters.on(side), K)
    best, values = search(target, n_hidden, parameters.n_starts, rng)
    symmetric = np.nan
    if parameters.lattice == "ring" and best.value > ZERO:
        if n_hidden == 1:
            symmetric = float(kl_uniform(trained_weight(K, side, 1), K, side, 1))
        elif n_repeats(side, n_hidden) > 1:
            symmetric = search_repeated(target, n_hidden, parameters.n_starts, rng)[0].value
    row = np.full(len(SEARCHED) + parameters.most_weights, np.nan)
    hits = (values < best.value + SAME).mean()
    row[: len(SEARCHED)] = symmetric, len(values), hits, best.value
    row[len(SEARCHED) :][: best.weights.size] = best.weights.ravel()
    return row


def _chain(parameters: Parameters, side: int, n_hidden: int, rows: FloatArray) -> FloatArray:
    """The numbers of the cells of one lattice and one N, one after the other."""
    lattice = parameters.on(side)
    order = np.argsort(parameters.couplings, kind="stable")
    targets = [Target(lattice, parameters.couplings[k]) for k in order]
    size = n_hidden * lattice.n_sites
    ends = [
        Minimum(value, row[:size].reshape(n_hidden, -1), NO_STARS)
        for value, row in zip(rows[order, len(SEARCHED) - 1], rows[order, len(SEARCHED) :], strict=True)
    ]
    found = np.empty((len(order), len(NUMBERS)))
    for k, target, best, before in zip(order, targets, swept(targets, ends), ends, strict=True):
        symmetric, starts, hits, _ = rows[k, : len(SEARCHED)]
        found[k] = (*_described(target, best, symmetric, starts, hits if best is before else 0.0),)
    return found.ravel()


def _described(target: Target, best: Minimum, symmetric: float, starts: float, hits: float) -> list[float]:
    """The numbers of a cell, in the order of `NUMBERS`."""
    best = descend_to_limit(target, best)
    between = np.abs(target.hidden_correlations(best.weights, best.stars))
    pairs = between[np.triu_indices(len(between), 1)]
    return [
        best.value,
        symmetric,
        starts,
        hits,
        len(best.stars),
        *invariance(target, best),
        float(pairs.mean()) if len(pairs) else np.nan,
        float(np.abs(best.weights).max()) if best.attained else np.nan,
        curvature(target, best),
    ]
