"""Ring and chain in a uniform field: sums over all states, transfer matrices of strips, samples."""

import mpmath
import numpy as np
import pytest

from rbmflow import Chain, Hypercubic, Ring
from rbmflow.ising import InfiniteStrip, RingInFields
from rbmflow.ising.uniform_field import law_in_field
from rbmflow.spins import all_states

QUANTITIES = ("log_partition", "energy", "heat_capacity", "magnetization", "susceptibility")
LATTICES = [Ring(3), Ring(6), Ring(9), Chain(2), Chain(5), Chain(8)]
K = np.array([0.0, 0.4, -0.7, 2.0, -5.0])


def of_all_states(lattice, field):
    spins = all_states(lattice.n_sites).astype(float)
    a, b = lattice.bonds().T
    V, n = spins.sum(axis=1), lattice.n_sites
    E = -(spins[:, a] * spins[:, b]).sum(axis=1) - field * V
    weights = np.exp(-np.multiply.outer(K, E))
    Z = weights.sum(axis=1)
    p = weights / Z[:, np.newaxis]

    def spread(x):
        return (p * (x - (p @ x)[:, np.newaxis]) ** 2).sum(axis=1)

    values = [np.log(Z), p @ E / n, K * K * spread(E) / n, p @ V / n, spread(V) / n]
    law = np.array([p @ (v == V) for v in range(-n, n + 1, 2)]).T
    return values, law, np.einsum("ks,si->ki", p * spins[:, 0], spins)


@pytest.mark.parametrize("field", [0.3, -1.7, 2.5])
@pytest.mark.parametrize("lattice", LATTICES, ids=lambda one: one.label)
def test_all_states(lattice, field):
    values, law, correlations = of_all_states(lattice, field)
    for quantity, exact in zip(QUANTITIES, values, strict=True):
        found = getattr(lattice, quantity)(K, field=field)
        # the errors are those of sums of energies and of their squares over all states
        np.testing.assert_allclose(found, exact, rtol=1e-12, atol=2e-14, err_msg=quantity)
    found = lattice.magnetization_law(K, field=field).probabilities
    np.testing.assert_allclose(found, law, rtol=1e-12, atol=1e-17)
    if isinstance(lattice, Ring):
        found = lattice.correlation(K[:, np.newaxis], np.arange(lattice.n_sites), field=field)
        np.testing.assert_allclose(found, correlations, rtol=1e-12, atol=1e-14)


def test_no_field_is_the_limit_of_a_weak_one():
    for lattice in (Ring(8), Ring(9), Chain(7)):
        for quantity in QUANTITIES[:3]:
            weak, none = (getattr(lattice, quantity)(K, field=h) for h in (1e-9, 0.0))
            np.testing.assert_allclose(weak, none, rtol=1e-12, atol=1e-15, err_msg=quantity)
        weak, none = (lattice.susceptibility(K[1:], field=h) for h in (1e-9, 0))
        np.testing.assert_allclose(weak, none, rtol=1e-12)
        assert not lattice.magnetization(K).any()
        weak, none = (lattice.correlation_length(K, field=h) for h in (1e-9, "0"))
        np.testing.assert_allclose(weak, none, rtol=1e-12)
        weak = lattice.magnetization_law(K[:4], field=1e-12).probabilities
        np.testing.assert_allclose(weak, lattice.magnetization_law(K[:4]).probabilities, rtol=1e-10)


def test_strips_of_one_site():
    n, couplings = 10**5, [0.3, -0.4, 1.1]
    for closed, lattice in ((True, Ring(n)), (False, Chain(n))):
        strip = Hypercubic((n,), periodic=closed)
        for quantity in QUANTITIES:
            found, exact = (getattr(one, quantity)(couplings, field=0.2) for one in (lattice, strip))
            np.testing.assert_allclose(found, exact, rtol=1e-11, err_msg=quantity)
    line = InfiniteStrip(Hypercubic((2,)))
    found, exact = (one.correlation_length([0.3, 1.1], field=0.2) for one in (Ring(3), line))
    np.testing.assert_allclose(found, exact, rtol=1e-12)
    assert Ring(3).correlation_length(0.0, field=0.2) == 0


