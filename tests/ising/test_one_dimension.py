"""Closed forms of ring and chain against sums over all states, and their limits."""

from fractions import Fraction

import numpy as np
import pytest

from rbmflow import Chain, Law, Ring
from tests.exact import chain_states, private, relative, ring_states

COUPLINGS = (
    "-300",
    "-20",
    "-2",
    "-0.5",
    "-1e-3",
    "-1e-9",
    "1e-9",
    "1e-3",
    "0.1",
    "0.5",
    "1",
    "3",
    "20",
    "300",
)
QUANTITIES = ("log_partition", "energy", "heat_capacity", "susceptibility")
LATTICES = [Ring(3), Ring(4), Ring(7), Ring(8), Chain(2), Chain(3), Chain(8)]


def brute_force(ctx, lattice, K):
    """Sums over all states, from the definitions."""
    n = lattice.n_sites
    _, alpha, V = (ring_states if isinstance(lattice, Ring) else chain_states)(n)
    classes = {}
    for pair in zip(alpha.tolist(), V.tolist(), strict=True):
        classes[pair] = classes.get(pair, 0) + 1
    weights = {pair: count * ctx.exp(K * pair[0]) for pair, count in classes.items()}
    Z = ctx.fsum(weights.values())
    mean = ctx.fsum(a * w for (a, _), w in weights.items()) / Z
    return {
        "log_partition": ctx.log(Z),
        "energy": -mean / n,
        "heat_capacity": K * K * ctx.fsum((a - mean) ** 2 * w for (a, _), w in weights.items()) / Z / n,
        "susceptibility": ctx.fsum(v * v * w for (_, v), w in weights.items()) / Z / n,
    }


@pytest.mark.parametrize("lattice", LATTICES, ids=str)
def test_sums_over_all_states(lattice):
    # the closed forms take about ten roundings; the arguments of exp and atanh add a few more
    ctx = private(2000)
    for text in COUPLINGS:
        wanted = brute_force(ctx, lattice, ctx.mpf(text))
        for quantity in QUANTITIES:
            value = float(getattr(lattice, quantity)(float(text)))
            wanted_float = brute_force(ctx, lattice, ctx.mpf(float(text)))[quantity]
            if abs(wanted_float) > 1e-300:
                assert relative(ctx, value, wanted_float) < 2e-15, (quantity, text)
            exact = getattr(lattice, quantity)(text, dps=50)
            assert relative(ctx, exact, wanted[quantity]) < 1e-49, (quantity, text)


@pytest.mark.parametrize("lattice", LATTICES, ids=str)
def test_law_of_the_magnetization(lattice):
    ctx = private(2000)
    _, alpha, V = (ring_states if isinstance(lattice, Ring) else chain_states)(lattice.n_sites)
    for text in COUPLINGS:
        K = ctx.mpf(float(text))
        law = lattice.magnetization_law(float(text))
        exact = lattice.magnetization_law(text, dps=40)
        weights = dict.fromkeys(law.values.tolist(), ctx.zero)
        for a, v in zip(alpha.tolist(), V.tolist(), strict=True):
            weights[v] += ctx.exp(K * a)
        Z = ctx.fsum(weights.values())
        for value, probability, digits in zip(
            law.values, law.probabilities, exact.probabilities, strict=True
        ):
            wanted = weights[int(value)] / Z
            if wanted > 1e-280:
                assert relative(ctx, probability, wanted) < 1e-14, (text, value)
                # the decimal and the binary coupling differ by at most 1e-16 relative
                assert relative(ctx, digits, wanted) < 1e-15 * (1 + abs(float(text)) * 4 * lattice.n_sites)
        assert law.n_sites == lattice.n_sites


@pytest.mark.parametrize("n_sites", [5, 8])
def test_correlations(n_sites):
    states, alpha, _ = ring_states(n_sites)
    for K in (-2.0, -0.3, 0.0, 0.4, 1.5):
        weights = np.exp(K * alpha)
        weights /= weights.sum()
        wanted = [(weights * states[:, 0] * states[:, r % n_sites]).sum() for r in range(-3, 12)]
        np.testing.assert_allclose(
            Ring(n_sites).correlation(K, np.arange(-3, 12)), wanted, rtol=1e-13, atol=1e-15
        )
    states, alpha, _ = chain_states(n_sites)
    weights = np.exp(-0.7 * alpha)
    weights /= weights.sum()
    wanted = [(weights * states[:, 1] * states[:, 1 + r]).sum() for r in range(n_sites - 1)]
    np.testing.assert_allclose(Chain(n_sites).correlation(-0.7, np.arange(n_sites - 1)), wanted, rtol=1e-13)


def test_correlations_to_many_digits():
    ctx = private(60)
    t = ctx.tanh(ctx.mpf("0.3"))
    wanted = (t**2 + t**6) / (1 + t**8)
    assert relative(ctx, Ring(8).correlation("0.3", 2, dps=50), wanted) < 1e-49
    assert Ring(8).correlation("0.3", [2, 6], dps=50).tolist() == [Ring(8).correlation("0.3", 2, dps=50)] * 2
    assert Ring(7).correlation(["0", "-inf"], 3, dps=30).tolist()[0] == 0
    assert relative(ctx, Chain(8).correlation("0.3", 3, dps=50), ctx.tanh(ctx.mpf("0.3")) ** 3) < 1e-49


