"""Tables for the eye: digits, errors, units, what fits the terminal."""

import argparse
import io
import json
import os
import pty
import subprocess
import sys
import time
from importlib.util import find_spec

import pytest

from rbmflow import cli
from rbmflow.cli import output, progress
from rbmflow.cli.display import as_table
from rbmflow.cli.progress import progress_bar
from rbmflow.experiments.reproduction import mixtures
from rbmflow.experiments.tables import Digits


def lines(*arguments, **keywords):
    return [line.split() for line in as_table(*arguments, **keywords).splitlines()]


@pytest.mark.parametrize(
    ("cell", "digits", "exact", "shown"),
    [
        (0.1234567891, None, False, "0.123457"),
        (0.1234567891, 12, False, "0.1234567891"),
        (0.1, 30, False, "0.10000000000000001"),  # 17 digits, all that a double has
        (1e-20, None, False, "1e-20"),
        (16777216, None, False, "16777216"),  # an integer is exact
        (16777216.0, None, False, "1.67772e+07"),
        (Digits("0.30630832981152307"), None, True, "0.30630832981152307"),  # they were asked for
        (Digits("0.30630832981152307"), None, False, "0.306308"),
        (Digits("0.30630832981152307"), 8, True, "0.30630833"),
        (Digits("2.5"), None, False, "2.5"),
        (Digits("1/3"), 2, False, "1/3"),
        (Digits("-1.2345678901234567e-999"), None, False, "-1.23457e-999"),  # below the least double
        (Digits("inf"), 5, False, "inf"),
        (True, None, False, "yes"),
        (None, None, False, "–"),
        (float("nan"), None, False, "–"),
        ("text", 3, False, "text"),
    ],
)
def test_cells(cell, digits, exact, shown):
    assert lines(("x",), [(cell,)], digits, exact=exact) == [["x"], [shown]]


def test_errors_stand_beside_their_values():
    header = ("T", "energy", "stderr", "m", "m_stderr", "error")
    rows = [(1.0, -1.53556, 0.0385, 0.5, 0.0, 1.2345e-17), (2.0, None, None, 0.25, 0.01, 0.5)]
    table = as_table(header, rows, width=200)
    assert table.split("\n")[0].split() == ["T", "energy", "m", "error"]
    assert table.split("\n")[1].split() == ["[J/k_B]", "[J]"]
    assert table.split("\n")[2].split() == ["1", "-1.54", "±", "0.04", "0.5", "1.2e-17"]
    assert table.split("\n")[3].split() == ["2", "–", "0.250", "±", "0.010", "0.5"]
    assert lines(header, rows, 4, width=200)[0] == list(header)  # with digits asked for, each on its own


@pytest.mark.parametrize("width", [18, 20, 39, 40, 80, 200])
def test_columns_fold_behind_the_first(width):
    header = [f"column_{index}" for index in range(9)]
    rows = [[row + index / 7 for index in range(9)] for row in range(3)]
    blocks = as_table(header, rows, width=width).split("\n\n")
    names = [block.splitlines()[0].split() for block in blocks]
    assert all(one[0] == "column_0" for one in names)
    assert [name for one in names for name in one[1:]] == header[1:]
    assert all(len(block.splitlines()) == 4 for block in blocks)
    assert max(len(line) for block in blocks for line in block.splitlines()) <= width


def test_all_columns_that_name_rows_stand_in_each_block():
    rows = [("f", "W = 1", 0.25, 0.125), ("g", "W = 2", 0.5, 0.75)]
    blocks = as_table(("quantity", "at", "value", "limit"), rows, width=23).split("\n\n")
    assert [block.split()[:3] for block in blocks] == [
        ["quantity", "at", "value"],
        ["quantity", "at", "limit"],
    ]


def test_what_is_too_narrow_for_columns_has_a_line_for_each_value():
    text = as_table(("T", "energy", "stderr"), [(2.0, -1.5, 0.1), (3.0, None, None)], width=10)
    assert text == "T [J/k_B]   2\nenergy [J]  -1.50 ± 0.10\n\nT [J/k_B]   3\nenergy [J]  –\n"


def test_an_empty_table_has_its_names():
    assert lines(("a", "b"), []) == [["a", "b"]]


