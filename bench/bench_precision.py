"""Many digits of W(K) against mpmath.findroot, and the certified value against mpmath without gmpy2."""

import itertools
import os
import subprocess
import sys
from math import comb
from pathlib import Path

import mpmath
import numpy as np
import pytest
from processor_time import least_seconds

from rbmflow import certified_weight, trained_weight
from rbmflow.ising import Ring
from rbmflow.weight import certified_unique, exact
from rbmflow.weight.limits import limit_table

PURE = """
import sys, mpmath
sys.path.insert(0, {bench!r})
from bench_precision import collapsed_root
from processor_time import least_seconds
from rbmflow import trained_weight
assert mpmath.libmp.BACKEND == "python"
own = least_seconds(lambda: trained_weight("1", {M}, {N}, dps={dps}), rounds=2)
plain = least_seconds(lambda: collapsed_root({M}, {N}, {dps}), rounds=1 if {dps} > 100 else 2)
print(*own, *plain)
"""


def literal_root(M, N, dps):
    """mpmath.findroot on eq. 69, each side a sum over the 2^M configurations."""
    with mpmath.workdps(dps + 10):
        states = [
            (sum(v), sum(a * b for a, b in zip(v, v[1:] + v[:1], strict=True)))
            for v in itertools.product((1, -1), repeat=M)
        ]
        boltzmann = [mpmath.exp(alpha) for _, alpha in states]
        Z = mpmath.fsum(boltzmann)

        def difference(W):
            p = [mpmath.cosh(W * V) ** N for V, _ in states]
            order = [V * mpmath.tanh(W * V) for V, _ in states]
            return mpmath.fdot(p, order) / mpmath.fsum(p) - mpmath.fdot(boltzmann, order) / Z

        return mpmath.findroot(difference, (0.3, 0.31))


def collapsed_root(M, N, dps):
    """mpmath.findroot on the same equation, the states gathered by (α, V)."""
    with mpmath.workdps(dps + 10):
        table = Ring(M).degeneracies()
        classes = dict.fromkeys(table.magnetization, mpmath.mpf(0))
        for alpha, V, count in table.rows():
            classes[V] += count * mpmath.exp(alpha)
        Z = mpmath.fsum(classes.values())

        def difference(W):
            p = {V: mpmath.binomial(M, (M + V) // 2) * mpmath.cosh(W * V) ** N for V in classes}
            order = {V: V * mpmath.tanh(W * V) for V in classes}
            model = mpmath.fsum(p[V] * order[V] for V in classes) / mpmath.fsum(p.values())
            return model - mpmath.fsum(classes[V] * order[V] for V in classes) / Z

        start = mpmath.mpf(trained_weight(1.0, M, N))
        return mpmath.findroot(difference, (start, start * (1 + mpmath.mpf(10) ** -12)))


def test_fifty_digits(benchmark):
    value = benchmark(trained_weight, "1", 8, 4, dps=50)
    assert mpmath.nstr(value, 48) == mpmath.nstr(literal_root(8, 4, 50), 48)
    mine, peer = least_seconds(lambda: trained_weight("1", 8, 4, dps=50), lambda: literal_root(8, 4, 50))
    print(
        f"\n50 digits at M = 8: {peer / mine:.0f}x mpmath.findroot over 2^8 states (target 20x),"
        f" {mpmath.libmp.BACKEND}"
    )


@pytest.mark.parametrize(("M", "N", "dps"), [(8, 4, 50), (8, 4, 1000), (64, 32, 50), (64, 32, 1000)])
def test_certified_value_against_mpmath_without_gmpy2(benchmark, M, N, dps):
    pytest.importorskip("flint", reason="certificates are an extra")
    found = benchmark(certified_weight, 1, M, N, digits=dps)
    with mpmath.workdps(dps + 20):
        assert mpmath.mpf(found.lower) < trained_weight(1, M, N, dps=dps + 10) < mpmath.mpf(found.upper)
    assert found.unique_on == ("0", "inf")
    code = PURE.format(bench=str(Path(__file__).parent), M=M, N=N, dps=dps)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "MPMATH_NOGMPY": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    (mine,) = least_seconds(lambda: certified_weight(1, M, N, digits=dps))
    own, plain = (float(text) / mine for text in done.stdout.split())
    print(
        f"\ncertified, {dps} digits at M = {M}: {1e3 * mine:.1f} ms; {plain:.0f}x mpmath.findroot, "
        f"{own:.1f}x trained_weight, both without gmpy2 (target 10x)"
    )


def test_certificate_of_a_weak_coupling(benchmark):
    pytest.importorskip("flint", reason="certificates are an extra")
    K, M, N = "1e-200", 101, 50
    found = benchmark(certified_weight, K, M, N, digits=30)
    with mpmath.workdps(300):
        assert mpmath.mpf(found.lower) < trained_weight(K, M, N, dps=250) < mpmath.mpf(found.upper)
    mine, own = least_seconds(
        lambda: certified_weight(K, M, N, digits=30), lambda: trained_weight(K, M, N, dps=30)
    )
    print(
        f"\ncertified at K = {K}, M = {M}: {1e3 * mine:.1f} ms, {own / mine:.1f}x trained_weight (target 1x)"
    )


def test_all_pairs_certified(benchmark):
    pytest.importorskip("flint", reason="certificates are an extra")
    sizes = np.mgrid[3:65, 1:65]
    assert benchmark(certified_unique, *sizes).all()
    (seconds,) = least_seconds(lambda: certified_unique(*sizes), rounds=1)
    print(
        f"\n{sizes[0].size} pairs certified in {seconds:.2f} s, {1e6 * seconds / sizes[0].size:.0f} µs each"
    )


def plain_log_ratio(ctx, W, data, n_visible, n_hidden):
    """``ln ⟨D⟩_p − ln ⟨D⟩_q`` by its definition, term by term."""
    values = range(n_visible, -1, -2)
    orders = [V * ctx.tanh(W * V) for V in values]
    gaps = [orders[0] - order for order in orders]
    model = [
        (2 if V else 1)
        * comb(n_visible, k)
        * (ctx.exp(-2 * W * k) * (1 + ctx.exp(-2 * W * V)) / (1 + ctx.exp(-2 * W * n_visible))) ** n_hidden
        for k, V in enumerate(values)
    ]
    means = [ctx.fdot(law, gaps) / ctx.fsum(law) for law in (model, data)]
    return ctx.log(means[0] / means[1])


def test_limits_of_long_rings(benchmark, monkeypatch):
    M, N, dps = 60, 30, 30
    rows = benchmark(limit_table, M, N, dps=dps).rows
    seconds = least_seconds(lambda: limit_table(M, N, dps=dps), rounds=1)[0]
    monkeypatch.setattr(exact, "log_deficit_ratio", plain_log_ratio)
    assert limit_table(M, N, dps=dps).rows == rows
    plain = least_seconds(lambda: limit_table(M, N, dps=dps), rounds=1)[0]
    print(f"\nlimits at M = {M}: {seconds:.2f} s, {plain / seconds:.1f}x the sums as written (target 2x)")
