"""Tables of the seven-step experiment: where flows end, what the thermometers are worth."""

from __future__ import annotations

from itertools import product
from typing import Protocol

import numpy as np

from rbmflow.arguments import FloatArray
from rbmflow.estimate import with_error
from rbmflow.experiments.observables import name_of
from rbmflow.experiments.seven_steps.parameters import Parameters
from rbmflow.experiments.seven_steps.steps import NULL_MAGNETIZATIONS
from rbmflow.experiments.tables import Cell, Table, columns_of, named_columns, tables_of
from rbmflow.ising.bonds import aligned_energy
from rbmflow.ising.lattice import Lattice

ENDS = ("order_parameter", "energy", "excess")


class Found(Protocol):
    """What the tables are made of."""

    parameters: Parameters
    values: dict[str, FloatArray]

    def mean(self, name: str) -> tuple[FloatArray, FloatArray]:
        """Return the mean over the seeds and half its 68 % interval."""


def tables(result: Found) -> dict[str, Table]:
    """Return the tables by name."""
    return tables_of([{"machines": machines(result), "ends": ends(result)}, _thermometers(result)])


def summary(result: Found) -> list[str]:
    """Return a line of text for each machine: where its mean-field flow ends."""
    columns = machines(result).columns
    lines = []
    for kind, size, m, stderr, s_1 in zip(
        *(columns[name] for name in ("training_set", "n_hidden", "settled_m", "stderr", "s_1")), strict=True
    ):
        order = f"{m:.4f}" if stderr is None else with_error(m, stderr)
        lines.append(f"{kind}, {size} hidden units: |m| = {order}, s1 = {s_1:.3f}")
    return lines


def _cell(value: float) -> Cell:
    return None if np.isnan(value) else float(value)


def over_seeds(result: Found) -> str:
    """Return what means and errors are over."""
    n = result.parameters.n_seeds
    return f"means of {n} seeds with 68 % intervals (Student's t)" if n > 1 else "one seed, errors unknown"


def machines(result: Found) -> Table:
    """Return the settled |m| and the largest singular values for each training set and size, over seeds."""
    p = result.parameters
    settled, settled_error = result.mean("settled")
    modes, modes_error = result.mean("singular_values")
    uniform, uniform_error = result.mean("uniform_settled")
    rows: list[tuple[Cell, ...]] = [
        (
            kind,
            size,
            _cell(settled[i, j, -1]),
            _cell(settled_error[i, j, -1]),
            _cell(modes[i, j, -1, 0]),
            _cell(modes_error[i, j, -1, 0]),
            *(_cell(modes[i, j, -1, k]) if k < min(size, modes.shape[-1]) else None for k in (1, 2)),
            _cell(uniform[i, j]),
            _cell(uniform_error[i, j]),
        )
        for (i, kind), (j, size) in product(enumerate(p.training_sets), enumerate(p.n_hidden))
    ]
    names = (
        "training_set",
        "n_hidden",
        "settled_m",
        "stderr",
        "s_1",
        "s_1_stderr",
        "s_2",
        "s_3",
        "uniform_m",
        "uniform_m_stderr",
    )
    caption = (
        f"|m| at the end of the mean-field flow from T = {p.starts[0]:g} J/k_B, and singular values: "
        f"{name_of(p.lattice)}, {over_seeds(result)}"
    )
    return Table(caption, columns_of(names, rows))


def ends(result: Found) -> Table:
    """Return the observables and temperatures at the end of every flow, over the seeds."""
    p = result.parameters
    quantities = [*ENDS, *temperature_names(result)]
    means = {name: result.mean(name) for name in quantities}
    rows = []
    for (i, kind), (j, size), (k, step), (b, start) in product(
        enumerate(p.training_sets), enumerate(p.n_hidden), enumerate(p.maps), enumerate(p.starts)
    ):
        cells: list[Cell] = [kind, size, step, start]
        for name in quantities:
            cells += [_cell(part[i, j, k, b, -1]) for part in means[name]]
        rows.append(tuple(cells))
    names = ["training_set", "n_hidden", "map", "start"]
    for name in quantities:
        names += [name, f"{name}_stderr"]
    return Table(
        f"After {p.n_steps} steps of each flow, {p.n_seeds} seeds, {name_of(p.lattice)}",
        columns_of(names, rows),
    )


def temperature_names(result: Found) -> list[str]:
    """Return the names of the readings along the flows."""
    return [
        name for name in result.values if name.startswith("temperature_") and not name.endswith("_stderr")
    ]


def thermometer_names(result: Found) -> list[str]:
    """Return the names of the thermometers."""
    return [name.removeprefix("temperature_") for name in temperature_names(result)]


def _thermometers(result: Found) -> dict[str, Table]:
    """Calibration and null calibration, means over the seeds."""
    names = thermometer_names(result)
    calibration: list[tuple[str, list[Cell]]] = [("temperature", list(result.parameters.temperatures))]
    null: list[tuple[str, list[Cell]]] = [("m", list(NULL_MAGNETIZATIONS))]
    for name in names:
        for part in ("reading", "resolution"):
            calibration.append((f"{name}_{part}", _means(result, f"{name}_{part}")))
        null.append((f"{name}_reading", _means(result, f"{name}_null")))
    return {
        "calibration": Table(
            "Thermometers on fresh configurations: reading and its spread for one configuration, J/k_B",
            named_columns(calibration),
        ),
        "null_calibration": Table(
            "Readings of thermometers on uncorrelated spins of mean m, J/k_B", named_columns(null)
        ),
    }


def _means(result: Found, name: str) -> list[Cell]:
    """Means over the seeds."""
    return [_cell(mean) for mean in result.values[name].mean(axis=0)]


def excess_of(lattice: Lattice) -> str:
    """Return how the excess of the energy is written.

    Examples
    --------
    >>> from rbmflow import Honeycomb, Ring, Torus
    >>> [excess_of(one) for one in (Ring(8), Torus(4, 4), Honeycomb(3, 3))]
    ['E + m²', 'E + 2m²', 'E + 1.5m²']
    """
    aligned, field = aligned_energy(lattice)
    squared = f"{abs(aligned):.3g}".removesuffix(".0")
    linear = f" {'-' if field > 0 else '+'} {abs(field):.3g}m" if field else ""
    return f"E {'-' if aligned > 0 else '+'} {'' if squared == '1' else squared}m²{linear}"
