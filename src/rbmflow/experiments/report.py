"""The report of a reproduction: one self-contained HTML page, to be read from top to bottom."""

from __future__ import annotations

import base64
import html
from importlib.resources import files
from string import Template
from typing import Any

from rbmflow.estimate import with_error
from rbmflow.experiments.record import Check, Table, columns_of
from rbmflow.experiments.reproduce import Reproduction


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
        "platform": html.escape(f"{provenance['platform']['system']}, SIMD {provenance['platform']['simd']}"),
        "seed": html.escape(str(provenance["seed"])),
    }
    return page("report.html", facts)


def page(name: str, facts: dict[str, str]) -> str:
    """Return one of the package's pages with its facts put in."""
    folder = files("rbmflow.experiments")
    style = folder.joinpath("style.html").read_text(encoding="utf-8")
    text = folder.joinpath(name).read_text(encoding="utf-8")
    return Template(text).substitute(facts, style=style)


PICTURES = (
    "fig2_decimation",
    "fig3_intersection",
    "fig4_trained_weight",
    "fig5_divergence",
    "limits",
    "laws_of_the_weight",
    "flow_of_ensembles",
    "phase_boundary",
    "gain_of_ranges",
    "chains_against_exact",
    "update_orders",
    "three_flows",
    "stationary_flow",
    "side_by_side",
)
SHOWN_CHARACTERS = 14


def _shortened(table: Table) -> Table:
    """Numbers given as long text, cut to what a reader compares; the CSV file has all digits."""
    columns: dict[str, list[Any]] = {
        name: [cell[:SHOWN_CHARACTERS] if name in ("value", "limit") else cell for cell in map(_cell, column)]
        for name, column in table.columns.items()
    }
    return Table(table.caption, columns)


def picture(name: str, pictures: dict[str, bytes]) -> str:
    """Return an SVG as an image inside the page, or a line that says why there is none."""
    if name not in pictures:
        return "<p><em>No figure: matplotlib is not installed (pip install 'rbmflow[figures]').</em></p>"
    data = base64.b64encode(pictures[name]).decode()
    return f'<img alt="{name.replace("_", " ")}" src="data:image/svg+xml;base64,{data}">'


def checks_html(checks: list[Check]) -> str:
    """Return checked numbers as a table that opens if one is off."""
    rows = "".join(
        f'<tr class="{"ok" if check.passed else "off"}"><td>{html.escape(check.name)}</td>'
        f"<td class=n>{html.escape(check.computed)}</td><td class=n>{html.escape(check.reference)}</td>"
        f"<td class=n>{check.difference:.1e}</td><td class=n>{check.tolerance:.1e}</td><td>{check.measure}</td>"
        f"<td>{'agrees' if check.passed else 'OFF'}</td></tr>"
        for check in checks
    )
    head = "<th>quantity<th>computed<th>reference<th>difference<th>allowed<th>measure<th>verdict"
    sources = "; ".join(sorted({check.source for check in checks}))
    passed = sum(check.passed for check in checks)
    off = "" if passed == len(checks) else " open"
    return (
        f"<details{off}><summary>{passed} of {len(checks)} numbers agree with their references</summary>"
        f"<div class=wide><table><tr>{head}</tr>{rows}</table></div>"
        f"<p class=small>References: {html.escape(sources)}.</p></details>"
    )


def table_html(table: Table) -> str:
    """Return a table as HTML."""
    head = "".join(f"<th>{html.escape(name.replace('_', ' '))}" for name in table.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td class=n>{html.escape(_cell(cell))}</td>" for cell in row) + "</tr>"
        for row in zip(*table.columns.values(), strict=True)
    )
    return f"<div class=wide><table><caption>{html.escape(table.caption)}</caption><tr>{head}</tr>{rows}</table></div>"


def _cell(cell: object) -> str:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if cell is None:
        return ""
    return f"{cell:.6g}" if isinstance(cell, float) else str(cell)


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
