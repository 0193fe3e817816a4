"""Bad input to every public callable is refused with the argument's name, its value and what is allowed."""

import sys

import numpy as np
import pytest

import rbmflow
from rbmflow import (
    RBM,
    Chain,
    Law,
    Ring,
    critical_coupling,
    critical_weight,
    flow,
    kl_uniform,
    trained_weight,
    weight,
)
from rbmflow.ising import layer_degeneracies

NOT_REAL = ["1", None, 1j, True, [1.0, "x"], [None], frozenset({1}), {"K": 1}, [True, False], b"1", [1j]]
SIZES = [
    (2, ValueError),
    (0, ValueError),
    (-8, ValueError),
    (8.0, TypeError),
    ("8", TypeError),
    (None, TypeError),
]
SIZES += [(True, TypeError), (np.float64(8), TypeError), ([8], TypeError), (np.array([8, 9]), TypeError)]

machine = RBM.uniform(4, 2, 0.3)
OF_K = {
    "log_partition": Ring(5).log_partition,
    "energy": Ring(5).energy,
    "heat_capacity": Ring(5).heat_capacity,
    "susceptibility": Ring(5).susceptibility,
    "correlation_length": Ring(5).correlation_length,
    "magnetization_law": Ring(5).magnetization_law,
    "correlation": lambda K, **kw: Ring(5).correlation(K, 1, **kw),
    "chain log_partition": Chain(5).log_partition,
    "chain energy": Chain(5).energy,
    "chain heat_capacity": Chain(5).heat_capacity,
    "chain susceptibility": Chain(5).susceptibility,
    "chain correlation_length": Chain(5).correlation_length,
    "chain magnetization_law": Chain(5).magnetization_law,
    "chain correlation": lambda K, **kw: Chain(5).correlation(K, 1, **kw),
    "trained_weight": lambda K, **kw: trained_weight(K, 8, 4, **kw),
    "g": lambda K, **kw: weight.g(0.3, K, 8, **kw),
    "derivative": lambda K, **kw: weight.trained_weight_derivative(K, 8, 4, **kw),
    "curvature": lambda K, **kw: weight.kl_curvature(K, 8, 4, **kw),
    "curvature at zero": lambda K, **kw: weight.kl_curvature_at_zero(K, 8, 4, **kw),
    "kl_trained": lambda K, **kw: weight.kl_trained(K, 8, 4, **kw),
    "kl_uniform": lambda K, **kw: kl_uniform(0.3, K, 8, 4, **kw),
    "weak coupling": lambda K, **kw: weight.asymptotics.weak_coupling_weight(K, 8, 4, **kw),
    "strong coupling": lambda K, **kw: weight.asymptotics.strong_coupling_series(8, 4, 3).weight(K, **kw),
    "long rings": lambda K, **kw: weight.asymptotics.long_ring_gain(K, 8, 4, **kw),
    "decimate": rbmflow.rg.decimate,
    "migdal_kadanoff": rbmflow.rg.migdal_kadanoff,
    "decimate_in_field": lambda K, **kw: rbmflow.rg.decimate_in_field(K, 0.1, **kw),
}


@pytest.mark.parametrize("name", OF_K)
@pytest.mark.parametrize("K", NOT_REAL, ids=repr)
def test_couplings_that_are_not_real(name, K):
    with pytest.raises(TypeError, match="K="):
        OF_K[name](K)
    if not isinstance(K, str):  # a decimal string is exact
        with pytest.raises(TypeError, match="K="):
            OF_K[name](K, dps=20)


@pytest.mark.parametrize("name", OF_K)
@pytest.mark.parametrize("K", [np.nan, [0.1, np.nan], np.float32("nan")], ids=repr)
@pytest.mark.parametrize("dps", [None, 20])
def test_couplings_that_are_nan(name, K, dps):
    with pytest.raises(ValueError, match="NaN is not a number to compute with"):
        OF_K[name](K, dps=dps)


@pytest.mark.parametrize("name", OF_K)
@pytest.mark.parametrize(
    ("dps", "error"), [(0, ValueError), (-1, ValueError), (10**7, ValueError), (2.5, TypeError)]
)
def test_digits_out_of_range(name, dps, error):
    with pytest.raises(error, match="dps="):
        OF_K[name](0.5, dps=dps)


@pytest.mark.parametrize("name", OF_K)
def test_rows_of_different_lengths(name):
    with pytest.raises((TypeError, ValueError), match="K="):
        OF_K[name]([[1.0], [1.0, 2.0]])


