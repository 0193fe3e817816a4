"""The command line: output, files, exit status."""

import argparse
import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec

import mpmath
import numpy as np
import pytest

from rbmflow import Ring, cli, trained_weight, trained_weight_from_samples
from rbmflow.cli import progress
from rbmflow.experiments.reproduction import thresholds

DRAWN = find_spec("matplotlib") is not None  # figures are an extra


def run(capsys, *arguments):
    status = cli.main(list(arguments))
    return status, *capsys.readouterr()


def test_weight_as_table(capsys):
    status, out, _ = run(capsys, "weight", "1", "0.1", "--visible", "8", "--hidden", "4")
    assert status == 0
    assert out.splitlines()[1].split() == ["1", "0.306308", "3.00239", "orders"]
    assert "goes to m = 0" in out
    assert "K_c = 0.4441996123" in out
    _, out, _ = run(capsys, "weight", "1", "--visible", "8", "--hidden", "4", "--digits", "15")
    assert "0.306308329811523" in out


def test_weight_as_csv_and_json_with_digits(capsys):
    arguments = ("weight", "1", "inf", "-1", "--visible", "8", "--hidden", "4", "--dps", "30")
    _, out, _ = run(capsys, *arguments, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["W"].lstrip("+") for row in rows] == ["0.306308329811523071085124034197", "inf", "0.0"]
    _, out, _ = run(capsys, *arguments, "--format", "json")
    assert [row["K"] for row in json.loads(out)] == ["1", "inf", "-1"]


def test_weight_with_bounds_that_are_proven(capsys, tmp_path):
    pytest.importorskip("flint")
    words = ("weight", "1/2", "2", "--visible", "8", "--hidden", "4", "--certify", "--dps", "40")
    status, out, _ = run(capsys, *words, "--format", "csv")
    assert status == 0
    for row in csv.DictReader(io.StringIO(out)):
        W = trained_weight(row["K"], 8, 4, dps=60)
        with mpmath.workdps(60):
            assert mpmath.mpf(row["lower"]) < W < mpmath.mpf(row["upper"])
        assert row["no_other_root"] == "theorem"
    status, out, _ = run(capsys, *words, "--out", str(tmp_path))
    assert status == 0
    assert out.split()[:4] == ["K", "lower", "upper", "no_other_root"]  # what was asked, beside the files
    assert (tmp_path / "weight.csv").exists()
    assert (tmp_path / "certificate.csv").read_text().count("theorem") == 2


def test_weight_of_data(capsys, tmp_path):
    spins = Ring(8).sample(1.0, 4000, rng=2)
    np.save(tmp_path / "spins.npy", spins)
    np.savetxt(tmp_path / "spins.csv", spins, delimiter=",", fmt="%d")
    outputs = []
    for name in ("spins.npy", "spins.csv"):
        status, out, _ = run(
            capsys, "weight", "--data", str(tmp_path / name), "--hidden", "4", "--format", "json"
        )
        assert status == 0
        outputs.append(json.loads(out)[0])
    assert outputs[0] == outputs[1]
    found = trained_weight_from_samples(spins, 4)
    assert float(outputs[0]["W"]) == pytest.approx(found.mean, rel=1e-14, abs=0)
    assert float(outputs[0]["stderr"]) == pytest.approx(found.stderr, rel=5e-3, abs=0)
    assert (outputs[0]["n_samples"], outputs[0]["n_visible"], outputs[0]["flow"]) == (4000, 8, "orders")


def test_limits(capsys, tmp_path):
    _, out, _ = run(capsys, "limits", "--visible", "8", "--hidden", "4", "--dps", "40", "--format", "json")
    rows = json.loads(out)
    assert len(rows) == 48
    assert rows[0]["value"].startswith("7.994632249")
    assert len(rows[0]["value"]) > 40
    status, out, _ = run(
        capsys, "limits", "--visible", "7", "--hidden", "3", "--format", "csv", "--out", str(tmp_path)
    )
    drawn = {"limits.png", "limits.svg"} if DRAWN else set()
    assert {path.name for path in tmp_path.iterdir()} == {"limits.csv", "limits_provenance.json"} | drawn
    assert status == 0
    assert str(tmp_path / "limits.csv") in out


