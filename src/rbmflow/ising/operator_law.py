"""The law of couplings of any order over all states of a few spins.

Sets of sites and states have the same numbers: bit i is 1 where site i is in the set, or up. Two Walsh
transforms lead from couplings of sets to the logarithms of weights of states, and from probabilities of
states to mean products of sets.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rbmflow._kernels import walsh
from rbmflow.arguments import FloatArray, check_real_scalar, shown
from rbmflow.hardware import simd_level
from rbmflow.ising.operators import Operators, Shape, check_operators, check_shape, sites_of
from rbmflow.state_law import StateLaw, law_of_all

if TYPE_CHECKING:
    from rbmflow.typing import Number

MAX_SITES = 24
LARGEST = 1e100
"""Coupling, so that sums of them are numbers."""


def operator_law(
    shape: Shape, couplings: Mapping[str, Number], *, operators: Operators | None = None
) -> StateLaw:
    """Return ``p(v) = e^(Σ_α K_α S_α(v))/Z`` over all states of a small ring or torus.

    Time O(2^n n) for n sites.

    Parameters
    ----------
    shape : int, tuple of int or lattice
        The sides of a ring or a torus of at most 24 sites, or one itself.
    couplings : dict of str to float
        K_α by the name of the operator: one of `RING_OPERATORS`, or of `EVEN_OPERATORS` and `ODD_OPERATORS`
        on a torus, or of `operators`.
    operators : dict, optional
        Products of operators of one's own, by name, as `infer` takes them.

    Returns
    -------
    StateLaw
        The states in the order of `spins.all_states`.

    Raises
    ------
    ValueError
        If there are more sites, or a name is not known.

    See Also
    --------
    infer : The way back.
    state_law : With a coupling of neighbours alone, on any lattice.

    Examples
    --------
    >>> law = operator_law(9, {"nearest neighbours": 0.3, "row of three": 0.2})
    >>> law.means[0]
    np.float64(0.1886)
    """
    sides = check_shape(shape)
    check_listed("shape", sides, MAX_SITES)
    if not isinstance(couplings, Mapping):
        raise TypeError(f"couplings={shown(couplings)}: a dict of names and numbers is needed")
    own = {} if operators is None else check_operators(operators, sides)
    rest = [name for name in couplings if name not in own]
    named = own | (check_operators(rest, sides) if rest or not own else {})
    given = {name: _finite(name, K) for name, K in couplings.items()}
    sets = {name: sets_of(sites_of(named[name], sides)) for name in given}
    of_sets = np.zeros(2 ** math.prod(sides))
    for name, K in given.items():
        np.add.at(of_sets, sets[name], K)
    return law_of_all(log_weights(of_sets))


def check_listed(name: str, sides: tuple[int, ...], most: int) -> None:
    """Raise where a lattice has more sites than states can be listed of."""
    if math.prod(sides) > most:
        raise ValueError(
            f"{name}={shown(sides)} has {math.prod(sides)} sites: at most {most} are possible "
            "where all states are listed"
        )


def _finite(name: str, K: object) -> float:
    value = check_real_scalar(f"couplings[{name!r}]", K)
    if not abs(value) <= LARGEST:
        raise ValueError(f"couplings[{name!r}]={shown(K)}: a number of at most {LARGEST:g} is needed")
    return value


def sets_of(sites: list[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
    """Return the numbers of the sets of sites that products are of.

    Examples
    --------
    >>> sets_of([np.array([[0, 1], [1, 2]]), np.array([[3]])])
    array([3, 6, 8])
    """
    return np.concatenate([(np.int64(1) << one).sum(axis=1) for one in sites])


def log_weights(couplings: FloatArray) -> FloatArray:
    """Return ``Σ_S J_S Π_(i in S) v_i`` of every state.

    Examples
    --------
    >>> log_weights(np.array([0.0, 0.5, 0.25, 0.0]))
    array([-0.75,  0.25, -0.25,  0.75])
    """
    turned = couplings[::-1].copy()
    walsh.transform(turned, len(turned).bit_length() - 1, simd_level())
    return turned[::-1].copy()


def mean_products(probabilities: FloatArray) -> FloatArray:
    """Return ``⟨Π_(i in S) v_i⟩`` of every set.

    Examples
    --------
    >>> mean_products(np.array([0.5, 0.0, 0.0, 0.5]))
    array([1., 0., 0., 1.])
    """
    means = probabilities.copy()
    walsh.transform(means, len(means).bit_length() - 1, simd_level())
    return means