@pytest.mark.parametrize("dps", [None, 20])
@pytest.mark.parametrize("deep", [lambda row: [[row]], lambda row: [(list(row),)], lambda row: ([[[row]]],)])
def test_masks_are_seen_in_lists_of_lists(deep, dps):
    with pytest.raises(ValueError, match="K is masked"):
        trained_weight(deep(np.ma.array([1.0, 2.0], mask=[False, True])), 8, 4, dps=dps)
    without = trained_weight(deep(np.ma.array([1.0, 2.0])), 8, 4, dps=dps)
    assert np.ravel(without).tolist() == np.ravel(trained_weight([1.0, 2.0], 8, 4, dps=dps)).tolist()


@pytest.mark.parametrize(("size", "error"), SIZES, ids=repr)
@pytest.mark.parametrize(
    "call",
    [
        Ring,
        lambda M: trained_weight(1.0, M, 4),
        lambda M: weight.f(0.3, M, 4),
        lambda M: weight.g(0.3, 1.0, M),
        lambda M: kl_uniform(0.3, 1.0, M, 4),
        lambda M: critical_coupling(M, 4),
        lambda M: weight.trained_weight_derivative(1.0, M, 4),
        lambda M: weight.kl_curvature(1.0, M, 4),
        lambda M: weight.asymptotics.weak_coupling_coefficients(M, 4, 2),
        lambda M: weight.asymptotics.strong_coupling_series(M, 4, 2),
        lambda M: weight.asymptotics.long_ring_gain(1.0, M, 4),
        lambda M: weight.limit_table(M, 4),
        lambda M: rbmflow.trained_weight_mixture(0, 1, M, 4),
        lambda M: rbmflow.trained_weight_temperatures([0, 1], M, 4),
        lambda M: weight.low_temperature_weight(0.1, M, 4),
        lambda M: flow.critical_temperature(M, 4),
    ],
)
def test_sizes_of_the_ring(call, size, error):
    with pytest.raises(error, match=r"(n_sites|n_visible)="):
        call(size)


