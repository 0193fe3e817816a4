"""Tasks over threads: how many, for how much work."""

import threading
import time

import pytest

from rbmflow.workers import WORTH_A_THREAD, run_tasks


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
