"""Reports and partial reproductions from strangers: texts are escaped, fields held against their kind."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

import rbmflow
from rbmflow import cli
from rbmflow.checkpoints import Checkpoints
from rbmflow.cli import output
from rbmflow.cli.reproduction import PARTIAL
from rbmflow.experiments.page import Html, checks_html, join, markup, page, picture, table_html
from rbmflow.experiments.reproduction import reproduce
from rbmflow.experiments.reproduction.report import render
from rbmflow.experiments.seven_steps import report as iso_report
from rbmflow.experiments.seven_steps.parameters import Parameters
from rbmflow.experiments.seven_steps.result import IsoShibaYokoo
from rbmflow.experiments.tables import Check, Table
from rbmflow.ising import Ring
from rbmflow.provenance import provenance
from rbmflow.reading import seal, unseal
from tests.test_crafted_files import DELETED, WRONG, changed, leaves

SCRIPT = "<script>alert('x')</script>\"&"
PLACE = "PLACE"
CHECK = Check("W", "1", "2", 0.5, 1.0, "relative", "here")


def scripted(value):
    """Return a value with a script in the place of every text."""
    if isinstance(value, dict):
        return {key: scripted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [scripted(item) for item in value]
    return SCRIPT + value if isinstance(value, str) else value


def test_no_text_is_alive_in_a_report():
    check = Check(SCRIPT, SCRIPT, SCRIPT, 0.5, 1.0, SCRIPT, SCRIPT)
    table = Table(SCRIPT, {SCRIPT: [SCRIPT, 1, 0.5, None, True]})
    for piece in (
        checks_html([check, replace(check, difference=2.0)]),
        table_html(table),
        markup("{}", SCRIPT),
        join([SCRIPT]),
        picture(SCRIPT, {SCRIPT: b"<script>"}),
    ):
        assert isinstance(piece, Html)
        assert "<script" not in piece
        assert "onerror" not in piece


@pytest.mark.parametrize("name", ["reproduction/report.html", "seven_steps/report.html", "audit/report.html"])
def test_every_fact_of_a_page_is_escaped(name):
    # also in facts to come: a page takes text as text unless it says that it is HTML
    template = page(name, dict.fromkeys(facts_of(name), "unchanged"))
    assert template.count("unchanged") >= len(facts_of(name))
    assert "<script" not in page(name, dict.fromkeys(facts_of(name), SCRIPT))
    assert "<b>1</b>" in page(name, dict.fromkeys(facts_of(name), Html("<b>1</b>")))


def facts_of(name):
    from importlib.resources import files

    text = files("rbmflow.experiments").joinpath(name).read_text(encoding="utf-8")
    return set(re.findall(r"\$\{?([a-z_0-9]+)", text)) - {"style"}


def test_the_report_of_a_crafted_result_has_no_script(result):
    plain = unseal(result.to_json())
    for stage in plain["stages"].values():
        stage["checks"] = scripted(stage["checks"])
        for table in stage["tables"].values():
            table["caption"] = SCRIPT
            table["columns"] = {f"{name}": scripted(column) for name, column in table["columns"].items()}
    crafted = reproduce.Reproduction.from_json(seal(plain))
    facts = provenance({}, 1)
    text = render(
        crafted,
        {},
        {
            **facts,
            "seed": SCRIPT,
            "versions": {SCRIPT: SCRIPT},
            "platform": dict.fromkeys(facts["platform"], SCRIPT),
        },
    )
    assert "<script" not in text
    assert text.count("&lt;script&gt;") > 100
    assert "&lt;i&gt;" not in render(result, {}, facts)  # nor is HTML escaped


def test_partial_reproductions_field_by_field(result):
    small = replace(result, stages={"decimation": result.stages["decimation"]})
    stage = small.stages["decimation"]
    name, table = next(iter(stage.tables.items()))
    small.stages["decimation"] = replace(stage, tables={name: table}, checks=stage.checks[:1])
    plain = unseal(small.to_json())
    columns = ("stages", "decimation", "tables", name, "columns")
    for where in leaves(plain):
        for new in WRONG:
            other = changed(plain, where, new)
            text = isinstance(new, str)
            number = isinstance(new, (int, float)) and not isinstance(new, bool)
            may = (
                (where == ("seed",) and type(new) in (int, list))
                or (where == ("version",) and (text or new is DELETED))
                or (where[:1] == ("parameters",) and len(where) > 1)  # compared with those that are asked for
                or (where == ("stages",) and new in ({}, DELETED))
                or (where[-1:] in (("tables",), ("columns",)) and new == {})
                or (where[-1:] == ("checks",) and new == [])
                or (where == columns[:-1] and new is DELETED)
                or (where[:-1] == columns and new is DELETED)
                or (where[:-2] == columns and (number or text or new in (None, True)))
                or (where == ("stages", "decimation", "checks", 0) and new is DELETED)
                or (where[:3] == ("stages", "decimation", "checks") and len(where) == 5
                    and (text if isinstance(plain["stages"]["decimation"]["checks"][0][where[-1]], str)
                         else number))
                or (where[-1:] == ("caption",) and text)
                or (where == ("stages", "decimation", "seconds") and number and new >= 0)
                or (where == ("stages", "decimation") and new is DELETED)
            )  # fmt: skip
            if other is None or may:
                continue
            with pytest.raises(ValueError, match="not a saved reproduction: ") as caught:
                reproduce.Reproduction.from_json(
                    seal(other) if isinstance(other, dict) else json.dumps(other)
                )
            assert len(str(caught.value).splitlines()) == 1
            assert len(str(caught.value)) < 300
    other = json.loads(json.dumps(plain))
    tables = other["stages"]["decimation"]["tables"]
    tables["../../elsewhere"] = tables[name]
    with pytest.raises(ValueError, match="no name of a table"):
        reproduce.Reproduction.from_json(seal(other))


@pytest.mark.parametrize(
    ("arguments", "change", "said"),
    [
        ({"version": "0.0.9"}, seal, "other arguments left it (version)"),
        ({"seed": 6}, seal, "other arguments left it (seed)"),
        ({}, lambda plain: seal(plain).replace('"seed": 5', '"seed": 6'), "not what was saved"),
        ({}, lambda plain: seal(plain | {"seed": 6}), "another seed"),
        ({}, lambda plain: seal(plain)[:200], f"remove {PLACE} to begin anew"),
        ({}, lambda plain: '{"stages":' * 10**5, "nested too deeply"),
        ({}, lambda plain: "[1]", f"remove {PLACE} to begin anew"),
        ({}, lambda plain: "\0" * 9, f"remove {PLACE} to begin anew"),
    ],
)
def test_partial_files_of_another_version_or_altered_are_refused(
    capsys, tmp_path, monkeypatch, result, arguments, change, said
):
    left_by_a_run(tmp_path, monkeypatch, result, change, **arguments)
    status = cli.main(["reproduce", "--quick", "--quiet", "--seed", "5", "--out", str(tmp_path)])
    out, err = capsys.readouterr()
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert said.replace(PLACE, str(tmp_path / PARTIAL)) in err


def left_by_a_run(tmp_path, monkeypatch, result, change, **others):
    """Leave what a run of seed 5 would, changed."""
    monkeypatch.setattr(reproduce.Parameters, "quick", classmethod(lambda cls: result.parameters))
    arguments = {**vars(result.parameters), "seed": 5, **others}
    del arguments["n_threads"]
    text = change(unseal(replace(result, seed=5).to_json()))
    Checkpoints(tmp_path / PARTIAL, arguments).store("stages", lambda stream: stream.write(text.encode()))


def test_a_partial_file_without_what_is_drawn_is_told(capsys, tmp_path, monkeypatch, result):
    def lacking(plain):
        plain["stages"]["limits"]["tables"] = {}
        return seal(plain)

    monkeypatch.setattr(output, "figures_module", lambda: None)
    left_by_a_run(tmp_path, monkeypatch, result, lacking)
    status = cli.main(["reproduce", "--quick", "--quiet", "--seed", "5", "--out", str(tmp_path)])
    err = capsys.readouterr().err
    assert (status, err.count("\n")) == (2, 1)
    assert "what an interrupted run left cannot be shown (KeyError('limits'))" in err


@pytest.mark.parametrize("version", [{"version": rbmflow.__version__}, {}])
def test_a_partial_file_of_an_earlier_format_is_refused(capsys, tmp_path, result, version):
    plain = unseal(result.to_json())
    text = seal({name: plain[name] for name in plain if name != "version"} | version)
    (tmp_path / "reproduction.partial.json").write_text(text)
    status = cli.main(["reproduce", "--quick", "--quiet", "--seed", "5", "--out", str(tmp_path)])
    out, err = capsys.readouterr()
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "reproduction.partial.json: an interrupted run of an earlier version of rbmflow left it" in err
    assert [path.name for path in tmp_path.iterdir()] == ["reproduction.partial.json"]


def test_the_report_of_seven_steps_has_no_script():
    p = Parameters(
        Ring(4), (0.0, 1.0), n_hidden=(2,), training_sets=("V",), thermometers=("energy",), starts=(0.0,)
    )
    values = {"temperature_energy": np.ones(1), "energy_null": np.ones((1, 21))}
    found = IsoShibaYokoo(p, SCRIPT, values, seconds={SCRIPT: 1.0})
    table = Table(SCRIPT, {SCRIPT: [SCRIPT]})
    names = ("ends", "machines", "calibration", "null_calibration")
    facts = {"versions": {SCRIPT: SCRIPT}, "platform": {"system": SCRIPT, "simd": SCRIPT}, "seed": SCRIPT}
    text = iso_report.render(found, dict.fromkeys(names, table), {}, facts)
    assert "<script" not in text
    assert "&lt;i&gt;" not in text
    assert text.count("&lt;script&gt;") > 10
