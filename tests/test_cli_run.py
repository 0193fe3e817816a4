"""The command ``run``: chains on every lattice, measured into a file that survives interruptions."""

import csv
import io
import json
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest

from rbmflow import Graph, Ring, Torus, cli, flow
from rbmflow.checkpoints import Checkpoints
from rbmflow.cli import output
from rbmflow.cli.chains import MOST_DOUBTS
from rbmflow.cli.geometry import DIMENSIONS, SIDED, lattice_of
from rbmflow.experiments import runs
from rbmflow.ising import Chain, Honeycomb, Hypercubic, Triangular
from rbmflow.ising.lattice import lattices
from rbmflow.sampling import observables, open_run, replica_exchange, run

pytest.importorskip("h5netcdf")
pytest.importorskip("xarray")
pytestmark = pytest.mark.filterwarnings("ignore::rbmflow.errors.ConvergenceWarning")

DRAWN = find_spec("matplotlib") is not None
NAMES = ("excess", "correlation_2", "structure_factor", "sublattice_magnetizations")
SHORT = ("--sweeps", "40", "--chains", "2", "--quiet")


@pytest.fixture(autouse=True)
def no_figures(monkeypatch):
    """Figures take longer than all the rest; `test_tables_hold_the_estimates_of_the_run` writes one."""
    monkeypatch.setattr(output, "figures_module", lambda: None)


def command(capsys, *words):
    status = cli.main(["run", *map(str, words)])
    return status, *capsys.readouterr()


def rows_of(path):
    return list(csv.DictReader(io.StringIO(path.read_text())))


def test_tables_hold_the_estimates_of_the_run(capsys, tmp_path, monkeypatch):
    monkeypatch.undo()
    words = ("torus", 4, 6, "--K", 0.35, 0.2, "--chains", 4, "--sweeps", 600, "--thin", 2, "--seed", 3)
    words += ("--observables", *NAMES, "--spins", "--out", tmp_path, "--quiet")
    status, out, err = command(capsys, *words)
    assert (status, err) == (0, "")
    known = flow.lattice_observables(Torus(4, 6), [2]) | observables(Torus(4, 6))
    chosen = {name: known[name] for name in NAMES}
    K = np.repeat([0.35, 0.2], 4)
    whole = run(Torus(4, 6), K, n_sweeps=600, thin=2, burn_in=60, rng=3, observables=chosen)
    assert open_run(tmp_path / "run.nc").read(spins=True).equals(whole)
    for row, coupling in zip(rows_of(tmp_path / "run.csv"), (0.2, 0.35), strict=True):
        chains = whole.at(coupling)
        assert (float(row["K"]), float(row["T"])) == (coupling, 1 / coupling)
        for name in (*runs.QUANTITIES, "correlation_length", *NAMES[:-1]):
            found = chains.estimate(name)
            assert (float(row[name]), float(row[f"{name}_stderr"])) == (found.mean, found.stderr)
        found = chains.estimate("sublattice_magnetizations", 1)
        assert float(row["sublattice_magnetizations_1"]) == found.mean
        slow = [chains.energy_estimate, chains.squared_magnetization_estimate]
        assert float(row["tau"]) == max(one.tau for one in slow)
        assert float(row["r_hat"]) == max(one.r_hat for one in slow)
        assert float(row["n_effective"]) == min(one.n_effective for one in slow)
    exact = rows_of(tmp_path / "exact.csv")
    assert float(exact[0]["energy"]) == Torus(4, 6).energy(0.2)
    assert float(exact[-1]["heat_capacity"]) == Torus(4, 6).heat_capacity(0.35)
    names = {"run.nc", "run.csv", "exact.csv", "run_provenance.json"}
    assert {path.name for path in tmp_path.iterdir()} == names | ({"run.png", "run.svg"} if DRAWN else set())
    assert "absolute_magnetization" in out.splitlines()[0]
    facts = json.loads((tmp_path / "run_provenance.json").read_text())
    assert facts["parameters"]["sides"] == [4, 6]


