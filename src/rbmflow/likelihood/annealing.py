"""Annealed importance sampling between independent units and a machine, in either direction.

The machines between have the couplings βW, 0 ≤ β ≤ 1, and the biases of the machine: ``f_β(v) = e^(b·v) Π_a 2cosh(c_a + β x_a)``
with x = Wᵀv. At β = 0 the units are independent, and ``ln Z_0 = Σ_i ln 2cosh b_i + Σ_a ln 2cosh c_a``.
"""

from __future__ import annotations

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.networks.two_layers import TwoLayers, draw_spins, log_two_cosh


def independent_log_partition(rbm: TwoLayers) -> float:
    """Return ln Z of the machine without its couplings."""
    return float(log_two_cosh(rbm.visible_bias).sum() + log_two_cosh(rbm.hidden_bias).sum())


def independent_spins(rbm: TwoLayers, n_chains: int, rng: np.random.Generator) -> SpinArray:
    """Return visible spins of the machine without its couplings."""
    return draw_spins(np.broadcast_to(rbm.visible_bias, (n_chains, rbm.n_visible)), rng)


def anneal(
    rbm: TwoLayers, spins: SpinArray, betas: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, SpinArray]:
    """Return ``ln w = Σ_k ln [f_(β_(k+1))(v_k)/f_(β_k)(v_k)]`` of each chain, and the spins at the last of them.

    The spins at the start are from the law at betas[0]; v_k comes from v_(k−1) by one sweep v → h → v at β_k, which is
    reversible. So the mean of w is Z(betas[-1])/Z(betas[0]) in either direction.
    """
    visible, log_weight = spins.astype(np.float64), np.zeros(len(spins))
    for step, beta in enumerate(betas[:-1]):
        if step:
            hidden = draw_spins(rbm.hidden_bias + beta * (visible @ rbm.weights), rng).astype(np.float64)
            visible = draw_spins(rbm.visible_bias + beta * (hidden @ rbm.weights.T), rng).astype(np.float64)
        coupled = visible @ rbm.weights
        after = log_two_cosh(rbm.hidden_bias + betas[step + 1] * coupled)
        log_weight += (after - log_two_cosh(rbm.hidden_bias + beta * coupled)).sum(axis=1)
    return log_weight, visible.astype(np.int8)