def test_mixture(capsys, tmp_path):
    _, out, _ = run(capsys, "mixture", "--visible", "100", "--hidden", "64", "--format", "csv")
    rows = {row["temperatures"]: row for row in csv.DictReader(io.StringIO(out))}
    assert float(rows["T = 0, 0.25, …, 6"]["gain"]) == pytest.approx(1.0672221, rel=1e-7, abs=0)
    assert rows["T = 0.25, 0.5, …, 6"]["flow"] == "goes to m = 0"
    arguments = (
        "mixture",
        "--visible",
        "8",
        "--hidden",
        "4",
        "--range",
        "0",
        "1",
        "--temperatures",
        "0",
        "1/2",
        "3",
    )
    _, out, _ = run(capsys, *arguments, "--dps", "28", "--format", "json")
    rows = json.loads(out)
    assert rows[0]["W"] == "0.4836799012988715749735391691"
    assert rows[1]["temperatures"] == "T = 0, 1/2, 3"
    status, _, _ = run(
        capsys, "mixture", "--visible", "8", "--hidden", "4", "--quiet", "--out", str(tmp_path)
    )
    assert status == 0
    assert (tmp_path / "gain_of_ranges.png").exists() == DRAWN


def test_threshold(capsys):
    _, out, _ = run(capsys, "threshold", "8", "--hidden", "4", "--dps", "40", "--format", "json")
    row = json.loads(out)[0]
    assert row["K_c"] == "0.4441996123158300903787671262913574830917"
    assert row["T_high_from_T_0"] == pytest.approx(9.031078191815, rel=1e-12, abs=0)
    _, out, _ = run(capsys, "threshold", "100", "1000", "--ratio", "0.64", "--format", "csv")
    assert [row["n_hidden"] for row in csv.DictReader(io.StringIO(out))] == ["64", "640"]


def test_phase_diagram(capsys, tmp_path, monkeypatch):
    full = thresholds.phase_table
    monkeypatch.setattr(thresholds, "phase_table", lambda exponent, progress: full(5, progress))
    monkeypatch.setattr(thresholds, "range_table", lambda exponent, full=thresholds.range_table: full(5))
    status, out, _ = run(capsys, "threshold", "--format", "csv")
    assert status == 0
    assert out.startswith("n_visible,K_c_ratio_0.5")
    run(capsys, "threshold", "--quiet", "--out", str(tmp_path), "--format", "csv")
    names = {path.name for path in tmp_path.iterdir()}
    assert {"phase_boundary.csv", "thresholds_of_ranges.csv", "phase_boundary_provenance.json"} <= names
    assert ("phase_boundary.png" in names) == DRAWN


def test_weight_map(capsys, tmp_path):
    arguments = (
        "experiment",
        "weight_map",
        "--visible",
        "10",
        "--points",
        "6",
        "--quiet",
        "--out",
        str(tmp_path),
    )
    status, out, _ = run(capsys, *arguments)
    assert status == 0
    assert "36 weights" in out
    saved = np.load(tmp_path / "weight_map.npz")
    assert saved["weight"].shape == (6, 6)
    assert saved["weight"][3, 2] == trained_weight(saved["K"][2], 10, int(saved["n_hidden"][3]))
    assert (tmp_path / "weight_map.png").exists() == DRAWN


def test_degeneracies(capsys, tmp_path):
    status, out, _ = run(capsys, "degeneracies", "20", "--format", "csv")
    assert (status, out) == (0, Ring(20).degeneracies().to_csv())
    status, out, _ = run(
        capsys, "degeneracies", "20", "--brute-force", "--quiet", "--format", "csv", "--out", str(tmp_path)
    )
    assert (tmp_path / "degeneracies_20.csv").read_text() == Ring(20).degeneracies().to_csv()
    _, out, _ = run(capsys, "degeneracies", "10", "--brute-force")
    assert "1024 configurations" in out


