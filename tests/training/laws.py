"""Exact laws of small rings, and plain sums over all states of small machines."""

import itertools

import numpy as np

from rbmflow import RBM
from rbmflow.spins import all_states
from rbmflow.state_law import StateLaw


def ring_law(n_sites, K):
    states = all_states(n_sites)
    weight = np.exp(K * (states * np.roll(states, 1, axis=1)).sum(axis=1))
    return StateLaw(states, weight / weight.sum())


def random_machine(n_visible, n_hidden, seed, scale=0.5):
    rng = np.random.default_rng(seed)
    return RBM(
        rng.normal(0, scale, (n_visible, n_hidden)),
        rng.normal(0, scale, n_visible),
        rng.normal(0, scale, n_hidden),
    )


def joint(rbm):
    """All states of both layers, one after the other, and their probabilities."""
    v = np.array(list(itertools.product((-1, 1), repeat=rbm.n_visible)))
    h = np.array(list(itertools.product((-1, 1), repeat=rbm.n_hidden)))
    v, h = np.repeat(v, len(h), axis=0), np.tile(h, (len(v), 1))
    weight = np.exp(-rbm.energy(v, h))
    return v, h, weight / weight.sum()


def marginal(rbm):
    """p(v) in the order of `all_states`, with ln Z."""
    states = all_states(rbm.n_visible).astype(float)
    fields = states @ rbm.weights + rbm.hidden_bias
    log_weight = states @ rbm.visible_bias + np.log(2 * np.cosh(fields)).sum(axis=1)
    log_z = np.log(np.exp(log_weight).sum())
    return np.exp(log_weight - log_z), log_z


def divergence(law, rbm):
    """KL of a law over states to the machine, in the plainest way; good to about 1e-13."""
    index = (law.states > 0) @ (1 << np.arange(law.n_sites))
    p = marginal(rbm)[0][index]
    q = law.probabilities
    return float((q[q > 0] * np.log(q[q > 0] / p[q > 0])).sum())
