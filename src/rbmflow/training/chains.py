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

    visible: SpinArray
    hidden: SpinArray
    exchange_rate: float

    def __init__(
        self, ladder: tuple[float, ...], visible: SpinArray, hidden: SpinArray, generator: Words
    ) -> None:
        self.ladder = ladder
        self.visible, self.hidden = visible, hidden  # (n_rungs, n_chains, n_units)
        self.generator = generator
        self.exchange_rate = float("nan")  # of the last exchange

    def sweep(self, parameters: Parameters, k: int) -> Averages:
        """Advance all chains by k sweeps, and return the averages on the first rung."""
        v, h = self._rows
        return averages(self.visible[0], sweep(parameters, v, h, k, self.generator, betas=self.ladder))

    @property
    def _rows(self) -> tuple[SpinArray, SpinArray]:
        """Both layers of all chains, rung after rung."""
        v, h = self.visible, self.hidden
        return v.reshape(-1, v.shape[2]), h.reshape(-1, h.shape[2])

    def exchange(self, parameters: Parameters, rng: np.random.Generator) -> float:
        """Let neighbouring rungs swap their configurations; return the share of swaps accepted."""
        accepted, tried = 0, 0
        energies, betas = self.energies(parameters), np.array(self.ladder)[:, None]
        origin = np.arange(energies.size).reshape(energies.shape)
        for parity in (0, 1):
            upper, lower = slice(parity, len(betas) - 1, 2), slice(parity + 1, len(betas), 2)
            gain = (betas[upper] - betas[lower]) * (energies[upper] - energies[lower])
            swap = np.log1p(-rng.random(gain.shape)) < gain
            for array in (energies, origin):
                one, other = array[upper], array[lower]
                array[upper], array[lower] = np.where(swap, other, one), np.where(swap, one, other)
            accepted, tried = accepted + int(swap.sum()), tried + swap.size
        for rows in self._rows:  # each configuration moves once
            rows[:] = rows.take(origin.ravel(), axis=0)
        self.exchange_rate = accepted / tried if tried else float("nan")
        return self.exchange_rate

    def energies(self, parameters: Parameters) -> npt.NDArray[np.float64]:
        """Return the energies of the configurations, a row for each rung.

        They are sums of the activations that spins are drawn from: to about 1e-7 of the size of their terms
        in single precision.
        """
        p, (v, h) = parameters, self._rows
        out = np.empty(len(v))
        block_gibbs.energies(p.weights, p.visible_bias, p.hidden_bias, v, h, out, simd_level())
        return out.reshape(len(self.ladder), -1)


def sweep(
    parameters: Parameters,
    visible: SpinArray,
    hidden: SpinArray,
    k: int,
    generator: Words,
    *,
    betas: tuple[float, ...] = (1.0,),
    from_data: bool = False,
    clamped: npt.NDArray[np.uint8] | None = None,
) -> Vector:
    """Draw visible from hidden and hidden from visible spins k times, in place; return the hidden means.

    With several inverse temperatures, as many chains have the first as the second, which follow them, and so
    on; the means are those of the first. From data the hidden spins are drawn first, and those of the last
    sweep are not. Visible spins whose bit in `clamped` is 1 stay.
    """
    p = parameters
    means = np.empty((len(hidden) // len(betas), hidden.shape[1]), dtype=p.vector.dtype)
    block_gibbs.sweep(
        p.weights,
        p.visible_bias,
        p.hidden_bias,
        visible,
        hidden,
        means,
        k,
        np.array(betas),
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
        sweep(parameters, visible[rung], hidden[rung], 0, generator, betas=(beta,), from_data=True)
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