def test_info(capsys):
    status, out, _ = run(capsys, "info", "--workers", "3", "--format", "json")
    facts = {row["item"]: row["value"] for row in json.loads(out)}
    assert status == 0
    assert facts["threads"] == 3
    assert facts["SIMD path"] in ("plain", "avx2", "avx512")
    assert "; kernels compiled by " in facts["why this path"]
    assert facts["version of tqdm"] == (version("tqdm") if find_spec("tqdm") else "absent")


@pytest.mark.parametrize(
    "arguments",
    [
        ["weight", "x", "--visible", "8", "--hidden", "4"],
        ["weight", "x", "--visible", "8", "--hidden", "4", "--dps", "20"],
        ["weight", "nan", "--visible", "8", "--hidden", "4"],
        ["weight", "1", "--visible", "2", "--hidden", "4"],
        ["weight", "1", "--visible", "8", "--hidden", "0"],
        ["weight", "1", "--visible", "8", "--hidden", "4", "--dps", "0"],
        ["degeneracies", "2"],
        ["degeneracies", "49", "--brute-force"],
        ["degeneracies", "10", "--brute-force", "--workers", "0"],
        ["reproduce", "--dpi", "5"],
        ["reproduce", "--seed", "-1"],
        ["reproduce", "--workers", "-3"],
        ["info", "--out", "/dev/null/folder"],
        ["weight", "--hidden", "4"],
        ["weight", "1", "--hidden", "4"],
        ["weight", "--data", "/nowhere/spins.npy", "--hidden", "4"],
        ["weight", "1", "--data", "spins.npy", "--hidden", "4"],
        ["limits", "--visible", "2", "--hidden", "4"],
        ["limits", "--visible", "8", "--hidden", "4", "--dps", "0"],
        ["mixture", "--visible", "8", "--hidden", "0"],
        ["mixture", "--visible", "8", "--hidden", "4", "--range", "2", "1"],
        ["mixture", "--visible", "8", "--hidden", "4", "--temperatures", "1", "x"],
        ["threshold", "2"],
        ["threshold", "8", "--ratio", "-1"],
        ["threshold", "--dps", "20"],
        ["threshold", "8", "--hidden", "0"],
        ["experiment", "weight_map", "--points", "0"],
    ],
)
def test_bad_input_is_one_line_and_status_2(capsys, arguments, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("rbmflow ")
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "usage", "said"),
    [
        (["fly"], "rbmflow COMMAND", "invalid choice: 'fly' (choose from reproduce, "),
        (["wieght", "1"], "rbmflow COMMAND", "invalid choice: 'wieght', did you mean 'weight'?"),
        (["weight"], "rbmflow weight K [K ...] --visible", "the following arguments are required: --hidden"),
        (["weight", "1", "--hiden", "4"], "rbmflow weight K", "--hiden, did you mean '--hidden'?"),
        (["weight", "1", "--visible", "a", "--hidden", "4"], "rbmflow weight K", "invalid int value: 'a'"),
        (["info", "--x"], "rbmflow info [options]", "unrecognized arguments: --x"),
        (
            ["ising", "tours", "4"],
            "rbmflow ising LATTICE",
            "argument LATTICE: invalid choice: 'tours', did you",
        ),
        (["info", "--format", "jsn"], "rbmflow info", "invalid choice: 'jsn', did you mean 'json'?"),
        (["experiment"], "rbmflow experiment NAME", "NAME is needed, one of weight_map, capacity, "),
        (["experiment", "capcity"], "rbmflow experiment NAME", "did you mean 'capacity'?"),
    ],
)
def test_what_cannot_be_parsed_is_told_with_the_usage(capsys, arguments, usage, said):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    *lines, error = capsys.readouterr().err.splitlines()
    assert lines[0].startswith(f"usage: {usage}")
    assert len(lines) <= 2
    assert error.startswith("rbmflow")
    assert said in error


