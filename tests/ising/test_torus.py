"""The torus against sums over all states, published numbers and the infinite lattice."""

import json
from fractions import Fraction
from math import comb
from pathlib import Path

import mpmath
import numpy as np
import pytest

from rbmflow import PrecisionError, Ring, Torus
from rbmflow.ising import DensityOfStates, JointDensityOfStates, kaufman, onsager
from rbmflow.ising.density_of_states import is_prime
from rbmflow.ising.joint_density_of_states import has_joint_counts
from rbmflow.ising.torus_law import COUNTED_WORK, law_from_counts
from rbmflow.ising.torus_weights import law_by_weights, weights_reach
from rbmflow.spins import all_states
from tests.exact import private, relative

REFERENCE = Path(__file__).parents[1] / "reference"
# Beale, Phys. Rev. Lett. 76, 78 (1996); coefficients g_u in the number of unsatisfied bonds, u = 0 … 2n
DENSITIES = json.loads((REFERENCE / "density_of_states.json").read_text(encoding="utf-8"))
T_C = 2 / np.log(1 + np.sqrt(2))
SMALL = [(2, 2), (2, 3), (3, 2), (3, 3), (2, 5), (3, 4), (4, 4), (5, 3)]
COUPLINGS = [
    "-3",
    "-1",
    "-0.4406867935",
    "-0.1",
    "-1e-6",
    "1e-6",
    "0.1",
    "0.44",
    "0.4406867935097715",
    "0.45",
    "1",
    "3",
]
QUANTITIES = ("log_partition", "energy", "heat_capacity")
# A few roundings; the heat capacity at K = 0.75 is a sum over the modes of terms up to ten times the result.
# The law takes exponentials of numbers up to 100.
ROUNDING = {"log_partition": 1e-15, "energy": 1.5e-15, "heat_capacity": 1.5e-14, "susceptibility": 1e-14}


def counted(n_rows, n_cols):
    """Counts by (energy, magnetization) from every configuration."""
    states = all_states(n_rows * n_cols).reshape(-1, n_rows, n_cols).astype(np.int64)
    energy = -(states * np.roll(states, 1, axis=1) + states * np.roll(states, 1, axis=2)).sum(axis=(1, 2))
    pairs, counts = np.unique(np.stack([energy, states.sum(axis=(1, 2))], axis=1), axis=0, return_counts=True)
    return [(int(e), int(v), int(c)) for (e, v), c in zip(pairs, counts, strict=True)]


def summed(ctx, rows, n_sites, K):
    """Thermodynamics from the definitions."""
    weights = [(e, v, c * ctx.exp(-K * e)) for e, v, c in rows]
    Z = ctx.fsum(w for _, _, w in weights)
    mean = ctx.fsum(e * w for e, _, w in weights) / Z
    return {
        "log_partition": ctx.log(Z),
        "energy": mean / n_sites,
        "heat_capacity": K * K * ctx.fsum((e - mean) ** 2 * w for e, _, w in weights) / Z / n_sites,
        "susceptibility": ctx.fsum(v * v * w for _, v, w in weights) / Z / n_sites,
    }


@pytest.mark.parametrize("sides", SMALL, ids=str)
def test_every_quantity_is_the_sum_over_all_states(sides):
    torus, rows, ctx = Torus(*sides), counted(*sides), private(120)
    for text in COUPLINGS:
        wanted = summed(ctx, rows, torus.n_sites, ctx.mpf(text))
        at_float = summed(ctx, rows, torus.n_sites, ctx.mpf(float(text)))
        for quantity, value in wanted.items():
            exact = getattr(torus, quantity)(text, dps=40)
            assert relative(ctx, exact, value) < 1e-39, (quantity, text)
            machine = getattr(torus, quantity)(float(text))
            assert relative(ctx, machine, at_float[quantity]) < ROUNDING[quantity], (quantity, text)


