"""The pseudo-likelihood of machines of pairs, which needs no ln Z."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rbmflow.networks.pairwise import Pairwise, check_pairwise
from rbmflow.spins import check_spins

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike


def boltzmann_pseudo_likelihood(machine: Pairwise, x: ArrayLike) -> Any:
    """Return ``Σ_i ln p(x_i | all other units)`` over the visible units, at T = 1.

    With ``p(x_i | …) = 1/(1 + e^(−2 x_i a_i))`` (thesis eq. 17). Of a machine without hidden units it is the
    logarithm of Besag's pseudo-likelihood (Statistician 24, 179 (1975)): of many rows of a machine it is
    largest, on average, at the parameters of that machine, as the likelihood is, and for independent units
    the two are the same.

    Time O(n²) for each state.

    Parameters
    ----------
    machine : BoltzmannMachine or Hopfield
        Of any size.
    x : array_like, shape (..., n_units)
        States of all units, ±1.

    Returns
    -------
    float or numpy.ndarray
        In the leading shape, in nats, at most 0.

    Examples
    --------
    >>> from rbmflow.networks import BoltzmannMachine
    >>> coins = BoltzmannMachine([[0, 0.0], [0.0, 0]])
    >>> float(boltzmann_pseudo_likelihood(coins, [1, -1]) / np.log(2))
    -2.0
    """
    pairs = check_pairwise("machine", machine)
    state, n = check_spins("x", x, pairs.n_units), pairs.n_visible
    return -np.logaddexp(0.0, -2 * state * pairs.activation(state))[..., :n].sum(axis=-1)
