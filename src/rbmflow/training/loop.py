"""One loop for all ways of training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from rbmflow.arguments import MAX_STEPS, check_flag, check_integer, check_real_scalar, check_rng, shown
from rbmflow.networks import RBM
from rbmflow.training.chains import n_chains
from rbmflow.training.data import Data, check_data
from rbmflow.training.history import EarlyStopping, History, Situation, check_record, measure
from rbmflow.training.negative import MAX_EXACT_UNITS, PCD, Exact, Negative, check_negative
from rbmflow.training.optimizers import LBFGS, SGD, Optimizer, check_optimizer
from rbmflow.training.parameters import make_ties, split
from rbmflow.training.quasi_newton import minimise
from rbmflow.training.size import check_size
from rbmflow.training.state import State
from rbmflow.training.trainer import Penalty, Plan, Trainer
from rbmflow.workers import Progress, check_progress

PRECISIONS = {"float32": np.float32, "float64": np.float64}


@dataclass(frozen=True)
class Fit:
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
    data: object,
    *,
    negative: Negative = PCD(10),  # noqa: B008 (frozen)
    optimizer: Optimizer = SGD(0.01),  # noqa: B008
    n_epochs: int,
    batch_size: int = 100,
    shuffle: bool = True,
    tie: str | None = None,
    mask: object = None,
    state: State | None = None,
    rng: object = None,
    callback: Callback | None = None,
    progress: Progress | None = None,
    biases: bool | None = None,
    l1: float = 0.0,
    l2: float = 0.0,
    centred: bool = False,
    precision: str | None = None,
    record: object = None,
    record_every: int = 1,
    stop: EarlyStopping | None = None,
    average: int = 0,
    held_out: object = None,
) -> Fit:
    """Train a machine: ascend the likelihood of the data by stochastic or exact gradients.

    The gradient is ``⟨v h⟩_data − ⟨v h⟩_model`` (thesis eq. 37-38).

    An epoch is a pass through all rows in a new random order, an update for each batch, the last of which may
    be smaller: its averages are over the rows that it has. For a `StateLaw`, and with exact gradients, an
    epoch is one update with the averages over all the data; CD then begins from `batch_size` states drawn
    from the law. With `LBFGS` an epoch is one of its iterations.

    Parameters
    ----------
    model : RBM
        Where to begin. Equal hidden units stay equal in exact training: begin with random weights.
        With `state` only its sizes are used.
    data : array_like, TrainingSet or StateLaw
        Spins ±1 of shape ``(n, n_visible)``, all configurations of a training set,
        or probabilities of states.
    negative : Exact, CD, PCD or Tempered
        Where the averages over the model come from.
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
        Use the centred gradient, which does not depend on which of its two values a unit calls up.
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

    Notes
    -----
    Chains, and whole epochs of `SGD` with CD or PCD (no tie, mask, l1 or centred gradient), are the same bits
    on every machine and at every SIMD level: their sums are taken in one order (see `block_gibbs`). Other
    runs also take matrix products from numpy: they are the same bits on one machine with one BLAS and one
    number of its threads. Training itself uses one thread.

    Examples
    --------
    >>> from rbmflow import Ring
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
    plan = _plan(
        begin, data, negative, optimizer, batch_size, tie, mask, biases, l1, l2, centred, precision, shuffle
    )
    n_epochs, progress = check_integer("n_epochs", n_epochs, 0, MAX_STEPS), check_progress(progress)
    every = check_integer("record_every", record_every, 1)
    if stop is not None and not isinstance(stop, EarlyStopping):
        raise TypeError(f"stop={shown(stop)}: an EarlyStopping or None is needed")
    if callback is not None and not callable(callback):
        raise TypeError(f"callback={shown(callback)}: a callable or None is needed")
    if state is None:
        trainer, history = Trainer(plan, model, check_rng(rng)), dict[str, list[float]]()
    else:
        trainer = Trainer.resume(plan, state)
        history = {name: list(values) for name, values in state.history.items()}
    aside = None if held_out is None else check_data(held_out, model.n_visible, "held_out")
    names = check_record(record, plan.negative, trainer.parameters, plan.data, aside)
    if stop is not None and stop.quantity not in names:
        raise ValueError(f"stop: {shown(stop.quantity)} is not recorded; add it to record")
    if history and set(history) != {"epoch", *names}:
        raise ValueError(
            f"state: it recorded {sorted(history)}, this call would record {sorted(['epoch', *names])}"
        )
    run = _Run(
        trainer,
        check_integer("average", average, 0),
        history or {name: [] for name in ("epoch", *names)},
        every,
        stop,
        callback,
        progress,
        n_epochs,
        aside,
    )
    if state is not None and stop is not None and state.best_of == stop.quantity:
        run.best, run.best_epoch = state.best, state.best_epoch
    run.go()
    return run.fit()


