"""Ladders written as they are measured: the same bits as in memory, through interruptions."""

import numpy as np
import pytest

from rbmflow import Graph, Ring, Torus
from rbmflow.checkpoints import Checkpoints
from rbmflow.sampling import Exchange, open_run, replica_exchange, write_exchange
from tests.sampling.test_write_run import Stop, same_files, small_pieces, writing, xarray  # noqa: F401

LADDER = [0.2, 0.5, 0.7]
GRAPH = Graph.from_bonds(5, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 0)], [1, -1, 0.5, 2, 1], 0.2)
WAYS = [
    (Ring(6), {"n_ladders": 3}),
    (Torus(4, 6), {"rule": "metropolis", "n_ladders": 2}),
    (GRAPH, {"order": "random", "n_ladders": 2}),
]


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize(("lattice", "how"), WAYS)
@pytest.mark.parametrize("burn_in", [0, 9, 12])
def test_files_hold_what_ladders_in_memory_do(lattice, how, burn_in, tmp_path):
    how = {"n_sweeps": 33, "thin": 3, "burn_in": burn_in, "rng": 1, **how}
    seen = []
    stored = write_exchange(tmp_path / "run.nc", lattice, LADDER, progress=lambda *at: seen.append(at), **how)
    whole = replica_exchange(lattice, LADDER, **how)
    assert [path.name for path in tmp_path.iterdir()] == ["run.nc"]
    assert seen[-1] == ((33 + burn_in) // 3,) * 2
    assert stored.read().equals(whole.to_run())
    assert stored.exchange.equals(whole._without_series())
    with xarray.open_dataset(tmp_path / "run.nc") as found:
        for name in ("format", "arguments"):
            del found.attrs[name]
        xarray.testing.assert_identical(found.load(), whole.to_xarray())
    del how["burn_in"]
    more = replica_exchange(lattice, LADDER, initial=stored.exchange, **how)
    assert more.equals(replica_exchange(lattice, LADDER, initial=whole, **how))


def test_ladders_are_saved_and_go_on_to_the_same_bits(tmp_path):
    how = {"n_ladders": 2, "thin": 2}
    whole = replica_exchange(Torus(4, 4), LADDER, n_sweeps=60, burn_in=10, rng=3, **how)
    first = replica_exchange(Torus(4, 4), LADDER, n_sweeps=22, burn_in=10, rng=3, **how)
    first.save(tmp_path / "first")
    again = Exchange.load(tmp_path / "first")
    assert again.equals(first)
    more = replica_exchange(Torus(4, 4), LADDER, n_sweeps=38, initial=again, **how)
    for name in ("energy", "magnetization"):
        joined = np.concatenate([getattr(again, name), getattr(more, name)], axis=-1)
        np.testing.assert_array_equal(joined, getattr(whole, name))
    for name in ("rates", "round_trips", "spins"):
        np.testing.assert_array_equal(getattr(more, name), getattr(whole, name))


@pytest.mark.usefixtures("small_pieces")
def test_stopped_at_any_write_it_goes_on_to_the_same_bits(tmp_path, monkeypatch):
    how = {"n_ladders": 2, "n_sweeps": 60, "thin": 2, "burn_in": 30, "rng": 3}
    write_exchange(tmp_path / "whole.nc", Torus(4, 4), LADDER, **how)
    store, writes = Checkpoints.store, []

    def stopping(self, name, save):
        writes.append(name)
        if len(writes) % 4 == 0:
            raise Stop
        store(self, name, save)
        if len(writes) % 4 == 2:
            raise Stop

    monkeypatch.setattr(Checkpoints, "store", stopping)
    for _ in range(100):
        try:
            write_exchange(tmp_path / "run.nc", Torus(4, 4), LADDER, **how)
        except Stop:
            continue
        break
    assert len(writes) > 8
    same_files(tmp_path / "whole.nc", tmp_path / "run.nc")
    assert open_run(tmp_path / "run.nc").exchange.equals(open_run(tmp_path / "whole.nc").exchange)


def test_what_another_run_left_is_neither_used_nor_lost(tmp_path):
    how = {"n_ladders": 2, "n_sweeps": 20, "rng": 1}
    write_exchange(tmp_path / "run.nc", Ring(6), LADDER, **how)
    before = (tmp_path / "run.nc").read_bytes()
    for change in ({"n_sweeps": 22}, {"thin": 2}, {"burn_in": 1}, {"rng": 2}, {"field": 0.1}):
        with pytest.raises(ValueError, match="is there already, of a run with other arguments"):
            write_exchange(tmp_path / "run.nc", Ring(6), LADDER, **{**how, **change})
    for couplings, n_sweeps, said in [([0.2], 20, "couplings"), (LADDER, 0, "n_sweeps=0")]:
        with pytest.raises(ValueError, match=said):
            write_exchange(tmp_path / "other.nc", Ring(6), couplings, n_sweeps=n_sweeps, rng=1)
    with pytest.raises(ValueError, match="n_sweeps=3: a multiple of thin=2"):
        write_exchange(tmp_path / "other.nc", Ring(6), LADDER, n_sweeps=3, thin=2, rng=1)
    assert (tmp_path / "run.nc").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["run.nc"]
