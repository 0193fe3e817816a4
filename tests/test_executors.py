"""Pieces on executors: the results of a plain loop, whatever is taken together, and what a loss leaves."""

import time
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

from rbmflow import RBM, Ring, Torus, certified_weight, executors, log_partition, rg, sampling, training_set
from rbmflow.executors import check_executor, completed
from rbmflow.networks import BoltzmannMachine
from rbmflow.weight import certified_unique, uniqueness


def draw(seed, size):
    return np.random.default_rng(seed).normal(size=size)


def slow(number):
    time.sleep(0.02 * (number % 3))
    return number


def fails(number):
    if number == 5:
        raise ValueError("the fifth")
    return number


class Lost(Executor):
    """Keeps what it is handed until the fifth batch, which it loses with all that wait."""

    def __init__(self):
        self.held = []

    def submit(self, function, /, *arguments, **keywords):
        future = Future()
        self.held.append(future)
        if len(self.held) < 5:
            future.set_result(function(*arguments, **keywords))
        else:
            future.cancel()
            future.set_running_or_notify_cancel()
        return future


class Counting(ThreadPoolExecutor):
    """Notes the sizes of the batches, and how many are not done."""

    sizes, most, held = (), 0, ()

    def submit(self, function, /, *arguments, **keywords):
        self.sizes = (*self.sizes, len(arguments[0]))
        self.held = [
            *(one for one in self.held if not one.done()),
            future := super().submit(function, *arguments),
        ]
        self.most = max(self.most, len(self.held))
        return future


@pytest.fixture(scope="module")
def pools():
    """No executor, threads, processes."""
    with (
        ThreadPoolExecutor(2) as threads,
        ProcessPoolExecutor(2, mp_context=get_context("forkserver")) as processes,
    ):
        yield None, threads, processes


PIECES = [(index, (draw, np.random.SeedSequence(1, spawn_key=(index,)), 3)) for index in range(200)]


def test_threads_and_processes_give_the_bits_of_a_loop(pools):
    plain = [draw(*arguments) for _, (_, *arguments) in PIECES]
    for pool in pools:
        found = dict(completed(pool, iter(PIECES)))
        np.testing.assert_array_equal([found[index] for index in range(200)], plain)


def test_short_pieces_travel_together_and_the_executor_holds_few(monkeypatch):
    monkeypatch.setattr(executors, "MOST", 20)
    with Counting(2) as pool:
        found = dict(completed(pool, ((n, (abs, -n)) for n in range(20_000))))
    assert found == {n: n for n in range(20_000)}
    assert sum(pool.sizes) == 20_000  # none was handed over twice
    assert len(pool.sizes) < 400
    assert pool.most <= 20


def test_a_batch_ends_when_its_time_is_over(monkeypatch):
    monkeypatch.setattr(executors, "SHORTEST", 0.01)
    with Counting(2) as pool:
        found = dict(completed(pool, ((n, (slow, n)) for n in range(40))))
    assert found == {n: n for n in range(40)}
    assert sum(pool.sizes) >= 40  # what there was no time for was handed over again


@pytest.mark.parametrize("pool", [None, "threads"])
def test_what_a_piece_raises_comes_after_the_others(pool):
    pool = ThreadPoolExecutor(1) if pool else None
    seen = []
    with pytest.raises(ValueError, match="the fifth") as caught:
        seen.extend(completed(pool, ((n, (fails, n)) for n in range(100))))
    assert {(n, n) for n in range(5)} <= {*seen}
    if pool is not None:
        assert "in fails" in caught.value.__notes__[0]
        pool.shutdown()


def test_an_executor_that_is_lost():
    pool, seen = Lost(), []
    with pytest.raises(BrokenExecutor, match="lost"):
        seen.extend(completed(pool, ((n, (abs, n)) for n in range(1000))))
    assert seen
    assert all(future.done() for future in pool.held)


def test_the_end_of_the_generator_gives_up_what_waits():
    with Counting(1) as pool:
        loop = completed(pool, ((n, (slow, 3 * n + 2)) for n in range(100)))
        next(loop)
        loop.close()
    assert sum(pool.sizes) < 100


def test_what_is_no_executor_is_refused():
    with pytest.raises(TypeError, match="executor=3: an executor is needed"):
        check_executor(3)
    pool = Lost()
    assert check_executor(pool) is pool


