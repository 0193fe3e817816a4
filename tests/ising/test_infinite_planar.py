"""Infinite triangular and honeycomb lattices: double integrals, star-triangle relation, duality, strips."""

import mpmath
import numpy as np
import pytest

from rbmflow import Honeycomb, Triangular
from rbmflow.ising import InfiniteHoneycomb, InfiniteStrip, InfiniteTriangular, onsager
from rbmflow.ising.plane.infinite import InfinitePlanar

TRIANGULAR, HONEYCOMB = InfiniteTriangular(), InfiniteHoneycomb()
BOTH = pytest.mark.parametrize("lattice", [TRIANGULAR, HONEYCOMB], ids=["triangular", "honeycomb"])
QUANTITIES = ("log_partition", "energy", "heat_capacity", "entropy", "magnetization")
COUPLINGS = [
    (1, 1, 1),
    (1, 1, -1),
    (-1, -1, -1),
    (0.9, 0.2, -0.5),
    (0.3, 1, 0.7),
    (-0.4, 0.4, 1),
    (1, 0.5, 0),
]


def double_integral(lattice, K):
    """ln Z per site by a sum over both angles, which converges exponentially away from K_c."""
    C, S = np.cosh(2 * K * np.array(lattice.couplings)), np.sinh(2 * K * np.array(lattice.couplings))
    angle = 2 * np.pi * (np.arange(600) + 0.5) / 600
    x, y = angle[:, np.newaxis], angle
    if isinstance(lattice, InfiniteTriangular):
        (a, b, c), D, powers = S, C.prod() + S.prod(), (1.0, 0.5)
    else:
        (a, b, c), D, powers = (S[1] * S[2], S[2] * S[0], S[0] * S[1]), C.prod() + 1, (0.75, 0.25)
    mean = np.log(D - a * np.cos(x) - b * np.cos(y) - c * np.cos(x + y)).mean()
    return powers[0] * np.log(2) + powers[1] * mean


@pytest.mark.parametrize("J", COUPLINGS, ids=str)
@pytest.mark.parametrize("kind", [InfiniteTriangular, InfiniteHoneycomb])
def test_double_integrals_and_derivatives(kind, J):
    lattice = kind(J)
    for K in (0.15, 0.9, -1.1):
        exact = double_integral(lattice, K)
        assert lattice.log_partition(K) == pytest.approx(exact, rel=1e-13)
        step = 1e-4  # errors of order step⁴ and 1e-16/step
        f = [lattice.log_partition(K + k * step) for k in (-2, -1, 1, 2)]
        slope = (f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * step)
        assert lattice.energy(K) == pytest.approx(-slope, abs=1e-10)
        u = [lattice.energy(K + k * step) for k in (-2, -1, 1, 2)]
        curvature = -(u[0] - 8 * u[1] + 8 * u[2] - u[3]) / (12 * step)
        assert lattice.heat_capacity(K) == pytest.approx(K * K * curvature, abs=1e-9)
        assert lattice.entropy(K) == pytest.approx(
            lattice.log_partition(K) + K * lattice.energy(K), abs=1e-14
        )


def test_without_one_kind_of_bonds_it_is_square_and_with_one_kind_chains():
    # the heat capacity loses what K − K_c has lost: 1e-16/1e-3
    K = np.array([1e-9, 0.1, 0.3, 0.44, 0.45, 0.6, 2.0, 20.0, -0.3, -1.0])
    for J in ((1, 1, 0), (0, 1, -1)):
        square = InfiniteTriangular(J)
        for quantity in QUANTITIES[:3]:
            found, exact = getattr(square, quantity)(K), getattr(onsager, quantity)(K)
            np.testing.assert_allclose(found, exact, rtol=1e-12, atol=1e-15, err_msg=quantity)
    np.testing.assert_allclose(
        InfiniteTriangular((1, 1, 0)).magnetization(K), onsager.magnetization(K), rtol=1e-14
    )
    chain = InfiniteTriangular((0, 0.5, 0))
    np.testing.assert_allclose(chain.log_partition(K), np.log(2 * np.cosh(K / 2)), rtol=1e-15)
    np.testing.assert_allclose(chain.energy(K), -0.5 * np.tanh(K / 2), rtol=1e-13, atol=1e-15)
    assert not chain.magnetization(K).any()
    # a honeycomb lattice without one kind of bonds too, two sites to a cell
    chains = InfiniteHoneycomb((0, 1, 1))
    np.testing.assert_allclose(chains.log_partition(K), np.log(2 * np.cosh(K)), rtol=1e-15)
    assert not chains.magnetization(K).any()
    assert chains.critical_coupling == np.inf


