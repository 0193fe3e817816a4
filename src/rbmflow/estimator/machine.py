"""An estimator whose features become the visible units of a machine."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from rbmflow.arguments import FloatArray, check_integer
from rbmflow.estimator.questions import Questions
from rbmflow.likelihood import LogPartition
from rbmflow.networks import RBM
from rbmflow.training import PCD, Learned, NegativePhase, Recipe, State, fit, learn
from rbmflow.training.data import Data
from rbmflow.training.learning import START
from rbmflow.training.optimizers import Stepper
from rbmflow.training.recipe import OPTIMIZERS
from rbmflow.training.size import check_size

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, Features

TRANSFORM_CHAINS, TRANSFORM_SWEEPS = 50, 50  # of each row with gaps
KEPT_ROWS = 500
"""Rows of the last training that ln Z is checked against."""
SETTINGS = tuple(one.name for one in fields(Recipe) if one.name != "n_epochs")
"""Parameters of the estimator that are those of the recipe."""


class IsingRBM(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Questions, BaseEstimator):  # type: ignore[misc]
    """A restricted Boltzmann machine of ±1 units as an estimator: real features become spins by a threshold.

    A feature above `threshold` is +1, any other −1; of truth values, True is +1. Data that hold only 0 and 1
    are refused at a threshold of 0 or less, where a 0 would silently be a spin: give ``threshold=0.5``, or
    spins. With ``grey=True`` features from 0 to 1 are probabilities instead: `fit` draws spins from them,
    anew for each epoch, and `transform` clamps the visible units to their means 2x − 1. NaN stands for a
    missing value: `fit` and `partial_fit` draw it given the others, as `transform` and `complete` do, other
    methods refuse it.
    Sparse matrices (CSR) are taken by all. Before `fit` or `partial_fit` every other method raises
    `sklearn.exceptions.NotFittedError`.

    What is None is chosen from the data, see `rbmflow.training.Recipe`.

    Parameters
    ----------
    n_components : int
        Hidden units.
    learning_rate : float, optional
        Rate of stochastic gradient descent in the first epoch, above 0; in `fit` it falls linearly to 0, in
        `partial_fit` it is constant, 0.01 by default.
    batch_size : int
        Rows to an update.
    n_iter : int, optional
        Epochs of `fit`.
    negative : NegativePhase, optional
        Where the averages over the model come from: CD, PCD, Tempered or Exact of `rbmflow.training`, or one
        of one's own.
    n_chains : int
        Persistent chains, where `negative` is None.
    optimizer : str, SGD, Momentum or Adam, optional
        ``"sgd"``, ``"momentum"`` or ``"adam"``, or one with a rate, or a schedule, of its own.
    l2 : float, optional
        Cost ``½ l2 ΣW²`` per row.
    centred : bool, optional
        Use the centred gradient.
    average : bool
        Take the mean of the parameters over the second half of the epochs.
    held_out : float
        Share of the rows by whose likelihood the machine is chosen among twenty checkpoints; 0 takes the
        last one.
    threshold : float
        Features above it are +1.
    grey : bool
        Whether features are probabilities.
    n_threads : int, optional
        Threads, which change no result.
    random_state : int, numpy.random.RandomState or None
        As everywhere in scikit-learn.

    Attributes
    ----------
    rbm_ : RBM
        The machine.
    components_ : numpy.ndarray, shape (n_components, n_features)
        Its weights, transposed as in `sklearn.neural_network.BernoulliRBM`, in units of ±1.
    intercept_hidden_, intercept_visible_ : numpy.ndarray
        Its biases.
    learned_ : rbmflow.training.Learned or None
        How `fit` found it: settings, epoch, likelihoods of the rows held out beside independent units.
    state_ : rbmflow.training.State
        What `partial_fit` goes on from.
    n_features_in_ : int
        Visible units.

    See Also
    --------
    rbmflow.training.learn : What `fit` does.
    rbmflow.networks.RBM : What `rbm_` is.

    Examples
    --------
    >>> from rbmflow import Ring
    >>> spins = Ring(6).sample(0.7, 2000, rng=1)
    >>> machine = IsingRBM(4, learning_rate=0.05, n_iter=30, random_state=1).fit(spins)
    >>> machine.transform(spins).shape
    (2000, 4)
    >>> bool(machine.score(spins) > -6 * np.log(2))     # better than independent fair spins
    True
    """

    rbm_: RBM
    state_: State | None

    def __init__(
        self,
        n_components: int = 256,
        *,
        learning_rate: float | None = None,
        batch_size: int = 100,
        n_iter: int | None = None,
        negative: Any = None,
        n_chains: int = 100,
        optimizer: Any = None,
        l2: float | None = None,
        centred: bool | None = None,
        average: bool = True,
        held_out: float = 0.1,
        threshold: float = 0.0,
        grey: bool = False,
        n_threads: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.n_components = n_components
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.n_iter = n_iter
        self.negative = negative
        self.n_chains = n_chains
        self.optimizer = optimizer
        self.l2 = l2
        self.centred = centred
        self.average = average
        self.held_out = held_out
        self.threshold = threshold
        self.grey = grey
        self.n_threads = n_threads
        self.random_state = random_state

    def fit(self, X: Features, y: object = None, sample_weight: ArrayLike | None = None) -> Self:
        """Train a machine from small random weights and the means of the data on.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
            Training data.
        y : None
            Not used.
        sample_weight : array_like, shape (n_samples,), optional
            How often each row counts, 1 once, as numbers of observations; weights that are something else,
            such as those that balance classes, need ``held_out=0``.

        Returns
        -------
        IsingRBM
            This estimator.

        Warns
        -----
        rbmflow.LikelihoodWarning
            If the machine is worse than independent units.

        Examples
        --------
        >>> IsingRBM(2, n_iter=1, random_state=1).fit([[1, -1], [-1, 1]]).rbm_.n_hidden
        2
        """
        del y
        data = self._data(X, reset=True, sample_weight=sample_weight)
        data.check_known("X")
        recipe = self._recipe()
        n_components = check_integer("n_components", self.n_components, 1)
        self._seed_generators()
        found = learn(data, n_components, recipe, rng=self._rng, n_threads=self.n_threads)
        self.learned_: Learned | None = found
        self._negative = self._phase(found.recipe)
        return self._take(found.model, found.state, data)

    def partial_fit(self, X: Features, y: object = None, sample_weight: ArrayLike | None = None) -> Self:
        """Pass once through some rows in their order, an update for each `batch_size` of them.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
            Training data.
        y : None
            Not used.
        sample_weight : array_like, shape (n_samples,), optional
            How often each row counts, 1 once.

        Returns
        -------
        IsingRBM
            This estimator.

        Examples
        --------
        >>> IsingRBM(2, random_state=1).partial_fit([[1, -1]]).partial_fit([[-1, 1]]).state_.n_updates
        2
        """
        del y
        first = not hasattr(self, "rbm_")
        data = self._data(X, reset=first, sample_weight=sample_weight)
        n_features = data.rows.shape[1]
        recipe = self._recipe()
        if first:
            n_components = check_integer("n_components", self.n_components, 1)
            check_size(n_features, n_components)
            self._seed_generators()
            begin = RBM(self._rng.normal(0.0, START, (n_features, n_components)))
            self._take(begin, None, data)
            self.learned_, self._negative = None, recipe.negative or PCD(1, recipe.n_chains)
        state = self.state_
        if state is None and not self.rbm_.weights.any():  # independent units: no gradient leads away
            noise = self._rng.normal(0.0, START, self.rbm_.weights.shape)
            self.rbm_ = RBM(noise, self.rbm_.visible_bias, self.rbm_.hidden_bias)
        trained = fit(
            self.rbm_,
            data,
            negative=self._negative,
            optimizer=self._stepper(recipe),
            n_epochs=1,
            batch_size=recipe.batch_size,
            l2=0.0 if recipe.l2 is None else recipe.l2,
            centred=bool(recipe.centred),
            shuffle=False,
            state=None if state is None else replace(state, rows=np.empty((0, 0), dtype=np.int8)),
            rng=self._rng,
            record=(),
            n_threads=self.n_threads,
        )
        return self._take(trained.model, trained.state, data)

    def transform(self, X: Features) -> FloatArray:
        """Return the means of the hidden units given the data, ``tanh(Wᵀv + c)``, v = 2x − 1 of grey ones.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
            Data; where values are missing, the mean over fifty completions of the row, always the same ones.

        Returns
        -------
        numpy.ndarray, shape (n_samples, n_components)
            Between −1 and 1.

        Examples
        --------
        >>> IsingRBM(2, random_state=1).fit([[1, -1], [-1, 1]]).transform([[1, 1]]).shape
        (1, 2)
        """
        check_is_fitted(self)
        data = self._data(X)
        if data.missing is not None:
            drawn = self._completed(
                data, TRANSFORM_CHAINS, TRANSFORM_SWEEPS, np.random.default_rng(self._seed)
            )
            return np.asarray(self.rbm_.mean_hidden(drawn.samples).mean(axis=1))
        means = data.rows if data.up is None else 2 * data.up - 1
        return np.asarray(np.tanh(means @ self.rbm_.weights + self.rbm_.hidden_bias))

    def inverse_transform(self, X: ArrayLike) -> FloatArray:
        """Return the means of the visible units given those of the hidden ones, ``tanh(Wh + b)``.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_components)
            Hidden spins or means, between −1 and 1.

        Returns
        -------
        numpy.ndarray, shape (n_samples, n_features)
            Between −1 and 1.

        Examples
        --------
        >>> machine = IsingRBM(2, random_state=1).fit([[1, -1], [-1, 1]])
        >>> machine.inverse_transform(machine.transform([[1, 1]])).shape
        (1, 2)
        """
        check_is_fitted(self)
        return np.asarray(self.rbm_.mean_visible(X))

    @property
    def components_(self) -> FloatArray:
        """Weights, shape ``(n_components, n_features)``."""
        return self.rbm_.weights.T

    @property
    def intercept_hidden_(self) -> FloatArray:
        """Biases of the hidden units."""
        return self.rbm_.hidden_bias

    @property
    def intercept_visible_(self) -> FloatArray:
        """Biases of the visible units."""
        return self.rbm_.visible_bias

    @property
    def _n_features_out(self) -> int:
        return self.rbm_.n_hidden

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn wants to know: sparse matrices and missing values are taken."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = tags.input_tags.allow_nan = True
        return tags

    def _recipe(self) -> Recipe:
        """Return what is not to be chosen from the data."""
        if self.n_iter is not None:
            check_integer("n_iter", self.n_iter, 0)
        return Recipe(n_epochs=self.n_iter, **{name: getattr(self, name) for name in SETTINGS})

    def _stepper(self, recipe: Recipe) -> Stepper:
        """Return the optimiser of `partial_fit`, at a constant rate: half of that in which `fit` begins."""
        if isinstance(recipe.optimizer, Stepper):
            return recipe.optimizer
        kind, rate = OPTIMIZERS[recipe.optimizer or "sgd"]
        found: Stepper = kind(rate / 2 if recipe.learning_rate is None else recipe.learning_rate)
        return found

    def _phase(self, settled: Recipe) -> NegativePhase:
        assert settled.negative is not None
        return settled.negative

    def _seed_generators(self) -> None:
        self._seed = int(check_random_state(self.random_state).randint(2**31))
        self._rng = np.random.default_rng(self._seed)

    def _take(self, machine: RBM, state: State | None, data: Data) -> Self:
        self.rbm_, self.state_ = machine, state
        self._log_partition: list[LogPartition] = []  # of `rbm_`, once it is asked for
        data.draw_grey(np.random.default_rng(self._seed))
        whole = data.whole(KEPT_ROWS)
        self._rows = whole.rows if whole.n_rows else None
        return self
