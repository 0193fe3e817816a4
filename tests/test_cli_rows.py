"""What commands make of rows in files: columns, labels, thresholds; never a guess."""

import csv
import gzip
import io
from importlib.util import find_spec

import numpy as np
import pytest

from rbmflow import RBM, Ring, cli
from rbmflow.cli import output

SPINS = Ring(6).sample(0.5, 60, rng=1)
PIXELS = np.where(SPINS > 0, 200, 30) + np.arange(60)[:, None] % 7
WORDS = ("--hidden", "2", "--epochs", "2", "--format", "csv")


def run(capsys, *words):
    status = cli.main([str(word) for word in words])
    return status, *capsys.readouterr()


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(output, "figures_module", lambda: None)  # drawn elsewhere
    np.save("spins.npy", SPINS)
    np.savez("sets.npz", train=SPINS, test=SPINS[:3])
    kinds = np.array(["hot", "cold"])[np.arange(60) % 2]
    header = "kind,s1,s2,s3,s4,s5,s6"
    for name, table in (("spins", SPINS), ("pixels", PIXELS)):
        rows = [",".join([kind, *map(str, row)]) for kind, row in zip(kinds, table.tolist(), strict=True)]
        text = "\n".join([header, *rows]) + "\n"
        (tmp_path / f"{name}.csv").write_text(text)
        (tmp_path / f"{name}.csv.gz").write_bytes(gzip.compress(text.encode()))
    return tmp_path


FILES = [
    ("spins.npy",),
    ("sets.npz", "--array", "train"),
    ("spins.csv", "--columns", "2-7"),
    ("spins.csv", "--label", "kind"),
    ("spins.csv.gz", "--columns", "s1,3-5,s5,7"),
    ("pixels.csv", "--label", "1", "--threshold", "100"),
]


@pytest.mark.parametrize("command", ["train", "weight"])
def test_the_same_rows_out_of_every_file(capsys, here, command):
    found = []
    for index, (name, *more) in enumerate(FILES):
        words = (name, *WORDS) if command == "train" else ("--data", name, "--hidden", "2")
        status, _, err = run(capsys, command, *words, *more, "--quiet", "--out", str(index))
        assert (status, err) == (0, err), err
        read = RBM.load(f"{index}/model.npz").weights if command == "train" else None
        found.append(read if command == "train" else (here / str(index) / "weight.csv").read_text())
    assert all(np.array_equal(one, found[0]) for one in found)


@pytest.mark.skipif(not all(map(find_spec, ("xarray", "h5netcdf", "h5py"))), reason="files of the extra data")
def test_variables_and_columns_of_netcdf(capsys, here):
    xarray = pytest.importorskip("xarray")
    tables = {name: (("row", "site"), rows) for name, rows in (("a", SPINS), ("b", -SPINS))}
    xarray.Dataset(tables).to_netcdf("two.nc", engine="h5netcdf")
    texts = []
    for name, *more in (("two.nc", "--array", "a"), ("spins.npy",)):
        status, text, err = run(
            capsys, "weight", "--data", name, "--hidden", "2", *more, "--columns", "1-5", "--format", "csv"
        )
        assert status == 0, err
        texts.append(text)
    assert texts[0] == texts[1]
    status, _, err = run(capsys, "weight", "--data", "two.nc", "--hidden", "2", "--array", "c")
    assert (status, err.count("\n")) == (2, 1)
    assert "--array: array='c': two.nc has no such variable of two dimensions, it has ['a', 'b']" in err


def test_labels_are_told_in_a_table(capsys, here):
    assert run(capsys, "train", "spins.csv", *WORDS, "--label", "kind", "--quiet", "--out", "new")[0] == 0
    model = RBM.load("new/model.npz")
    rows = list(csv.DictReader(io.StringIO((here / "new" / "labels.csv").read_text())))
    assert [(row["label"], row["rows"]) for row in rows] == [("cold", "30"), ("hot", "30")]
    for row, part in zip(rows, (SPINS[1::2], SPINS[::2]), strict=True):
        values = model.log_likelihood(part)
        assert float(row["log_likelihood"]) == pytest.approx(values.mean(), rel=1e-12, abs=0)
        assert float(row["stderr"]) == pytest.approx(values.std(ddof=1) / 30**0.5, rel=1e-9, abs=0)