@pytest.mark.parametrize("L", [(0.6584, 0.6584, 0.6584), (0.2, 0.5, 0.9), (1.1, 0.8, 1.4), (0.7, -0.3, 0.4)])
def test_star_triangle_relation(L):
    """Sums over the second sites of a honeycomb lattice leave a triangular one."""
    a, b, c = L
    s = [2 * np.cosh(x) for x in (a + b + c, -a + b + c, a - b + c, a + b - c)]
    K = tuple(float(np.log(s[0] * s[k] / (s[1 + k % 3] * s[1 + (k + 1) % 3])) / 4) for k in (1, 2, 3))
    stars = InfiniteHoneycomb(L).log_partition(1.0) * 2
    triangles = InfiniteTriangular(K).log_partition(1.0) + np.log(np.prod(s)) / 4
    assert stars == pytest.approx(triangles, rel=1e-14)
    if min(L) > 0:
        order = InfiniteHoneycomb(L).magnetization(1.0)
        # the eighth root multiplies the rounding of 1 − k²
        assert order == pytest.approx(InfiniteTriangular(K).magnetization(1.0), rel=1e-13)
        assert (order > 0) == (InfiniteHoneycomb(L).critical_coupling < 1)


@pytest.mark.parametrize("J", [(1.0, 1.0, 1.0), (0.4, 1.0, 0.7)])
def test_duality(J):
    """Domain walls of a triangular lattice are closed lines of a honeycomb lattice."""
    for K in (0.1, 0.27, 0.3, 0.8):
        dual = tuple(float(np.arctanh(np.exp(-2 * K * one))) for one in J)
        lines = 2 * InfiniteHoneycomb(dual).log_partition(1.0) - 2 * np.log(2) - np.log(np.cosh(dual)).sum()
        assert InfiniteTriangular(J).log_partition(K) == pytest.approx(K * sum(J) + lines, rel=1e-14)
    K_c, dual_K_c = TRIANGULAR.critical_coupling, HONEYCOMB.critical_coupling
    assert np.tanh(dual_K_c) == pytest.approx(np.exp(-2 * K_c), rel=1e-15)


def test_critical_values():
    assert TRIANGULAR.energy(TRIANGULAR.critical_coupling) == pytest.approx(-2, rel=1e-13)
    assert HONEYCOMB.energy(HONEYCOMB.critical_coupling) == pytest.approx(-2 / np.sqrt(3), rel=1e-13)
    # per bond 2/3 and 4/(3√3): Fisher, Rep. Prog. Phys. 30, 615 (1967), table; the first also from
    # ln Z = ln 2 + …: Cl₂(π/3) of the free energies, by mpmath
    cl = float(mpmath.clsin(2, mpmath.pi / 3))
    assert TRIANGULAR.log_partition(TRIANGULAR.critical_coupling) == pytest.approx(
        np.log(4 / 3) / 4 + 5 * cl / (2 * np.pi), rel=1e-14
    )
    for lattice in (TRIANGULAR, HONEYCOMB):
        K_c = lattice.critical_coupling
        assert lattice.heat_capacity(K_c) == np.inf
        near = lattice.heat_capacity(K_c + np.array([-1e-6, -1e-9, 1e-9, 1e-6]))
        slope = np.diff(near)[[0, 2]] / np.log(1e3)
        # C = −A ln|K − K_c|, A the same on both sides
        assert slope[0] == pytest.approx(-slope[1], rel=1e-5)
        assert lattice.magnetization(K_c * (1 - 1e-9)) == 0
        m = lattice.magnetization(K_c + np.array([1e-8, 1e-6]))
        assert np.log(m[1] / m[0]) / np.log(100) == pytest.approx(1 / 8, rel=1e-5)


def test_the_magnetization_of_strips_in_a_weak_field():
    """Also where a weak coupling is frustrated: aligned spins prevail."""
    field = 1e-3  # beyond what the walls across the strip need; χ h of the bulk is below a hundredth of 1 − m
    for kind, infinite, J, width in (
        (Triangular, InfiniteTriangular, (1, 1, -0.5), 8),
        (Triangular, InfiniteTriangular, (0.5, 1, -0.2), 8),
        (Triangular, InfiniteTriangular, (1, 1, 1), 6),
        (Honeycomb, InfiniteHoneycomb, (1, 0.7, 1), 6),
    ):
        strip = InfiniteStrip(kind(2, width, couplings=J))
        for K in (1.4, 1.8):
            found, limit = 1 - strip.magnetization(K, field=field), 1 - infinite(J).magnetization(K)
            assert found == pytest.approx(limit, rel=0.02)
    at = InfiniteTriangular((1, 1, -0.5)).critical_coupling  # where the magnetization sets in
    assert InfiniteTriangular((1, 1, -0.5)).magnetization([at * (1 - 1e-9), at * (1 + 1e-9)]).tolist()[0] == 0
    assert InfiniteTriangular((1, 1, -0.5)).magnetization(at * (1 + 1e-9)) > 0.05
    for J in ((1, 1, -1), (1, -1, -1), (-1, -1, -1), (1, 0, 0), (1, 0.2, -0.3)):
        assert not InfiniteTriangular(J).magnetization([0.2, 1.0, 30.0, np.inf]).any()
    assert InfiniteTriangular((1, 0.4, -0.3)).magnetization([50.0, np.inf]).tolist() == [1, 1]
    assert not InfiniteHoneycomb((1, 1, -0.5)).magnetization([2.0, np.inf]).any()


