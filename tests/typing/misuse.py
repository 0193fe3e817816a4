"""Errors that type checkers find, each on a line that says so in a comment, and nothing else."""

from typing import TYPE_CHECKING

import rbmflow

if TYPE_CHECKING:
    ring = rbmflow.Ring(8)
    machine = rbmflow.RBM.uniform(8, 4, 0.3)
    chains = rbmflow.sampling.run(ring, 0.5, n_sweeps=10, rule="heatbath", rng=1)  # wrong: no such rule
    weight = rbmflow.trained_weight("0.5", 8, 4)  # wrong: decimal strings need dps
    several = rbmflow.trained_weight(["0.5", "1"], 8, 4)  # wrong: so do lists of them
    fit = rbmflow.fit(machine, "spins.csv", n_epochs=1, rng=1)  # wrong: text for an array
    swapped = rbmflow.sampling.run(0.5, ring, n_sweeps=10, rng=1)  # wrong: the lattice comes first
    name: str = rbmflow.critical_coupling(8, 4, dps=20)  # wrong: a number is no text
    table = rbmflow.weight.limit_table(8, 4, digits=20)  # wrong: it is called dps
    seeded = ring.sample(0.5, 10, rng="one")  # wrong: text is no seed
    mixed = rbmflow.weight.f([0.1, 0.2], 8, 4).dps  # wrong: arrays give arrays
    read = rbmflow.sampling.reweight(rbmflow.sampling.run(ring, 0.5, n_sweeps=10, rng=1))
    cumulant = read.estimate("binder", 0.5)  # wrong: no such quantity
