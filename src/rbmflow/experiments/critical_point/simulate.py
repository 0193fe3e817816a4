"""Chains around a critical point, size by size."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor

import numpy as np

from rbmflow.arguments import FloatArray, check_rng, spawn
from rbmflow.checkpoints import Checkpoints
from rbmflow.experiments.critical_point.analysis import tables
from rbmflow.experiments.critical_point.parameters import N_BLOCKS, OFFSETS, Parameters
from rbmflow.experiments.critical_point.result import CriticalPoint
from rbmflow.experiments.tasks import rows_of_tasks
from rbmflow.sampling import Reweighting, Run, observables, reweight
from rbmflow.sampling.quantities import STRUCTURE_FACTOR
from rbmflow.sampling.reducibility import Rule
from rbmflow.sampling.run import run as run_chains

RULE: Rule = "heat_bath"
BURN_IN = 40
"""Spacings of measurements before the first, some twenty autocorrelation times."""
SERIES = 3


def run(
    parameters: Parameters | None = None,
    *,
    rng: object,
    executor: Executor | None = None,
    progress: Callable[[int, int], object] | None = None,
    checkpoints: Checkpoints | None = None,
) -> CriticalPoint:
    """Simulate several sizes around K_c, and find K_c, 1/ν and γ/ν from all of them together.

    Each size is simulated at three couplings, by the heat bath in many chains at once, and reweighted. K_c is
    where cumulants, and ξ/L, of pairs of sizes cross, extrapolated with ``L^(−ω − 1/ν)``. Exponents are the
    growth of quantities at the coupling where each size has one value of the cumulant, with a correction
    ``L^(−ω)``. What is known serves to place the runs and for the powers of corrections.

    Parameters
    ----------
    parameters : Parameters, optional
        What to measure; by default the square lattice up to 64 × 64, minutes.
    rng : numpy.random.Generator or int
        Each run has a stream of its own.
    executor : concurrent.futures.Executor, optional
        Where to compute; here by default. The result does not depend on it.
    progress : callable, optional
        Called as ``progress(runs done, runs)``.
    checkpoints : Checkpoints, optional
        Where finished runs are kept, of these parameters and this seed: none is computed again.

    Returns
    -------
    CriticalPoint
        Tables; `draw_critical_point` draws them.

    Examples
    --------
    >>> found = run(Parameters("square", (4, 6, 8), n_chains=64, n_measurements=100), rng=1)
    >>> abs(found.value("gamma/nu", "susceptibility")["value"] - 1.75) < 0.4
    True
    """
    parameters = parameters or Parameters()
    cases = [(side, K) for side in reversed(parameters.sizes) for K in parameters.couplings(side)]
    streams = spawn(check_rng(rng), len(cases))
    tasks = [(parameters, *case, stream) for case, stream in zip(cases, streams, strict=True)]
    shape = (SERIES, parameters.n_chains, parameters.n_measurements)
    rows = rows_of_tasks(
        _series, tasks, int(np.prod(shape)), executor=executor, progress=progress, checkpoints=checkpoints
    )
    n = len(OFFSETS)
    sizes = [
        _reweighted(parameters, side, rows[n * place : n * (place + 1)].reshape(n, *shape))
        for place, side in enumerate(reversed(parameters.sizes))
    ]
    return CriticalPoint(parameters, tables(parameters, sizes[::-1]))


def _series(parameters: Parameters, side: int, K: float, rng: np.random.Generator) -> FloatArray:
    """Energy, magnetization and structure factor of the chains of one run, one after the other."""
    lattice, thin = parameters.on(side), parameters.thin(side)
    found = run_chains(
        lattice,
        K,
        n_chains=parameters.n_chains,
        n_sweeps=thin * parameters.n_measurements,
        thin=thin,
        burn_in=thin * BURN_IN,
        rule=RULE,
        initial="mixed",
        rng=rng,
        keep_spins=False,
        observables={STRUCTURE_FACTOR: observables(lattice)[STRUCTURE_FACTOR]},
        n_threads=1,
    )
    series = (found.energy, found.magnetization, found.observables[STRUCTURE_FACTOR])
    return np.concatenate([one.ravel() for one in series])


def _reweighted(parameters: Parameters, side: int, rows: FloatArray) -> Reweighting:
    """The runs of a size together; blocks are groups of chains."""
    runs = [
        Run(
            lattice=parameters.on(side),
            K=np.full(parameters.n_chains, K),
            rule=RULE,
            order="checkerboard",
            field=0.0,
            thin=parameters.thin(side),
            spins=None,
            energy=energy,
            magnetization=magnetization,
            state=None,
            observables={STRUCTURE_FACTOR: factor},
        )
        for K, (energy, magnetization, factor) in zip(parameters.couplings(side), rows, strict=True)
    ]
    return reweight(runs, n_blocks=N_BLOCKS)