@pytest.mark.parametrize(("size", "error"), [(0, ValueError), *SIZES[2:]], ids=repr)
@pytest.mark.parametrize(
    "call",
    [
        lambda N: trained_weight(1.0, 8, N),
        lambda N: weight.f(0.3, 8, N),
        lambda N: kl_uniform(0.3, 1.0, 8, N),
        lambda N: critical_coupling(8, N),
        lambda N: critical_weight(8, N),
        lambda N: critical_weight(N, 8),
        lambda N: flow.uniform_map(0.1, 0.3, 8, N),
        lambda N: flow.uniform_fixed_points(0.3, N, 8),
        lambda N: RBM.uniform(8, N, 0.1),
        layer_degeneracies,
    ],
)
def test_sizes_of_a_layer(call, size, error):
    with pytest.raises(error, match=r"(n_hidden|n_visible|n_units)="):
        call(size)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Chain(1), ValueError, "n_sites=1: at least 2"),
        (lambda: Chain("5"), TypeError, "n_sites='5'"),
        (lambda: Law([0.5, 1.0], [0.5, 0.5]), TypeError, "as integers"),
        (lambda: Law([-1, 2], [0.5, 0.5]), ValueError, "must run from -1 to 1"),
        (lambda: Law([-1, 1], [0.5, 0.2, 0.3]), ValueError, r"probabilities has shape \(3,\)"),
        (lambda: Ring(5).magnetization_law(1.0).moment(-1), ValueError, "order=-1"),
        (lambda: Ring(5).magnetization_law(1.0).moment(0.5), TypeError, "order=0.5"),
        (lambda: Ring(10**10), ValueError, "n_sites=10000000000: at most"),
        (lambda: Chain(10**10), ValueError, "n_sites=10000000000: at most"),
        (lambda: Ring(5000).degeneracies(), ValueError, "n_sites=5000: at most 2000"),
        (lambda: layer_degeneracies(10**6), ValueError, "n_units=1000000: at most"),
        (lambda: RBM.uniform(10**5, 10**5, 0.1), ValueError, "n_visible=100000, n_hidden=100000: at most"),
        (lambda: trained_weight(1.0, 10**8, 4), ValueError, "n_visible=100000000: at most"),
        (lambda: trained_weight(1.0, 8, 10**12), ValueError, "n_hidden=1000000000000: at most"),
        (lambda: Ring(10**8).magnetization_law(1.0), ValueError, "n_sites=100000000: at most"),
        (lambda: Ring(8).correlation(1.0, 1.5), TypeError, "r=1.5"),
        (lambda: Ring(8).correlation(1.0, "a"), TypeError, "r='a'"),
        (lambda: Ring(8).correlation([1.0, 2.0], [1, 2, 3]), ValueError, "K has shape"),
        (lambda: Chain(8).correlation(1.0, 8), ValueError, "r=8: distances on a chain run from 0 to 7"),
        (lambda: Chain(8).correlation(1.0, -1), ValueError, "r=-1"),
        (lambda: Ring(8).enumerate(n_threads=0), ValueError, "n_threads=0"),
        (lambda: Ring(8).enumerate(n_threads="2"), TypeError, "n_threads='2'"),
        (lambda: Ring(8).enumerate(progress=3), TypeError, "progress=3"),
        (lambda: weight.asymptotics.weak_coupling_coefficients(8, 4, 21), ValueError, "order=21"),
        (lambda: weight.asymptotics.weak_coupling_weight(0.1, 8, 4, order=-1), ValueError, "order=-1"),
        (lambda: weight.asymptotics.strong_coupling_series(8, 4, 0), ValueError, "order=0"),
        (lambda: weight.asymptotics.strong_coupling_series(10**6, 4, 2), ValueError, "n_visible=1000000"),
        (
            lambda: weight.asymptotics.strong_coupling_series(8, 4, 2).accurate_from(0),
            ValueError,
            "tolerance=0",
        ),
        (lambda: weight.asymptotics.strong_coupling_series(8, 4, 2).error("1"), TypeError, "K='1'"),
        (lambda: weight.asymptotics.long_ring_gain(1.0, 8, 4, order=2), ValueError, "order=2"),
        (lambda: weight.f("0.3", 8, 4), TypeError, "W='0.3'"),
        (lambda: trained_weight("", 8, 4, dps=20), TypeError, "K=''"),
        (lambda: weight.f(np.nan, 8, 4), ValueError, "NaN"),
        (lambda: weight.f("x", 8, 4, dps=20), TypeError, "W='x'"),
        (lambda: weight.g([1.0, 2.0], [1.0, 2.0, 3.0], 8), ValueError, "W has shape"),
        (lambda: kl_uniform(np.nan, 1.0, 8, 4), ValueError, "NaN"),
        (lambda: kl_uniform([1.0, 2.0], [1.0, 2.0, 3.0], 8, 4), ValueError, "W has shape"),
        (lambda: rbmflow.rg.decimate([1.0, 2.0], [1.0, 2.0, 3.0]), ValueError, "K has shape"),
        (lambda: critical_coupling(8, 4, dps=0), ValueError, "dps=0"),
        (lambda: flow.uniform_map(1.5, 0.3, 8, 4), ValueError, "m=1.5"),
        (lambda: flow.uniform_map(0.5, [0.3], 8, 4), ValueError, "W="),
        (lambda: flow.uniform_fixed_points(-0.3, 8, 4), ValueError, "W=-0.3"),
        (lambda: flow.uniform_fixed_points(np.nan, 8, 4), ValueError, "NaN"),
        (lambda: flow.mean_field("rbm", [1, 1]), TypeError, "rbm='rbm'"),
        (lambda: flow.mean_field(machine, [1, 1]), ValueError, "last axis must have 4 sites"),
        (lambda: flow.mean_field(machine, [1, 1, 1, 7]), ValueError, "v holds 7"),
        (lambda: flow.sign(machine, [1, 1, 1, np.nan]), ValueError, "NaN"),
        (lambda: flow.sign(None, [1, 1, 1, 1]), TypeError, "rbm=None"),
        (lambda: flow.orbit("sign", machine, np.ones((2, 4)), 1), TypeError, "step='sign'"),
        (lambda: flow.orbit(flow.sign, 3, np.ones((2, 4)), 1), TypeError, "rbm=3"),
        (lambda: flow.orbit(flow.sign, machine, np.ones(4), 1), ValueError, r"v0 has shape \(4,\)"),
        (lambda: flow.orbit(flow.sign, machine, np.ones((1, 4)), 1), ValueError, r"v0 has shape \(1, 4\)"),
        (
            lambda: flow.orbit(flow.sign, machine, np.ones((2, 5)), 1),
            ValueError,
            "last axis must have 4 sites",
        ),
        (lambda: flow.orbit(flow.sign, machine, np.full((2, 4), 2), 0), ValueError, "v0 holds 2"),
        (lambda: flow.orbit(flow.sign, machine, np.full((2, 4), np.nan), 0), ValueError, "NaN"),
        (lambda: flow.orbit(flow.sign, machine, [["a"] * 4] * 2, 0), TypeError, "v0"),
        (lambda: flow.orbit(flow.sign, machine, np.ones((2, 4)), -1), ValueError, "n_steps=-1"),
        (lambda: flow.orbit(flow.sign, machine, np.ones((2, 4)), 1.5), TypeError, "n_steps=1.5"),
    ],
)
def test_other_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_certificates_without_flint(monkeypatch):
    monkeypatch.setitem(sys.modules, "flint", None)
    with pytest.raises(ImportError, match=r"rbmflow\[certify\]"):
        rbmflow.certified_weight(1, 8, 4, digits=10)
