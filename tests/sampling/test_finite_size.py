"""Crossings, peaks, exponents, extrapolation, collapse: exact on small tori, known on large ones."""

import math
import sys
from itertools import pairwise

import numpy as np
import pytest

from rbmflow import Graph, Torus
from rbmflow.ising import onsager
from rbmflow.roots import bracketed_root
from rbmflow.sampling import Quantity, finite_size, reweight, run
from rbmflow.sampling.finite_size.collapse import _residuals, _scaled, _search
from rbmflow.sampling.finite_size.jackknifed import of_replicates

K_C = onsager.critical_coupling()
RANGE = tuple(enumerate((0.25, 0.35, 0.45)))
BIG = {"n_chains": 512, "n_sweeps": 2000, "burn_in": 200, "thin": 5, "keep_spins": False}


def cumulant(side, K):
    law = Torus(side, side).magnetization_law(K)
    return 1 - law.moment(4) / (3 * law.moment(2) ** 2)


@pytest.fixture(scope="module")
def sizes():
    """L = 4 and 6, each at two couplings."""
    return [
        reweight([run(Torus(L, L), K, rng=L + k, **BIG) for k, K in enumerate((0.41, 0.47))]) for L in (4, 6)
    ]


class TestExactLaws:
    # each within 4 standard errors: a false alarm in 16,000 for each of the 10 numbers
    def test_a_crossing(self, sizes):
        exact = bracketed_root(lambda K: cumulant(4, K) - cumulant(6, K), 0.42, 0.49)
        for pair in (sizes, sizes[::-1]):
            found = finite_size.crossing(*pair)
            assert found.lengths == (4.0, 6.0)
            assert abs(found.K.estimate.deviation(exact)) < 4
            assert abs(found.value.estimate.deviation(cumulant(4, exact))) < 4
            assert found.K.stderr < 0.01

    def test_of_several_crossings_the_best_known(self, monkeypatch):
        monkeypatch.setattr(sys.modules["rbmflow.sampling.reweighting"], "SHARE", 0.1)  # to see far
        # cumulants of tori of 3 and 4 rows differ little at K = 0, far from the runs: these see a crossing
        # there, steeper than the true one but within their errors
        exact = bracketed_root(lambda K: cumulant(3, K) - cumulant(4, K), 0.42, 0.49)
        long = {"n_chains": 64, "n_sweeps": 300, "burn_in": 100, "keep_spins": False}
        pair = [
            reweight([run(Torus(L, L), K, rng=3400 + 10 * L + k, **long) for k, K in RANGE]) for L in (3, 4)
        ]
        small, large = (one.curve("binder_cumulant", [-0.03, 0.03]).mean for one in pair)
        assert (large - small)[0] > 0 > (large - small)[1]
        assert abs(finite_size.crossing(*pair).K.estimate.deviation(exact)) < 4

    def test_a_level(self, sizes):
        exact = bracketed_root(lambda K: cumulant(4, K) - 0.6, 0.3, 0.6)
        assert abs(finite_size.level(sizes[0], "binder_cumulant", 0.6).estimate.deviation(exact)) < 4

    def test_a_peak(self):
        from scipy.optimize import minimize_scalar

        torus = Torus(8, 8)
        chains = [run(torus, K, rng=k, **BIG) for k, K in enumerate((0.40, 0.45))]
        found = finite_size.peak(reweight(chains), "heat_capacity")
        exact = minimize_scalar(lambda K: -torus.heat_capacity(K), bounds=(0.35, 0.5), method="bounded")
        assert abs(found.K.estimate.deviation(exact.x)) < 4
        assert abs(found.value.estimate.deviation(-exact.fun)) < 4
        assert found.length == 8

    def test_an_exponent(self, sizes):
        K = 0.44
        found = finite_size.exponent(sizes, "susceptibility", K)
        exact = math.log(Torus(6, 6).susceptibility(K) / Torus(4, 4).susceptibility(K)) / math.log(1.5)
        assert abs(found.value.estimate.deviation(exact)) < 4
        assert found.n_free == 0

    def test_an_exponent_at_a_coupling_for_each_size(self, sizes):
        couplings = [finite_size.level(one, "binder_cumulant", 0.6) for one in sizes]
        exact = [bracketed_root(lambda K, L=L: cumulant(L, K) - 0.6, 0.3, 0.6) for L in (4, 6)]
        chi = [Torus(L, L).susceptibility(K) for L, K in zip((4, 6), exact, strict=True)]
        here = finite_size.exponent(sizes, "susceptibility", couplings)
        turned = finite_size.exponent(sizes[::-1], "susceptibility", couplings[::-1])
        assert abs(here.value.estimate.deviation(math.log(chi[1] / chi[0]) / math.log(1.5))) < 4
        assert turned.value.mean == here.value.mean


