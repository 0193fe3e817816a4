"""Transfer matrices against sums over all states, Kaufman's products, rings, and strips without end."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from rbmflow import Honeycomb, Hypercubic, Ring, Torus, Triangular
from rbmflow.ising import InfiniteStrip
from rbmflow.ising.strips import sums, transferred
from rbmflow.ising.strips.slices import bits_of, orbits_of, slices_of
from rbmflow.ising.strips.values import best_slices, largest_coupling, log_partition_jet
from rbmflow.spins import all_states

QUANTITIES = ("log_partition", "energy", "heat_capacity", "magnetization", "susceptibility")
ENDS = list(itertools.product((True, False), repeat=2))
COUPLINGS = (1.0, -1.0, (1.0, -0.5, 2.0), (1, 0, 1))
SMALL = [
    *[Triangular(*sides, ends, J) for sides in ((2, 2), (3, 2), (3, 4)) for ends in ENDS for J in COUPLINGS],
    *[Honeycomb(*sides, ends, J) for sides in ((2, 2), (2, 3)) for ends in ENDS for J in COUPLINGS],
    *[Hypercubic((3, 4), ends, J) for ends in ENDS for J in (1.0, (1.0, -0.5))],
    *[Hypercubic((2, 3, 2), (*ends, True), (1.0, -0.5, 0.3)) for ends in ENDS],
    Hypercubic((2, 5), couplings=(0, 1.0)),
    Hypercubic((5,)),
    Hypercubic((5,), periodic=False),
]
K = np.array([0.0, 0.4, -0.7, 1.5])


def of_all_states(lattice, field):
    """ln Z, energy and its variance, magnetization and its variance, over K."""
    spins = all_states(lattice.n_sites).astype(float)
    (a, b), J = lattice.bonds().T, lattice.bond_couplings()
    V = spins.sum(axis=1)
    E = -(spins[:, a] * spins[:, b]) @ J - field * V
    logs = -np.multiply.outer(K, E)
    top = logs.max(axis=1, keepdims=True)
    p = np.exp(logs - top)
    Z = p.sum(axis=1, keepdims=True)
    p /= Z
    means = p @ E, p @ V
    spreads = [
        np.einsum("ks,ks->k", p, (x - mean[:, np.newaxis]) ** 2)
        for x, mean in zip((E, V), means, strict=True)
    ]
    return np.array([(top + np.log(Z))[:, 0], means[0], spreads[0], means[1], spreads[1]])


def by_slices(lattice, axis, field):
    slices = slices_of(lattice, axis)
    by_K = log_partition_jet(slices, K, field, 2, by_field=False)
    by_field = log_partition_jet(slices, K, field, 2, by_field=True)
    assert np.abs(by_K.log_partition - by_field.log_partition).max() < 1e-12
    slopes = -by_K.unit * by_K.slope, by_K.unit**2 * by_K.curvature
    return np.array([by_K.log_partition, *slopes, by_field.slope, by_field.curvature])


@pytest.mark.parametrize("squares", [False, True], ids=["steps", "squares"])
@pytest.mark.parametrize("field", [0.0, 0.3])
def test_all_states_of_small_lattices_whichever_way_they_are_cut(field, squares, monkeypatch):
    if squares:
        monkeypatch.setattr(sums, "CALL_TIME", 1.0)
        monkeypatch.setattr(sums, "PRODUCT_TIME", 0.0)
        monkeypatch.setattr(sums.Transfer, "_seconds_of_squares", lambda *_, **__: -1.0)
    for lattice in SMALL:
        exact = of_all_states(lattice, field)
        for axis in range(lattice.dimension):
            found = by_slices(lattice, axis, field)
            # sums over 4096 states of energies up to 40, squared
            np.testing.assert_allclose(found, exact, rtol=1e-12, atol=2e-12, err_msg=f"{lattice} {axis}")


def test_methods_are_per_site_and_take_arrays(monkeypatch):
    # without few sites in all, which go another way
    monkeypatch.setattr(transferred, "FEW_SITES", 0)
    lattice = Triangular(3, 4, couplings=(1.0, 0.5, 2.0))
    exact = of_all_states(lattice, 0.2) / 12
    exact[0] *= 12
    exact[2] *= K**2
    for quantity, row in zip(QUANTITIES, exact, strict=True):
        found = getattr(lattice, quantity)(K.reshape(2, 2), field=0.2)
        np.testing.assert_allclose(found, row.reshape(2, 2), rtol=1e-12, atol=1e-14)
        assert np.ndim(getattr(lattice, quantity)(0.4)) == 0
    assert lattice.magnetization(0.4) == 0


@pytest.mark.parametrize("sides", [(10, 10), (12, 5), (7, 12), (3, 10**6), (7, 1001), (2, 2)])
def test_kaufman(sides):
    torus, square = Torus(*sides), Hypercubic(sides)
    couplings = [0.2, 0.4406] if max(sides) < 100 else [0.0, 0.2, 0.4406, 1.0, 50.0, np.inf]
    for quantity in QUANTITIES[: 2 if sides == (10, 10) else 3]:
        found, exact = (getattr(one, quantity)(couplings) for one in (square, torus))
        np.testing.assert_allclose(found, exact, rtol=1e-11, atol=1e-15, err_msg=quantity)


def test_open_strips_split_into_chains_and_rings():
    # without bonds along one axis
    across, along = (Hypercubic((12, 5000), (True, False), J) for J in ((1.3, 0), (0, 1.3)))
    for quantity in QUANTITIES[:1]:
        ring = getattr(Ring(12), quantity)(0.4 * 1.3)
        assert getattr(across, quantity)(0.4) == pytest.approx(5000 * ring, rel=1e-13)
    chains = 12 * (np.log(2) + 4999 * np.log(2 * np.cosh(0.52)))
    assert along.log_partition(0.4) == pytest.approx(chains, rel=1e-13)


def test_the_lowest_temperatures():
    K = np.array([30.0, 700.0, 1e30, np.inf])
    for lattice in (
        Triangular(4, 40),
        Honeycomb(4, 3000, couplings=(1, -1, 2)),
        Hypercubic((4, 6), True, -1),
    ):
        n, ground = lattice.n_sites, np.abs(lattice.bond_couplings()).sum() / lattice.n_sites
        np.testing.assert_allclose(lattice.log_partition(K), n * ground * K + np.log(2), rtol=1e-14)
        np.testing.assert_allclose(lattice.energy(K), -ground, rtol=1e-14)
        np.testing.assert_allclose(lattice.heat_capacity(K[1:]), 0.0, rtol=0, atol=1e-300)
    np.testing.assert_allclose(Triangular(4, 40).magnetization(K, field=0.1), 1.0, rtol=1e-14)
    # a gap of 12 J: C = n K² 144 e^(−12 K)/n, flips of single spins
    assert Triangular(6, 60).heat_capacity(8.0) == pytest.approx(144 * 64 * np.exp(-96), rel=1e-5)


def test_wannier_by_periodic_strips():
    """Ground states of the antiferromagnet: the entropy of strips of 3, 6, 9 columns tends to 0.32307."""
    entropy = []
    for width in (3, 6, 9):
        strip = InfiniteStrip(Triangular(2, width, couplings=-1.0))
        entropy.append(strip.log_partition(8.0) + 8.0 * strip.energy(8.0))
    away = np.array(entropy) - 0.3230659472
    assert (np.diff(np.abs(away)) < 0).all()
    assert abs(away[2]) < 0.01
    # c = 1: the deviation is π √3/2 /(6 w²) at large widths
    assert away[2] * 81 == pytest.approx(np.pi / 6 * np.sqrt(0.75), rel=0.06)


def test_where_no_configuration_satisfies_all_bonds_large_K_is_refused():
    frustrated = Triangular(6, 7, couplings=-1.0)
    with pytest.raises(
        ValueError, match=r"K=30.0: no configuration satisfies all bonds, so that \|K\| of at"
    ):
        frustrated.energy([1.0, 30.0])
    # few sites are summed over all states, whatever K: 1/3 of the bonds are broken
    assert Triangular(3, 9, couplings=-1.0).energy(np.inf) == -1.0
    assert np.isfinite(Triangular(6, 6).energy(30.0, field=-0.5))
    with pytest.raises(ValueError, match="no configuration"):
        Hypercubic((4, 10)).energy(-30.0, field=0.5)
    odd, even = Hypercubic((4, 11), couplings=-1.0), Hypercubic((4, 10), couplings=-1.0)
    with pytest.raises(ValueError, match="no configuration"):
        odd.energy(np.inf)
    assert even.energy(np.inf) == -2


@pytest.mark.parametrize("squares", [False, True], ids=["steps", "squares"])
def test_up_to_the_largest_coupling_nothing_underflows(squares, monkeypatch):
    if squares:
        monkeypatch.setattr(sums.Transfer, "_seconds_of_squares", lambda *_, **__: -1.0)
    for lattice in (
        Triangular(3, 4, couplings=-1.0),
        Triangular(4, 3, (False, True), couplings=(1.0, -0.7, 1.0)),
        Hypercubic((4, 3), couplings=-1.0),
        Hypercubic((3, 4), periodic=(True, False), couplings=(-1.0, 0.3)),
    ):
        for axis, field in ((0, 0.0), (1, 0.0), (1, 0.2)):
            slices = slices_of(lattice, axis)
            K = np.array([0.999, 0.5, -0.999]) * largest_coupling(slices, field)
            graph = lattice.to_graph(field)
            for by_field in (False, True):
                jet = log_partition_jet(slices, K, field, 2, by_field)
                np.testing.assert_allclose(jet.log_partition, graph.log_partition(K), rtol=1e-13)
                exact = graph.magnetization(K) if by_field else -graph.energy(K)
                slope = jet.slope / 12 if by_field else jet.unit * jet.slope / 12
                np.testing.assert_allclose(slope, exact, rtol=1e-12, atol=1e-13)
                assert (jet.curvature > -1e-10).all()


def test_strong_couplings_and_fields_stay_finite():
    for factor in (1e90, 1e-90):
        lattice, one = Triangular(3, 8, couplings=factor), Triangular(3, 8)
        strip, line = InfiniteStrip(lattice), InfiniteStrip(one)
        for quantity, power in zip(QUANTITIES, (0, 1, 0, 0, 0), strict=True):
            for found, exact in ((lattice, one), (strip, line)):
                value = getattr(found, quantity)(0.2 / factor, field=0.3 * factor)
                wanted = getattr(exact, quantity)(0.2, field=0.3)
                assert value == pytest.approx(wanted * factor**power, rel=1e-12)
        assert strip.correlation_length(0.2 / factor) == pytest.approx(line.correlation_length(0.2), rel=1e-9)
    strong = Hypercubic((4, 10)).heat_capacity([0.0, 0.5, 1e-100], field=1e100)
    assert np.isfinite(strong).all()


def test_limits_are_said():
    with pytest.raises(ValueError, match="a triangular lattice of 13 x 14: a cross-section of at most 12"):
        Triangular(13, 14).log_partition(0.2)
    with pytest.raises(
        ValueError, match="a cross-section of at most 12 sites with bonds to the next is needed, or"
    ):
        Hypercubic((4, 4, 4)).energy(0.2)
    with pytest.raises(ValueError, match="field=inf: a finite number of at most 1e100 is needed"):
        Triangular(3, 3).energy(0.2, field=np.inf)
    with pytest.raises(ValueError, match="axis=0 of a triangular lattice of 13 x 14: a cross-section of at"):
        InfiniteStrip(Triangular(13, 14))
    with pytest.raises(ValueError, match="axis=1 of a triangular lattice of 1000000 x 3"):
        InfiniteStrip(Triangular(10**6, 3), axis=1)
    with pytest.raises(ValueError, match="axis=2: at most 1 is possible"):
        InfiniteStrip(Triangular(3, 3), axis=2)
    with pytest.raises(TypeError, match="lattice=Torus"):
        InfiniteStrip(Torus(4, 4))


def test_orbits_leave_the_transfer_matrix_as_it_is():
    for lattice, n_symmetries in ((Honeycomb(3, 4), 6), (Triangular(2, 4), 4), (Hypercubic((2, 3, 2)), 8)):
        slices = best_slices(lattice)
        orbits = orbits_of(slices, turned=True)
        assert orbits.sizes.sum() == 2**slices.width
        transfer = sums.Transfer(slices, np.array([0.4]), 0.0, 0, by_field=False)
        n = 2**slices.width
        one = np.eye(n).reshape(1, 1, *[2] * slices.width, n)
        T = transfer.step(one).reshape(n, n).T
        for image in orbits.images:
            np.testing.assert_allclose(T[np.ix_(image, image)], T, rtol=1e-14)
        assert len(orbits.images) == n_symmetries


def test_states_are_numbered_from_the_first_site():
    assert bits_of(3)[4].tolist() == [1, 0, 0]


@pytest.mark.parametrize("field", [0.0, 0.3])
@pytest.mark.parametrize(
    "lattice",
    [
        Triangular(4, 2),
        Honeycomb(3, 2),
        Hypercubic((5, 2), periodic=(False, True)),
        Triangular(3, 2, couplings=(1, -1, 0.5)),
    ],
    ids=lambda one: one.label,
)
def test_a_strip_without_end_is_the_limit_of_long_ones(lattice, field):
    n = 10**6
    sides = {"shape": (5, n)} if isinstance(lattice, Hypercubic) else {"n_cols": n}
    long, strip, K = replace(lattice, **sides), InfiniteStrip(lattice, axis=1), [0.0, 0.3, -0.6]
    for quantity in QUANTITIES:
        found, limit = (getattr(one, quantity)(K, field=field) for one in (strip, long))
        limit = limit / long.n_sites if quantity == "log_partition" else limit
        np.testing.assert_allclose(found, limit, rtol=1e-11, atol=1e-13, err_msg=quantity)


def test_correlation_lengths():
    line = InfiniteStrip(Hypercubic((3,)))
    np.testing.assert_allclose(
        line.correlation_length([0.3, -0.7, 2.0]), Ring(3).correlation_length([0.3, -0.7, 2.0]), rtol=1e-12
    )
    h, K = 0.4, 0.6
    a, b = np.exp(K) * np.cosh(K * h), np.sqrt(np.exp(2 * K) * np.sinh(K * h) ** 2 + np.exp(-2 * K))
    assert line.correlation_length(K, field=h) == pytest.approx(1 / np.log((a + b) / (a - b)), rel=1e-12)
    # Onsager: 1/ξ of a strip with an open cross-section of two sites, and of Kaufman's modes of a ring of 6
    K = 0.35
    s, c = np.sinh(2 * K), np.cosh(2 * K)
    modes = [np.arccosh(s + 1 / s - np.cos(np.pi * k / 6)) for k in range(12)]
    even = [np.arccosh(c / np.tanh(2 * K) - 1)]
    assert even[0] == pytest.approx(modes[0])
    gap = (sum(modes[1::2]) - sum(modes[2::2]) - modes[0]) / 2 + modes[0]
    ring_of_six = InfiniteStrip(Hypercubic((6, 2)), axis=1)
    assert ring_of_six.correlation_length(K) == pytest.approx(1 / gap, rel=1e-10)
    assert ring_of_six.correlation_length(0.0) == 0
    assert InfiniteStrip(Hypercubic((4, 2)), axis=1).correlation_length(np.inf) == np.inf
    # conformal invariance: ξ/L → 4/π at K_c, in units of the height √3/2 of a row
    lengths = [
        InfiniteStrip(Triangular(2, width)).correlation_length(np.log(3) / 4) / width for width in (3, 6, 10)
    ]
    away = np.array(lengths) * np.sqrt(0.75) - 4 / np.pi
    assert abs(away[2]) < 0.002
    assert (np.diff(np.abs(away)) < 0).all()
