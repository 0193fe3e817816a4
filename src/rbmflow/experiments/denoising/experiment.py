"""Overlaps with the clean configuration along flows that begin in a noisy one, beside the best estimate."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray, check_rng
from rbmflow.checkpoints import Checkpoints
from rbmflow.experiments.denoising.line import line
from rbmflow.experiments.denoising.machines import MACHINES, flows, orbit
from rbmflow.experiments.denoising.parameters import Parameters
from rbmflow.experiments.denoising.result import GUESSES, NUMBERS, Denoising, tables_of
from rbmflow.experiments.tasks import rows_of_tasks
from rbmflow.ising import Ring, Torus
from rbmflow.sampling import add_noise, denoise, training_set
from rbmflow.sampling.denoising import MAX_ENUMERATED, posterior_table
from rbmflow.spins import all_states

FEW_CLEAN = 100  # configurations for the uniform weight where nothing else is trained


def run(
    parameters: Parameters | None = None,
    *,
    rng: object,
    executor: Executor | None = None,
    progress: Callable[[int, int], object] | None = None,
    checkpoints: Checkpoints | None = None,
) -> Denoising:
    """Let noisy rings and tori flow through four machines, and measure what each step is worth.

    Parameters
    ----------
    parameters : Parameters, optional
        What to measure; by default a ring of 64 and tori of 4², 16² and 64², minutes.
    rng : numpy.random.Generator or int
        Generator or seed; each lattice and coupling has a stream of its own.
    executor : concurrent.futures.Executor, optional
        Where to compute; here by default. The result does not depend on it.
    progress : callable, optional
        Called as ``progress(done, total)``, in lattices and couplings.
    checkpoints : Checkpoints, optional
        Where those that are finished are kept, of these parameters and this seed.

    Returns
    -------
    Denoising
        Overlaps, the line K*(ε), and a verdict; `draw_denoising` draws them.

    Examples
    --------
    >>> small = Parameters(32, (), (1.5,), (), (0.05,), (0.1,), n_rings=500, n_steps=1, largest_trained=0)
    >>> found = run(small, rng=1).tables["denoising"].columns
    >>> found["noisy"][0] < found["best"][0], found["uniform"][0] < found["noisy"][0]
    (True, True)
    """
    parameters = parameters or Parameters()
    streams = check_rng(rng).spawn(len(parameters.cases))
    tasks = [(parameters, *case, stream) for case, stream in zip(parameters.cases, streams, strict=True)]
    shape = len(parameters.error_rates), len(GUESSES) + len(MACHINES) * parameters.n_steps, len(NUMBERS)
    found = rows_of_tasks(
        _case, tasks, int(np.prod(shape)), executor=executor, progress=progress, checkpoints=checkpoints
    )
    of_line = line(np.array(parameters.rates_of_line))
    return Denoising(parameters, tables_of(parameters, found.reshape(-1, *shape)) | {"line": of_line})


def _case(parameters: Parameters, lattice: Ring | Torus, K: float, rng: np.random.Generator) -> FloatArray:
    """The numbers of one lattice and coupling, for all error rates."""
    trained = lattice.n_sites <= parameters.largest_trained
    enumerated = isinstance(lattice, Torus) and lattice.n_sites <= MAX_ENUMERATED
    n_rows = 0 if enumerated else parameters.n_rows(lattice)
    n_clean = parameters.n_training if trained else FEW_CLEAN
    sample, learning, *noises = rng.spawn(2 + len(parameters.error_rates))
    clean = training_set(lattice, [1 / K], n_clean + n_rows, rng=sample, n_threads=1).spins[0]
    machines = flows(parameters, lattice, K, clean[n_rows:], learning)
    measure = _enumerated if enumerated else _sampled
    rows = [
        measure(parameters, lattice, K, rate, machines, clean[:n_rows], noise)
        for rate, noise in zip(parameters.error_rates, noises, strict=True)
    ]
    return np.concatenate(rows)


def _sampled(
    parameters: Parameters,
    lattice: Ring | Torus,
    K: float,
    rate: float,
    machines: dict[str, Any],
    clean: SpinArray,
    rng: np.random.Generator,
) -> FloatArray:
    """Overlaps, their errors and those of what is gained, over noisy configurations."""
    noisy = add_noise(clean, rate, rng=rng)
    options: dict[str, Any] = {
        "n_chains": parameters.n_chains,
        "n_sweeps": parameters.n_sweeps,
        "n_threads": 1,
    }
    best = denoise(lattice, K, noisy, rate, rng=rng, **options)
    before = _overlap(noisy, clean)
    numbers = [
        _numbers(one, before) for one in (before, _overlap(best.estimate, clean), best.expected_overlap)
    ]
    for name in MACHINES:
        if name not in machines:
            numbers += [np.full(len(NUMBERS), np.nan)] * parameters.n_steps
            continue
        for means in orbit(machines[name], noisy, parameters.n_steps):
            numbers.append(_numbers(_overlap(np.sign(means), clean), before))
    return np.concatenate(numbers)


def _overlap(guess: Any, clean: SpinArray) -> FloatArray:
    return np.asarray((guess * clean).mean(axis=1))


def _numbers(overlap: FloatArray, before: FloatArray) -> FloatArray:
    gain = overlap - before
    errors = [one.std(ddof=1) / np.sqrt(len(one)) for one in (overlap, gain)]
    return np.array([overlap.mean(), errors[0], gain.mean(), errors[1]])


def _enumerated(
    parameters: Parameters,
    lattice: Ring | Torus,
    K: float,
    rate: float,
    machines: dict[str, Any],
    _clean: SpinArray,
    _rng: np.random.Generator,
) -> FloatArray:
    """The same by sums over all noisy configurations, without error."""
    seen, means = posterior_table(lattice, K, rate)
    states = all_states(lattice.n_sites)
    weights = seen[:, None] * means / lattice.n_sites  # Σ_v P(y, v) v_i / n
    best = float(np.abs(weights).sum())
    overlaps = [float((weights * states).sum()), best, best]
    for name in MACHINES:
        if name in machines:
            steps = orbit(machines[name], states, parameters.n_steps)
            overlaps += [float((weights * np.sign(means)).sum()) for means in steps]
        else:
            overlaps += [np.nan] * parameters.n_steps
    return np.concatenate([[one, 0.0, one - overlaps[0], 0.0] for one in overlaps])
