"""What a notebook shows of a record: a small table of its fields, and the first rows of its table."""

from __future__ import annotations

from html import escape
from typing import Any

from rbmflow.records.storable import Storable
from rbmflow.records.text import brief_value, shown_fields

ROWS = 5
LEFT = ' style="text-align: left"'


def page_of(record: Storable) -> str:
    """Return a piece of HTML."""
    shown = {one.name: brief_value(getattr(record, one.name)) for one in shown_fields(record)}
    rows = "".join(
        f"<tr><th{LEFT}>{escape(name)}</th><td{LEFT}>{escape(text)}</td></tr>" for name, text in shown.items()
    )
    table = f"<table><caption>{escape(type(record).__name__)}</caption><tbody>{rows}</tbody></table>"
    return f"<div>{table}{_first_rows(record)}</div>"


def _first_rows(record: Storable) -> str:
    columns = record._columns()
    if not columns:
        return ""
    length = len(next(iter(columns.values())))
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    cells = zip(*(values[:ROWS] for values in columns.values()), strict=True)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(_cell(one))}</td>' for one in row)}</tr>" for row in cells)
    caption = f"{length} rows" if length <= ROWS else f"{ROWS} of {length} rows"
    return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _cell(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else brief_value(value)
