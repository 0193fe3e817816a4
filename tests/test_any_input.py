"""No input to any public callable crashes, hangs or raises what is not documented; ``.ci/full`` tries 10⁵."""

import subprocess
import sys

import pytest


def test_any_input_is_taken_or_refused():
    pytest.importorskip("hypothesis", reason="a tool of the tests is absent")
    pytest.importorskip("resource", reason="limits of a process are POSIX")
    done = subprocess.run(
        [sys.executable, "-m", "tests.any_input", "100"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
