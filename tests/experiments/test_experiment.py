"""Every experiment keeps what the protocol promises; a new one needs a module and a line."""

import importlib
import json
import re
import sys
from dataclasses import dataclass, field, fields, replace
from importlib.util import find_spec
from typing import ClassVar
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from rbmflow import RBM, Ring, cli
from rbmflow.checkpoints import Checkpoints
from rbmflow.cli import output
from rbmflow.experiments import (
    audit,
    capacity,
    couplings,
    critical_point,
    denoising,
    experiment,
    least_singular_value,
    optimum,
    own_data,
    seven_steps,
    threshold,
    weight_map,
)
from rbmflow.experiments.experiment import BaseParameters, Experiment, Result, experiments, option
from rbmflow.experiments.papers import (
    cascade,
    field_flow,
    inverse_ising,
    mutual_information,
    relative_entropy,
    stack,
)
from rbmflow.experiments.reproduction import reproduce
from rbmflow.experiments.style import axes_of, styled
from rbmflow.experiments.tables import Table
from rbmflow.experiments.tasks import rows_of_tasks
from rbmflow.reading import unseal
from tests.test_crafted_files import WRONG, changed, leaves

DRAWN = find_spec("matplotlib") is not None  # figures are an extra
STORED = all(map(find_spec, ("xarray", "h5netcdf", "h5py")))
STEPS = seven_steps.Parameters(
    Ring(4), (0.0, 2.0, 5.0), n_samples=10, training_sets=("V", "L"), n_hidden=(2,), n_updates=10,
    n_snapshots=2, starts=(0.0, float("inf")), maps=("mean_field",), n_steps=2, n_flow=5,
    thermometers=("energy",), n_seeds=2,
)  # fmt: skip
SPINS = Ring(6).sample(0.5, 40, rng=1)
TINY = {
    "weight_map": (weight_map.Parameters(8, n_couplings=3, n_ratios=4, hidden_step=2),),
    "capacity": (capacity.Parameters((20,), (0.05, 0.1), n_networks=2, n_probes=3),),
    "threshold": (threshold.Parameters((4, 5, 6), n_chains=8, n_measurements=20, lattice="triangular"),),
    "torus_threshold": (threshold.Parameters((4, 9, 5), n_chains=8, n_measurements=20),),
    "critical_point": (critical_point.Parameters("square", (3, 4, 6), n_chains=32, n_measurements=10),),
    "least_singular_value": (least_singular_value.Parameters((3,), (), (0.2, 0.3), (0.34,), n_starts=2),),
    "denoising": (
        denoising.Parameters(
            6, (4,), (1.0, 1.5), (0.4,), (0.1,), (0.1, 0.2), n_rings=10, n_steps=2, n_training=10, n_epochs=1
        ),
    ),
    "optimum": (optimum.Parameters(sides=(5, 4), hidden=(1, 2), couplings=(1.0, 0.5), n_starts=2),),
    "couplings": (couplings.Parameters(4, 0.2, (100,), n_repeats=2, methods=("pairs",)),),
    "iso": (replace(STEPS, lattice=seven_steps.Parameters().lattice.__class__(4, 4)),),
    "ring": (STEPS,),
    "own_data": (own_data.Parameters(3, n_epochs=5), SPINS),
    "audit": (audit.Parameters(6, 20, 10, 4), RBM.local_ring(6, 0.5), SPINS),
    "cascade": (cascade.Parameters(4, (0.9, 0.5), 2, 50, n_epochs=8, learning_rate=0.1, n_machines=2),),
    "field_flow": (field_flow.Parameters(3, 2, (1.0, 3.0), (0.0, 0.5), 20, 1, 2, 2),),
    "inverse_ising": (inverse_ising.Parameters(6, n_rows=200, n_epochs=2, n_sets=2),),
    "mutual_information": (
        mutual_information.Parameters((0.4,), (1.0,), 8, n_starts=1, side=8, n_samples=300),
    ),
    "relative_entropy": (relative_entropy.Parameters((1.0,), (0.25, 0.4), n_steps=3, n_sites=32),),
    "stack": (stack.Parameters(8, (8, 4), n_rows=20, n_epochs=1),),
    "reproduction": (
        reproduce.Parameters(
            n_points=11, enumeration_sites=12, n_samples=100, boundary_exponent=3, n_steps=3, n_threads=1
        ),
    ),
}
"""What `run` is given."""
FIRST = ("decimation", "counting", "intersection", "weights", "ensembles")
"""Stages of the thesis that are quick."""


