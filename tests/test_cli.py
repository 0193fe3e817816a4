"""The command line: output, files, exit status."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec

import pytest

from rbmflow import Ring, cli
from rbmflow.experiments import reproduce, stages


def run(capsys, *arguments):
    status = cli.main(list(arguments))
    return status, *capsys.readouterr()


def test_weight_as_table(capsys):
    status, out, _ = run(capsys, "weight", "1", "0.1", "--visible", "8", "--hidden", "4")
    assert status == 0
    assert "0.306308329811523" in out
    assert "goes to m = 0" in out
    assert "K_c = 0.4441996123" in out


def test_weight_as_csv_and_json_with_digits(capsys):
    arguments = ("weight", "1", "inf", "-1", "--visible", "8", "--hidden", "4", "--dps", "30")
    _, out, _ = run(capsys, *arguments, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["W"].lstrip("+") for row in rows] == ["0.306308329811523071085124034197", "inf", "0.0"]
    _, out, _ = run(capsys, *arguments, "--format", "json")
    assert [row["K"] for row in json.loads(out)] == ["1", "inf", "-1"]


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
    assert facts["threads"] == "3"
    assert facts["SIMD path"] in ("plain", "avx2", "avx512")


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
    "arguments",
    [[], ["fly"], ["weight"], ["weight", "1", "--visible", "a", "--hidden", "4"], ["info", "--x"]],
)
def test_what_cannot_be_parsed_is_one_line_and_status_2(capsys, arguments):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_reader_that_stops_early_is_no_error():
    command = f"set -o pipefail; {sys.executable} -m rbmflow degeneracies 200 | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["alpha", "magnetization", "count"]


def test_terminals_without_greek():
    code = "import sys; from rbmflow.cli import main; sys.exit(main(['weight', '1', '--visible', '8', '--hidden', '4']))"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "0.306308329811523" in done.stdout


def test_version(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith("rbmflow 0.")


@pytest.fixture
def small(monkeypatch):
    parameters = reproduce.Parameters(
        n_points=21, enumeration_sites=14, n_samples=500, boundary_exponent=4, n_steps=3
    )
    monkeypatch.setattr(reproduce.Parameters, "quick", classmethod(lambda cls: parameters))


def csv_bytes(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.csv")}


def test_reproduce_writes_everything_and_repeats_to_the_byte(capsys, tmp_path, small):
    first, second = tmp_path / "1", tmp_path / "2"
    for folder in (first, second):
        status, out, _ = run(
            capsys, "reproduce", "--quick", "--out", str(folder), "--dpi", "50", "--seed", "5"
        )
        assert status == 0
        assert "numbers agree" in out
    assert csv_bytes(first) == csv_bytes(second)
    names = {path.name for path in first.iterdir()}
    drawn = find_spec("matplotlib") is not None  # figures are an extra
    for name in (
        "fig2_decimation",
        "fig3_intersection",
        "fig4_trained_weight",
        "fig5_divergence",
        "phase_boundary",
    ):
        assert (f"{name}.png" in names, f"{name}.svg" in names) == (drawn, drawn)
    assert {"report.html", "provenance.json", "limits.csv", "fig4_trained_weight.csv"} <= names
    assert cli.PARTIAL not in names
    assert json.loads((first / "provenance.json").read_text())["seed"] == 5


def test_reproduce_says_what_is_off(capsys, tmp_path, small, monkeypatch):
    wrong = stages.references()
    wrong["kl"]["value"] = "0.6"
    monkeypatch.setattr(stages, "references", lambda: wrong)
    status, out, _ = run(capsys, "reproduce", "--quick", "--out", str(tmp_path), "--dpi", "50", "--quiet")
    assert status == 1
    assert "OFF: KL(q‖p) at W(1), nats: 0.57793" in out


def test_reproduce_without_matplotlib(capsys, tmp_path, small, monkeypatch):
    monkeypatch.setitem(sys.modules, "rbmflow.experiments.figures", None)
    monkeypatch.delattr("rbmflow.experiments.figures", raising=False)
    status, _, err = run(capsys, "reproduce", "--quick", "--out", str(tmp_path), "--quiet")
    assert status == 0
    assert "matplotlib is not installed" in err
    assert not list(tmp_path.glob("*.svg"))


def test_progress_without_tqdm(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    status, _, err = run(capsys, "degeneracies", "12", "--brute-force")
    assert status == 0
    assert "4096 of 4096" in err


def test_an_interrupted_reproduction_goes_on(capsys, tmp_path, small, monkeypatch):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    run(capsys, "reproduce", "--quick", "--out", str(whole), "--dpi", "50", "--quiet")

    def interrupt(parameters, rng):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setitem(reproduce.STAGES, "limits", interrupt)
        status, _, err = run(capsys, "reproduce", "--quick", "--out", str(broken), "--dpi", "50", "--quiet")
    assert status == 130
    assert "interrupted" in err
    assert (broken / cli.PARTIAL).exists()

    def never(parameters, rng):
        raise AssertionError

    with monkeypatch.context() as patch:
        patch.setitem(reproduce.STAGES, "counting", never)
        assert run(capsys, "reproduce", "--quick", "--out", str(broken), "--dpi", "50", "--quiet")[0] == 0
    assert csv_bytes(broken) == csv_bytes(whole)


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
        begin = time.monotonic()
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert time.monotonic() - begin < 2
    assert err == "rbmflow degeneracies: interrupted\n"
