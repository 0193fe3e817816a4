"""Training where little is said: the machine that judges rows held out best, by a recipe."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import SpinArray, check_integer, check_rng, shown
from rbmflow.errors import LikelihoodWarning, warn_caller
from rbmflow.generators import generator_from, generator_state
from rbmflow.hardware import resolve_threads
from rbmflow.networks import RBM
from rbmflow.records import Record
from rbmflow.state_law import StateLaw
from rbmflow.training.attempt import Attempt, Course, course_before
from rbmflow.training.data import Data, Rows, check_data
from rbmflow.training.judging import Judge, hold_out, remembers
from rbmflow.training.recipe import Recipe, check_room
from rbmflow.training.size import check_size
from rbmflow.training.state import State
from rbmflow.workers import Progress, check_progress

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, RNGLike

START = 0.01  # standard deviation of the weights before training
SCORED_ROWS = 500
WORSE = 0.1  # nats
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
"""In the text of a function, say of a schedule: it differs where the same call is made again."""


@dataclass(frozen=True, eq=False)
class Learned(Record):
    """The machine of the best checkpoint, and how it was found.

    Attributes
    ----------
    model : RBM
        The machine.
    state : State or None
        Of the training at that checkpoint; None before the first epoch.
    recipe : Recipe
        What was done, nothing left open.
    epoch : int
        When.
    log_likelihood : float
        Mean of the rows held out (of those trained on, where none are), in nats; −∞ where no estimate of
        ln Z can be relied on, NaN where no row is whole.
    independent_log_likelihood : float
        The same of independent units with the means of the data.
    history : dict of str to list of float
        ``epoch`` and ``log_likelihood`` of the checkpoints.
    held_out : numpy.ndarray of int64
        Which rows were held out.
    """

    model: RBM
    state: State | None = field(repr=False)
    recipe: Recipe
    epoch: int
    log_likelihood: float
    independent_log_likelihood: float
    history: dict[str, list[float]] = field(repr=False)
    held_out: npt.NDArray[np.int64] = field(repr=False)


def start_from(rows: Data | SpinArray, n_hidden: int, rng: np.random.Generator) -> RBM:
    """Return a machine with small random weights whose units have the means of the data.

    Visible biases are ``artanh(mean · n/(n + 1))`` of n rows; hidden ones ``−Wᵀ tanh(b)``, so that hidden
    units begin near 0.

    Examples
    --------
    >>> rows = np.array([[1, 1], [1, -1], [1, 1]], dtype=np.int8)
    >>> start_from(rows, 2, np.random.default_rng(1)).visible_bias
    array([0.973 , 0.2554])
    """
    data = rows if isinstance(rows, Data) else Data(rows)
    n, means = data.n_counted, data.means()
    bias = np.arctanh(means * n / (n + 1))
    weights = rng.normal(0.0, START, (len(means), n_hidden))
    return RBM(weights, bias, -weights.T @ np.tanh(bias))


def learn(
    rows: Rows,
    n_hidden: int,
    recipe: Recipe | None = None,
    *,
    rng: RNGLike = None,
    progress: Progress | None = None,
    sample_weight: ArrayLike | None = None,
    n_threads: int | None = None,
    resume: Course | None = None,
    keep: Callable[[Callable[[], Course]], object] | None = None,
) -> Learned:
    """Train a machine by a recipe whose open settings are chosen from the data.

    At up to twenty checkpoints the machine is judged by the likelihood of the rows held out, with ln Z summed
    where the smaller layer has at most 16 units, and bracketed elsewhere; the best of them is taken, with
    tempered chains the last one unless another is surely better.

    Parameters
    ----------
    rows : array_like, TrainingSet, Grey or Incomplete, shape (n, n_visible)
        Spins ±1, probabilities or spins with gaps. Rows with gaps are not held out; of rows of probabilities
        a draw is.
    n_hidden : int
        Hidden units.
    recipe : Recipe, optional
        What is not to be chosen.
    rng : numpy.random.Generator or int
        Generator or seed.
    progress : callable, optional
        ``progress(done, total)`` in epochs.
    sample_weight : array_like, shape (n,), optional
        How often each row counts, see `fit`. A row that counts whole numbers of times is held out copy by
        copy, as observations are: where weights are something else, such as those that balance classes, take
        ``held_out=0``.
    n_threads : int, optional
        Threads, as in `fit`; the result does not depend on it.
    resume : Course, optional
        Where an interrupted call with the same arguments, the same seed among them, stood: it goes on to the
        same bits.
    keep : callable, optional
        ``keep(take)`` after each epoch, where ``take()`` is the `Course` so far, with ``save`` and ``load``.

    Returns
    -------
    Learned
        The machine and how it was found.

    Warns
    -----
    LikelihoodWarning
        If the machine is worse than independent units.

    See Also
    --------
    fit : The loop itself, with every setting.
    rbmflow.estimator.IsingRBM : The same for scikit-learn.

    Examples
    --------
    >>> from rbmflow import Ring
    >>> found = learn(Ring(6).sample(0.7, 500, rng=1), 4, rng=1)
    >>> found.log_likelihood > found.independent_log_likelihood
    True
    """
    if isinstance(rows, StateLaw):
        raise TypeError("rows: a law has no rows; train on it with fit(model, law, negative=Exact())")
    data, progress = check_data(rows, None, "rows", sample_weight), check_progress(progress)
    data.check_known("rows")
    recipe = Recipe() if recipe is None else recipe
    if not isinstance(recipe, Recipe):
        raise TypeError(f"recipe={shown(recipe)}: a Recipe is needed")
    n_hidden, threads = check_integer("n_hidden", n_hidden, 1), resolve_threads(n_threads)
    check_size(data.rows.shape[1], n_hidden)
    check_room(recipe, data.rows.shape[1], n_hidden)
    if resume is not None and not isinstance(resume, Course):
        raise TypeError(f"resume={shown(resume)}: a Course that was kept is needed")
    if keep is not None and not callable(keep):
        raise TypeError(f"keep={shown(keep)}: a callable or None is needed")
    run = _Learning(data, n_hidden, recipe, check_rng(rng), progress, keep, threads)
    found = run.result(resume)
    if found.log_likelihood < found.independent_log_likelihood - WORSE:
        warn_caller(
            f"rows {'held out' if run.choose else 'trained on'} have {found.log_likelihood:.5g} nats each, "
            f"{found.independent_log_likelihood:.5g} with independent units: other settings, or more rows, "
            "are needed",
            LikelihoodWarning,
        )
    return found


class _Learning:
    """A call of `learn`."""

    def __init__(
        self,
        data: Data,
        n_hidden: int,
        recipe: Recipe,
        rng: np.random.Generator,
        progress: Progress | None,
        keep: Callable[[Callable[[], Course]], object] | None,
        n_threads: int,
    ) -> None:
        self.recipe, self.rng, self.progress, self.keep, self.n_threads = (
            recipe,
            rng,
            progress,
            keep,
            n_threads,
        )
        data, self.source = data.sorted()
        data.draw_grey(rng)
        trained, self.held = hold_out(data, recipe.held_out, rng)
        self.choose = bool(len(self.held))
        self.trained, held = (data.take(trained) if self.choose else data), data.take(self.held)
        self.begin = start_from(data, n_hidden, rng)
        scored = held if self.choose else data.whole(SCORED_ROWS)
        self.judge = Judge(scored.rows, scored.counts, self.begin.visible_bias, rng, n_threads)
        self.alone = self.judge.mean(self.judge.alone)
        total = hashlib.sha256(f"{data.rows.shape} {n_hidden}".encode())
        total.update(ADDRESS.sub("", repr(recipe)).encode())
        for array in (data.rows, data.counts, data.up, data.missing, self.held, self.begin.weights):
            total.update(b"-" if array is None else np.ascontiguousarray(array).tobytes())
        self.call = total.hexdigest()

    def attempt(self, number: int, course: Course | None, before: Course | None) -> Attempt:
        """Return an attempt at its end, begun at `course` or anew."""
        recipe = self.recipe.settled(self.trained, tempered=number == 1)
        attempt = Attempt(number, recipe, self.begin, self.alone, self.choose)
        if course is not None:
            attempt.go_on(course)

        def keep(now: Attempt) -> None:
            if self.keep is not None:
                self.keep(lambda: now.course(self.call, generator_state(self.rng), before))

        attempt.run(self.trained, self.judge, self.rng, keep, self.progress, self.n_threads)
        return attempt

    def result(self, resume: Course | None) -> Learned:
        """Return the best of what was learned, once more with tempered chains where others do not mix."""
        if resume is not None:
            source = generator_from("resume: source", resume.source).bit_generator
            if type(source) is not type(self.rng.bit_generator):
                kind = type(self.rng.bit_generator).__name__
                raise ValueError(f"resume: its generator is a {type(source).__name__}, rng is a {kind}")
            if resume.call != self.call:
                raise ValueError(
                    "resume: it was begun with other rows, weights or hidden units, another recipe or rng"
                )
            self.rng.bit_generator.state = source.state
        earlier = None if resume is None else course_before(resume)
        first = self.attempt(0, resume if earlier is None else earlier, None)
        found = first
        again = earlier is not None or (
            self.recipe.negative is None
            and bool(first.n_epochs)
            and remembers(first.last, self.trained.rows, self.rng)
        )
        if again:
            before = first.course(self.call, generator_state(self.rng), None)
            other = self.attempt(1, resume if earlier is not None else None, before)
            # between modes that chains do not pass, shares are the better learned of two that are as likely
            if not self.choose or not self.judge.surely_better_anew(first.best.model, other.best.model):
                found = other
        if self.choose and not self._surely_better_than_alone(found):
            alone = RBM(0 * self.begin.weights, self.begin.visible_bias)
            return self._learned(found, alone, None, 0, self.alone)
        best = found.best
        return self._learned(found, best.model, best.state, best.epoch, best.log_likelihood)

    def _surely_better_than_alone(self, one: Attempt) -> bool:
        best = one.best
        return self.judge.surely_better(best.model, best.log_likelihood, None, self.alone, bracket=best.error)

    def _learned(
        self, attempt: Attempt, model: RBM, state: State | None, epoch: int, log_likelihood: float
    ) -> Learned:
        history = {"epoch": attempt.epochs, "log_likelihood": attempt.likelihoods}
        return Learned(
            model, state, attempt.recipe, epoch, log_likelihood, self.alone, history, self.source[self.held]
        )