@pytest.fixture
def quick_stages(monkeypatch):
    monkeypatch.setattr(reproduce, "STAGES", {name: reproduce.STAGES[name] for name in FIRST})


@pytest.fixture(params=TINY)
def one(request, quick_stages):
    if request.param in ("iso", "ring") and not STORED:
        pytest.skip("results are files of the extra data")
    if request.param == "field_flow" and not find_spec("sklearn"):
        pytest.skip("a network is trained with the extra learn")
    return experiments()[request.param]


def texts(result):
    """The tables of a result, without the time that it took."""
    return {
        name: Table("", {key: cells for key, cells in table.columns.items() if key != "seconds"}).to_csv()
        for name, table in result.tables.items()
    }


def hands_on(result):
    """A short text, a small page, and tables as those of other packages."""
    assert len(repr(result)) < 400
    assert len(ET.fromstring(result._repr_html_()).findall("table")) == 2
    if find_spec("pandas"):
        for name, table in result.tables.items():
            assert result.to_dataframe(name).shape == (
                len(next(iter(table.columns.values()))),
                len(table.columns),
            )
        assert result.to_dataframe().shape == result.to_dataframe(next(iter(result.tables))).shape
        with pytest.raises(ValueError, match="table='none'"):
            result.to_dataframe("none")
    if find_spec("xarray"):
        assert result.to_xarray().sizes or set(result.to_xarray()) == set(result.tables)


def test_all_experiments_are_tested():
    assert list(TINY) == list(experiments())


def test_parameters_are_read_from_what_they_write(one):
    asked = TINY[one.name][0]
    if one.name != "reproduction":  # it has its own
        assert type(asked).from_json(plain(asked.to_json())) == asked
    with pytest.raises(ValueError, match="parameters"):
        type(asked).from_json({})


def plain(value):
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return list(map(plain, value)) if isinstance(value, (list, tuple)) else value