def test_other_ways_to_the_same_ring():
    ring, couplings, h = Ring(40), 0.6, 0.25
    ln_Z, mean, covariance = law_in_field(ring, couplings, couplings * h)
    assert ring.log_partition(couplings, field=h) == pytest.approx(ln_Z, rel=1e-13)
    assert ring.magnetization(couplings, field=h) == pytest.approx(mean[1] / 40, rel=1e-12)
    assert ring.susceptibility(couplings, field=h) == pytest.approx(covariance[1, 1] / 40, rel=1e-11)
    fields = RingInFields(couplings, np.full(40, couplings * h))
    assert ring.correlation(couplings, 1, field=h) == pytest.approx(
        fields.neighbour_correlations[7], rel=1e-12
    )
    law = ring.magnetization_law(couplings, field=h)
    assert law.moment(1) == pytest.approx(mean[1], rel=1e-12)


def test_digits_and_low_temperature():
    exact = Ring(7).energy("0.3", dps=40, field="0.1")
    assert mpmath.nstr(exact, 15) == mpmath.nstr(mpmath.mpf(Ring(7).energy(0.3, field=0.1)), 15)
    frustrated = Ring(9)  # nine ground states with one more spin along the field
    assert frustrated.log_partition(-300.0, field=-0.5) == pytest.approx(300 * 7.5 + np.log(9), rel=1e-14)
    assert frustrated.energy(-300.0, field=-0.5) == pytest.approx(7.5 / 9, rel=1e-14)
    assert frustrated.correlation(-300.0, 1, field=-0.5) == pytest.approx(-7 / 9, rel=1e-14)
    assert Ring(8).energy([500.0, -500.0], field=2.5).tolist() == [-3.5, 1.5]
    assert Chain(4).magnetization([500.0, -500.0], field=0.1).tolist() == [1, 0]
    # two spins of a chain at the ends follow the field, however weak
    assert Chain(3).magnetization(-500.0, field=0.1) == pytest.approx(-1 / 3, rel=1e-14)


@pytest.mark.parametrize("lattice", [Ring(5), Chain(4), Chain(2)], ids=lambda one: one.label)
@pytest.mark.parametrize(("coupling", "field"), [(0.5, 0.4), (-0.8, 0.7), (0.6, 0.0), (-0.4, 0.0)])
def test_samples_have_the_law(lattice, coupling, field):
    """Counts of states by chi-square; the false-alarm rate is 1e-4 for each of 12 cases."""
    from scipy.stats import chi2

    size = 40_000
    spins = lattice.sample(coupling, size, field=field, rng=11)
    assert spins.dtype == np.int8
    assert spins.shape == (size, lattice.n_sites)
    states = all_states(lattice.n_sites)
    a, b = lattice.bonds().T
    weights = np.exp(coupling * ((states[:, a] * states[:, b]).sum(axis=1) + field * states.sum(axis=1)))
    powers = 2 ** np.arange(lattice.n_sites)
    numbers, order = (spins > 0) @ powers, np.argsort((states > 0) @ powers)
    expected = size * (weights / weights.sum())[order]
    counts = np.bincount(numbers, minlength=len(states))
    statistic = ((counts - expected) ** 2 / expected).sum()
    assert statistic < chi2.isf(1e-4, len(states) - 1)


def test_samples_at_no_temperature_and_of_none():
    assert np.abs(Chain(6).sample(np.inf, 10, rng=1).sum(axis=1)).tolist() == [6] * 10
    assert not Chain(6).sample(-np.inf, 10, rng=1).sum(axis=1).any()
    assert Chain(6).sample(0.3, 0, field=0.1, rng=1).shape == (0, 6)
    assert Ring(6).sample(0.3, 0, field=0.1, rng=1).shape == (0, 6)


def test_what_is_refused():
    with pytest.raises(ValueError, match=r"K=\+?inf: in a field \|K\| \(1 \+ \|h\|\) of at most 20000"):
        Ring(8).energy(np.inf, field=0.1)
    with pytest.raises(ValueError, match="field holds an infinity"):
        Ring(8).energy(0.5, field=np.inf)
    with pytest.raises(ValueError, match="one number is needed, not an array of shape"):
        Chain(8).magnetization(0.5, field=[0.1, 0.2])
    with pytest.raises(TypeError, match="field='x'"):
        Chain(8).magnetization_law(0.5, field="x")
    with pytest.raises(ValueError, match="a finite coupling is needed in a field"):
        Chain(8).sample(np.inf, 3, field=0.5, rng=1)
