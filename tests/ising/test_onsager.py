"""The infinite square lattice against published values, double integrals and its own derivatives."""

import mpmath
import numpy as np
import pytest
from scipy.special import ellipkm1

from rbmflow.ising import onsager
from tests.exact import private, relative

K_C = onsager.critical_coupling()
QUANTITIES = ("log_partition", "energy", "heat_capacity", "magnetization")
NEAR = [K_C - 1e-13, np.nextafter(K_C, 0), np.nextafter(K_C, 1), K_C + 1e-13]
COUPLINGS = np.array(
    [1e-12, 1e-7, 1e-3, 0.1, 0.3, 0.44, 0.4406867, *NEAR, 0.4406868, 0.45, 0.5, 1.0, 2.0, 5.0, 30.0, 80.0]
)


def test_critical_point():
    ctx = private(60)
    exact = ctx.log(1 + ctx.sqrt(2)) / 2
    assert float(exact) == K_C
    assert relative(ctx, onsager.critical_coupling(dps=50), exact) < 1e-50
    assert float(1 / exact) == onsager.CRITICAL_TEMPERATURE
    assert relative(ctx, ctx.sinh(2 * ctx.convert(onsager.critical_coupling(dps=50))), ctx.one) < 1e-49


def test_reference_values():
    assert onsager.energy(K_C) == -np.sqrt(2)
    # ln 2/2 + 2G/π, G Catalan's constant
    np.testing.assert_allclose(onsager.log_partition(K_C), 0.929695398341610, rtol=1e-15, atol=0)
    np.testing.assert_allclose(
        onsager.log_partition(K_C), np.log(2) / 2 + 2 * float(mpmath.catalan) / np.pi, rtol=5e-16, atol=0
    )
    np.testing.assert_allclose(onsager.magnetization(0.5), 0.911319377877496, rtol=1e-15, atol=0)
    assert onsager.heat_capacity(K_C) == np.inf
    assert onsager.magnetization(K_C) == 0


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_float64_against_forty_digits(quantity):
    # next to K_c the modulus is known to full precision, and so are the logarithms
    function = getattr(onsager, quantity)
    machine, exact = function(COUPLINGS), function(COUPLINGS, dps=40).astype(float)
    np.testing.assert_allclose(machine, exact, rtol=2e-15, atol=0)


@pytest.mark.parametrize("K", ["0.05", "0.3", "0.44", "0.4407", "0.6", "1.5"])
def test_the_integral_over_the_modes_and_its_derivatives(K):
    # ln Z = ½ ln(2 sinh 2K) + (1/2π) ∫ arcosh(s + 1/s − cos φ) dφ, another form than the one coded
    ctx = private(50)

    def log_z(K):
        s = ctx.sinh(2 * K)
        gap = abs(1 - s)
        points = sorted({ctx.zero, ctx.pi, *(min(gap * 4**i, ctx.pi) for i in range(12))})
        integral = ctx.quad(lambda phi: ctx.acosh(s + 1 / s - ctx.cos(phi)), points)
        return ctx.log(2 * s) / 2 + integral / (2 * ctx.pi)

    k, step = ctx.mpf(K), ctx.mpf(10) ** -8
    f = [log_z(k + i * step) for i in (-2, -1, 0, 1, 2)]
    slope = (f[0] - 8 * f[1] + 8 * f[3] - f[4]) / (12 * step)
    curvature = (-f[0] + 16 * f[1] - 30 * f[2] + 16 * f[3] - f[4]) / (12 * step**2)
    assert relative(ctx, onsager.log_partition(K, dps=35), f[2]) < 1e-33
    # the five-point formulae err by step⁴ times a high derivative, which grows like |K − K_c|^(−4)
    assert relative(ctx, onsager.energy(K, dps=35), -slope) < 1e-16
    assert relative(ctx, onsager.heat_capacity(K, dps=35), k * k * curvature) < 1e-12


def test_energy_with_the_elliptic_integral_of_scipy():
    K = np.array([0.2, 0.4, 0.44, 0.4406, 0.45, 0.7])
    kappa = 2 * np.tanh(2 * K) ** 2 - 1
    energy = -(1 + 2 / np.pi * kappa * ellipkm1(kappa**2)) / np.tanh(2 * K)
    np.testing.assert_allclose(onsager.energy(K), energy, rtol=1e-14, atol=0)


