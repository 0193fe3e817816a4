"""The command line on crafted files and words: status 2 and one line, never a traceback."""

import json

import numpy as np
import pytest

from rbmflow import cli
from rbmflow.checkpoints import Checkpoints
from rbmflow.cli.lattice import PARTIAL

SPINS = np.where(np.random.default_rng(1).random((6, 4)) < 0.5, 1, -1)


def npy(tmp_path):
    np.save(tmp_path / "whole.npy", SPINS)
    return (tmp_path / "whole.npy").read_bytes()


def one_line(capsys, *words):
    try:
        status = cli.main([str(word) for word in words])
    except SystemExit as ended:
        status = ended.code
    out, err = capsys.readouterr()
    assert (status, out) == (2, ""), (words, err)
    if err.startswith("usage: "):
        err = err[err.index("\nrbmflow") + 1 :]
    assert err.startswith("rbmflow"), err
    assert err.count("\n") == 1, err
    assert len(err) < 800, err
    return err


CONTENTS = {
    "spins.csv": [
        b"", b"\0", b"\xff", b"1,-1\n1", b'"1,-1\n-1,1\n', b"True,False\n1,-1\n",
        b"1,-1\n-1," + b"1" * 200_000, b"0,5;1,5\n", "1,-1\n".encode("utf-16"), b"PK\x03\x04", b"\x93NUMPY",
        b"1,nan\n", b"1e999,1\n", b"{}", b"a\n", b"<script>\n", b"1,2\n",
    ],
    "spins.npy": [
        b"", b"PK", b"PK\x03\x04" + bytes(99), b"\x93NUMPY\x01\x00\xff\xff", b"\x93NUMPY\x01\x00\x02\x00{}",
        b"1,-1\n",
    ],
    "spins.nc": [
        b"", b"\x89HDF", b"\x89HDF\r\n\x1a\n", b"CDF\x01", b"CDF\x01" + b"\xff" * 99, b"1,-1\n", b"PK",
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", CONTENTS)
@pytest.mark.parametrize("command", ["weight", "train"])
def test_data_files(capsys, tmp_path, command, name):
    if name.endswith(".nc"):
        pytest.importorskip("h5netcdf")
    for content in CONTENTS[name]:
        path = tmp_path / name
        path.write_bytes(content)
        words = (
            ("weight", "--data", path) if command == "weight" else ("train", path, "--out", tmp_path / "out")
        )
        assert name in one_line(capsys, *words, "--hidden", "2", "--quiet"), content


def test_npy_files_changed_byte_by_byte(capsys, tmp_path):
    whole, rng, path = npy(tmp_path), np.random.default_rng(7), tmp_path / "spins.npy"
    header = 80
    for _ in range(150):
        changed = bytearray(whole)
        for at in rng.integers(0, header, rng.integers(1, 4)):
            changed[at] = rng.integers(0, 256)
        path.write_bytes(changed[: rng.choice([len(changed), rng.integers(0, len(changed))])])
        status = cli.main(["weight", "--data", str(path), "--hidden", "2", "--quiet"])
        out, err = capsys.readouterr()
        assert status in (0, 2)
        assert (err.count("\n"), bool(out)) == ((0, True) if status == 0 else (1, False)), err


ARGUMENTS = [
    b"[]",
    b"3",
    b"null",
    b'"x"',
    b"{",
    b"",
    b"\xff",
    b'{"a":' * 10**5,
    b'{"version": {}}',
    b"[" * 10**5,
]


@pytest.mark.parametrize("content", ARGUMENTS, ids=range(len(ARGUMENTS)))
def test_arguments_of_interrupted_runs(capsys, tmp_path, content):
    pytest.importorskip("h5netcdf")
    folder = tmp_path / PARTIAL
    folder.mkdir()
    (folder / "arguments.json").write_bytes(content)
    words = ("sample", "ring", "4", "--temperatures", "1", "--samples", "3", "--quiet", "--out", tmp_path)
    err = one_line(capsys, *words)
    assert PARTIAL in err
    assert ("other arguments" if b"version" in content else "damaged") in err


INTERRUPTED = {
    "sample": (
        "ring 4 --temperatures 1 --samples 3",
        "training_set.partial",
        "000",
        "a training set of rbmflow",
    ),
    "train": ("spins.npy --hidden 2", "training.partial", "state", "a part of an interrupted run"),
    "run": (
        "ring 4 --K 0.3 --sweeps 20",
        "run.nc.partial",
        "state",
        "a part of an interrupted run",
    ),
    "reproduce": ("--quick", "reproduction.partial", "stages", "a part of an interrupted run"),
    "experiment iso": ("--quick", "result.partial", "result", "a netCDF file"),
    "experiment capacity": ("--workers 1 --units 20", "capacity.partial", "0000", "one of an array"),
    "experiment threshold": ("--workers 1 --sides 4", "threshold.partial", "0000", "one of an array"),
    "experiment weight_map": ("--points 4", "weight_map.partial", "0000", "one of an array"),
}
"""Words, the folder, a part and what is said of one that is something else."""


@pytest.mark.parametrize("command", INTERRUPTED)
def test_parts_of_interrupted_runs(capsys, tmp_path, monkeypatch, command):
    if command in ("sample", "run", "experiment iso"):
        pytest.importorskip("h5netcdf")
    monkeypatch.chdir(tmp_path)
    np.save("spins.npy", SPINS)
    words, folder, name, said = INTERRUPTED[command]
    words = (*command.split(), *words.split(), "--quiet", "--out", tmp_path)
    asked, begin = [], Checkpoints.__init__

    def stop(kept, *arguments):
        begin(kept, *arguments)
        asked.append(kept.arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "__init__", stop)
        assert cli.main([str(word) for word in words]) == 130
    capsys.readouterr()
    path = tmp_path / folder
    for content in (b"", b"\x89HDF\r\n\x1a\n", b"PK\x05\x06" + bytes(18), b"[]", b"CDF\x01" + bytes(40)):
        Checkpoints(path, asked[0]).store(name, lambda stream, content=content: stream.write(content))
        err = one_line(capsys, *words)
        assert f"{name}.part: not a part of an interrupted run" in err
        assert f"not {said}" in err
        assert f"remove {path} to begin anew" in err
        (path / f"{name}.part").write_bytes(content)
        assert f"{name}.part: not a part of an interrupted run, or damaged (" in one_line(capsys, *words)


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x05\x06" + bytes(18), b"[]"])
def test_files_of_earlier_versions(capsys, tmp_path, content):
    np.save(tmp_path / "spins.npy", SPINS)
    (tmp_path / "training.partial.npz").write_bytes(content)
    for arguments in (b"[]", b"{", b'{"a":' * 10**5):
        (tmp_path / "training.partial.json").write_bytes(arguments)
        err = one_line(capsys, "train", tmp_path / "spins.npy", "--hidden", "2", "--quiet", "--out", tmp_path)
        assert "training.partial" in err
        assert "an interrupted run of an earlier version of rbmflow left it" in err


GARBAGE = (
    "", " ", "x", "nan", "-1e400", "9" * 5000, "a" * 5000, "1/0", "∞", "\udcff", "[1]", "0x10", "1,5", "{}",
    "\x7f",
)  # fmt: skip
WORDS = {
    "weight": ("K", "--visible", "8", "--hidden", "4"),
    "limits": ("--visible", "M", "--hidden", "4"),
    "mixture": ("--visible", "8", "--hidden", "4", "--range", "LOW", "2"),
    "mixture of a set": ("--visible", "8", "--hidden", "4", "--temperatures", "1", "T"),
    "threshold": ("8", "--ratio", "G"),
    "degeneracies": ("M",),
    "ising": ("ring", "8", "--temperatures", "T"),
    "ising to digits": ("ring", "8", "--K", "K", "--dps", "20"),
    "ising of a range": ("ring", "8", "--range", "1", "HIGH"),
    "sample": ("ring", "4", "--samples", "N", "--quiet"),
    "run": ("ring", "SIDE", "--temperatures", "1", "--sweeps", "3", "--quiet"),
    "run at couplings": ("ring", "4", "--temperatures", "T", "--sweeps", "3", "--quiet"),
    "run of a graph": ("--graph", "FILE", "--temperatures", "1", "--sweeps", "3", "--quiet"),
    "run with observables": ("ring", "8", "--temperatures", "1", "--observables", "NAME", "--quiet"),
    "train": ("spins.npy", "--hidden", "2", "--holdout", "SHARE", "--quiet"),
    "experiment": ("weight_map", "--points", "N", "--quiet"),
    "reproduce": ("--dpi", "N"),
    "info": ("--format", "F"),
}

LARGE = "9" * 5000
VALID = {
    "weight": (LARGE, "∞"),
    "ising": (LARGE, "∞"),
    "run at couplings": (LARGE,),
    "mixture of a set": (LARGE, "0x10"),
}
"""Numbers after all."""


@pytest.mark.parametrize("name", WORDS)
def test_words(capsys, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    np.save("spins.npy", SPINS)
    for word in GARBAGE:
        words = [word if given.isupper() and given != "K" * 2 else given for given in WORDS[name]]
        if word not in VALID.get(name, ()):
            one_line(capsys, name.split()[0], *words)
    assert [path.name for path in tmp_path.iterdir()] == ["spins.npy"]


def test_errors_of_the_parser_are_short(capsys):
    assert "..." in one_line(capsys, "degeneracies", "10", "--format", json.dumps(["x"] * 5000))
