"""The steps of the proof that the trained weight is unique (docs/theory/uniqueness.md).

The inequalities of the lemmas are tried in 60 digits, that of rings in exact fractions, laws at random and
the corollaries in float64.

Over laws q of the data the steps are linear, with the mean of x held: their extremes are laws of two
magnetizations, all of which are tried. A slack that is an identity at some end is allowed the rounding EPS.
"""

import itertools
from dataclasses import dataclass
from fractions import Fraction
from math import comb, factorial

import numpy as np
import pytest

from rbmflow import Law, Ring, trained_weight
from rbmflow.spins import all_states
from rbmflow.weight import trained_weight_from_law
from tests.exact import private, relative, ring_states

CTX = private(60)
EPS = CTX.mpf(10) ** -50
TURN = CTX.findroot(lambda u: u * CTX.tanh(u) - 1, 1.2)  # u* = 1.19967…
SUPREMUM = CTX.mpf("0.7415971")  # above C*, as is shown below
SIZES = [(4, 1), (4, 2), (4, 3), (5, 2), (7, 9), (12, 1), (13, 4), (20, 3)]
MANY = [(M, N) for M in (4, 5, 6, 9, 16, 31, 60) for N in (1, 2, 3, 4, 7, 10, 25, 60)]
GAINS = ["1e-3", "0.3", "0.6", "0.8", "0.9", "1", "1.1", "1.3", "2", "5", "30"]


def x_of(u):
    return u * CTX.tanh(u)


def y_of(u):
    return (u * CTX.sech(u)) ** 2


def spread(u):
    """``S = sinh 2u/2u``."""
    return CTX.sinh(2 * u) / (2 * u) if u else CTX.one


def slope(u):
    """``dy/dx``."""
    return 2 * (1 - x_of(u)) / (1 + spread(u))


def intercept(u):
    return y_of(u) - x_of(u) * slope(u)


