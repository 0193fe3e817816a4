"""Pages of reports: contents, captions, heads in words, nothing from elsewhere."""

import re
from importlib.resources import files

import pytest

from rbmflow.experiments import audit
from rbmflow.experiments.captions import CAPTIONS
from rbmflow.experiments.page import page, picture, table_html
from rbmflow.experiments.readable import HEADINGS, heading_of
from rbmflow.experiments.reproduction.reproduce import FIGURES as THESIS
from rbmflow.experiments.seven_steps.figures import FIGURES as STEPS
from rbmflow.experiments.tables import Table

PAGES = ["reproduction/report.html", "seven_steps/report.html", "audit/report.html"]


def test_every_figure_of_a_report_has_a_caption_and_a_description():
    (one,) = audit.EXPERIMENTS
    assert set(CAPTIONS) == {*THESIS, *STEPS, *one.figures}
    for caption, description in CAPTIONS.values():
        assert caption.endswith(".")
        assert description.endswith(".")
        assert len(caption) < 130
        assert caption not in description


def test_a_figure_opens_large_and_closes_where_it_was():
    html = picture("limits", {"limits": b"<svg/>"})
    caption, description = CAPTIONS["limits"]
    assert f"<figcaption>{caption}</figcaption>" in html
    assert f'alt="{description}"' in html
    anchors = re.findall(r'id="([^"]+)"', html)
    assert re.findall(r'href="#([^"]+)"', html) == anchors


@pytest.mark.parametrize("name", PAGES)
def test_the_contents_name_every_section(name):
    text = files("rbmflow.experiments").joinpath(name).read_text(encoding="utf-8")
    facts = dict.fromkeys(re.findall(r"\$([a-z_0-9]+)", text), "")
    html = page(name, facts)
    titles = re.findall(r"<h2>(.*?)</h2>", text)
    assert re.findall(r'<li><a href="#section-\d+">(.*?)</a>', html) == titles
    assert re.findall(r'<h2 id="section-\d+">(.*?)</h2>', html) == titles
    linked = re.findall(r'href="#(section-\d+)"', html)
    assert linked == re.findall(r'id="(section-\d+)"', html)
    for feature in ("prefers-color-scheme: dark", "@media print", "max-width: 40rem", "figure:target"):
        assert feature in html
    assert not re.search(r'(src|href)="?(https?:|//)|@import|url\(', html)


def test_tables_have_words_and_errors():
    columns = {"T": [1.0, 2.0], "energy": [-1.2345, None], "stderr": [0.0123, None], "rule": ["a", "b"]}
    html = table_html(Table("Energies", columns))
    assert re.findall(r"<th scope=col(?: class=n)?>([^<]*)", html) == [
        "temperature T [J/k_B]",
        "energy per site [J]",
        "rule",
    ]
    assert re.findall(r"<td(?: class=n)?>([^<]*)", html) == ["1", "-1.234 ± 0.012", "a", "2", "–", "b"]
    assert "role=region" in html
    assert "<td>-1.2\u00a0±\u00a00.1" in table_html(Table("Read", {"energy": ["-1.2 ± 0.1"]}))  # one line


@pytest.mark.parametrize("name", sorted(HEADINGS))
def test_heads_are_words(name):
    assert re.search(r"[a-z]{3}|ln Z|R-hat|mean|\|m\||T = 0", heading_of(name))
