"""Training sets with several temperatures, against independent references and by several routes."""

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import mpmath
import numpy as np
import pytest
from scipy.integrate import quad

from rbmflow import (
    PrecisionError,
    Ring,
    critical_coupling,
    trained_weight,
    trained_weight_density,
    trained_weight_from_law,
    trained_weight_mixture,
    trained_weight_temperatures,
)
from rbmflow.weight import (
    ISO_SHIBA_YOKOO_TEMPERATURES,
    TemperatureDensity,
    TemperatureRange,
    TemperatureSet,
    low_temperature_law,
    low_temperature_leading_weight,
    low_temperature_weight,
    mixture_law,
    mixture_weight,
)
from tests.exact import private, relative

# source: see the note in the file
REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "mixtures.json").read_text())["weights"]
IDS = [f"M{r['n_visible']}-N{r['n_hidden']}-T{r['T_low']}-{r['T_high']}" for r in REFERENCE]
GRID = ISO_SHIBA_YOKOO_TEMPERATURES


@pytest.mark.parametrize("row", REFERENCE, ids=IDS)
def test_against_the_reference(row):
    sizes = row["n_visible"], row["n_hidden"]
    value = trained_weight_mixture(float(row["T_low"]), float(row["T_high"]), *sizes)
    assert value == pytest.approx(float(row["W"]), rel=1e-14, abs=0)
    exact = trained_weight_mixture(row["T_low"], row["T_high"], *sizes, dps=28)
    assert mpmath.nstr(exact, 28, strip_zeros=False) == row["W"]


@pytest.mark.parametrize(("first", "gain"), [(0, "1.0672221"), (1, "0.99006591"), (4, "0.59824707")])
def test_the_grid_of_the_seven_steps(first, gain):
    # computed independently, to the digits given
    weight = trained_weight_temperatures(GRID[first:], 100, 64)
    decimals = len(gain.split(".")[1])
    assert f"{6400 * weight**2:.{decimals}f}" == gain


def test_the_named_grid():
    assert len(GRID) == 25
    assert (GRID[0], GRID[1], GRID[-1]) == (0, 0.25, 6)


@pytest.mark.parametrize(("M", "N"), [(3, 1), (8, 4), (9, 40), (100, 64)])
@pytest.mark.parametrize(("low", "high"), [(0, 1e-3), (0, 0.3), (0, 50), (0.1, 0.2), (2, 2.5), (3, 1e6)])
def test_float64_against_digits(M, N, low, high):
    found = mixture_weight(TemperatureRange(low, high), M, N)
    if M < 100:
        exact = float(trained_weight_mixture(low, high, M, N, dps=17))
        assert found.weight == pytest.approx(exact, rel=1e-13, abs=0)
        assert abs(found.weight - exact) <= found.error
    assert 0 < found.error < 1e-12 * found.weight
    assert found.gain == pytest.approx(M * N * found.weight**2, rel=1e-15, abs=0)


@pytest.mark.parametrize(("low", "high"), [(0.4, 0.9), (0, 1.5), (1, 20)])
def test_an_average_by_hand(low, high):
    # every probability integrated for itself by QUADPACK
    ring = Ring(6)
    mean = [
        quad(
            lambda T, k=k: ring.magnetization_law(1 / T).probabilities[k] / (high - low),
            low,
            high,
            epsabs=1e-13,
        )[0]
        for k in range(7)
    ]
    law = mixture_law(TemperatureRange(low, high), 6)
    np.testing.assert_allclose(law.probabilities, mean, atol=1e-12)
    assert law.probabilities.sum() == pytest.approx(1, abs=1e-14)
    assert trained_weight_mixture(low, high, 6, 3) == pytest.approx(
        trained_weight_from_law(law, 3), rel=1e-12, abs=0
    )
    exact = mixture_law(TemperatureRange(str(low), str(high)), 6, dps=25)
    np.testing.assert_allclose(exact.probabilities.astype(float), law.probabilities, rtol=1e-13)


