"""Independent tasks: wherever they run and whatever is lost, the same rows, and none is computed twice."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from rbmflow.checkpoints import Checkpoints
from rbmflow.experiments.tasks import rows_of_tasks

TASKS = [(float(K), scale) for K in range(7) for scale in (1.0, np.inf)]
ROWS = np.array([(K, K * scale, 1 / 3) for K, scale in TASKS[1:]] + [(np.nan,) * 3])[[-1, *range(13)]]
"""NaN and infinities are kept as well."""


def row(K, scale):
    return (K, K * scale, 1 / 3) if (K, scale) != TASKS[0] else (np.nan,) * 3


@pytest.mark.parametrize("executor", [None, "threads"])
@pytest.mark.parametrize("seconds", [0.0, 1000.0])
def test_what_was_finished_is_not_computed_again(tmp_path, executor, seconds):
    pool = ThreadPoolExecutor(2) if executor else None
    done, told = [], []
    for stop in (3, 4, 20):

        def work(*task, stop=stop, seen=None):
            if len(done) >= stop:
                raise KeyboardInterrupt
            done.append(task)
            return row(*task)

        kept = Checkpoints(tmp_path / "partial", {"seed": 1}, seconds)
        try:
            found = rows_of_tasks(
                work, TASKS, 3, executor=pool, progress=lambda *now: told.append(now), checkpoints=kept
            )
        except KeyboardInterrupt:
            assert kept.names or pool is not None
    np.testing.assert_array_equal(found, ROWS)
    assert told[-1] == (14, 14)
    if pool is None:  # on an executor what others did at the moment of the stop is lost
        assert done == TASKS
        assert told.count((3, 14)) == 2  # also where the second run begins
    n_done = len(done)
    again = rows_of_tasks(work, TASKS, 3, executor=pool, checkpoints=Checkpoints(kept.folder, {"seed": 1}))
    np.testing.assert_array_equal(again, ROWS)
    assert len(done) == n_done
    if pool is not None:
        pool.shutdown()


@pytest.mark.parametrize(
    "rows",
    [
        np.zeros(4), np.zeros((1, 3)), np.zeros((1, 4), dtype=int), np.full((1, 4), 14.0),
        np.full((1, 4), -1.0), np.full((1, 4), 0.5), np.full((1, 4), np.nan),
    ],
)  # fmt: skip
def test_rows_of_something_else(tmp_path, rows):
    kept = Checkpoints(tmp_path / "partial", {})
    kept.store("0000", lambda stream: np.save(stream, rows))
    with pytest.raises(ValueError, match=r"0000\.part: not a part of an interrupted run"):
        rows_of_tasks(row, TASKS, 3, checkpoints=kept)
