"""The report of the seven-step experiment: one self-contained HTML page."""

from __future__ import annotations

from typing import Any

import numpy as np

from rbmflow.experiments.page import Html, markup, page, picture, table_html
from rbmflow.experiments.seven_steps.figures import FIGURES
from rbmflow.experiments.seven_steps.parameters import LITERATURE, SETS
from rbmflow.experiments.seven_steps.result import IsoShibaYokoo
from rbmflow.experiments.seven_steps.steps import NULL_MAGNETIZATIONS
from rbmflow.experiments.seven_steps.tables import excess_of, over_seeds, thermometer_names
from rbmflow.experiments.tables import Table
from rbmflow.ising.exact_energy import has_exact_curve
from rbmflow.ising.lattice import Lattice
from rbmflow.ising.solved import Solved


def of(result: IsoShibaYokoo, pictures: dict[str, bytes], provenance: dict[str, Any]) -> str:
    """Return the page of a complete result."""
    return render(result, result.tables, pictures, provenance)


def render(
    result: IsoShibaYokoo, tables: dict[str, Table], pictures: dict[str, bytes], provenance: dict[str, Any]
) -> str:
    """Return the page.

    Parameters
    ----------
    result : IsoShibaYokoo
        A complete result.
    tables : dict of str to Table
        Its tables.
    pictures : dict of str to bytes
        SVG of each figure by name; missing figures are replaced by a line of text.
    provenance : dict
        From `rbmflow.provenance.provenance`.

    Returns
    -------
    str
        HTML with everything inside it.
    """
    p = result.parameters
    facts: dict[str, str] = {name: picture(name, pictures) for name in FIGURES}
    facts |= {
        "lattice": _where(p.lattice),
        "n_machines": str(result.finished.size),
        "n_seeds": str(p.n_seeds),
        "kinds": "; ".join(f"{kind} ({SETS[kind]})" for kind in p.training_sets),
        "sizes": ", ".join(map(str, p.n_hidden)),
        "how": f"{p.n_samples} configurations at each of {len(p.temperatures)} temperatures "
        f"from {p.temperatures[0]:g} to {p.temperatures[-1]:g}; "
        f"{p.negative} with k = {p.k}, {p.n_updates:,} updates at rate {p.learning_rate:g}; "
        f"flows of {p.n_flow} configurations.",
        "seconds": ", ".join(f"{stage} {seconds:.0f}" for stage, seconds in result.seconds.items()),
        "errors": f"Error bars and bands: {over_seeds(result)}.",
        "readings": _readings(result),
        "excess_text": Html(excess_of(p.lattice).replace("E", "<i>E</i>").replace("m", "<i>m</i>")),
        "ends_details": markup(
            "<details><summary>Observables and temperatures after {} steps</summary>{}</details>",
            p.n_steps, table_html(tables["ends"]),
        ),
        "machines": table_html(tables["machines"]),
        "literature": _literature(result),
        "null_text": _null(result),
        "calibration": table_html(tables["calibration"]),
        "null_calibration": table_html(tables["null_calibration"]),
        "versions": ", ".join(f"{name} {number}" for name, number in provenance["versions"].items()),
        "platform": f"{provenance['platform']['system']}, SIMD {provenance['platform']['simd']}",
        "seed": str(provenance["seed"]),
    }  # fmt: skip
    return page("seven_steps/report.html", facts)


def _where(lattice: Lattice) -> str:
    label = lattice.label.replace(" x ", " × ")
    if not isinstance(lattice, Solved):
        return f"a {label}, {lattice.n_sites} spins"
    if len(lattice.shape) == 1:
        return f"a {label} spins"
    return f"a {' × '.join(map(str, lattice.shape))} {lattice.name}"


def _literature(result: IsoShibaYokoo) -> Html:
    p = result.parameters
    if np.isinf(p.lattice.critical_coupling):
        return Html(
            f"A negative control: the {p.lattice.name} has no critical point above <i>T</i> = 0, "
            "and still the flows of machines trained on it end at temperatures that a thermometer reads."
        )
    if not p.of_literature:
        known = p.lattice.critical_source
        if not known or isinstance(p.lattice, Solved):
            return Html()
        return markup(
            "Dashed lines: the critical temperature of the infinite lattice, <i>T<sub>c</sub></i> = {} ({}).",
            f"{1 / p.lattice.critical_coupling:.4f}", known,
        )  # fmt: skip
    return markup(
        "For type V at <i>L</i> = 10 R. Veiga and R. Vicente (arXiv:2006.10176) give |<i>m</i>*| = {}, "
        "with machines of 0/1 units; the machines here have ±1 units, "
        "and |<i>m</i>| still rises with the training (section 4).",
        LITERATURE["V"],
    )


def _readings(result: IsoShibaYokoo) -> Html:
    names = thermometer_names(result)
    if not {"energy", "network_mean"} <= set(names):
        return Html("")
    cold = result.values["network_mean_reading"][:, 0].mean()
    exact = has_exact_curve(result.parameters.lattice)
    return markup(
        "Temperatures are read from the energy, {}, and, beside it, "
        "by the mean of the network, whose scale is its own: it reads <i>T</i> = {} as {}.",
        "by the exact thermometer" if exact else "by that of the training data",
        f"{result.parameters.temperatures[0]:g}",
        f"{cold:.2f}",
    )


def _null(result: IsoShibaYokoo) -> Html:
    """What thermometers read on uncorrelated spins of m between 0.65 and 0.8."""
    m = np.array(NULL_MAGNETIZATIONS)
    between = (m >= 0.65 - 1e-9) & (m <= 0.8 + 1e-9)
    parts = []
    for name in thermometer_names(result):
        readings = result.values[f"{name}_null"].mean(axis=0)[between]
        parts.append(f"{name.replace('_', ' ')} {readings.max():.2f} to {readings.min():.2f}")
    return markup(
        "Right: uncorrelated spins, which are no magnet at any temperature. With <i>m</i> from 0.65 to 0.8 "
        "they read as <i>T</i> = {}.",
        "; ".join(parts),
    )
