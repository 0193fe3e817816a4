"""Annealed importance sampling between independent units and a machine, in either direction.

The machines between have the couplings βW, 0 ≤ β ≤ 1, and the biases of the machine:
``f_β(v) = e^(b·v) Π_a 2cosh(c_a + β x_a)`` with x = Wᵀv. At β = 0 the units are independent, and
``ln Z_0 = Σ_i ln 2cosh b_i + Σ_a ln 2cosh c_a``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from rbmflow._kernels import annealing
from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.generators import draw_words
from rbmflow.hardware import simd_level
from rbmflow.networks.two_layers import TwoLayers, draw_spins, log_two_cosh
from rbmflow.workers import Progress, run_tasks

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
) -> tuple[FloatArray, SpinArray]:
    """Return the logarithm of the weight of each chain, and the spins at the last machine.

    The weight is ``ln w = Σ_k ln [f_(β_(k+1))(v_k)/f_(β_k)(v_k)]``. The spins at the start are from the law
    at betas[0]; v_k comes from v_(k−1) by one sweep v → h → v at β_k, which is reversible. So the mean of w
    is Z(betas[-1])/Z(betas[0]) in either direction. Fields are in single precision, in double where they can
    exceed 100; logarithms add up in double precision.
    """
    real = _precision(rbm)
    weights, b, c = (
        np.ascontiguousarray(one, dtype=real) for one in (rbm.weights, rbm.visible_bias, rbm.hidden_bias)
    )
    visible, log_weight, level = np.array(spins, order="C"), np.empty(len(spins)), simd_level()
    ladder = np.ascontiguousarray(betas)
    blocks = range(0, len(spins), CHAINS_AT_ONCE)
    keys = draw_words(rng, len(blocks))
    at_once = _chains_of_a_task(len(spins), weights, n_threads)

    def chains(first: int, block: int, key: npt.NDArray[np.uint64]) -> Iterator[int]:
        end_of_block = min(block + CHAINS_AT_ONCE, len(spins))
        last = min(first + at_once, end_of_block)
        n, at, before, after = last - first, slice(first, last), first - block, end_of_block - last
        work = np.empty(
            annealing.work_size(rbm.n_visible, rbm.n_hidden, n, real == np.float64), dtype=np.uint8
        )
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
                key,
                before,
                after,
                work,
                level,
            )
            yield n * (end - begin)

    tasks = (
        chains(first, block, key.copy())
        for block, key in zip(blocks, keys, strict=True)
        for first in range(block, min(block + CHAINS_AT_ONCE, len(spins)), at_once)
    )
    run_tasks(tasks, n_threads, total=len(spins) * (len(ladder) - 1), progress=progress)
    return log_weight, visible


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