def test_the_program_alone_says_what_to_do_first(capsys):
    status, out, err = run(capsys)
    assert (status, err) == (0, "")
    shown = re.findall(r"^  (rbmflow (\w+) .*?)  ", out, re.MULTILINE)
    assert len(shown) in (3, 4)
    for words, command in shown:
        parsed = cli.parser_for([command]).parse_args(words.split()[1:])
        assert parsed.command == command
    assert max(map(len, out.splitlines())) <= 80


def test_a_reader_that_stops_early_is_no_error():
    command = f"set -o pipefail; {sys.executable} -m rbmflow degeneracies 200 | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["alpha", "magnetization", "count"]


def test_terminals_without_greek():
    code = (
        "import sys; from rbmflow.cli import main; "
        "sys.exit(main(['weight', '1', '--visible', '8', '--hidden', '4']))"
    )
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "0.306308" in done.stdout


def test_version(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith("rbmflow 1.")


def test_progress_without_tqdm(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr(progress, "AFTER", 0.0)
    status, _, err = run(capsys, "degeneracies", "12", "--brute-force")
    assert status == 0
    assert "4096 of 4096" in err


def test_ctrl_c_ends_a_brute_force_with_status_130():
    code = """if True:
        import signal, sys
        from rbmflow.cli import main
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell ignores it
        print("ready", flush=True)
        sys.exit(main(["degeneracies", "46", "--brute-force", "--quiet"]))
    """
    command = [sys.executable, "-W", "ignore", "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)  # all of it takes days
    assert process.returncode == 130
    assert err == "rbmflow degeneracies: interrupted\n"


def test_a_command_loads_what_it_needs():
    code = """if True:
        import sys
        from rbmflow.cli import main
        main(["weight", "1", "--visible", "8", "--hidden", "4"])
        loaded = {"scipy", "mpmath", "numpy.ma", "matplotlib", "rbmflow.training", "rbmflow.cli.lattice"}
        print(*loaded & set(sys.modules))
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == ""


def test_every_command_is_found_where_it_is_declared(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    every = re.findall(r"^    (\w+)", capsys.readouterr().out, re.MULTILINE)
    assert every == [word for words in cli.COMMANDS.values() for word in words]
    for module, words in cli.COMMANDS.items():
        commands = argparse.ArgumentParser().add_subparsers()
        import_module(f"rbmflow.cli.{module}").add_commands(commands, argparse.ArgumentParser(add_help=False))
        assert tuple(commands.choices) == words


@pytest.mark.parametrize("words", [["--help", "weight"], ["-h", "train"], ["--help"]])
def test_the_help_names_every_command(capsys, words):
    with pytest.raises(SystemExit):
        cli.main(words)
    out = capsys.readouterr().out
    assert not [word for declared in cli.COMMANDS.values() for word in declared if f"    {word}" not in out]


def test_memory_that_is_lacking_is_said(capsys, monkeypatch):
    monkeypatch.setattr("rbmflow.cli.weight.float_critical_coupling", lambda *given: bytearray(2**62))
    status, _, err = run(capsys, "weight", "1", "--visible", "8", "--hidden", "4")
    assert (status, err) == (2, "rbmflow weight: error: out of memory\n")


@pytest.mark.parametrize("closed", [1, 2])
@pytest.mark.skipif(os.name != "posix", reason="closed by a shell")
def test_a_closed_stream_is_none_to_write_to(tmp_path, closed):
    words = f"exec '{sys.executable}' -W error -m rbmflow weight 1 --visible 8 --hidden 4 {closed}>&-"
    found = subprocess.run(["sh", "-c", words], check=False, capture_output=True, cwd=tmp_path)
    assert (found.returncode, found.stderr) == (0, b"")
    assert (b"0.306308" in found.stdout) == (closed == 2)
