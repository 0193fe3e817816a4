"""The report of an audit: one self-contained HTML page."""

from __future__ import annotations

from typing import Any

from rbmflow.experiments.audit.result import Audit
from rbmflow.experiments.page import join, markup, page, picture, scrolled, table_html
from rbmflow.experiments.tables import Table

LONGEST = 40
"""Rows of a table that stand on the page; all are in its CSV file."""


def of(result: Audit, pictures: dict[str, bytes], provenance: dict[str, Any]) -> str:
    """Return the page of an audit."""
    columns = result.tables["findings"].columns
    said = zip(columns["subject"], columns["beware"], columns["finding"], strict=True)
    items = join(
        markup('<tr class="{}"><td>{}<td>{}', "beware" if beware else "fine", subject, finding)
        for subject, beware, finding in said
    )
    others = [(name, table) for name, table in result.tables.items() if name != "findings"]
    facts: dict[str, str] = {
        "machine": result.machine,
        "findings": scrolled("findings", items),
        "audit": picture("audit", pictures),
        "tables": join(
            markup("<details><summary>{}</summary>{}</details>", table.caption, table_html(_short(table)))
            for _, table in others
        ),
        "parameters": ", ".join(f"{name} {value}" for name, value in result.parameters.to_json().items()),
        "versions": ", ".join(f"{name} {number}" for name, number in provenance["versions"].items()),
        "platform": f"{provenance['platform']['system']}, SIMD {provenance['platform']['simd']}",
        "seed": str(provenance["seed"]),
    }
    return page("audit/report.html", facts)


def _short(table: Table) -> Table:
    """Return a table of which the first rows are left."""
    n = len(next(iter(table.columns.values()), []))
    caption = "" if n <= LONGEST else f"the first {LONGEST} of {n} rows"
    return Table(caption, {name: column[:LONGEST] for name, column in table.columns.items()})
