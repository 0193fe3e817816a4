"""What a law says of the weights that make it: a bound on the largest singular value, for every machine.

Traced over its hidden layer an RBM has ``ln p(v) = Σ_j ln cosh(w_j·v) + const``, w_j the columns of W. With
v = u, the most likely state, and any other v', since ``0 ≤ ln cosh x ≤ x²/2``::

    ln p(u) − ln p(v') ≤ Σ_j ln cosh(w_j·u) ≤ |Wᵀu|²/2 ≤ M s₁²/2

The middle is at most ``N ln cosh(s₁ √(M/N))``, as ln cosh √y is concave. Where a symmetry that keeps u moves
v' over states of mean m u, the left side gains ``Σ_j ln cosh(m w_j·u)`` by Jensen's inequality, and
``ln cosh x − ln cosh m x`` takes the place of ln cosh x; it is concave in x² too. Biases change nothing: the
even part of a term, ``½ [ln cosh(x + c) + ln cosh(x − c)]``, is convex and rises less than ln cosh x.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import numpy as np

from rbmflow.arguments import FloatArray, check_broadcast, check_finite, shown
from rbmflow.ising.bonds import pair_sums
from rbmflow.ising.graph import check_equal_bonds
from rbmflow.ising.lattice import Lattice, Periodic
from rbmflow.ising.ring import Ring
from rbmflow.ising.state_law import MAX_SITES
from rbmflow.spins import all_states
from rbmflow.state_law import StateLaw

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, Integer, Number

MAX_STEPS = 200  # of Newton's method, which takes about ten


@overload
def singular_value_bound(lattice: Lattice, K: Number, n_hidden: Integer | None = None) -> float: ...
@overload
def singular_value_bound(lattice: Lattice, K: Number, n_hidden: ArrayLike) -> FloatArray: ...
@overload
def singular_value_bound(
    lattice: Lattice, K: ArrayLike, n_hidden: Integer | ArrayLike | None = None
) -> FloatArray: ...
def singular_value_bound(lattice: Lattice, K: object, n_hidden: object = None) -> Any:
    """Return what the largest singular value s₁ of W is at least, in any machine with the law of a lattice.

    On a lattice with two sublattices, M sites and B bonds, for every K, with or without biases::

        s₁² ≥ 4 |K| B/M,    s₁ ≥ √(N/M) arcosh e^(2|K|B/N)  with N hidden units

    that is ``s₁² ≥ 4K`` on the ring and 8K on the square lattice. Where all sites have equally many bonds
    both are sharp: `RBM.local` with r hidden units on each bond attains the second. Elsewhere the first is
    ``K M cut(A)/(|A| (M − |A|))`` at its largest, over sets A of sites that cut(A) bonds leave, if K > 0 and
    the lattice is periodic; on a ring of odd M ``4 K M/(M + 1)``.

    v = 0 is an unstable state of the mean-field flow of a machine without biases if s₁ > 1: of every one with
    the law of an even ring with K > 1/4, or of a torus of even sides with K > 1/8.

    Time O(2^M M) on a torus with an odd side, else O(1).

    Parameters
    ----------
    lattice : Ring, Chain or Torus
        If a torus has an odd side, of at most 24 sites.
    K : float or array_like
        Coupling βJ, finite.
    n_hidden : int or array_like, optional
        N, at least 1; of any number of hidden units by default. Shapes broadcast.

    Returns
    -------
    float or numpy.ndarray
        The bound on s₁, in the shape of K and `n_hidden`.

    See Also
    --------
    singular_value_bound_from_law : Of any law of few spins.
    spectrum : The singular values of a machine.
    rbmflow.networks.RBM.local : The machine that attains it.

    Examples
    --------
    >>> from rbmflow import Ring, Torus
    >>> print(round(singular_value_bound(Torus(4, 4), 0.4407), 4))
    1.8777
    >>> singular_value_bound(Ring(8), 0.23, [8, 16, 64])
    array([1.0341, 0.9963, 0.9684])
    """
    on = _check_lattice(lattice)
    coupling, hidden = check_broadcast(K=check_finite("K", K), n_hidden=_check_hidden(n_hidden))
    cut, m = _cuts(on)
    coupling, hidden = coupling[..., np.newaxis], hidden[..., np.newaxis]
    with np.errstate(over="ignore"):
        drop = 2 * np.abs(coupling) * np.where(coupling < 0, cut.max(), cut)
    m = np.where(coupling < 0, 0.0, m)  # which favours other states than the aligned, without their symmetry
    return _least(drop, m, hidden, on.n_sites).max(axis=-1)[()]


def singular_value_bound_from_law(law: StateLaw, n_hidden: Integer | None = None) -> float:
    """Return what the largest singular value of W is at least, in any machine with a given law.

    With ``R = max − min of ½ ln p(v) p(−v)`` over all states, for machines with or without biases::

        s₁² ≥ 2R/M,    s₁ ≥ √(N/M) arcosh e^(R/N)  with N hidden units

    Parameters
    ----------
    law : StateLaw
        Any law; it need not be even.
    n_hidden : int, optional
        N, at least 1; of any number of hidden units by default.

    Returns
    -------
    float
        The bound on s₁; infinite if a state and its mirror image have not both p > 0: weights that are finite
        leave none out.

    See Also
    --------
    singular_value_bound : Of lattices, vectorised; it is the better one on those with odd cycles.

    Examples
    --------
    >>> from rbmflow import Ring
    >>> from rbmflow.ising import state_law
    >>> print(round(singular_value_bound_from_law(state_law(Ring(8), 0.25)), 12))
    1.0
    """
    if not isinstance(law, StateLaw):
        raise TypeError(f"law={shown(law)}: a StateLaw is needed")
    hidden = _check_hidden(n_hidden)
    if hidden.ndim:
        raise ValueError(f"n_hidden={shown(n_hidden)}: one number is needed")
    if not law.covers_all or not law.probabilities.all():
        return float("inf")
    log_p = np.empty(len(law.probabilities))
    log_p[(law.states > 0) @ (1 << np.arange(law.n_sites))] = np.log(law.probabilities)
    even = (log_p + log_p[::-1]) / 2  # −v has all bits of v changed
    return float(_least(np.ptp(even), np.float64(0), hidden, law.n_sites))


def _check_lattice(lattice: object) -> Lattice:
    on = check_equal_bonds(lattice)
    if not on.bipartite and not isinstance(on, Ring) and on.n_sites > MAX_SITES:
        raise ValueError(
            f"lattice has {on.n_sites} sites and odd cycles: at most {MAX_SITES} are possible "
            "where all states are listed"
        )
    return on


def _check_hidden(n_hidden: object) -> FloatArray:
    if n_hidden is None:
        return np.array(np.inf)
    number = check_finite("n_hidden", n_hidden)
    if (number != np.floor(number)).any() or (number < 1).any():
        raise ValueError(f"n_hidden={shown(n_hidden)}: integers from 1 are needed")
    return number


def _cuts(lattice: Lattice) -> tuple[FloatArray, FloatArray]:
    """The most bonds that states of each |V| leave unsatisfied, and |m| of their mean over translations."""
    n = lattice.n_sites
    if isinstance(lattice, Ring) and n % 2:
        return np.array([n - 1.0]), np.array([1 / n])
    if lattice.bipartite:
        return np.array([float(len(lattice.bonds()))]), np.zeros(1)
    states = all_states(n)[1 : 1 << (n - 1)]  # one of each pair ±v, the aligned left out
    sums, V = pair_sums(lattice, states), np.abs(states.sum(axis=1, dtype=np.int64))
    most = np.full(n, -1)
    np.maximum.at(most, V, (len(lattice.bonds()) - sums) // 2)
    cut, m = most[most >= 0].astype(np.float64), np.flatnonzero(most >= 0) / n
    return (cut, m) if isinstance(lattice, Periodic) else (cut.max(keepdims=True), np.zeros(1))


def _least(drop: Any, m: Any, n_hidden: Any, n_visible: int) -> Any:
    """Return s₁ with ``N [ln cosh x − ln cosh m x] = drop`` at ``x = s₁ √(M/N)``; N may be infinite."""
    drop, m, n_hidden = np.broadcast_arrays(drop, m, n_hidden)
    many = np.isinf(n_hidden)
    finite = np.where(many, 1.0, n_hidden)
    share = drop / finite
    x = share + np.log1p(np.sqrt(-np.expm1(-2 * share)))  # arcosh e^share
    curved = (m > 0) & (share > 0) & ~many
    if curved.any():
        x[curved] = _argument(share[curved], m[curved])
    return np.where(many, np.sqrt(2 * drop / (n_visible * (1 - m * m))), x * np.sqrt(finite / n_visible))


def _argument(share: FloatArray, m: FloatArray) -> FloatArray:
    """Solve ``ln cosh x − ln cosh m x = share``, concave in y = x²: in y Newton's method rises to it."""
    y = 2 * share / (1 - m * m)
    for _ in range(MAX_STEPS):
        x = np.sqrt(y)
        slope = (np.tanh(x) - m * np.tanh(m * x)) / (2 * x)
        step = (share - _log_cosh(x) + _log_cosh(m * x)) / slope
        y += step
        if (np.abs(step) <= 4e-16 * y).all():
            break
    return np.sqrt(y)


def _log_cosh(x: FloatArray) -> FloatArray:
    small = np.log1p(2 * np.sinh(np.minimum(x, 1.0) / 2) ** 2)
    return np.asarray(np.where(x < 1, small, x + np.log1p(np.exp(-2 * x)) - np.log(2)))
