"""The command that reproduces: what it says and writes, interrupted or not."""

import json
import sys
from dataclasses import replace
from importlib.util import find_spec

import pytest

from rbmflow import cli
from rbmflow.cli import output
from rbmflow.cli.reproduction import PARTIAL
from rbmflow.experiments.reproduction import reproduce, weights
from tests.experiments.conftest import SMALL

DRAWN = find_spec("matplotlib") is not None  # figures are an extra


def run(capsys, *arguments):
    status = cli.main(list(arguments))
    return status, *capsys.readouterr()


@pytest.fixture
def small(monkeypatch, remembered_stages):
    monkeypatch.setattr(reproduce.Parameters, "quick", classmethod(lambda cls: SMALL))
    monkeypatch.setenv("RBMFLOW_NUM_THREADS", "1")  # within this process, where they are remembered


@pytest.fixture
def undrawn(monkeypatch):
    """Figures take most of the time of a small reproduction."""
    monkeypatch.setattr(output, "figures_module", lambda: None)


def csv_bytes(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.csv")}


@pytest.mark.slow  # two reproductions; .ci/run makes one
def test_reproduce_writes_everything_and_repeats_to_the_byte(capsys, tmp_path, small):
    first, second = tmp_path / "1", tmp_path / "2"
    for folder, form in ((first, "table"), (second, "json")):
        words = ("--out", str(folder), "--dpi", "50", "--seed", "5", "--format", form)
        status, out, err = run(capsys, "reproduce", "--quick", *words)
        assert status == 0
        assert "numbers agree" in (out if form == "table" else err)
    checks = json.loads(out)
    assert all(check["passed"] is True for check in checks)
    assert {"name", "computed", "reference", "difference", "tolerance"} < set(checks[0])
    assert csv_bytes(first) == csv_bytes(second)
    names = {path.name for path in first.iterdir()}
    for name in (
        "fig2_decimation",
        "fig3_intersection",
        "fig4_trained_weight",
        "fig5_divergence",
        "phase_boundary",
    ):
        assert (f"{name}.png" in names, f"{name}.svg" in names) == (DRAWN, DRAWN)
    assert {"report.html", "provenance.json", "limits.csv", "fig4_trained_weight.csv"} <= names
    assert PARTIAL not in names
    assert json.loads((first / "provenance.json").read_text())["seed"] == 5


def test_reproduce_says_what_is_off(capsys, tmp_path, small, undrawn, monkeypatch):
    wrong = weights.references()
    wrong["kl"]["value"] = "0.6"
    monkeypatch.setattr(weights, "references", lambda: wrong)
    for name, stage in reproduce.STAGES.items():
        if stage.__module__ == weights.__name__:  # computed again
            monkeypatch.setitem(reproduce.STAGES, name, stage.__wrapped__)
    status, out, _ = run(capsys, "reproduce", "--quick", "--out", str(tmp_path), "--seed", "3", "--quiet")
    assert status == 1
    assert "OFF: KL(q‖p) at W(1), nats: 0.57793" in out


def test_reproduce_without_matplotlib(capsys, tmp_path, small, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    status, _, err = run(capsys, "reproduce", "--quick", "--out", str(tmp_path), "--seed", "3", "--quiet")
    assert status == 0
    assert "matplotlib is not installed" in err
    assert not list(tmp_path.glob("*.svg"))


@pytest.mark.slow  # within one process: test_reproduce.py
def test_an_interrupted_reproduction_goes_on(capsys, tmp_path, small, undrawn, monkeypatch):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    run(capsys, "reproduce", "--quick", "--out", str(whole), "--dpi", "50", "--quiet")

    def interrupt(parameters, rng):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setitem(reproduce.STAGES, "limits", interrupt)
        status, _, err = run(capsys, "reproduce", "--quick", "--out", str(broken), "--dpi", "50", "--quiet")
    assert status == 130
    assert "interrupted" in err
    part = broken / PARTIAL / "stages.part"
    assert part.exists()

    before = part.read_bytes()
    for more, said in ((("--seed", "1"), "(seed)"), ((), "(n_points)")):
        with monkeypatch.context() as patch:
            other = replace(reproduce.Parameters.quick(), n_points=SMALL.n_points + (not more))
            patch.setattr(reproduce.Parameters, "quick", classmethod(lambda cls, other=other: other))
            status, out, err = run(capsys, "reproduce", "--quick", "--out", str(broken), "--quiet", *more)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert f"an interrupted run with other arguments left it {said}; finish that run" in err
        assert part.read_bytes() == before

    def never(parameters, rng):
        raise AssertionError

    with monkeypatch.context() as patch:
        patch.setitem(reproduce.STAGES, "counting", never)
        words = ("reproduce", "--quick", "--out", str(broken), "--dpi", "50", "--quiet", "--workers", "1")
        assert run(capsys, *words)[0] == 0  # threads are of no effect on results
    assert csv_bytes(broken) == csv_bytes(whole)
