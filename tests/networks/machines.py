"""Random machines, and their laws by the double sum over both layers."""

import itertools

import numpy as np

from rbmflow import RBM


def random_machine(n_visible, n_hidden, seed, scale=0.5):
    rng = np.random.default_rng(seed)
    return RBM(
        rng.normal(scale=scale, size=(n_visible, n_hidden)),
        rng.normal(scale=scale, size=n_visible),
        rng.normal(scale=scale, size=n_hidden),
    )


def states(n):
    return np.array(list(itertools.product((-1, 1), repeat=n)))


def joint_weights(rbm):
    """e^(−E) for all v (rows) and all h (columns)."""
    v, h = states(rbm.n_visible), states(rbm.n_hidden)
    coupled = np.einsum("vi,ia,ha->vh", v, rbm.weights, h)
    return np.exp(coupled + (v @ rbm.visible_bias)[:, None] + (h @ rbm.hidden_bias)[None, :])
