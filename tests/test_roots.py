"""Roots in a bracket, beside those of scipy."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq

from rbmflow.roots import bracketed_root

FUNCTIONS = {
    "quadratic": (lambda x: x * x - 2, 0.0, 2.0),
    "falling": (lambda x: math.cos(x) - x, 2.0, -1.0),  # the ends in any order
    "steep": (lambda x: math.expm1(50 * x) - 1, -1.0, 3.0),
    "flat": (lambda x: (x - 0.3) ** 9, -1.0, 2.0),
    "kink": (lambda x: x - 0.1 if x < 0.1 else 1e6 * (x - 0.1), -1.0, 1.0),
    "saturated": (lambda x: math.tanh(1e3 * (x - 0.7)), 0.0, 1.0),
    "pole": (lambda x: 1 / (x - 1 / 3) if x != 1 / 3 else math.inf, 0.0, 1.0),
    "logarithm": (lambda x: math.log(x) + 600, 1e-262, 1e-258),
    "array": (lambda x: np.float64(x) ** 3 - 2, np.float64(0), np.float64(5)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("absolute", [0.0, 1e-12, 1e-3])
def test_roots_are_those_of_scipy(name, absolute):
    function, low, high = FUNCTIONS[name]
    calls = []

    def counted(x):
        calls.append(x)
        return function(x)

    root = bracketed_root(counted, low, high, absolute=absolute)
    assert type(root) is float
    exact, result = brentq(function, low, high, xtol=1e-320, maxiter=5000, full_output=True)
    if name != "flat":  # zero over a stretch
        noise = 1e-13 if name == "logarithm" else 0.0  # the last digit of 600
        assert abs(root - exact) <= absolute + (noise + 2e-15) * abs(exact)
    assert len(calls) == len(set(calls))
    assert len(calls) <= max(1.3 * result.function_calls, 75)  # halvings alone are 53


def test_a_jump_is_found_to_neighbouring_floats():
    for low, high in ((0.0, 1.0), (-1e300, 1e300)):
        root = bracketed_root(lambda x: 1.0 if x > 0.3 else -1.0, low, high, absolute=0.0, relative=0.0)
        assert root in (0.3, np.nextafter(0.3, 1))


def test_values_of_any_size():
    for scale in (1e-320, 1e-200, 1e200, math.inf):
        function = {math.inf: lambda x: math.copysign(math.inf, x - 0.25)}.get(
            scale, lambda x, scale=scale: scale * (x - 0.25)
        )
        assert bracketed_root(function, 0.0, 1.0, absolute=1e-12) == pytest.approx(0.25, rel=1e-11, abs=0)
    with pytest.raises(ValueError, match="without a change of sign"):
        bracketed_root(lambda x: 1e-200, 0.0, 1.0)  # the product of the ends' values rounds to 0


@pytest.mark.parametrize(
    ("function", "low", "high", "root"),
    [
        (lambda x: x - 1e-19, 1.0, 1e-20, 1e-19),
        (lambda x: x - 4.99e-25, 0.0, 1.0, 4.99e-25),
        (lambda x: math.sqrt(x) - 2e-10, 1e6, 1e-20, 4e-20),
        (lambda x: x - 5, -1e308, 1e308, 5),
        (lambda x: 1.0 if x > 0.3 else -1.0, -9e307, 9e307, 0.3),
        (lambda x: math.log(x) + 400, 1e-300, 1.7e308, math.exp(-400)),
    ],
)
def test_brackets_over_many_orders_of_magnitude(function, low, high, root):
    seen = []
    found = bracketed_root(lambda x: seen.append(x) or function(x), low, high, absolute=0.0)
    assert found == pytest.approx(root, rel=1e-13, abs=0)
    assert all(min(low, high) <= x <= max(low, high) for x in seen)
    assert len(seen) < 2200


def test_random_brackets_are_kept():
    rng = np.random.default_rng(1)
    for _ in range(2000):
        low, high = np.sort(rng.choice([-1, 1], 2) * 10 ** rng.uniform(-300, 300, 2))
        root, power = rng.uniform() * (high - low) + low, rng.choice([1 / 3, 1, 3])
        relative = rng.choice([0, 1e-12, 1e-3])

        def function(x, low=low, high=high, root=root, power=power):
            assert low <= x <= high
            scaled = x / max(-low, high) - root / max(-low, high)
            return math.copysign(abs(scaled) ** power, scaled)

        found = bracketed_root(function, low, high, absolute=0.0, relative=relative)
        assert abs(found - root) <= (relative + 1e-12) * abs(root) or abs(function(found)) < 1e-80


def test_an_end_that_is_a_root():
    assert bracketed_root(lambda x: x, 0.0, 1.0) == 0
    assert bracketed_root(lambda x: x - 1, 0.0, 1.0) == 1


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: 1 + x * x, "low=-1.0, high=2.0: the function is 2.0 and 5.0, without a change of sign"),
        (lambda x: math.nan, "the function is nan and nan"),
        (lambda x: math.nan if 0 < x < 1 else x, "the function is NaN at 0.5"),
    ],
)
def test_no_root(function, message):
    with pytest.raises(ValueError, match=message):
        bracketed_root(function, -1.0, 2.0)


@pytest.mark.parametrize("ends", [(0.0, math.inf), (-math.inf, 1.0), (math.nan, 1.0)])
def test_ends_are_finite(ends):
    with pytest.raises(ValueError, match="two finite ends are needed"):
        bracketed_root(lambda x: x - 0.5, *ends)
