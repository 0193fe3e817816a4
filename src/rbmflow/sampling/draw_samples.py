"""One temperature of a training set: its samples, by the rule that a pilot run has chosen, certified."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from rbmflow.arguments import SpinArray
from rbmflow.autocorrelation import AGREED, rank_normalised_r_hat
from rbmflow.estimate import Estimate
from rbmflow.ising import Ring, Torus
from rbmflow.ising.bonds import energies
from rbmflow.ising.solved import Solved
from rbmflow.sampling.draw_in_field import draw_in_field
from rbmflow.sampling.reducibility import Rule
from rbmflow.sampling.result import Run
from rbmflow.sampling.run import run
from rbmflow.sampling.spacing import independent, of_chains, spacing, time_of
from rbmflow.sampling.starts import Start
from rbmflow.sampling.training_set import Certificate
from rbmflow.spins import random_spins

PILOT_CHAINS, PILOT_SWEEPS = 16, 256
LOCAL_CHAINS, CLUSTER_CHAINS = 512, 64
COST_RATIO = 64  # of a Swendsen-Wang sweep to a heat-bath sweep of one of 512 replicas, per site and chain
LONG_ENOUGH = 50  # autocorrelation times of a pilot that is to be believed


def coupling_at(T: float) -> float:
    """Return 1/T, infinite at 0.

    Examples
    --------
    >>> coupling_at(2.0), coupling_at(0.0)
    (0.5, inf)
    """
    with np.errstate(divide="ignore", over="ignore"):
        return float(np.divide(1.0, T))


def draw(
    lattice: Solved,
    T: float,
    n_samples: int,
    stream: np.random.Generator,
    n_threads: int | None,
    field: float,
    exact: tuple[float, float] | None,
) -> tuple[SpinArray, Certificate]:
    """Return samples at T and their certificate; in a field `exact` is the energy and its spread, per site.

    Examples
    --------
    >>> spins, certificate = draw(Ring(6), 1.0, 10, np.random.default_rng(1), 1, 0.0, None)
    >>> spins.shape, certificate.rule
    ((10, 6), 'exact')
    """
    K = coupling_at(T)
    if exact is not None:
        assert isinstance(lattice, (Ring, Torus))
        drawn = draw_in_field(lattice, K, field, n_samples, stream)
        stderr = exact[1] / float(np.sqrt(drawn.energy.n_effective))
        return drawn.spins, Certificate(
            T, drawn.rule, drawn.burn_in, drawn.thin, drawn.tau, drawn.energy, exact[0], stderr
        )
    rule: Rule | Literal["exact"] = "exact"
    burn_in, thin, tau = 0, 0, 0.5
    if isinstance(lattice, Ring):
        spins = lattice.sample(K, n_samples, rng=stream)
    elif K in (0.0, np.inf):
        spins = random_spins(stream, n_samples, lattice.n_sites if K == 0 else 1) * np.ones(
            lattice.n_sites, dtype=np.int8
        )
    else:
        rule, tau = _choose(lattice, K, stream, n_threads)
        burn_in, thin = spacing(tau)
        n_chains = min(n_samples, LOCAL_CHAINS if rule == "heat_bath" else CLUSTER_CHAINS)
        chains = run(
            lattice,
            K,
            n_chains=n_chains,
            n_sweeps=-(-n_samples // n_chains) * thin,
            thin=thin,
            burn_in=burn_in - thin,
            rule=rule,
            rng=stream,
            initial=_start(lattice, K),
            n_threads=n_threads,
        )
        assert chains.spins is not None
        spins = np.swapaxes(chains.spins, 0, 1).reshape(-1, lattice.n_sites)[:n_samples]
        spins = spins * random_spins(stream, n_samples, 1)
        if chains.energy.shape[1] >= 4:
            energy = of_chains(energies(lattice, spins), chains.energy, thin)
            return spins, _certificate(lattice, K, T, rule, burn_in, thin, tau, energy)
    energy = independent(energies(lattice, spins))
    return spins, _certificate(lattice, K, T, rule, burn_in, thin, tau, energy)


def _certificate(
    lattice: Solved,
    K: float,
    T: float,
    rule: str,
    burn_in: int,
    thin: int,
    tau: float,
    energy: Estimate,
) -> Certificate:
    spread = float(np.sqrt(lattice.heat_capacity(K) / lattice.n_sites)) / K if 0 < K < np.inf else 0.0
    exact_stderr = spread / float(np.sqrt(energy.n_effective))
    return Certificate(T, rule, burn_in, thin, tau, energy, float(lattice.energy(K)), exact_stderr)


def _choose(
    lattice: Solved, K: float, stream: np.random.Generator, n_threads: int | None
) -> tuple[Rule, float]:
    """Return the rule that needs less work for an independent sample, and its τ."""
    common: dict[str, Any] = {"keep_spins": False, "n_threads": n_threads, "rng": stream}
    pilot = run(
        lattice,
        K,
        n_chains=PILOT_CHAINS,
        n_sweeps=PILOT_SWEEPS,
        burn_in=PILOT_SWEEPS,
        rule="swendsen_wang",
        initial=_start(lattice, K),
        **common,
    )
    tau_clusters = _slowest(pilot)[0]
    if lattice.critical_coupling < K:
        # local updates may keep stripes for times of which a pilot need not know
        return "swendsen_wang", tau_clusters
    # the heat bath is worth as many sweeps as would cost what clusters do
    longest = max(PILOT_SWEEPS, int(LONG_ENOUGH * COST_RATIO * tau_clusters))
    chains, n_sweeps = None, PILOT_SWEEPS
    while n_sweeps <= longest:
        chains = run(
            lattice,
            K,
            n_chains=LOCAL_CHAINS,
            n_sweeps=n_sweeps,
            thin=max(1, n_sweeps // PILOT_SWEEPS),
            initial="random" if chains is None else chains,
            **common,
        )
        tau, r_hat = _slowest(chains)
        if r_hat < AGREED and n_sweeps > LONG_ENOUGH * tau:
            return ("heat_bath", tau) if tau < COST_RATIO * tau_clusters else ("swendsen_wang", tau_clusters)
        n_sweeps *= 2
    return "swendsen_wang", tau_clusters


def _start(lattice: Solved, K: float) -> Start:
    """Return the start nearer to equilibrium."""
    return "up" if lattice.critical_coupling < K else "random"


def _slowest(chains: Run) -> tuple[float, float]:
    """Return the longer τ of energy and m², and the larger R-hat."""
    both = chains.energy, chains.magnetization**2
    r_hats = [1.0, *(rank_normalised_r_hat(one) for one in both)]  # NaN where constant
    return chains.thin * max(time_of(one)[0] for one in both), float(np.nanmax(r_hats))
