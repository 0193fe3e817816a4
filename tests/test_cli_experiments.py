"""The command ``experiment``: small runs, files that are written, interruptions, bad input in one line."""

import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor
from importlib.util import find_spec

import numpy as np
import pytest

from rbmflow import cli
from rbmflow.checkpoints import END
from rbmflow.cli import experiment, output
from rbmflow.experiments import capacity, threshold, weight_map
from rbmflow.experiments.seven_steps import experiment as iso_shiba_yokoo

DRAWN = find_spec("matplotlib") is not None  # figures are an extra
STORED = all(map(find_spec, ("xarray", "h5netcdf", "h5py")))
RESULT, PARTIAL = "result.nc", "result.partial"
LEARNED = find_spec("sklearn") is not None
TINY = (
    "--size", "4", "--temperatures", "0", "2", "5", "--samples", "30", "--hidden", "3", "--updates", "30",
    "--training-sets", "V", "L", "--starts", "0", "inf", "--maps", "gibbs", "mean_field", "--steps", "3",
    "--thermometers", "energy", "--seeds", "2",
)  # fmt: skip

stored = pytest.mark.skipif(not STORED, reason="results are files of the extra data")


def run(capsys, *arguments):
    status = cli.main(["experiment", *map(str, arguments)])
    return status, *capsys.readouterr()


@stored
@pytest.mark.skipif(not LEARNED, reason="the network is of the extra learn")
@pytest.mark.slow
@pytest.mark.parametrize("words", ["iso", "ring", "iso --lattice triangular", "iso --lattice cubic"])
def test_quick(tmp_path, words):
    # as a user runs it, from the package that is installed
    start = time.monotonic()
    command = [
        sys.executable,
        "-m",
        "rbmflow",
        "experiment",
        *words.split(),
        "--quick",
        "--out",
        str(tmp_path),
        "--quiet",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "V, 64 hidden units: |m| = 0." in done.stdout
    assert done.stderr == ""
    assert (tmp_path / "report.html").stat().st_size > 10_000
    assert (tmp_path / RESULT).exists()
    assert not (tmp_path / PARTIAL).exists()
    assert (tmp_path / "flows.png").exists() == DRAWN
    assert time.monotonic() - start < 600  # hung, not slow


@stored
@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--lattice", "triangular", "--size", 4), "triangular lattice of 4 × 4, 16 spins"),
        (("--lattice", "cubic", "--size", 2, 2, 3), "cubic lattice of 2 × 2 × 3, 12 spins"),
        (("--lattice", "torus", "--size", 4, 3), "4 × 3 torus"),
    ],
)
def test_quick_on_other_lattices(capsys, tmp_path, monkeypatch, words, named):
    # what figures say of lattices: tests/experiments/test_seven_steps.py
    monkeypatch.setattr(output, "figures_module", lambda: None)
    words = ("iso", "--quick", *TINY[2:], *words, "--workers", 1, "--quiet", "--seed", "3", "--out", tmp_path)
    status, text, err = run(capsys, *words)
    assert (status, err) == (0, "")
    assert "V, 3 hidden units: |m| = 0." in text
    assert f"on a {named}" in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
@stored
def test_what_two_workers_write(capsys, tmp_path):
    words = ("iso", "--quick", *TINY, "--workers", 2, "--out", tmp_path, "--seed", "3")
    status, text, err = run(capsys, *words)
    assert status == 0, err
    assert "about " in err
    assert text.splitlines()[-1] == str(tmp_path / "report.html")
    names = {path.name for path in tmp_path.iterdir()}
    assert {
        "machines.csv",
        "calibration.csv",
        "null_calibration.csv",
        "provenance.json",
        "report.html",
        RESULT,
    } <= names


