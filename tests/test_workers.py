"""Tasks over threads: how many, for how much work."""

import threading
import time

import pytest

from rbmflow.workers import WORTH_A_THREAD, results_of, run_tasks


def threads_of(n_threads, **keywords):
    """The threads that twelve tasks run in."""
    seen = set()

    def task():
        seen.add(threading.get_ident())
        time.sleep(0.005)
        yield 1

    run_tasks([task() for _ in range(12)], n_threads, **keywords)
    return seen


@pytest.mark.parametrize(
    ("work", "n_threads"), [(0, 1), (1, 1), (1.9, 1), (2.1, 2), (3.5, 3), (1e9, 4), (float("inf"), 4)]
)
def test_little_work_takes_fewer_threads(work, n_threads):
    seen = threads_of(4, nanoseconds=work * WORTH_A_THREAD)
    assert (seen == {threading.get_ident()}) == (n_threads == 1)
    assert len(seen) <= n_threads


def test_without_an_estimate_all_threads_are_taken():
    assert threading.get_ident() not in threads_of(2)
    assert threads_of(1) == {threading.get_ident()}


@pytest.mark.parametrize("n_threads", [1, 2, 7])
def test_results_of_calls_come_to_the_calling_thread(n_threads):
    found = dict(results_of([lambda k=k: (k * k, threading.get_ident()) for k in range(20)], n_threads))
    assert {place: value for place, (value, _) in found.items()} == {k: k * k for k in range(20)}
    assert (threading.get_ident() in {thread for _, thread in found.values()}) == (n_threads == 1)
    assert not list(results_of([], n_threads))


@pytest.mark.parametrize("n_within", [1, 2])
def test_a_call_that_fails_stops_the_tasks_of_the_others(n_within):
    begun, steps = threading.Event(), []

    def endless():
        def work():
            while True:
                steps.append(1)
                begun.set()
                time.sleep(0.001)
                yield 1

        run_tasks([work(), work()], n_within)

    def fails():
        begun.wait()
        raise OverflowError("one of them")

    with pytest.raises(OverflowError, match="one of them"):
        list(results_of([endless, fails, endless], 2))
    taken = len(steps)
    time.sleep(0.05)
    assert len(steps) == taken


def run_endlessly(begun):
    """Run a task that never ends and says when it has begun."""

    def work():
        while True:
            begun.set()
            time.sleep(0.001)
            yield 1

    run_tasks([work()], 1)


def test_calls_stop_where_no_more_results_are_wanted():
    begun, before = threading.Event(), {*threading.enumerate()}

    results = results_of([begun.wait, lambda: run_endlessly(begun)], 2)
    assert next(results) == (0, True)
    results.close()
    assert not {*threading.enumerate()} - before


def test_calls_within_calls_stop_with_them():
    begun = threading.Event()

    calls = [lambda: run_endlessly(begun)] * 2
    results = results_of([begun.wait, lambda: list(results_of(calls, 2))], 2)
    assert next(results) == (0, True)
    before = time.monotonic()
    results.close()
    assert time.monotonic() - before < 5