def test_lattices_have_their_names(capsys, tmp_path):
    assert {*SIDED, "graph"} == {*lattices(), *DIMENSIONS}
    for name in SIDED:
        sides = (4, 4, 4) if name == "hypercubic" else (6,)
        status, out, _ = command(
            capsys, name, *sides, "--K", 0.2, *SHORT, "--out", tmp_path / name, "--format", "json"
        )
        assert status == 0
        assert {"file": str(tmp_path / name / "run.json")} in json.loads(out)
        found = open_run(tmp_path / name / "run.nc")
        if name in DIMENSIONS:
            assert found.end.lattice == Hypercubic((6,) * DIMENSIONS[name])
        else:
            assert found.end.lattice.name == name
        assert found.n_draws == 40
    assert lattice_of("triangular", [4, 6], couplings=[1, 0.5, -1], open_ends=True) == Triangular(
        4, 6, periodic=False, couplings=(1, 0.5, -1)
    )
    assert lattice_of("hypercubic", [4, 3], couplings=[2.0]) == Hypercubic((4, 3), couplings=2.0)


def test_graphs_are_files_of_bonds(capsys, tmp_path):
    path = tmp_path / "bonds.csv"
    path.write_text("0,1,1\n1,2,-0.5\n2,0,1\n2,3,2\n")
    graph = Graph.from_edges([(0, 1, 1), (1, 2, -0.5), (2, 0, 1), (2, 3, 2)], fields=0.3)
    words = ("--graph", path, "--field", 0.3, "--temperatures", 2, "inf", "--sweeps", 2000, "--chains", 4)
    assert command(capsys, *words, "--quiet", "--out", tmp_path / "out")[0] == 0
    expected = run(
        graph, np.repeat([0.5, 0.0], 4), n_sweeps=2000, burn_in=200, rng=20180612, keep_spins=False
    )
    assert open_run(tmp_path / "out/run.nc").read().equals(expected)
    found, exact = rows_of(tmp_path / "out/run.csv"), rows_of(tmp_path / "out/exact.csv")
    for row, known in zip(found, (exact[0], exact[-1]), strict=True):
        assert row["K"] == known["K"]
        for name in ("energy", "heat_capacity", "susceptibility"):  # 4 standard errors: 6 of 1 in 16,000
            off = float(row[name]) - float(known[name])
            assert abs(off) <= 4 * float(row[f"{name}_stderr"])


@pytest.mark.parametrize("lattice", [Ring(50), Chain(40), Torus(3, 4), Honeycomb(2, 2)], ids=str)
def test_exact_curves_in_a_field(lattice):
    data = runs.exact_table(lattice, [0.2, 0.5], 0.3).columns
    assert (data["K"][0], data["K"][-1]) == (0.2, 0.5)
    graph = lattice.to_graph(0.3)
    for name in ("energy", "heat_capacity", "susceptibility"):
        if graph.n_sites <= 20:
            expected = getattr(graph, name)(data["K"])
        else:
            expected = getattr(lattice, name)(data["K"], field=0.3)
        np.testing.assert_allclose(data[name], expected, rtol=1e-12)
    assert runs.exact_table(Torus(16, 16), [0.2, 0.5], 0.3) is None
    assert runs.exact_table(Ring(8), [0.2, 1e4], 0.3) is None  # which takes minutes


def test_the_figure_in_a_field_says_which_susceptibility():
    pytest.importorskip("matplotlib")
    columns = {"K": [0.2], "susceptibility": [1.0], "susceptibility_stderr": [0.1], "tau": [1.0]}
    result = SimpleNamespace(tables={"run": runs.Table("chains", columns)})
    for field, said in ((0.0, "⟨m²⟩"), (0.3, "(⟨m²⟩ − ⟨m⟩²)")):
        axes = runs.draw_run(result, lattice=Torus(4, 4), field=field)
        assert axes[0].get_ylabel() == f"susceptibility n{said}"


def test_an_order_that_does_not_connect_all_states_can_be_asked_for(capsys, tmp_path):
    words = ("ring", 8, "--K", 0.5, "--rule", "metropolis", "--order", "sequential", "--sweeps", 100)
    assert command(capsys, *words, "--quiet", "--out", tmp_path / "out")[0] != 0
    assert command(capsys, *words, "--allow-reducible", "--quiet", "--out", tmp_path / "out")[0] == 0