@dataclass
class Point:
    """Model and curve at one weight, by magnetizations V ≥ 0."""

    M: int
    N: int
    W: object

    def __post_init__(self):
        self.V = list(range(self.M % 2, self.M + 1, 2))
        self.u = [self.W * V for V in self.V]
        self.x, self.y = [x_of(u) for u in self.u], [y_of(u) for u in self.u]
        weights = [
            (2 if V else 1) * comb(self.M, (self.M + V) // 2) * CTX.cosh(u) ** self.N
            for V, u in zip(self.V, self.u, strict=True)
        ]
        total = CTX.fsum(weights)
        self.p = [weight / total for weight in weights]
        self.x0, self.y0 = self.mean(self.x), self.mean(self.y)
        self.variance = self.mean([(x - self.x0) ** 2 for x in self.x])
        tanh = [CTX.tanh(u) for u in self.u]
        self.T = self.mean([t * t for t in tanh])
        self.E = self.mean([V * t for V, t in zip(self.V, tanh, strict=True)]) / self.M
        square = self.mean([(V * t) ** 2 for V, t in zip(self.V, tanh, strict=True)])
        self.Q = (square - self.M * self.T) / (self.M * (self.M - 1))
        self.d = 1 - self.mean([V * V for V in self.V]) / self.M**2
        self.s, self.m = self.M * self.N * self.W**2, self.M * self.W**2

    def mean(self, values):
        return CTX.fdot(self.p, values)

    def largest_y(self):
        """The largest ⟨y⟩_q of all laws with ⟨x⟩_q = x₀: on a chord between two points of the curve."""
        found = [y for x, y in zip(self.x, self.y, strict=True) if x == self.x0]
        curve = list(zip(self.x, self.y, strict=True))
        below, above = ([c for c in curve if (c[0] < self.x0) is side] for side in (True, False))
        for (x, y), (x_, y_) in itertools.product(below, above):
            found.append(y + (y_ - y) * (self.x0 - x) / (x_ - x))
        return max(found)


def weights_around(M, N, gains):
    """Weights at which x₀ is of order 1: ``W² = gain/(M + √(MN))`` up to a few."""
    return [CTX.sqrt(CTX.mpf(gain) / (M + CTX.sqrt(M * N))) for gain in gains]


@pytest.fixture(scope="module")
def points():
    return [Point(M, N, W) for M, N in SIZES for W in weights_around(M, N, GAINS)]


def test_points_lie_on_both_sides_of_the_two_cases(points):
    assert sum(point.x0 <= 1 for point in points) > 20
    assert sum(point.x0 > 1 for point in points) > 20


# -- the slope at a root ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("M", "N", "W"), [(4, 1, 0.4), (7, 3, 0.2), (10, 6, 0.5)])
def test_slope_of_the_equation(M, N, W):
    rng = np.random.default_rng(M)
    point = Point(M, N, CTX.mpf(W))
    q = [CTX.mpf(a) for a in rng.dirichlet(np.ones(len(point.V)))]

    def difference(W):
        at = Point(M, N, W)
        g = CTX.fdot(q, [V * CTX.tanh(u) for V, u in zip(at.V, at.u, strict=True)]) / CTX.fsum(q)
        return at.x0 / W - g

    wanted = point.W**2 * CTX.diff(difference, point.W)
    found = N * point.variance + point.y0 - CTX.fdot(q, point.y) / CTX.fsum(q)
    assert relative(CTX, found, wanted) < 1e-20


@pytest.mark.parametrize(("M", "N"), [(2, 1), (3, 2), (4, 1), (9, 5)])
def test_the_equation_at_small_weights(M, N):
    # f = MW + W³[N M(M−1) − ⟨V⁴⟩_b/3], of independent spins ⟨V⁴⟩ = 3M² − 2M; g = χW − ⟨V⁴⟩_q W³/3
    W = CTX.mpf(10) ** -12
    point = Point(M, N, W)
    fourth = 3 * M * M - 2 * M
    cubic = (point.x0 / W - M * W) / W**3
    assert relative(CTX, cubic, CTX.mpf(3 * N * M * (M - 1) - fourth) / 3) < 1e-15
    # at χ = M, where ⟨V⁴⟩_q ≥ M², what is left of f − g is at least M(M−1)(N − 2/3) W³
    assert 3 * N * M * (M - 1) - fourth + M * M == M * (M - 1) * (3 * N - 2) > 0


@pytest.mark.parametrize("M", [2, 3])
def test_two_magnetizations_leave_no_choice(M):
    for N, W in itertools.product((1, 2, 9), ("0.1", "0.7", "3")):
        point = Point(M, N, CTX.mpf(W))
        assert len(point.V) == 2
        assert abs(point.largest_y() - point.y0) < EPS  # q = p
        assert point.variance > 0


def test_the_inequality_at_every_root_and_for_the_worst_law(points):
    for point in points:
        assert point.largest_y() < point.y0 + point.N * point.variance, point


@pytest.mark.slow
def test_the_inequality_on_a_fine_grid():
    gains = [CTX.mpf(k) / 16 for k in range(1, 80)]
    for M, N in MANY:
        for W in weights_around(M, N, gains):
            point = Point(M, N, W)
            assert point.largest_y() < point.y0 + N * point.variance, (M, N, W)


# -- the curve y(x) -----------------------------------------------------------------------------------------

GRID = [CTX.mpf(k) / 20 for k in range(1, 160)]


def test_slope_and_curvature_of_the_curve():
    for u in GRID[::10]:
        rate = CTX.diff(x_of, u)
        assert relative(CTX, CTX.diff(y_of, u) / rate, slope(u)) < 1e-18
        assert relative(CTX, rate, u * CTX.sech(u) ** 2 * (1 + spread(u))) < 1e-18


def test_the_curve_bends_by_four_thirds_at_most():
    for u in GRID:
        x, S = x_of(u), spread(u)
        rise = (CTX.cosh(2 * u) - S) * CTX.cosh(u) ** 2 / (u * u * (1 + S))  # dS/dx
        assert relative(CTX, rise, CTX.diff(spread, u) / CTX.diff(x_of, u)) < 1e-15
        bend = 2 / (1 + S) + 2 * (1 - x) * rise / (1 + S) ** 2  # −d²y/dx²
        assert bend < CTX.mpf(4) / 3
        if x < 1:
            assert (1 - x) * CTX.cosh(u) ** 2 <= 1
            assert (CTX.cosh(2 * u) - S) / u**2 <= 4 * S / 3
            assert (1 - x) * rise * (1 + S) <= 4 * S / 3
        else:
            assert bend <= 1
    a = [CTX.mpf(k) / 100 for k in range(101)]
    bound = [one + (2 * one**2 - one**3) / 3 for one in a]
    assert sorted(bound) == bound
    assert abs(bound[-1] - CTX.mpf(4) / 3) < EPS


def test_the_two_series_behind_it():
    # (cosh v − sinh v/v)/(v/2)² and (4/3) sinh v/v; cosh v − (v/2) sinh v and 1, v = 2u, power by power
    for k in range(60):
        assert Fraction(8 * (k + 1), factorial(2 * k + 3)) <= Fraction(4, 3 * factorial(2 * k + 1))
        assert Fraction(8 * (k + 1), factorial(2 * k + 3)) == 4 * (
            Fraction(1, factorial(2 * k + 2)) - Fraction(1, factorial(2 * k + 3))
        )
        if k:
            half = Fraction(1, 2 * factorial(2 * k - 1))
            assert Fraction(1, factorial(2 * k)) - half == Fraction(1 - k, factorial(2 * k)) <= 0


def test_up_to_one(points):
    for point in points:
        if point.x0 <= 1:
            u = CTX.findroot(lambda u, to=point.x0: x_of(u) - to, CTX.sqrt(point.x0))
            assert point.largest_y() <= y_of(u)
            assert y_of(u) <= point.y0 + 2 * point.variance / 3


# -- beyond: from above -------------------------------------------------------------------------------------


def chord(point):
    """κ and C of all u in [0, A), to nine digits; those of the magnetizations alone could be smaller."""
    A = point.u[-1]

    def steepness(u):
        return (y_of(u) - point.y[-1]) / (point.x[-1] - x_of(u))

    best = max(range(40), key=lambda k: steepness(A * k / 40))
    low, high = A * max(best - 1, 0) / 40, A * min(CTX.mpf(best + 1), CTX.mpf("39.99")) / 40
    for _ in range(25):
        third = (high - low) / 3
        if steepness(low + third) < steepness(high - third):
            low += third
        else:
            high -= third
    kappa = max(steepness(low), steepness(high), -slope(A))
    return kappa, point.y[-1] + kappa * point.x[-1]


def test_beyond_one_from_above(points):
    for point in points:
        if point.x0 > 1:
            kappa, C = chord(point)
            assert kappa > 0
            assert C < SUPREMUM
            A = point.u[-1]
            for u, x, y in zip(point.u, point.x, point.y, strict=True):
                assert C - kappa * x - y <= C * (1 - (u / A) ** 2) + EPS
            assert point.largest_y() - point.y0 <= C * point.d + CTX.mpf("1e-9")
            assert point.largest_y() - point.y0 < SUPREMUM * point.d


def test_largest_intercept():
    u = CTX.findroot(lambda u: CTX.diff(intercept, u), CTX.mpf("1.945"))
    assert abs(u - CTX.mpf("1.94498")) < 1e-5
    assert 0 <= SUPREMUM - intercept(u) < 1e-7
    assert all(intercept(v) < SUPREMUM for v in GRID if v > TURN)
    # where the search on [1, 6] ends
    assert (4 * 36 + 9 * 216) * CTX.exp(-12) < CTX.mpf("0.013")
    for v in (6, 7, 10, 40):
        assert intercept(CTX.mpf(v)) < (4 * v**2 + 9 * v**3) * CTX.exp(-2 * v)


# -- beyond: from below -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("M", "N"), [(4, 2), (3, 3), (5, 3), (4, 4)])
@pytest.mark.parametrize("W", [0.05, 0.3, 0.6, 1.5])
def test_what_the_averages_are_over_the_states_of_both_layers(M, N, W):
    sigma, tau = ring_states(M)[0], ring_states(N)[0]
    weight = np.exp(W * np.outer(sigma.sum(axis=1), tau.sum(axis=1)) - W * M * N)
    weight /= weight.sum()
    of_sigma, of_tau = weight.sum(axis=1), weight.sum(axis=0)
    point = Point(M, N, CTX.mpf(W))
    four = (sigma[:, 0] * sigma[:, 1]) @ weight @ (tau[:, 0] * tau[:, 1])
    for found, wanted in [
        (of_tau @ (tau[:, 0] * tau[:, 1]), point.T),
        (sigma[:, 0] @ weight @ tau[:, 0], point.E),
        (four, point.Q),
        ((1 - 1 / M) * (1 - of_sigma @ (sigma[:, 0] * sigma[:, 1])), point.d),
    ]:
        assert abs(found - float(wanted)) < 1e-13
    # Griffiths: correlations increase with the coupling, so ⟨AB⟩ ≥ ⟨A⟩⟨B⟩
    assert point.Q >= point.E**2


def test_beyond_one_from_below(points):
    for point in points:
        parts = point.s * ((point.T - point.E**2) + (point.M - 1) * (point.Q - point.E**2))
        assert relative(CTX, parts, point.N * point.variance) < 1e-40
        assert point.T * point.d <= point.T - point.E**2
        if point.N > 1:
            assert point.Q >= point.E**2
            assert point.N * point.variance >= point.s * point.T * point.d


def test_both_numbers_of_the_criterion_increase_with_the_weight():
    for M, N in SIZES:
        found = [Point(M, N, W) for W in weights_around(M, N, GAINS)]
        for low, high in itertools.pairwise(found):
            assert low.x0 < high.x0
            assert low.s * low.T < high.s * high.T


# -- three hidden units or more -----------------------------------------------------------------------------


def least_correlation(M, W):
    """T₃ of three hidden units."""
    r = (CTX.cosh(3 * W) / CTX.cosh(W)) ** M
    return (r - 1) / (r + 3)


def phi(m):
    r = CTX.exp(CTX.mpf("3.33") * m)
    return (r - 1) / (r + 3)


def test_more_hidden_units_correlate_more(points):
    for point in points:
        three = least_correlation(point.M, point.W)
        if point.N >= 3:
            assert three - EPS <= point.T
            assert point.x0 <= point.m * (1 + (point.N - 1) * point.T)
        if point.N == 3:
            assert relative(CTX, point.T, three) < 1e-45


def test_exponent_of_the_ratio():
    edge = CTX.mpf("0.36")
    grid = [edge * k / 50 for k in range(1, 51)]
    rates = [CTX.log(CTX.cosh(3 * W) / CTX.cosh(W)) / W**2 for W in grid]
    assert sorted(rates, reverse=True) == rates
    assert rates[-1] > CTX.mpf("3.33")
    for W in grid:
        assert relative(CTX, CTX.cosh(3 * W) / CTX.cosh(W), 2 * CTX.cosh(2 * W) - 1) < 1e-50
    # d ln r/dW² per site = 2 sinh v/[v (2 cosh v − 1)] · 2, v = 2W: ratios of coefficients fall
    ratios = [Fraction(1, factorial(2 * k + 1)) / Fraction(2 - (k == 0), factorial(2 * k)) for k in range(40)]
    assert all(a > b for a, b in itertools.pairwise(ratios))


def test_three_or_more_hidden_units_beyond_one():
    assert 12 * CTX.mpf("0.36") ** 2 * least_correlation(4, CTX.mpf("0.36")) > CTX.mpf("0.835")
    table = ["0.775", "0.790", "0.821", "0.862", "0.908", "0.958", "1.011"]
    for N, least in zip(range(3, 10), table, strict=True):
        m = CTX.mpf(1) / 4 + CTX.mpf(3) / (4 * N)
        assert N * m * phi(m) > CTX.mpf(least) > CTX.mpf("0.745")
        assert (1 - m) * N / (N - 1) >= CTX.mpf(3) / 4 - EPS
    assert CTX.mpf("3.25") * phi(CTX.mpf(1) / 4) > CTX.mpf("0.796")


def test_beyond_one_the_criterion_holds(points):
    for point in points:
        if point.x0 > 1 and point.N >= 3:
            assert point.s * point.T > CTX.mpf("0.745")


# -- two hidden units, and one ------------------------------------------------------------------------------


def test_two_hidden_units(points):
    for point in points:
        if point.N == 2:
            M, W = point.M, point.W
            P = 1 / (1 + CTX.sech(2 * W) ** M)
            t, T = CTX.tanh(2 * W), 2 * P - 1
            X = M * W * t / 2
            for found, wanted in [
                (point.T, T),
                (point.E, P * t),
                (point.Q, P * t * t),
                (point.d, (1 - CTX.one / M) * (1 - P * t * t)),
                (point.x0, X * (1 + T)),
            ]:
                assert relative(CTX, found, wanted) < 1e-40
            assert 2 * point.variance / point.d >= 2 * X * T + 2 * X**2 * (1 - T**2)
            if point.x0 > 1:
                assert 2 * point.variance > 2 / (1 + T) * point.d


def test_one_hidden_unit(points):
    top = y_of(TURN)
    assert relative(CTX, top, TURN**2 - 1) < 1e-50
    assert relative(CTX, top, 1 / spread(TURN)) < 1e-50
    for point in points:
        if point.N == 1:
            W, A = point.W, point.u[-1]
            t = CTX.tanh(W)
            assert relative(CTX, point.x0, A * t) < 1e-45
            rise = A * W * CTX.sech(W) ** 2
            assert relative(CTX, rise, point.y0 + point.variance) < 1e-45
            if point.x0 > 1 and W <= TURN:
                assert rise > 1 / spread(W) >= top
            if point.x0 > 1:
                assert point.largest_y() <= SUPREMUM * (1 - t) + y_of(A)
            if W > TURN:
                assert y_of(A) <= 4 * y_of(A / 2) * CTX.sech(W) ** 2
                assert A * W >= 2 * TURN**2 > CTX.mpf("2.87")
    assert CTX.mpf("0.745") / (1 + 1 / TURN) + 4 * top < CTX.mpf("2.17")


# -- laws at random -----------------------------------------------------------------------------------------


def crossings(V, q, N, W):
    """Signs of f − g at weights, for rows of laws q over values V ≥ 0."""
    M = V.max()
    states = np.array([comb(int(M), int(M + v) // 2) * (2 if v else 1) for v in V], dtype=float)
    z = np.outer(W, V)
    p = states * np.exp(N * (z + np.log1p(np.exp(-2 * z)) - z[:, -1:] - np.log1p(np.exp(-2 * z[:, -1:]))))
    order = V * np.tanh(z)
    f = (p * order).sum(axis=1) / p.sum(axis=1)
    return np.sign(f - q @ order.T)


def test_laws_at_random_have_one_root_or_none():
    rng = np.random.default_rng(5)
    for M, N in [(3, 1), (4, 1), (8, 4), (9, 2), (20, 1), (30, 12)]:
        V = np.arange(M % 2, M + 1, 2, dtype=float)
        q = rng.dirichlet(np.full(len(V), 0.3), size=400) + 1e-12
        q *= np.exp(-rng.exponential(1, (400, 1)) * V**2 / M)  # with values of V² around M
        q /= q.sum(axis=1, keepdims=True)
        q = q[q[:, -1] < 0.99]
        W = np.geomspace(1e-3, 30 / np.sqrt(M * N) + 5, 800)
        signs = crossings(V, q, N, W)
        surplus = q @ V**2 - M
        decided = np.abs(surplus) > 1e-3 * M
        signs, above = signs[decided], surplus[decided] > 0
        changes = (np.diff(signs, axis=1) != 0).sum(axis=1)
        assert above.any()
        assert not above.all()
        assert (changes[above] <= 1).all()  # a root beyond the grid is none on it
        assert (signs[above, 0] < 0).all()
        assert (signs[~above] > 0).all()


def test_values_between_the_integers_have_one_root_too():
    for M, N in [(4, 1), (4, 7), (8, 2), (15, 3)]:
        for W in weights_around(M, N, GAINS):
            point = Point(M, N, W)
            finer = [W * M * k / 60 for k in range(61)]
            point.x, point.y = [x_of(u) for u in finer], [y_of(u) for u in finer]
            assert point.largest_y() < point.y0 + N * point.variance


def test_more_magnetization_more_weight():
    rng = np.random.default_rng(7)
    for M, N in [(5, 1), (8, 4), (16, 3)]:
        for _ in range(20):
            low = rng.dirichlet(np.ones(M // 2 + 1))
            share = rng.uniform(0.1, 0.9)
            # of each value of |V| a part goes to the next one: |V| grows stochastically
            high = low.copy()
            high[1:] += share * low[:-1]
            high[:-1] -= share * low[:-1]
            found = [
                trained_weight_from_law(Law(np.arange(-M, M + 1, 2), both(one, M)), N) for one in (low, high)
            ]
            assert found[0] <= found[1]
            assert found[0] < found[1] or found[1] == 0 or found[0] == np.inf


def test_more_hidden_units_less_weight():
    rng = np.random.default_rng(8)
    for M in (3, 5, 8):
        laws = [
            Ring(M).magnetization_law(0.7),
            Law(np.arange(-M, M + 1, 2), both(rng.dirichlet(np.arange(1, M // 2 + 2)), M)),
        ]
        for law in laws:
            found = np.array([trained_weight_from_law(law, N) for N in (1, 2, 3, 10, 100)])
            assert (np.diff(found) < 0).all() if found[0] > 0 else (found == 0).all()
        aligned = Law(np.arange(-M, M + 1, 2), both(np.eye(M // 2 + 1)[-1], M))
        assert trained_weight_from_law(aligned, 2) == np.inf


def test_any_ferromagnet_and_any_mixture_has_a_root():
    rng, states = np.random.default_rng(9), all_states(5)
    V = states.sum(axis=1)
    laws = []
    for _ in range(20):
        J = np.triu(rng.exponential(0.3, (5, 5)) * (rng.random((5, 5)) < 0.3), 1)
        J[0, 1] += 0.01  # not all are 0
        p = np.exp(np.einsum("si,ij,sj->s", states, J, states))
        p /= p.sum()
        correlations = (states.T * p) @ states
        assert (correlations >= np.tanh(J) - 1e-14).all()
        laws.append(np.bincount((V + 5) // 2, weights=p))
    laws += list(rng.dirichlet(np.ones(20), 5) @ laws)
    for law in laws:
        assert 0 < trained_weight_from_law(Law(np.arange(-5, 6, 2), law).symmetrized(), 2) < np.inf


def both(half, M):
    """A law over V = −M, …, M of one over |V|."""
    V = np.abs(np.arange(-M, M + 1, 2))
    places = (V - M % 2) // 2
    return half[places] / np.where(V > 0, 2.0, 1.0)


# -- the ring -----------------------------------------------------------------------------------------------


def walls(M, n, x):
    """Weights of k = 1, 2, … pairs of walls with n spins up; [1] at k = 0 for none."""
    if n == 0:
        return {0: Fraction(1)}
    return {k: Fraction(M * comb(n - 1, k - 1) * comb(M - n - 1, k - 1), k) * x**k for k in range(1, n + 1)}


@pytest.mark.parametrize("x", [Fraction(1, 1000), Fraction(1), Fraction(50)])
@pytest.mark.parametrize("M", [3, 4, 7, 12, 25])
def test_walls_increase_with_the_spins_that_are_down(M, x):
    means = []
    for n in range(M // 2 + 1):
        law = walls(M, n, x)
        means.append(sum(k * w for k, w in law.items()) / sum(law.values()))
        if 1 <= n < M // 2:
            longer = walls(M, n + 1, x)
            ratios = [longer[k] / law[k] for k in law]
            wanted = [Fraction(n * (M - n - k), (M - n - 1) * (n + 1 - k)) for k in law]
            assert ratios == wanted
            assert all(a < b for a, b in itertools.pairwise(ratios))
    assert all(a < b for a, b in itertools.pairwise(means))


@pytest.mark.parametrize("M", [3, 4, 7, 8])
def test_the_magnetization_increases_with_the_coupling(M):
    for low, high in itertools.pairwise([-2, -0.5, 0, 0.01, 0.3, 1, 3]):
        tails = []
        for K in (low, high):
            law = Ring(M).magnetization_law(K, dps=40)
            by_size = {}
            for V, p in zip(range(-M, M + 1, 2), law.probabilities, strict=True):
                by_size[abs(V)] = by_size.get(abs(V), 0) + p
            sizes = sorted(by_size)
            tails.append([CTX.fsum(by_size[v] for v in sizes[k:]) for k in range(1, len(sizes))])
        assert all(a < b for a, b in zip(*tails, strict=True))


def test_the_weight_of_the_ring_increases():
    K = np.geomspace(1e-6, 30, 200)
    for M, N in [(3, 1), (4, 9), (20, 1), (64, 64)]:
        assert (np.diff(trained_weight(K, M, N)) > 0).all()
        assert (trained_weight(-K[::50], M, N) == 0).all()
