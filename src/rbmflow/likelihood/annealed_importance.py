"""Annealed importance sampling between independent units and a machine, in either direction.

The machines between have the couplings βW, 0 ≤ β ≤ 1, and the biases of the machine:
``f_β(v) = e^(b·v) Π_a 2cosh(c_a + β x_a)`` with x = Wᵀv. At β = 0 the units are independent, and
``ln Z_0 = Σ_i ln 2cosh b_i + Σ_a ln 2cosh c_a``.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from typing import Any

import numpy as np
import numpy.typing as npt

from rbmflow._kernels import annealing
from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.executors import completed
from rbmflow.generators import Words, draw_words
from rbmflow.hardware import simd_level
from rbmflow.networks.two_layers import TwoLayers, draw_spins, log_two_cosh
from rbmflow.workers import Progress, run_tasks

Machine = tuple[npt.NDArray[Any], ...]
"""Weights and biases, of the precision of the fields."""

CHAINS_AT_ONCE = 64  # of one generator
FEWEST_CHAINS = 8  # of a task, and as many times as its tables of signed sums fill what is kept
KEPT_BYTES = 2**20
LARGEST_FIELD = 100.0  # beyond it single precision would show: it rounds a field of 100 by 4e-6
STEP_NANOSECONDS = 1e8  # of work, about, between two looks at Ctrl-C


def independent_log_partition(rbm: TwoLayers) -> float:
    """Return ln Z of the machine without its couplings."""
    return float(log_two_cosh(rbm.visible_bias).sum() + log_two_cosh(rbm.hidden_bias).sum())


def independent_spins(rbm: TwoLayers, n_chains: int, rng: np.random.Generator) -> SpinArray:
    """Return visible spins of the machine without its couplings."""
    return draw_spins(np.broadcast_to(rbm.visible_bias, (n_chains, rbm.n_visible)), rng)


def anneal(
    rbm: TwoLayers,
    spins: SpinArray,
    betas: FloatArray,
    rng: np.random.Generator,
    *,
    n_threads: int = 1,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> tuple[FloatArray, SpinArray]:
    """Return the logarithm of the weight of each chain, and the spins at the last machine.

    The weight is ``ln w = Σ_k ln [f_(β_(k+1))(v_k)/f_(β_k)(v_k)]``. The spins at the start are from the law
    at betas[0]; v_k comes from v_(k−1) by one sweep v → h → v at β_k, which is reversible. So the mean of w
    is Z(betas[-1])/Z(betas[0]) in either direction. Fields are in single precision, in double where they can
    exceed 100; logarithms add up in double precision. An executor takes the chains of a generator together.
    """
    real = _precision(rbm)
    machine = tuple(
        np.ascontiguousarray(one, dtype=real) for one in (rbm.weights, rbm.visible_bias, rbm.hidden_bias)
    )
    visible, log_weight = np.array(spins, order="C"), np.empty(len(spins))
    ladder = np.ascontiguousarray(betas)
    blocks = [slice(first, first + CHAINS_AT_ONCE) for first in range(0, len(spins), CHAINS_AT_ONCE)]
    keys, total = draw_words(rng, len(blocks)), len(spins) * (len(ladder) - 1)
    if executor is not None:
        pieces = [
            (block, (_block, machine, ladder, visible[block], key))
            for block, key in zip(blocks, keys, strict=True)
        ]
        done = 0
        for block, (log_weight[block], visible[block]) in completed(executor, pieces):
            done += len(visible[block]) * (len(ladder) - 1)
            if progress is not None:
                progress(done, total)
        return log_weight, visible
    at_once = _chains_of_a_task(len(spins), machine[0], n_threads)
    tasks = (
        task
        for block, key in zip(blocks, keys, strict=True)
        for task in _tasks(machine, ladder, visible[block], log_weight[block], key, at_once)
    )
    run_tasks(tasks, n_threads, total=total, progress=progress)
    return log_weight, visible


def _block(
    machine: Machine, ladder: FloatArray, visible: SpinArray, key: Words
) -> tuple[FloatArray, SpinArray]:
    """Return what `anneal` does, for the chains of one generator."""
    spins, log_weight = np.array(visible, order="C"), np.empty(len(visible))
    run_tasks(_tasks(machine, ladder, spins, log_weight, key, CHAINS_AT_ONCE), 1)
    return log_weight, spins


def _tasks(
    machine: Machine,
    ladder: FloatArray,
    visible: SpinArray,
    log_weight: FloatArray,
    key: Words,
    at_once: int,
) -> Iterator[Iterator[int]]:
    """Yield tasks, each of so many chains of those of one generator, on which no result depends."""
    level, n_chains = simd_level(), len(visible)

    def chains(first: int) -> Iterator[int]:
        last = min(first + at_once, n_chains)
        (weights, b, c), words, n, at = machine, key.copy(), last - first, slice(first, last)
        double = weights.dtype == np.float64
        n_bytes = annealing.work_size(weights.shape[0], weights.shape[1], n, double)
        work = np.empty(n_bytes, dtype=np.uint8)
        steps = max(1, int(STEP_NANOSECONDS / (n * (sum(weights.shape) + weights.size / 16))))
        for begin in range(0, len(ladder) - 1, steps):
            end = min(begin + steps, len(ladder) - 1)
            annealing.anneal(
                weights,
                b,
                c,
                ladder,
                begin,
                end,
                visible[at],
                log_weight[at],
                words,
                first,
                n_chains - last,
                work,
                level,
            )
            yield n * (end - begin)

    for first in range(0, n_chains, at_once):
        yield chains(first)


def _chains_of_a_task(n_chains: int, weights: npt.NDArray[Any], n_threads: int) -> int:
    """Return into how many chains those of a generator are parted, so that each thread has some.

    Every part has tables of its own, which large machines build anew for each step.
    """
    fewest = FEWEST_CHAINS * max(1, -(-4 * weights.nbytes // KEPT_BYTES))
    return int(min(CHAINS_AT_ONCE, max(fewest, 4 * -(-n_chains // (4 * n_threads)))))


def _precision(rbm: TwoLayers) -> Any:
    """Return the type of the fields: float32 where none can be large."""
    size = np.abs(rbm.weights)
    largest = max(
        (size.sum(axis=0) + np.abs(rbm.hidden_bias)).max(),
        (size.sum(axis=1) + np.abs(rbm.visible_bias)).max(),
    )
    return np.float32 if largest <= LARGEST_FIELD else np.float64
