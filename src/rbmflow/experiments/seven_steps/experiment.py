"""The seven-step experiment of S. Iso, S. Shiba and S. Yokoo, Phys. Rev. E 97, 053304 (2018).

Chapter 4 of the thesis analyses it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from rbmflow import thermometer
from rbmflow.arguments import check_integer, check_rng, shown
from rbmflow.checkpoints import Checkpoints
from rbmflow.executors import completed
from rbmflow.experiments.seven_steps.parameters import Parameters
from rbmflow.experiments.seven_steps.result import IsoShibaYokoo
from rbmflow.experiments.seven_steps.steps import (
    Prepared,
    machine,
    prepare,
)
from rbmflow.experiments.tasks import one_thread
from rbmflow.ising import Ring
from rbmflow.networks import RBM
from rbmflow.thermometer.perceptron import require_scikit_learn
from rbmflow.training import SGD, fit

__all__ = ["IsoShibaYokoo", "Parameters", "estimate_seconds", "full", "quick", "ring", "run"]


def quick(parameters: Parameters | None = None) -> Parameters:
    """Return a small version of the experiment, well under a minute of work."""
    return replace(
        parameters or Parameters(),
        n_samples=200,
        training_sets=("V", "H", "L"),
        n_hidden=(16, 64),
        n_updates=1500,
        n_snapshots=4,
        n_steps=10,
        n_flow=200,
        network_epochs=50,
        n_seeds=2,
    )


def full(parameters: Parameters | None = None) -> Parameters:
    """Return the experiment of the literature: seven hidden sizes, ten seeds, 5,000 epochs of type V."""
    return replace(
        parameters or Parameters(),
        n_hidden=(16, 36, 64, 81, 100, 225, 400),
        n_updates=1_250_000,
        n_snapshots=15,
        n_steps=50,
        network_epochs=100,
        n_seeds=10,
    )


def ring(n_sites: int = 100) -> Parameters:
    """Return the experiment on a ring, sampled and read exactly: no critical point above T = 0."""
    return Parameters(lattice=Ring(n_sites))


SO_FAR = "result"
"""The part that an interrupted run leaves."""
Progress = Callable[[int, int, IsoShibaYokoo], object]
"""Called as ``progress(machines done, machines, result so far)``."""


def run(
    parameters: Parameters | None = None,
    *,
    rng: object,
    executor: Executor | None = None,
    progress: Progress | None = None,
    checkpoints: Checkpoints | None = None,
    resume: IsoShibaYokoo | None = None,
) -> IsoShibaYokoo:
    """Sample, train, let flow, and read temperatures, for every seed, training set and hidden layer.

    Every seed and every machine has a random stream of its own, and matrix products use one thread: the
    result depends neither on the executor nor on interruptions.

    Parameters
    ----------
    parameters : Parameters, optional
        What to do; by default a 10 × 10 torus and 100 machines, minutes of two cores.
        `quick`, `full` and `ring` give others.
    rng : numpy.random.Generator or int
        Generator or seed.
    executor : concurrent.futures.Executor, optional
        Where to work; here by default.
    progress : callable, optional
        Called as ``progress(machines done, machines, result so far)`` at the start, after the data and
        thermometers of each seed and after each machine; what it saves can be resumed.
    checkpoints : Checkpoints, optional
        Where the result so far is kept, of these parameters and this seed: an interrupted run goes on.
    resume : IsoShibaYokoo, optional
        An unfinished result of the same parameters and seed, which is filled up.

    Returns
    -------
    IsoShibaYokoo
        Weights, flows, temperatures; `figures` draws them.

    Raises
    ------
    ImportError
        If the network is among the thermometers and scikit-learn is absent.
    ValueError
        If `resume` belongs to other parameters or another seed.

    Examples
    --------
    >>> tiny = Parameters(
    ...     Ring(8), (0.0, 1.0, 4.0), n_samples=50, training_sets=("V",), n_hidden=(4,), n_updates=50,
    ...     n_snapshots=2, starts=(1.0,), maps=("gibbs",), n_steps=3, n_flow=20, thermometers=("energy",),
    ...     n_seeds=1)
    >>> result = run(tiny, rng=1)
    >>> result.complete, result.values["temperature_energy"].shape
    (True, (1, 1, 1, 1, 1, 4))
    """
    parameters = parameters or Parameters()
    if not isinstance(parameters, Parameters):
        raise TypeError(f"parameters={shown(parameters)}: Parameters are needed")
    if "network" in parameters.thermometers:
        require_scikit_learn()
    sequence: Any = check_rng(rng).bit_generator.seed_seq
    seed = _seed(sequence)
    result = IsoShibaYokoo(parameters, seed)
    if checkpoints is not None and resume is None:
        resume = checkpoints.load(SO_FAR, IsoShibaYokoo.load)
    if resume is not None:
        if (resume.parameters, resume.seed) != (parameters, seed):
            raise ValueError("resume belongs to other parameters or another seed")
        result = IsoShibaYokoo(
            parameters,
            seed,
            {name: array.copy() for name, array in resume.values.items()},
            resume.finished.copy(),
            dict(resume.prepared),
            dict(resume.seconds),
        )
    pairs = list(product(range(len(parameters.training_sets)), range(len(parameters.n_hidden))))
    streams = [child.spawn(1 + len(pairs)) for child in sequence.spawn(parameters.n_seeds)]
    with one_thread(), _kept(checkpoints, progress) as tell:  # one thread here too, for executors of threads
        _fill(result, streams, pairs, executor, tell)
    return result


@contextmanager
def _kept(checkpoints: Checkpoints | None, progress: Progress | None) -> Iterator[Progress]:
    """Yield a progress that keeps the result every few seconds, and in the end, however that comes."""
    unsaved: list[IsoShibaYokoo] = []

    def keep() -> None:
        while unsaved and checkpoints is not None:
            checkpoints.store(SO_FAR, unsaved[-1].save)
            unsaved.clear()

    def tell(done: int, total: int, result: IsoShibaYokoo) -> None:
        unsaved[:] = [result] * bool(done or result.prepared)
        if checkpoints is not None and (checkpoints.due() or done == total):
            keep()
        if progress is not None:
            progress(done, total, result)

    try:
        yield tell
    finally:
        keep()


def _seed(sequence: np.random.SeedSequence) -> Any:
    """The seed; of a generator that has spawned others, or was spawned, also its place among them."""
    entropy: Any = sequence.entropy
    if not sequence.spawn_key and not sequence.n_children_spawned:
        return entropy
    return [entropy, list(sequence.spawn_key), sequence.n_children_spawned]


def _fill(
    result: IsoShibaYokoo,
    streams: list[list[np.random.SeedSequence]],
    pairs: list[tuple[int, int]],
    executor: Executor | None,
    progress: Progress,
) -> None:
    """Prepare the seeds that lack machines and make those."""
    parameters = result.parameters
    unfinished = [seed for seed in range(parameters.n_seeds) if not result.finished[seed].all()]

    def tell() -> None:
        progress(int(result.finished.sum()), result.finished.size, result)

    tell()
    tasks = {
        seed: (_prepare, parameters, streams[seed][0]) for seed in unfinished if seed not in result.prepared
    }
    for seed, found in completed(executor, tasks.items()):
        result.note((seed,), found.measured, found.seconds)
        result.prepared[seed] = found  # last: what is interrupted here is prepared again
        tell()
    machines = {
        (seed, i, j): (
            _machine,
            parameters,
            result.prepared[seed],
            parameters.training_sets[i],
            parameters.n_hidden[j],
            streams[seed][1 + index],
        )
        for seed in unfinished
        for index, (i, j) in enumerate(pairs)
        if not result.finished[seed, i, j]
    }
    for place, (values, seconds) in completed(executor, machines.items()):
        result.note(place, values, seconds)
        if result.finished[place[0]].all():
            del result.prepared[place[0]]
        tell()


def _prepare(parameters: Parameters, seed: np.random.SeedSequence) -> Prepared:
    return prepare(parameters, np.random.default_rng(seed))


def _machine(
    parameters: Parameters, prepared: Prepared, kind: str, n_hidden: int, seed: np.random.SeedSequence
) -> tuple[dict[str, Any], dict[str, float]]:
    return machine(parameters, prepared, kind, n_hidden, np.random.default_rng(seed))


def estimate_seconds(parameters: Parameters, n_workers: int = 1) -> float:
    """Return about how long `run` will take on this machine, from a second of small trials.

    Parameters
    ----------
    parameters : Parameters
        What is to be done.
    n_workers : int
        Processes that share the work.

    Returns
    -------
    float
        Seconds.

    Examples
    --------
    >>> 0 < estimate_seconds(quick(ring(16)), 2) < 600
    True
    """
    n_workers = check_integer("n_workers", n_workers, 1)
    if "network" in parameters.thermometers:
        require_scikit_learn()
    rng = np.random.default_rng(0)
    p = parameters
    temperatures = (p.temperatures[0], p.temperatures[len(p.temperatures) // 2], p.temperatures[-1])
    trial = replace(
        p, temperatures=temperatures[-2:] if len(p.temperatures) == 2 else temperatures,
        n_samples=20 * p.batch_size, training_sets=("V",), n_updates=1, network_epochs=1, n_seeds=1,
        thermometers=("energy",), starts=p.starts[:1],
    )  # fmt: skip
    with one_thread():
        seconds, prepared = _timed(prepare, trial, rng)
        per_seed = seconds * len(p.temperatures) / len(trial.temperatures)
        if "network" in p.thermometers:
            seconds, _ = _timed(thermometer.network.fit, prepared.data, n_epochs=1, rng=rng)
            n_rows = len(p.temperatures) * p.n_samples
            per_seed += seconds * p.network_epochs * n_rows / len(prepared.data.configurations)
        rows = prepared.data.spins[0]
        for n_hidden in p.n_hidden:
            rbm = RBM(rng.normal(0, 0.01, (p.lattice.n_sites, n_hidden)))
            training, _ = _timed(
                fit, rbm, rows, negative=p.phase(), optimizer=SGD(0.01), n_epochs=1, batch_size=p.batch_size,
                rng=rng, record=(),
            )  # fmt: skip
            flows, _ = _timed(machine, trial, prepared, "V", n_hidden, rng)
            per_seed += len(p.training_sets) * (training * p.n_updates / 20 + flows * len(p.starts))
    return per_seed * p.n_seeds / n_workers


def _timed(work: Callable[..., Any], *arguments: Any, **keywords: Any) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work(*arguments, **keywords)
    return time.perf_counter() - start, result