def test_captions_say_the_lattice_its_couplings_and_its_number_of_sites():
    """A honeycomb has two sites in a cell, and J is not j."""
    for lattice, said in (
        (Honeycomb(4, 4), "Honeycomb lattice of 4 x 4, 32 sites"),
        (Hypercubic((3, 4), couplings=(1, 0.5)), "Square lattice of 3 x 4, J = 1, 0.5, 12 sites"),
        (Graph.from_edges([(0, 1), (1, 2)]), "Graph of 3 sites"),
        (Ring(4), "Ring of 4 sites"),
    ):
        assert runs.exact_table(lattice, [0.1], 0.0).caption == f"{said}, exact"


def test_chains_exchange_their_couplings(capsys, tmp_path):
    words = (
        "torus",
        4,
        "--K",
        0.5,
        0.2,
        "--exchange",
        "--thin",
        3,
        "--sweeps",
        300,
        "--chains",
        3,
        "--quiet",
    )
    assert command(capsys, *words, "--out", tmp_path)[0] == 0
    whole = replica_exchange(
        Torus(4, 4), [0.2, 0.5], n_ladders=3, n_sweeps=300, thin=3, burn_in=30, rng=20180612
    )
    assert open_run(tmp_path / "run.nc").read().equals(whole.to_run())
    assert float(rows_of(tmp_path / "exchange.csv")[0]["rate"]) == whole.rates[0]
    assert float(rows_of(tmp_path / "run.csv")[1]["energy"]) == whole.energy_estimate(1).mean