class TestExtrapolation:
    def test_of_what_is_known(self):
        rng = np.random.default_rng(1)
        scatter = 1e-4 * rng.normal(size=(6, 41))
        scatter[:, 0] = 0.0
        L = np.array([4.0, 6, 8, 12, 16, 32])
        numbers = [
            of_replicates(1.5 - 2 * x**-1.0 + 5 * x**-2.5 + s) for x, s in zip(L, scatter, strict=True)
        ]
        found = finite_size.extrapolate(L, numbers, [1.0, 2.5])
        assert abs(found.limit.replicates[0] - 1.5) < 1e-12
        assert abs(found.coefficients[1].replicates[0] - 5) < 1e-10
        assert found.n_free == 3
        assert abs(found.at(1.0) - 4.5) < 0.2
        assert found.at(math.inf) == found.limit.mean

    def test_the_error_is_that_of_least_squares(self):
        """Of replicates that scatter as independent numbers do; the jackknife of 400 knows it to 4 %."""
        rng = np.random.default_rng(2)
        L, error = np.array([4.0, 8, 16, 32]), np.array([1.0, 2, 4, 8])
        numbers = [of_replicates(np.append(0, rng.normal(size=400)) * e / 400 * 20) for e in error]
        found = finite_size.extrapolate(L, numbers, [1.0])
        terms = np.column_stack([np.ones(4), 1 / L]) / error[:, np.newaxis]
        expected = math.sqrt(np.linalg.inv(terms.T @ terms)[0, 0]) * numbers[0].stderr
        np.testing.assert_allclose(found.limit.stderr, expected, rtol=0.2)

    def test_bad_input(self):
        numbers = [of_replicates(np.arange(5.0) + k) for k in range(3)]
        for lengths, given, powers, error in (
            ([1, 2], numbers, [1.0], "3 positive"),
            ([1, 2, 3], numbers, [-1.0], "positive"),
            ([1, 2, 3], numbers, [1.0, 2.0, 3.0], "at least 4"),
            ([1, 2, 0], numbers, [1.0], "positive"),
            ([1, 2, 3], [*numbers[:2], of_replicates(np.arange(4.0))], [1.0], "blocks"),
            ([1, 2, 3], [*numbers[:2], of_replicates(np.ones(5))], [1.0], "errors"),
        ):
            with pytest.raises(ValueError, match=error):
                finite_size.extrapolate(lengths, given, powers)
        for given in ([1.0, 2.0], 1.0, None):
            with pytest.raises(TypeError, match=r"numbers=.*Jackknifed"):
                finite_size.extrapolate([1, 2], given, [1.0])
        with pytest.raises(ValueError, match=r"powers=1.0: a list"):
            finite_size.extrapolate([1, 2, 3], numbers, 1.0)

    def test_powers_of_an_exponent_are_a_list(self, sizes):
        with pytest.raises(ValueError, match=r"powers=1.0: a list"):
            finite_size.exponent(sizes, "susceptibility", 0.44, powers=1.0)


