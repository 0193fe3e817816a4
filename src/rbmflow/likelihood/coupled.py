"""What annealing needs of a machine whose units are all coupled to each other.

The machines between have the couplings βw, 0 ≤ β ≤ 1, and the biases of the machine:
``f_β(x) = e^(b·x + βq)`` with ``q(x) = Σ_(i<j) w_ij x_i x_j``. At β = 0 the units are independent, and
``ln Z_0 = Σ_i ln 2cosh b_i``. Hidden units are annealed like visible ones. A sweep of heat bath updates the
units one after the other, and backwards in the opposite order, so that a path and its reverse are as likely
as `two_sided` takes them to be.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from typing import Any

import numpy as np
import numpy.typing as npt

from rbmflow._kernels import boltzmann as kernel
from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.executors import completed
from rbmflow.generators import Words, draw_words
from rbmflow.hardware import check_fits, empty_at_line, simd_level
from rbmflow.likelihood.floor import ROUNDING, distinct
from rbmflow.networks import boltzmann_log_partition
from rbmflow.networks.pairwise import Pairwise
from rbmflow.networks.two_layers import draw_spins, log_two_cosh
from rbmflow.spins import random_spins
from rbmflow.workers import Progress, run_tasks

BLOCK = 64  # chains that share a generator
TOGETHER = 8  # blocks that one call of the kernel advances, at most
STEP_NANOSECONDS = 5e7  # of work, about, between two looks at Ctrl-C
LARGEST_FIELD = 1e4
"""Beyond it single precision would show: fields are rounded by 6e-8 of the sum of their couplings."""
QUENCH, COMPLETION = 20, 20  # sweeps down to the bottoms of the energy, and of hidden units at data


class Coupled:
    """States of all units of a machine, between independent units and the machine."""

    machine: Pairwise
    n_sites: int
    base: float

    def __init__(self, machine: Pairwise) -> None:
        self.machine, self.n_sites = machine, machine.n_units
        self.base = float(log_two_cosh(machine.bias).sum())
        with np.errstate(over="ignore"):
            self._largest = float((np.abs(machine.couplings).sum(axis=1) + np.abs(machine.bias)).max())

    def exact(self, _n_threads: int, _progress: Progress | None) -> float:
        """Return ln Z by enumeration."""
        return boltzmann_log_partition(self.machine)

    def independent(self, n_chains: int, rng: np.random.Generator) -> SpinArray:
        """Return states of the machine without its couplings."""
        if self._largest > LARGEST_FIELD:
            raise ValueError(
                f"rbm: a unit has a field of up to {self._largest:.3g}, annealing in single precision takes "
                f"at most {LARGEST_FIELD:g}"
            )
        check_fits("n_chains", n_chains, 6 * self.n_sites)
        return draw_spins(np.broadcast_to(self.machine.bias, (n_chains, self.n_sites)), rng)

    def anneal(
        self,
        spins: SpinArray,
        betas: FloatArray,
        rng: np.random.Generator,
        *,
        n_threads: int = 1,
        progress: Progress | None = None,
        executor: Executor | None = None,
    ) -> tuple[FloatArray, SpinArray]:
        """Return the logarithms of weights along a ladder, and the states at its end.

        The weight is ``ln w = Σ_k (β_(k+1) − β_k) q(x_k)``; x_k comes from x_(k−1) by one sweep at β_k.
        """
        order = np.arange(self.n_sites, dtype=np.int32)[:: 1 if betas[-1] >= betas[0] else -1]
        return self._run(spins, betas, order, rng, n_threads, progress, executor)

    def drawn(self, _n_chains: int, _rng: np.random.Generator) -> SpinArray | None:
        """Return nothing: states of all units are drawn by chains alone."""
        return None

    def completed(self, rows: SpinArray, rng: np.random.Generator) -> SpinArray:
        """Return states of all units with these visible ones, the hidden ones by chains."""
        n = self.machine.n_visible
        states = np.concatenate([rows, random_spins(rng, len(rows), self.n_sites - n)], axis=1)
        hidden = np.arange(n, self.n_sites, dtype=np.int32)
        return self._run(states, np.ones(COMPLETION), hidden, rng)[1] if len(hidden) else states

    def listed(self, ends: SpinArray, rows: SpinArray | None) -> float:
        """Return what ln Z cannot be less than, the weight of states that were met.

        They are the ends of chains, rows of data, and what is reached from ends and random states when they
        are quenched.
        """
        rng = np.random.default_rng(0)
        begin = np.concatenate([ends, random_spins(rng, len(ends), self.n_sites)])
        cold = np.full(QUENCH, LARGEST_FIELD / max(self._largest, 1e-300))
        order = np.arange(self.n_sites, dtype=np.int32)
        quenched = self._run(begin, cold, order, rng, bias_too=True)[1]
        known = [ends, quenched] if rows is None else [ends, quenched, self.completed(rows, rng)]
        weights = -self.machine.energy(distinct(np.concatenate(known)))
        found = float(np.logaddexp.reduce(weights))
        return found - ROUNDING * max(abs(found), 1.0)

    def _run(
        self,
        spins: SpinArray,
        betas: FloatArray,
        order: npt.NDArray[np.int32],
        rng: np.random.Generator,
        n_threads: int = 1,
        progress: Progress | None = None,
        executor: Executor | None = None,
        *,
        bias_too: bool = False,
    ) -> tuple[FloatArray, SpinArray]:
        """Sweep the units of `order` along a ladder, one sweep at each β but the first."""
        found, log_weight = np.array(spins, order="C"), np.zeros(len(spins))
        words = draw_words(rng, -(-len(found) // BLOCK))
        nanoseconds = BLOCK * self.n_sites * (self.n_sites / 8 + 1)
        most = min(TOGETHER, int(STEP_NANOSECONDS / nanoseconds)) if simd_level() else 1
        together = max(1, min(most, -(-len(words) // n_threads)))
        parts = [
            (slice(BLOCK * first, BLOCK * (first + together)), words[first : first + together])
            for first in range(0, len(words), together)
        ]
        if executor is not None:
            pieces = [
                (rows, (_part, self, found[rows], part, betas, order, bias_too)) for rows, part in parts
            ]
            done = 0
            for rows, (log_weight[rows], found[rows]) in completed(executor, pieces):
                done += -(-len(found[rows]) // BLOCK) * (len(betas) - 1)
                if progress is not None:
                    progress(done, len(words) * (len(betas) - 1))
            return log_weight, found
        tasks = [
            self._steps(found[rows], part, log_weight[rows], betas, order, bias_too=bias_too)
            for rows, part in parts
        ]
        run_tasks(tasks, n_threads, total=len(words) * (len(betas) - 1), progress=progress)
        return log_weight, found

    def _steps(
        self,
        spins: SpinArray,
        words: Words,
        log_weight: FloatArray,
        betas: FloatArray,
        order: npt.NDArray[np.int32],
        *,
        bias_too: bool,
    ) -> Iterator[int]:
        """Anneal the chains of some blocks; yield the sweeps done, of each block."""
        blocks = _as_blocks(spins, len(words))
        n_table, n_entries = kernel.scratch_sizes(self.n_sites)
        scratch = empty_at_line(n_table, np.float32), empty_at_line((len(words), n_entries), np.uint32)
        kept = np.empty((0, *blocks.shape), dtype=np.int8)
        many = max(1, int(STEP_NANOSECONDS / (len(words) * BLOCK * self.n_sites * (self.n_sites / 8 + 1))))
        first = 0
        while first < len(betas) - 1:
            rise, beta = betas[first + 1] - betas[first], betas[first + 1]
            if rise:
                log_weight += rise * self._pairs(blocks)[: len(log_weight)]
            last = first + 1
            while last + 1 < len(betas) and betas[last + 1] == beta and last - first < many:
                last += 1
            couplings = (beta * self.machine.couplings).astype(np.float32)
            bias = (self.machine.bias * (beta if bias_too else 1.0)).astype(np.float32)
            orders = np.tile(order, (last - first, 1))
            kernel.sweep(blocks, words, couplings, bias, orders, last - first, *scratch, kept, simd_level())
            yield len(words) * (last - first)
            first = last
        spins[:] = blocks.swapaxes(1, 2).reshape(-1, self.n_sites)[: len(spins)]

    def _pairs(self, blocks: npt.NDArray[np.float32]) -> FloatArray:
        """Return q(x) of all chains."""
        sums = [_half_form(self.machine.couplings, block.astype(np.float64)) for block in blocks]
        return np.concatenate(sums)


def _part(
    on: Coupled,
    spins: SpinArray,
    words: Words,
    betas: FloatArray,
    order: npt.NDArray[np.int32],
    bias_too: bool,
) -> tuple[FloatArray, SpinArray]:
    """Return what a run does, for the chains of some blocks."""
    found, log_weight = np.array(spins, order="C"), np.zeros(len(spins))
    run_tasks([on._steps(found, words.copy(), log_weight, betas, order, bias_too=bias_too)], 1)
    return log_weight, found


def _half_form(couplings: FloatArray, x: FloatArray) -> Any:
    """Return ``Σ_(i<j) w_ij x_i x_j``, a chain to a column."""
    return np.einsum("ij,ij->j", x, couplings @ x) / 2


def _as_blocks(spins: SpinArray, n_blocks: int) -> npt.NDArray[np.float32]:
    """Return chains as the kernel has them, 64 beside each other; places left over hold spins up."""
    blocks = empty_at_line((n_blocks, spins.shape[1], BLOCK), np.float32)
    blocks[:] = 1
    for block, first in zip(blocks, range(0, len(spins), BLOCK), strict=True):
        part = spins[first : first + BLOCK]
        block[:, : len(part)] = part.T
    return blocks
