"""Machines and spins that several benchmarks take."""

import numpy as np

from rbmflow import RBM
from rbmflow.networks import BoltzmannMachine


def machine(n_visible, n_hidden, scale=0.5):
    """Return an RBM of random weights."""
    weights = np.random.default_rng(1).normal(size=(n_visible, n_hidden))
    return RBM(weights * scale / np.sqrt(n_visible + n_hidden))


def coupled(n):
    """Return a Boltzmann machine of n units, all of them coupled."""
    couplings = np.random.default_rng(1).normal(size=(n, n)) * 0.5 / np.sqrt(n)
    return BoltzmannMachine(np.triu(couplings, 1) + np.triu(couplings, 1).T, np.zeros(n))


def spins(*shape):
    """Return random spins."""
    return np.random.default_rng(1).choice(np.array([-1, 1], dtype=np.int8), shape)
