"""Files of rows: the reader of the commands against numpy's, which says less about what is wrong."""

import csv
import gzip
import tracemalloc

import numpy as np
import pytest
from processor_time import least_seconds

from rbmflow.reading import Columns, read_array, read_table

N_ROWS, N_COLUMNS = 2000, 784
MOST = {"plain": 2, "names": 2, "closed": 2, "floats": 2, "narrow": 2, "gzip": 2, "quoted": 5, "words": 5}
"""Times numpy's processor time; numpy's own quotes and words among the columns are read cell by cell."""
MEMORY = 4
"""Times that of the numbers in float64, at most."""


def table(kind):
    rng = np.random.default_rng(1)
    if kind == "floats":
        return rng.normal(size=(N_ROWS // 4, N_COLUMNS))
    spins = rng.choice(np.array([-1, 1], dtype=np.int8), (N_ROWS, N_COLUMNS))
    return spins.reshape(-1, 8) if kind == "narrow" else spins


def write(path, rows, kind):
    quoting = csv.QUOTE_ALL if kind == "quoted" else csv.QUOTE_MINIMAL
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream, quoting=quoting)
        if kind == "names":
            writer.writerow([f"spin {site}" for site in range(rows.shape[1])])
        for row in rows.tolist():
            writer.writerow(["word"] * (kind == "words") + row + [""] * (kind == "closed"))
    if kind == "gzip":
        zipped = path.with_suffix(".csv.gz")
        zipped.write_bytes(gzip.compress(path.read_bytes(), 1))
        return zipped
    return path


@pytest.mark.parametrize("kind", MOST)
def test_rows_of_a_file(benchmark, tmp_path, kind):
    rows = table(kind)
    path = write(tmp_path / "rows.csv", rows, kind)
    first = kind == "words"
    columns = range(first, first + rows.shape[1]) if kind in ("words", "closed") else None

    def own():
        return read_table(path, Columns("2-")).values if first else read_array(path)

    def numpys():
        return np.loadtxt(
            path, delimiter=",", skiprows=int(kind == "names"), usecols=columns, quotechar='"', ndmin=2
        )

    np.testing.assert_array_equal(benchmark(own), rows)
    np.testing.assert_array_equal(numpys(), rows)
    mine, theirs = least_seconds(own, numpys, rounds=3)
    tracemalloc.start()
    n_bytes = 8 * own().size
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MEMORY * n_bytes
    print(
        f"\n{kind}, {rows.shape[0]} x {rows.shape[1]}: {mine / theirs:.2f} times np.loadtxt (at most "
        f"{MOST[kind]}), memory {peak / n_bytes:.1f} times the numbers in float64 (at most {MEMORY})"
    )