def test_the_logarithm_of_the_heat_capacity():
    # C ≈ −(2/π) ln²(1 + √2) [ln |K − K_c|/K_c + …]: equal steps of ln|K − K_c| add equal amounts
    C = onsager.heat_capacity(K_C + 10.0 ** -np.arange(6, 12))
    amplitude = 2 / np.pi * np.log(1 + np.sqrt(2)) ** 2
    np.testing.assert_allclose(np.diff(C), amplitude * np.log(10), rtol=1e-3, atol=0)


def test_duality():
    # ln Z(K) − ½ ln sinh 2K takes the same value at sinh 2K* = 1/sinh 2K
    K = np.array([0.1, 0.3, 0.44, 0.6, 1.2])
    dual = np.arcsinh(1 / np.sinh(2 * K)) / 2
    one = onsager.log_partition(K) - np.log(np.sinh(2 * K)) / 2
    np.testing.assert_allclose(
        one, onsager.log_partition(dual) - np.log(np.sinh(2 * dual)) / 2, rtol=1e-14, atol=0
    )


def test_symmetry_and_limits():
    K = np.array([0.0, 0.1, K_C, 0.7, 50.0, 1e3, 1e308, np.inf])
    np.testing.assert_array_equal(onsager.log_partition(-K), onsager.log_partition(K))
    np.testing.assert_array_equal(onsager.energy(-K), -onsager.energy(K))
    np.testing.assert_array_equal(onsager.heat_capacity(-K), onsager.heat_capacity(K))
    np.testing.assert_array_equal(onsager.magnetization(-K), np.zeros(8))
    np.testing.assert_array_equal(onsager.energy(K[[0, -1]]), [0, -2])
    np.testing.assert_array_equal(onsager.heat_capacity(K[[0, -2, -1]]), [0, 0, 0])
    np.testing.assert_array_equal(onsager.magnetization(K[[0, -1]]), [0, 1])
    np.testing.assert_allclose(onsager.log_partition([0, 1e3]), [np.log(2), 2e3], rtol=1e-15, atol=0)
    assert onsager.log_partition(np.inf) == np.inf
    for quantity, value in zip(QUANTITIES, (mpmath.inf, -2, 0, 1), strict=True):
        assert getattr(onsager, quantity)("inf", dps=20) == value
    for quantity, value in zip(QUANTITIES[1:], (0, 0, 0), strict=True):
        assert getattr(onsager, quantity)(0, dps=20) == value
    np.testing.assert_allclose(float(onsager.log_partition(0, dps=20)), np.log(2), rtol=1e-16, atol=0)


def test_next_to_the_critical_point_to_digits():
    for text in (
        "0.4406867935097715126163046624898961545140801641",
        "0.440686793509771512616304662489896155",
    ):
        ctx = private(80)
        distance = abs(ctx.mpf(text) - ctx.log(1 + ctx.sqrt(2)) / 2)
        kc = ctx.log(1 + ctx.sqrt(2)) / 2
        # C = (8/π) K_c² [ln(√2/|K − K_c|)·… − 1 − π/4], to the order of the distance
        leading = 8 / ctx.pi * kc**2 * (ctx.log(ctx.sqrt(2) / distance) - 1 - ctx.pi / 4)
        assert relative(ctx, onsager.heat_capacity(text, dps=20), leading) < 1e-18


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_shapes_and_bad_input(quantity):
    function = getattr(onsager, quantity)
    assert np.ndim(function(0.3)) == 0
    assert function(np.full((2, 3), 0.3)).shape == (2, 3)
    assert function(np.zeros((0, 2))).shape == (0, 2)
    assert function([["0.3", 1]], dps=20).shape == (1, 2)
    for bad, error in [
        (np.nan, ValueError),
        ("0.1", TypeError),
        (None, TypeError),
        (1j, TypeError),
        (True, TypeError),
    ]:
        with pytest.raises(error, match="K="):
            function(bad)
    with pytest.raises(ValueError, match="K="):
        function("nan", dps=20)
    with pytest.raises(ValueError, match="dps=0"):
        function(0.1, dps=0)