def test_sum_rule_of_the_susceptibility():
    for n_sites, K in ((7, -1.3), (8, 0.9), (1001, 2.5)):
        ring = Ring(n_sites)
        total = ring.correlation(K, np.arange(n_sites)).sum()
        assert total == pytest.approx(ring.susceptibility(K), rel=1e-12, abs=0)


def test_correlation_length():
    ctx = private(100)
    for text in ("1e-8", "0.3", "2", "50"):
        wanted = -1 / ctx.log(ctx.tanh(ctx.mpf(text)))
        assert relative(ctx, Ring(5).correlation_length(float(text)), wanted) < 1e-14
        assert relative(ctx, Chain(5).correlation_length(text, dps=30), wanted) < 1e-29
    np.testing.assert_array_equal(Ring(5).correlation_length([0.0, np.inf, 1e6]), [0, np.inf, np.inf])


@pytest.mark.parametrize("lattice", [Ring(7), Ring(8), Chain(7), Chain(8)], ids=str)
def test_nothing_overflows_from_zero_to_a_million(lattice):
    K = np.concatenate([[0.0], np.logspace(-12, 6, 200)])
    for sign in (1, -1):
        for quantity in QUANTITIES:
            assert np.isfinite(getattr(lattice, quantity)(sign * K)).all(), quantity
        law = lattice.magnetization_law(sign * K[::20]).probabilities
        np.testing.assert_allclose(law.sum(axis=-1), 1, rtol=1e-14)


@pytest.mark.parametrize("dps", [None, 30])
@pytest.mark.parametrize(
    ("lattice", "sign", "energy", "susceptibility"),
    [
        (Ring(8), 1, -1, 8),
        (Ring(8), -1, 1, 0),
        (Ring(7), 1, -1, 7),
        (Ring(7), -1, Fraction(5, 7), Fraction(1, 7)),
        (Chain(7), 1, Fraction(-6, 7), 7),
        (Chain(7), -1, Fraction(6, 7), Fraction(1, 7)),
        (Chain(8), -1, Fraction(7, 8), 0),
    ],
)
def test_zero_temperature(lattice, sign, energy, susceptibility, dps):
    K = sign * float("inf")
    assert float(lattice.energy(K, dps=dps)) == pytest.approx(float(energy), rel=1e-15, abs=0)
    assert float(lattice.susceptibility(K, dps=dps)) == pytest.approx(float(susceptibility), rel=1e-15, abs=0)
    assert float(lattice.heat_capacity(K, dps=dps)) == 0
    assert float(lattice.log_partition(K, dps=dps)) == np.inf
    law = lattice.magnetization_law(K, dps=dps)
    n = lattice.n_sites
    occupied = {-n: 0.5, n: 0.5} if sign > 0 else ({0: 1.0} if n % 2 == 0 else {-1: 0.5, 1: 0.5})
    assert {int(v): float(p) for v, p in zip(law.values, law.probabilities, strict=True) if p} == occupied


def test_frustrated_ring_counts_its_ground_states():
    # an odd antiferromagnetic ring has 2M ground states of energy −(M − 2)|J|
    assert Ring(7).log_partition(-1e6) == pytest.approx(5e6 + np.log(14), rel=1e-15, abs=0)


def test_moments_of_a_law():
    for K in (-0.5, 0.0, 2.0):
        law = Ring(9).magnetization_law(K)
        assert law.moment(2) == pytest.approx(9 * Ring(9).susceptibility(K), rel=1e-13, abs=0)
        assert law.moment(1) == pytest.approx(0, abs=1e-14)
    assert Ring(9).magnetization_law([0.1, 0.2]).moment(4).shape == (2,)


def test_moments_and_mirror_images_of_laws_to_many_digits():
    ctx = private(60)
    third, rows = ctx.mpf(1) / 3, np.array([[3, 1, 2], [0, 1, 0]], dtype=object)
    for probabilities in (rows[0] * third / 2, rows * third):
        law = Law([-2, 0, 2], probabilities)
        moments, mirrored = law.moment(3), law.symmetrized().probabilities
        assert np.shape(moments) == probabilities.shape[:-1]
        assert mirrored.shape == probabilities.shape
        first = np.atleast_1d(moments)[0] / np.atleast_2d(probabilities)[0, 1]
        assert relative(ctx, first, -8) < 1e-49
        wanted = (probabilities + probabilities[..., ::-1]) / 2
        assert max(relative(ctx, a, b) for a, b in zip(mirrored.flat, wanted.flat, strict=True)) < 1e-49


def test_strided_and_read_only_couplings_pass():
    K = np.linspace(0, 1, 10)[::3]
    K.setflags(write=False)
    assert Ring(5).magnetization_law(K).probabilities.shape == (4, 6)
    assert Ring(5).energy(K.astype(np.float32)).dtype == np.float64