MACHINE = RBM(np.random.default_rng(1).normal(size=(40, 30), scale=0.2), np.full(40, 0.1), np.full(30, -0.1))
COUPLINGS = np.random.default_rng(2).normal(size=(30, 30), scale=0.1)
PAIRS = BoltzmannMachine(COUPLINGS + COUPLINGS.T - 2 * np.diag(np.diag(COUPLINGS)), n_visible=20)


@pytest.mark.parametrize("machine", [MACHINE, PAIRS], ids=["rbm", "boltzmann"])
def test_chains_are_annealed_anywhere(pools, machine):
    told = []
    how = {"n_temperatures": 20, "n_chains": 200, "burn_in": 5, "rng": 1}
    found = [
        log_partition(machine, "bracket", **how, executor=pool, progress=lambda *now: told.append(now))
        for pool in pools
    ]
    assert found[0] == found[1] == found[2]
    assert told[-1][0] == told[-1][1] == told[0][1]


@pytest.mark.parametrize("lattice", [Ring(8), Torus(4, 4)], ids=str)
def test_training_sets_are_drawn_anywhere(pools, lattice):
    stored = []
    found = [
        training_set(lattice, [0.0, 2.0, 4.0], 20, rng=5, executor=pool, store=lambda k, _: stored.append(k))
        for pool in pools
    ]
    for one in found[1:]:
        np.testing.assert_array_equal(one.spins, found[0].spins)
        assert repr(one.certificate) == repr(found[0].certificate)
        assert one.provenance == found[0].provenance
    assert sorted(stored) == [0] * 3 + [1] * 3 + [2] * 3


def test_couplings_are_certified_anywhere(pools):
    pytest.importorskip("flint")
    told, K = [], [1, "0.1", 2.5]
    one_by_one = tuple(certified_weight(one, 8, 4, digits=15) for one in K)
    for pool in pools:
        how = {"executor": pool, "progress": lambda *now: told.append(now)}
        assert certified_weight(K, 8, 4, digits=15, **how) == one_by_one
        assert told[-1] == (3, 3)
    assert certified_weight(np.array([1.0]), 8, 4, digits=15) == one_by_one[:1]
    assert certified_weight([], 8, 4, digits=15) == ()


def test_pairs_are_certified_anywhere(pools, monkeypatch):
    pytest.importorskip("flint")
    monkeypatch.setattr(uniqueness, "AT_ONCE", 100)
    sizes = np.mgrid[3:9, 1:6]
    for pool in pools:
        told = []
        how = {"executor": pool, "progress": lambda *now, told=told: told.append(now)}
        assert certified_unique(*sizes, **how).all()
        assert told[-1] == (30, 30)
        assert len(told) > 3  # in parts


def test_noise_is_taken_out_anywhere(pools):
    torus, told = Torus(4, 5), []
    how = {"n_chains": 4, "n_sweeps": 800, "rng": 5}
    noisy = sampling.add_noise(np.ones((6, 20), dtype=np.int8), 0.2, rng=1)
    plain, *others = (
        sampling.denoise(torus, 0.3, noisy, 0.2, **how, executor=pool, progress=lambda *now: told.append(now))
        for pool in pools
    )
    assert all(one.equals(plain) for one in others)
    assert told == [(done, 6) for done in range(1, 7)] * 3


def test_maps_are_graded_anywhere(pools):
    how = {"n_samples": 400, "rng": 3}
    found = [
        rg.grade(rg.BlockFilter([0.6, 0.4]), Ring(20), 0.8, n_steps=2, **how, executor=one) for one in pools
    ]
    assert found[0].equals(found[1])
    assert found[0].equals(found[2])


@pytest.mark.parametrize(
    "call",
    [
        lambda pool: rg.grade(rg.Majority(), Ring(8), 1.0, rng=1, executor=pool),
        lambda pool: sampling.denoise(Ring(4), 0.3, np.ones(4), 0.2, executor=pool),
        lambda pool: training_set(Ring(8), [1.0], 2, executor=pool),
        lambda pool: log_partition(MACHINE, "ais", executor=pool),
        lambda pool: certified_weight([1], 8, 4, digits=15, executor=pool),
        lambda pool: certified_unique(8, 4, executor=pool),
    ],
)
def test_callers_refuse_what_is_no_executor(call):
    with pytest.raises(TypeError, match="executor=2: an executor is needed"):
        call(2)
