"""The command ``train``: files of every kind, likelihoods, models that survive an interruption."""

import csv
import io
import json
import math
import signal
import subprocess
import sys
import time
from importlib.util import find_spec

import numpy as np
import pytest

from rbmflow import RBM, Ring, cli, log_partition, training_set
from rbmflow.checkpoints import Checkpoints
from rbmflow.cli import training
from rbmflow.experiments import own_data
from rbmflow.training.data import Data
from rbmflow.training.judging import hold_out

DRAWN = find_spec("matplotlib") is not None  # figures are an extra
SPINS = Ring(8).sample(0.6, 400, rng=1)
WORDS = ("--hidden", "4", "--epochs", "6", "--quiet", "--format", "csv")


def run(capsys, *arguments):
    status = cli.main(["train", *map(str, arguments)])
    return status, *capsys.readouterr()


def parts(holdout):
    """Rows that are trained on and rows that are held out, with the seed of the command."""
    data, source = Data(SPINS).sorted()
    _, held = hold_out(data, holdout, np.random.default_rng(20180612).spawn(3)[1])
    held = np.isin(np.arange(len(SPINS)), source[held])
    return SPINS[~held], SPINS[held]


@pytest.fixture
def data(tmp_path):
    np.save(tmp_path / "spins.npy", SPINS)
    np.savetxt(tmp_path / "spins.csv", SPINS, fmt="%d", delimiter=",", header="a row for each", comments="# ")
    np.savetxt(tmp_path / "bits.csv", (SPINS + 1) // 2, fmt="%d", delimiter=",")
    return tmp_path


@pytest.mark.slow
def test_the_same_machine_from_every_kind_of_file(capsys, data):
    kinds = [("spins.npy",), ("spins.csv",), ("bits.csv", "--binary")]
    if all(map(find_spec, ("xarray", "h5netcdf", "h5py"))):
        one = training_set(Ring(8), [1.0], len(SPINS), rng=1)
        object.__setattr__(one, "spins", SPINS[None])
        one.save(data / "spins.nc")
        kinds.append(("spins.nc",))
        xarray = pytest.importorskip("xarray")
        table = xarray.Dataset({"bits": (("row", "site"), (SPINS + 1) // 2), "K": 0.6})
        table.to_netcdf(data / "bits.nc", engine="h5netcdf")
        table.to_netcdf(data / "old.NC", engine="scipy")
        kinds += [("bits.nc", "--binary"), ("old.NC", "--binary")]
    machines = []
    for index, (name, *more) in enumerate(kinds):
        out = data / str(index)
        status, text, err = run(capsys, data / name, *WORDS, *more, "--out", out)
        assert status == 0, err
        assert text.splitlines()[-1] == str(out / "model.npz")
        machines.append(RBM.load(out / "model.npz"))
    for machine in machines[1:]:
        np.testing.assert_array_equal(machine.weights, machines[0].weights)


def test_rows_of_the_weights_are_called_as_the_columns_of_the_file(capsys, data):
    np.savetxt(data / "named.csv", SPINS[:, :3], fmt="%d", delimiter=",", header="wind,rain,sun", comments="")
    status, _, err = run(capsys, data / "named.csv", *WORDS, "--out", data / "named", "--columns", "sun,wind")
    assert status == 0, err
    weights = list(csv.DictReader(io.StringIO((data / "named" / "weights.csv").read_text())))
    assert [row["visible"] for row in weights] == ["sun", "wind"]
    machine = RBM.load(data / "named" / "model.npz")
    assert [float(row["h3"]) for row in weights] == machine.weights[:, 3].tolist()


def test_what_is_written(capsys, data):
    status, out, err = run(capsys, data / "spins.npy", *WORDS, "--out", data / "new", "--holdout", "0.25")
    assert status == 0
    assert "held out:" in err
    model = RBM.load(data / "new" / "model.npz")
    seen, held = parts(0.25)
    assert (len(seen), len(held)) == (300, 100)
    rows = list(csv.DictReader(io.StringIO((data / "new" / "likelihood.csv").read_text())))
    for row, part in zip(rows, (seen, held), strict=True):
        values = model.log_likelihood(part)
        assert float(row["log_likelihood"]) == pytest.approx(values.mean(), rel=1e-12, abs=0)
        assert float(row["stderr"]) == pytest.approx(values.std(ddof=1) / len(part) ** 0.5, rel=1e-12, abs=0)
        assert float(row["log_partition_stderr"]) == 0.0
        assert row["lower"] == row["upper"] == row["log_likelihood"]
        assert (row["n_effective"], row["doubt"]) == ("inf", "")
    history = list(csv.DictReader(io.StringIO((data / "new" / "history.csv").read_text())))
    assert [row["epoch"] for row in history] == ["0.0", "6.0"]
    bias = np.arctanh(SPINS.mean(axis=0) * 400 / 401)
    for row, part in zip(rows, (seen, held), strict=True):
        wanted = np.log((1 + part * np.tanh(bias)) / 2).sum(axis=1).mean()
        assert float(row["independent_log_likelihood"]) == pytest.approx(wanted, rel=1e-12, abs=0)
        assert float(row["log_likelihood"]) > float(row["independent_log_likelihood"]) - 1e-9
    table = np.loadtxt(data / "new" / "weights.csv", delimiter=",", skiprows=1)
    np.testing.assert_array_equal(table, model.weights)
    assert json.loads((data / "new" / "training_provenance.json").read_text())["seed"] == 20180612
    assert (data / "new" / "training.png").exists() == DRAWN
    assert (f"{data / 'new' / 'training.svg'}\n" in out) == DRAWN
    assert not list((data / "new").glob("*partial*"))


@pytest.mark.parametrize(
    "more",
    [
        ("--negative", "cd", "-k", "1"),
        ("--negative", "tempered", "--chains", "20"),
        ("--negative", "exact", "--optimizer", "lbfgs"),
        ("--optimizer", "adam"),
        ("--holdout", "0", "--epochs", "0"),
    ],
    ids=" ".join,
)
def test_ways_of_training(capsys, data, more):
    status, _, err = run(capsys, data / "spins.npy", *WORDS, *more, "--out", data / "new")
    assert status == 0, err
    assert ("held out" in err) == ("--holdout" not in more)


def test_grey_values_and_missing_ones(capsys, data):
    rng = np.random.default_rng(1)
    grey = np.where(SPINS > 0, 0.9, 0.1)
    gaps = np.where(rng.random(SPINS.shape) < 0.1, np.nan, SPINS)
    np.savetxt(data / "grey.csv", grey, fmt="%.2f", delimiter=",")
    np.save(data / "gaps.npy", gaps)
    text = "\n".join(",".join("" if np.isnan(x) else f"{x:.0f}" for x in row) for row in gaps)
    (data / "gaps.csv").write_text(f"{text}\n")
    np.save(data / "both.npy", np.where(np.isnan(gaps), np.nan, grey))
    np.save(data / "none.npy", np.full((4, 3), np.nan))
    machines = []
    for name, *more in (
        ("grey.csv", "--grey"),
        ("gaps.npy", "--missing"),
        ("gaps.csv", "--missing"),
        ("both.npy", "--grey", "--missing"),
    ):
        status, _, err = run(
            capsys, data / name, *WORDS, "--epochs", "60", *more, "--out", data / f"new{name}"
        )
        assert status == 0, err
        machines.append(RBM.load(data / f"new{name}" / "model.npz"))
    np.testing.assert_array_equal(machines[1].weights, machines[2].weights)
    # likelihoods are those of whole rows
    table = list(csv.DictReader(io.StringIO((data / "newgaps.npy" / "likelihood.csv").read_text())))
    assert sum(int(row["rows"]) for row in table) == (~np.isnan(gaps).any(axis=1)).sum()
    # and those of grey rows are of draws from them: rows that are all up would have no spread
    table = list(csv.DictReader(io.StringIO((data / "newgrey.csv" / "likelihood.csv").read_text())))
    model = machines[0]
    spread = model.log_likelihood(SPINS, log_partition=log_partition(model).value).std()
    assert all(float(row["stderr"]) > 0.3 * spread / math.sqrt(int(row["rows"])) for row in table)
    for words, message in (
        (("gaps.npy",), "the value is missing; leave out such rows, or say --missing"),
        (("gaps.csv",), "the value is missing; leave out such rows, or say --missing"),
        (("spins.npy", "--grey"), "holds -1: --grey is for values from 0 to 1"),
        (("grey.csv",), "holds 0.9"),
        (("none.npy", "--missing"), "every value is missing"),
    ):
        status, _, err = run(capsys, data / words[0], *words[1:], *WORDS, "--out", data / "bad")
        assert status == 2
        assert message in err


def test_no_row_is_whole(capsys, data):
    np.save(data / "gaps.npy", [[1, np.nan], [np.nan, -1], [-1, np.nan]] * 10)
    status, _, err = run(capsys, data / "gaps.npy", *WORDS, "--missing", "--out", data / "new")
    assert status == 0, err
    assert "no row is whole: there are no likelihoods" in err


def test_patience_ends_with_the_best_machine(capsys, data):
    few = SPINS[:60]
    np.save(data / "few.npy", few)
    words = ("--hidden", "12", "--negative", "exact", "--optimizer", "adam", "--learning-rate", "0.05")
    words = (*words, "--epochs", "500", "--quiet", "--format", "csv", "--holdout", "0.5", "--patience", "5")
    assert run(capsys, data / "few.npy", *words, "--out", data / "new")[0] == 0
    history = np.genfromtxt(data / "new" / "history.csv", delimiter=",", names=True)
    best = np.argmax(history["held_out_pseudo_likelihood"])
    assert len(history) == best + 6 < 500
    rows = list(csv.DictReader(io.StringIO((data / "new" / "likelihood.csv").read_text())))
    assert float(rows[1]["log_likelihood"]) == pytest.approx(
        history["held_out_log_likelihood"][best], rel=1e-9, abs=0
    )


def test_patience_goes_on_from_any_epoch_also_from_the_one_that_ended_the_run():
    parameters = own_data.Parameters(8, k=1, learning_rate=0.3, n_epochs=100, holdout=0.5, patience=3)
    states = []
    whole = own_data.run(parameters, SPINS[:60], rng=1, callback=lambda now: states.append(now.state))
    assert states[-1].stopped
    for state in (states[0], states[-2], states[-1]):
        again = own_data.run(parameters, SPINS[:60], rng=1, resume=state)
        np.testing.assert_array_equal(again.model.weights, whole.model.weights)
        assert again.tables["history"].columns["epoch"] == whole.tables["history"].columns["epoch"]


@pytest.mark.parametrize(
    ("spins", "message"),
    [
        ([[1, 0], [1, 1]], "spins holds 0"),
        ([1, -1], r"spins has shape \(2,\)"),
        (np.ones((0, 3)), r"spins has shape \(0, 3\)"),
        (np.ones((3, 0)), r"spins has shape \(3, 0\)"),
    ],
)
def test_bad_data_of_the_experiment(spins, message):
    with pytest.raises(ValueError, match=message):
        own_data.run(own_data.Parameters(2, n_epochs=1), spins, rng=1)


def test_likelihoods_of_machines_of_many_units_come_with_bounds(capsys, data, monkeypatch):
    monkeypatch.setattr("rbmflow.likelihood.partition.exact_in_seconds", lambda _: False)
    status, _, err = run(capsys, data / "spins.npy", *WORDS, "--epochs", "200", "--out", data / "new")
    assert status == 0
    assert "effective chains" in err
    assert "warning" not in err
    model = RBM.load(data / "new" / "model.npz")
    rows = list(csv.DictReader(io.StringIO((data / "new" / "likelihood.csv").read_text())))
    exact = model.log_likelihood(parts(0.1)[0])
    assert float(rows[0]["lower"]) < exact.mean() < float(rows[0]["upper"])
    assert float(rows[0]["lower"]) < float(rows[0]["log_likelihood"]) <= float(rows[0]["upper"])
    assert float(rows[0]["n_effective"]) > 10
    monkeypatch.setattr("rbmflow.likelihood.partition.FEWEST_EFFECTIVE", np.inf)
    monkeypatch.setattr("rbmflow.likelihood.partition.CLOSE", -np.inf)
    err = run(capsys, data / "spins.npy", *WORDS, "--epochs", "200", "--out", data / "doubted")[2]
    assert "warning: do not rely on these likelihoods: only" in err
    rows = list(csv.DictReader(io.StringIO((data / "doubted" / "likelihood.csv").read_text())))
    assert rows[0]["doubt"].startswith("only")


@pytest.mark.parametrize("epochs", [1, 4])
def test_an_interrupted_training_goes_on_to_the_same_bits(capsys, data, monkeypatch, epochs):
    monkeypatch.setattr(training, "SECONDS", 0.0)
    run(capsys, data / "spins.npy", *WORDS, "--out", data / "whole")
    full = own_data.run

    def interrupted(*arguments, progress, **keywords):
        def report(done, total):
            if done == epochs:
                raise KeyboardInterrupt

        return full(*arguments, progress=report, **keywords)

    words = (data / "spins.npy", *WORDS, "--out", data / "broken")
    with monkeypatch.context() as patch:
        patch.setattr(own_data, "run", interrupted)
        assert run(capsys, *words)[0] == 130
    assert (data / "broken" / training.PARTIAL).exists()
    status, _, err = run(capsys, *words, "--epochs", "7")
    assert (status, err.count("\n")) == (2, 1)
    assert "other arguments left it (n_epochs)" in err
    assert run(capsys, *words)[0] == 0
    for name in ("model.npz", "history.csv", "likelihood.csv"):
        assert (data / "broken" / name).read_bytes() == (data / "whole" / name).read_bytes()
    assert not (data / "broken" / training.PARTIAL).exists()


def test_a_checkpoint_proves_its_arguments(capsys, data, monkeypatch):
    monkeypatch.setattr(training, "SECONDS", 0.0)
    monkeypatch.setattr(Checkpoints, "remove", lambda kept: None)
    for seed in (1, 2):
        assert run(capsys, data / "spins.npy", *WORDS, "--seed", seed, "--out", data / str(seed))[0] == 0
    part = f"{training.PARTIAL}/{own_data.COURSE}.part"
    (data / "2" / part).replace(data / "1" / part)
    status, _, err = run(capsys, data / "spins.npy", *WORDS, "--seed", 1, "--out", data / "1")
    assert (status, err.count("\n")) == (2, 1)
    assert "other arguments left it (seed)" in err


@pytest.mark.slow
def test_a_killed_training_goes_on_to_the_same_bits(data):
    words = [str(data / "spins.npy"), "--hidden", "8", "--epochs", "4000", "--quiet"]
    for out, kill in (("broken", True), ("broken", False), ("whole", False)):
        command = [sys.executable, "-m", "rbmflow", "train", *words, "--out", str(data / out)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            until = time.monotonic() + 60
            while kill and not (data / out / training.PARTIAL).exists() and time.monotonic() < until:
                time.sleep(0.01)
            if kill:
                process.send_signal(signal.SIGKILL)
            process.communicate(timeout=120)
        assert process.returncode == (-signal.SIGKILL if kill else 0)
    assert (data / "broken" / "model.npz").read_bytes() == (data / "whole" / "model.npz").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("bits.csv", "--hidden", "2"), "--binary"),
        (("spins.csv", "--hidden", "2", "--binary"), "only 0 and 1"),
        (("absent.npy", "--hidden", "2"), "absent.npy"),
        (("text.csv", "--hidden", "2"), "text.csv"),
        (("halves.csv", "--hidden", "2"), "holds 0.5"),
        (("halves.csv", "--hidden", "2"), "row 1, column 2 holds 0.5; other columns hold -1 and +1"),
        (
            ("labels.csv", "--hidden", "2"),
            "row 1, column 3 holds 7; other columns hold 0 and 1, for --binary: leave",
        ),
        (("labels.csv", "--hidden", "2", "--binary"), "row 1, column 3 holds 7"),
        (
            ("numbers.csv", "--hidden", "2"),
            "row 2, column 1 holds 2; other columns hold -1 and +1: leave out",
        ),
        (("three.csv", "--hidden", "2"), "row 1, column 2 holds 0"),
        (
            ("spins.npy", "--hidden", "100000000"),
            (
                "n_visible=8, n_hidden=100000000 and 100 chains: "
                "132.2 GiB of memory are needed, there are 0.5 GiB"
            ),
        ),
        (
            ("spins.npy", "--hidden", "2", "--chains", "10000000"),
            "n_hidden=2 and 10000000 chains: ",
        ),
        (("flat.npy", "--hidden", "2"), "rows of spins"),
        (("spins.npy", "--hidden", "0"), "n_hidden=0"),
        (("spins.npy", "--hidden", "2", "--holdout", "1"), "holdout=1.0"),
        (("spins.npy", "--hidden", "2", "-k", "0"), "k=0"),
        (("spins.npy", "--hidden", "2", "--patience", "-1"), "patience=-1"),
        (("spins.npy", "--hidden", "2", "--workers", "0"), "--workers 0: at least 1"),
        (("spins.npy", "--hidden", "2", "--patience", "3", "--holdout", "0"), "holdout is 0"),
        (("spins.npy", "--hidden", "2", "--batch-size", "0"), "batch_size=0"),
        (("spins.npy", "--hidden", "2", "--learning-rate", "nan"), "NaN"),
        (("spins.npy", "--hidden", "2", "--optimizer", "lbfgs"), "Exact"),
        (("spins.npy", "--hidden", "2", "--seed", "-1"), "rng=-1"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_bad_input_is_one_line_and_status_2(capsys, data, monkeypatch, arguments, message):
    (data / "text.csv").write_text("spins up, spins down")
    (data / "halves.csv").write_text("1,0.5\n-1,1\n")
    (data / "labels.csv").write_text("1,0,7\n1,1,0\n0,1,1\n")
    (data / "numbers.csv").write_text("1,1,-1\n2,-1,1\n3,1,1\n")
    (data / "three.csv").write_text("1,0\n-1,1\n0,-1\n")
    np.save(data / "flat.npy", SPINS[0])
    monkeypatch.setattr("rbmflow.hardware._memory", lambda: 2**29)  # half a GiB
    before = {path.name for path in data.iterdir()}
    name, *rest = arguments
    status, out, err = run(capsys, data / name, *rest, "--quiet", "--out", data / "new")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert {path.name for path in data.iterdir()} == before