def test_one_temperature():
    for T in (0.3, 1.0, 7.0):
        exact = trained_weight(1 / T, 8, 4)
        for value in (
            trained_weight_mixture(T, T, 8, 4),
            trained_weight_temperatures([T], 8, 4),
            trained_weight_temperatures([T, 9.0], 8, 4, weights=[2, 0]),
        ):
            assert value == pytest.approx(exact, rel=1e-14, abs=0)
    assert float(trained_weight_mixture("0.5", "0.5", 8, 4, dps=20)) == pytest.approx(
        trained_weight(2.0, 8, 4), rel=1e-14, abs=0
    )


def test_zero_and_infinite_temperature():
    inf = np.inf
    assert trained_weight_mixture(0, 0, 8, 4) == inf
    assert trained_weight_temperatures([0, 0], 8, 4) == inf
    assert trained_weight_temperatures([0.0], 8, 4, dps=20) == mpmath.inf
    assert trained_weight_temperatures([0, 3], 8, 4, weights=[1, 0]) == inf
    assert trained_weight_temperatures([inf], 8, 4) == trained_weight_temperatures([inf], 8, 4, dps=20) == 0
    assert trained_weight_temperatures([1e300], 8, 4) == pytest.approx(
        trained_weight(1e-300, 8, 4), rel=1e-13, abs=0
    )
    # T = 0 and T = ∞ in equal parts: ½ [½ on each aligned state] + ½ binomial
    half = np.array([Fraction(1, 2) + Fraction(1, 256), *(Fraction(c, 256) for c in (8, 28, 56, 35))])
    law = mixture_law(TemperatureSet([0, inf]), 8).probabilities
    np.testing.assert_allclose(law[:5] * [2, 2, 2, 2, 1], (half * [1, 1, 1, 1, 1]).astype(float), rtol=1e-13)
    value = trained_weight_temperatures([0, inf], 8, 4)
    assert value == pytest.approx(
        float(trained_weight_temperatures([0, inf], 8, 4, dps=20)), rel=1e-13, abs=0
    )
    assert np.isfinite(value)


@pytest.mark.parametrize(("M", "N"), [(3, 1), (8, 4), (9, 10**6)])
def test_the_coldest_sets(M, N):
    # below T = 0.05 one pair of walls is all that counts: −¼ ln ⟨e^(−4/T)⟩ stands for the temperatures
    for low, high in ((0, 1e-3), (0, 0.0499), (0.02, 0.03), (0.01, 0.01)):
        exact = float(trained_weight_mixture(low, high, M, N, dps=17))
        assert trained_weight_mixture(low, high, M, N) == pytest.approx(exact, rel=1e-14, abs=0)
    for temperatures, weights in (([0.01, 0.04], [1, 3]), ([0, 0.03], None), ([0, 0.01, 0.02], [0, 1, 1])):
        exact = float(trained_weight_temperatures(temperatures, M, N, weights=weights, dps=17))
        assert trained_weight_temperatures(temperatures, M, N, weights=weights) == pytest.approx(
            exact, rel=1e-14, abs=0
        )
    # across the switch, and down to where 4/T leaves the doubles
    below, above = (trained_weight_mixture(0, T, M, N) for T in (0.05 * (1 - 1e-12), 0.05))
    assert below == pytest.approx(above, rel=1e-11, abs=0)
    for T in (1e-9, 1e-12, 1e-300):
        assert trained_weight_mixture(0, T, M, N) == pytest.approx(
            low_temperature_leading_weight(T, M, N), rel=1e-7, abs=0
        )


def test_arrays_of_ranges():
    weights = trained_weight_mixture([0, 1], [[2], [3]], 8, 4)
    assert weights.shape == (2, 2)
    assert weights[1, 0] == trained_weight_mixture(0, 3, 8, 4)
    assert (np.diff(weights, axis=0) < 0).all()  # hotter ranges have smaller weights
    assert trained_weight_mixture("0", ["1", Fraction(1, 2)], 8, 4, dps=20).shape == (2,)


