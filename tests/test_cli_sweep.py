"""The command of sweeps: the same bits here, in processes, on Dask, under MPI, and after kills."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor, Future
from importlib.util import find_spec

import pytest

from rbmflow import cli
from rbmflow.cli import executors, output
from rbmflow.cli import sweep as command
from rbmflow.experiments.sweep import Plan
from rbmflow.experiments.sweep import run as room
from rbmflow.sampling import TrainingSet

PLAN = """
call = "sampling.run"
results = ["energy_estimate.mean", "energy.0.3"]
seeds = 3
arguments = {lattice = {call = "Ring", n_sites = 8}, n_chains = 16, n_sweeps = 300, n_threads = 1}
axes.K = {from = 0.1, to = 0.5, points = 4}
"""


def run(capsys, *words):
    status = cli.main([*map(str, words)])
    return status, *capsys.readouterr()


@pytest.fixture
def plan(tmp_path, monkeypatch):
    monkeypatch.setattr(output, "figures_module", lambda: None)
    (tmp_path / "plan.toml").write_text(PLAN)
    return tmp_path / "plan.toml"


@pytest.fixture
def whole(plan, capsys):
    """The table that every way has to end in."""
    folder = plan.parent / "whole"
    status, out, _ = run(capsys, "sweep", plan, "--workers", 1, "--quiet", "--out", folder, "--seed", 5)
    assert status == 0
    assert out.splitlines()[0].split() == ["K", "seed", "energy_estimate.mean", "energy.0.3"]
    assert sorted(path.name for path in folder.iterdir()) == ["provenance.json", "sweep.csv"]
    assert len((folder / "sweep.csv").read_text().splitlines()) == 13
    return (folder / "sweep.csv").read_bytes()


def found(capsys, plan, *words):
    folder = plan.parent / "found"
    status, _, err = run(capsys, "sweep", plan, "--quiet", "--out", folder, "--seed", 5, *words)
    assert status == 0, err
    return (folder / "sweep.csv").read_bytes()


def test_processes_give_the_same_bits(capsys, plan, whole):
    assert found(capsys, plan, "--workers", 2) == whole


def test_two_workers_of_dask_give_the_same_bits(capsys, plan, whole):
    distributed = pytest.importorskip("distributed")
    alone = {"processes": False, "dashboard_address": None, "worker_dashboard_address": None}
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, **alone) as cluster:
        assert found(capsys, plan, "--scheduler", cluster.scheduler_address) == whole
        status, _, err = run(capsys, "sweep", plan, "--scheduler", cluster.scheduler_address, "--workers", 2)
        assert (status, "--scheduler, --workers: one of them" in err) == (2, True)
        pytest.importorskip("h5netcdf")
        folders = plan.parent / "here", plan.parent / "there"
        words = "sample", "torus", 4, "--temperatures", 1.5, 3, "--samples", 20, "--quiet", "--seed", 3
        for folder, where in zip(folders, ([], ["--scheduler", cluster.scheduler_address]), strict=True):
            assert run(capsys, *words, "--out", folder, *where)[0] == 0
        one, other = (TrainingSet.load(folder / "training_set.nc") for folder in folders)
        assert one.equals(other)


def test_a_future_that_dask_forgets_is_lost_with_the_scheduler(monkeypatch):
    class Client:
        status = "running"

        def get_executor(self, pure):
            return self

        def submit(self, task, /, *arguments):
            return Future()

    monkeypatch.setattr(executors, "POLL_SECONDS", 0.01)
    watched = executors._Watched(client := Client())
    future = watched.submit(abs, 1)
    done = watched.submit(abs, 1)
    done.set_result(1)
    with pytest.raises(TimeoutError):
        future.result(0.05)
    client.status = "closed"
    with pytest.raises(BrokenExecutor, match="the scheduler was lost"):
        future.result(30)
    assert done.result() == 1
    watched.ended.set()


def test_a_scheduler_without_dask(capsys, plan, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    status, _, err = run(
        capsys, "sweep", plan, "--scheduler", "tcp://localhost:1", "--out", plan.parent / "x"
    )
    assert status == 2
    assert "pip install 'rbmflow[parallel]'" in err
    assert not (plan.parent / "x").exists()


@pytest.mark.slow
def test_mpi_gives_the_same_bits(plan, whole):
    pytest.importorskip("mpi4py")
    launcher = shutil.which("mpiexec")
    if launcher is None:
        pytest.skip("there is no mpiexec")
    words = [launcher, "-n", "3", sys.executable, "-m", "mpi4py.futures", "-m", "rbmflow", "sweep", str(plan)]
    folder = plan.parent / "found"
    done = subprocess.run(
        [*words, "--quiet", "--out", str(folder), "--seed", "5"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (folder / "sweep.csv").read_bytes() == whole


def test_a_sweep_goes_on_after_a_kill(plan, whole):
    folder = plan.parent / "found"
    code = (
        "import sys, time; from rbmflow.cli import main, sweep; from rbmflow.experiments.sweep import run\n"
        "from rbmflow.experiments.sweep import records\n"
        "sweep.SECONDS, records.HUNDREDTH, record = 0.0, 1e9, run.record\n"
        "run.record = lambda *given: (time.sleep(0.3), record(*given))[1]\n"
        "sys.exit(main())"
    )
    words = ["sweep", str(plan), "--quiet", "--out", str(folder), "--seed", "5", "--workers", "1"]
    process = subprocess.Popen([sys.executable, "-c", code, *words], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(list(folder.glob("sweep.partial/*.part"))) < 4:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    n_left = len(list(folder.glob("sweep.partial/*.part")))
    assert 4 <= n_left < 12
    calls, record = [], room.record

    def counted(*given):
        calls.append(given)
        return record(*given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "record", counted)
        assert cli.main(words) == 0
    assert len(calls) == 12 - n_left
    assert (folder / "sweep.csv").read_bytes() == whole
    assert not (folder / "sweep.partial").exists()


def test_other_forms(capsys, plan, whole):
    status, out, _ = run(capsys, "sweep", plan, "--quiet", "--seed", 5, "--format", "json", "--workers", 1,
                         "--out", plan.parent / "json")  # fmt: skip
    rows = json.loads((plan.parent / "json" / "sweep.json").read_text())
    assert (status, json.loads(out)) == (0, rows)
    assert whole.decode().splitlines()[1] == ",".join(map(str, rows[0].values()))


@pytest.mark.skipif(not find_spec("h5netcdf"), reason="netCDF files are an extra")
def test_a_netcdf_file_beside_the_table(capsys, plan, whole):
    assert found(capsys, plan, "--workers", 1, "--netcdf") == whole
    import xarray

    with xarray.open_dataset(plan.parent / "found" / "sweep.nc", engine="h5netcdf") as data:
        assert dict(data.sizes) == {"K": 4, "seed": 3}


def test_a_long_table_is_not_printed(capsys, plan, monkeypatch):
    monkeypatch.setattr(command, "MOST_SHOWN", 3)
    monkeypatch.chdir(plan.parent)
    status, out, _ = run(capsys, "sweep", plan, "--quiet", "--workers", 1)
    assert status == 0
    assert out.splitlines() == [
        "12 points of K and seed: energy_estimate.mean, energy.0.3",
        "plan/sweep.csv",
    ]


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        ('call = "os.system"', (), "'os' is not public"),
        ("call = 3", (), "call: the name of a public function"),
        (PLAN, ("--seed", -1), "--seed -1"),
        (PLAN.replace("energy.0.3", "energy"), (), "one number or text is needed"),
        (PLAN.replace("n_sites = 8", "n_sites = 1"), (), "(at point 0: K=0.1, seed=0)"),
    ],
)
def test_bad_input_gives_one_line_and_no_files(capsys, plan, text, words, said):
    plan.write_text(text)
    status, out, err = run(
        capsys, "sweep", plan, "--quiet", "--workers", 1, "--out", plan.parent / "x", *words
    )
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert said in err
    assert not (plan.parent / "x").exists()


def test_a_plan_that_is_not_there(capsys, tmp_path):
    status, _, err = run(capsys, "sweep", tmp_path / "none.toml", "--out", tmp_path / "x")
    assert status == 2
    assert "none.toml" in err


def test_the_plan_of_these_tests():
    assert Plan.from_toml(PLAN.encode()).n_points == 12