@pytest.mark.skipif(not hasattr(pty, "openpty"), reason="needs a pseudo terminal")
@pytest.mark.parametrize("columns", [80, 200])
def test_a_terminal_is_not_overrun_and_a_pipe_has_a_row_in_a_line(columns):
    command = [sys.executable, "-m", "rbmflow", "ising", "torus", "4", "--points", "3", "--dps", "30"]
    environment = {**os.environ, "COLUMNS": str(columns), "PYTHONIOENCODING": "utf-8"}
    here, there = pty.openpty()
    with subprocess.Popen(command, stdout=there, stderr=subprocess.PIPE, env=environment) as process:
        os.close(there)
        text = b""
        while True:
            try:
                part = os.read(here, 4096)
            except OSError:  # the other end is closed
                break
            text += part
            if not part:
                break
        assert process.wait(60) == 0
    os.close(here)
    shown = text.decode().splitlines()
    assert 40 < max(map(len, shown)) <= columns
    piped = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    assert len(piped.splitlines()) == 2 + 3
    assert set(piped.split()) == set("".join(f"{line}\n" for line in shown).split())


@pytest.mark.parametrize("digits", ["0", "-3", "x"])
def test_digits_that_make_no_sense(capsys, digits):
    try:
        status = cli.main(["degeneracies", "6", "--digits", digits])
    except SystemExit as ended:
        status = ended.code
    out, err = capsys.readouterr()
    assert (status, out) == (2, "")
    assert "--digits" in err


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion(capsys, monkeypatch, shell):
    if find_spec("shtab") is None:
        status, out, err = cli.main(["completion", shell]), *capsys.readouterr()
        assert (status, out) == (2, "")
        assert "rbmflow[completion]" in err
        return
    assert cli.main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for word in ("threshold", "torus_threshold", "--figure-format", "--columns"):
        assert word in script
    done = subprocess.run([shell, "-n"], input=script, text=True, check=False) if shell == "bash" else None
    assert done is None or done.returncode == 0


@pytest.mark.skipif(find_spec("matplotlib") is None, reason="figures are an extra")
def test_figures_in_the_formats_asked_for(capsys, tmp_path):
    words = ["degeneracies", "6", "--quiet", "--figure-format", "pdf", "--out"]
    contents = []
    for name in ("one", "two"):
        assert cli.main([*words, str(tmp_path / name)]) == 0
        contents.append((tmp_path / name / "degeneracies.pdf").read_bytes())
        assert not (tmp_path / name / "degeneracies.png").exists()
    assert contents[0] == contents[1]
    assert b"/FontFile2" in contents[0]  # TrueType: text that can be searched
    assert b"/Type3" not in contents[0]


def test_the_provenance_has_numbers_lists_and_nulls(monkeypatch, tmp_path):
    monkeypatch.setattr(output, "figures_module", lambda: None)
    full = mixtures.gain_table
    monkeypatch.setattr(mixtures, "gain_table", lambda M, N, _, report: full(M, N, 3, report))
    words = ["mixture", "--visible", "4", "--hidden", "2", "--range", "0", "1", "--quiet", "--out"]
    assert cli.main([*words, str(tmp_path)]) == 0
    facts = json.loads((tmp_path / "gain_of_ranges_provenance.json").read_text())
    given = facts["parameters"]
    assert given["visible"] == 4
    assert given["range"] == [["0", "1"]]
    assert given["dps"] is None
    assert given["quiet"] is True
    assert "run" not in given


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_seconds_are_counted_until_parts_are(monkeypatch):
    monkeypatch.setattr(progress, "AFTER", 0.01)
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with progress_bar(argparse.Namespace(quiet=False), "reading"):
        time.sleep(0.2)
    shown = terminal.getvalue()
    assert shown.startswith("\rreading: 0 s")
    assert shown.endswith(" \r")  # and the line is empty again
    with progress_bar(argparse.Namespace(quiet=False), "parts") as report:
        report(1, 2)
        counted = len(terminal.getvalue())
        time.sleep(0.1)
    assert "s\r" not in terminal.getvalue()[counted:]
    with progress_bar(argparse.Namespace(quiet=True), "quiet") as report:
        assert report is None


def test_a_log_gets_a_line_now_and_then(monkeypatch, capsys):
    monkeypatch.setattr(progress, "AFTER", 0.0)
    with progress_bar(argparse.Namespace(quiet=False), "parts") as report:
        for done in range(5):
            report(done, 5)
    assert capsys.readouterr().err == "parts: 0 of 5\n"