def test_sets_with_weights():
    # a weight counts as often as the temperature would be repeated
    repeated = trained_weight_temperatures([1, 1, 1, 2], 8, 4)
    assert trained_weight_temperatures([1, 2], 8, 4, weights=[0.75, 0.25]) == pytest.approx(
        repeated, rel=1e-14, abs=0
    )
    exact = trained_weight_temperatures(["1", "2"], 8, 4, weights=["3", "1"], dps=30)
    assert float(exact) == pytest.approx(repeated, rel=1e-14, abs=0)


def test_a_fine_grid_tends_to_the_range():
    # midpoint rule: error of second order in the step
    exact = trained_weight_mixture(0.5, 2.5, 8, 4)
    errors = []
    for n in (100, 200, 400):
        T = 0.5 + 2 * (np.arange(n) + 0.5) / n
        errors.append(abs(trained_weight_temperatures(T, 8, 4) - exact))
    np.testing.assert_allclose(np.diff(np.log2(errors)), -2, atol=0.02)


def test_densities():
    uniform = trained_weight_mixture(0, 2, 8, 4)
    assert trained_weight_density(lambda T: 7.0, 0, 2, 8, 4) == pytest.approx(uniform, rel=1e-13, abs=0)
    exact = trained_weight_density(lambda T: 1 + 0 * T, "0", "2", 8, 4, dps=20)
    assert float(exact) == pytest.approx(uniform, rel=1e-13, abs=0)
    # a kink: the tent is the average of its two sides
    tent = mixture_weight(TemperatureDensity(lambda T: 1 - abs(T - 1), 0, 2), 8, 4)
    left = mixture_law(TemperatureDensity(lambda T: T, 0, 1), 8).probabilities
    right = mixture_law(TemperatureDensity(lambda T: 2 - T, 1, 2), 8).probabilities
    from rbmflow import Law
    from rbmflow.ising.law import magnetizations

    by_sides = trained_weight_from_law(Law(magnetizations(8), (left + right) / 2), 4)
    assert tent.weight == pytest.approx(by_sides, rel=1e-12, abs=0)
    assert abs(tent.weight - by_sides) < tent.error + 1e-14


