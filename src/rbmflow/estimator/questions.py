"""What an estimator is asked once it is trained: likelihoods, samples, what is missing."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from sklearn.utils.validation import check_is_fitted

from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.errors import LikelihoodWarning, warn_caller
from rbmflow.estimator.features import read_features, refuse_gaps
from rbmflow.likelihood import LogPartition, log_partition
from rbmflow.networks import RBM
from rbmflow.sampling import Completion, complete
from rbmflow.training.data import Data
from rbmflow.training.tempered_samples import sample_model

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, Features


class Questions:
    """Methods of an estimator whose machine is `rbm_`."""

    rbm_: RBM
    n_threads: int | None
    _rng: np.random.Generator
    _seed: int
    _rows: SpinArray | None
    _log_partition: list[LogPartition]

    def score_samples(self, X: Features) -> FloatArray:
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
        >>> from rbmflow.estimator import IsingRBM
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

    def score(self, X: Features, y: object = None) -> float:
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
        >>> from rbmflow.estimator import IsingRBM
        >>> machine = IsingRBM(1, n_iter=0, random_state=1).fit([[1, -1], [-1, 1]])
        >>> print(f"{machine.score([[1, 1], [-1, 1]]):.2f}")
        -1.39
        """
        del y
        return float(self.score_samples(X).mean())

    def complete(self, X: Features, *, n_chains: int = 100, n_sweeps: int = 200) -> Completion:
        """Return rows whose missing values, NaN, are drawn from the law of the machine given the others.

        Successive calls draw new numbers.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
            Data; where they are grey, known features are clamped to the likelier spin.
        n_chains : int
            Samples of each row.
        n_sweeps : int
            Sweeps of each chain.

        Returns
        -------
        rbmflow.sampling.Completion
            Conditional means, their standard errors, and samples, all in units of ±1.

        Examples
        --------
        >>> from rbmflow.estimator import IsingRBM
        >>> machine = IsingRBM(2, random_state=1).fit([[1, -1], [-1, 1]] * 50)
        >>> machine.complete([[1, np.nan]], n_chains=10).samples.shape
        (1, 10, 2)
        """
        check_is_fitted(self)
        return self._completed(self._data(X), n_chains, n_sweeps, self._rng)

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
        >>> from rbmflow.estimator import IsingRBM
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
        chain of its own, by block Gibbs sweeps at a ladder of temperatures between which chains exchange
        their places.

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
        >>> from rbmflow.estimator import IsingRBM
        >>> IsingRBM(2, random_state=1).fit([[1, -1], [-1, 1]]).sample(3).shape
        (3, 2)
        """
        check_is_fitted(self)
        return sample_model(self.rbm_, n_samples, n_sweeps, self._rng)

    def gibbs(self, X: Features) -> SpinArray:
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
        >>> from rbmflow.estimator import IsingRBM
        >>> IsingRBM(2, random_state=1).fit([[1, -1], [-1, 1]]).gibbs([[1, 1]]).shape
        (1, 2)
        """
        check_is_fitted(self)
        hidden = self.rbm_.sample_hidden(self._spins(X), self._rng)
        return self.rbm_.sample_visible(hidden, self._rng)

    def _data(self, X: Features, *, reset: bool = False, sample_weight: ArrayLike | None = None) -> Data:
        return read_features(self, X, reset=reset, sample_weight=sample_weight)

    def _spins(self, X: Features) -> SpinArray:
        """Return whole rows as spins; grey ones are drawn, always with the same numbers."""
        data = self._data(X)
        refuse_gaps(data)
        data.draw_grey(np.random.default_rng(self._seed))
        return data.rows

    def _completed(self, data: Data, n_chains: int, n_sweeps: int, rng: np.random.Generator) -> Completion:
        spins = data.rows if data.up is None else np.where(data.up > 0.5, 1, -1)
        rows = spins if data.missing is None else np.where(data.missing, np.nan, spins)
        return complete(
            self.rbm_, rows, n_chains=n_chains, n_sweeps=n_sweeps, rng=rng, n_threads=self.n_threads
        )