def test_a_threshold_says_what_it_does(capsys, here):
    np.save("grey.npy", [[0.0, 0.5, 1.0], [0.7, 0.2, 0.5]])
    words = ("train", "grey.npy", "--hidden", "1", "--epochs", "1", "--format", "csv", "--threshold", "0.5")
    status, _, err = run(capsys, *words)
    assert status == 0
    assert "0.333 of the values are above 0.5 and are read as +1" in err  # 0.5 itself is not
    assert "are read" not in run(capsys, *words, "--quiet")[2]


@pytest.mark.parametrize(
    ("content", "more", "message"),
    [
        ("1,0.5\n-1,2\n", (), "column 2 holds 0.5; other columns hold -1 and +1: leave out labels"),
        ("3,0.5\n4,2\n", (), "row 1, column 1 holds 3; with --threshold X values above X are +1, all others"),
        ("a,b\n1,7\n", ("--columns", "b"), "row 1, column 2 ('b') holds 7"),
        ("1,7\n", ("--columns", "3"), "--columns: columns='3': the columns are 1 to 2"),
        ("1,7\n", ("--label", "x"), "--label: label='x': the file has no such column"),
        ("1,7\n", ("--array", "x"), "--array: array='x': spins.csv is no archive"),
        ("1,7\n", ("--threshold", "nan"), "--threshold: threshold=nan: a finite number is needed"),
        ("1,7\n", ("--threshold", "9"), "every value of spins.csv is not above it, they go from 1 to 7"),
        ("1,7\n", ("--threshold", "-9"), "every value of spins.csv is above it, they go from 1 to 7"),
        ("1,7\n", ("--threshold", "2", "--binary"), "not allowed with"),
        ("0,1,2\n7,9,3\n", ("--threshold", "2"), "its first row counts the columns: take it out"),
        ("7,1\n8,2\n6,3\n", ("--threshold", "2", "--columns", "2,1"), "column 2 counts the rows"),
        ("7,1\n1e999,2\n6,3\n", ("--threshold", "2"), "row 2, column 1 holds inf: finite numbers"),
        ("1,-1\n-1,nan\n", (), "row 2, column 2 holds nan: the value is missing"),
        ("1,0\n0,nan\n", ("--binary",), "row 2, column 2 holds nan: the value is missing"),
        ("7,1\nnan,2\n6,3\n", ("--threshold", "2"), "row 2, column 1 holds nan: the value is missing"),
    ],
)
@pytest.mark.parametrize("command", [("train",), ("weight", "--data")])
def test_what_is_not_guessed(capsys, here, command, content, more, message):
    (here / "spins.csv").write_text(content)
    try:
        status, out, err = run(capsys, *command, "spins.csv", "--hidden", "2", *more, "--quiet")
    except SystemExit as ended:
        status, (out, err) = ended.code, capsys.readouterr()
        err = err[err.index("rbmflow " + command[0] + ": error") :]  # after the usage
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_of_an_empty_cell_training_says_that_it_could_be_taken(capsys, here):
    (here / "spins.csv").write_text("1,-1\n-1,\n")
    assert run(capsys, "train", "spins.csv", "--hidden", "2", "--quiet")[2] == (
        "rbmflow train: error: spins.csv: row 2, column 2 holds nan: the value is missing;"
        " leave out such rows, or say --missing\n"
    )
    _, _, err = run(capsys, "weight", "--data", "spins.csv", "--hidden", "2", "--quiet")
    assert err.endswith("column 2 of line 2 holds ''\n")


def test_options_of_rows_need_a_file(capsys):
    for words in (("--columns", "1"), ("--binary",), ("--threshold", "0")):
        status, _, err = run(capsys, "weight", "1", "--visible", "4", "--hidden", "2", *words)
        assert status == 2
        assert f"{words[0]}: --data FILE is needed" in err
