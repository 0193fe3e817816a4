"""Exact integers: the closed form, the kernel and the sums over all states meet."""

import csv
import subprocess
import sys
import textwrap
import time
import warnings
from fractions import Fraction
from math import comb

import pytest

from rbmflow import CostWarning, DegeneracyTable, Ring
from rbmflow.ising import enumeration, layer_degeneracies
from rbmflow.ising.ring_counts import wall_pair_count
from rbmflow.ising.walls import wall_sums
from tests.exact import private, ring_states

# counted independently of this package
CLASSES = dict(zip(range(3, 17), [4, 6, 8, 11, 14, 18, 22, 27, 32, 38, 44, 51, 58, 66], strict=True)) | {
    20: 102
}


@pytest.mark.parametrize("n_sites", range(3, 13))
def test_sums_over_all_states(n_sites):
    _, alpha, V = ring_states(n_sites)
    counts = {}
    for pair in zip(alpha.tolist(), V.tolist(), strict=True):
        counts[pair] = counts.get(pair, 0) + 1
    assert {(a, v): c for a, v, c in Ring(n_sites).degeneracies().rows()} == counts


@pytest.mark.parametrize("n_sites", [3, 8, 13])
def test_the_closed_form_of_one_class(n_sites):
    counts = {(alpha, V): count for alpha, V, count in Ring(n_sites).degeneracies().rows()}
    for n_up in range(1, n_sites):
        for k in range(1, min(n_up, n_sites - n_up) + 1):
            assert wall_pair_count(n_sites, n_up, k) == counts[n_sites - 4 * k, 2 * n_up - n_sites]


@pytest.mark.parametrize("n_sites", range(3, 25))
def test_brute_force_equals_the_closed_form(n_sites):
    assert Ring(n_sites).enumerate() == Ring(n_sites).degeneracies()


@pytest.mark.slow
@pytest.mark.parametrize("n_sites", range(25, 33))
def test_brute_force_equals_the_closed_form_on_long_rings(n_sites):
    assert Ring(n_sites).enumerate() == Ring(n_sites).degeneracies()


@pytest.mark.parametrize("n_threads", [1, 2, 3, 8])
def test_the_number_of_threads_does_not_matter(n_threads):
    assert Ring(28).enumerate(n_threads=n_threads) == Ring(28).degeneracies()


def test_number_of_classes():
    assert {n: len(Ring(n).degeneracies()) for n in CLASSES} == CLASSES


def test_a_table_is_sorted_positive_and_made_of_python_integers():
    table = Ring(70).degeneracies()
    assert list(zip(table.alpha, table.magnetization, strict=True)) == sorted(
        zip(table.alpha, table.magnetization, strict=True)
    )
    assert min(table.count) > 0
    assert max(table.count) > 2**64
    assert {type(c) for c in table.count} == {int}
    assert table.total == 2**70


@pytest.mark.parametrize("n_sites", [3, 8, 21, 100])
def test_marginals_are_binomials(n_sites):
    table = Ring(n_sites).degeneracies()
    pairs = range(n_sites // 2 + 1)
    assert table.alpha_marginal() == {n_sites - 4 * k: 2 * comb(n_sites, 2 * k) for k in reversed(pairs)}
    up = range(n_sites + 1)
    assert table.magnetization_marginal() == {2 * n - n_sites: comb(n_sites, n) for n in up}


def test_moments_over_all_states():
    table = Ring(9).degeneracies()
    # at K = 0 spins are independent: <α> = 0, <α²> = <V²> = M, <α V²> = 2M
    assert table.moment() == 2**9
    assert table.moment(alpha_power=1) == 0
    assert table.moment(alpha_power=2) == table.moment(magnetization_power=2) == 9 * 2**9
    assert table.moment(1, 2) == 18 * 2**9
    with pytest.raises(ValueError, match="alpha_power=-1"):
        table.moment(-1)


def test_csv_reads_back(tmp_path):
    table = Ring(12).degeneracies()
    path = tmp_path / "table.csv"
    assert table.to_csv(path) == path.read_text()
    with path.open(newline="") as stream:
        rows = [{key: int(value) for key, value in row.items()} for row in csv.DictReader(stream)]
    back = DegeneracyTable(
        12, *(tuple(row[key] for row in rows) for key in ("alpha", "magnetization", "count"))
    )
    assert back == table


def test_hidden_layer():
    for n_units in (1, 2, 7, 100):
        layer = layer_degeneracies(n_units)
        assert sum(layer.values()) == 2**n_units
        assert (0 in layer) == (n_units % 2 == 0)
        assert all(count == comb(n_units, (n_units + H) // 2) for H, count in layer.items())
    with pytest.raises(ValueError, match="n_units=20001: at most 20000"):
        layer_degeneracies(20_001)


def test_progress_is_reported_up_to_the_end():
    calls = []
    Ring(29).enumerate(n_threads=1, progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (2**29, 2**29)
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)


def test_an_error_in_the_progress_callback_stops_the_work():
    def fail(done, total):
        raise RuntimeError("stop")

    start = time.monotonic()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CostWarning)
        with pytest.raises(RuntimeError, match="stop"):
            Ring(44).enumerate(progress=fail)
    assert time.monotonic() - start < 5


def test_long_rings_warn_of_their_cost(monkeypatch):
    monkeypatch.setattr(enumeration, "COSTLY_SITES", 26)
    with pytest.warns(CostWarning, match=r"27 sites: 2\^27 configurations will take about"):
        assert Ring(27).enumerate() == Ring(27).degeneracies()


def test_the_longest_layer(monkeypatch):
    # its 20,001 long integers take a minute
    monkeypatch.setattr("rbmflow.ising.ring_counts.comb", lambda n, k: 1)
    assert len(layer_degeneracies(20_000)) == 20_001


def test_too_long_a_ring_is_refused():
    with pytest.raises(ValueError, match="n_sites=49: at most 48"):
        Ring(49).enumerate()


def test_ctrl_c_stops_within_a_second():
    code = """
        import threading, signal, os, time, warnings
        from rbmflow import Ring
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell ignores it
        warnings.simplefilter("ignore")
        threading.Timer(1.0, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        begin = time.monotonic()
        try:
            Ring(46).enumerate()
        except KeyboardInterrupt:
            print(time.monotonic() - begin)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60, check=True
    )
    # the warning of the cost times one chunk first; the interrupt comes a second after the start
    assert float(done.stdout) < 2.0 + 1.0


@pytest.mark.parametrize("n_sites", [3, 4, 5, 12, 101])
@pytest.mark.parametrize("x", ["1", "0.3", "1e-3", "1e-40", "0", "1.5"])
def test_sums_over_walls_in_fractions_and_in_numbers(n_sites, x):
    ctx = private(40)
    number = ctx.mpf(x)
    exact = Fraction(int(ctx.ldexp(number, 600)), 2**600)  # of the number itself
    for found, sums in zip(wall_sums(n_sites, number), wall_sums(n_sites, exact), strict=True):
        for a, b in zip(found, sums, strict=True):
            assert abs(a * b.denominator - b.numerator) <= b.numerator * n_sites * ctx.eps
