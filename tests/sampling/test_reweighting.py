"""Runs read at other couplings: against exact laws, and what the errors and the reach promise."""

import math

import numpy as np
import pytest

from rbmflow import Graph, Ring, Torus
from rbmflow.errors import ConvergenceWarning
from rbmflow.sampling import Quantity, Reweighting, reweight, run
from rbmflow.sampling.exchange import replica_exchange
from rbmflow.sampling.quantities import QUANTITIES, QuantityName
from tests.sampling import operators

TORUS = Torus(4, 4)
COUPLINGS = (0.30, 0.40)
STEP = 1e-5
"""Of a difference quotient, whose error of order h² is below 10⁻⁸."""


def exact(name, K, lattice=TORUS):
    """A quantity from all states, its slope from differences."""
    if name.endswith("_slope"):
        inner = name.removesuffix("_slope").removeprefix("log_")
        change = np.log if name.startswith("log_") else (lambda x: x)
        above, below = (change(exact(inner, K + sign * STEP, lattice)) for sign in (1, -1))
        return (above - below) / (2 * STEP)
    p, E, V = operators.boltzmann(lattice, K)
    n = lattice.n_sites
    e, m = E / n, V / n
    return {
        "energy": p @ e,
        "heat_capacity": K**2 * n * (p @ e**2 - (p @ e) ** 2),
        "magnetization": p @ m,
        "absolute_magnetization": p @ abs(m),
        "squared_magnetization": p @ m**2,
        "susceptibility": n * (p @ m**2),
        "connected_susceptibility": n * (p @ m**2 - (p @ abs(m)) ** 2),
        "binder_cumulant": 1 - (p @ m**4) / (3 * (p @ m**2) ** 2),
    }[name]


def chains(K, seed=1, lattice=TORUS, **more):
    arguments = {"n_chains": 256, "n_sweeps": 600, "burn_in": 100, "thin": 2, "keep_spins": False} | more
    return run(lattice, K, rng=seed, **arguments)


@pytest.fixture(scope="module")
def two():
    return reweight([chains(K, seed) for seed, K in enumerate(COUPLINGS)])


@pytest.fixture(scope="module")
def alone():
    return reweight(chains(0.35, 3))


class TestExactLaws:
    # 11 names, 2 sets of runs, 4 couplings within 4 standard errors: a false alarm in 180
    @pytest.mark.parametrize("name", [name for name in QUANTITIES if "length" not in name])
    def test_every_quantity_at_couplings_of_no_run(self, name, two, alone):
        for reweighting in (two, alone):
            for K in (0.28, 0.33, 0.37, 0.42):
                assert abs(reweighting.estimate(name, K).deviation(exact(name, K))) < 4

    def test_names(self):
        assert set(QUANTITIES) == set(QuantityName.__args__)

    # 4 names within 4 standard errors: a false alarm in 4,000
    @pytest.mark.parametrize("name", [n for n in QUANTITIES if n.endswith("_slope") or "connected" in n])
    def test_estimates_of_a_run_are_those_at_its_coupling(self, name):
        chain = chains(0.35, 5)
        estimate = getattr(chain, f"{name}_estimate")
        assert abs(estimate.deviation(exact(name, 0.35))) < 4
        other = reweight(chain).estimate(name, 0.35)
        np.testing.assert_allclose(estimate.mean, other.mean, atol=0.2 * other.stderr, rtol=0)
        assert 0.6 < estimate.stderr / other.stderr < 1.7  # 32 blocks know an error to 1/8

    def test_the_ratio_of_partition_functions(self):
        K = [0.30, 0.34, 0.40, 0.44]
        found = reweight([chains(one, seed) for seed, one in enumerate(K)])
        errors = np.sqrt(31 / 32 * ((found._log_z[1:] - found._log_z[1:].mean(axis=0)) ** 2).sum(axis=0))
        expected = np.array([TORUS.log_partition(one) - TORUS.log_partition(0.30) for one in K])
        assert (abs(found.log_partition - expected)[1:] < 4 * errors[1:]).all()  # 3 in 16,000
        assert found.log_partition[0] == 0

    def test_ladders_that_exchange(self):
        ladders = replica_exchange(TORUS, [0.3, 0.4], n_ladders=64, n_sweeps=1000, thin=4, burn_in=80, rng=1)
        found = reweight(ladders)
        assert abs(found.estimate("binder_cumulant", 0.36).deviation(exact("binder_cumulant", 0.36))) < 4

    def test_couplings_of_any_sign_and_real_energies(self):
        bonds = [(0, 1), (1, 2), (2, 3), (3, 0), (0, 2)]
        graph = Graph.from_bonds(4, bonds, [0.5, -0.3, 0.8, 0.41, 0.2], 0.3)
        found = reweight(run(graph, 0.8, n_chains=64, n_sweeps=1000, rng=1))
        for K in (0.6, 1.0):
            p, E, V = operators.boltzmann(graph, K)
            assert abs(found.estimate("energy", K).deviation(p @ E / 4)) < 4
            assert abs(found.estimate("magnetization", K).deviation(p @ V / 4)) < 4

    def test_a_series_of_ones_own(self):
        chain = chains(-0.35, 7, keep_spins=True)
        sign = np.where(np.indices((4, 4)).sum(axis=0) % 2, -1, 1).ravel()
        staggered = chain.spins @ sign / 16
        found = reweight(chain, series={"magnetization": [staggered], "first": [chain.spins[..., 0] * 1.0]})
        cumulant = found.estimate("binder_cumulant", -0.38)  # even sides: the law of K > 0
        assert abs(cumulant.deviation(exact("binder_cumulant", 0.38))) < 4
        first = Quantity("first spin", lambda series: (series["first"],), lambda lattice, K, v: v)
        assert abs(found.estimate(first, -0.38).deviation(0.0)) < 4


