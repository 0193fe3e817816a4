"""Independent configurations of a machine, drawn from its law itself."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from rbmflow.arguments import MAX_SIZE, SpinArray, check_integer, check_rng
from rbmflow.hardware import check_fits
from rbmflow.networks.exact import MAX_LISTED, hidden_law, log_weights, visible_law
from rbmflow.networks.layer_sums import Enumerated, fits_tables, high_log_sums, log_sum
from rbmflow.networks.two_layers import TwoLayers, check_machine, draw_spins
from rbmflow.state_law import StateLaw, normalised

if TYPE_CHECKING:
    from rbmflow.typing import RNGLike

MAX_TABLE = 16  # units of a layer from whose law samples are looked up
FEW_UNITS = 8  # units of which all states are weighed at once


def sample_exactly(rbm: TwoLayers, size: int, *, rng: RNGLike) -> SpinArray:
    """Return independent visible configurations from p(v).

    The smaller layer is drawn from its law, the other given it.

    Time O(2^n m) once, and O(M N) for each sample; n is the size of the smaller layer, m that of the other.

    Parameters
    ----------
    rbm : RBM
        A machine one of whose layers has at most 24 units.
    size : int
        Number of configurations, at least 0.
    rng : numpy.random.Generator or int
        Source of randomness, or a seed.

    Returns
    -------
    numpy.ndarray of int8, shape (size, n_visible)
        The spins.

    Raises
    ------
    ValueError
        If both layers have more than 24 units.

    See Also
    --------
    rbmflow.sampling.block_gibbs : Chains, for larger machines.

    Examples
    --------
    >>> from rbmflow import RBM
    >>> sample_exactly(RBM.uniform(3, 2, 0.4), 5, rng=1).shape
    (5, 3)
    """
    size = check_integer("size", size, 0, MAX_SIZE)
    check_fits("size", size, 16 + check_machine("rbm", rbm).n_visible + rbm.n_hidden)
    generator = check_rng(rng)
    smaller = min(check_machine("rbm", rbm).n_visible, rbm.n_hidden)
    check_integer("rbm.n_visible, rbm.n_hidden: the smaller one", smaller, 1, MAX_LISTED)
    of_visible = rbm.n_visible <= rbm.n_hidden
    if smaller <= MAX_TABLE:
        drawn = _draw(visible_law(rbm) if of_visible else hidden_law(rbm), size, generator)
    else:
        seen = (
            Enumerated(rbm.weights.T, rbm.hidden_bias, rbm.visible_bias)
            if of_visible
            else Enumerated(rbm.weights, rbm.visible_bias, rbm.hidden_bias)
        )
        halve = _draw_by_halves if fits_tables(seen) else _draw_by_chunks
        drawn = generator.permutation(halve(seen, size, generator))
    return drawn if of_visible else draw_spins(rbm.field_on_visible(drawn), generator)


def _draw_by_halves(seen: Enumerated, size: int, rng: np.random.Generator) -> SpinArray:
    """Return states, like ones together.

    The last units are drawn from their law, then one after the other given those, then the first.
    """
    drawn, logs = np.empty((size, len(seen.bias)), dtype=np.int8), high_log_sums(seen, 1)
    assert logs is not None
    n_high = len(logs).bit_length() - 1
    chosen = np.sort(rng.choice(len(logs), size, p=normalised(logs)))
    n = len(seen.bias) - n_high
    drawn[:, n:] = 2 * ((chosen[:, None] >> np.arange(n_high)) & 1) - 1
    starts = np.flatnonzero(np.diff(chosen, prepend=-1)).tolist()
    groups = [(n, first, last) for first, last in pairwise([*starts, size])]
    while groups:
        n, first, last = groups.pop()
        rest = Enumerated(
            seen.weights[:, :n], seen.traced_bias + seen.weights[:, n:] @ drawn[first, n:], seen.bias[:n]
        )
        if n <= FEW_UNITS:
            ((states, log_weight),) = log_weights(rest)
            drawn[first:last, :n] = states[rng.choice(len(states), last - first, p=normalised(log_weight))]
            continue
        down, up = (_last_fixed(rest, sign) for sign in (-1, 1))
        middle = last - rng.binomial(last - first, np.exp(up - np.logaddexp(down, up)))
        drawn[first:middle, n - 1], drawn[middle:last, n - 1] = -1, 1
        groups += [(n - 1, *ends) for ends in ((first, middle), (middle, last)) if ends[0] < ends[1]]
    return drawn


def _last_fixed(seen: Enumerated, sign: int) -> float:
    """Return ln of the sum over the states whose last unit is `sign`."""
    fixed = Enumerated(seen.weights[:, :-1], seen.traced_bias + sign * seen.weights[:, -1], seen.bias[:-1])
    found = log_sum(fixed, 1)
    assert found is not None  # what fits tables does so with fewer units
    return found + sign * float(seen.bias[-1])


def _draw_by_chunks(seen: Enumerated, size: int, rng: np.random.Generator) -> SpinArray:
    """Return states where the weights are too large for tables of exponentials.

    The chunk is drawn from its law, then a state of it.
    """
    logs = np.array([np.logaddexp.reduce(log_weight) for _, log_weight in log_weights(seen)])
    counts = rng.multinomial(size, normalised(logs))
    parts = [
        states[rng.choice(len(states), count, p=normalised(log_weight))]
        for count, (states, log_weight) in zip(counts, log_weights(seen), strict=True)
        if count
    ]
    return np.concatenate([np.empty((0, len(seen.bias)), dtype=np.int8), *parts])


def _draw(law: StateLaw, size: int, rng: np.random.Generator) -> SpinArray:
    cumulated = np.cumsum(law.probabilities)
    chosen = np.searchsorted(cumulated, rng.random(size) * cumulated[-1], side="right")
    return np.asarray(law.states[np.minimum(chosen, len(cumulated) - 1)], dtype=np.int8)
