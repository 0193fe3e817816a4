"""Every configuration of rings, counted."""

from __future__ import annotations

import numpy as np

from rbmflow.experiments.reproduction.stage import Findings, Parameters, references
from rbmflow.experiments.style import Drawing
from rbmflow.experiments.tables import Check, Table, columns_of
from rbmflow.ising import Ring


def stage(parameters: Parameters, _rng: np.random.Generator) -> Findings:
    """Every configuration visited, against the closed form; the classes of small rings."""
    rows, checks = [], []
    known = references()["classes"]
    lengths = [*range(3, 17), *range(20, parameters.enumeration_sites + 1, 2)]
    for n_sites in lengths:
        closed = Ring(n_sites).degeneracies()
        visited = Ring(n_sites).enumerate(n_threads=parameters.n_threads)
        rows.append((n_sites, len(closed), closed.total, visited == closed))
        reference = known["value"].get(str(n_sites))
        if reference is not None:
            name = f"classes (α, V) of the ring of {n_sites}"
            difference = abs(len(visited) - reference)
            checks.append(
                Check(name, str(len(visited)), str(reference), difference, 0.0, "exact", known["source"])
            )
    wrong = sum(not row[-1] for row in rows)
    name = f"rings of 3 to {lengths[-1]} sites whose brute-force counts differ from the closed form"
    checks.append(Check(name, str(wrong), "0", wrong, 0.0, "exact", "(M/k) C(n−1, k−1) C(M−n−1, k−1)"))
    table = Ring(parameters.n_visible).degeneracies()
    tables = {
        "counts_of_rings": Table(
            "Rings whose 2^M configurations were all visited",
            columns_of(("n_sites", "classes", "configurations", "equal_to_closed_form"), rows),
        ),
        "degeneracies": Table(
            f"Configurations of the ring of {parameters.n_visible} for each α and V",
            columns_of(("alpha", "magnetization", "count"), list(table.rows())),
        ),
    }
    return tables, checks


FIGURES: dict[str, Drawing] = {}
