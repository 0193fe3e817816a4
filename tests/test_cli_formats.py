"""Every command in every format: one document on stdout, numbers that are numbers.

Files with a figure, and options that are named.
"""

import csv
import io
import json
import re
from importlib.util import find_spec

import numpy as np
import pytest

from rbmflow import Ring, cli
from rbmflow.cli import output
from rbmflow.cli.output import json_cell
from rbmflow.experiments.reproduction import mixtures, thresholds
from rbmflow.experiments.tables import Digits

DRAWN = find_spec("matplotlib") is not None  # figures are an extra
STORED = all(map(find_spec, ("xarray", "h5netcdf", "h5py")))
SEVEN = (
    "--size", "4", "--temperatures", "0", "2", "5", "--samples", "20", "--hidden", "3", "--updates", "20",
    "--training-sets", "V", "--starts", "0", "--maps", "gibbs", "--steps", "2",
    "--thermometers", "energy", "magnetization", "--seeds", "2", "--workers", "1",
)  # fmt: skip
COMMANDS = {
    "weight": ("weight", "0.5", "inf", "--visible", "8", "--hidden", "4"),
    "weight_dps": ("weight", "0.5", "--visible", "8", "--hidden", "4", "--dps", "30"),
    "weight_of_data": ("weight", "--data", "spins.npy", "--hidden", "2"),
    "limits": ("limits", "--visible", "3", "--hidden", "2", "--dps", "16"),
    "gain_of_ranges": ("mixture", "--visible", "4", "--hidden", "2", "--range", "0", "1"),
    "phase_boundary": ("threshold", "8", "--dps", "20"),
    "ising": ("ising", "torus", "4", "--points", "4", "--dps", "17"),
    "training_set": ("sample", "ring", "8", "--samples", "10", "--temperatures", "0", "1"),
    "training": ("train", "spins.npy", "--hidden", "2", "--epochs", "2"),
    "degeneracies": ("degeneracies", "6"),
    "info": ("info",),
    "torus_threshold": ("experiment", "torus_threshold", "--sides", "4", "6", "8", "--workers", "1"),
    "capacity": ("experiment", "capacity", "--units", "30", "--networks", "2", "--workers", "1"),
    "weight_map": ("experiment", "weight_map", "--visible", "6", "--points", "5"),
    "flows": ("experiment", "iso", *SEVEN),
    "fixed_points": ("experiment", "ring", *SEVEN),
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("spins.npy", Ring(6).sample(0.5, 60, rng=1))
    full_gain = mixtures.gain_table
    monkeypatch.setattr(mixtures, "gain_table", lambda M, N, _, report: full_gain(M, N, 11, report))
    for table in ("phase_table", "range_table"):
        full = getattr(thresholds, table)
        monkeypatch.setattr(thresholds, table, lambda _, *more, full=full: full(4, *more))


def run(capsys, *words):
    status = cli.main([*words, "--quiet"])
    return status, *capsys.readouterr()


def kinds_of_numbers(cells):
    """Number or text, as the numbers of a column stand in JSON, infinities apart."""
    for cell in cells:
        if isinstance(cell, str):
            try:
                if np.isfinite(float(cell)):
                    yield str
            except ValueError:
                continue
        elif cell is not None and not isinstance(cell, bool):
            yield float


def digits_of_numbers(cells):
    """The most digits of those that stand there as text."""
    return max(len(re.sub(r"^[+-]?0*\.?0*|e.*|\.", "", cell)) for cell in cells if isinstance(cell, str))


def is_stored(name):
    if name in ("training_set", "flows", "fixed_points") and not STORED:
        pytest.skip("results are files of the extra data")


def named(*names, slow=()):
    return [pytest.param(name, marks=[pytest.mark.slow] * (name in slow)) for name in names]


@pytest.mark.parametrize(
    "name", named(*[name for name in COMMANDS if name != "fixed_points"], slow=("flows",))
)
def test_stdout_is_one_document(capsys, here, monkeypatch, name):
    is_stored(name)
    monkeypatch.setattr(output, "figures_module", lambda: None)  # drawn below
    status, text, err = run(capsys, *COMMANDS[name], "--format", "json")
    assert status == 0, err
    rows = json.loads(text, parse_constant=pytest.fail)
    assert rows
    assert len({tuple(row) for row in rows}) == 1
    for column in rows[0]:
        cells = [row[column] for row in rows]
        kinds = set(kinds_of_numbers(cells))
        assert len(kinds) <= 1, (column, cells)
        if kinds == {str} and column != "K":  # which is text as given beside more digits
            assert digits_of_numbers(cells) > 15 or "e-" in "".join(cells)
    texts = {cell for row in rows for cell in row.values() if isinstance(cell, str)}
    assert not {"yes", "no", "True", "False", "nan", "None"} & texts
    _, text, _ = run(capsys, *COMMANDS[name], "--format", "csv")
    table = list(csv.reader(io.StringIO(text)))
    assert table[0] == list(rows[0])
    assert {len(row) for row in table} == {len(rows[0])}
    assert len(table) == 1 + len(rows)
    status, text, _ = run(capsys, *COMMANDS[name])
    assert (status, "None" in text, "nan" in text) == (0, False, False)


@pytest.mark.parametrize("name", named(*COMMANDS, slow=("flows", "fixed_points")))
def test_every_command_writes_files_and_a_figure(capsys, here, tmp_path, name):
    is_stored(name)
    status, text, err = run(capsys, *COMMANDS[name], "--out", "new", "--format", "json")
    assert status == 0, err
    assert json.loads(text, parse_constant=pytest.fail)
    names = {path.name for path in (tmp_path / "new").iterdir()}
    if name == "info":  # nothing to draw
        assert names == {"info.json"}
        return
    figure = "weight" if name == "weight_dps" else name
    assert ({f"{figure}.png", f"{figure}.svg"} <= names) == DRAWN
    assert len(names) > (2 if DRAWN else 1)


@pytest.mark.parametrize(
    ("cell", "json_text"),
    [
        (True, "true"),
        (None, "null"),
        (float("nan"), "null"),
        (float("inf"), '"inf"'),
        (-float("inf"), '"-inf"'),
        (0.1, "0.1"),
        ("yes", '"yes"'),
        (Digits("0.18873"), "0.18873"),
        (Digits("-3"), "-3"),
        (Digits("+inf"), '"inf"'),
        (Digits("nan"), "null"),
        (Digits("1/3"), '"1/3"'),
        (Digits("0.123456789012345"), "0.123456789012345"),
        (Digits("0.1234567890123456"), '"0.1234567890123456"'),
        (Digits("1.25e-400"), '"1.25e-400"'),
        (Digits("1e400"), '"1e400"'),
        (Digits("0.0"), "0.0"),
    ],
)
def test_cells_of_json(cell, json_text):
    assert json.dumps(json_cell(cell), allow_nan=False) == json_text


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (("experiment", "iso", "--size", "0"), "--size: n_rows=0"),
        (("experiment", "ring", "--size", "2"), "--size: n_sites=2"),
        (("experiment", "iso", "--samples", "3"), "--samples: n_samples=3"),
        (("experiment", "iso", "-k", "0"), "-k: k=0"),
        (("experiment", "weight_map", "--points", "0"), "--points: n_couplings=0"),
        (("experiment", "weight_map", "--visible", "2"), "--visible: n_visible=2"),
        (("experiment", "capacity", "--units", "1"), "--units: n_units=1"),
        (("weight", "1", "--visible", "8", "--hidden", "0"), "--hidden: n_hidden=0"),
        (("ising", "torus", "0"), "SIDE: n_rows=0"),
        (("degeneracies", "2"), "M: n_sites=2"),
        (("threshold", "8", "--hidden", "0"), "--hidden: n_hidden=0"),
    ],
)
def test_errors_name_the_option(capsys, here, words, option):
    if words[1] in ("iso", "ring") and not STORED:
        pytest.skip("results are files of the extra data")
    status, out, err = run(capsys, *words)
    assert (status, out) == (2, "")
    assert f"error: {option}" in err
    assert len(err.splitlines()) == 1


def test_truth_values_and_missing_numbers(capsys, here):
    mixture = ("mixture", "--visible", "8", "--hidden", "4", "--range", "0", "1", "--range", "0.5", "1")
    _, text, _ = run(capsys, *mixture, "--format", "json")
    assert [row["T_0_included"] for row in json.loads(text)] == [True, False]
    _, text, _ = run(capsys, *mixture, "--format", "csv")
    assert [row["T_0_included"] for row in csv.DictReader(io.StringIO(text))] == ["true", "false"]
    capacity = ("experiment", "capacity", "--units", "12", "--networks", "2", "--workers", "1")
    _, text, _ = run(capsys, *capacity)
    assert "nan" not in text
    _, text, _ = run(capsys, *capacity, "--format", "json")
    assert json.loads(text) == [{"n_units": 12, "half_load": None}]


def test_the_threshold_temperature_is_not_called_critical(capsys, here):
    _, text, _ = run(capsys, "threshold", "8", "--hidden", "4", "--format", "json")
    (row,) = json.loads(text)
    assert "T_c" not in row
    assert row["T_flow"] == 1 / row["K_c"]
