"""Which rule draws the samples of a lattice, from where, and which other one checks it.

Clusters of a lattice whose bonds and fields can all be satisfied are the fastest below its critical
temperature and near it; where bonds are frustrated they are too large to be of use, and single spins remain.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from rbmflow.arguments import SpinArray
from rbmflow.autocorrelation import AGREED, rank_normalised_r_hat
from rbmflow.ising.ground_states import GroundStates, ground_states
from rbmflow.ising.lattice import Lattice
from rbmflow.sampling.quantities import in_field
from rbmflow.sampling.reducibility import CLUSTER_RULES, Rule
from rbmflow.sampling.result import Run
from rbmflow.sampling.run import run
from rbmflow.sampling.spacing import time_of
from rbmflow.sampling.starts import Start

PILOT_CHAINS, PILOT_SWEEPS = 16, 256
LOCAL_CHAINS, CHAINS = 512, 64
COST_RATIO = 64  # of a Swendsen-Wang sweep to one of 512 heat-bath chains, per site and chain, on any lattice
LONG_ENOUGH = 50  # autocorrelation times of a pilot that is to be believed
MOST_SWEEPS = 2**15
"""Of a pilot of single spins where no clusters say how many are worth their work."""


@dataclass(frozen=True)
class Setting:
    """A lattice at a coupling K in (0, ∞) and a field, and what is known of its order."""

    lattice: Lattice
    K: float
    field: float = 0.0

    @property
    def ground(self) -> GroundStates | None:
        """The ground states, None where bonds or fields are frustrated."""
        return _ground(self.lattice, self.field)

    @property
    def ordered(self) -> bool:
        """Whether the infinite lattice has order here."""
        return self.lattice.critical_coupling < self.K

    @property
    def in_field(self) -> bool:
        """Whether some site has a field."""
        return in_field(self.lattice, self.field)

    @property
    def has_clusters(self) -> bool:
        """Whether clusters are of use."""
        return self.ground is not None

    def start(self) -> Start | SpinArray:
        """Return the start nearer to equilibrium: a ground state where there is order or a field."""
        return self.cold() if self.ordered or self.in_field else "random"

    def other_start(self, rule: Rule) -> Start | SpinArray:
        """Return a start for a check: the other one, but for single spins, which would keep stripes."""
        if self.ordered and rule in CLUSTER_RULES:
            return "random"
        return self.cold()

    def cold(self) -> Start | SpinArray:
        """Return a ground state, or all spins up where none is known."""
        ground = self.ground
        return "up" if ground is None or (ground.signs == 1).all() else ground.signs

    def other_rule(self, rule: Rule) -> Rule:
        """Return a rule to check another."""
        if rule in CLUSTER_RULES:
            return "heat_bath"
        return "swendsen_wang" if self.has_clusters else "metropolis"

    def chains(self, rule: Rule) -> int:
        """Return the number of chains that run at once."""
        return LOCAL_CHAINS if rule == "heat_bath" else CHAINS

    def run(self, rule: Rule, **options: Any) -> Run:
        """Run chains here."""
        return run(self.lattice, self.K, rule=rule, field=self.field, **options)

    def settle(
        self, rule: Rule, start: Start | SpinArray, longest: int, least: int = 1, **options: Any
    ) -> tuple[Run, float, bool]:
        """Return a run, twice as long as the one before until chains agree; τ, and whether they do."""
        chains, n_sweeps, n_runs = None, PILOT_SWEEPS, 0
        while True:
            chains = self.run(
                rule,
                n_sweeps=n_sweeps,
                thin=max(1, n_sweeps // PILOT_SWEEPS),
                initial=start if chains is None else chains,
                keep_spins=False,
                **options,
            )
            n_runs += 1
            tau, r_hat = slowest(chains)
            if r_hat < AGREED and n_sweeps > LONG_ENOUGH * tau and n_runs >= least:
                return chains, tau, True
            n_sweeps *= 2
            if n_sweeps > longest:
                return chains, tau, False

    def choose(self, stream: np.random.Generator, n_threads: int | None) -> tuple[Rule, float]:
        """Return the rule that needs less work for an independent sample, and its τ."""
        common: dict[str, Any] = {"n_threads": n_threads, "rng": stream}
        if not self.has_clusters:
            _, tau, _ = self.settle("heat_bath", self.start(), MOST_SWEEPS, n_chains=LOCAL_CHAINS, **common)
            return "heat_bath", tau
        pilot = self.run(
            "swendsen_wang",
            n_chains=PILOT_CHAINS,
            n_sweeps=PILOT_SWEEPS,
            burn_in=PILOT_SWEEPS,
            initial=self.start(),
            keep_spins=False,
            **common,
        )
        of_clusters = slowest(pilot)[0]
        if self.ordered or self.in_field:
            # local updates may keep stripes, or the side of a weak field, for times of which a pilot need not
            # know
            return "swendsen_wang", of_clusters
        # the heat bath is worth as many sweeps as would cost what clusters do
        longest = max(PILOT_SWEEPS, int(LONG_ENOUGH * COST_RATIO * of_clusters))
        _, tau, settled = self.settle("heat_bath", "random", longest, n_chains=LOCAL_CHAINS, **common)
        if settled and tau < COST_RATIO * of_clusters:
            return "heat_bath", tau
        return "swendsen_wang", of_clusters


@lru_cache(maxsize=16)
def _ground(lattice: Lattice, field: float) -> GroundStates | None:
    return ground_states(lattice, field)


def slowest(chains: Run) -> tuple[float, float]:
    """Return the longer τ of energy and m², and the larger R-hat."""
    both = chains.energy, chains.magnetization**2
    r_hats = [1.0, *(rank_normalised_r_hat(one) for one in both)]  # NaN where constant
    return chains.thin * max(time_of(one)[0] for one in both), float(np.nanmax(r_hats))