@pytest.mark.parametrize("sides", SMALL, ids=str)
@pytest.mark.parametrize("K", ["-2", "-0.3", "0.3", "0.5", "2"])
def test_the_four_products_with_their_signs_at_either_sign_of_k(sides, K):
    torus, ctx = Torus(*sides), private(100)
    log_z, slope, curvature = kaufman.exact_jet(ctx, ctx.mpf(K), *sorted(sides))
    wanted = summed(ctx, counted(*sides), torus.n_sites, ctx.mpf(K))
    assert relative(ctx, log_z, wanted["log_partition"]) < 1e-60
    assert relative(ctx, -slope / torus.n_sites, wanted["energy"]) < 1e-60
    assert relative(ctx, curvature * ctx.mpf(K) ** 2 / torus.n_sites, wanted["heat_capacity"]) < 1e-60


@pytest.mark.parametrize("sides", SMALL, ids=str)
def test_joint_counts_are_those_of_all_states(sides):
    torus, rows = Torus(*sides), counted(*sides)
    assert list(torus.joint_density_of_states().rows()) == rows
    energies = {}
    for e, _, c in rows:
        energies[e] = energies.get(e, 0) + c
    assert dict(torus.density_of_states().rows()) == energies


@pytest.mark.parametrize("sides", [*SMALL, (4, 5), (5, 5), (4, 8), (6, 6), (8, 8), (3, 25), (2, 40)], ids=str)
def test_marginals_of_the_joint_counts(sides):
    torus = Torus(*sides)
    joint, density, n = torus.joint_density_of_states(), torus.density_of_states(), torus.n_sites
    energies, magnetizations = {}, {}
    for e, v, c in joint.rows():
        energies[e] = energies.get(e, 0) + c
        magnetizations[v] = magnetizations.get(v, 0) + c
    assert energies == dict(density.rows())
    assert magnetizations == {v: comb(n, (n + v) // 2) for v in range(-n, n + 1, 2)}
    assert joint.total == density.total == 2**n
    assert joint.moment(magnetization_power=2) == n * 2**n
    assert all(isinstance(count, int) for count in joint.count)


@pytest.mark.slow
@pytest.mark.parametrize("sides", [(7, 13), (2, 173), (10, 10)], ids=str)
def test_marginals_at_the_limits_of_the_joint_counts(sides):
    test_marginals_of_the_joint_counts(sides)


@pytest.mark.parametrize(
    "sides",
    [(2, 2), (3, 2), (3, 4), (2, 9), (5, 6), (6, 6), (7, 8), pytest.param((10, 10), marks=pytest.mark.slow)],
)
def test_the_law_by_counts_and_by_weights(sides):
    couplings = np.array([0.0, 0.1, 0.44, 1.0, 5.0, np.inf, -0.3, -0.44, -3.0, -np.inf])
    reached = weights_reach(*sides, couplings)
    assert reached.tolist() == [K >= 0 or sides[0] % 2 == sides[1] % 2 == 0 for K in couplings]
    counted = law_from_counts(Torus(*sides).joint_density_of_states(), couplings[reached], None)
    weighed = law_by_weights(*sides, couplings[reached])
    # a few roundings for each spin, and those of exponentials of arguments up to 300 above
    np.testing.assert_allclose(weighed, counted.probabilities, rtol=2e-14 + 2e-15 * sum(sides), atol=1e-289)


def test_laws_of_tori_that_are_not_counted():
    torus, K = Torus(9, 10), np.array([[0.0, 0.2], [0.44, 1.0]])
    assert not has_joint_counts(9, 10, COUNTED_WORK)
    law = torus.magnetization_law(K)
    assert law.probabilities.shape == (2, 2, 91)
    np.testing.assert_allclose(law.probabilities.sum(axis=-1), 1, rtol=1e-14)
    np.testing.assert_allclose(law.probabilities, law.probabilities[..., ::-1], rtol=0)
    np.testing.assert_allclose(
        law.probabilities[0, 0], [comb(90, up) / 2**90 for up in range(91)], rtol=1e-13
    )
    # aligned states: e^(180 K)/Z each, and one spin turned costs four bonds
    aligned = np.exp(180 * K - torus.log_partition(K))
    np.testing.assert_allclose(law.probabilities[..., 0], aligned, rtol=1e-12)
    np.testing.assert_allclose(law.probabilities[..., 1], 90 * np.exp(-8 * K) * aligned, rtol=1e-12)
    # its length and its width may change places
    np.testing.assert_array_equal(Torus(10, 9).magnetization_law(K).probabilities, law.probabilities)
    np.testing.assert_allclose(torus.susceptibility(K), law.moment(2) / 90, rtol=0)


def test_the_law_of_a_long_torus_in_a_field():
    # ⟨e^(bV)⟩ by the transfer matrix of the four states of a row
    length, K, field = 700, 0.4, np.linspace(-0.02, 0.02, 3)
    law = Torus(2, length).magnetization_law(K)
    spins = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    for b in field:
        own = 2 * K * spins[:, 0] * spins[:, 1] + b * spins.sum(axis=1)
        transfer = np.exp(K * (spins @ spins.T) + (own[:, None] + own) / 2)
        values = np.linalg.eigvalsh(transfer)
        log_z = length * np.log(values.max()) + np.log(((values / values.max()) ** length).sum())
        logs = np.log(law.probabilities.clip(1e-300)) + b * law.values
        found = np.log(np.exp(logs - logs.max()).sum()) + logs.max() + Torus(2, length).log_partition(K)
        np.testing.assert_allclose(found, log_z, rtol=1e-13)


def test_the_joint_counts_of_a_transposed_torus_are_the_same():
    one, other = Torus(3, 5).joint_density_of_states(), Torus(5, 3).joint_density_of_states()
    assert (one.n_rows, one.n_cols, other.n_rows, other.n_cols) == (3, 5, 5, 3)
    assert list(one.rows()) == list(other.rows())


@pytest.mark.parametrize("side", sorted(DENSITIES, key=int))
def test_published_densities_of_states(side):
    n = int(side) ** 2
    density = Torus(int(side), int(side)).density_of_states()
    wanted = {2 * u - 2 * n: int(g) for u, g in enumerate(DENSITIES[side]) if int(g)}
    assert dict(density.rows()) == wanted
    assert all(isinstance(count, int) for count in density.count)


@pytest.mark.parametrize(("side", "count"), [(4, 20524), (6, 13172279424), (8, 2627978003957146636)])
def test_states_of_zero_energy(side, count):
    # OEIS A364781
    assert dict(Torus(side, side).density_of_states().rows())[0] == count


@pytest.mark.parametrize(
    "sides", [(2, 16), (7, 16), (15, 15), (16, 12), (5, 50), (3, 701), (40, 34)], ids=str
)
def test_moments_and_symmetry_of_densities(sides):
    torus = Torus(*sides)
    density, n = torus.density_of_states(), torus.n_sites
    assert density.total == 2**n
    assert density.count[0] == 2
    assert density.energy[0] == -2 * n
    assert density.moment(1) == 0
    # each pair of neighbours contributes the square of its number of bonds: 4 for n/2 pairs where a side is 2
    bonds = sum(2 * n if side == 2 else n for side in sides)
    assert density.moment(2) == bonds * 2**n
    if sides[0] % 2 == sides[1] % 2 == 0:
        counts = dict(density.rows())
        assert all(counts[-energy] == count for energy, count in counts.items())


@pytest.mark.parametrize("sides", [(2, 7), (8, 8), (9, 6), (16, 16), (11, 13)], ids=str)
@pytest.mark.parametrize("K", ["-2.5", "-0.44", "-0.01", "0.01", "0.4", "0.441", "0.9", "10"])
def test_the_products_and_the_density_of_states_agree(sides, K):
    ctx = private(250)
    torus = Torus(*sides)
    rows = [(e, 0, c) for e, c in torus.density_of_states().rows()]
    wanted = summed(ctx, rows, torus.n_sites, ctx.mpf(K))
    jet = kaufman.exact_jet(ctx, ctx.mpf(K), *sorted(sides))
    assert relative(ctx, jet[0], wanted["log_partition"]) < 1e-60
    for quantity in QUANTITIES:
        assert relative(ctx, getattr(torus, quantity)(K, dps=40), wanted[quantity]) < 1e-39, quantity


@pytest.mark.parametrize(
    "sides",
    [(4, 4), (8, 8), (5, 32), (3, 200), (64, 64), pytest.param((128, 128), marks=pytest.mark.slow)],
    ids=str,
)
def test_float64_against_forty_digits(sides):
    torus = Torus(*sides)
    temperatures = np.array(
        [0.5, 0.7, 0.99, 1.01, 1.33, 1.34, 1.5, 2.0, 2.2, 2.269, T_C, 2.27, 2.4, 3.0, 5.0, 10.0]
    )
    for quantity in QUANTITIES:
        machine = getattr(torus, quantity)(1 / temperatures)
        exact = getattr(torus, quantity)(1 / temperatures, dps=40)
        np.testing.assert_allclose(
            machine, exact.astype(float), rtol=ROUNDING[quantity], atol=0, err_msg=quantity
        )


@pytest.mark.parametrize("sides", [(3, 3), (4, 6), (20, 16)], ids=str)
def test_weak_coupling_keeps_relative_precision(sides):
    torus = Torus(*sides)
    for K in (1e-12, 1e-7, 1e-3, 0.03):
        for quantity in ("energy", "heat_capacity"):
            wanted = float(getattr(torus, quantity)(K, dps=30))
            np.testing.assert_allclose(getattr(torus, quantity)(K), wanted, rtol=1e-14, atol=0)


@pytest.mark.parametrize("sides", [(3, 4), (5, 5), (8, 8)], ids=str)
@pytest.mark.parametrize("K", ["-0.7", "0.2", "0.4406867935", "0.8"])
def test_energy_and_heat_capacity_are_derivatives(sides, K):
    torus, ctx = Torus(*sides), private(60)
    step, k = ctx.mpf(10) ** -12, ctx.mpf(K)
    f = [ctx.convert(torus.log_partition(k + i * step, dps=58)) for i in (-2, -1, 0, 1, 2)]
    # five-point formulae, with errors of the order of step⁴ times a derivative of order n · 10³
    slope = (f[0] - 8 * f[1] + 8 * f[3] - f[4]) / (12 * step)
    curvature = (-f[0] + 16 * f[1] - 30 * f[2] + 16 * f[3] - f[4]) / (12 * step**2)
    assert relative(ctx, torus.energy(k, dps=40), -slope / torus.n_sites) < 1e-35
    assert relative(ctx, torus.heat_capacity(k, dps=40), k * k * curvature / torus.n_sites) < 1e-25


# Kaufman's formula, evaluated independently at high precision
ENERGIES = [
    (2, 4, -1.755380288777435),
    (2, 8, -1.745683170293200),
    (2, 16, -1.745530668990919),
    (T_C, 4, -1.565623787638319),
    (T_C, 8, -1.491589107439707),
    (T_C, 16, -1.453064852813477),
    (T_C, 32, -1.433658466146248),
    (T_C, 64, -1.423938389833011),
    (T_C, 128, -1.419076272084985),
    (3, 4, -1.017069626955096),
    (3, 8, -0.841315427851915),
    (3, 16, -0.817689367869555),
]


@pytest.mark.parametrize(("temperature", "side", "energy"), ENERGIES)
def test_reference_energies(temperature, side, energy):
    # 5e-16 of the last digit printed; at T_c the rounding of K moves u by C/K² · 1e-16
    np.testing.assert_allclose(Torus(side, side).energy(1 / temperature), energy, rtol=2e-15, atol=0)


def test_reference_moments_of_the_magnetization():
    law = Torus(4, 4).magnetization_law(1 / T_C)
    m = np.abs(law.values) / 16
    second = law.moment(2) / 16**2
    np.testing.assert_allclose(law.probabilities @ m, 0.843860444813, rtol=1e-12, atol=0)
    np.testing.assert_allclose(second, 0.761358908569, rtol=1e-12, atol=0)
    np.testing.assert_allclose(
        1 - law.moment(4) / 16**4 / (3 * second**2), 0.617199318412, rtol=1e-12, atol=0
    )


@pytest.mark.parametrize("sides", [(1024, 1024), (1023, 700)], ids=str)
@pytest.mark.parametrize("K", [0.05, 0.3, 0.4, 0.5, 0.9])
def test_large_tori_are_the_infinite_lattice_away_from_criticality(sides, K):
    # finite-size terms are of the order of e^(−2·700·0.15) at K = 0.4, and ln Z has ln 2 more below T_c
    torus = Torus(*sides)
    twofold = np.log(2) if onsager.critical_coupling() < K else 0
    log_z = (torus.log_partition(K) - twofold) / torus.n_sites
    np.testing.assert_allclose(log_z, onsager.log_partition(K), rtol=3e-15, atol=0)
    np.testing.assert_allclose(torus.energy(K), onsager.energy(K), rtol=3e-15, atol=0)
    np.testing.assert_allclose(torus.heat_capacity(K), onsager.heat_capacity(K), rtol=3e-14, atol=0)


def test_the_peak_of_the_heat_capacity_grows_with_the_logarithm_of_the_side():
    # C(L, T_c) = A ln L + B + O(1/L), A = (2/π) ln²(1 + √2) (Ferdinand and Fisher, 1969)
    C = [Torus(L, L).heat_capacity(onsager.critical_coupling()) for L in (256, 512, 1024)]
    amplitude = 2 / np.pi * np.log(1 + np.sqrt(2)) ** 2
    np.testing.assert_allclose(np.diff(C) / np.log(2), amplitude, rtol=2e-3, atol=0)


def test_two_even_sides_do_not_see_the_sign_of_k():
    torus, K = Torus(6, 4), np.array([0.1, 0.44, 0.9, 30.0, 500.0, np.inf])
    np.testing.assert_array_equal(torus.log_partition(-K), torus.log_partition(K))
    np.testing.assert_array_equal(torus.energy(-K), -torus.energy(K))
    np.testing.assert_array_equal(torus.heat_capacity(-K), torus.heat_capacity(K))


@pytest.mark.parametrize(
    ("sides", "ground"), [((4, 4), 2), ((3, 3), Fraction(2, 3)), ((3, 4), Fraction(4, 3)), ((31, 33), None)]
)
def test_limits_of_strong_coupling(sides, ground):
    torus = Torus(*sides)
    n = torus.n_sites
    ground = float(ground if ground is not None else Fraction(2 * n - 2 * sum(sides), n))
    np.testing.assert_array_equal(torus.energy([np.inf, -np.inf]), [-2, ground])
    np.testing.assert_array_equal(torus.log_partition([np.inf, -np.inf]), [np.inf, np.inf])
    np.testing.assert_array_equal(torus.heat_capacity([np.inf, -np.inf]), [0, 0])
    np.testing.assert_allclose(torus.energy([1e6, -1e6]), [-2, ground], rtol=1e-15, atol=0)
    np.testing.assert_allclose(torus.log_partition(1e6), 2e6 * n + np.log(2), rtol=1e-15, atol=0)
    np.testing.assert_allclose(torus.log_partition(-1e6) / n, 1e6 * ground, rtol=1e-5, atol=0)
    assert float(torus.energy("-inf", dps=20)) == pytest.approx(ground, rel=1e-15, abs=0)
    assert torus.log_partition("inf", dps=20) == mpmath.inf
    assert torus.heat_capacity("-inf", dps=20) == 0


@pytest.mark.parametrize("sides", [(3, 3), (3, 4), (17, 17)], ids=str)
def test_frustrated_tori_are_continuous_where_the_route_changes(sides):
    torus = Torus(*sides)
    below, above = np.nextafter(-60.0, -np.inf), -60.0
    ground = torus.energy(-np.inf)
    np.testing.assert_allclose(torus.energy(below), torus.energy(above), rtol=1e-15, atol=0)
    np.testing.assert_allclose(torus.log_partition(below), torus.log_partition(above), rtol=1e-15, atol=0)
    difference = torus.log_partition(-70.0) - torus.log_partition(-60.0)
    np.testing.assert_allclose(difference, -10 * -ground * torus.n_sites, rtol=1e-12, atol=0)
    assert torus.heat_capacity(-100.0) > 0


def test_zero_coupling_is_exact():
    assert not np.signbit(Torus(4, 5).energy([0.0, -0.0])).any()
    torus = Torus(5, 7)
    assert torus.log_partition(0) == 35 * np.log(2)
    assert (
        torus.energy(0)
        == torus.heat_capacity(0)
        == torus.energy(0, dps=30)
        == torus.heat_capacity(0, dps=30)
        == 0
    )
    assert torus.susceptibility(0) == pytest.approx(1, rel=1e-15, abs=0)


def test_side_two_has_doubled_bonds():
    # a 2 × 2 torus is a ring of four spins with every bond doubled
    torus, ring = Torus(2, 2), Ring(4)
    for K in (-1.0, 0.2, 0.6):
        np.testing.assert_allclose(torus.log_partition(K), ring.log_partition(2 * K), rtol=1e-15, atol=0)
        law, wanted = torus.magnetization_law(K), ring.magnetization_law(2 * K)
        np.testing.assert_allclose(law.probabilities, wanted.probabilities, rtol=2e-15, atol=0)


@pytest.mark.parametrize("sides", [(3, 4), (4, 4), (5, 5)], ids=str)
def test_the_law_to_digits_and_in_float64(sides):
    torus = Torus(*sides)
    K = np.array([[-4.0, -0.4, 0.0], [0.1, 0.44, 3.0]])
    machine, exact = torus.magnetization_law(K), torus.magnetization_law(K, dps=30)
    assert machine.probabilities.shape == exact.probabilities.shape == (2, 3, torus.n_sites + 1)
    # exp of an argument up to 200, with its rounding
    np.testing.assert_allclose(
        machine.probabilities, exact.probabilities.astype(float), rtol=1e-13, atol=1e-300
    )
    np.testing.assert_allclose(machine.probabilities.sum(axis=-1), 1, rtol=1e-15, atol=0)
    np.testing.assert_allclose(
        torus.susceptibility(K), torus.susceptibility(K, dps=30).astype(float), rtol=1e-14, atol=0
    )


def test_the_law_at_zero_temperature():
    aligned = Torus(4, 4).magnetization_law([np.inf, 1e308, 1e4]).probabilities
    np.testing.assert_array_equal(aligned, np.tile(np.eye(17)[0] / 2 + np.eye(17)[16] / 2, (3, 1)))
    staggered = Torus(4, 4).magnetization_law([-np.inf, -1e308]).probabilities
    np.testing.assert_array_equal(staggered, np.tile(np.eye(17)[8], (2, 1)))
    exact = Torus(4, 4).magnetization_law("inf", dps=20).probabilities
    assert exact[0] == exact[16] == 0.5


@pytest.mark.parametrize("sides", [(2, 3), (4, 4), (5, 7), (6, 40), (64, 64)], ids=str)
@pytest.mark.parametrize("quantity", QUANTITIES)
def test_a_coupling_has_the_same_bits_alone_and_among_others(sides, quantity, monkeypatch):
    evaluate = getattr(Torus(*sides), quantity)
    drawn = np.random.default_rng(1).uniform(0.01, 0.75, size=300)
    K = np.concatenate([drawn, [0.0, 1e-101, -1e-300, 0.44068679350977147, 0.4406867935097715, 101.0, -0.3]])
    together = evaluate(K)
    for index in [*range(12), *range(300, len(K))]:
        assert evaluate(K[index]) == together[index], K[index]
    monkeypatch.setattr(kaufman, "NUMBERS_AT_ONCE", 100)
    np.testing.assert_array_equal(evaluate(K), together)


def test_shapes_follow_k():
    torus = Torus(4, 6)
    for quantity in (*QUANTITIES, "susceptibility"):
        method = getattr(torus, quantity)
        assert np.ndim(method(0.3)) == 0
        assert method(np.full((2, 3), 0.3)).shape == (2, 3)
        assert method(np.zeros((0, 3))).shape == (0, 3)
        assert method([["0.1", Fraction(1, 3)]], dps=20).shape == (1, 2)
    assert torus.magnetization_law(np.zeros((0, 3))).probabilities.shape == (0, 3, 25)


def test_tables_are_made_once():
    assert Torus(6, 6).density_of_states() is Torus(6, 6).density_of_states()
    assert isinstance(Torus(3, 3).density_of_states(), DensityOfStates)
    assert isinstance(Torus(3, 3).joint_density_of_states(), JointDensityOfStates)


@pytest.mark.parametrize(
    ("side", "error"),
    [
        (1, ValueError),
        (0, ValueError),
        (10**7, ValueError),
        (4.0, TypeError),
        (True, TypeError),
        ("4", TypeError),
        (None, TypeError),
    ],
)
def test_bad_sides(side, error):
    with pytest.raises(error, match="n_rows="):
        Torus(side, 4)
    with pytest.raises(error, match="n_cols="):
        Torus(4, side)


@pytest.mark.parametrize("quantity", [*QUANTITIES, "susceptibility", "magnetization_law"])
def test_bad_couplings(quantity):
    method = getattr(Torus(3, 3), quantity)
    for bad, error in [
        (np.nan, ValueError),
        ("0.1", TypeError),
        (None, TypeError),
        (1j, TypeError),
        (True, TypeError),
    ]:
        with pytest.raises(error, match="K="):
            method(bad)
    with pytest.raises(ValueError, match="K="):
        method("nan", dps=20)
    with pytest.raises(ValueError, match="dps=0"):
        method(0.1, dps=0)
    with pytest.raises(TypeError, match="dps"):
        method(0.1, dps=2.5)


def test_too_large_tables_name_the_limit():
    with pytest.raises(ValueError, match="at most 4096 sites"):
        Torus(65, 64).density_of_states()
    for sides in ((11, 11), (64, 64)):
        with pytest.raises(ValueError, match="at most 10"):
            Torus(*sides).joint_density_of_states()
    for method in (
        Torus(10, 13).joint_density_of_states,
        lambda: Torus(3, 300).magnetization_law(0.1, dps=20),
        lambda: Torus(40, 9).magnetization_law([0.1, -0.1]),
        lambda: Torus(8, 2000).susceptibility(0.1),
    ):
        with pytest.raises(
            ValueError, match=r"joint counts would take .* 4e\+10 are allowed|at most 1000 are"
        ):
            method()
    with pytest.raises(ValueError, match="at most 12 for the law"):
        Torus(13, 13).magnetization_law(0.4)


def test_cancellation_beyond_reach_is_refused():
    with pytest.raises(PrecisionError, match="cancel to"):
        Torus(33, 33).energy("-1e4", dps=20)


@pytest.mark.parametrize("shape", [(4, 4), (5, 4), (2, 2), (2, 3)])
@pytest.mark.parametrize("K", [1e-99, 1e-101, 1e-160, -1e-300, 5e-324])
def test_the_weakest_couplings(shape, K):
    # the first order is exact here: corrections are of relative order K
    bonds = sum(1 + (side == 2) for side in shape)
    torus = Torus(*shape)
    assert torus.energy(K) == pytest.approx(-bonds * K, rel=5e-15, abs=0)
    assert torus.heat_capacity(K) == pytest.approx(bonds * K * K, rel=1e-14, abs=0)
    assert torus.log_partition(K) == pytest.approx(shape[0] * shape[1] * np.log(2), rel=1e-15, abs=0)


def test_primes():
    sieve = np.ones(20_000, dtype=bool)
    sieve[:2] = False
    for n in range(2, 142):
        sieve[n * n :: n] &= ~sieve[n]
    assert [n for n in range(20_000) if is_prime(n)] == np.flatnonzero(sieve).tolist()
    # the least numbers that pass for prime to the first 1, 2, ... primes as bases (OEIS A014233)
    fooling = (
        2047, 1373653, 25326001, 3215031751, 2152302898747, 3474749660383, 341550071728321,
        3825123056546413051, 318665857834031151167461,
    )  # fmt: skip
    assert not any(map(is_prime, fooling))
    assert all(map(is_prime, (2**31 - 1, 2**61 - 1, 2**58 - 27)))