def test_lengths_of_crossings_have_no_overflow():
    anything = of_replicates(np.zeros(5))
    pair = finite_size.Crossing("binder_cumulant", (8.0, 24.0), anything, anything)
    for inverse_nu, omega in ((1.0, 1.0), (1.587, 0.83)):
        expected = 8 * ((1 - 3**-omega) / (3**inverse_nu - 1)) ** (-1 / (omega + inverse_nu))
        np.testing.assert_allclose(pair.effective_length(inverse_nu, omega), expected, rtol=1e-13)
    np.testing.assert_allclose(pair.effective_length(2**31 - 1, 1.0), 24, rtol=1e-8)
    np.testing.assert_allclose(pair.effective_length(1.0, 1e300), 8, rtol=1e-12)


class TestCollapse:
    @staticmethod
    def curves(power):
        L = np.array([8.0, 16, 32])
        K = np.array([np.linspace(-0.3, 0.3, 12) / side + 0.3 for side in L])
        values = L[:, np.newaxis] ** power / (1 + np.exp(-2 * (K - 0.302) * L[:, np.newaxis] ** 1.2))
        return K, values, 0.01 * values, L

    @pytest.mark.parametrize("power", [0.0, 1.4])
    def test_curves_that_scale(self, power):
        """To what a polynomial of degree 4 leaves of the curve, from near and far."""
        unit = np.array([0.01, 0.1, 0.1][: 2 + bool(power)])
        for K_c in (0.296, 0.3, 0.304):
            for inverse_nu in (0.8, 1.0, 1.4):
                start = np.array([K_c, inverse_nu, 1.0][: len(unit)])
                found = _search(*self.curves(power), start, unit, 4)
                np.testing.assert_allclose(found[:2], [0.302, 1.2], rtol=2e-3)
                np.testing.assert_allclose(found[2:], [power][: len(found) - 2], rtol=2e-3)

    def test_residuals_are_those_of_the_nearest_polynomial(self):
        """By powers of x and normal equations."""
        K, values, errors, L = self.curves(0.7)
        errors = errors * (1 + np.arange(errors.size).reshape(errors.shape) % 5)
        x, y, dy = (one.ravel() for one in _scaled(K, values, errors, L, np.array([0.301, 0.9, 0.6])))
        powers = (x[:, np.newaxis] / abs(x).max()) ** np.arange(4) / dy[:, np.newaxis]
        coefficients = np.linalg.solve(powers.T @ powers, powers.T @ (y / dy))
        np.testing.assert_allclose(_residuals(x, y, dy, 3), y / dy - powers @ coefficients, rtol=0, atol=1e-6)

    @pytest.mark.parametrize(("name", "power"), [("binder_cumulant", None), ("susceptibility", 1.7)])
    def test_of_runs(self, sizes, name, power):
        """The parameters are those for which the exact curves fall together, within 4 standard errors."""
        found = finite_size.collapse(sizes, name, K_c=0.44, inverse_nu=1.0, power=power, width=0.3)
        L = np.array(found.lengths)
        K = np.array([np.linspace(0.44 - 0.3 / side, 0.44 + 0.3 / side, 16) for side in L])
        if power is None:
            exact = np.array(
                [[cumulant(int(side), one) for one in row] for side, row in zip(L, K, strict=True)]
            )
        else:
            exact = np.array(
                [Torus(int(side), int(side)).susceptibility(row) for side, row in zip(L, K, strict=True)]
            )
        errors = found.stderr * L[:, np.newaxis] ** found.power.mean
        start = np.array([0.44, 1.0, 1.7][: 2 + (power is not None)])
        expected = _search(K, exact, errors, L, start, np.array([0.05, 0.1, 0.1])[: len(start)], 5)
        numbers = (found.K_c, found.inverse_nu, found.power)
        for number, value in zip(numbers, expected, strict=False):
            assert abs(number.estimate.deviation(value)) < 4
        assert found.x.shape == found.y.shape == found.stderr.shape == (2, 16)
        assert power is not None or found.power.mean == 0

    def test_where_it_begins_and_the_degree_matter_little(self, sizes):
        """By distances from lines through neighbours searches ended in kinks, some with an error of 0."""
        ways = [
            {"K_c": 0.44 + apart, "degree": degree} for apart in (-0.003, 0, 0.003) for degree in (3, 4, 5)
        ]
        found = [finite_size.collapse(sizes, inverse_nu=1.0, width=0.3, **one) for one in ways]
        for one in found:
            for name in ("K_c", "inverse_nu"):
                number, other = getattr(one, name), getattr(found[1], name)
                assert 0.8 < number.stderr / other.stderr < 1.25
                assert abs(number.mean - other.mean) < 0.5 * other.stderr


