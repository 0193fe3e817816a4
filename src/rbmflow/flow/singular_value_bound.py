"""What a law says of the weights that make it: a bound on the largest singular value, for every machine.

Traced over its hidden layer an RBM without biases has ``ln p(v) = Σ_j ln cosh(w_j·v) + const``, w_j the
columns of W. Let u be a state, and Ω a linear functional with Ω(1) = 1 that is not negative on any
ln cosh(w·v), as the value at another state. Then, as ln cosh √y is concave and rises less than y/2, ::

    ln p(u) − Ω(ln p) ≤ Σ_j ln cosh(w_j·u) ≤ N ln cosh(s₁ √(M/N)) ≤ M s₁²/2

For every correlation matrix R there is such an Ω with ``Ω(v_i v_k) = R_ik``: with anticommuting γ_a, unit
vectors r_i, ``R_ik = r_i·r_k`` and ``A_i = r_i·γ``, let Ω(v_i … v_k) be the normalised trace of A_i … A_k in
the order of the sites. Then Ω(cos w·v) is that of a product of unitary e^(i w_i A_i), at most 1, and
``ln cosh x = ∫ (1 − cos τx) dτ/(τ sinh ½πτ)`` over τ > 0. The law of a lattice has ``ln p = ½ vᵀJv + const``:
``u = 1`` and the projector R on the lowest eigenvectors of J leave ``½ M (λ_max − λ_min)`` on the left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import numpy as np

from rbmflow.arguments import FloatArray, check_broadcast, check_finite, shown
from rbmflow.hardware import check_memory
from rbmflow.ising.crystal import Crystal, check_periodic
from rbmflow.ising.graph import check_equal_bonds
from rbmflow.ising.lattice import SMALLER, Lattice
from rbmflow.state_law import StateLaw

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, Integer, Number


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

    For machines without biases, at every K, with the couplings J of the lattice::

        s₁² ≥ λ_max(J) − λ_min(J),    s₁ ≥ √(N/M) arcosh e^(M (λ_max − λ_min)/2N)  with N hidden units

    that is ``s₁² ≥ 4K`` on even rings, 6K on honeycombs, 8K on tori of even sides, 9K on triangular lattices
    whose sides 3 divides, 12K on cubic ones of even sides, ``4K cos²(π/2M)`` on rings of odd M.
    On lattices with two sublattices it holds with biases too, also for K < 0, where K is replaced by ``|K|``,
    and where all sites have equally many bonds `RBM.local` attains the second. On an open chain
    ``4K (1 − 1/M)`` stands in place of λ_max − λ_min.

    v = 0 is unstable under the mean-field flow of a machine without biases if s₁ > 1: under every one with
    the law of an even ring at K > 1/4, or of a torus of even sides at K > 1/8.

    Parameters
    ----------
    lattice : Lattice
        Where the spins are, with equal couplings: a lattice with two sublattices, of open ends too, or one
        without ends, as a triangular one.
    K : float or array_like
        Coupling βJ, finite; not negative where the lattice has odd cycles, where it would be no bound.
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
    on = check_equal_bonds(lattice)
    coupling, hidden = check_broadcast(K=check_finite("K", K), n_hidden=_check_hidden(n_hidden))
    if on.bipartite:
        n_bonds = on.n_bonds
        width = 4 * n_bonds / on.n_sites
    elif (coupling < 0).any():
        raise ValueError(
            f"K={shown(K)}: where there are odd cycles K >= 0 is needed; "
            "singular_value_bound_from_law takes laws of few spins"
        )
    else:
        width = _spectral_width(check_periodic(on))
    with np.errstate(over="ignore"):
        drop = np.abs(coupling) * (on.n_sites * width / 2)
    return _least(drop, hidden, on.n_sites)[()]


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
    singular_value_bound : Of lattices, vectorised; the better one where there are odd cycles.

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
    return float(_least(np.ptp(even), hidden, law.n_sites))


def _check_hidden(n_hidden: object) -> FloatArray:
    if n_hidden is None:
        return np.array(np.inf)
    number = check_finite("n_hidden", n_hidden)
    if (number != np.floor(number)).any() or (number < 1).any():
        raise ValueError(f"n_hidden={shown(n_hidden)}: integers from 1 are needed")
    return number


def _spectral_width(lattice: Crystal) -> float:
    """Return ``λ_max − λ_min`` of the couplings at K = 1, whose eigenvectors are plane waves."""
    check_memory(f"the spectrum of {lattice.n_sites} sites", 24 * lattice.n_sites, SMALLER)
    waves = np.ix_(*(2 * np.pi * np.arange(side) / side for side in lattice.shape))
    values = sum(
        2 * np.cos(sum(along * k for along, k in zip(step, waves, strict=True))) for step in lattice.steps
    )
    return float(lattice.coordination - np.min(values))


def _least(drop: Any, n_hidden: FloatArray, n_visible: int) -> Any:
    """Return s₁ with ``N ln cosh(s₁ √(M/N)) = drop``; N may be infinite."""
    many = np.isinf(n_hidden)
    finite = np.where(many, 1.0, n_hidden)
    share = drop / finite
    arcosh = share + np.log1p(np.sqrt(-np.expm1(-2 * share)))  # of e^share
    return np.where(many, np.sqrt(2 * drop / n_visible), np.sqrt(finite / n_visible) * arcosh)
