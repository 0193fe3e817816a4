"""Runs written as they are measured: the same bits as in memory, through interruptions and kills."""

import errno
import importlib
import io
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from rbmflow import Estimate, Graph, Ring, Torus, hardware
from rbmflow.checkpoints import Checkpoints
from rbmflow.sampling import open_run, run, stored_run, write_run
from rbmflow.sampling.averages import estimate_of_averages
from rbmflow.sampling.run_file import _Sheltered
from rbmflow.sampling.schedule import pieces
from tests.sampling.test_measurements import FUNCTIONS, WAYS

xarray = pytest.importorskip("xarray")
pytest.importorskip("h5netcdf")
schedule = importlib.import_module("rbmflow.sampling.schedule")
writing = importlib.import_module("rbmflow.sampling.writing")

KS = [0.2, 0.5, 0.2, 0.5]
LENGTHS = {"n_sweeps": 37, "thin": 3, "burn_in": 8}


@pytest.fixture
def small_pieces(monkeypatch):
    """Many pieces, each written at once."""
    monkeypatch.setattr(schedule, "PIECE_ATTEMPTS", 500)
    monkeypatch.setattr(schedule, "PIECE_BYTES", 200)
    monkeypatch.setattr(writing, "PIECE_BYTES", 500)
    monkeypatch.setattr(writing, "SECONDS", 0.0)


def same_files(one, other):
    with xarray.open_dataset(one) as a, xarray.open_dataset(other) as b:
        xarray.testing.assert_identical(a.load(), b.load())
    assert open_run(one).end.equals(open_run(other).end)


