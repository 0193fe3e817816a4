"""The spread of scores, from which the errors of a largest likelihood follow, for rows that may be chains."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rbmflow.arguments import FloatArray


def spread_of_scores(
    scores: Iterator[FloatArray],
    n_scores: int,
    weights: FloatArray,
    n_chains: int,
    per_chain: int | None,
) -> tuple[FloatArray, FloatArray, int]:
    """Return the covariance of the sum of all scores, estimated from the spread of units.

    A unit is a row, or where `per_chain` is given one of so many blocks of rows of each chain.

    Parameters
    ----------
    scores : iterator of numpy.ndarray
        Those of rows, in batches, chain after chain.
    n_scores : int
        How many each row has.
    weights : numpy.ndarray, shape (n_samples,)
        By which to multiply them.
    n_chains : int
        Number of chains of equal length.
    per_chain : int, optional
        Number of blocks of each.

    Returns
    -------
    tuple of numpy.ndarray, numpy.ndarray and int
        The covariance; for each score the correlation of a unit with the next one of its chain; and of how
        many pairs of units it is the mean.
    """
    weighted = _weighted(scores, weights)
    if per_chain is not None:
        return _of_blocks(weighted, n_scores, len(weights), n_chains, per_chain)
    n = len(weights)
    square, product, last = np.zeros((n_scores, n_scores)), np.zeros(n_scores), np.zeros(n_scores)
    for each in weighted:
        square += each.T @ each
        product += last * each[0] + (each[:-1] * each[1:]).sum(axis=0)
        last = each[-1]
    return square * (n / (n - 1)), _ratio(product, square, n - 1), n - 1


def _weighted(scores: Iterator[FloatArray], weights: FloatArray) -> Iterator[FloatArray]:
    at = 0
    for each in scores:
        yield each * weights[at : at + len(each), None]
        at += len(each)


def _of_blocks(
    weighted: Iterator[FloatArray], n_scores: int, n_samples: int, n_chains: int, per_chain: int
) -> tuple[FloatArray, FloatArray, int]:
    edges = np.linspace(0, n_samples // n_chains, per_chain + 1).astype(int)
    in_chain = np.repeat(np.arange(per_chain), np.diff(edges))
    unit = (np.arange(n_chains)[:, None] * per_chain + in_chain).ravel()
    n_units, at = n_chains * per_chain, 0
    sums = np.zeros((n_units, n_scores))
    for each in weighted:
        np.add.at(sums, unit[at : at + len(each)], each)
        at += len(each)
    square = sums.T @ sums
    chains = sums.reshape(n_chains, per_chain, -1)
    product = (chains[:, :-1] * chains[:, 1:]).sum(axis=(0, 1))
    n_pairs = n_chains * (per_chain - 1)
    return square * (n_units / (n_units - 1)), _ratio(product, square, n_pairs), n_pairs


def _ratio(product: FloatArray, square: FloatArray, n_pairs: int) -> FloatArray:
    whole = square.diagonal()
    unknown = np.full_like(whole, 0.0 if n_pairs else np.nan)
    return np.divide(product, whole, out=unknown, where=(whole > 0) & (n_pairs > 0))
