"""Training where little is said: the machine that judges rows held out best, by a recipe."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray, check_integer, check_rng, shown
from rbmflow.errors import LikelihoodWarning, warn_caller
from rbmflow.likelihood import log_partition
from rbmflow.networks import RBM
from rbmflow.sampling import block_gibbs
from rbmflow.training.loop import fit
from rbmflow.training.parameters import split
from rbmflow.training.recipe import Recipe, check_rows
from rbmflow.training.size import check_size
from rbmflow.training.state import State
from rbmflow.workers import Progress, check_progress

START = 0.01  # standard deviation of the weights before training
REMEMBERED, MEMORY_SWEEPS, MEMORY_CHAINS = 0.4, 200, 200
CHECKPOINTS, APART = 20, 150  # at most, and updates between them at least: a bracket takes as long
FEWEST_ROWS, FEWEST_HELD, FEWEST_DISTINCT = 10, 3, 20
COPIED = 1e-3  # probability of counts so even
SCORED_ROWS = 500
ENUMERATED = 16  # units of the smaller layer whose states are summed for every checkpoint
TEMPERATURES, BURN_IN = 200, 100  # of the bracket elsewhere
WORSE = 0.1  # nats
SURE = 2.0  # standard errors by which the rows held out are to gain


@dataclass(frozen=True)
class Learned:
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
        ln Z can be relied on.
    independent_log_likelihood : float
        The same of independent units with the means of the training data.
    history : dict of str to list of float
        ``epoch`` and ``log_likelihood`` of the checkpoints.
    """

    model: RBM
    state: State | None = field(repr=False)
    recipe: Recipe
    epoch: int
    log_likelihood: float
    independent_log_likelihood: float
    history: dict[str, list[float]] = field(repr=False)


def start_from(rows: SpinArray, n_hidden: int, rng: np.random.Generator) -> RBM:
    """Return a machine with small random weights whose units have the means of the data.

    Visible biases are ``artanh(mean · n/(n + 1))`` of n rows; hidden ones ``−Wᵀ tanh(b)``, so that hidden
    units begin near 0.

    Examples
    --------
    >>> rows = np.array([[1, 1], [1, -1], [1, 1]], dtype=np.int8)
    >>> start_from(rows, 2, np.random.default_rng(1)).visible_bias
    array([0.973 , 0.2554])
    """
    n = len(rows)
    bias = np.arctanh(rows.mean(axis=0, dtype=np.float64) * n / (n + 1))
    weights = rng.normal(0.0, START, (rows.shape[1], n_hidden))
    return RBM(weights, bias, -weights.T @ np.tanh(bias))


