"""The report of a reproduction: one self-contained HTML page, to be read from top to bottom."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Mapping
from importlib.resources import files
from string import Template
from typing import Any

from rbmflow.estimate import with_error
from rbmflow.experiments.reproduction.reproduce import Reproduction
from rbmflow.experiments.tables import Check, Table, columns_of


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


class Html(str):
    """What is HTML already; any other text is escaped where it enters a page."""

    __slots__ = ()


def escaped(value: object) -> Html:
    """Return a value as HTML: the one place through which text gets into a page."""
    return value if isinstance(value, Html) else Html(html.escape(str(value)))


def markup(template: str, *values: object) -> Html:
    """Return a piece of HTML, by `str.format`, with its values escaped.

    Examples
    --------
    >>> markup("<td>{}", "a < b")
    '<td>a &lt; b'
    """
    return Html(template.format(*map(escaped, values)))


def join(pieces: Iterable[Html]) -> Html:
    """Return pieces of HTML one after the other."""
    return Html("".join(map(escaped, pieces)))


def page(name: str, facts: Mapping[str, str]) -> str:
    """Return one of the package's pages with its facts put in, each escaped unless it is HTML."""
    folder = files("rbmflow.experiments")
    style = folder.joinpath("style.html").read_text(encoding="utf-8")
    text = folder.joinpath(name).read_text(encoding="utf-8")
    safe = {key: escaped(value) for key, value in facts.items()}
    return Template(text).substitute(safe, style=style)


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


def picture(name: str, pictures: dict[str, bytes]) -> Html:
    """Return an SVG as an image inside the page, or a line that says why there is none."""
    if name not in pictures:
        return Html(
            "<p><em>No figure: matplotlib is not installed (pip install 'rbmflow[figures]').</em></p>"
        )
    data = base64.b64encode(pictures[name]).decode()
    return markup('<img alt="{}" src="data:image/svg+xml;base64,{}">', name.replace("_", " "), data)


def checks_html(checks: list[Check]) -> Html:
    """Return checked numbers as a table that opens if one is off."""
    rows = join(
        markup(
            '<tr class="{}"><td>{}</td><td class=n>{}</td><td class=n>{}</td>'
            "<td class=n>{}</td><td class=n>{}</td><td>{}</td><td>{}</td></tr>",
            "ok" if check.passed else "off",
            check.name,
            check.computed,
            check.reference,
            f"{check.difference:.1e}",
            f"{check.tolerance:.1e}",
            check.measure,
            "agrees" if check.passed else "OFF",
        )
        for check in checks
    )
    head = Html("<th>quantity<th>computed<th>reference<th>difference<th>allowed<th>measure<th>verdict")
    sources = "; ".join(sorted({check.source for check in checks}))
    passed = sum(check.passed for check in checks)
    return markup(
        "<details{}><summary>{} of {} numbers agree with their references</summary>"
        "<div class=wide><table><tr>{}</tr>{}</table></div><p class=small>References: {}.</p></details>",
        "" if passed == len(checks) else " open",
        passed,
        len(checks),
        head,
        rows,
        sources,
    )


def table_html(table: Table) -> Html:
    """Return a table as HTML."""
    head = join(markup("<th>{}", name.replace("_", " ")) for name in table.columns)
    rows = join(
        markup("<tr>{}</tr>", join(markup("<td class=n>{}</td>", _cell(cell)) for cell in row))
        for row in zip(*table.columns.values(), strict=True)
    )
    return markup(
        "<div class=wide><table><caption>{}</caption><tr>{}</tr>{}</table></div>", table.caption, head, rows
    )


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
