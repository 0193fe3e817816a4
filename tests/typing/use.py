"""Ordinary use: `mypy --strict` and pyright find nothing to say, and know the types of results."""

from typing import assert_type

import mpmath  # type: ignore[import-untyped]
import numpy as np

import rbmflow
from rbmflow.typing import MPF, ExactArray, FloatArray, RNGLike

ring, couplings = rbmflow.Ring(8), np.linspace(0.1, 2, 4)
assert_type(rbmflow.trained_weight(0.5, 8, 4), float)
assert_type(rbmflow.trained_weight(couplings, 8, 4), FloatArray)
assert_type(rbmflow.trained_weight("0.5", 8, 4, dps=30), MPF)
assert_type(rbmflow.trained_weight(["0.5", 1], 8, 4, dps=30), ExactArray)
assert_type(rbmflow.trained_weight_mixture(0, [1.0, 2.0], 8, 4), FloatArray)
assert_type(rbmflow.trained_weight_temperatures([0, 1, 2], 8, 4), float)
assert_type(rbmflow.weight.trained_weight_in_field(couplings, 0.1, 8, 4), FloatArray)
assert_type(rbmflow.weight.g(0.1, 0.5, 8), float)
assert_type(rbmflow.Torus(4, 4).energy(0.4, dps=20), MPF)
assert_type(ring.to_graph().energy(0.5), float)
assert_type(rbmflow.ising.Triangular(3, 3).log_partition(couplings), FloatArray)
assert_type(rbmflow.Triangular(3, 3).energy(couplings, field=0.1), FloatArray)
assert_type(rbmflow.ising.InfiniteStrip(rbmflow.Honeycomb(3, 3)).correlation_length(0.5), float)
assert_type(ring.magnetization(couplings, field=0.1), FloatArray)
assert_type(rbmflow.Chain(8).energy("0.5", dps=20, field="0.1"), MPF)
assert_type(ring.correlation(0.5, np.arange(4)), FloatArray)
assert_type(rbmflow.critical_coupling(8, 4), float)
assert_type(rbmflow.rg.migdal_kadanoff("0.3", dps=20), MPF)


def doubled(weight: MPF, digits: int | None) -> float:
    found = 2 * weight + rbmflow.trained_weight(mpmath.mpf("0.5"), 8, 4, dps=20)
    return float(found) + float(rbmflow.critical_coupling(8, 4, dps=digits))


def learned(rng: RNGLike) -> tuple[rbmflow.Fit, float]:
    chains = rbmflow.sampling.run(ring, 0.5, n_chains=99, n_sweeps=99, rule="metropolis", rng=rng)
    assert chains.spins is not None
    start = rbmflow.RBM(0.1 * np.random.default_rng(1).normal(size=(8, 4)))
    fit = rbmflow.fit(start, chains.spins[:, -1], negative=rbmflow.CD(1), n_epochs=2, record=["kl"], rng=rng)
    path = rbmflow.flow.orbit(rbmflow.flow.mean_field, fit.model, ring.sample(0.5, 10, rng=rng), 3)
    bracket = rbmflow.log_partition(fit.model, "ais", n_temperatures=10, n_chains=10, rng=rng)
    return fit, bracket.value + path.order_parameter[-1].mean + chains.energy_estimate.mean


def crossed(sizes: list[rbmflow.sampling.Reweighting]) -> float:
    assert_type(sizes[0].estimate("binder_cumulant", 0.44), rbmflow.Estimate)
    assert_type(sizes[0].replicates("energy", [0.4, 0.5]), FloatArray)
    first, second = sizes
    return rbmflow.sampling.finite_size.crossing(first, second).K.mean