class TestInput:
    def test_what_does_not_cross(self, sizes):
        with pytest.raises(ValueError, match="does not cross"):
            finite_size.crossing(*sizes, "absolute_magnetization", between=(0.4, 0.5))
        with pytest.raises(ValueError, match="of size 4 is not"):
            finite_size.level(sizes[0], "binder_cumulant", 0.9)
        with pytest.raises(ValueError, match="an end of the range"):
            finite_size.peak(sizes[0], "susceptibility", between=(0.4, 0.5))

    def test_ranges(self, sizes):
        for between in ((0.5, 0.4), (-6.0, -5.0)):
            with pytest.raises(ValueError, match="no coupling that all runs reach"):
                finite_size.crossing(*sizes, between=between)
        with pytest.raises(TypeError, match="two couplings"):
            finite_size.crossing(*sizes, between=3)
        with pytest.raises(ValueError, match="not -3"):
            finite_size.collapse(sizes, K_c=-3.0, inverse_nu=1.0)
        with pytest.raises(ValueError, match="positive"):
            finite_size.collapse(sizes, K_c=0.44, inverse_nu=-1.0)
        with pytest.raises(ValueError, match="degree=3"):
            finite_size.collapse(sizes, K_c=0.44, inverse_nu=1.0, width=0.3, n_points=8, degree=3)

    def test_sizes(self, sizes):
        other = reweight(run(Torus(4, 4), 0.44, n_chains=64, n_sweeps=100, rng=1), n_blocks=16)
        with pytest.raises(ValueError, match="one number of blocks"):
            finite_size.crossing(sizes[1], other)
        with pytest.raises(ValueError, match="different sizes"):
            finite_size.crossing(sizes[0], sizes[0])
        with pytest.raises(TypeError, match="reweight"):
            finite_size.crossing(sizes[0], 3)
        with pytest.raises(ValueError, match="at least 2"):
            finite_size.exponent(sizes[:1], "susceptibility", 0.44)
        with pytest.raises(ValueError, match="one sign"):
            finite_size.exponent(
                sizes,
                Quantity("n", lambda s: (s["energy"],), lambda lattice, K, e: lattice.n_sites - 20 + e),
                0.44,
            )
        with pytest.raises(ValueError, match="one for each of 2"):
            finite_size.exponent(sizes, "susceptibility", [finite_size.level(sizes[0], "energy", -1.4)])
        with pytest.raises(TypeError, match="dimension"):
            finite_size.linear_size(Graph.from_bonds(3, [(0, 1)], 1.0))


@pytest.mark.slow
def test_the_square_lattice():
    """K_c, 1/ν and γ/ν from L = 8, 16 and 32, within 4 standard errors and a correction to scaling."""
    sizes = [
        reweight(
            [
                run(Torus(L, L), K_C + x / L, rng=L + k, **(BIG | {"rule": "swendsen_wang", "n_chains": 64}))
                for k, x in enumerate((-0.3, 0.3))
            ]
        )
        for L in (8, 16, 32)
    ]
    crossings = [finite_size.crossing(*pair) for pair in pairwise(sizes)]
    K = finite_size.extrapolate([8.0, 16.0], [one.K for one in crossings], [2.75]).limit
    assert abs(K.estimate.deviation(K_C)) < 4
    assert K.stderr < 1e-3
    gamma = finite_size.exponent(sizes[1:], "susceptibility", K).value
    assert abs(gamma.mean - 1.75) < 0.005 + 4 * gamma.stderr
    nu = finite_size.exponent(sizes[1:], "binder_cumulant_slope", K).value
    assert abs(nu.mean - 1) < 0.02 + 4 * nu.stderr
