"""The moving parts of a run: parameters, optimiser's memory, chains and generators, advanced epoch by epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray
from rbmflow.networks import RBM
from rbmflow.training.chains import Chains, averages, chain_shape, contrastive, start
from rbmflow.training.data import Data
from rbmflow.training.moments import Moments, clamped, exact, gradient
from rbmflow.training.negative import CD, Exact, Negative
from rbmflow.training.optimizers import LBFGS, Optimizer, rate_of
from rbmflow.training.parameters import Parameters, Ties, Vector
from rbmflow.training.state import State, generator_from, generator_state


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
    real: Any


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
        trainer = cls(plan, state.model, generator_from(state.source))
        trainer.rng = generator_from(state.source)
        ladder, n_chains = chain_shape(plan.negative)
        for name, found, wanted in (
            ("precision", state.weights.dtype, np.dtype(plan.real)),
            ("number of chains", state.chains_visible.shape[:2], (len(ladder), n_chains)),
            ("memory of the optimiser", state.slots.shape, trainer.slots.shape),
        ):
            if found != wanted:
                raise ValueError(f"state: its {name} is {found}, the arguments of this call need {wanted}")
        trainer.slots = state.slots.copy()
        trainer.chains = Chains(
            ladder,
            state.chains_visible.astype(plan.real),
            state.chains_hidden.astype(plan.real),
            state.generator.copy(),
        )
        trainer.epoch, trainer.n_updates = state.epoch, state.n_updates
        return trainer

    def snapshot(self, history: dict[str, list[float]], stopped: bool) -> State:
        """Return the state, which shares nothing with the run."""
        p, c = self.parameters, self.chains
        return State(
            self.epoch,
            self.n_updates,
            p.weights.copy(),
            p.visible_bias.copy(),
            p.hidden_bias.copy(),
            self.slots.copy(),
            c.visible.astype(np.int8),
            c.hidden.astype(np.int8),
            c.generator.copy(),
            generator_state(self.rng),
            {name: list(values) for name, values in history.items()},
            stopped,
        )

    def run_epoch(self) -> None:
        """Pass once through the data, or make one update where they are a law or the gradient is exact."""
        plan = self.plan
        assert not isinstance(plan.optimizer, LBFGS)
        rate = rate_of(plan.optimizer, self.epoch)
        if isinstance(plan.negative, Exact):
            states, weights = plan.data.as_law()
            batches: Any = [(states, weights)]
        elif plan.data.weights is not None:
            batches = [(plan.data.rows, plan.data.weights)]
        else:
            order = self.rng.permutation(plan.data.n_rows)
            batches = (
                (plan.data.rows[order[i : i + plan.batch_size]], None)
                for i in range(0, len(order), plan.batch_size)
            )
        magnetization = []
        for rows, weights in batches:
            self._update(rows.astype(plan.real), None if weights is None else weights.astype(plan.real), rate)
            magnetization.append(self.chains.visible[0].sum(axis=1))
        self.series = np.array(magnetization, dtype=np.float64).T
        self.epoch += 1

    def _update(self, rows: Vector, weights: Vector | None, rate: float) -> None:
        """Make one step along the gradient on `rows`."""
        plan, p = self.plan, self.parameters
        assert not isinstance(plan.optimizer, LBFGS)
        model = self._model_moments(rows, weights)
        slope = gradient(clamped(p, rows, weights), model, centred=plan.centred)
        if plan.penalty.l1 or plan.penalty.l2:
            slope[: p.weights.size] += plan.penalty.pull(p.weights).ravel()
        self.n_updates += 1
        free = plan.ties.gather(p.vector)
        free = free + plan.optimizer.step(list(self.slots), plan.ties.reduce(slope), rate, self.n_updates)
        plan.ties.scatter(free, p.vector)

    def _model_moments(self, rows: Vector, weights: Vector | None) -> Moments:
        """Return the averages over the model, as the negative phase estimates them."""
        plan, p = self.plan, self.parameters
        if isinstance(plan.negative, Exact):
            return exact(p)[0]
        if isinstance(plan.negative, CD):
            begin = rows
            if weights is not None:
                probabilities = plan.data.as_law()[1]
                begin = rows[
                    self.rng.choice(len(rows), size=plan.batch_size, p=probabilities / probabilities.sum())
                ]
            return contrastive(p, begin, plan.negative, self.chains.generator)
        means = self.chains.sweep(p, plan.negative.k)
        now = averages(self.chains.visible[0], means)
        self.exchange_rate = self.chains.exchange(p, self.rng)
        return now
