"""Machines of one lattice, and what their flows make of noisy configurations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.experiments.denoising.parameters import Parameters
from rbmflow.flow import mean_field, uniform_map
from rbmflow.ising import Ring, Torus
from rbmflow.networks import RBM
from rbmflow.training import PCD, SGD, fit
from rbmflow.weight import trained_weight_from_samples

MACHINES = ("uniform", "local", "decimating", "trained")
BEGIN = 0.1  # spread of the weights from which a machine is trained
RATE = 0.05  # of its learning
SWEEPS, CHAINS = 5, 500  # of its negative phase


def local_weights(lattice: Ring | Torus, K: float) -> Any:
    """Return the sparse weights of a hidden unit on each bond, ``cosh 2w = e^(2K)``: the lattice exactly.

    Examples
    --------
    >>> local_weights(Ring(3), 1.0).toarray()
    array([[1.3443, 1.3443, 0.    ],
           [1.3443, 0.    , 1.3443],
           [0.    , 1.3443, 1.3443]])
    """
    from scipy import sparse

    first, second = lattice.bonds().T
    bonds = np.arange(len(first))
    weight = RBM.local_ring(3, K).weights[0, 0]
    places = np.concatenate([first, second]), np.concatenate([bonds, bonds])
    return sparse.csr_array((np.full(2 * len(bonds), weight), places), shape=(lattice.n_sites, len(bonds)))


def decimating_weights(lattice: Ring | Torus, K: float, copy_weight: float) -> Any:
    """Return the sparse weights of `RBM.decimating`."""
    from scipy import sparse

    copied, _ = lattice.sublattices()
    near = lattice.neighbours()[copied]
    hidden = np.arange(len(copied))
    values = np.concatenate([np.full(len(copied), copy_weight), np.full(near.size, K)])
    places = (
        np.concatenate([copied, near.ravel()]),
        np.concatenate([hidden, np.repeat(hidden, near.shape[1])]),
    )
    return sparse.csr_array((values, places), shape=(lattice.n_sites, len(copied)))


def flows(
    parameters: Parameters, lattice: Ring | Torus, K: float, clean: SpinArray, rng: np.random.Generator
) -> dict[str, Any]:
    """Return what makes the flow of each machine: sparse weights, an RBM, or the uniform weight.

    The uniform and the trained machine learn from the clean configurations.
    """
    found: dict[str, Any] = {
        "uniform": trained_weight_from_samples(clean, lattice.n_sites).mean,
        "local": local_weights(lattice, K),
        "decimating": decimating_weights(lattice, K, parameters.copy_weight),
    }
    n = lattice.n_sites
    if n <= parameters.largest_trained:
        begin = RBM(BEGIN * rng.normal(size=(n, n)))
        found["trained"] = fit(
            begin,
            clean,
            negative=PCD(SWEEPS, CHAINS),
            optimizer=SGD(RATE),
            n_epochs=parameters.n_epochs,
            record_every=parameters.n_epochs,
            biases=False,
            rng=rng,
            n_threads=1,
        ).model
    return found


def orbit(machine: Any, noisy: SpinArray, n_steps: int) -> Iterator[FloatArray]:
    """Yield the means after each step of ``v' = tanh(W tanh(Wᵀ v))``; of equal weights one for each row.

    Examples
    --------
    >>> rows = Ring(6).sample(0.7, 3, rng=1)
    >>> by_kernel = list(orbit(RBM.local_ring(6, 0.7), rows, 3))
    >>> bool(np.allclose(by_kernel, list(orbit(local_weights(Ring(6), 0.7), rows, 3)), atol=1e-12))
    True
    """
    means: Any = noisy.astype(np.float64)
    if isinstance(machine, float):
        means = means.mean(axis=1, keepdims=True)
    for _ in range(n_steps):
        if isinstance(machine, RBM):
            means = mean_field(machine, means, n_threads=1)
        elif isinstance(machine, float):
            means = uniform_map(means, machine, noisy.shape[1], noisy.shape[1])
        else:
            means = np.tanh(machine @ np.tanh(machine.T @ means.T)).T
        yield means