@pytest.mark.parametrize("n_sweeps", [0, 1, 5, 12, 13])
@pytest.mark.parametrize("thin", [1, 2, 5, 6])
@pytest.mark.parametrize("burn_in", [0, 1, 4, 7])
def test_pieces_cover_a_run_and_go_on_from_the_end_of_any(n_sweeps, thin, burn_in):
    how = {"spins": schedule.PIECE_ATTEMPTS // 4, "draw_bytes": schedule.PIECE_BYTES // 3}
    all_pieces = list(pieces(n_sweeps, thin, burn_in, **how))
    assert sum(one.total for one in all_pieces) == n_sweeps + burn_in
    assert sum(one.n_draws for one in all_pieces) == n_sweeps // thin
    assert max((one.total for one in all_pieces), default=0) <= 4
    assert max((one.n_draws for one in all_pieces), default=0) <= 3
    done = 0
    for place, one in enumerate(all_pieces):
        assert list(pieces(n_sweeps, thin, burn_in, after=done, **how)) == all_pieces[place:]
        done += one.total
        for draw in range(1, one.n_draws + 1):  # each is taken where the whole run takes it
            at = done - one.total + one.burn_in + draw * one.thin - burn_in
            assert at > 0
            assert at % thin == 0


@pytest.mark.parametrize(("lattice", "how", "keep"), [(*way, i % 2 == 0) for i, way in enumerate(WAYS)])
def test_files_hold_what_a_run_in_memory_does(lattice, how, keep, tmp_path, small_pieces):
    how = {**LENGTHS, "rng": 1, "observables": FUNCTIONS, "keep_spins": keep, **how}
    seen = []
    stored = write_run(tmp_path / "run.nc", lattice, 0.3, progress=lambda *at: seen.append(at), **how)
    whole = run(lattice, 0.3, **how)
    assert [path.name for path in tmp_path.iterdir()] == ["run.nc"]
    assert seen == sorted(seen)
    assert seen[-1] == (how["n_chains"] * 45,) * 2
    assert stored.read(spins=True).equals(whole)
    assert stored.names == tuple(whole.series)
    with xarray.open_dataset(tmp_path / "run.nc") as found:
        assert {"format", "arguments"} <= found.attrs.keys()
        for name in ("format", "arguments"):
            del found.attrs[name]
        xarray.testing.assert_identical(found.load(), whole.to_xarray())
    how = {"rule": whole.rule}
    more = run(lattice, 0.3, n_sweeps=5, initial=stored.end, **how)
    assert more.equals(run(lattice, 0.3, n_sweeps=5, initial=whole, **how))


def test_several_couplings_in_any_order(tmp_path, small_pieces):
    how = {**LENGTHS, "rng": 1, "observables": FUNCTIONS}
    stored, whole = write_run(tmp_path / "run.nc", Ring(6), KS, **how), run(Ring(6), KS, **how)
    assert stored.read(spins=True).equals(whole)
    with xarray.open_dataset(tmp_path / "run.nc") as found:
        xarray.testing.assert_equal(found.load(), whole.to_xarray())
    np.testing.assert_array_equal(
        stored.series("first_three", 3, 7), whole.observables["first_three"][:, 3:7]
    )
    blocks = list(stored.blocks(5))
    np.testing.assert_array_equal(np.concatenate([one.spins for one in blocks], axis=1), whole.spins)
    assert [one.state is None for one in blocks] == [True, True, False]
    np.testing.assert_array_equal(
        stored.measure({"first": lambda spins: spins[:, 0]})["first"], whole.spins[..., 0]
    )
    with pytest.raises(ValueError, match="2 couplings"):
        stored.estimate("energy")
    with pytest.raises(ValueError, match="K: as many chains of each coupling are needed, there are 1 to 2"):
        write_run(tmp_path / "other.nc", Ring(6), [0.1, 0.2, 0.1], n_sweeps=4, rng=1)


@pytest.mark.filterwarnings("ignore::rbmflow.errors.ConvergenceWarning")
def test_estimates_are_those_of_the_run_or_by_averages(tmp_path, monkeypatch):
    on, couplings = Ring(32), [0.3, 0.9] * 4
    how = {"n_sweeps": 4000, "burn_in": 50, "rng": 1, "keep_spins": False, "observables": FUNCTIONS}
    stored, whole = write_run(tmp_path / "run.nc", on, couplings, **how), run(on, couplings, **how)
    for name in ("energy", "squared_magnetization", "susceptibility", "squared"):
        assert stored.estimate(name, K=0.9).equals(whole.at(0.9).estimate(name))
    monkeypatch.setattr(stored_run, "MOST_VALUES", 2000)
    for name, component in [
        ("energy", None), ("absolute_magnetization", None), ("heat_capacity", None), ("first_three", 1),
        ("susceptibility", None), ("binder_cumulant", None), ("binder_cumulant_slope", None),
    ]:  # fmt: skip
        found = stored.estimate(name, component, K=0.9)
        expected = whole.at(0.9).estimate(name, component)
        assert abs(found.mean - expected.mean) < 0.1 * expected.stderr  # biases are taken off differently
        # both errors are estimates, of some hundred effective samples, and of the same numbers
        assert found.stderr == pytest.approx(expected.stderr, rel=0.2)
        assert found.tau == pytest.approx(expected.tau, rel=0.4)
        assert found.n_effective == pytest.approx(expected.n_effective, rel=0.4)
    with pytest.raises(ValueError, match="component=0: energy is one number"):
        stored.estimate("energy", 0, K=0.9)


def test_averages_of_independent_numbers():
    rng = np.random.default_rng(3)
    values = 5 + rng.normal(size=(4, 10_003))
    blocks = ((values[:, first : first + 500],) for first in range(0, 10_003, 500))
    found = estimate_of_averages(lambda mean: mean, blocks, 10, spacing=3, name="noise")
    exact = Estimate.from_series(values, spacing=3)
    assert found.mean == pytest.approx(exact.mean, rel=1e-12)
    for name in ("stderr", "tau", "n_effective"):
        assert getattr(found, name) == pytest.approx(getattr(exact, name), rel=0.1)


class Stop(BaseException):
    """A kill, where it cannot be a signal."""


@pytest.mark.parametrize(("when", "n_chains"), [("before", 20), ("after", 1)])
def test_stopped_at_any_write_it_goes_on_to_the_same_bits(
    tmp_path, small_pieces, monkeypatch, n_chains, when
):
    how = {**LENGTHS, "n_chains": n_chains, "rng": 4, "observables": FUNCTIONS}
    write_run(tmp_path / "whole.nc", Ring(8), 0.4, **how)
    store, writes = Checkpoints.store, []

    def stopping(self, name, save):
        writes.append(name)
        if when == "after":
            store(self, name, save)
        if len(writes) % 3 == 0:
            raise Stop
        if when == "before":
            store(self, name, save)

    monkeypatch.setattr(Checkpoints, "store", stopping)
    for _ in range(100):
        try:
            write_run(tmp_path / "run.nc", Ring(8), 0.4, **how)
        except Stop:
            assert not (tmp_path / "run.nc").exists()
        else:
            break
    assert len(writes) > 10
    same_files(tmp_path / "whole.nc", tmp_path / "run.nc")
    assert (tmp_path / "whole.nc").read_bytes() == (tmp_path / "run.nc").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.nc", "whole.nc"]


def test_stopped_while_the_parts_are_joined_or_removed(tmp_path, small_pieces, monkeypatch):
    how, seen = {**LENGTHS, "rng": 4}, []
    write_run(tmp_path / "whole.nc", Ring(8), 0.4, **how)
    with monkeypatch.context() as change:
        change.setattr(writing, "_join", lambda *_: (_ for _ in ()).throw(Stop))
        with pytest.raises(Stop):
            write_run(tmp_path / "run.nc", Ring(8), 0.4, **how)
    with monkeypatch.context() as change:
        change.setattr(Checkpoints, "remove", lambda _: (_ for _ in ()).throw(Stop))
        with pytest.raises(Stop):
            write_run(tmp_path / "run.nc", Ring(8), 0.4, progress=lambda *at: seen.append(at), **how)
    assert (tmp_path / "run.nc.partial").exists()
    assert not seen  # nothing was left to do but to join
    write_run(tmp_path / "run.nc", Ring(8), 0.4, progress=lambda *at: seen.append(at), **how)
    assert seen == [(45, 45)]
    assert not (tmp_path / "run.nc.partial").exists()
    same_files(tmp_path / "whole.nc", tmp_path / "run.nc")


KILLED = """
import importlib, sys
from rbmflow import Torus
from rbmflow.sampling import write_run
importlib.import_module("rbmflow.sampling.schedule").PIECE_ATTEMPTS = 20_000
importlib.import_module("rbmflow.sampling.writing").SECONDS = 0.0
print("begun", flush=True)
write_run(sys.argv[1], Torus(8, 8), [0.3, 0.44] * 4, n_sweeps=20_000, burn_in=10, rng=7)
"""


def test_killed_it_goes_on_to_the_same_bits(tmp_path):
    command, path, killed = [sys.executable, "-c", KILLED, str(tmp_path / "run.nc")], tmp_path / "run.nc", 0
    for wait in (0.2, 0.35):
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(wait)
        killed += process.poll() is None
        process.kill()
        process.communicate()
    assert killed
    for place in (path, tmp_path / "whole.nc"):  # pieces and parts of other lengths change nothing
        write_run(place, Torus(8, 8), [0.3, 0.44] * 4, n_sweeps=20_000, burn_in=10, rng=7)
    same_files(tmp_path / "whole.nc", path)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["run.nc", "whole.nc"]


SIGNALLED = """
import signal, sys, tempfile
import numpy as np
from rbmflow import Ring
from rbmflow.sampling import run
from rbmflow.sampling.run_file import write_slabs

class Stop(BaseException):
    pass

def stop(*_):
    raise Stop

signal.signal(signal.SIGALRM, stop)
chains = run(Ring(8), 0.4, n_chains=4, n_sweeps=200, rng=1)
whole = {name: one.values for name, one in chains.to_xarray().data_vars.items()}
layout, stopped = chains._without_series().to_xarray(), 0
for seconds in np.random.default_rng(1).uniform(0.001, 0.05, size=40):
    slabs = ((at, {name: one[:, at : at + 10] for name, one in whole.items()}) for at in range(0, 200, 10))
    with tempfile.TemporaryFile() as stream:
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds)
            write_slabs(stream, layout, 200, slabs, b"state", {})
            signal.setitimer(signal.ITIMER_REAL, 0)
        except Stop:
            stopped += 1
print(stopped)
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no timers")
def test_signals_do_not_reach_the_library_that_writes():
    done = subprocess.run(
        [sys.executable, "-c", SIGNALLED], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > 10  # of 40


def test_it_needs_less_memory(tmp_path, monkeypatch):
    how = {"n_chains": 2, "n_sweeps": 4000, "rng": 1}
    whole = run(Torus(16, 16), 0.4, **how)
    for module in (schedule, stored_run, writing):
        monkeypatch.setattr(module, "PIECE_BYTES", 2**17)
    monkeypatch.setattr(hardware, "_memory", lambda: 2**20)
    with pytest.raises(MemoryError, match=r"2 chains of 4000 measurements.*write_run"):
        run(Torus(16, 16), 0.4, **how)
    stored = write_run(tmp_path / "run.nc", Torus(16, 16), 0.4, **how)
    with pytest.raises(MemoryError, match=r"4000 draws of energy, magnetization, spins.*blocks\(\)"):
        stored.read(spins=True)
    first = stored.measure({"first": lambda spins: spins[:, 0]})["first"]
    np.testing.assert_array_equal(first, whole.spins[..., 0])
    monkeypatch.undo()
    assert stored.read(spins=True).equals(whole)


OTHERS = [
    {"n_sweeps": 38},
    {"thin": 1},
    {"burn_in": 9},
    {"rng": 2},
    {"K": 0.5},
    {"lattice": Graph.from_bonds(8, [(0, 1)])},
    {"rule": "metropolis"},
    {"order": "sequential"},
    {"field": 0.1},
    {"keep_spins": False},
    {"observables": {"first": lambda spins: spins[:, 0]}},
    {"initial": "up"},
]


def test_what_another_run_left_is_neither_used_nor_lost(tmp_path, small_pieces, monkeypatch):
    def started(place, **given):
        arguments = {"lattice": Ring(8), "K": 0.4, **LENGTHS, "rng": 1, **given}
        return write_run(tmp_path / place, arguments.pop("lattice"), arguments.pop("K"), **arguments)

    started("run.nc")
    before = (tmp_path / "run.nc").read_bytes()
    with monkeypatch.context() as stopped:
        stopped.setattr(writing, "_join", lambda *_: (_ for _ in ()).throw(Stop))
        with pytest.raises(Stop):
            started("partial.nc")
    for change in OTHERS:
        with pytest.raises(ValueError, match="is there already, of a run with other arguments"):
            started("run.nc", **change)
        with pytest.raises(ValueError, match="an interrupted run with other arguments left it"):
            started("partial.nc", **change)
    started("partial.nc")
    for name in ("run.nc", "partial.nc"):
        assert (tmp_path / name).read_bytes() == before


def test_one_file_goes_on_where_another_ends(tmp_path, small_pieces):
    how = {"thin": 2, "observables": FUNCTIONS}
    whole = run(Torus(4, 4), KS, n_sweeps=30, burn_in=6, rng=2, **how)
    first = write_run(tmp_path / "1.nc", Torus(4, 4), KS, n_sweeps=12, burn_in=6, rng=2, **how)
    then = write_run(tmp_path / "2.nc", Torus(4, 4), KS, n_sweeps=18, initial=first.end, **how)
    parts = [one.read(spins=True) for one in (first, then)]
    for name, series in whole.series.items():
        np.testing.assert_array_equal(np.concatenate([one.series[name] for one in parts], axis=1), series)
    assert parts[1].state.equals(whole.state)


def test_damage_is_told(tmp_path, small_pieces, monkeypatch):
    how, path = {**LENGTHS, "rng": 1}, tmp_path / "run.nc"
    monkeypatch.setattr(writing, "_join", lambda *_: (_ for _ in ()).throw(Stop))
    with pytest.raises(Stop):
        write_run(path, Ring(8), 0.4, **how)
    monkeypatch.undo()
    parts = sorted((tmp_path / "run.nc.partial").glob("0*.part"))
    content = parts[1].read_bytes()
    parts[1].write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ValueError, match=r"remove .* to begin anew"):
        write_run(path, Ring(8), 0.4, **how)
    parts[1].unlink()
    with pytest.raises(ValueError, match=r"remove .* to begin anew"):
        write_run(path, Ring(8), 0.4, **how)
    parts[1].write_bytes(content)
    stored = write_run(path, Ring(8), 0.4, **how)
    whole = bytearray(path.read_bytes())
    rng, told = np.random.default_rng(1), 0
    before = stored.read(spins=True)
    for at in rng.integers(0, len(whole), 40):
        changed = whole.copy()
        changed[at] ^= 255
        path.write_bytes(changed)
        try:
            assert open_run(path).read(spins=True).equals(before)  # a byte that nothing depends on
        except ValueError:
            told += 1
    assert told > 8
    for content in (b"", b"\x89HDF\r\n\x1a\n", b"PK", whole[:1000]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"run\.nc: not a run of rbmflow, or damaged"):
            open_run(path)
    xarray.Dataset({"x": 1}).to_netcdf(path, engine="h5netcdf")
    with pytest.raises(ValueError, match=r"run\.nc: not a run of rbmflow, or damaged"):
        write_run(path, Ring(8), 0.4, **how)
    with pytest.raises(FileNotFoundError):
        open_run(tmp_path / "none.nc")


class Full(io.BytesIO):
    """A disk with so many bytes left."""

    left = 3000

    def write(self, data):
        Full.left -= len(data)
        if Full.left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(data)


def test_a_full_disk_is_one_error(tmp_path, small_pieces, monkeypatch):
    join = writing._join
    with monkeypatch.context() as change:
        change.setattr(writing, "_join", lambda _, *rest: join(Full(), *rest))
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            write_run(tmp_path / "run.nc", Ring(8), 0.4, **LENGTHS, rng=1)
    assert [path.name for path in tmp_path.iterdir()] == ["run.nc.partial"]
    write_run(tmp_path / "run.nc", Ring(8), 0.4, **LENGTHS, rng=1)
    shelter = _Sheltered(Full())
    assert shelter.write(b"12") == 2
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        shelter.raise_error()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_sweeps": 0}, "n_sweeps=0"),
        ({"thin": 38}, "thin=38"),
        ({"burn_in": -1}, "burn_in=-1"),
        ({"rule": "glauber"}, "rule="),
        ({"observables": {"energy": len}}, "taken"),
    ],
)
def test_bad_input_leaves_nothing(change, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        write_run(tmp_path / "run.nc", Ring(8), 0.4, **{**LENGTHS, "rng": 1, **change})
    stored = write_run(tmp_path / "run.nc", Ring(8), 0.4, **LENGTHS, rng=1, keep_spins=False)
    assert [path.name for path in tmp_path.iterdir()] == ["run.nc"]
    for call, said in [
        (lambda: stored.series("spins"), "name='spins'"),
        (lambda: stored.series("energy", 5, 3), "last=3"),
        (lambda: stored.measure({"first": len}), "no configurations"),
        (lambda: next(stored.blocks(0)), "n_draws=0"),
        (lambda: stored.estimate("heat"), "name='heat'"),
        (lambda: stored.estimate("energy", K=3.0), "K=3.0"),
    ]:
        with pytest.raises(ValueError, match=said):
            call()
