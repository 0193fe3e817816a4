"""The report of a reproduction: one self-contained HTML page, to be read from top to bottom."""

from __future__ import annotations

from typing import Any

from rbmflow.estimate import with_error
from rbmflow.experiments.page import cell_text, checks_html, page, picture, table_html
from rbmflow.experiments.reproduction.reproduce import FIGURES, Reproduction
from rbmflow.experiments.tables import Table, columns_of

PICTURES = tuple(FIGURES)
SHOWN_CHARACTERS = 14


def render(result: Reproduction, pictures: dict[str, bytes], provenance: dict[str, Any]) -> str:
    """Return the page.

    Parameters
    ----------
    result : Reproduction
        A complete result.
    pictures : dict of str to bytes
        SVG of each figure by name; missing figures are replaced by a line of text.
    provenance : dict
        From `rbmflow.provenance.provenance`.

    Returns
    -------
    str
        HTML with everything inside it.
    """
    facts: dict[str, str] = {name: picture(name, pictures) for name in PICTURES}
    for stage, found in result.stages.items():
        facts[f"checks_{stage}"] = checks_html(found.checks)
        facts[f"seconds_{stage}"] = f"{found.seconds:.1f}"
    passed = sum(check.passed for check in result.checks)
    facts |= {
        "n_checks": str(len(result.checks)),
        "n_passed": str(passed),
        "verdict": "every number agrees"
        if passed == len(result.checks)
        else "NUMBERS ARE OFF: see the rows marked below",
        "seconds": f"{sum(stage.seconds for stage in result.stages.values()):.0f}",
        "limits_table": table_html(_shortened(result.tables["limits"])),
        "ranges_table": table_html(result.tables["temperature_ranges"]),
        "ranges_thesis_table": table_html(result.tables["temperature_ranges_thesis"]),
        "training_certificates": table_html(result.tables["training_certificates"]),
        "optimum_table": table_html(result.tables["optimum"]),
        "torus_ranges_table": table_html(result.tables["ranges_on_a_torus"]),
        "singular_values_table": table_html(result.tables["threshold_of_singular_values"]),
        "degeneracies": table_html(result.tables["degeneracies"]),
        "counts": table_html(result.tables["counts_of_rings"]),
        "first_steps": table_html(_ends(result)),
        "largest_ring": str(result.parameters.enumeration_sites),
        "n_samples": f"{result.parameters.n_samples:,}",
        "versions": ", ".join(f"{name} {number}" for name, number in provenance["versions"].items()),
        "platform": f"{provenance['platform']['system']}, SIMD {provenance['platform']['simd']}",
        "seed": str(provenance["seed"]),
    }
    return page("reproduction/report.html", facts)


def _shortened(table: Table) -> Table:
    """Numbers given as long text, cut to what a reader compares; the CSV file has all digits."""
    columns: dict[str, list[Any]] = {
        name: [
            cell[:SHOWN_CHARACTERS] if name in ("value", "limit") else cell for cell in map(cell_text, column)
        ]
        for name, column in table.columns.items()
    }
    return Table(table.caption, columns)


def _ends(result: Reproduction) -> Table:
    """First and last order parameter of every flow."""
    columns = result.tables["flow_of_ensembles"].columns
    steps = result.parameters.n_steps
    rows: dict[tuple[Any, Any], list[Any]] = {}
    for K, label, W, step, order, error, zero in zip(*columns.values(), strict=True):
        if step in (0, steps):
            rows.setdefault((K, label), [K, label, W]).append(with_error(order, error))
        if step == steps:
            rows[K, label].append(zero)
    names = (
        "K of the ensemble",
        "trained at",
        "W",
        "⟨|m|⟩ at the start",
        f"⟨|m|⟩ after {steps} steps",
        "fraction with m = 0",
    )
    return Table("Order parameter at both ends of the flow", columns_of(names, list(rows.values())))