@pytest.mark.parametrize("exchange", [(), ("--exchange",)])
def test_an_interrupted_run_goes_on_to_the_same_bits(capsys, tmp_path, monkeypatch, exchange):
    words = ("ring", 8, "--K", 0.3, 0.6, *SHORT, *exchange)
    assert command(capsys, *words, "--out", tmp_path / "whole")[0] == 0
    store = Checkpoints.store

    def stop(self, name, save):
        store(self, name, save)
        if name == "state":
            raise KeyboardInterrupt

    with monkeypatch.context() as change:
        change.setattr(Checkpoints, "store", stop)
        status, _, err = command(capsys, *words, "--out", tmp_path / "out")
    assert (status, err) == (130, "rbmflow run: interrupted\n")
    assert (tmp_path / "out/run.nc.partial").exists()
    status, _, err = command(capsys, *words, "--out", tmp_path / "out", "--seed", 5)
    assert status == 2
    assert "an interrupted run with other arguments left it" in err
    assert command(capsys, *words, "--out", tmp_path / "out")[0] == 0
    assert not (tmp_path / "out/run.nc.partial").exists()
    for name in ("run.nc", "run.csv"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.slow  # the same within the package: tests/sampling/test_write_run.py
def test_a_killed_command_goes_on_to_the_same_bits(tmp_path):
    words = ["run", "torus", "16", "--K", "0.3", "0.44", "--sweeps", "400000", "--chains", "16", "--quiet"]
    start = [sys.executable, "-m", "rbmflow", *words, "--out"]
    subprocess.run([*start, str(tmp_path / "whole")], check=True, capture_output=True)
    out = tmp_path / "out"
    with subprocess.Popen([*start, str(out)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        until = time.monotonic() + 60
        while not list(out.glob("run.nc.partial/state.part")) and time.monotonic() < until:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
    assert not (out / "run.nc").exists()
    subprocess.run([*start, str(out)], check=True, capture_output=True)
    for name in ("run.nc", "run.csv"):
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_doubts_are_told_on_stderr(capsys, tmp_path):
    words = ("ring", 8, "--K", *np.arange(1, 9) / 10, "--sweeps", 5, "--burn-in", 0, "--format", "csv")
    status, out, err = command(capsys, *words, "--out", tmp_path, "--quiet")
    assert status == 0
    lines = err.splitlines()
    assert len(lines) == MOST_DOUBTS + 1
    assert all(line.startswith("warning: ") for line in lines)
    assert "at K = 0.1" in lines[0]
    assert lines[-1].endswith("more of these")
    assert out.startswith("file\n")


@pytest.mark.skipif(not DRAWN, reason="the extra figures is absent")
def test_the_figure_has_each_quantity_with_errors_exact_curves_and_the_critical_point():
    table = {"K": [0.3, 0.5], "T": [3.3, 2.0]}
    for name in ("energy", "binder_cumulant", "mine"):
        table |= {name: [1.0, 2.0], f"{name}_stderr": [0.1, None]}
    table |= {"correlation_length": [None, None], "correlation_length_stderr": [None, None]}  # has no panel
    table |= {"tau": [1.0, 3.0], "r_hat": [1.0, 1.0], "n_effective": [9.0, 8.0]}
    tables = {"run": runs.Table("chains", table), "exact": runs.exact_table(Torus(4, 4), [0.3, 0.5])}

    class Result:
        pass

    Result.tables = tables
    axes = runs.draw_run(Result(), lattice=Torus(4, 4))
    shown = [panel for panel in axes if panel.get_visible()]
    assert [panel.get_ylabel() for panel in shown] == [
        "energy per site [J]", "Binder cumulant", "mine", "autocorrelation time [sweeps]",
    ]  # fmt: skip
    labels = [{text.get_label() for text in panel.get_lines()} for panel in shown]
    assert "exact" in labels[0]
    assert "exact" not in labels[1]
    assert all("$K_c$" in one for one in labels)
    for where in ({"lattice": Ring(4)}, {"lattice": Torus(4, 4), "field": 0.1}):
        alone = runs.draw_run(Result(), **where)
        assert not any("$K_c$" in {text.get_label() for text in panel.get_lines()} for panel in alone)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--K 1", "LATTICE with its sides, or --graph FILE, is needed"),
        ("ring 8 --graph none.csv --K 1", "LATTICE with its sides, or --graph FILE, is needed"),
        ("--graph none.csv --K 1", "none.csv"),
        ("--graph none.csv --K 1 --open", "--open and --J"),
        ("ring 8 4 --K 1", "ring: its number of sites is needed"),
        ("torus 4 --open --K 1", "torus: it has no open ends; one of hypercubic, "),
        ("ring 4 --J 2 --K 1", "ring: it has no couplings of its own"),
        ("cubic 4 4 --K 1", "cubic: one or 3 sides are needed"),
        ("square --K 1", "square: one or 2 sides are needed"),
        ("hypercubic --K 1", "sides are needed"),
        ("hypercubic 4 4 --J 1 2 3 --K 1", "couplings="),
        ("ring 8 --K nan", "NaN"),
        ("ring 8 --temperatures -2", "T >= 0 is needed"),
        ("ring 8 --K 1 --chains 0", "--chains 0"),
        ("ring 8 --K 1 --sweeps 0", "n_sweeps=0"),
        ("ring 8 --K 1 --thin 0", "thin=0"),
        ("ring 8 --K 1 --sweeps 39 --thin 10", "errors need at least 4 measurements"),
        ("ring 8 --K 1 --seed -1", "rng=-1"),
        ("ring 8 --K 1 --field nan", "field=nan"),
        ("ring 8 --K 1 --observables energy", "--observables energy: one of structure_factor, "),
        ("ring 8 --K 1 --observables correlation_5", "distances=5"),
        ("chain 8 --K 1 --observables correlation_2", "correlations are for lattices without ends"),
        (
            "chain 8 --K 1 --observables excess",
            "one of sublattice_magnetizations, staggered_magnetization, absolute_staggered_magnetization is",
        ),
        ("ring 7 --K 1 --rule metropolis --order sequential", "Metropolis"),
        ("ring 8 --K 1 --exchange", "at least two"),
        ("ring 8 --K 1 2 --exchange --spins", "no --spins"),
        ("ring 8 --K 1 2 --exchange --rule wolff", "rule='wolff'"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(capsys, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    status, out, err = command(capsys, *words.split(), "--quiet")
    assert (status, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
    assert not list(tmp_path.iterdir())