class _Run:
    """The bookkeeping of `fit` around a trainer."""

    def __init__(
        self,
        trainer: Trainer,
        average: int,
        history: dict[str, list[float]],
        every: int,
        stop: EarlyStopping | None,
        callback: Callback | None,
        progress: Progress | None,
        n_epochs: int,
        held_out: Data | None,
    ) -> None:
        self.held_out = held_out
        self.best, self.best_epoch = np.empty(0), 0
        self.trainer, self.history, self.every = trainer, history, every
        self.stop, self.callback, self.progress = stop, callback, progress
        self.n_epochs, self.done, self.stopped = n_epochs, 0, False
        self.first = n_epochs - average  # epoch after which parameters are summed
        self.sum, self.summed = np.zeros(trainer.parameters.vector.shape), 0

    def go(self) -> None:
        """Make the epochs; parameters out of the range of numbers are an error of their own, not warnings."""
        with np.errstate(over="ignore", invalid="ignore"):
            self._go()

    def _go(self) -> None:
        if isinstance(self.trainer.plan.optimizer, LBFGS):
            if self.n_epochs:
                minimise(self.trainer, self.n_epochs, self.after)
            return
        while self.done < self.n_epochs and not self.stopped:
            self.trainer.run_epoch()
            self.after()

    def after(self) -> bool:
        """Record, report and ask whether to stop."""
        trainer = self.trainer
        self.done += 1
        if not np.isfinite(trainer.parameters.vector).all():
            raise ArithmeticError(
                f"the parameters left the range of numbers in epoch {trainer.epoch}: "
                "a smaller learning rate is needed"
            )
        if self.done > self.first:
            self.sum += trainer.parameters.vector
            self.summed += 1
        recorded = trainer.epoch % self.every == 0
        if recorded:
            on = Situation(
                trainer.parameters, trainer.plan.data, self.held_out, trainer.series, trainer.exchange_rate
            )
            for name, values in self.history.items():
                values.append(float(trainer.epoch) if name == "epoch" else measure(name, on))
            self._keep_best()
        if self.stop is not None and recorded and self.stop.should_stop(self.history[self.stop.quantity]):
            self.stopped = True
        if self.callback is not None:
            answer = self.callback(self.fit())
            self.stopped |= isinstance(answer, (bool, np.bool_)) and bool(
                answer
            )  # np.True_ of a comparison too
        if self.progress is not None:
            self.progress(self.done, self.n_epochs)
        return self.stopped

    def _keep_best(self) -> None:
        """Keep the parameters if the quantity of early stopping has never been better."""
        if self.stop is None:
            return
        values = self.history[self.stop.quantity]
        before = values[self.history["epoch"].index(self.best_epoch)] if self.best.size else np.nan
        if self.stop.better(values[-1], before):
            self.best, self.best_epoch = self.trainer.parameters.vector.copy(), self.trainer.epoch

    def fit(self) -> Fit:
        """Return the run as it stands."""
        best_of = "" if self.stop is None else self.stop.quantity
        state = self.trainer.snapshot(self.history, self.stopped, self.best, self.best_epoch, best_of)
        model = state.model
        if self.summed:
            model = RBM(*split(self.sum / self.summed, self.trainer.parameters.shape))
        return Fit(model, History(state.history), state)


def _plan(
    model: RBM,
    data: object,
    negative: object,
    optimizer: object,
    batch_size: object,
    tie: object,
    mask: object,
    biases: object,
    l1: object,
    l2: object,
    centred: object,
    precision: object,
    shuffle: object = True,
) -> Plan:
    """Return the checked arguments, or raise."""
    checked: Data = check_data(data, model.n_visible)
    phase, stepper = check_negative(negative), check_optimizer(optimizer)
    check_size(model.n_visible, model.n_hidden, n_chains(phase))
    exact = isinstance(phase, Exact)
    if isinstance(stepper, LBFGS) and not exact:
        raise ValueError(
            f"optimizer=LBFGS() needs negative=Exact(), not {shown(phase)}: "
            "noise would mislead its line search"
        )
    if exact and min(model.n_visible, model.n_hidden) > MAX_EXACT_UNITS:
        raise ValueError(
            f"negative=Exact(): the smaller layer has {min(model.n_visible, model.n_hidden)} units, "
            f"at most {MAX_EXACT_UNITS} are possible"
        )
    for name, flag in (("centred", centred), ("shuffle", shuffle)):
        check_flag(name, flag)
    costs = [check_real_scalar(name, value) for name, value in (("l1", l1), ("l2", l2))]
    for name, value in zip(("l1", "l2"), costs, strict=True):
        if not 0 <= value < np.inf:
            raise ValueError(f"{name}={value}: a finite number of at least 0 is needed")
    if isinstance(stepper, LBFGS) and (costs[0] or centred):
        raise ValueError(
            "optimizer=LBFGS() needs a smooth likelihood in the usual parameters: l1=0 and centred=False"
        )
    chosen = precision if precision is not None else ("float64" if exact else "float32")
    if not isinstance(chosen, str) or chosen not in PRECISIONS:
        raise ValueError(f"precision={shown(precision)}: 'float32' or 'float64' is needed")
    if isinstance(stepper, LBFGS) and chosen != "float64":
        raise ValueError("optimizer=LBFGS() needs precision='float64'")
    real: Any = PRECISIONS[chosen]
    if (
        max(np.abs(x).max() for x in (model.weights, model.visible_bias, model.hidden_bias))
        > np.finfo(real).max
    ):
        raise ValueError(f"model: a parameter is too large for precision={shown(chosen)}")
    return Plan(
        checked,
        phase,
        stepper,
        check_integer("batch_size", batch_size, 1),
        make_ties(model, tie, mask, biases),
        Penalty(*costs),
        bool(centred),
        bool(shuffle),
        real,
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
