"""The moving parts of a run: parameters, memory of the optimiser, chains, generators, epoch by epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rbmflow._kernels import block_gibbs
from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.generators import generator_from, generator_state
from rbmflow.hardware import simd_level
from rbmflow.networks import RBM
from rbmflow.training.chains import Chains, chain_shape, contrastive, start
from rbmflow.training.data import Data
from rbmflow.training.moments import Moments, centred, clamped, exact, gradient
from rbmflow.training.negative import CD, PCD, Exact, Negative
from rbmflow.training.optimizers import LBFGS, SGD, Adam, Optimizer, rate_of, step
from rbmflow.training.parameters import Parameters, Ties, Vector
from rbmflow.training.state import State

MEASURED_CHAINS = 16


@dataclass(frozen=True)
class Penalty:
    """Costs of the weights, ``l1 Σ|W| + ½ l2 ΣW²``; biases are free."""

    l1: float
    l2: float

    def pull(self, weights: Vector) -> Vector:
        """Return the gradient of minus the cost."""
        real = weights.dtype.type
        return np.asarray(-(real(self.l1) * np.sign(weights) + real(self.l2) * weights))

    def cost(self, weights: Vector) -> float:
        """Return the cost."""
        return float(self.l1 * np.abs(weights).sum() + 0.5 * self.l2 * (weights**2).sum())


@dataclass(frozen=True)
class Plan:
    """What a run was asked to do, checked."""

    data: Data
    negative: Negative
    optimizer: Optimizer
    batch_size: int
    ties: Ties
    penalty: Penalty
    centred: bool
    shuffle: bool
    real: Any

    @property
    def whole(self) -> bool:
        """Whether an epoch is one update from all data."""
        return isinstance(self.negative, Exact) or self.data.weights is not None

    @property
    def plain(self) -> bool:
        """Whether an epoch is one call of the kernel: steps along the gradient, all parameters free."""
        return (
            isinstance(self.optimizer, SGD)
            and isinstance(self.negative, (CD, PCD))
            and self.ties.trivial
            and not self.centred
            and not self.penalty.l1
        )


class Trainer:
    """A run between two epochs."""

    def __init__(self, plan: Plan, model: RBM, rng: np.random.Generator) -> None:
        self.plan = plan
        self.parameters = Parameters(model, plan.real)
        self.rng = rng
        self.chains = start(plan.negative, self.parameters, rng)
        n_slots = 0 if isinstance(plan.optimizer, LBFGS) else plan.optimizer.n_slots
        self.slots = np.zeros((n_slots, plan.ties.n_free), dtype=plan.real)
        self.epoch = self.n_updates = 0
        self.series: FloatArray = np.empty((0, 0))
        self.exchange_rate = float("nan")

    @classmethod
    def resume(cls, plan: Plan, state: State) -> Trainer:
        """Return the run that `state` was taken of."""
        trainer = cls(plan, state.model, generator_from("state: source", state.source))
        trainer.rng = generator_from("state: source", state.source)
        ladder, n_chains = chain_shape(plan.negative)
        for name, found, wanted in (
            ("precision", state.weights.dtype, np.dtype(plan.real)),
            ("number of chains", state.chains_visible.shape[:2], (len(ladder), n_chains)),
            ("visible chains", state.chains_visible.shape, trainer.chains.visible.shape),
            ("hidden chains", state.chains_hidden.shape, trainer.chains.hidden.shape),
            ("memory of the optimiser", state.slots.shape, trainer.slots.shape),
        ):
            if found != wanted:
                raise ValueError(f"state: its {name} is {found}, the arguments of this call need {wanted}")
        if isinstance(plan.optimizer, Adam) and (state.slots[1] < 0).any():
            raise ValueError("state: its memory of the optimiser holds a mean square below 0")
        trainer.slots = state.slots.copy()
        trainer.chains = Chains(
            ladder,
            np.array(state.chains_visible, order="C"),
            np.array(state.chains_hidden, order="C"),
            state.generator.copy(),
        )
        trainer.epoch, trainer.n_updates = state.epoch, state.n_updates
        return trainer

    def snapshot(
        self,
        history: dict[str, list[float]],
        stopped: bool,
        best: FloatArray,
        best_epoch: int,
        best_of: str,
    ) -> State:
        """Return the state, which shares nothing with the run."""
        p, c = self.parameters, self.chains
        return State(
            self.epoch,
            self.n_updates,
            p.weights.copy(),
            p.visible_bias.copy(),
            p.hidden_bias.copy(),
            self.slots.copy(),
            c.visible.copy(),
            c.hidden.copy(),
            c.generator.copy(),
            generator_state(self.rng),
            {name: list(values) for name, values in history.items()},
            stopped,
            best.copy(),
            best_epoch,
            best_of,
        )

    def run_epoch(self) -> None:
        """Pass once through the data, or make one update where they are a law or the gradient is exact."""
        plan = self.plan
        assert not isinstance(plan.optimizer, LBFGS)
        rate = rate_of(plan.optimizer, self.epoch)
        if plan.whole:
            self._update(*plan.data.as_law(), rate)
            self.series = np.empty((0, 0))
        else:
            rows = plan.data.n_rows
            order = self.rng.permutation(rows) if plan.shuffle else np.arange(rows)
            self._plain_epoch(order, rate) if plan.plain else self._epoch(order, rate)
        self.epoch += 1

    def _epoch(self, order: npt.NDArray[np.int64], rate: float) -> None:
        """Update batch by batch."""
        totals = []
        for first in range(0, len(order), self.plan.batch_size):
            self._update(self.plan.data.rows[order[first : first + self.plan.batch_size]], None, rate)
            totals.append(self.chains.visible[0, :MEASURED_CHAINS].sum(axis=1, dtype=np.int64))
        self.series = np.array(totals, dtype=np.float64).T

    def _plain_epoch(self, order: npt.NDArray[np.int64], rate: float) -> None:
        """Let the kernel make all updates."""
        plan, p, chains = self.plan, self.parameters, self.chains
        assert isinstance(plan.negative, (CD, PCD))
        batch_size = min(plan.batch_size, len(order))
        n_updates, n_measured = -(-len(order) // batch_size), min(chains.visible.shape[1], MEASURED_CHAINS)
        totals = np.empty((n_updates, n_measured), dtype=np.int32)
        block_gibbs.train(
            p.weights,
            p.visible_bias,
            p.hidden_bias,
            plan.data.packed,
            order,
            batch_size,
            plan.negative.k,
            rate,
            plan.penalty.l2,
            chains.visible[0],
            chains.hidden[0],
            totals,
            chains.generator,
            simd_level(),
        )
        self.n_updates += n_updates
        self.series = totals.T.astype(np.float64)

    def _update(self, rows: SpinArray, weights: FloatArray | None, rate: float) -> None:
        """Make one step along the gradient on `rows`."""
        plan, p = self.plan, self.parameters
        assert not isinstance(plan.optimizer, LBFGS)
        model = self._model_moments(rows, weights)
        data = clamped(p, rows.astype(plan.real), None if weights is None else weights.astype(plan.real))
        slope = gradient(data, model)
        if plan.penalty.l1 or plan.penalty.l2:
            slope[: p.weights.size] += plan.penalty.pull(p.weights).ravel()
        uphill = centred(slope, data, model, plan.ties) if plan.centred else plan.ties.reduce(slope)
        self.n_updates += 1
        free = plan.ties.gather(p.vector)
        free = free + step(plan.optimizer, self.slots, uphill, rate, self.n_updates)
        plan.ties.scatter(free, p.vector)

    def _model_moments(self, rows: SpinArray, weights: FloatArray | None) -> Moments:
        """Return the averages over the model, as the negative phase estimates them."""
        plan, p = self.plan, self.parameters
        if isinstance(plan.negative, Exact):
            return exact(p)[0]
        if isinstance(plan.negative, CD):
            begin = rows
            if weights is not None:
                begin = rows[self.rng.choice(len(rows), size=plan.batch_size, p=weights / weights.sum())]
            return contrastive(p, begin, plan.negative, self.chains.generator)
        now = self.chains.sweep(p, plan.negative.k)
        self.exchange_rate = self.chains.exchange(p, self.rng)
        return now
