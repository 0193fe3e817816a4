"""One loop for all ways of training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from rbmflow.arguments import MAX_STEPS, check_integer, check_rng, shown
from rbmflow.hardware import resolve_threads
from rbmflow.networks import RBM
from rbmflow.records import Record
from rbmflow.sampling.block_gibbs import Precision
from rbmflow.training.data import Data, Rows, check_data
from rbmflow.training.history import EarlyStopping, History, Quantity, Situation, check_record, measure
from rbmflow.training.negative import PCD, NegativePhase
from rbmflow.training.optimizers import LBFGS, SGD, Optimizer
from rbmflow.training.parameters import Tie, Vector, make_ties, split
from rbmflow.training.plan import Method, Objective, Penalty
from rbmflow.training.quasi_newton import minimise
from rbmflow.training.state import State
from rbmflow.training.trainer import Trainer
from rbmflow.workers import Progress, check_progress

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, RNGLike


@dataclass(frozen=True)
class Fit(Record):
    """A trained machine and how it came about.

    Attributes
    ----------
    model : RBM
        After the last epoch, or the mean over the last ones.
    history : History
        From the first epoch on, that of the runs which this one continues included.
    state : State
        To go on from.
    """

    model: RBM
    history: History
    state: State = field(repr=False)

    @property
    def best(self) -> RBM:
        """The machine of the recorded epoch that `EarlyStopping` found best; `model` without it."""
        if not self.state.best.size:
            return self.model
        return RBM(*split(self.state.best, self.state.weights.shape))


Callback = Callable[[Fit], object]
"""Called after every epoch; the run ends when it returns True."""


def fit(
    model: RBM,
    data: Rows,
    *,
    negative: NegativePhase = PCD(10),  # noqa: B008 (frozen)
    optimizer: Optimizer = SGD(0.01),  # noqa: B008
    n_epochs: int,
    batch_size: int = 100,
    shuffle: bool = True,
    tie: Tie | None = None,
    mask: ArrayLike | None = None,
    state: State | None = None,
    rng: RNGLike = None,
    callback: Callback | None = None,
    progress: Progress | None = None,
    biases: bool | None = None,
    l1: float = 0.0,
    l2: float = 0.0,
    centred: bool = False,
    precision: Precision | None = None,
    record: Sequence[Quantity] | None = None,
    record_every: int = 1,
    stop: EarlyStopping | None = None,
    average: int = 0,
    held_out: Rows | None = None,
    n_threads: int | None = None,
    sample_weight: ArrayLike | None = None,
) -> Fit:
    """Train a machine: ascend the likelihood of the data by stochastic or exact gradients.

    The gradient is ``⟨v h⟩_data − ⟨v h⟩_model`` (thesis eq. 37-38).

    An epoch is a pass through all rows in a new random order, an update for each batch, the last of which may
    be smaller: its averages are over the rows that it has. For a `StateLaw`, and with exact gradients, an
    epoch is one update with the averages over all the data; CD then begins from `batch_size` states drawn
    from the law. With `LBFGS` an epoch is one of its iterations.

    Time O(k M N) for each row and epoch, k the sweeps of the negative phase.

    Parameters
    ----------
    model : RBM
        Where to begin. Equal hidden units stay equal in exact training: begin with random weights.
        With `state` only its sizes are used.
    data : array_like, TrainingSet, Grey, Incomplete or StateLaw
        Spins ±1 of shape ``(n, n_visible)``, all configurations of a training set, rows of probabilities,
        rows with gaps, or probabilities of states.
    negative : Exact, CD, PCD or Tempered
        Where the averages over the model come from; a `NegativePhase` of one's own is possible.
    optimizer : SGD, Momentum, Adam or LBFGS
        How gradients become steps; `LBFGS` needs ``Exact()``.
    n_epochs : int
        Epochs of this call.
    batch_size : int
        Rows to an update.
    shuffle : bool
        Whether an epoch takes the rows in a new random order, or in the order in which they are given.
    tie : str, optional
        ``"uniform"``: one weight. ``"translation"``: unchanged when the ring is turned; see `tied`.
    mask : array_like of bool, shape (n_visible, n_hidden), optional
        True where a weight exists; the others are 0 and stay so.
    state : State, optional
        Of an earlier run, which is continued bit for bit if data and arguments are the same;
        the learning rate, batch size and penalties may change. Only `LBFGS` begins anew,
        from the parameters: what it remembers is not kept.
    rng : numpy.random.Generator or int
        Generator or seed; not used with `state`.
    callback : callable, optional
        ``callback(fit)`` after every epoch, such as `Checkpoint`; the run ends when it returns True.
    progress : callable, optional
        ``progress(done, total)`` after every epoch.
    biases : bool, optional
        Whether biases are trained; by default they are, except where ``tie="uniform"``.
    l1, l2 : float
        Costs ``l1 Σ|W|`` and ``½ l2 ΣW²`` per row, at least 0.
    centred : bool
        Use the centred gradient, which does not depend on which of its two values a unit calls up: the means
        of both phases from which units are counted are averaged over about a hundred updates.
    precision : str, optional
        ``"float32"`` or ``"float64"``; by default float32, and float64 with exact gradients.
    record : sequence of str, optional
        Quantities of the history, see `History`; by default what is cheap.
    record_every : int
        Epochs between records.
    stop : EarlyStopping, optional
        When to end before `n_epochs`; the machine of the best epoch is then `Fit.best`.
    average : int
        Return the mean of the parameters after the last `average` epochs of this call, which takes most of
        the noise of stochastic gradients off (B. Polyak and A. Juditsky, SIAM J. Control Optim. 30, 838
        (1992)); ``state`` goes on from the last ones.
    held_out : array_like, TrainingSet or StateLaw, optional
        Data that are not trained on: the history records what they say, and `stop` can go by it.
    n_threads : int, optional
        Threads that share each update, see `rbmflow.hardware`; small updates are made by fewer. The result
        does not depend on it.
    sample_weight : array_like, shape (n,), optional
        How often each row counts, 1 once: as if it were there so many times. An epoch takes a row as often,
        the rest of a number that is not whole at random.

    Returns
    -------
    Fit
        The machine, the history and the state to go on from.

    Raises
    ------
    ValueError
        If arguments do not go together; for data of 0 and 1, see `RBM.to_binary`.
    MemoryError
        If machine and chains would need more memory than there is.

    See Also
    --------
    learn : With settings chosen from the data.
    History : What is recorded.
    Checkpoint : Keep the state in a file.

    Notes
    -----
    Chains, and whole epochs with CD or PCD (no tie, mask or l1), are the same bits on every machine and at
    every SIMD level: their sums are taken in one order (see `block_gibbs`). Other runs also take matrix
    products from numpy: they are the same bits on one machine with one BLAS and one number of its threads.

    References
    ----------
    * J. ter Hoeve, *Renormalization Group connected to Neural Networks*, thesis, Utrecht (2018), eq. 37-38.
    * G. E. Hinton, Neural Comput. 14, 1771 (2002).

    Examples
    --------
    >>> from rbmflow import Exact, Ring
    >>> spins = Ring(6).sample(0.5, 500, rng=1)
    >>> start = RBM(np.random.default_rng(1).normal(0, 0.1, (6, 6)))
    >>> trained = fit(start, spins, negative=Exact(), optimizer=LBFGS(), n_epochs=50, rng=1)
    >>> bool(trained.history["log_likelihood"][-1] > trained.history["log_likelihood"][0])
    True
    """
    if not isinstance(model, RBM):
        raise TypeError(f"model={shown(model)}: an RBM is needed")
    if state is not None:
        _check_state(state, model)
    begin = model if state is None else state.model
    learned, penalty = check_data(data, model.n_visible, sample_weight=sample_weight), Penalty(l1, l2)
    threads = resolve_threads(n_threads)
    method = Method(negative, optimizer, batch_size, shuffle, centred, precision, threads)
    method.check(begin, penalty)
    objective = Objective(learned, make_ties(begin, tie, mask, biases), penalty)
    n_epochs = check_integer("n_epochs", n_epochs, 0, MAX_STEPS)
    if state is None:
        trainer = Trainer(objective, method, model, check_rng(rng))
    else:
        trainer = Trainer.resume(objective, method, state)
    aside = None if held_out is None else check_data(held_out, model.n_visible, "held_out")
    if aside is not None and aside.varies:
        raise ValueError("held_out: whole rows of spins are needed, without gaps or grey values")
    if learned.varies and isinstance(optimizer, LBFGS):
        raise ValueError("optimizer=LBFGS() needs data that stay as they are: no gaps, no grey values")
    names = check_record(record, negative, trainer.parameters, learned, aside)
    monitor = Monitor(names, record_every, aside, stop, average, callback, progress)
    run = _Run(trainer, monitor, n_epochs, state)
    run.go()
    return run.fit()


@dataclass(frozen=True)
class Monitor:
    """What is watched while a run goes on."""

    names: tuple[str, ...]
    every: int
    held_out: Data | None
    stop: EarlyStopping | None
    average: int
    callback: Callback | None
    progress: Progress | None

    def __post_init__(self) -> None:
        check_integer("record_every", self.every, 1)
        check_integer("average", self.average, 0)
        object.__setattr__(self, "progress", check_progress(self.progress))
        if self.stop is not None and not isinstance(self.stop, EarlyStopping):
            raise TypeError(f"stop={shown(self.stop)}: an EarlyStopping or None is needed")
        if self.stop is not None and self.stop.quantity not in self.names:
            raise ValueError(f"stop: {shown(self.stop.quantity)} is not recorded; add it to record")
        if self.callback is not None and not callable(self.callback):
            raise TypeError(f"callback={shown(self.callback)}: a callable or None is needed")


class _Run:
    """The bookkeeping of `fit` around a trainer."""

    def __init__(self, trainer: Trainer, monitor: Monitor, n_epochs: int, state: State | None) -> None:
        self.trainer, self.monitor = trainer, monitor
        self.n_epochs, self.done, self.stopped = n_epochs, 0, False
        self.history: dict[str, list[float]] = {name: [] for name in ("epoch", *monitor.names)}
        self.best, self.best_epoch = np.empty(0), 0
        self.first = n_epochs - monitor.average  # epoch after which parameters are summed
        self.sum, self.summed = np.zeros(trainer.parameters.vector.shape), 0
        if state is not None:
            self._go_on(state)

    def _go_on(self, state: State) -> None:
        """Take over what an earlier run recorded, or raise if this one records something else."""
        if state.history and set(state.history) != set(self.history):
            raise ValueError(
                f"state: it recorded {sorted(state.history)}, this call would record {sorted(self.history)}"
            )
        self.history = {name: list(values) for name, values in (state.history or self.history).items()}
        if self.monitor.stop is not None and state.best_of == self.monitor.stop.quantity:
            self.best, self.best_epoch = state.best, state.best_epoch

    def go(self) -> None:
        """Make the epochs; parameters out of the range of numbers are an error of their own, not warnings."""
        with np.errstate(over="ignore", invalid="ignore"):
            self._go()

    def _go(self) -> None:
        if isinstance(self.trainer.method.optimizer, LBFGS):
            if self.n_epochs:
                minimise(self.trainer, self.n_epochs, self.after)
            return
        while self.done < self.n_epochs and not self.stopped:
            self.trainer.run_epoch()
            self.after()

    def after(self) -> bool:
        """Record, report and ask whether to stop."""
        trainer, monitor = self.trainer, self.monitor
        self.done += 1
        check_range(trainer.parameters.vector, trainer.epoch)
        if self.done > self.first:
            self.sum += trainer.parameters.vector
            self.summed += 1
        recorded = trainer.epoch % monitor.every == 0
        if recorded:
            on = Situation(
                trainer.parameters,
                trainer.objective.data,
                monitor.held_out,
                trainer.series,
                trainer.chains.exchange_rate,
            )
            for name, values in self.history.items():
                values.append(float(trainer.epoch) if name == "epoch" else measure(name, on))
            self._keep_best()
        stop = monitor.stop
        if stop is not None and recorded and stop.should_stop(self.history[stop.quantity]):
            self.stopped = True
        if monitor.callback is not None:
            answer = monitor.callback(self.fit())
            self.stopped |= isinstance(answer, (bool, np.bool_)) and bool(answer)  # np.True_ too
        if monitor.progress is not None:
            monitor.progress(self.done, self.n_epochs)
        return self.stopped

    def _keep_best(self) -> None:
        """Keep the parameters if the quantity of early stopping has never been better."""
        stop = self.monitor.stop
        if stop is None:
            return
        values = self.history[stop.quantity]
        before = values[self.history["epoch"].index(self.best_epoch)] if self.best.size else np.nan
        if stop.better(values[-1], before):
            self.best, self.best_epoch = self.trainer.parameters.vector.copy(), self.trainer.epoch

    def fit(self) -> Fit:
        """Return the run as it stands."""
        best_of = "" if self.monitor.stop is None else self.monitor.stop.quantity
        state = self.trainer.snapshot(self.history, self.stopped, self.best, self.best_epoch, best_of)
        model = state.model
        if self.summed:
            model = RBM(*split(self.sum / self.summed, self.trainer.parameters.shape))
        return Fit(model, History(state.history), state)


def check_range(parameters: Vector, epoch: int) -> None:
    """Raise where parameters are no numbers any more."""
    if not np.isfinite(parameters).all():
        raise ArithmeticError(
            f"the parameters left the range of numbers in epoch {epoch}: a smaller learning rate is needed"
        )


def _check_state(state: object, model: RBM) -> None:
    if not isinstance(state, State):
        raise TypeError(f"state={shown(state)}: the state of an earlier Fit is needed")
    if state.weights.shape != model.weights.shape:
        raise ValueError(
            f"state: its weights have shape {state.weights.shape}, those of the model {model.weights.shape}"
        )
    try:
        replace(state)  # checks it again: its arrays can be written to
    except (TypeError, ValueError) as error:
        raise type(error)(f"state: {error}") from None
