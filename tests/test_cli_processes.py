"""Commands and their workers that are killed: how they end, what they say, and that nobody is left."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor
from pathlib import Path

import pytest

from rbmflow.cli.processes import processes as executor_of

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc"
)

# a command whose two workers sleep; a shell in the background may have Ctrl-C ignored, nohup a hang-up
CODE = """
import signal, sys, time
from rbmflow import cli
from rbmflow.experiments import capacity
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
capacity.run = lambda parameters, executor, **_: list(executor.map(time.sleep, [100.0, 100.0]))
sys.exit(cli.main(["experiment", "capacity", "--workers", "2", "--quiet", "--out", sys.argv[1]]))
"""
LOST = (
    "rbmflow experiment: error: a worker process was lost, killed or for lack of memory; "
    "the same command goes on from what was finished\n"
)


def processes(session):
    """The living processes of a session: numbers and command lines."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, its = stat.read_text().rpartition(")")[2].split()[:4]
            if int(its) == session and state != "Z":
                found[int(stat.parent.name)] = (stat.parent / "cmdline").read_text()
        except OSError:
            continue
    return found


@pytest.mark.parametrize(
    ("name", "to", "status", "said"),
    [
        ("SIGKILL", "command", -9, ""),
        ("SIGTERM", "command", 143, "rbmflow experiment: terminated by SIGTERM\n"),
        ("SIGTERM", "all", 143, "rbmflow experiment: terminated by SIGTERM\n"),
        ("SIGHUP", "command", 129, "rbmflow experiment: terminated by SIGHUP\n"),
        ("SIGINT", "all", 130, "rbmflow experiment: interrupted\n"),
        ("SIGKILL", "worker", 2, LOST),
    ],
)
def test_nobody_is_left(tmp_path, name, to, status, said):
    command = [sys.executable, "-c", CODE, str(tmp_path / "out")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        workers = []
        while len(workers) < 2:
            assert process.poll() is None
            time.sleep(0.01)
            workers = [number for number, words in processes(process.pid).items() if "spawn_main" in words]
            workers = [
                number for number in workers if len(list(Path(f"/proc/{number}/task").iterdir())) > 1
            ]  # it watches
        if to == "all":
            os.killpg(process.pid, getattr(signal, name))
        else:
            os.kill(workers[0] if to == "worker" else process.pid, getattr(signal, name))
        _, err = process.communicate(timeout=60)  # the last of them closes the pipe
        assert (process.returncode, err) == (status, said)
        until = time.monotonic() + 10
        while processes(process.pid) and time.monotonic() < until:  # Python's tracker of resources goes last
            time.sleep(0.01)
        assert processes(process.pid) == {}
        assert (tmp_path / "out").exists() == (name == "SIGKILL" and to == "command")


def test_workers_never_take_ctrl_c():
    code = """if True:
        import signal
        from rbmflow.cli.processes import processes

        with processes(2) as pool:
            masks = [pool.submit(signal.pthread_sigmask, signal.SIG_BLOCK, []).result() for _ in range(2)]
        assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()
        print(*masks)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.count("SIGINT"), done.stderr) == (2, "")


def test_a_worker_that_is_lost_before_it_begins(monkeypatch):
    def start(worker):
        raise BrokenPipeError

    monkeypatch.setattr(multiprocessing.get_context("spawn").Process, "start", start)
    with pytest.raises(BrokenExecutor), executor_of(2) as pool:
        pool.submit(abs, -1)


AT_THE_END = """
        class Last:
            def __del__(self):
                send()

        def run(*_, **__):
            Last()
            time.sleep(30)
"""
DURING_AN_IMPORT = """
        def run(*_, **__):
            try:
                send()
            except BaseException:
                raise ImportError("initialization failed") from None
"""


@pytest.mark.parametrize("place", [AT_THE_END, DURING_AN_IMPORT], ids=["the end of an object", "an import"])
@pytest.mark.parametrize(
    ("name", "status", "said"), [("SIGTERM", 143, "terminated by SIGTERM"), ("SIGINT", 130, "interrupted")]
)
def test_a_signal_is_not_lost_in_other_code(tmp_path, place, name, status, said):
    code = f"""if True:
        import os, signal, sys, time
        from rbmflow import cli
        from rbmflow.experiments import capacity

        def send():
            os.kill(os.getpid(), signal.{name})
            time.sleep(0.01)
        {place}
        capacity.run = run
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.exit(cli.main(["experiment", "capacity", "--quiet", "--workers", "1", "--out", sys.argv[1]]))
    """
    command = [sys.executable, "-c", code, str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (status, f"rbmflow experiment: {said}\n")