@pytest.mark.slow  # within one process: tests/experiments/test_seven_steps.py
@stored
def test_an_interrupted_run_goes_on_to_the_same_numbers(capsys, tmp_path):
    words = [
        "iso", *TINY, "--updates", "20000", "--hidden", "3", "5", "--quiet", "--workers", "2", "--seed", "5",
    ]  # fmt: skip
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert run(capsys, *words, "--out", whole)[0] == 0
    process = subprocess.Popen(
        [sys.executable, "-m", "rbmflow", "experiment", *words, "--out", str(broken)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 300
    while not (broken / PARTIAL).exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    if process.returncode == 0:
        pytest.skip("it was faster than the interruption")
    assert process.returncode == 130
    assert err == "rbmflow experiment: interrupted\n"
    status, _, err = run(capsys, "iso", *TINY, "--out", broken)
    assert status == 2
    assert "an interrupted run with other arguments left it (" in err
    assert run(capsys, *words, "--out", broken)[0] == 0
    assert (broken / "ends.csv").read_bytes() == (whole / "ends.csv").read_bytes()
    assert not (broken / PARTIAL).exists()


@stored
def test_what_was_finished_before_a_loss_is_kept(capsys, tmp_path, monkeypatch):
    completed = iso_shiba_yokoo.completed

    def lose(executor, tasks):
        for index, found in enumerate(completed(executor, tasks)):
            if index == 3:
                raise BrokenExecutor
            yield found

    monkeypatch.setattr(iso_shiba_yokoo, "completed", lose)
    status, out, err = run(capsys, "iso", *TINY, "--workers", 1, "--quiet", "--out", tmp_path)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "a worker process was lost" in err
    content = (tmp_path / PARTIAL / "result.part").read_bytes().partition(END)[2]
    assert iso_shiba_yokoo.IsoShibaYokoo.load(content).finished.sum() == 3


INDEPENDENT = {
    "weight_map": (weight_map, "trained_weight", ("--points", 6), "weight_map.npz"),
    "capacity": (capacity, "recall", ("--units", 20, 30, "--networks", 2), "capacity.csv"),
    "threshold": (threshold, "ordering_temperature", ("--sides", 4, 5, 6, 7, 8), "threshold.csv"),
}
"""Experiments of independent tasks: what a task calls once, words, the file."""


@pytest.mark.parametrize("name", INDEPENDENT)
@pytest.mark.parametrize(("seconds", "n_done"), [(0.0, 4), (1000.0, 4), (1000.0, 1)])
def test_independent_tasks_go_on_after_a_loss(capsys, tmp_path, monkeypatch, name, seconds, n_done):
    module, work, words, written = INDEPENDENT[name]
    whole, broken, calls = tmp_path / "whole", tmp_path / "broken", []
    words = (name, *words, "--workers", 1, "--quiet")
    do = getattr(module, work)

    def counted(*arguments, **keywords):
        calls.append(arguments)
        if len(calls) == lost:
            raise BrokenExecutor
        return do(*arguments, **keywords)

    monkeypatch.setattr(module, work, counted)
    monkeypatch.setattr(experiment, "SECONDS", seconds)
    monkeypatch.setattr(output, "figures_module", lambda: None)
    lost = None
    assert run(capsys, *words, "--out", whole)[0] == 0
    n_tasks, lost = len(calls), n_done + 1
    calls.clear()
    status, out, err = run(capsys, *words, "--out", broken)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "a worker process was lost" in err
    assert "the same command goes on from what was finished" in err
    status, _, err = run(capsys, *words, "--seed", 1, "--out", broken)
    assert (status, err.count("\n")) == (2, 1)
    assert "an interrupted run with other arguments left it (seed); finish that run" in err
    lost = None
    calls.clear()
    assert run(capsys, *words, "--out", broken)[0] == 0
    assert len(calls) == n_tasks - n_done  # the others are not computed again
    assert (broken / written).read_bytes() == (whole / written).read_bytes()
    assert sorted(path.name for path in broken.iterdir()) == sorted(path.name for path in whole.iterdir())


@stored
def test_a_truncated_checkpoint_is_told_in_one_line(capsys, tmp_path):
    (tmp_path / PARTIAL).mkdir()
    (tmp_path / PARTIAL / "arguments.json").write_bytes(b"{ and no more")
    status, _, err = run(capsys, "iso", *TINY, "--out", tmp_path)
    assert status == 2
    assert f"remove {tmp_path / PARTIAL} to begin anew" in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("iso", "--temperatures", "2", "1"), "each above the one before"),
        (("iso", "--temperatures", "-1", "1"), "T >= 0"),
        (("iso", "--hidden", "0"), "n_hidden=0"),
        (("iso", "--size", "1"), "n_rows=1"),
        (("ring", "--size", "2"), "n_sites=2"),
        (("iso", "--seed", "-3"), "--seed -3"),
        (("iso", "--workers", "0"), "--workers 0: at least 1"),
        (("iso", "--steps", "0"), "n_steps=0"),
        (("iso", "--starts", "nan"), "NaN"),
        (("threshold", "--sides", "2"), "sides=2"),
        (("threshold", "--ratio", "-1"), "ratio=-1"),
        (("iso", "--lattice", "cubic", "--size", "4", "4"), "cubic: one or 3 sides"),
        (("iso", "--lattice", "triangular", "--size", "1"), "n_rows=1"),
        (("capacity", "--units", "1"), "n_units=1"),
        (("weight_map", "--points", "0"), "n_couplings=0"),
    ],
)
def test_bad_input_gives_one_line_and_no_files(capsys, tmp_path, monkeypatch, words, said):
    if words[0] in ("iso", "ring") and not STORED:
        pytest.skip("results are files of the extra data")
    monkeypatch.chdir(tmp_path)
    status, out, err = run(capsys, *words)
    assert (status, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [("iso", "--maps", "x"), ("iso", "--quick", "--full"), ("nothing",), ()])
def test_words_that_are_not_known(capsys, words):
    with pytest.raises(SystemExit) as caught:
        cli.main(["experiment", *words])
    assert caught.value.code == 2
    usage, error = capsys.readouterr().err.splitlines()
    assert usage.startswith("usage: rbmflow experiment ")
    assert error.startswith("rbmflow experiment")


@pytest.mark.parametrize(
    ("words", "sides"),
    [
        (("torus_threshold", "--sides", 4, 6, 10), [4, 6, 10]),
        (("threshold", "--lattice", "cubic", "--sides", 4, 5, 6), [4, 5, 6]),
    ],
)
def test_thresholds_of_lattices(capsys, tmp_path, words, sides):
    status, text, err = run(
        capsys, *words, "--measurements", 200, "--out", tmp_path, "--workers", 1, "--quiet"
    )
    assert status == 0
    table = np.genfromtxt(tmp_path / f"{words[0]}.csv", delimiter=",", names=True)
    assert table["side"].tolist() == sides
    assert (np.diff(table["T_flow"]) < 0).all()
    assert "T_flow -> " in text
    assert "T_flow - T_c ~ L^-x" in text
    assert ("is now experiment threshold; version 2.0" in err) == (words[0] == "torus_threshold")
    assert (tmp_path / f"{words[0]}.png").exists() == DRAWN


def test_the_capacity_of_hopfield_networks(capsys, tmp_path):
    status, text, _ = run(
        capsys, "capacity", "--units", 60, 500, "--networks", 2, "--out", tmp_path, "--quiet", "--workers", 1
    )
    assert status == 0
    assert "n = 60: no measured load brackets the one at which half of the patterns are kept" in text
    assert "n = 500: half of the patterns are kept at P/n = 0.17" in text
    assert (tmp_path / "capacity.csv").exists()
    assert (tmp_path / "capacity.png").exists() == DRAWN
