"""The Hopfield network: a Boltzmann machine with storage rules, a threshold rule and overlaps (eq. 11-16)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.networks.pairwise import Couplings, Pairwise, check_couplings, in_units
from rbmflow.networks.parameters import frozen_array, positive_number
from rbmflow.spins import check_spins

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike


@dataclass(frozen=True, eq=False, repr=False)
class Hopfield(Pairwise):
    """Units x = ±1, each coupled to each, with ``E = −Σ b_i x_i − Σ_{i<j} w_ij x_i x_j`` (thesis eq. 12).

    Where all parameters are whole multiples of the smallest, as after Hebb's rule, activations and energies
    are computed in that unit: no rounding then decides what the tie rule of eq. 13 should.

    It is a `BoltzmannMachine` without hidden units, and taken wherever one is: for exact laws and for chains.

    Parameters
    ----------
    weights : array_like, shape (n_units, n_units)
        Couplings w, finite and symmetric with a zero diagonal.
    biases : array_like, shape (n_units,), optional
        Biases b, finite; zero by default.

    See Also
    --------
    rbmflow.sampling.recall : Let states run downhill.
    overlap : How far a state agrees with a pattern.

    References
    ----------
    * J. ter Hoeve, *Renormalization Group connected to Neural Networks*, thesis, Utrecht (2018), eq. 11-16.
    * J. J. Hopfield, Proc. Natl. Acad. Sci. USA 79, 2554 (1982).
    * D. J. Amit, H. Gutfreund and H. Sompolinsky, Phys. Rev. Lett. 55, 1530 (1985).

    Examples
    --------
    >>> network = Hopfield.hebb([[1, 1, -1, -1], [1, -1, 1, -1]])
    >>> print(network.energy([1, 1, -1, -1]))
    -1.0
    """

    weights: FloatArray
    biases: FloatArray = None  # type: ignore[assignment]

    if TYPE_CHECKING:  # what it is made of; the fields say what it holds

        def __init__(self, weights: ArrayLike, biases: ArrayLike | None = None) -> None: ...

    def __post_init__(self) -> None:
        weights, given = check_couplings("weights", self.weights), getattr(self, "biases")  # noqa: B009
        biases = frozen_array("biases", np.zeros(len(weights)) if given is None else given, (len(weights),))
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "biases", biases)
        # what it is called as a Boltzmann machine, all units of which are visible
        object.__setattr__(self, "couplings", weights)
        object.__setattr__(self, "bias", biases)
        object.__setattr__(self, "n_visible", len(weights))

    @classmethod
    def hebb(cls, patterns: ArrayLike, *, learning_rate: float | None = None) -> Hopfield:
        """Store patterns by Hebb's rule, ``w_ij = η Σ_n x_i^(n) x_j^(n)`` for i ≠ j (thesis eq. 16).

        Random patterns are recalled, with some errors, up to P/n ≈ 0.138 (Amit, Gutfreund
        and Sompolinsky, 1985).

        Parameters
        ----------
        patterns : array_like, shape (n_patterns, n_units)
            Patterns of ±1, at least one.
        learning_rate : float, optional
            η > 0; by default 1/n_units.

        Returns
        -------
        Hopfield
            Without biases.

        Examples
        --------
        >>> Hopfield.hebb([[1, 1, -1]], learning_rate=1).weights
        array([[ 0.,  1., -1.],
               [ 1.,  0., -1.],
               [-1., -1.,  0.]])
        """
        x = check_patterns(patterns).astype(np.float64)
        rate = 1 / x.shape[1] if learning_rate is None else positive_number("learning_rate", learning_rate)
        weights = rate * (x.T @ x)
        np.fill_diagonal(weights, 0)
        return cls(weights)

    @classmethod
    def pseudo_inverse(cls, patterns: ArrayLike) -> Hopfield:
        """Store patterns by the projector on the space they span, its diagonal left out.

        The rule is that of Personnaz, Guyon and Dreyfus (1985). With ``Q = Ξ⁺ Ξ`` the activation of a unit
        in a pattern is ``(1 − Q_ii) x_i``: every pattern is stable, correlated ones as well, unless some
        ``Q_ii`` reaches 1, as all do for n_units independent patterns.

        Parameters
        ----------
        patterns : array_like, shape (n_patterns, n_units)
            Patterns of ±1, at least one; they may depend on each other.

        Returns
        -------
        Hopfield
            Without biases.

        Examples
        --------
        >>> Hopfield.pseudo_inverse([[1, 1, 1, 1], [1, 1, 1, -1]]).weights[0]
        array([0.    , 0.3333, 0.3333, 0.    ])
        """
        x = check_patterns(patterns).astype(np.float64)
        _, sizes, rows = np.linalg.svd(x, full_matrices=False)
        basis = rows[sizes > sizes[0] * max(x.shape) * np.finfo(float).eps]
        projector = basis.T @ basis
        weights = (projector + projector.T) / 2
        np.fill_diagonal(weights, 0)
        return cls(weights)

    def __repr__(self) -> str:
        return f"Hopfield(n_units={self.n_units})"

    @cached_property
    def _couplings(self) -> Couplings:
        return in_units(self.weights, self.biases)

    def energy_gap(self, x: ArrayLike) -> Any:
        """Return the energy gap ΔE_i of every unit (thesis eq. 14-15).

        ``ΔE_i = E(x_i = −1) − E(x_i = 1) = 2 (b_i + Σ_j w_ij x_j)``.

        Parameters
        ----------
        x : array_like, shape (..., n_units)
            States, ±1; ΔE_i does not depend on x_i.

        Returns
        -------
        numpy.ndarray of float64, shape (..., n_units)
            Twice the activations.

        Examples
        --------
        >>> Hopfield([[0, 2], [2, 0]], [1, -1]).energy_gap([1, -1])
        array([-2.,  2.])
        """
        return 2 * self.activation(x)

    def flip_cost(self, x: ArrayLike) -> Any:
        """Return the energy that flipping each unit costs (thesis eq. 14-15).

        ``x_i ΔE_i = 2 x_i (b_i + Σ_j w_ij x_j)``.

        Parameters
        ----------
        x : array_like, shape (..., n_units)
            States, ±1.

        Returns
        -------
        numpy.ndarray of float64, shape (..., n_units)
            Negative where flipping the unit lowers the energy.

        Examples
        --------
        >>> Hopfield([[0, 2], [2, 0]], [1, -1]).flip_cost([1, -1])
        array([-2., -2.])
        """
        return check_spins("x", x, self.n_units) * self.energy_gap(x)

    def is_stable(self, x: ArrayLike) -> Any:
        """Return whether the threshold rule changes nothing (thesis eq. 13).

        The rule is ``x_i = 1`` if ``a_i ≥ 0``, else −1.

        Parameters
        ----------
        x : array_like, shape (..., n_units)
            States, ±1.

        Returns
        -------
        bool or numpy.ndarray of bool
            In the leading shape. A minimum of the energy whose unit is −1 at ``a_i = 0`` is not
            stable: that unit goes up.

        Examples
        --------
        >>> Hopfield.hebb([[1, 1, -1, -1]]).is_stable([[1, 1, -1, -1], [1, 1, 1, -1]])
        array([ True, False])
        """
        state = check_spins("x", x, self.n_units)
        return np.all((self.activation(state) >= 0) == (state > 0), axis=-1)


def overlap(x: ArrayLike, patterns: ArrayLike) -> Any:
    """Return ``m = Σ_i x_i ξ_i / n``, how far states agree with patterns.

    Parameters
    ----------
    x : array_like, shape (..., n_units)
        States, ±1.
    patterns : array_like, shape (n_patterns, n_units) or (n_units,)
        Patterns ξ, ±1.

    Returns
    -------
    float or numpy.ndarray, shape (..., n_patterns) or (...)
        1 for equal states, −1 for opposite ones, near 0 for unrelated ones.

    Examples
    --------
    >>> overlap([1, 1, 1, -1], [[1, 1, 1, 1], [-1, -1, -1, 1]])
    array([ 0.5, -1. ])
    """
    known = check_spins("patterns", patterns)
    if known.ndim > 2 or not known.size:
        raise ValueError(f"patterns has shape {known.shape}: (n_patterns, n_units) is needed")
    state = check_spins("x", x, known.shape[-1])
    return state.astype(np.float64) @ known.T.astype(np.float64) / known.shape[-1]


def check_patterns(patterns: object) -> SpinArray:
    """Return patterns of ±1, (n_patterns, n_units), at least one of at least one unit."""
    x = check_spins("patterns", patterns)
    if x.ndim != 2 or 0 in x.shape:
        raise ValueError(f"patterns has shape {x.shape}: (n_patterns, n_units) is needed, both at least 1")
    return x
