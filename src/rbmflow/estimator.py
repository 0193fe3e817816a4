"""The scikit-learn face of the restricted Boltzmann machine (extra ``learn``)."""

from __future__ import annotations

import warnings
from dataclasses import fields
from typing import Any, Self

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray, check_integer, check_real_scalar, refuse_mask
from rbmflow.errors import LikelihoodWarning, warn_caller
from rbmflow.likelihood import LogPartition, log_partition
from rbmflow.networks import RBM
from rbmflow.training import Learned, NegativePhase, Recipe, State, fit, learn
from rbmflow.training.learning import START
from rbmflow.training.optimizers import Stepper
from rbmflow.training.recipe import OPTIMIZERS
from rbmflow.training.size import check_size
from rbmflow.training.tempered_samples import sample_model

try:
    from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise ImportError(
        "rbmflow.estimator needs scikit-learn 1.6 or later: pip install rbmflow[learn]"
    ) from error

KEPT_ROWS = 500
"""Rows of the last training that ln Z is checked against."""
SETTINGS = tuple(one.name for one in fields(Recipe) if one.name != "n_epochs")
"""Parameters of the estimator that are those of the recipe."""


class IsingRBM(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A restricted Boltzmann machine of ±1 units as an estimator: real features become spins by a threshold.

    A feature above `threshold` is +1, any other −1. Data that hold only 0 and 1 are refused at a threshold of
    0 or less, where a 0 would silently be a spin: give ``threshold=0.5``, or spins. Before `fit` or
    `partial_fit` every other method raises `sklearn.exceptions.NotFittedError`.

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
    optimizer : SGD, Momentum or Adam, optional
        With a rate, or a schedule, of its own.
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
        self.random_state = random_state

    def fit(self, X: object, y: object = None) -> Self:
        """Train a machine from small random weights and the means of the data on.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
            Training data.
        y : None
            Not used.

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
        spins = self._spins(X, reset=True)
        recipe = self._recipe()
        n_components = check_integer("n_components", self.n_components, 1)
        self._seed_generators()
        found = learn(spins, n_components, recipe, rng=self._rng)
        self.learned_: Learned | None = found
        self._negative = self._phase(found.recipe)
        return self._take(found.model, found.state, spins)

    def partial_fit(self, X: object, y: object = None) -> Self:
        """Pass once through some rows in their order, an update for each `batch_size` of them.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
            Training data.
        y : None
            Not used.

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
        spins = self._spins(X, reset=first)
        recipe = self._recipe()
        if first:
            n_components = check_integer("n_components", self.n_components, 1)
            check_size(spins.shape[1], n_components)
            self._seed_generators()
            begin = RBM(self._rng.normal(0.0, START, (spins.shape[1], n_components)))
            self._take(begin, None, spins)
            self.learned_, self._negative = None, self._phase(recipe.settled(spins))
        trained = fit(
            self.rbm_,
            spins,
            negative=self._negative,
            optimizer=self._stepper(recipe),
            n_epochs=1,
            batch_size=recipe.batch_size,
            l2=0.0 if recipe.l2 is None else recipe.l2,
            centred=bool(recipe.centred),
            shuffle=False,
            state=self.state_,
            rng=self._rng,
            record=(),
        )
        return self._take(trained.model, trained.state, spins)

    def transform(self, X: object) -> FloatArray:
        """Return the means of the hidden units given the data, ``tanh(Wᵀv + c)``.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
            Data.

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
        return np.asarray(self.rbm_.mean_hidden(self._spins(X)))

    def inverse_transform(self, X: object) -> FloatArray:
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

    def score_samples(self, X: object) -> FloatArray:
        """Return the log-likelihood of each row, ``ln p(v)`` in nats.

        ln Z is exact if a layer has at most 26 units; otherwise it is estimated, see `log_partition`, which
        tells its bounds and the effective number of chains.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
            Data.

        Returns
        -------
        numpy.ndarray, shape (n_samples,)
            Log-likelihoods.

        Warns
        -----
        rbmflow.LikelihoodWarning
            If ln Z should not be relied on, with each call; if a likelihood is above 0, which is impossible.

        Examples
        --------
        >>> machine = IsingRBM(1, n_iter=0, random_state=1).fit([[1, -1], [-1, 1]])
        >>> machine.score_samples([[1, 1]])                 # before training: about ln ¼
        array([-1.3863])
        """
        check_is_fitted(self)
        spins = self._spins(X)
        found = self.log_partition()
        if found.doubt:
            warn_caller(f"log-likelihoods: {found.doubt}", LikelihoodWarning)
        return np.asarray(self.rbm_.log_likelihood(spins, log_partition=found.value))

    def score(self, X: object, y: object = None) -> float:
        """Return the mean log-likelihood of the rows, in nats.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
            Data.
        y : None
            Not used.

        Returns
        -------
        float
            The mean of `score_samples`.

        Examples
        --------
        >>> machine = IsingRBM(1, n_iter=0, random_state=1).fit([[1, -1], [-1, 1]])
        >>> print(f"{machine.score([[1, 1], [-1, 1]]):.2f}")
        -1.39
        """
        del y
        return float(self.score_samples(X).mean())

    def log_partition(self) -> LogPartition:
        """Return ln Z of the machine with its error and bounds.

        It is exact, or annealed in both directions with a seed of its own. The estimate of machines
        whose layers both have more than 26 units is checked against up to 500 rows of the last
        training; that it should not be relied on is told by `LogPartition.doubt`, and by a warning of
        `score` and `score_samples`.

        Returns
        -------
        LogPartition
            Computed once after each training.

        Examples
        --------
        >>> IsingRBM(1, n_iter=0, random_state=1).fit([[1, -1], [-1, 1]]).log_partition().stderr
        0.0
        """
        check_is_fitted(self)
        if not self._log_partition:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", LikelihoodWarning)  # it is told where likelihoods are
                found = log_partition(self.rbm_, "auto", data=self._rows, rng=self._seed)
            self._log_partition.append(found)
        return self._log_partition[0]

    def sample(self, n_samples: int = 1, *, n_sweeps: int = 1000) -> SpinArray:
        """Return configurations from the law of the machine; successive calls differ.

        They are independent and exact if a layer has at most 24 units. Otherwise each is the end of a
        chain of its own, from random spins, by block Gibbs sweeps at a ladder of temperatures between which
        chains exchange their places.

        Parameters
        ----------
        n_samples : int
            Number of configurations.
        n_sweeps : int
            Sweeps of each chain where samples are not exact.

        Returns
        -------
        numpy.ndarray of int8, shape (n_samples, n_features)
            Spins.

        Warns
        -----
        rbmflow.ConvergenceWarning
            If the chains have not mixed, or are too few sweeps to tell: modes may then have wrong shares.

        Examples
        --------
        >>> IsingRBM(2, random_state=1).fit([[1, -1], [-1, 1]]).sample(3).shape
        (3, 2)
        """
        check_is_fitted(self)
        return sample_model(self.rbm_, n_samples, n_sweeps, self._rng)

    def gibbs(self, X: object) -> SpinArray:
        """Return the rows after one block Gibbs sweep, v → h → v.

        Successive calls go on with new random numbers.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
            Where to begin.

        Returns
        -------
        numpy.ndarray of int8, shape (n_samples, n_features)
            Spins.

        Examples
        --------
        >>> IsingRBM(2, random_state=1).fit([[1, -1], [-1, 1]]).gibbs([[1, 1]]).shape
        (1, 2)
        """
        check_is_fitted(self)
        hidden = self.rbm_.sample_hidden(self._spins(X), self._rng)
        return self.rbm_.sample_visible(hidden, self._rng)

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

    def _spins(self, X: object, *, reset: bool = False) -> SpinArray:
        """Return the data as spins."""
        refuse_mask("X", X)
        values = validate_data(self, X, dtype=(np.float64, np.float32), reset=reset)
        threshold = check_real_scalar("threshold", self.threshold)
        if threshold <= 0 and (values == 0).any() and np.isin(values, (0, 1)).all():
            raise ValueError(
                f"X holds only 0 and 1, of which none is below threshold={threshold:g}: "
                "give threshold=0.5, or spins 2 * X - 1"
            )
        return np.where(values > threshold, np.int8(1), np.int8(-1))

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

    def _take(self, machine: RBM, state: State | None, spins: SpinArray) -> Self:
        self.rbm_, self.state_ = machine, state
        self._log_partition: list[LogPartition] = []  # of `rbm_`, once it is asked for
        self._rows = spins[:: -(-len(spins) // KEPT_ROWS)].copy()
        return self
