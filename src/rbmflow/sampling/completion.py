"""Rows with gaps, completed by the law of a machine given what is known of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray, SpinArray, as_array, check_integer, check_rng, shown
from rbmflow.hardware import check_fits
from rbmflow.networks import RBM
from rbmflow.records import Record
from rbmflow.sampling.block_gibbs import MAX_CHAINS, block_gibbs
from rbmflow.spins import check_spins
from rbmflow.workers import Progress, check_progress

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, RNGLike

CHAINS_AT_ONCE = 8192
FEWEST_SWEEPS = 2


@dataclass(frozen=True, eq=False)
class Completion(Record):
    """What chains say of missing spins.

    Attributes
    ----------
    means : numpy.ndarray, shape (n, n_visible)
        Means of the missing spins given the others of their row; the known spins as they are.
    stderr : numpy.ndarray, shape (n, n_visible)
        Standard errors of these, from the spread between chains; 0 where spins are known.
    samples : numpy.ndarray of int8, shape (n, n_chains, n_visible)
        Whole rows: the last of each chain.
    """

    means: FloatArray
    stderr: FloatArray
    samples: SpinArray = field(repr=False)


def complete(
    rbm: RBM,
    rows: ArrayLike,
    *,
    n_chains: int = 100,
    n_sweeps: int = 200,
    rng: RNGLike = None,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> Completion:
    """Draw what is missing in rows from the law of a machine given what is known, ``p(v_missing | v_known)``.

    Each row has chains of its own, whose missing units begin at random and whose known ones are clamped.
    Means are those of ``tanh(b + W h)`` over the second half of the sweeps, the conditional means given the
    hidden spins (Rao-Blackwell). Chains that do not pass between modes show in their standard errors.

    Time O(M N) for each row, chain and sweep.

    Parameters
    ----------
    rbm : RBM
        The machine.
    rows : array_like, shape (n, n_visible)
        Spins ±1, NaN where one is missing.
    n_chains : int
        Chains for each row, at least 2.
    n_sweeps : int
        Sweeps of each, at least 2.
    rng : numpy.random.Generator or int
        Generator or seed.
    n_threads : int, optional
        Threads; the result does not depend on it.
    progress : callable, optional
        ``progress(done, total)`` in rows.

    Returns
    -------
    Completion
        Means, standard errors and samples.

    Raises
    ------
    ValueError
        If a value is neither a spin nor NaN.
    MemoryError
        If the samples do not fit into memory.

    See Also
    --------
    rbmflow.training.Incomplete : Train on rows with gaps.

    Examples
    --------
    >>> machine = RBM([[2.0], [2.0]])                      # two units that are alike, nearly always
    >>> found = complete(machine, [[1, np.nan]], rng=1)
    >>> bool(abs(found.means[0, 1] - np.tanh(2) ** 2) < 5 * found.stderr[0, 1])
    True
    """
    if not isinstance(rbm, RBM):
        raise TypeError(f"rbm={shown(rbm)}: an RBM is needed")
    spins, missing = check_gaps("rows", rows, rbm.n_visible)
    n_chains = check_integer("n_chains", n_chains, 2, MAX_CHAINS)
    n_sweeps = check_integer("n_sweeps", n_sweeps, FEWEST_SWEEPS)
    source, progress = check_rng(rng), check_progress(progress)
    check_fits("n_chains", n_chains, spins.size, f"complete fewer than {len(spins)} rows at a time")
    means, stderr = spins.astype(np.float64), np.zeros(spins.shape)
    samples = np.repeat(spins[:, None], n_chains, axis=1)
    some = np.flatnonzero(missing.any(axis=1))
    at_once = max(1, CHAINS_AT_ONCE // n_chains)
    for first in range(0, len(some), at_once):
        at = some[first : first + at_once]
        gaps, own = missing[at], source.spawn(1)[0]
        averages, samples[at] = _averages(rbm, samples[at], gaps, n_sweeps, own, n_threads)
        means[at] = np.where(gaps, averages.mean(axis=1), means[at])
        stderr[at] = np.where(gaps, averages.std(axis=1, ddof=1) / np.sqrt(n_chains), 0.0)
        if progress is not None:
            progress(min(first + at_once, len(some)), len(some))
    return Completion(means, stderr, samples)


def _averages(
    rbm: RBM,
    rows: SpinArray,
    missing: npt.NDArray[np.bool_],
    n_sweeps: int,
    rng: np.random.Generator,
    n_threads: int | None,
) -> tuple[FloatArray, SpinArray]:
    """Return the means of visible units over the sweeps of each chain, and the last spins."""
    n, n_chains, n_visible = rows.shape
    known = np.repeat(~missing, n_chains, axis=0)
    sweep = partial(block_gibbs, rbm, clamped=known, n_threads=n_threads)
    chains = sweep(n_sweeps=n_sweeps // 2, rng=rng, values=rows.reshape(-1, n_visible))
    total, n_measured = np.zeros((n * n_chains, n_visible)), n_sweeps - n_sweeps // 2
    for _ in range(n_measured):
        chains = sweep(n_sweeps=1, initial=chains)
        total += np.tanh(chains.hidden @ rbm.weights.T + rbm.visible_bias)
    return (total / n_measured).reshape(n, n_chains, n_visible), chains.visible.reshape(rows.shape)


def check_gaps(
    name: str, rows: object, n_visible: int | None = None
) -> tuple[SpinArray, npt.NDArray[np.bool_]]:
    """Return rows of spins, 1 where one is missing, and where that is, or raise."""
    values = as_array(name, rows)
    if values.dtype.kind not in "iuf":
        raise TypeError(f"{name} has dtype {values.dtype}: real numbers are needed")
    if values.ndim != 2 or not values.size or n_visible not in (None, values.shape[1]):
        wanted = "n_visible" if n_visible is None else n_visible
        raise ValueError(f"{name} has shape {values.shape}: (n, {wanted}) is needed, n at least 1")
    missing = np.isnan(values)
    return check_spins(name, np.where(missing, 1, values)), missing