def weight_by_hand(integrals, M=8, N=4):
    """The weight for the averages of the classes' laws over (0, 2), each integrated for itself in mpmath."""
    ctx = mpmath.mp.clone()
    ctx.dps = 20
    degeneracies = Ring(M).degeneracies()
    classes = list(zip(degeneracies.alpha, degeneracies.magnetization, degeneracies.count, strict=True))

    def probability(V, T):
        weights = {}
        for alpha, v, count in classes:
            weights[v] = weights.get(v, 0) + count * ctx.exp((alpha - M) / T)
        return weights[V] / sum(weights.values())

    values = range(-M, M + 1, 2)
    half = {V: integrals(ctx, lambda T, V=V: probability(V, T)) for V in values if V <= 0}
    law = [half[-abs(V)] / integrals(ctx, lambda T: ctx.one) for V in values]

    def difference(W):
        p = [ctx.binomial(M, (M + V) // 2) * ctx.cosh(W * V) ** N for V in values]
        order = [V * ctx.tanh(W * V) for V in values]
        return ctx.fdot(p, order) / sum(p) - ctx.fdot(law, order)

    return float(ctx.findroot(difference, (0.15, 0.5), solver="anderson"))


STEP = 1.3


@pytest.mark.parametrize(
    ("density", "points", "integrals", "weight"),
    [
        (lambda T: 1.0 * (T < STEP), [STEP], lambda ctx, q: ctx.quad(q, [0, 0.2, 0.5, STEP]), 0.38437437457),
        # T = u²
        (
            lambda T: T**-0.5,
            [0],
            lambda ctx, q: ctx.quad(lambda u: 2 * q(u * u), [0, 0.3, 0.7, 1, ctx.sqrt(2)]),
            0.352271331382,
        ),
        # 2 − T = u¹⁰
        pytest.param(
            lambda T: (2 - T) ** -0.9,
            [2],
            lambda ctx, q: ctx.quad(
                lambda u: 10 * q(2 - u**10), [0, 0.8, 1, ctx.root(1.7, 10), ctx.root(2, 10) * (1 - ctx.eps)]
            ),
            0.2070814456,
            marks=pytest.mark.slow,
        ),
    ],
    ids=["step", "root", "steep"],
)
def test_densities_that_are_not_smooth(density, points, integrals, weight):
    wanted = weight_by_hand(integrals)
    assert wanted == pytest.approx(weight, abs=6e-11)
    exact = trained_weight_density(density, 0, 2, 8, 4, points=points, dps=15)
    # steep: the power −0.9 is that of the binary number
    assert float(exact) == pytest.approx(wanted, rel=1e-13, abs=0)
    # in float64 the neighbourhood of 2 cannot be told from it
    if points == [2]:
        with pytest.raises(PrecisionError, match="dps=") as caught:
            trained_weight_density(density, 0, 2, 8, 4, points=points)
        assert caught.value.best == pytest.approx(wanted, rel=0.1, abs=0)
    else:
        assert trained_weight_density(density, 0, 2, 8, 4, points=points) == pytest.approx(
            wanted, rel=1e-13, abs=0
        )


@pytest.mark.parametrize(
    ("density", "weight"), [(lambda T: 1.0 * (T < STEP), 0.384), (lambda T: (2 - T) ** -0.9, 0.207)]
)
def test_densities_whose_points_are_not_named(density, weight):
    with pytest.raises(PrecisionError, match="points=") as caught:
        trained_weight_density(density, 0, 2, 3, 4)
    assert 0.5 * weight < caught.value.best < 3 * weight
    assert 0 <= caught.value.digits < 10


@pytest.mark.slow
def test_digits_over_a_step_are_earned_or_refused():
    with pytest.raises(PrecisionError, match="points=") as caught:
        trained_weight_density(lambda T: 1.0 * (T < STEP), 0, 2, 8, 4, dps=20)
    assert float(caught.value.best) == pytest.approx(0.38437437457, rel=1e-2, abs=0)
    with pytest.raises(PrecisionError, match="points="):
        mixture_law(TemperatureDensity(lambda T: 1.0 * (T < STEP), 0, 2), 4)
    with pytest.raises(PrecisionError, match="points="):
        mixture_law(TemperatureDensity(lambda T: 1.0 * (T < STEP), 0, 2), 3, dps=20)
    law = mixture_law(TemperatureDensity(lambda T: 1.0 * (T < STEP), 0, 2, [STEP]), 4)
    np.testing.assert_allclose(
        law.probabilities, mixture_law(TemperatureRange(0, STEP), 4).probabilities, rtol=1e-12
    )
    # both ends of one panel
    ends = trained_weight_density(lambda T: 1.0 + 0 * T, 0.5, 0.9, 8, 4, points=["0.5", 0.9])
    assert ends == pytest.approx(trained_weight_mixture(0.5, 0.9, 8, 4), rel=1e-12, abs=0)


@pytest.mark.slow
def test_the_ends_of_the_doubles():
    # leading law W = (1/2N) ln [8/(M² E₂(4/T₀))], 2/(N T₀) far down
    for exact in (None, 15):
        weights = [
            trained_weight_mixture(0, 5e-309, 8, 1000, dps=exact),
            trained_weight_mixture(5e-309, 5e-309, 8, 1000, dps=exact),
            trained_weight_temperatures([0, 5e-309], 8, 1000, dps=exact),
        ]
        np.testing.assert_allclose([float(W / 4e305) for W in weights], 1, rtol=1e-14)
    leading = low_temperature_leading_weight([5e-309, 2e-299], 8, 1000)
    np.testing.assert_allclose(leading, [4e305, 1e296], rtol=1e-14)  # a subnormal T₀ is known to 1e-15
    assert low_temperature_leading_weight(1e308, 8, 4) < 0  # E₂ is 1 there
    assert low_temperature_weight(1e-305, 8, 4) == pytest.approx(5e304, rel=1e-14, abs=0)
    for W in (low_temperature_weight(1e-320, 8, 4), low_temperature_leading_weight(1e-320, 8, 4)):
        assert np.isinf(W)  # 5e319
    assert low_temperature_weight("1e-320", 8, 4, dps=15) == mpmath.mpf("5e319")
    assert trained_weight_mixture(0, 1e-320, 8, 4) == np.inf
    # hot: ⟨V²⟩/M − 1 is the mean of χ(T) − 1, from T = 8 on in powers of 1/T: 2 ln T_high and a number
    cold = quad(lambda T: Ring(8).susceptibility(1 / T) - 1, 0, 8, limit=200)[0]
    hot = quad(lambda K: (Ring(8).susceptibility(K) - 1 - 2 * K) / K**2, 1e-4, 1 / 8)[0] + 2e-4
    surplus = (cold + hot + 2 * np.log(1e300 / 8)) / 1e300
    assert trained_weight_mixture(0, 1e300, 8, 4) == pytest.approx(np.sqrt(surplus / 28), rel=1e-6, abs=0)
    assert trained_weight_mixture(1e300, 1e308, 8, 10**9) == pytest.approx(
        np.sqrt(2 * np.log(1e8) / (1e308 - 1e300)) / np.sqrt(7e9), rel=1e-13, abs=0
    )
    # W² = 2 ⟨1/T⟩/[N(M − 1)], wherever the ends lie and where squares of W leave the doubles
    for M in (3, 8, 1000, 10**6):
        for low in (1e12, 1e30, 1e36, 1e39, 1e41, 1e60, 1e100, 1e290):
            leading = np.sqrt(2 * np.log(1e8) / (low * (1e8 - 1))) / np.sqrt(4.0 * (M - 1))
            assert trained_weight_mixture(low, low * 1e8, M, 4) == pytest.approx(leading, rel=1e-11, abs=0)
    # narrow and cold: the two ends nearly cancel
    narrow = trained_weight_mixture(0.01, 0.010000001, 8, 4)
    assert narrow == pytest.approx(
        float(trained_weight_mixture(0.01, 0.010000001, 8, 4, dps=17)), rel=1e-14, abs=0
    )
    assert trained_weight_mixture(0.01, np.nextafter(0.01, 1), 8, 4) == pytest.approx(
        trained_weight(100.0, 8, 4), rel=1e-14, abs=0
    )


@pytest.mark.parametrize("weights", [[1e308, 1e308], [5e-324, 5e-324], ["1e-400", "1e-400"]])
def test_weights_of_temperatures_of_any_size(weights):
    assert trained_weight_temperatures([1, 2], 8, 4, weights=weights) == trained_weight_temperatures(
        [1, 2], 8, 4
    )


@pytest.mark.parametrize(
    ("M", "N", "T"), [(3, 1, "1"), (8, 4, "0.5"), (8, 4, "1"), (7, 3, "1.2"), (30, 9, "0.5")]
)
def test_low_temperature_expansion(M, N, T):
    by_quadrature = trained_weight_mixture("0", T, M, N, dps=25)
    value = low_temperature_weight(T, M, N, dps=25)
    assert mpmath.nstr(value, 25) == mpmath.nstr(by_quadrature, 25)
    assert low_temperature_weight(T and float(T), M, N) == pytest.approx(float(value), rel=1e-14, abs=0)
    law = low_temperature_law(T, M, dps=25)
    wanted = mixture_law(TemperatureRange("0", T), M, dps=25)
    ctx = private(40)
    assert (
        max(relative(ctx, a, b) for a, b in zip(law.probabilities, wanted.probabilities, strict=True)) < 1e-23
    )


def test_the_expansion_converges_geometrically():
    # each term gains e^(−4/T₀) / tan²(π/2M); m⁻¹ of E₂ and the phase of the pole make it uneven
    ctx = private(60)
    exact = ctx.convert(trained_weight_mixture("0", "0.8", 8, 4, dps=40))
    errors = [
        abs(ctx.convert(low_temperature_weight("0.8", 8, 4, n_terms=n, dps=40)) - exact)
        for n in range(4, 40, 5)
    ]
    assert abs(ctx.convert(low_temperature_weight("0.8", 8, 4, n_terms=1, dps=40)) - exact) > errors[0]
    gain = ctx.exp(-5) / ctx.tan(ctx.pi / 16) ** 2
    for smaller, larger in zip(errors[1:], errors, strict=False):
        assert smaller < larger * gain**5 * 1.5


@pytest.mark.parametrize(("M", "N"), [(8, 4), (9, 4), (20, 3)])
def test_leading_law_of_low_temperatures(M, N):
    # the relative correction of s^N is of order s² or s, s = e^(−2W)
    for T in (0.2, 0.1, 0.05):
        exact = trained_weight_mixture(0, T, M, N)
        assert low_temperature_leading_weight(T, M, N) == pytest.approx(exact, abs=2 * np.exp(-2 * exact) / N)
    tiny = low_temperature_leading_weight([1e-3, 1e-5], M, N)
    np.testing.assert_allclose(tiny[0], trained_weight_mixture(0, 1e-3, M, N), rtol=1e-13)
    assert np.isfinite(tiny).all()


def test_outside_the_radius_of_the_expansion():
    # e^(−4/T₀) = tan²(π/16) at T₀ = 1.23847…
    edge = -2 / np.log(np.tan(np.pi / 16))
    for T in (edge * (1 + 1e-12), 2.0, "5"):
        with pytest.raises(ValueError, match=r"T_high < 1\.238"):
            low_temperature_weight(T, 8, 4)
        with pytest.raises(ValueError, match=r"T_high < 1\.238"):
            low_temperature_law(T, 8)
    with pytest.raises(ValueError, match="terms would be needed"):
        low_temperature_weight(edge * (1 - 1e-9), 8, 4)
    assert np.isfinite(low_temperature_weight(0.98 * edge, 8, 4))


def test_long_rings():
    # T in [1, 2], M = 10⁴: the weights of the sides of a fine grid bracket it
    cold, hot = (trained_weight(1 / T, 10_000, 5000) for T in (1, 2))
    assert hot < trained_weight_mixture(1, 2, 10_000, 5000) < cold
    assert np.isfinite(trained_weight_mixture(0, 6, 10_000, 5000))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: trained_weight_mixture(2, 1, 8, 4), ValueError, "T_low=2, T_high=1"),
        (lambda: trained_weight_mixture(-1, 1, 8, 4), ValueError, "T_low=-1"),
        (lambda: trained_weight_mixture(0, np.inf, 8, 4), ValueError, "T_high=inf"),
        (lambda: trained_weight_mixture(0, np.nan, 8, 4), ValueError, "NaN"),
        (lambda: trained_weight_mixture(0, "x", 8, 4), TypeError, "T_high='x'"),
        (lambda: trained_weight_mixture(None, 1, 8, 4), TypeError, "T_low=None"),
        (lambda: trained_weight_mixture([0, 1], [1, 2, 3], 8, 4), ValueError, "T_low has shape"),
        (lambda: trained_weight_mixture(0, 1, 2, 4), ValueError, "n_visible=2"),
        (lambda: trained_weight_mixture(0, 1, 10**7, 4), ValueError, "n_visible=10000000: at most"),
        (lambda: trained_weight_mixture(0, 1, 8, 0), ValueError, "n_hidden=0"),
        (lambda: trained_weight_mixture(0, 1, 8.0, 4), TypeError, "n_visible=8.0"),
        (lambda: trained_weight_mixture(0, 1, 8, 4, dps=0), ValueError, "dps=0"),
        (lambda: trained_weight_temperatures([], 8, 4), ValueError, "at least one temperature"),
        (lambda: trained_weight_temperatures(1.0, 8, 4), ValueError, "temperatures has shape"),
        (lambda: trained_weight_temperatures([1, -1], 8, 4), ValueError, "at least 0"),
        (lambda: trained_weight_temperatures([1, np.nan], 8, 4), ValueError, "NaN"),
        (lambda: trained_weight_temperatures([1, True], 8, 4), TypeError, "temperatures=True"),
        (lambda: trained_weight_temperatures([1, 2], 8, 4, weights=[1]), ValueError, "weights has shape"),
        (lambda: trained_weight_temperatures([1, 2], 8, 4, weights=[1, -1]), ValueError, "non-negative"),
        (lambda: trained_weight_temperatures([1, 2], 8, 4, weights=[0, 0]), ValueError, "positive sum"),
        (lambda: trained_weight_temperatures([1, 2], 8, 4, weights=[1, np.inf]), ValueError, "infinity"),
        (lambda: trained_weight_density(3.0, 0, 1, 8, 4), TypeError, "density=3.0"),
        (lambda: trained_weight_density(lambda T: -1.0, 0, 1, 8, 4), ValueError, r"density\(.*= -1.0"),
        (lambda: trained_weight_density(lambda T: 0.0, 0, 1, 8, 4), ValueError, "not positive"),
        (lambda: trained_weight_density(lambda T: "a", 0, 1, 8, 4), TypeError, r"density\(T\)='a'"),
        (lambda: trained_weight_density(lambda T: np.nan, 0, 1, 8, 4), ValueError, "NaN"),
        (lambda: trained_weight_density(lambda T: 1.0, 1, 1, 8, 4), ValueError, "T_low < T_high"),
        (lambda: trained_weight_density(lambda T: 1.0, 0, 1, 8, 4, points=[2]), ValueError, "points holds 2"),
        (lambda: trained_weight_density(lambda T: 1.0, 0, 1, 8, 4, points=["a"]), TypeError, "points='a'"),
        (
            lambda: trained_weight_density(lambda T: 1.0, 0, 1, 8, 4, points=0.5),
            ValueError,
            "points has shape",
        ),
        (lambda: trained_weight_density(lambda T: 1.0, 0, 1e-20, 8, 4), PrecisionError, "T_high=1e-20"),
        (lambda: trained_weight_density(lambda T: 0 * T, 0, 1, 8, 4, dps=9), ValueError, "not positive"),
        (lambda: mixture_weight("grid", 8, 4), TypeError, "temperatures='grid'"),
        (lambda: mixture_law([0, 1], 8), TypeError, "temperatures="),
        (lambda: low_temperature_weight(0, 8, 4), ValueError, "T_high=0"),
        (lambda: low_temperature_weight(-1, 8, 4), ValueError, "T_high=-1"),
        (lambda: low_temperature_weight(0.5, 8, 4, n_terms=0), ValueError, "n_terms=0"),
        (lambda: low_temperature_weight(0.1, 5000, 4), ValueError, "n_visible=5000"),
        (lambda: low_temperature_leading_weight(0.0, 8, 4), ValueError, "T_high=0.0"),
        (lambda: low_temperature_leading_weight(np.inf, 8, 4), ValueError, "T_high=inf"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_where_a_mixture_stands_between_its_ends():
    # the range that ends at the single threshold T_c orders, as everything in it is colder
    T_c = 1 / critical_coupling(8, 4)
    assert 32 * trained_weight_mixture(0, T_c, 8, 4) ** 2 > 1


@pytest.mark.parametrize("T", [Decimal("-Infinity"), -1.0, float("nan"), "1", [1.0]])
def test_a_density_is_asked_at_temperatures_alone(T):
    density = TemperatureDensity(lambda T: 1.0 + 0 * T, 0.5, 1.5)
    with pytest.raises((TypeError, ValueError), match=r"^T="):
        density.at(T)
    assert density.at(Decimal("0.75")) == 1.0


def test_hot_ends_with_digits():
    # far above T = 1 the mean of P(V) - P(V; T = oo) falls as ln T / T:
    # doubles resolve the weight to their digits
    for T_high in (20.0, 1e3, 1e6):
        digits = trained_weight_mixture(0.5, T_high, 8, 4, dps=15)
        assert trained_weight_mixture(0.5, T_high, 8, 4) == pytest.approx(float(digits), rel=1e-11, abs=0)
    with pytest.raises(ValueError, match=r"T_high=1\.0e\+31"):
        trained_weight_mixture(0.5, 1e31, 8, 4, dps=15)
    assert 0 < trained_weight_mixture(0.5, 1e31, 8, 4) < 1e-14
