"""The Boltzmann machine: symmetric couplings between any two of its units (thesis eq. 12, 17-19).

Some units are visible, the others hidden.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rbmflow.arguments import FloatArray, check_integer
from rbmflow.networks.pairwise import Pairwise, check_couplings
from rbmflow.networks.parameters import frozen_array
from rbmflow.networks.rbm import RBM
from rbmflow.networks.two_layers import check_machine

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike

MAX_UNITS = 20_000


@dataclass(frozen=True, eq=False, repr=False)
class BoltzmannMachine(Pairwise):
    """A Boltzmann machine of ±1 units with the law ``e^(−E/T)/Z`` (thesis eq. 18).

    The energy is ``E(x) = −Σ_(i<j) w_ij x_i x_j − Σ_i b_i x_i`` (eq. 12). The first `n_visible` units are
    visible, the others hidden.

    Parameters
    ----------
    couplings : array_like, shape (n_units, n_units)
        Symmetric weights w, finite, 0 on the diagonal.
    bias : array_like, shape (n_units,), optional
        Fields b on the units; zero by default.
    n_visible : int, optional
        Visible units; all by default.

    See Also
    --------
    rbmflow.training.fit_boltzmann : Train one.
    rbmflow.sampling.boltzmann_chains : Draw from it.
    RBM : With no couplings within a layer.

    References
    ----------
    * J. ter Hoeve, *Renormalization Group connected to Neural Networks*, thesis, Utrecht (2018), eq. 17-24.
    * D. H. Ackley, G. E. Hinton and T. J. Sejnowski, Cogn. Sci. 9, 147 (1985).

    Examples
    --------
    >>> machine = BoltzmannMachine([[0, 0.5], [0.5, 0]])
    >>> machine.n_units, machine.n_hidden
    (2, 0)
    """

    couplings: FloatArray
    bias: FloatArray = None  # type: ignore[assignment]
    n_visible: int = None  # type: ignore[assignment]

    if TYPE_CHECKING:  # what it is made of; the fields say what it holds

        def __init__(
            self, couplings: ArrayLike, bias: ArrayLike | None = None, n_visible: int | None = None
        ) -> None: ...

    def __post_init__(self) -> None:
        couplings = check_couplings("couplings", self.couplings)
        n = check_integer("n_units", len(couplings), 1, MAX_UNITS)
        bias, visible = getattr(self, "bias"), getattr(self, "n_visible")  # noqa: B009 (None before they are checked)
        bias = np.zeros(n) if bias is None else bias
        visible = n if visible is None else check_integer("n_visible", visible, 1, n)
        object.__setattr__(self, "couplings", couplings)
        object.__setattr__(self, "bias", frozen_array("bias", bias, (n,)))
        object.__setattr__(self, "n_visible", visible)

    @classmethod
    def from_rbm(cls, rbm: RBM) -> BoltzmannMachine:
        """Return a restricted machine as a Boltzmann machine, its visible units first.

        Parameters
        ----------
        rbm : RBM
            Weights between the layers only.

        Returns
        -------
        BoltzmannMachine
            With the same law at T = 1.

        Examples
        --------
        >>> BoltzmannMachine.from_rbm(RBM([[0.5]])).couplings
        array([[0. , 0.5],
               [0.5, 0. ]])
        """
        n, m = check_machine("rbm", rbm).n_visible, rbm.n_hidden
        couplings = np.zeros((n + m, n + m))
        couplings[:n, n:], couplings[n:, :n] = rbm.weights, rbm.weights.T
        return cls(couplings, np.concatenate([rbm.visible_bias, rbm.hidden_bias]), n)

    def __repr__(self) -> str:
        return f"BoltzmannMachine(n_units={self.n_units}, n_visible={self.n_visible})"
