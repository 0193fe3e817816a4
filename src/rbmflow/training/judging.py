"""Rows that are not trained on, and what they say of a machine."""

from __future__ import annotations

import math
import warnings

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.errors import LikelihoodWarning
from rbmflow.likelihood import log_partition
from rbmflow.networks import RBM
from rbmflow.sampling import block_gibbs
from rbmflow.training.data import Data

FEWEST_ROWS, FEWEST_HELD, FEWEST_DISTINCT = 10, 3, 20
COPIED = 1e-3  # probability of counts so even
ENUMERATED = 16  # units of the smaller layer whose states are summed for every checkpoint
TEMPERATURES, BURN_IN = 200, 100  # of the bracket elsewhere
SURE = 2.0  # standard errors by which the rows held out are to gain
REMEMBERED, MEMORY_SWEEPS, MEMORY_CHAINS = 0.4, 200, 200


def hold_out(
    data: Data, share: float, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return which rows to train on and which are held out; of copies all or none, and one of each held out.

    Rows that occur more evenly than independent draws could, by Pearson's statistic, are copies. Rows with
    gaps are trained on.
    """
    from scipy.special import chdtr

    everything, nothing = np.arange(data.n_rows), np.arange(0)
    whole = everything if data.missing is None else np.flatnonzero(~data.missing.any(axis=1))
    if not share or len(whole) < FEWEST_ROWS:
        return everything, nothing
    _, which, counts = np.unique(
        np.packbits(data.rows[whole] > 0, axis=1), axis=0, return_inverse=True, return_counts=True
    )
    even = len(whole) / len(counts)
    evenness = ((counts - even) ** 2 / even).sum()
    if data.up is None and len(counts) >= FEWEST_DISTINCT and chdtr(len(counts) - 1, evenness) < COPIED:
        which = which.ravel()
    else:
        which = np.arange(len(whole))
    n_kinds = int(which.max()) + 1
    chosen = rng.permutation(n_kinds)[: max(FEWEST_HELD, int(share * n_kinds))]
    held = np.isin(which, chosen)
    _, once = np.unique(which[held], return_index=True)
    return np.setdiff1d(everything, whole[held]), whole[held][once]


class Judge:
    """Mean likelihoods of some rows, each as often as it counts."""

    rows: SpinArray
    counts: FloatArray | None
    rng: np.random.Generator
    n_threads: int
    error: float
    alone: FloatArray

    def __init__(
        self,
        rows: SpinArray,
        counts: FloatArray | None,
        bias: FloatArray,
        rng: np.random.Generator,
        n_threads: int,
    ) -> None:
        self.rows, self.counts, self.rng, self.n_threads = rows, counts, rng, n_threads
        self.error = 0.0  # standard error of ln Z of the machine that was judged last
        self.alone = rows @ bias - np.logaddexp(bias, -bias).sum()  # with independent units

    def mean(self, values: FloatArray) -> float:
        """Return the mean over rows, NaN of none."""
        return float(np.average(values, weights=self.counts)) if len(values) else math.nan

    def surely_better(
        self, model: RBM, mean: float, than: RBM | None, before: float, *, bracket: float = 0.0
    ) -> bool:
        """Return whether rows gain on another machine, or on independent units, by more than chance.

        `mean` and `before` are the mean likelihoods of both, `bracket` the standard error of their
        difference by the estimates of ln Z.
        """
        other = self.alone if than is None else -than.free_energy(self.rows)
        gain = -model.free_energy(self.rows) - other
        if self.counts is None:
            error = float(gain.std(ddof=1)) / math.sqrt(len(gain))
        else:
            share = self.counts / self.counts.sum()
            spread = float(share @ (gain - share @ gain) ** 2)
            error = math.sqrt(spread * float((share**2).sum()))
        return bool(mean - before > SURE * math.hypot(error, bracket))

    def surely_better_anew(self, model: RBM, than: RBM) -> bool:
        """Return the same of two machines that are judged once more, so that none is the luckiest of many."""
        means, errors = [], []
        for one in (model, than):
            means.append(self(one))
            errors.append(self.error if means[-1] > -math.inf else 0.0)
        return self.surely_better(model, means[0], than, means[1], bracket=math.hypot(*errors))

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
                    n_threads=self.n_threads,
                )
        self.error = found.stderr
        mean = -self.mean(model.free_energy(self.rows)) - found.value
        return -math.inf if found.doubt or mean > 0 else mean


def remembers(model: RBM, rows: SpinArray, rng: np.random.Generator) -> bool:
    """Return whether chains that begin in the data are still where they began after 200 sweeps.

    By the correlation of the two configurations over rows and units, each less the means of the data.
    """
    before = rows[rng.integers(len(rows), size=MEMORY_CHAINS)]
    after = block_gibbs(model, n_sweeps=MEMORY_SWEEPS, rng=rng, initial=before, n_threads=1).visible
    mean = rows.mean(axis=0)
    first, second = before - mean, after - mean
    scale = math.sqrt(float((first**2).sum()) * float((second**2).sum()))
    return scale > 0 and float((first * second).sum()) / scale > REMEMBERED
