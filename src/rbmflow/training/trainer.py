"""The moving parts of a run: parameters, memory of the optimiser, chains, generators, epoch by epoch."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rbmflow._kernels import block_gibbs
from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.generators import generator_from, generator_state
from rbmflow.hardware import LINE, simd_level
from rbmflow.networks import RBM
from rbmflow.training.chains import Chains, start
from rbmflow.training.moments import centred, clamped, follow, gradient
from rbmflow.training.negative import CD, PCD, Update, averages_of, rungs_of
from rbmflow.training.optimizers import LBFGS, Adam, Momentum, rate_of, step
from rbmflow.training.parameters import Parameters, Vector
from rbmflow.training.plan import Method, Objective
from rbmflow.training.state import State
from rbmflow.workers import call_together

MEASURED_CHAINS = 16
LEFT = 4  # of the words that a team shares: ends its waiting
WEIGHTS_PER_NANOSECOND = 65  # and sample, about
WORTH_A_MEMBER = 5e4  # nanoseconds of an update


class Trainer:
    """A run between two epochs."""

    objective: Objective
    method: Method
    parameters: Parameters
    chains: Chains
    slots: Vector
    offsets: Vector
    epoch: int
    n_updates: int

    def __init__(self, objective: Objective, method: Method, model: RBM, rng: np.random.Generator) -> None:
        self.objective, self.method = objective, method
        self.parameters = Parameters(model, method.real)
        self.rng = rng
        self.chains = start(*rungs_of(method.negative), self.parameters, rng)
        n_slots = 0 if isinstance(method.optimizer, LBFGS) else method.optimizer.n_slots
        self.slots = np.zeros((n_slots, objective.ties.n_free), dtype=method.real)
        self.offsets = _offsets(self.parameters, objective) if method.centred else np.empty(0, method.real)
        self.epoch = self.n_updates = 0
        self.series: FloatArray = np.empty((0, 0))

    @classmethod
    def resume(cls, objective: Objective, method: Method, state: State) -> Trainer:
        """Return the run that `state` was taken of."""
        trainer = cls(objective, method, state.model, generator_from("state: source", state.source))
        trainer.rng = generator_from("state: source", state.source)
        for name, found, wanted in (
            ("precision", state.weights.dtype, np.dtype(method.real)),
            ("number of chains", state.chains_visible.shape[:2], trainer.chains.visible.shape[:2]),
            ("visible chains", state.chains_visible.shape, trainer.chains.visible.shape),
            ("hidden chains", state.chains_hidden.shape, trainer.chains.hidden.shape),
            ("memory of the optimiser", state.slots.shape, trainer.slots.shape),
        ):
            if found != wanted:
                raise ValueError(f"state: its {name} is {found}, the arguments of this call need {wanted}")
        if isinstance(method.optimizer, Adam) and (state.slots[1] < 0).any():
            raise ValueError("state: its memory of the optimiser holds a mean square below 0")
        trainer.slots = state.slots.copy()
        if method.centred and state.offsets.size:
            trainer.offsets = state.offsets.copy()
        objective.data.restore(state.rows)
        trainer.chains = Chains(
            trainer.chains.ladder,
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
            self.offsets.copy(),
            self.objective.data.drawn(),
        )

    @property
    def whole(self) -> bool:
        """Whether an epoch is one update from all data."""
        return self.method.negative.exact or self.objective.data.weights is not None

    @property
    def compiled(self) -> bool:
        """Whether an epoch is one call of the kernel: all parameters free, chains that it knows."""
        return (
            type(self.method.negative).averages in (CD.averages, PCD.averages)
            and self.objective.ties.trivial
            and not self.objective.penalty.l1
        )

    def run_epoch(self) -> None:
        """Pass once through the data, or make one update where they are a law or the gradient is exact."""
        assert not isinstance(self.method.optimizer, LBFGS)
        rate, data = rate_of(self.method.optimizer, self.epoch), self.objective.data
        if data.varies:
            data.draw(self.parameters, self.chains.generator, self.rng)
        if self.whole:
            self._update(*data.as_law(), rate)
            self.series = np.empty((0, 0))
        else:
            order = data.order(self.method.shuffle, self.rng)
            self._compiled_epoch(order, rate) if self.compiled else self._epoch(order, rate)
        self.epoch += 1

    def _epoch(self, order: npt.NDArray[np.int64], rate: float) -> None:
        """Update batch by batch."""
        totals = []
        for first in range(0, len(order), self.method.batch_size):
            batch = order[first : first + self.method.batch_size]
            self._update(self.objective.data.rows[batch], None, rate)
            totals.append(self.chains.visible[0, :MEASURED_CHAINS].sum(axis=1, dtype=np.int64))
        self.series = np.array(totals, dtype=np.float64).T

    def _compiled_epoch(self, order: npt.NDArray[np.int64], rate: float) -> None:
        """Let the kernel make all updates."""
        negative, p, chains = self.method.negative, self.parameters, self.chains
        assert isinstance(negative, (CD, PCD))
        batch_size = min(self.method.batch_size, len(order))
        n_updates, n_measured = -(-len(order) // batch_size), min(chains.visible.shape[1], MEASURED_CHAINS)
        totals = np.empty((n_updates, n_measured), dtype=np.int32)
        optimizer = self.method.optimizer
        first, second, epsilon = 0.0, 0.0, 0.0
        if isinstance(optimizer, Momentum):
            first = optimizer.momentum
        elif isinstance(optimizer, Adam):
            first, second, epsilon = optimizer.first, optimizer.second, optimizer.epsilon
        together = np.zeros(8, dtype=np.int64)
        n_members = self._threads(batch_size, n_measured and chains.visible.shape[1])

        def epoch(member: int) -> None:
            block_gibbs.train(
                p.weights,
                p.visible_bias,
                p.hidden_bias,
                self.objective.data.packed,
                order,
                batch_size,
                negative.k,
                rate,
                self.objective.penalty.l2,
                self.slots,
                first,
                second,
                epsilon,
                self.n_updates,
                self.offsets,
                chains.visible[0],
                chains.hidden[0],
                totals,
                chains.generator,
                simd_level(),
                together,
                n_members,
                member,
            )

        call_together(epoch, n_members, lambda: together.__setitem__(LEFT, 1))
        self.n_updates += n_updates
        self.series = totals.T.astype(np.float64)

    def _threads(self, batch_size: int, n_chains: int) -> int:
        """Return how many threads share the updates: each has at least some tens of microseconds of work."""
        n_samples = (2 + 2 * getattr(self.method.negative, "k", 1)) * max(batch_size, n_chains)
        nanoseconds = self.parameters.weights.size * n_samples / WEIGHTS_PER_NANOSECOND
        n_panels = -(-self.parameters.weights.shape[1] * self.parameters.weights.itemsize // LINE)
        return int(max(1, min(self.method.n_threads, n_panels, nanoseconds / WORTH_A_MEMBER)))

    def _update(self, rows: SpinArray, weights: FloatArray | None, rate: float) -> None:
        """Make one step along the gradient on `rows`."""
        ties, penalty = self.objective.ties, self.objective.penalty
        method, p = self.method, self.parameters
        assert not isinstance(method.optimizer, LBFGS)
        model = averages_of(
            method.negative, Update(p, rows, weights, method.batch_size, self.chains, self.rng)
        )
        data = clamped(p, rows.astype(method.real), None if weights is None else weights.astype(method.real))
        slope = gradient(data, model)
        if penalty.l1 or penalty.l2:
            slope[: p.weights.size] += penalty.pull(p.weights).ravel()
        if method.centred:
            follow(self.offsets, data, model)
            uphill = centred(slope, self.offsets, p.shape, ties)
        else:
            uphill = ties.reduce(slope)
        self.n_updates += 1
        free = ties.gather(p.vector)
        free = free + step(method.optimizer, self.slots, uphill, rate, self.n_updates)
        ties.scatter(free, p.vector)


def _offsets(parameters: Parameters, objective: Objective) -> Vector:
    """Return where units are counted from at first: means of the data, and of hidden units given these."""
    mu = objective.data.means().astype(parameters.vector.dtype)
    return np.concatenate([mu, np.tanh(mu @ parameters.weights + parameters.hidden_bias)])
