"""Kill workers and schedulers of Dask at random moments of a sweep: the same bits in the end.

``kills_scheduler.py [WORKERS] [SCHEDULERS] [SEED]``: so many kills of workers (50) and of schedulers (20).
A worker that is lost is made up for by a new one, and the command does not notice; a scheduler that is lost
ends the command, which goes on with the next scheduler from what was recorded.
"""

import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

PLAN = """
call = "sampling.run"
results = ["energy_estimate.mean", "energy_estimate.stderr", "energy.3.7"]
seeds = 2

[arguments]
lattice = {call = "Torus", n_rows = 16, n_cols = 16}
n_chains = 64
n_threads = 1
keep_spins = false

[axes]
K = {from = 0.1, to = 0.3, points = 15}
n_sweeps = [500, 1000]
"""
DRIVER = """
import sys
from rbmflow.cli import main, sweep
sweep.SECONDS = 0.1
sys.exit(main())
"""
WORKERS, MOST_IN_A_ROW, LONGEST, SECONDS_TO_END = 2, 6, 2.0, 300.0
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def start(place, *words, **how):
    """Start a command in a folder."""
    return subprocess.Popen([sys.executable, *words], cwd=place, **how)


def sweep(place, *words):
    """Start the sweep."""
    return start(
        place, "-c", DRIVER, "sweep", "../plan.toml", "--quiet", "--out", "out", "--seed", "3", *words,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def worker(place, address):
    """Start a worker, without a nanny that would start another."""
    words = ["-m", "dask", "worker", address, "--no-nanny", "--nthreads", "1", "--no-dashboard"]
    return start(place, *words, **QUIET)


@contextmanager
def cluster(place):
    """Yield the address of a scheduler, its process and those of its workers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["-m", "dask", "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    scheduler, address = start(place, *words, **QUIET), f"tcp://127.0.0.1:{port}"
    workers = [worker(place, address) for _ in range(WORKERS)]
    try:
        yield address, scheduler, workers
    finally:
        for one in [scheduler, *workers]:
            one.kill()
            one.wait()


def parts(place):
    """Return the parts that are recorded."""
    return {path.name: path.read_bytes() for path in place.glob("out/sweep.partial/*.part")}


def table(place):
    """Return the table, after which no part is left."""
    assert not (place / "out" / "sweep.partial").exists()
    return (place / "out" / "sweep.csv").read_bytes()


def finish(place):
    """Let the sweep go on to its end in one process."""
    command = sweep(place, "--workers", "1")
    _, err = command.communicate()
    assert command.returncode == 0, err


def kill_workers(place, chance, n_most):
    """Kill workers of a running sweep one after the other; return how many, and how often it was ended."""
    n_killed = n_ended = 0
    with cluster(place) as (address, _, workers):
        command = sweep(place, "--scheduler", address)
        while True:
            try:
                command.wait(chance.uniform(0.0, LONGEST))
            except subprocess.TimeoutExpired:
                if n_killed < n_most:
                    lost = workers.pop(chance.randrange(len(workers)))
                    lost.send_signal(signal.SIGKILL)
                    lost.wait()
                    workers.append(worker(place, address))
                    n_killed += 1
                continue
            if command.returncode == 0:
                return n_killed, n_ended
            assert command.returncode == 2, command.stderr.read()
            n_ended += 1
            command = sweep(place, "--scheduler", address)


def kill_scheduler(place, wait):
    """Kill the scheduler of a sweep after some time; return whether the command was ended, and how soon."""
    before = parts(place)
    with cluster(place) as (address, scheduler, _):
        command = sweep(place, "--scheduler", address)
        try:
            command.wait(wait)
        except subprocess.TimeoutExpired:
            scheduler.send_signal(signal.SIGKILL)
            begin = time.monotonic()
            _, err = command.communicate(timeout=SECONDS_TO_END)
            assert command.returncode in (0, 2), err
            assert "Traceback" not in err, err
            if command.returncode == 2:
                assert len(err.splitlines()) == 1, err
                after = parts(place)
                assert all(after.get(name) == content for name, content in before.items())
                return True, time.monotonic() - begin
            return False, 0.0
        assert command.returncode == 0, command.stderr.read()
    return False, 0.0


def main(n_workers, n_schedulers, seed):
    """Kill, let go on and compare."""
    chance, counts, slowest = random.Random(seed), Counter(), 0.0
    with tempfile.TemporaryDirectory() as work:
        Path(work, "plan.toml").write_text(PLAN)

        def fresh():
            place = Path(work, str(counts["sweeps"]))
            place.mkdir()
            counts["sweeps"] += 1
            return place

        place, begin = fresh(), time.monotonic()
        finish(place)
        whole, seconds = table(place), time.monotonic() - begin
        while counts["workers killed"] < n_workers:
            killed, ended = kill_workers(place := fresh(), chance, n_workers - counts["workers killed"])
            assert table(place) == whole
            counts += Counter({"workers killed": killed, "commands that ended by it": ended})
            print(dict(counts), flush=True)
        while counts["schedulers killed"] < n_schedulers:
            place, ended = fresh(), True
            for _ in range(chance.randint(1, MOST_IN_A_ROW)):
                ended, took = kill_scheduler(place, chance.uniform(0.5, 0.3 * seconds))
                counts["schedulers killed"] += ended
                counts["faster"] += not ended
                slowest = max(slowest, took)
                if not ended:
                    break
            if ended:
                finish(place)  # any executor goes on
            assert table(place) == whole
            print(dict(counts), flush=True)
    print(f"{counts['sweeps']} sweeps of {seconds:.0f} s, the same bits; "
          f"a command ends {slowest:.1f} s after its scheduler, at most")  # fmt: skip


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main(*(int(word) for word in (sys.argv[1:] + ["50", "20", "1"][len(sys.argv) - 1 :])))
