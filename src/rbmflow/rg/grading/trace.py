"""Does a machine keep the partition function? The trace condition, ``Σ_h e^T(v,h) = 1``.

With ``T(v, h) = H(v) − E(v, h)``, H the energy of the lattice over the temperature and a constant, it says
that the machine's p(v) is the law of the lattice, ``KL(q‖p) = 0`` (P. Mehta and D. J. Schwab,
arXiv:1410.3831 (2014)). A map that is given as P(h|v) has ``T = ln P(h|v)`` and meets it whatever it does.
"""

from __future__ import annotations

import math

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.ising.bonds import pair_sums
from rbmflow.ising.solved import Solved
from rbmflow.networks.exact import MAX_ENUMERATED, exact_in_seconds, exact_log_partition, kl_divergence
from rbmflow.networks.rbm import RBM
from rbmflow.networks.two_layers import TwoLayers
from rbmflow.rg.block_maps import BlockFilter
from rbmflow.rg.block_spins import Sides
from rbmflow.rg.hidden import Hidden
from rbmflow.rg.transformation import Function, Transformation
from rbmflow.state_law import StateLaw

ROWS_AT_ONCE = 2**12


def machine_of(transformation: Transformation, sides: Sides) -> TwoLayers | None:
    """Return the machine whose hidden units a map draws, None if it is a conditional law alone."""
    if isinstance(transformation, Hidden) and transformation.drawn:
        return transformation.rbm
    if isinstance(transformation, BlockFilter) and transformation.drawn:
        return transformation.machine(sides)
    return None


def law_divergence(transformation: Transformation, law: StateLaw, sides: Sides) -> float:
    """Return the relative entropy of a law from the machine's in nats; 0 of a conditional law.

    Examples
    --------
    >>> from rbmflow import RBM, Ring
    >>> from rbmflow.ising import state_law
    >>> machine = Hidden(RBM.decimating(Ring(8), 1.0, 3.0), 4)
    >>> print(f"{law_divergence(machine, state_law(Ring(8), 1.0), (8,)):.2g}")
    0.0005
    """
    rbm = machine_of(transformation, sides)
    if rbm is None:
        return 0.0
    if min(rbm.n_visible, rbm.n_hidden) > MAX_ENUMERATED:
        return math.nan
    return kl_divergence(law, rbm)


def log_ratios(
    transformation: Transformation, lattice: Solved, K: float, spins: SpinArray
) -> FloatArray | None:
    """Return ``ln q(v)/p(v)`` of samples of q, whose mean is the relative entropy.

    Of a conditional law they are 0; None where ln Z of the machine is not known.
    """
    rbm = machine_of(transformation, lattice.shape)
    if isinstance(transformation, Function) and transformation.random:
        return None
    if rbm is None:
        return np.zeros(len(spins))
    log_partition = _log_partition(transformation, rbm)
    if log_partition is None:
        return None
    constant = log_partition - float(lattice.log_partition(K))
    ratios = np.empty(len(spins))
    for start in range(0, len(spins), ROWS_AT_ONCE):
        rows = spins[start : start + ROWS_AT_ONCE]
        ratios[start : start + ROWS_AT_ONCE] = K * pair_sums(lattice, rows) + rbm.free_energy(rows) + constant
    return ratios


def _log_partition(transformation: Transformation, rbm: TwoLayers) -> float | None:
    """The machine's ln Z; of one of blocks, the sum of theirs."""
    if isinstance(transformation, BlockFilter):
        weights, bias = transformation.weights.reshape(-1, 1), [transformation.bias]
        return rbm.n_hidden * exact_log_partition(RBM(weights, hidden_bias=bias))
    return exact_log_partition(rbm) if exact_in_seconds(rbm) else None
