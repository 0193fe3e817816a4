"""Ladders of couplings: where their chains stand, and the rounds of sweeps and exchanges."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from rbmflow.arguments import MAX_STEPS, FloatArray, SpinArray, check_integer
from rbmflow.generators import WORDS, draw_words, generator_from, generator_state
from rbmflow.ising.lattice import Lattice
from rbmflow.records import Storable
from rbmflow.sampling.bernoulli_digits import Words
from rbmflow.sampling.compiled_chains import make_engines
from rbmflow.sampling.engine import Block
from rbmflow.sampling.run import steps
from rbmflow.sampling.rungs import Rungs
from rbmflow.sampling.starts import first_spins
from rbmflow.spins import check_spins
from rbmflow.workers import Progress, run_tasks

HELD = 16
"""Rounds whose measurements go to their places together: one at a time each number would miss the cache."""


@dataclass
class Ladders(Storable):
    """What moves chains on ladders: with their spins and the couplings all that is needed to go on."""

    generators: Words  # of the engines
    source: np.random.Generator  # of the exchanges
    rungs: Rungs
    turn: int
    """Number of the next round, of those after the burn-in; the pairs that exchange go by it."""

    def _content(self) -> dict[str, Any]:
        return {**super()._content(), "source": generator_state(self.source)}

    @classmethod
    def _from_content(cls, content: dict[str, Any]) -> Self:
        return cls(**{**content, "source": generator_from("source", content["source"])})

    def check(self, spins: SpinArray, shape: tuple[int, int], n_sites: int) -> None:
        """Raise ValueError unless the state is that of so many ladders and rungs: kernels trust it."""
        check_integer("initial: turn", self.turn, -MAX_STEPS, 2**62)
        if check_spins("initial: spins", spins, n_sites).shape[:-1] != shape or spins.dtype != np.int8:
            raise ValueError(
                f"initial: spins of shape {spins.shape}, {spins.dtype}, are not on {shape} rungs"
            )
        if self.rungs.chain.shape != shape:
            raise ValueError(f"initial: rungs of shape {self.rungs.chain.shape}, {shape} is needed")
        words = shape[0] * shape[1] + 1, WORDS
        if self.generators.dtype != np.uint64 or self.generators.shape != words:
            raise ValueError(f"initial: generators of shape {self.generators.shape}, {words} is needed")
        if not (
            self.generators[:, :4].any(axis=1).all()
            and self.generators.reshape(-1, 4, WORDS // 4).any(axis=1).all()
        ):
            raise ValueError("initial: a generator is zero, and would stay there")

    def resumed(self, spins: SpinArray) -> tuple[Self, SpinArray]:
        """Return a copy that goes on, and the spins of the chains; they are given by rung."""
        by_chain = np.empty((self.rungs.chain.size, spins.shape[-1]), dtype=np.int8)
        by_chain[self.rungs.chain] = spins
        return deepcopy(self), by_chain

    def run(
        self,
        lattice: Lattice,
        ladder: FloatArray,
        rule: str,
        order: str,
        spins: SpinArray,
        field: float,
        *,
        burn_in: int,
        n_rounds: int,
        thin: int,
        n_threads: int,
        progress: Progress | None,
    ) -> tuple[FloatArray, FloatArray]:
        """Sweep and exchange; return energies and magnetizations per site (n_ladders, n_rungs, n_rounds).

        The spins of the chains change in place.
        """
        rungs, (n_ladders, n_rungs) = self.rungs, self.rungs.chain.shape
        n_chains = n_ladders * n_rungs
        couplings = np.tile(ladder, n_ladders)
        engines: list[Any] = make_engines(
            lattice, couplings, rule, order, spins, self.generators, field=field, couple=True
        )
        for engine in engines:  # which knows all couplings from the start, whatever became of its chains
            for first in range(0, n_rungs, len(engine.chains)):
                engine.couple(np.resize(ladder[first:], len(engine.chains)))
        series = np.empty((2, n_ladders, n_rungs, n_rounds))
        held = np.empty((2, HELD, n_ladders, n_rungs))
        now = Block(np.empty((n_chains, 1)), np.empty((n_chains, 1)), None)
        work = sum(thin * engine.cost + engine.overhead for engine in engines)
        for index in range(-burn_in, n_rounds):
            couplings[rungs.chain] = ladder
            for engine in engines:
                engine.couple(couplings[engine.chains])
            run_tasks(
                [steps(engine, now, n_sweeps=thin, thin=thin, burn_in=0) for engine in engines],
                n_threads if len(engines) > 1 else 1,
                nanoseconds=work,
            )
            energies = now.energy[rungs.chain, 0]
            if index >= 0:
                at = index % HELD
                held[:, at] = energies, now.magnetization[rungs.chain, 0]
                if at == HELD - 1 or index == n_rounds - 1:
                    part = np.moveaxis(held[:, : at + 1], 1, -1)
                    np.divide(part, lattice.n_sites, out=series[..., index - at : index + 1])
            low = rungs.pairs(self.turn % 2)
            gain = (ladder[low] - ladder[low + 1]) * (energies[:, low] - energies[:, low + 1])
            rungs.exchange(low, gain, self.source, counted=index >= 0)
            self.turn += 1
            if progress is not None:
                progress(index + burn_in + 1, burn_in + n_rounds)
        for engine in engines:
            engine.write_back(spins)
        self.source = deepcopy(self.source)  # the caller may go on with his
        energy, magnetization = series
        return energy, magnetization


def begin(
    lattice: Lattice,
    shape: tuple[int, int],
    initial: object,
    source: np.random.Generator,
    order: str,
    field: float,
    burn_in: int,
) -> tuple[Ladders, SpinArray]:
    """Return ladders (n_ladders, n_rungs) before the first sweep, and the spins of their chains.

    None is frozen under Metropolis in a fixed order, if that is given as `order`.
    """
    generators = draw_words(source, shape[0] * shape[1] + 1)
    spins = first_spins(lattice, shape, initial, source, order, field, before="an Exchange")
    return Ladders(generators, source, Rungs(*shape), -burn_in), spins