@pytest.mark.filterwarnings("ignore::rbmflow.errors.ConvergenceWarning")
def test_the_protocol(one, tmp_path):
    class Stop(Exception):
        pass

    def stop(*_):
        told.append(1)
        if len(told) == 3:
            raise Stop

    told = []
    result = one.run(*TINY[one.name], rng=5)
    assert isinstance(result, one.result)
    kept = Checkpoints(tmp_path / "partial", {"seed": 5})
    with pytest.raises(Stop):
        one.run(*TINY[one.name], rng=5, executor=None, progress=stop, checkpoints=kept)
    assert kept.names
    resumed = one.run(*TINY[one.name], rng=5, checkpoints=Checkpoints(kept.folder, {"seed": 5}))
    assert texts(resumed) == texts(result)

    path = tmp_path / one.file
    result.save(path)
    with (tmp_path / "stream").open("wb") as stream:
        result.save(stream)
    asked = {} if one.result.holds_parameters else {"parameters": result.parameters}
    for source in (path, (tmp_path / "stream").read_bytes()):
        again = one.result.load(source, **asked)
        assert texts(again) == texts(result)
        assert again.parameters == result.parameters
        assert again.equals(result)
        assert result.equals(again)
        assert not result.equals(None)
    hands_on(result)
    if asked:
        with pytest.raises(ValueError, match=r"parameters|provenance\.json"):
            one.result.load(path.read_bytes())
    whole = path.read_bytes()
    for other in (
        b"",
        b"\0{",
        b"[]",
        b"{}",
        b"a,b\n1,2\n",
        b"PK\x05\x06" + bytes(18),
        whole[: len(whole) // 2],
    ):
        path.write_bytes(other)
        with pytest.raises(ValueError, match=re.escape(str(path))) as caught:
            one.result.load(path, **asked)
        assert len(str(caught.value).splitlines()) == 1

    first = next(iter(result.tables.values()))
    assert all(map(str, result.lines() or first.columns))
    assert all(isinstance(line, str) for line in result.remarks(1, 0.5))
    assert one.figures
    if DRAWN:
        assert one.draw(resumed, next(iter(one.figures))).get_axes()


@pytest.mark.parametrize("name", [name for name, one in experiments().items() if one.is_command])
def test_every_option_is_said_in_the_help(capsys, name):
    with pytest.raises(SystemExit):
        cli.main(["experiment", *experiments()[name].words, "--help"])
    said = capsys.readouterr().out
    asked = experiments()[name].parameters
    flags = [one.metadata["option"].flag for one in fields(asked) if "option" in one.metadata]
    assert len(flags) >= 2
    assert all(flag in said for flag in flags)


def test_a_result_is_read_with_the_parameters_that_the_command_leaves(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(output, "figures_module", lambda: None)
    words = ("--units", "20", "30", "--networks", "2", "--workers", "1", "--quiet", "--out", str(tmp_path))
    assert cli.main(["experiment", "capacity", *words]) == 0
    found = capacity.Capacity.load(tmp_path / "capacity.csv")
    assert found.parameters == capacity.Parameters((20, 30), n_networks=2)
    other = replace(found.parameters, n_units=(20,))
    with pytest.raises(ValueError, match="not those of the parameters"):
        capacity.Capacity.load(tmp_path / "capacity.csv", other)


def test_trained_machines_field_by_field(tmp_path):
    own_data.run(*TINY["own_data"], rng=5).save(tmp_path / "whole.json")
    whole = unseal((tmp_path / "whole.json").read_bytes())
    whole["tables"] = {"likelihood": whole["tables"]["likelihood"]}
    for where in leaves(whole):
        for new in WRONG:
            other = changed(whole, where, new)
            # cells may be anything, tables absent; what numbers mean is for the classes that hold them
            may = where[:1] == ("tables",) or (len(where) > 1 and isinstance(new, (int, float)))
            chosen = ("negative", "k", "learning_rate", "n_epochs", "l2", "centred")  # from the data, if None
            may = may or (new is None and where[:1] == ("parameters",) and where[-1] in chosen)
            if other is None or may:
                continue
            with pytest.raises(ValueError, match="its content: not a machine trained on data") as caught:
                own_data.TrainedMachine.load(json.dumps(other).encode())
            assert len(str(caught.value)) < 500


# A small experiment, as somebody would add one: all that is needed is this, and its name in MODULES.


@dataclass(frozen=True)
class Parameters(BaseParameters):
    """Powers of a number."""

    base: float = field(default=2.0, metadata=option("what is raised", metavar="B"))
    n_powers: int = field(default=4, metadata=option("how often", "--powers", metavar="N"))

    def __post_init__(self):
        if self.n_powers < 1:
            raise ValueError(f"n_powers={self.n_powers}: at least 1 is needed")


@dataclass(frozen=True)
class Powers(Result):
    """What was found."""

    parameters: Parameters
    values: tuple
    what: ClassVar = "a table of powers"

    @property
    def tables(self):
        return {"powers": Table("Powers", {"power": list(self.values)})}

    def write(self, stream):
        stream.write(self.tables["powers"].to_csv().encode())


def run(parameters, *, rng=None, executor=None, progress=None, checkpoints=None):
    tasks = [(parameters.base, k) for k in range(parameters.n_powers)]
    rows = rows_of_tasks(raised, tasks, 1, executor=executor, progress=progress, checkpoints=checkpoints)
    return Powers(parameters, tuple(rows[:, 0].tolist()))


def raised(base, k):
    return (base**k,)


def draw_powers(result, ax=None):
    with styled():
        ax = axes_of(ax)
        ax.semilogy(result.values, "o")
        return ax


EXPERIMENTS = [
    Experiment(
        "powers", "powers of a number", __name__, Powers, "powers.csv", "powers", {"powers": draw_powers}
    )
]


def test_a_new_experiment_is_a_module_and_a_line(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(experiment, "MODULES", [*experiment.MODULES, __name__])
    assert sys.modules[__name__] is importlib.import_module(__name__)
    words = ["experiment", "powers", "--base", "3", "--quiet", "--workers", "1", "--out", str(tmp_path)]
    assert cli.main([*words, "--powers", "5", "--format", "csv"]) == 0
    out = capsys.readouterr().out
    assert out == f"power\n1.0\n3.0\n9.0\n27.0\n81.0\n{tmp_path / 'powers.csv'}\n".replace(
        str(tmp_path / "powers.csv") + "\n", ""
    )
    names = {"powers.csv", "provenance.json"} | ({"powers.png", "powers.svg"} if DRAWN else set())
    assert {path.name for path in tmp_path.iterdir()} == names
    assert np.loadtxt(tmp_path / "powers.csv", skiprows=1).tolist() == [1, 3, 9, 27, 81]
    assert cli.main([*words, "--powers", "0"]) == 2
    assert "error: --powers: n_powers=0" in capsys.readouterr().err
