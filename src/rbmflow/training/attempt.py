"""A training by one recipe, from checkpoint to checkpoint, and where it stands, so that it can go on."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray, check_integer, check_real_scalar, shown
from rbmflow.networks import RBM
from rbmflow.networks.storage import Stored, read, write
from rbmflow.training.data import Data
from rbmflow.training.judging import Judge
from rbmflow.training.loop import check_range
from rbmflow.training.optimizers import Stepper
from rbmflow.training.parameters import join, make_ties, split
from rbmflow.training.plan import Method, Objective, Penalty
from rbmflow.training.recipe import Recipe
from rbmflow.training.state import MAX_COUNT, State
from rbmflow.training.trainer import Trainer
from rbmflow.workers import Progress

CHECKPOINTS, APART = 20, 150  # at most, and updates between them at least: a bracket takes as long
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Course(Stored):
    """How far `learn` has come: all that it depends on beside its arguments.

    Attributes
    ----------
    call : str
        Digest of the rows, their counts, those held out, the recipe and the machine to begin with.
    attempt : int
        0, and 1 with tempered chains.
    epoch, n_averaged : int
        Epochs of the attempt, and those that are averaged over.
    state, best_state : numpy.ndarray of uint8
        The `State` of the training now and at its best checkpoint, as they are saved; empty before there is
        one.
    mean, last, best : numpy.ndarray, shape (n_parameters,)
        Mean of the parameters, those of the machine that was judged last, and of the best one.
    best_epoch : int
        When that was.
    best_error : float
        Standard error of its likelihood by the estimate of ln Z.
    epochs, likelihoods : list of float
        Of the checkpoints.
    source : dict
        State of the generator.
    before : numpy.ndarray of uint8
        The course of the attempt before, as it is saved; empty in the first.
    """

    call: str
    attempt: int
    epoch: int
    n_averaged: int
    state: Bytes
    best_state: Bytes
    mean: FloatArray
    last: FloatArray
    best: FloatArray
    best_epoch: int
    best_error: float
    epochs: list[float]
    likelihoods: list[float]
    source: dict[str, Any]
    before: Bytes

    def __post_init__(self) -> None:
        if not isinstance(self.call, str):
            raise TypeError(f"call={shown(self.call)}: a text is needed")
        check_integer("attempt", self.attempt, 0, 1)
        for name in ("epoch", "n_averaged", "best_epoch"):
            check_integer(name, getattr(self, name), 0, MAX_COUNT)
        if not 0 <= check_real_scalar("best_error", self.best_error) < math.inf:
            raise ValueError(f"best_error={self.best_error}: a finite number from 0 on is needed")
        for name in ("state", "best_state", "before"):
            content: Any = getattr(self, name)
            if not isinstance(content, np.ndarray) or content.dtype != np.uint8 or content.ndim != 1:
                raise ValueError(f"{name} is {shown(content)}: bytes, uint8 of one axis, are needed")
        for name in ("mean", "last", "best"):
            values: Any = getattr(self, name)
            if (
                not isinstance(values, np.ndarray)
                or values.dtype != float
                or values.shape != (self.mean.size,)
            ):
                raise ValueError(f"{name} is {shown(values)}: float64 of one length are needed")
            if not np.isfinite(values).all():
                raise ValueError(f"{name} holds NaN or an infinity: finite numbers are needed")
        for name in ("epochs", "likelihoods"):
            numbers: Any = getattr(self, name)
            if not isinstance(numbers, list) or not all(isinstance(x, float) for x in numbers) or not numbers:
                raise ValueError(f"{name} is {shown(numbers)}: a list of numbers is needed")
        if len(self.epochs) != len(self.likelihoods) or float(self.best_epoch) not in self.epochs:
            raise ValueError("epochs and likelihoods differ in length, or best_epoch is not among epochs")
        if self.n_averaged > self.epoch or max(self.epochs) > self.epoch:
            raise ValueError(f"epoch={self.epoch}: n_averaged or one of epochs is beyond it")


@dataclass(frozen=True)
class Best:
    """A checkpoint: the machine, its state, its epoch, the mean likelihood of the judge's rows, its error."""

    model: RBM
    state: State | None
    epoch: int
    log_likelihood: float
    error: float = 0.0


