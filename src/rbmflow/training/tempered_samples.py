"""Configurations of machines of any size: chains that exchange temperatures, and their mixing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rbmflow.arguments import MAX_SIZE, MAX_STEPS, FloatArray, SpinArray, check_integer
from rbmflow.autocorrelation import rank_normalised_r_hat
from rbmflow.errors import ConvergenceWarning, warn_caller
from rbmflow.hardware import check_memory
from rbmflow.networks import RBM, sample_exactly
from rbmflow.networks.exact import MAX_LISTED
from rbmflow.training.chains import Chains, start
from rbmflow.training.parameters import Parameters

FEWEST_CHAINS = 20
MEASURED_CHAINS = 100
RECORDS, FEWEST_RECORDS = 100, 16
PILOTS, PILOT_SWEEPS, PILOT_CHAINS = 4, 50, 20
MAX_RUNGS = 60
AXES_FROM = 500  # configurations
UNMIXED = 1.1
"""R-hat of chains whose length is about twenty of their autocorrelation times."""


class Drawn(NamedTuple):
    """Ends of independent chains at β = 1, and what is known of their mixing."""

    spins: SpinArray
    r_hat: float  # the largest one of the energy and the two directions in which configurations differ most
    exchange_rate: float
    n_rungs: int


def sample_model(model: RBM, n_samples: int, n_sweeps: int, rng: np.random.Generator) -> SpinArray:
    """Return configurations of a machine of any size: from its law where it can be listed, else tempered."""
    n_samples = check_integer("n_samples", n_samples, 1, MAX_SIZE)
    check_memory(f"n_samples={n_samples}", n_samples * (16 + model.n_visible + model.n_hidden))
    n_sweeps = check_integer("n_sweeps", n_sweeps, 1, MAX_STEPS)
    if min(model.n_visible, model.n_hidden) <= MAX_LISTED:
        return sample_exactly(model, n_samples, rng=rng)
    drawn = draw_tempered(model, n_samples, n_sweeps, rng)
    if drawn.r_hat > UNMIXED:
        warn_caller(
            f"samples: the chains have r_hat {drawn.r_hat:.3g}, above {UNMIXED}, after "
            f"n_sweeps={n_sweeps} at {drawn.n_rungs} temperatures: "
            "shares of modes may be wrong; more sweeps help",
            ConvergenceWarning,
        )
    return drawn.spins


def draw_tempered(model: RBM, n_samples: int, n_sweeps: int, rng: np.random.Generator) -> Drawn:
    """Return configurations after `n_sweeps` sweeps of chains on a ladder of β, from random spins.

    Each sample has a chain of its own. The ladder is spaced by short runs so that neighbours exchange
    their places about half of the time (S. Syed et al., J. R. Stat. Soc. B 84, 321 (2022)): at β = 0,
    where spins are drawn afresh, modes are forgotten.
    """
    parameters = Parameters(model, np.float64)
    ladder = np.linspace(1.0, 0.0, 10)
    for _ in range(PILOTS):
        ladder = _respaced(_run(parameters, ladder, PILOT_CHAINS, PILOT_SWEEPS, rng)[0], parameters)
    n_chains = max(n_samples, FEWEST_CHAINS)
    chains, records, rate = _run(parameters, ladder, n_chains, n_sweeps, rng)
    return Drawn(chains.visible[0, :n_samples].copy(), _r_hat(model, records), rate, len(ladder))


def _run(
    parameters: Parameters, ladder: FloatArray, n_chains: int, n_sweeps: int, rng: np.random.Generator
) -> tuple[Chains, SpinArray, float]:
    """Return chains after some sweeps, first-rung configurations of the second half, the exchange rate."""
    chains = start(tuple(ladder.tolist()), n_chains, parameters, rng)
    every = max(1, n_sweeps // (2 * RECORDS))
    records, rates = [], []
    for sweep in range(n_sweeps):
        chains.sweep(parameters, 1)
        rates.append(chains.exchange(parameters, rng))
        if sweep >= n_sweeps // 2 and (n_sweeps - 1 - sweep) % every == 0:
            records.append(chains.visible[0, :MEASURED_CHAINS].copy())
    return chains, np.array(records), float(np.mean(rates))


def _respaced(chains: Chains, parameters: Parameters) -> FloatArray:
    """Return a ladder whose neighbours refuse equally often, by the energies of chains on another."""
    ladder = np.array(chains.ladder)
    energies = chains.energies(parameters)
    gain = (ladder[:-1] - ladder[1:])[:, None] * (energies[:-1] - energies[1:])
    refused = np.maximum(1 - np.exp(np.minimum(gain, 0)).mean(axis=1), 1e-3)
    barrier = np.concatenate([[0.0], np.cumsum(refused)])
    n_rungs = int(np.clip(np.ceil(2 * barrier[-1]) + 1, 3, MAX_RUNGS))
    found = np.interp(np.linspace(0, barrier[-1], n_rungs), barrier, ladder)
    found[0], found[-1] = 1.0, 0.0
    return np.asarray(found)


def _r_hat(model: RBM, records: SpinArray) -> float:
    """Return the largest R-hat of a few series; infinite where there are too few records to tell."""
    if len(records) < FEWEST_RECORDS:
        return float("inf")
    flat = records.reshape(-1, model.n_visible)
    moved = flat - flat.mean(axis=0)
    some = moved[:: -(-len(moved) // AXES_FROM)]
    axes = np.linalg.svd(some, full_matrices=False)[2][:2]
    series = [model.free_energy(flat), *(axes @ moved.T)]
    found = [rank_normalised_r_hat(one.reshape(records.shape[:2]).T) for one in series]
    return float(np.max([1.0, *(value for value in found if not np.isnan(value))]))