def test_the_antiferromagnet_keeps_its_entropy():
    exact = float(mpmath.clsin(2, mpmath.pi / 3) / mpmath.pi)  # (2/π) ∫_0^(π/3) ln(2 cos ω) dω
    assert f"{exact:.10f}" == "0.3230659472"
    assert TRIANGULAR.entropy(-np.inf) == pytest.approx(exact, rel=1e-14)
    assert TRIANGULAR.entropy(-20.0) == pytest.approx(exact, rel=1e-12)
    assert abs(TRIANGULAR.entropy(-np.inf, dps=25) - mpmath.clsin(2, mpmath.pi / 3) / mpmath.pi) < 1e-14
    assert TRIANGULAR.energy([-np.inf, np.inf]).tolist() == [1.0, -3.0]
    assert TRIANGULAR.entropy(np.inf) == pytest.approx(0, abs=1e-15)
    # unequal bonds: the weakest of each triangle is broken, in the one way that there is
    assert InfiniteTriangular((1, 0.9, -0.5)).entropy(np.inf) == pytest.approx(0, abs=1e-15)
    assert InfiniteTriangular((1, 0.9, -0.5)).energy(np.inf) == -1.4


@pytest.mark.parametrize(
    ("lattice", "quantity", "K", "tolerance"),
    [
        (TRIANGULAR, "log_partition", -1.5, 1e-15),
        (TRIANGULAR, "energy", 0.2, 1e-15),
        (HONEYCOMB, "heat_capacity", 0.7, 1e-14),
        # 1 − e₂ loses 1e-16/1e-7
        (TRIANGULAR, "heat_capacity", np.log(3) / 4 + 1e-7, 1e-9),
        (HONEYCOMB, "magnetization", 0.66, 1e-13),
    ],
)
def test_digits(lattice, quantity, K, tolerance):
    exact = getattr(lattice, quantity)(K, dps=18)
    assert getattr(lattice, quantity)(K) == pytest.approx(float(exact), rel=tolerance)


@BOTH
def test_limits_and_shapes(lattice: InfinitePlanar):
    top = -lattice.energy(np.inf)
    assert top == {TRIANGULAR: 3, HONEYCOMB: 1.5}[lattice]
    K = np.array([[0.0, np.inf, -np.inf], [50.0, 1e3, 1e-300]])
    for quantity in QUANTITIES:
        values = getattr(lattice, quantity)(K)
        assert values.shape == (2, 3)
        assert not np.isnan(values).any()
    assert lattice.log_partition(50.0) == pytest.approx(top * 50, rel=1e-15)
    assert lattice.magnetization([50.0, np.inf, -1.0, 0.0]).tolist() == [1, 1, 0, 0]
    assert lattice.energy(0.0) == lattice.heat_capacity(0.0) == 0


def test_strips_and_finite_lattices_tend_to_it():
    K = 0.15
    for kind, infinite in ((Triangular, TRIANGULAR), (Honeycomb, HONEYCOMB)):
        limit = infinite.log_partition(K)
        strips = [InfiniteStrip(kind(2, width)).log_partition(K) - limit for width in (3, 6, 9)]
        assert (np.diff(np.abs(strips)) < 0).all()
        assert abs(strips[2]) < 1e-5
        torus = kind(7, 7)
        assert torus.log_partition(K) / torus.n_sites == pytest.approx(limit, abs=2e-4)
        assert torus.energy(K) == pytest.approx(infinite.energy(K), abs=5e-3)
    # at K_c: ln λ/L − f → π c √3/2/(6 L²) = π √3/(24 L²), c = ½
    K_c = TRIANGULAR.critical_coupling
    away = InfiniteStrip(Triangular(2, 10)).log_partition(K_c) - TRIANGULAR.log_partition(K_c)
    assert away * 100 == pytest.approx(np.pi * np.sqrt(3) / 24, rel=3e-3)


def test_what_it_refuses():
    with pytest.raises(ValueError, match="couplings"):
        InfiniteTriangular((1, 2))
    with pytest.raises(ValueError, match="K="):
        TRIANGULAR.energy(np.nan)
