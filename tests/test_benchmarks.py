"""The benchmarks run without pytest-benchmark's measurements, in processor time."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[1] / "bench"


@pytest.mark.parametrize("path", sorted(BENCH.glob("bench_*.py")), ids=lambda path: path.stem)
def test_benchmarks_read_no_measurement_that_may_be_absent(path):
    text = path.read_text(encoding="utf-8")
    assert "benchmark.stats" not in text  # None under --benchmark-disable
    assert "timeit" not in text  # the clock on the wall


@pytest.mark.slow
@pytest.mark.skipif(
    not all(map(find_spec, ("pytest_benchmark", "threadpoolctl"))), reason="of the extra bench"
)
def test_a_benchmark_runs_with_measurements_disabled():
    words = ("bench/bench_uniform_weight.py", "-q", "-o", "python_files=bench_*.py", "--benchmark-disable")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, "-k", "plain"], cwd=BENCH.parent,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
