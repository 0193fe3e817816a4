"""Processor time of a diagram of 10⁴ points on two workers, beside that of a plain loop at the same time.

``python bench/sweep_overhead.py [SIDE] [dask]``: SIDE² weights over K and N (100²) to 40 digits, as
``rbmflow sweep`` makes them with two processes, or on two workers of Dask. Both run together, so that a busy
machine slows both; all processes are counted, from the first import to the table.
"""

import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

PLAN = """
call = "trained_weight"
arguments = {{n_visible = 30, dps = 40}}
axes.K = {{from = 0.05, to = 2.0, points = {side}}}
axes.n_hidden = {{from = 1, to = {side}, step = 1}}
"""
LOOP = """
import csv, sys, mpmath, numpy, rbmflow
side, path = int(sys.argv[1]), sys.argv[2]
with open(path, "w") as file:
    write = csv.writer(file, lineterminator="\\n").writerow
    write(["K", "n_hidden", "trained_weight"])
    for K in numpy.linspace(0.05, 2.0, side).tolist():
        for N in range(1, side + 1):
            W = rbmflow.trained_weight(K, 30, N, dps=40)
            write([K, N, mpmath.nstr(W, 40, strip_zeros=False)])
"""
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def spent(process):
    """Wait for a process and return its processor time with that of its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def tree(words, place, dask):
    """Run a command with what it needs; return its processor time, and that of scheduler and workers."""
    others = []
    if dask:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        address = f"tcp://127.0.0.1:{port}"
        here = ["--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
        start = [sys.executable, "-m", "dask"]
        others = [subprocess.Popen([*start, "scheduler", *here], cwd=place, **QUIET)]
        alone = ["--no-nanny", "--nthreads", "1", "--no-dashboard"]
        others += [
            subprocess.Popen([*start, "worker", address, *alone], cwd=place, **QUIET) for _ in range(2)
        ]
        words = [*words, "--scheduler", address]
    command = subprocess.Popen(
        [sys.executable, "-m", "rbmflow", *words], cwd=place, stdout=subprocess.DEVNULL
    )
    seconds = spent(command)
    assert command.returncode == 0
    for one in reversed(others):  # a worker that has lost its scheduler waits for it
        one.send_signal(signal.SIGTERM)
        seconds += spent(one)
    return seconds


def main(side, how):
    """Measure and print."""
    with tempfile.TemporaryDirectory() as place:
        Path(place, "plan.toml").write_text(PLAN.format(side=side))
        begin = time.monotonic()
        child = (
            "import subprocess, sys, resource; subprocess.run(sys.argv[1:], check=True); "
            "u = resource.getrusage(resource.RUSAGE_CHILDREN); print(u.ru_utime + u.ru_stime)"
        )
        plain = subprocess.Popen(
            [sys.executable, "-c", child, sys.executable, "-c", LOOP, str(side), f"{place}/loop.csv"],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        told = []
        reader = threading.Thread(target=lambda: told.append(plain.stdout.read()))
        reader.start()
        words = ["sweep", "plan.toml", "--quiet", *([] if how == "dask" else ["--workers", "2"])]
        swept = tree(words, place, how == "dask")
        wall = time.monotonic() - begin
        reader.join()
        looped = float(told[0])
        same = Path(place, "loop.csv").read_bytes() == Path(place, "plan", "sweep.csv").read_bytes()
    print(
        f"{side**2} points, {how}: plain loop {looped:.1f} s, two workers {swept:.1f} s of processor "
        f"time, {100 * (swept / looped - 1):+.1f} %; {wall:.0f} s by the clock; same table: {same}"
    )
    assert same


if __name__ == "__main__":
    main(int((sys.argv[1:] or ["100"])[0]), (sys.argv[2:] or ["processes"])[0])
