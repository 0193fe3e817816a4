"""Block Gibbs chains of a machine: all hidden units given the visible ones, then all visible ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rbmflow._kernels import block_gibbs
from rbmflow.arguments import SpinArray
from rbmflow.generators import Words, draw_words
from rbmflow.hardware import simd_level
from rbmflow.spins import random_spins
from rbmflow.training.moments import Averages
from rbmflow.training.parameters import Parameters, Vector


class Chains:
    """Chains on the rungs of a ladder of inverse temperatures; a single rung at 1 without tempering."""

    def __init__(
        self, ladder: tuple[float, ...], visible: SpinArray, hidden: SpinArray, generator: Words
    ) -> None:
        self.ladder = ladder
        self.visible, self.hidden = visible, hidden  # (n_rungs, n_chains, n_units)
        self.generator = generator
        self.exchange_rate = float("nan")  # of the last exchange

    def sweep(self, parameters: Parameters, k: int) -> Averages:
        """Advance all chains by k sweeps, and return the averages on the first rung."""
        now: Vector = np.empty(0)
        for rung, beta in reversed(list(enumerate(self.ladder))):
            now = sweep(parameters, self.visible[rung], self.hidden[rung], k, self.generator, beta=beta)
        return averages(self.visible[0], now)

    def exchange(self, parameters: Parameters, rng: np.random.Generator) -> float:
        """Let neighbouring rungs swap their configurations; return the share of swaps accepted."""
        accepted, tried = 0, 0
        energies = self.energies(parameters)
        for parity in (0, 1):
            for upper in range(parity, len(self.ladder) - 1, 2):
                gap = self.ladder[upper] - self.ladder[upper + 1]
                gain = gap * (energies[upper] - energies[upper + 1])
                swap = np.log1p(-rng.random(len(gain))) < gain
                pair = np.array([upper, upper + 1])[:, None]
                at = np.flatnonzero(swap)[None, :]
                for array in (self.visible, self.hidden, energies):
                    array[pair, at] = array[pair[::-1], at]
                accepted, tried = accepted + int(swap.sum()), tried + len(gain)
        self.exchange_rate = accepted / tried if tried else float("nan")
        return self.exchange_rate

    def energies(self, parameters: Parameters) -> npt.NDArray[np.float64]:
        """Return the energies of the configurations, a row for each rung."""
        return np.array([self._energy(parameters, rung) for rung in range(len(self.ladder))])

    def _energy(self, parameters: Parameters, rung: int) -> npt.NDArray[np.float64]:
        v, h = self.visible[rung].astype(np.float64), self.hidden[rung].astype(np.float64)
        coupled = ((v @ parameters.weights + parameters.hidden_bias) * h).sum(axis=1)
        return np.asarray(-(coupled + v @ parameters.visible_bias))


def sweep(
    parameters: Parameters,
    visible: SpinArray,
    hidden: SpinArray,
    k: int,
    generator: Words,
    *,
    beta: float = 1.0,
    from_data: bool = False,
    clamped: npt.NDArray[np.uint8] | None = None,
) -> Vector:
    """Draw visible from hidden and hidden from visible spins k times, in place; return the hidden means.

    From data the hidden spins are drawn first, and those of the last sweep are not. Visible spins whose bit
    in `clamped` is 1 stay.
    """
    p = parameters
    means = np.empty(hidden.shape, dtype=p.vector.dtype)
    block_gibbs.sweep(
        p.weights,
        p.visible_bias,
        p.hidden_bias,
        visible,
        hidden,
        means,
        k,
        beta,
        from_data,
        not from_data,
        np.empty((0, 0), dtype=np.uint8) if clamped is None else clamped,
        0,
        0,
        generator,
        simd_level(),
    )
    return means


def start(
    ladder: tuple[float, ...], n_chains: int, parameters: Parameters, rng: np.random.Generator
) -> Chains:
    """Return chains at their start, `n_chains` on each rung: random visible units, hidden ones given them."""
    generator = draw_words(rng)
    n_visible, n_hidden = parameters.shape
    visible = random_spins(rng, len(ladder), n_chains, n_visible)
    hidden = np.empty((len(ladder), n_chains, n_hidden), dtype=np.int8)
    for rung, beta in enumerate(ladder):
        sweep(parameters, visible[rung], hidden[rung], 0, generator, beta=beta, from_data=True)
    return Chains(ladder, visible, hidden, generator)


def contrastive(parameters: Parameters, rows: SpinArray, k: int, generator: Words) -> Averages:
    """Return the averages after k sweeps from `rows`."""
    visible, hidden = rows.copy(), np.empty((len(rows), parameters.shape[1]), dtype=np.int8)
    means = sweep(parameters, visible, hidden, k, generator, from_data=True)
    return averages(visible, means)


def averages(visible: SpinArray, means: Vector) -> Averages:
    """Return the averages over chains from their visible spins and the means of their hidden units."""
    spins, share = visible.astype(means.dtype), means.dtype.type(1 / len(visible))
    return Averages(spins.T @ means * share, spins.sum(axis=0) * share, means.sum(axis=0) * share)