class TestErrors:
    def test_blocks_left_out_are_runs_without_them(self, two):
        """The second route: all is done again without the measurements of a block."""
        keep = two.block != 5
        names = ("lattice", "field", "K", "tau")
        less = Reweighting(
            *(getattr(two, name) for name in names),
            n_blocks=32,
            series={name: values[keep] for name, values in two.series.items()},
            origin=two.origin[keep],
            block=two.block[keep],
        )
        for name in ("binder_cumulant_slope", "heat_capacity"):
            np.testing.assert_allclose(
                two.replicates(name, [0.31, 0.36])[6], less.replicates(name, [0.31, 0.36])[0], rtol=1e-9
            )  # ln Z is settled to 1e-10

    @pytest.mark.slow
    def test_they_are_the_scatter_of_repetitions(self):
        # chi² of 60 ratios with errors of 24 blocks: outside 0.65 … 1.6 with a chance of some 10⁻³
        deviations = []
        for seed in range(60):
            pair = [chains(K, 10 * seed + k, n_chains=32, n_sweeps=400) for k, K in enumerate(COUPLINGS)]
            found = reweight(pair, n_blocks=24)
            deviations.append(
                found.estimate("binder_cumulant", 0.36).deviation(exact("binder_cumulant", 0.36))
            )
        assert 0.65 < np.square(deviations).mean() < 1.6

    def test_each_replicate_at_a_coupling_of_its_own(self, two):
        K = np.linspace(0.3, 0.4, 33)[:, np.newaxis]
        own = two.replicates("energy", K)
        for row in (0, 7, 32):
            assert own[row, 0] == two.replicates("energy", K[row])[row, 0]

    def test_short_blocks_are_told(self):
        with pytest.warns(ConvergenceWarning, match="fewer blocks"):
            reweight(run(Torus(8, 8), 0.44, n_sweeps=200, rng=1))


class TestReach:
    def test_beyond_it_there_is_no_number(self):
        found = reweight(chains(0.35, lattice=Torus(8, 8)))
        low, high = found.reach
        assert 0.2 < low < 0.3
        assert 0.4 < high < 0.5
        assert math.isfinite(found.estimate("energy", high - 1e-3).mean)
        for K in (low - 0.05, high + 0.05):
            with pytest.warns(ConvergenceWarning, match="reach from"):
                assert math.isnan(found.estimate("energy", K).mean)
        with pytest.warns(ConvergenceWarning, match="reach from"):
            curve = found.curve("energy", [0.35, 0.7])
        assert np.isnan(curve.mean).tolist() == np.isnan(curve.stderr).tolist() == [False, True]

    def test_histograms_together_count_more(self, two, alone):
        assert two.n_effective([0.30])[0] > 1.3 * alone.n_effective([0.30])[0]
        at_home = alone.n_effective([0.35])[0]
        np.testing.assert_allclose(at_home, len(alone.block) / (2 * alone.tau[0]), rtol=1e-12)

    def test_runs_too_far_apart_are_refused(self):
        far = reweight([chains(K, lattice=Torus(32, 32), n_sweeps=100) for K in (0.1, 0.4)])
        with pytest.raises(ValueError, match="too few energies in common"):
            far.estimate("energy", 0.25)


class TestInput:
    def test_lattices_and_fields_are_the_same(self):
        with pytest.raises(ValueError, match="in one field"):
            reweight([chains(0.3), chains(0.3, lattice=Ring(16))])
        with pytest.raises(ValueError, match="in one field"):
            reweight((chains(0.3), chains(0.3, field=0.1)))

    def test_what_is_no_run(self):
        with pytest.raises(TypeError, match="runs"):
            reweight(3)
        with pytest.raises(ValueError, match="at least one"):
            reweight([])

    def test_series_have_the_shape_of_the_energies(self):
        chain = chains(0.3)
        with pytest.raises(ValueError, match="that of the energies"):
            reweight(chain, series={"a": [np.zeros(3)]})
        with pytest.raises(ValueError, match="one for each of 1"):
            reweight(chain, series={"a": []})
        for series in ([1], {"a": 1.0}, {"a": None}, {3: [chain.energy]}):
            with pytest.raises(TypeError, match=r"series=.*by name"):
                reweight(chain, series=series)

    def test_couplings_are_finite(self, two):
        with pytest.raises(ValueError, match="infinity"):
            two.estimate("energy", math.inf)
        with pytest.raises(ValueError, match="finite couplings"):
            reweight(run(Ring(8), math.inf, n_chains=32, n_sweeps=10, rng=1))
        with pytest.raises(ValueError, match="one of energy, heat_capacity"):
            two.estimate("energie", 0.3)
        with pytest.raises(TypeError, match="quantity"):
            two.estimate(3, 0.3)
        with pytest.raises(ValueError, match=r"\(n,\)"):
            two.curve("energy", [])
        with pytest.raises(ValueError, match="33, n"):
            two.replicates("energy", np.zeros((2, 2)))
