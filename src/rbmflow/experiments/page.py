"""Pages of HTML with everything inside: reports of experiments are put together from these pieces."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Mapping
from importlib.resources import files
from string import Template

from rbmflow.experiments.tables import Check, Table


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
        markup("<tr>{}</tr>", join(markup("<td class=n>{}</td>", cell_text(cell)) for cell in row))
        for row in zip(*table.columns.values(), strict=True)
    )
    return markup(
        "<div class=wide><table><caption>{}</caption><tr>{}</tr>{}</table></div>", table.caption, head, rows
    )


def cell_text(cell: object) -> str:
    """Return a cell as a reader sees it."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if cell is None:
        return ""
    return f"{cell:.6g}" if isinstance(cell, float) else str(cell)
