"""The restricted Boltzmann machine: its likelihood, machines with a structure, 0/1 units."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from rbmflow.arguments import check_real_scalar
from rbmflow.errors import LikelihoodWarning, warn_caller
from rbmflow.networks import binary, structure
from rbmflow.networks.binary import BinaryParameters
from rbmflow.networks.exact import exact_log_partition
from rbmflow.networks.two_layers import TwoLayers

if TYPE_CHECKING:
    from rbmflow.ising.lattice import Lattice
    from rbmflow.typing import ArrayLike

ROUNDING = 1e-10


@dataclass(frozen=True, eq=False, repr=False)
class RBM(TwoLayers):
    """A restricted Boltzmann machine of ±1 units at temperature 1 (thesis eq. 25-26).

    The energy is ``E(v, h) = −(vᵀWh + b·v + c·h)``.

    Parameters
    ----------
    weights : array_like, shape (n_visible, n_hidden)
        Couplings W between the layers, finite.
    visible_bias : array_like, shape (n_visible,), optional
        Fields b on the visible units; zero by default.
    hidden_bias : array_like, shape (n_hidden,), optional
        Fields c on the hidden units; zero by default.

    See Also
    --------
    rbmflow.training.learn : Train one.
    rbmflow.sampling.block_gibbs : Draw from it.
    rbmflow.likelihood.log_partition : Its normalisation.
    rbmflow.flow.orbit : Its flow.

    References
    ----------
    * J. ter Hoeve, *Renormalization Group connected to Neural Networks*, thesis, Utrecht (2018), eq. 25-38.
    * G. E. Hinton, Neural Comput. 14, 1771 (2002).

    Examples
    --------
    >>> rbm = RBM.uniform(8, 4, 0.3)
    >>> rbm.n_visible, rbm.n_hidden
    (8, 4)
    """

    if TYPE_CHECKING:  # what it is made of; the fields say what it holds

        def __init__(
            self,
            weights: ArrayLike,
            visible_bias: ArrayLike | None = None,
            hidden_bias: ArrayLike | None = None,
        ) -> None: ...

    @classmethod
    def uniform(cls, n_visible: int, n_hidden: int, weight: float) -> RBM:
        """Return the machine whose weights all equal `weight`, without biases (thesis eq. 52).

        Parameters
        ----------
        n_visible, n_hidden : int
            Units in each layer, at least 1.
        weight : float
            The common weight W, finite.

        Returns
        -------
        RBM
            The machine.

        Raises
        ------
        ValueError
            If the weight is not finite (the flow at W → ∞ is `flow.sign`).

        Examples
        --------
        >>> RBM.uniform(2, 1, 0.5).weights
        array([[0.5],
               [0.5]])
        """
        return cls(structure.uniform_weights(n_visible, n_hidden, weight))

    @classmethod
    def local_ring(cls, n_visible: int, K: float) -> RBM:
        """Return the machine whose p(v) is the Ising ring at coupling K, exactly.

        Hidden unit a is joined to the spins a and a + 1 by the weight w with ``cosh 2w = e^(2K)``, that is
        ``tanh² w = tanh K``: traced out it leaves the bond ``K v_a v_(a+1)`` and a constant.

        Parameters
        ----------
        n_visible : int
            Spins of the ring, at least 3; there are as many hidden units.
        K : float
            Coupling βJ, at least 0.

        Returns
        -------
        RBM
            Without biases.

        Examples
        --------
        >>> RBM.local_ring(3, 1.0).weights
        array([[1.3443, 0.    , 1.3443],
               [1.3443, 1.3443, 0.    ],
               [0.    , 1.3443, 1.3443]])
        """
        return cls(structure.local_weights(n_visible, K))

    @classmethod
    def local(cls, lattice: Lattice, K: float, n_copies: int = 1) -> RBM:
        """Return the machine whose p(v) is that of a lattice, exactly, with hidden units on each bond.

        r units are joined to the two spins of a bond, by w and, if KJ < 0, by −w to the second, with
        ``cosh(2w)^r = e^(2|KJ|)``: traced out they leave ``K J v_i v_k`` and a constant. More copies lower
        the largest singular value of W, and so change the flow, but not the law: on a lattice with two
        sublattices and z equal bonds at each site ``s₁ = w √(2 r z)``, the least with so many hidden units.

        Parameters
        ----------
        lattice : Lattice
            Where the spins are, without fields; a pair with two bonds, along a side of 2, has hidden units
            for each.
        K : float
            Coupling βJ.
        n_copies : int
            Hidden units r on each bond, at least 1.

        Returns
        -------
        RBM
            Without biases; the hidden units stand in the order of the bonds, once for each copy.

        See Also
        --------
        rbmflow.flow.singular_value_bound : Below which no machine of this law comes.

        Examples
        --------
        >>> from rbmflow import Chain
        >>> RBM.local(Chain(3), 0.5).weights
        array([[0.8287, 0.    ],
               [0.8287, 0.8287],
               [0.    , 0.8287]])
        """
        return cls(structure.bond_weights(lattice, K, n_copies))

    @classmethod
    def decimating(cls, lattice: Lattice, K: float, copy_weight: float) -> RBM:
        """Return the machine whose hidden layer is the decimated lattice.

        Each spin of the even sublattice has a hidden copy, joined to it by `copy_weight` and to its
        neighbours by K. The law of the hidden layer is the exact marginal of that sublattice for every copy
        weight c; on a ring it is the ring of half the length with ``tanh K' = tanh² K`` (thesis eq. 48). p(v)
        tends to the law of the lattice as c → ∞: the KL divergence falls as e^(−4c).

        Parameters
        ----------
        lattice : Crystal
            With two sublattices, without ends and of equal couplings: a ring, torus or cubic lattice of even
            sides, a honeycomb.
        K : float
            Coupling βJ of the lattice.
        copy_weight : float
            Weight c between a spin and its copy.

        Returns
        -------
        RBM
            With half as many hidden units as visible ones, without biases; the copies stand in
            the order of their sites.

        Examples
        --------
        >>> from rbmflow import Ring
        >>> RBM.decimating(Ring(4), 0.5, 3.0).weights
        array([[3. , 0. ],
               [0.5, 0.5],
               [0. , 3. ],
               [0.5, 0.5]])
        """
        return cls(structure.decimating_weights(lattice, K, copy_weight))

    @classmethod
    def from_binary(
        cls, source: Any, visible_bias: ArrayLike | None = None, hidden_bias: ArrayLike | None = None
    ) -> RBM:
        """Return the machine of ±1 units with the law of one of 0/1 units x = (1 + v)/2, y = (1 + h)/2.

        Parameters
        ----------
        source : array_like, BinaryParameters, a fitted BernoulliRBM or IsingRBM
            The weights of ``E(x, y) = −(xᵀWy + b·x + c·y)``, of shape ``(n_visible, n_hidden)``; or an
            object that has the biases too. Of scikit-learn's estimator the attributes ``components_``,
            ``intercept_visible_`` and ``intercept_hidden_`` are read. Machines of ±1 units, `IsingRBM` among
            them, have nothing to be converted, and are returned as they are.
        visible_bias, hidden_bias : array_like, optional
            b and c where `source` is the weights; zero by default.

        Returns
        -------
        RBM
            ``W/4``, ``b/2 + W1/4``, ``c/2 + Wᵀ1/4``.

        Examples
        --------
        >>> RBM.from_binary([[4.0]], visible_bias=[1.0]).visible_bias
        array([1.5])
        """
        return cls(*binary.from_binary(source, visible_bias, hidden_bias))

    def to_binary(self) -> BinaryParameters:
        """Return the parameters of the machine of 0/1 units x = (1 + v)/2, y = (1 + h)/2 with the same law.

        Returns
        -------
        BinaryParameters
            ``4W``, ``2(b − W1)``, ``2(c − Wᵀ1)`` and the constant by which the energies differ.

        Examples
        --------
        >>> RBM([[1.0]]).to_binary().weights
        array([[4.]])
        """
        return binary.to_binary(self.weights, self.visible_bias, self.hidden_bias)

    def log_likelihood(self, v: ArrayLike, *, log_partition: float | None = None) -> Any:
        """Return ``ln p(v) = −F(v) − ln Z`` (thesis eq. 27).

        Parameters
        ----------
        v : array_like, shape (..., n_visible)
            Visible spins, ±1.
        log_partition : float, optional
            ln Z; without it the exact one, by enumeration of the smaller layer, which is
            computed once and kept.

        Returns
        -------
        float or numpy.ndarray
            In the leading shape, natural logarithms.

        Raises
        ------
        ValueError
            If both layers have more than 30 units and ln Z is not given (`log_partition` estimates it).

        Warns
        -----
        LikelihoodWarning
            If a result is above 0: the ln Z that was given is too small.

        Examples
        --------
        >>> from rbmflow.spins import all_states
        >>> rbm = RBM.uniform(3, 2, 0.4)
        >>> import numpy as np
        >>> print(round(np.exp(rbm.log_likelihood(all_states(3))).sum(), 12))
        1.0
        """
        free_energy = self.free_energy(v)
        if log_partition is None:
            return -free_energy - self._exact_log_partition
        found = -free_energy - check_real_scalar("log_partition", log_partition)
        highest = np.max(found, initial=-np.inf)
        if highest > ROUNDING * (1 + np.max(np.abs(free_energy))):
            warn_caller(
                f"log_partition={float(log_partition):.8g} is too small: "
                f"ln p(v) = {highest:.6g} > 0 is impossible",
                LikelihoodWarning,
            )
        return found

    @cached_property
    def _exact_log_partition(self) -> float:
        return exact_log_partition(self)
