"""What is asked of the experiment with noise."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from rbmflow.arguments import check_integer, check_real, check_real_scalar, shown
from rbmflow.experiments.experiment import BaseParameters, option
from rbmflow.ising import Ring, Torus
from rbmflow.ising.onsager import CRITICAL_TEMPERATURE

LEAST_RATE = 1e-6  # its line, 3.5, is well below the couplings that are searched
LEAST_ROWS = 4
"""Noisy configurations, for errors."""


@dataclass(frozen=True)
class Parameters(BaseParameters):
    """What is measured.

    Attributes
    ----------
    n_sites : int
        Spins of the ring.
    sides : tuple of int
        Sides L of the tori; that of 4 is enumerated, on larger ones the best estimate is sampled.
    ring_couplings, torus_couplings : tuple of float
        K of both.
    error_rates : tuple of float
        ε of the flows.
    rates_of_line : tuple of float
        ε of the line K*(ε), below ½, where no field is left.
    n_rings, n_tori : int
        Noisy rings, and noisy tori of 64²; of smaller tori as many more as they have fewer spins.
    n_steps : int
        Of the flows.
    copy_weight : float
        c of the decimating machine.
    n_training, n_epochs : int
        Clean configurations from which the trained machine learns, and how long.
    largest_trained : int
        Spins up to which there is a trained machine.
    n_chains, n_sweeps : int
        Of the sampled best estimate, for each noisy torus.
    """

    n_sites: int = field(default=64, metadata=option("spins of the ring", "--ring", metavar="M"))
    sides: tuple[int, ...] = field(default=(4, 16, 64), metadata=option("sides of the tori", metavar="L"))
    ring_couplings: tuple[float, ...] = (0.5, 1.0, 1.5)
    torus_couplings: tuple[float, ...] = (0.3, 1 / CRITICAL_TEMPERATURE, 0.6)
    error_rates: tuple[float, ...] = field(
        default=(0.05, 0.15, 0.3), metadata=option("shares of spins turned over", "--noise", metavar="E")
    )
    rates_of_line: tuple[float, ...] = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.45)
    n_rings: int = field(default=2000, metadata=option("noisy rings", "--rings", metavar="N"))
    n_tori: int = field(default=8, metadata=option("noisy tori of 64 x 64", "--tori", metavar="N"))
    n_steps: int = field(default=16, metadata=option("of the flows", "--steps", metavar="N"))
    copy_weight: float = 2.0
    n_training: int = 5000
    n_epochs: int = field(
        default=40, metadata=option("over which machines are trained", "--epochs", metavar="N")
    )
    largest_trained: int = 256
    n_chains: int = 4
    n_sweeps: int = 1000

    def __post_init__(self) -> None:
        check_integer("n_sites", self.n_sites, 4, 10_000)
        if self.n_sites % 2:
            raise ValueError(f"n_sites={self.n_sites}: an even number is needed, every second spin is copied")
        for side in self.sides:
            if check_integer("sides", side, 4, 256) % 2:
                raise ValueError(f"sides={self.sides}: even numbers are needed, every second spin is copied")
        for name in ("ring_couplings", "torus_couplings"):
            couplings = check_real(name, getattr(self, name))
            if couplings.ndim != 1 or not ((couplings > 0) & np.isfinite(couplings)).all():
                raise ValueError(f"{name}={shown(getattr(self, name))}: positive, finite numbers are needed")
        for name in ("error_rates", "rates_of_line"):
            rates = check_real(name, getattr(self, name))
            if rates.ndim != 1 or not rates.size or not ((rates >= LEAST_RATE) & (rates < 0.5)).all():
                raise ValueError(f"{name}={shown(rates)}: shares from {LEAST_RATE} to below 0.5 are needed")
        for name in ("n_steps", "n_epochs"):
            check_integer(name, getattr(self, name), 1, 10_000)
        for name in ("n_rings", "n_tori", "n_training"):
            check_integer(name, getattr(self, name), LEAST_ROWS, 10**6)
        check_integer("largest_trained", self.largest_trained, 0, 4096)
        check_integer("n_chains", self.n_chains, 2, 1000)
        check_integer("n_sweeps", self.n_sweeps, 32, 10**6)
        if not np.isfinite(check_real_scalar("copy_weight", self.copy_weight)):
            raise ValueError(f"copy_weight={self.copy_weight}: a finite number is needed")

    @property
    def cases(self) -> list[tuple[Ring | Torus, float]]:
        """Lattices and couplings."""
        rings = [(Ring(self.n_sites), K) for K in self.ring_couplings]
        return [*rings, *((Torus(L, L), K) for L in self.sides for K in self.torus_couplings)]

    def n_rows(self, lattice: Ring | Torus) -> int:
        """Return how many noisy configurations of a lattice there are."""
        return self.n_rings if isinstance(lattice, Ring) else self.n_tori * max(1, 4096 // lattice.n_sites)
