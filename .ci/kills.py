"""Kill commands at random moments and let them go on: the same bits in the end, nothing left behind.

``kills.py [KILLS] [SEED]``: so many signals (100), over `sample`, `run`, `train`, `experiment`, `reproduce`.
"""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

# figures and half of the stages take too long to be killed often
DRIVER = """
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)  # imports may turn an interruption into other errors
from rbmflow.cli import experiment, main, output, reproduction, training
from rbmflow.experiments.reproduction import reproduce
from rbmflow.sampling import schedule, writing
training.SECONDS = writing.SECONDS = 0.1
schedule.PIECE_ATTEMPTS = 2**22
small = reproduce.Parameters(
    n_points=11, enumeration_sites=12, n_samples=1000, boundary_exponent=3, lattice_sides=(6,),
    n_training_samples=20)
reproduce.Parameters.quick = classmethod(lambda cls: small)
for name in ("limits", "thresholds", "mixtures", "chains", "three_flows", "side_by_side"):
    del reproduce.STAGES[name]
output.figures_module = experiment.figures_module = lambda: None
reproduction.render = lambda *_: "all of it"
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main())
"""
COMMANDS = {
    "sample": "sample torus 8 --samples 60 --temperatures 0 1 2 2.5 3 4 6 --seed 1",
    "run": "run torus 16 --K 0.3 0.4 0.44 --sweeps 40000 --observables excess --spins --workers 2 --seed 6",
    "exchange": "run torus 16 --K 0.3 0.4 0.44 --exchange --sweeps 6000 --seed 7",
    "train": "train spins.npy --hidden 6 --epochs 600 --seed 2",
    "experiment": "experiment iso --size 4 --temperatures 0 2 5 --samples 30 --hidden 3 5 --updates 4000 "
    "--training-sets V L --starts 0 inf --maps gibbs mean_field --steps 3 --thermometers energy --seeds 2 "
    "--workers 2 --seed 3",
    "capacity": "experiment capacity --units 60 --networks 2 --workers 2 --seed 5",
    "reproduce": "reproduce --quick --dpi 40 --seed 4",
}
KINDS = [
    ("SIGKILL", "command"), ("SIGKILL", "worker"), ("SIGTERM", "command"), ("SIGTERM", "all"),
    ("SIGINT", "command"), ("SIGINT", "all"),
]  # fmt: skip
"""Signals, and to whom they are sent; a terminal sends Ctrl-C to all processes."""
STATUS = {"SIGKILL": -9, "SIGTERM": 143, "SIGINT": 130}
MOST_IN_A_ROW = 6
SECONDS_TO_END = 60.0


def start(words, place):
    """Start a command in a folder, with a session of its own."""
    command = [sys.executable, "-c", DRIVER, *words.split(), "--quiet", "--out", "out"]
    return subprocess.Popen(
        command,
        cwd=place,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def processes(session):
    """Return the living processes of a session."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, its = stat.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(its) == session and state != "Z":
            found.append(stat.parent.name)
    return found


def finish(words, place):
    """Let a command run to its end and return the seconds."""
    begin = time.monotonic()
    process = start(words, place)
    _, err = process.communicate()
    assert (process.returncode, err if "train" not in words else "") == (0, ""), (words, err)
    return time.monotonic() - begin


def workers(session):
    """Return the worker processes of a command."""
    return [one for one in processes(session) if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()]


def kill(words, place, wait, name, to):
    """Kill a command after some time; return its status, None if it was faster, and seconds to the end."""
    process = start(words, place)
    try:
        process.wait(wait)
    except subprocess.TimeoutExpired:
        begin = time.monotonic()
        status, number = STATUS[name], getattr(signal, name)
        if to == "worker" and (found := workers(process.pid)):
            status = 2
            os.kill(int(found[0]), number)
        elif to == "all":
            os.killpg(process.pid, number)
        else:
            os.kill(process.pid, number)
        _, err = process.communicate(timeout=SECONDS_TO_END)
        while left := processes(process.pid):
            assert time.monotonic() - begin < SECONDS_TO_END, f"{words}: {name} left the processes {left}"
            time.sleep(0.01)
        early = process.returncode in (-15, -2)  # before the command had begun, while Python imports
        assert early or process.returncode in (0, status), (words, name, process.returncode, err)
        # a worker that begins while its command is killed says so in Python's words
        assert early or process.returncode == -9 or "Traceback" not in err, (words, name, err)
        return process.returncode, time.monotonic() - begin
    process.communicate()
    return None, 0.0


def content(path):
    """Return a digest of what a file says, apart from the time that it took."""
    if path.suffix == ".nc":
        import xarray

        with xarray.open_dataset(path, engine="h5netcdf") as data:
            return {
                name: digest(np.ascontiguousarray(one.values).tobytes())
                for name, one in data.variables.items()
            }
    return digest(b"" if path.suffix == ".html" else path.read_bytes())  # reports tell the time it took


def digest(data):
    """Return the SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def contents(place):
    """Return the digests of all files below a folder."""
    return {
        str(path.relative_to(place)): content(path) for path in sorted(place.rglob("*")) if path.is_file()
    }


def main(n_kills, seed):
    """Kill, let go on and compare."""
    chance, counts, slowest = random.Random(seed), Counter(), Counter()
    with tempfile.TemporaryDirectory() as work:
        data = np.where(np.random.default_rng(seed).random((300, 8)) < 0.5, 1, -1)
        whole, seconds = {}, {}
        for name, words in COMMANDS.items():
            place = Path(work, name)
            place.mkdir()
            np.save(place / "spins.npy", data)
            seconds[name] = finish(words, place)
            whole[name] = contents(place)
        while sum(counts[name, kind] for name in COMMANDS for kind in STATUS) < n_kills:
            for name, words in COMMANDS.items():
                place = Path(work, f"{name}-{counts['chains']}")
                place.mkdir()
                np.save(place / "spins.npy", data)
                for _ in range(chance.randint(1, MOST_IN_A_ROW)):
                    kind, to = chance.choice(KINDS)
                    status, took = kill(words, place, chance.uniform(0, seconds[name]), kind, to)
                    if status in (None, 0):
                        counts["faster"] += 1
                        break
                    counts[name, kind] += 1
                    counts["while Python imports"] += status in (-15, -2)
                    slowest[kind] = max(slowest[kind], took)
                finish(words, place)
                found = contents(place)
                off = [
                    key for key in found.keys() | whole[name].keys() if found.get(key) != whole[name].get(key)
                ]
                assert not off, f"{name}: {off} differ from the run that was not disturbed"
                counts["chains"] += 1
                n_killed = sum(counts[name, kind] for name in COMMANDS for kind in STATUS)
                print(f"\r{n_killed} kills, {counts['chains']} times the same bits", end="", flush=True)
    print()
    print(
        json.dumps(
            {
                " ".join(key) if isinstance(key, tuple) else key: n
                for key, n in sorted(counts.items(), key=str)
            }
        )
    )
    print("seconds to the end of all processes, at most:", {kind: round(s, 2) for kind, s in slowest.items()})


if __name__ == "__main__":
    main(*(int(word) for word in (sys.argv[1:] + ["100", "1"][len(sys.argv) - 1 :])))