def learn(
    rows: object,
    n_hidden: int,
    recipe: Recipe | None = None,
    *,
    rng: object = None,
    progress: Progress | None = None,
) -> Learned:
    """Train a machine by a recipe whose open settings are chosen from the data.

    At up to twenty checkpoints the machine is judged by the likelihood of the rows held out, with ln Z summed
    where the smaller layer has at most 16 units, and bracketed elsewhere; the best of them is taken.

    Parameters
    ----------
    rows : array_like, shape (n, n_visible)
        Spins ±1.
    n_hidden : int
        Hidden units.
    recipe : Recipe, optional
        What is not to be chosen.
    rng : numpy.random.Generator or int
        Generator or seed.
    progress : callable, optional
        ``progress(done, total)`` in epochs.

    Returns
    -------
    Learned
        The machine and how it was found.

    Warns
    -----
    LikelihoodWarning
        If the machine is worse than independent units.

    Examples
    --------
    >>> from rbmflow import Ring
    >>> found = learn(Ring(6).sample(0.7, 500, rng=1), 4, rng=1)
    >>> found.log_likelihood > found.independent_log_likelihood
    True
    """
    spins, progress = check_rows(rows), check_progress(progress)
    recipe = Recipe() if recipe is None else recipe
    if not isinstance(recipe, Recipe):
        raise TypeError(f"recipe={shown(recipe)}: a Recipe is needed")
    n_hidden = check_integer("n_hidden", n_hidden, 1)
    check_size(spins.shape[1], n_hidden)
    generator = check_rng(rng)
    trained, held = _split(spins, recipe.held_out, generator)
    choose = bool(len(held))
    begin = start_from(spins, n_hidden, generator)
    judge = _Judge(held if choose else spins[:: -(-len(spins) // SCORED_ROWS)], begin.visible_bias, generator)
    alone = float(judge.alone.mean())
    found, last = _train(begin, trained, recipe.settled(trained), judge, alone, choose, generator, progress)
    if recipe.negative is None and found.recipe.n_epochs and _remembers(last, trained, generator):
        settled = recipe.settled(trained, tempered=True)
        other, _ = _train(begin, trained, settled, judge, alone, choose, generator, progress)
        # between modes that chains do not pass, shares are the better learned of two that are as likely
        if not choose or not judge.surely_better(found, other):
            found = other
    if choose and not judge.surely_better(found):
        independent = RBM(0 * begin.weights, begin.visible_bias)
        found = replace(found, model=independent, state=None, epoch=0, log_likelihood=alone)
    if found.log_likelihood < alone - WORSE:
        warn_caller(
            f"rows {'held out' if choose else 'trained on'} have {found.log_likelihood:.5g} nats each, "
            f"{alone:.5g} with independent units: other settings, or more rows, are needed",
            LikelihoodWarning,
        )
    return found


def _split(rows: SpinArray, share: float, rng: np.random.Generator) -> tuple[SpinArray, SpinArray]:
    """Return the rows to train on and those held out; of copies all or none, and one of each held out.

    Rows that occur more evenly than independent draws could, by Pearson's statistic, are copies.
    """
    from scipy.special import chdtr

    if not share or len(rows) < FEWEST_ROWS:
        return rows, rows[:0]
    _, which, counts = np.unique(
        np.packbits(rows > 0, axis=1), axis=0, return_inverse=True, return_counts=True
    )
    even = len(rows) / len(counts)
    evenness = ((counts - even) ** 2 / even).sum()
    if len(counts) >= FEWEST_DISTINCT and chdtr(len(counts) - 1, evenness) < COPIED:
        which = which.ravel()
    else:
        which = np.arange(len(rows))
    n_kinds = int(which.max()) + 1
    chosen = rng.permutation(n_kinds)[: max(FEWEST_HELD, int(share * n_kinds))]
    held = np.isin(which, chosen)
    _, once = np.unique(which[held], return_index=True)
    return rows[~held], rows[held][once]


class _Judge:
    """Mean likelihoods of some rows."""

    def __init__(self, rows: SpinArray, bias: FloatArray, rng: np.random.Generator) -> None:
        self.rows, self.rng = rows, rng
        self.alone = rows @ bias - np.logaddexp(bias, -bias).sum()  # with independent units

    def surely_better(self, found: Learned, than: Learned | None = None) -> bool:
        """Return whether rows gain, on another or on independent units, by more than they differ in it."""
        before = self.alone if than is None else -than.model.free_energy(self.rows)
        gain = -found.model.free_energy(self.rows) - before
        mean = found.log_likelihood - (float(before.mean()) if than is None else than.log_likelihood)
        return bool(mean > SURE * float(gain.std(ddof=1)) / math.sqrt(len(gain)))

    def __call__(self, model: RBM) -> float:
        """Return that of a machine, −∞ where its ln Z is in doubt or a likelihood would be above 0."""
        if min(model.n_visible, model.n_hidden) <= ENUMERATED:
            found = log_partition(model)
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", LikelihoodWarning)
                found = log_partition(
                    model,
                    "bracket",
                    n_temperatures=TEMPERATURES,
                    burn_in=BURN_IN,
                    rng=self.rng,
                    n_threads=1,
                )
        mean = -float(model.free_energy(self.rows).mean()) - found.value
        return -math.inf if found.doubt or mean > 0 else mean


def _train(
    begin: RBM,
    rows: SpinArray,
    recipe: Recipe,
    judge: _Judge,
    alone: float,
    choose: bool,
    rng: np.random.Generator,
    progress: Progress | None,
) -> tuple[Learned, RBM]:
    """Return the machine that is chosen of a training, and the last one."""
    assert recipe.n_epochs is not None
    assert recipe.negative is not None
    assert recipe.optimizer is not None
    total, mean, n_averaged = recipe.n_epochs, np.zeros(_vector(begin).shape), 0
    n_checkpoints = min(CHECKPOINTS, total, 1 + total * -(-len(rows) // recipe.batch_size) // APART)
    ends = np.unique(np.linspace(0, total, n_checkpoints + 1).astype(int)).tolist()
    last, state, history = begin, None, {"epoch": [0.0], "log_likelihood": [alone]}
    independent = RBM(0 * begin.weights, begin.visible_bias)
    best = Learned(independent if choose else begin, None, recipe, 0, alone, alone, history)
    for done, end in pairwise(ends):
        averaged = end - done if recipe.average and 2 * done >= total else 0
        step = fit(
            begin,
            rows,
            negative=recipe.negative,
            optimizer=recipe.optimizer,
            n_epochs=end - done,
            batch_size=recipe.batch_size,
            l2=0.0 if recipe.l2 is None else recipe.l2,
            centred=bool(recipe.centred),
            average=averaged,
            state=state,
            rng=rng,
            record=(),
            progress=_beyond(done, total, progress),
        )
        last, state = step.model, step.state
        if averaged:
            n_averaged += averaged
            mean += (_vector(last) - mean) * (averaged / n_averaged)
            last = RBM(*split(mean, last.weights.shape))
        if choose or end == total:
            found = judge(last)
            history["epoch"].append(float(end))
            history["log_likelihood"].append(found)
            if found > best.log_likelihood or not choose:
                best = Learned(last, state, recipe, end, found, alone, history)
    return best, last


def _vector(model: RBM) -> FloatArray:
    return np.concatenate([model.weights.ravel(), model.visible_bias, model.hidden_bias])


def _beyond(done: int, total: int, progress: Progress | None) -> Progress | None:
    """Return the progress of epochs after others."""
    return None if progress is None else lambda now, _: progress(done + now, total)


def _remembers(model: RBM, rows: SpinArray, rng: np.random.Generator) -> bool:
    """Return whether chains that begin in the data are still where they began after 200 sweeps.

    By the correlation of the two configurations over rows and units, each less the means of the data.
    """
    before = rows[rng.integers(len(rows), size=MEMORY_CHAINS)]
    after = block_gibbs(model, n_sweeps=MEMORY_SWEEPS, rng=rng, initial=before, n_threads=1).visible
    mean = rows.mean(axis=0)
    first, second = before - mean, after - mean
    scale = math.sqrt(float((first**2).sum()) * float((second**2).sum()))
    return scale > 0 and float((first * second).sum()) / scale > REMEMBERED
