"""Configurations of machines of any size: chains that exchange temperatures, and their mixing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rbmflow.arguments import MAX_SIZE, MAX_STEPS, SpinArray, check_integer
from rbmflow.autocorrelation import rank_normalised_r_hat
from rbmflow.errors import ConvergenceWarning, warn_caller
from rbmflow.hardware import check_fits
from rbmflow.networks import RBM, sample_exactly
from rbmflow.networks.exact import MAX_LISTED
from rbmflow.sampling import tempered

FEWEST_CHAINS = 20
MEASURED_CHAINS = 100
RECORDS, FEWEST_RECORDS = 100, 16
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
    check_fits("n_samples", n_samples, 16 + model.n_visible + model.n_hidden)
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
    """Return configurations after `n_sweeps` sweeps of chains on a ladder, each with a chain of its own."""
    n_chains = max(n_samples, FEWEST_CHAINS)
    every = max(1, n_sweeps // (2 * RECORDS))
    n_records = (n_sweeps - n_sweeps // 2 - 1) // every + 1
    before = n_sweeps - (n_records - 1) * every
    chains = tempered(model, n_chains=n_chains, n_sweeps=before, rng=rng, n_threads=1)
    records = [chains.visible[:MEASURED_CHAINS]]
    for _ in range(n_records - 1):
        chains = tempered(model, n_sweeps=every, initial=chains, n_threads=1)
        records.append(chains.visible[:MEASURED_CHAINS])
    rate = float(chains.rates.mean())
    return Drawn(
        chains.visible[:n_samples].copy(), _r_hat(model, np.array(records)), rate, len(chains.ladder)
    )


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