class Attempt:
    """A training by a recipe of which nothing is open."""

    number: int
    recipe: Recipe
    begin: RBM
    choose: bool
    epoch: int
    n_averaged: int
    mean: FloatArray
    last: RBM
    epochs: list[float]
    likelihoods: list[float]
    best: Best

    def __init__(self, number: int, recipe: Recipe, begin: RBM, alone: float, choose: bool) -> None:
        self.number, self.recipe, self.begin, self.choose = number, recipe, begin, choose
        self.epoch = self.n_averaged = 0
        self.state: State | None = None  # that it goes on from
        self.trainer: Trainer | None = None
        self.mean, self.last = np.zeros(_vector(begin).shape), begin
        self.epochs, self.likelihoods = [0.0], [alone]
        independent = RBM(0 * begin.weights, begin.visible_bias)
        self.best = Best(independent if choose else begin, None, 0, alone)

    @property
    def n_epochs(self) -> int:
        """All epochs of the recipe."""
        assert self.recipe.n_epochs is not None
        return self.recipe.n_epochs

    def ends(self, n_rows: int) -> list[int]:
        """Return the epochs of the checkpoints that are to come."""
        total = self.n_epochs
        n_checkpoints = min(CHECKPOINTS, total, 1 + total * -(-n_rows // self.recipe.batch_size) // APART)
        ends = np.unique(np.linspace(0, total, n_checkpoints + 1).astype(int)).tolist()
        return [int(end) for end in ends if end > self.epoch]

    def run(
        self,
        data: Data,
        judge: Judge,
        rng: np.random.Generator,
        keep: Callable[[Attempt], object],
        progress: Progress | None,
        n_threads: int,
    ) -> None:
        """Make all epochs that are left; `keep` is called after each."""
        ends = self.ends(data.n_counted)
        if not ends:
            return
        self.trainer = trainer = self._trainer(data, rng, n_threads)
        while self.epoch < self.n_epochs:
            with np.errstate(over="ignore", invalid="ignore"):
                trainer.run_epoch()
            vector = trainer.parameters.vector
            check_range(vector, trainer.epoch)
            self.epoch += 1
            if self.averages:
                self.n_averaged += 1
                self.mean = self.mean + (vector - self.mean) / self.n_averaged
            if self.epoch in ends:
                self._judge(judge)
            keep(self)
            if progress is not None:
                progress(self.epoch, self.n_epochs)

    def _trainer(self, data: Data, rng: np.random.Generator, n_threads: int) -> Trainer:
        recipe, penalty = self.recipe, Penalty(0.0, self.recipe.l2 or 0.0)
        assert recipe.negative is not None
        assert isinstance(recipe.optimizer, Stepper)
        method = Method(
            recipe.negative,
            recipe.optimizer,
            recipe.batch_size,
            centred=bool(recipe.centred),
            n_threads=n_threads,
        )
        method.check(self.begin, penalty)
        objective = Objective(data, make_ties(self.begin, None, None, None), penalty)
        if self.state is not None:
            return Trainer.resume(objective, method, self.state)
        data.forget()
        # not a child of `rng`: how many it has is not in its state
        return Trainer(objective, method, self.begin, np.random.default_rng(rng.integers(2**62, size=4)))

    @property
    def averages(self) -> bool:
        """Whether the parameters of this epoch are averaged over: those of the second half are."""
        return self.recipe.average and 2 * self.epoch > self.n_epochs

    def _judge(self, judge: Judge) -> None:
        assert self.trainer is not None
        shape = self.begin.weights.shape
        self.last = RBM(*split(self.mean, shape)) if self.n_averaged else self.trainer.parameters.model()
        if self.choose or self.epoch == self.n_epochs:
            found = judge(self.last)
            error = judge.error if found > -math.inf else 0.0
            self.epochs.append(float(self.epoch))
            self.likelihoods.append(found)
            if found > self.best.log_likelihood or not self.choose or self._lasts(judge, found):
                self.best = Best(self.last, self._state(), self.epoch, found, error)

    def _lasts(self, judge: Judge, found: float) -> bool:
        """Return whether this is the tempered machine of the last epoch, and not surely worse than the best.

        It is the mean over most epochs, and has the best shares of modes that chains pass seldom, to which
        the likelihood is almost blind.
        """
        last = self.number == 1 and self.epoch == self.n_epochs and found > -math.inf
        return last and not judge.surely_better_anew(self.best.model, self.last)

    def _state(self) -> State | None:
        """Return where the training stands."""
        if self.trainer is None:
            return self.state
        return self.trainer.snapshot({}, False, np.empty(0), 0, "")

    def course(self, call: str, rng: dict[str, Any], before: Course | None) -> Course:
        """Return where it stands, with the call, the state of the generator and the attempt before."""
        return Course(
            call,
            self.number,
            self.epoch,
            self.n_averaged,
            _bytes(self._state()),
            _bytes(self.best.state),
            self.mean,
            _vector(self.last),
            _vector(self.best.model),
            self.best.epoch,
            self.best.error,
            list(self.epochs),
            list(self.likelihoods),
            rng,
            _bytes(before),
        )

    def go_on(self, course: Course) -> None:
        """Take over where an earlier one of the same arguments stood."""
        shape = self.begin.weights.shape
        self.epoch, self.n_averaged, self.mean = course.epoch, course.n_averaged, course.mean.copy()
        self.state, self.last = _state(course.state), RBM(*split(course.last, shape))
        self.epochs, self.likelihoods = list(course.epochs), list(course.likelihoods)
        best, at_best = RBM(*split(course.best, shape)), self.epochs.index(float(course.best_epoch))
        self.best = Best(
            best,
            _state(course.best_state),
            course.best_epoch,
            self.likelihoods[at_best],
            course.best_error,
        )


def course_before(course: Course) -> Course | None:
    """Return the course of the attempt before, if there was one."""
    return read(Course, course.before.tobytes()) if course.before.size else None


def _vector(model: RBM) -> FloatArray:
    return np.asarray(join(model.weights, model.visible_bias, model.hidden_bias))


def _bytes(stored: Stored | None) -> Bytes:
    stream = io.BytesIO()
    if stored is not None:
        write(stored, stream)
    return np.frombuffer(stream.getvalue(), dtype=np.uint8)


def _state(content: Bytes) -> State | None:
    return read(State, content.tobytes()) if content.size else None
