"""Pages of HTML with everything inside: reports of experiments are put together from these pieces."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Mapping
from importlib.resources import files
from string import Template

from rbmflow.experiments.captions import CAPTIONS
from rbmflow.experiments.readable import DIGITS, error_shown, errors_of, heading_of, is_number
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
    """Return one of the package's pages with its facts put in, each escaped unless it is HTML.

    Its sections get numbers to refer to, and a table of contents before the first.
    """
    folder = files("rbmflow.experiments")
    style = folder.joinpath("style.html").read_text(encoding="utf-8")
    text = folder.joinpath(name).read_text(encoding="utf-8")
    safe = {key: escaped(value) for key, value in facts.items()}
    return Template(_with_contents(text)).substitute(safe, style=style)


def _with_contents(text: str) -> str:
    """Return a page with a table of contents, of its headings of the second order."""
    before, *sections = text.split("<h2>")
    titles = [one.partition("</h2>")[0] for one in sections]
    entries = "".join(
        f'<li><a href="#section-{index}">{title}</a></li>\n' for index, title in enumerate(titles, start=1)
    )
    contents = f'<nav aria-label="Contents">\n<h2>Contents</h2>\n<ul>\n{entries}</ul>\n</nav>\n\n'
    numbered = (f'<h2 id="section-{index}">{one}' for index, one in enumerate(sections, start=1))
    return before + contents + "".join(numbered)


def picture(name: str, pictures: dict[str, bytes]) -> Html:
    """Return an SVG as a figure that opens large, with its caption, or a line on why there is none."""
    if name not in pictures:
        return Html(
            "<p><em>No figure: matplotlib is not installed (pip install 'rbmflow[figures]').</em></p>"
        )
    data = base64.b64encode(pictures[name]).decode()
    caption, description = CAPTIONS.get(name, (name.replace("_", " "),) * 2)
    return markup(
        '<div id="at-{}"><figure id="figure-{}"><a class=close href="#at-{}">close</a>'
        '<a href="#figure-{}" title="open large"><img alt="{}" src="data:image/svg+xml;base64,{}"></a>'
        "<figcaption>{}</figcaption></figure></div>",
        *(name,) * 4,
        description,
        data,
        caption,
    )


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
    heads = ("quantity", "computed", "reference", "difference", "allowed", "measure", "verdict")
    head = join(markup("<th scope=col>{}", one) for one in heads)
    sources = "; ".join(sorted({check.source for check in checks}))
    passed = sum(check.passed for check in checks)
    return markup(
        "<details{}><summary>{} of {} numbers agree with their references</summary>"
        "{}<p class=small>References: {}.</p></details>",
        "" if passed == len(checks) else " open",
        passed,
        len(checks),
        scrolled("checked numbers", markup("<thead><tr>{}</tr></thead>{}", head, rows)),
        sources,
    )


def table_html(table: Table) -> Html:
    """Return a table as HTML: heads in words, numbers beside their errors."""
    errors = errors_of(list(table.columns))
    heads, columns = [], []
    for name, cells in table.columns.items():
        if name in errors.values():
            continue
        stderr = table.columns[errors[name]] if name in errors else [None] * len(cells)
        kind = Html(" class=n" if all(cell is None or is_number(cell) for cell in cells) else "")
        heads.append(markup("<th scope=col{}>{}", kind, heading_of(name)))
        pairs = zip(cells, stderr, strict=True)
        columns.append([markup("<td{}>{}", kind, error_shown(*pair) or cell_text(pair[0])) for pair in pairs])
    rows = join(markup("<tr>{}</tr>", join(row)) for row in zip(*columns, strict=True))
    title = markup("<p class=title>{}</p>", table.caption) if table.caption else Html()
    content = markup("<thead><tr>{}</tr></thead>{}", join(heads), rows)
    return join([title, scrolled(table.caption or "numbers", content)])


def scrolled(label: str, content: Html) -> Html:
    """Return a table in a box of its own, which scrolls where the page is too narrow for it."""
    return markup(
        '<div class=wide role=region tabindex=0 aria-label="{}"><table>{}</table></div>', label, content
    )


def cell_text(cell: object) -> str:
    """Return a cell as a reader sees it."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if cell is None:
        return "–"
    return f"{cell:.{DIGITS}g}" if isinstance(cell, float) else str(cell).replace(" ± ", "\u00a0±\u00a0")
