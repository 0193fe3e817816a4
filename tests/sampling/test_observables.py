"""What runs measure on the way: structure factors, sublattices, correlation lengths."""

import numpy as np
import pytest

from rbmflow import Graph, Ring, Torus
from rbmflow.ising import Chain, Honeycomb, Hypercubic, Triangular, structure_factor
from rbmflow.sampling import Quantity, observables, reweight, run, write_run
from rbmflow.sampling.quantities import QUANTITIES
from tests.sampling import operators


def test_which_lattice_has_which():
    def names(lattice):
        return [name.split("_")[0] for name in observables(lattice)]

    two = ["sublattice", "staggered", "absolute"]
    assert names(Torus(4, 4)) == names(Honeycomb(3, 3)) == ["structure", *two]
    assert names(Triangular(3, 6)) == ["structure", "sublattice"]
    assert names(Triangular(4, 4)) == names(Torus(3, 4)) == ["structure"]
    assert names(Chain(5)) == names(Graph.from_bonds(3, [(0, 1), (1, 2)], 1.0)) == two
    assert names(Graph.from_bonds(3, [(0, 1), (1, 2), (2, 0)], 1.0)) == []


def test_they_are_sums_over_the_sites():
    for lattice in (Torus(4, 4), Honeycomb(3, 3), Hypercubic((4, 2, 2))):
        spins = np.random.default_rng(1).choice(np.array([-1, 1], dtype=np.int8), (5, lattice.n_sites))
        measured = {name: function(spins) for name, function in observables(lattice).items()}
        first, second = lattice.sublattices()
        np.testing.assert_allclose(
            measured["sublattice_magnetizations"],
            np.stack([spins[:, first].mean(axis=1), spins[:, second].mean(axis=1)], axis=1),
        )
        staggered = (spins[:, first].sum(axis=1) - spins[:, second].sum(axis=1)) / lattice.n_sites
        np.testing.assert_allclose(measured["staggered_magnetization"], staggered, rtol=0, atol=1e-15)
        size = measured["absolute_staggered_magnetization"]
        np.testing.assert_array_equal(size, abs(measured["staggered_magnetization"]))
    S = structure_factor(
        Torus(4, 4), spins := np.ones((1, 16), dtype=np.int8) * np.array([[1, 1, 1, -1] * 4])
    )
    found = observables(Torus(4, 4))["structure_factor"](spins)
    np.testing.assert_allclose(found, S[:, [0, 1], [1, 0]].mean(axis=1), rtol=0, atol=1e-12)


def test_three_sublattices_of_a_frustrated_triangle():
    """Of the antiferromagnet, which has none of two: their mean is the magnetization."""
    lattice = Triangular(6, 6)
    chains = run(
        lattice, -2.0, n_chains=8, n_sweeps=200, burn_in=200, rng=1, observables=observables(lattice)
    )
    parts = chains.observables["sublattice_magnetizations"]
    assert parts.shape == (8, 200, 3)
    np.testing.assert_allclose(parts.mean(axis=2), chains.magnetization, rtol=0, atol=1e-15)


class TestCorrelationLength:
    def test_antiferromagnets_have_none_which_is_no_reason_to_stop(self):
        """S(0) is below S(k): the root is of a negative number."""
        lattice = Triangular(6, 6)
        chains = run(lattice, -0.5, n_chains=4, n_sweeps=200, rng=1, observables=observables(lattice))
        found = chains.estimate("correlation_length")
        assert np.isnan([found.mean, found.stderr, found.tau, found.n_effective, found.r_hat]).all()
        assert np.isfinite(chains.estimate("energy").stderr)

    def test_every_ring_has_that_of_the_infinite_one(self):
        """ξ = √t/(1 − t) whatever the length; four numbers within 4 standard errors, one in 4,000."""
        for n in (6, 16):
            ring = Ring(n)
            chains = run(ring, 0.4, n_chains=256, n_sweeps=500, rng=n, observables=observables(ring))
            found = reweight(chains)
            for K, estimate in (
                (0.4, chains.correlation_length_estimate),
                (0.45, found.estimate("correlation_length", 0.45)),
            ):
                t = np.tanh(K)
                assert abs(estimate.deviation(np.sqrt(t) / (1 - t))) < 4

    @pytest.mark.parametrize("lattice", [Torus(4, 4), Triangular(3, 4), Honeycomb(2, 3)], ids=str)
    def test_the_sum_over_all_states(self, lattice):
        K = 0.3
        p, _, V = operators.boltzmann(lattice, K)
        states = operators.spins_of(lattice.n_sites).astype(np.int8)
        S = p @ observables(lattice)["structure_factor"](states)
        n = lattice.n_sites
        exact = QUANTITIES["correlation_length"].value(lattice, K, p @ V**2 / n**2, S)
        chains = run(lattice, K, n_chains=256, n_sweeps=400, rng=1)  # from the spins that are kept
        assert abs(chains.correlation_length_estimate.deviation(exact)) < 4
        assert abs(chains.estimate("correlation_length").mean / exact - 1) < 0.1

    def test_in_lengths(self):
        torus = Torus(6, 6)
        chains = run(torus, 0.4, n_chains=64, n_sweeps=100, rng=1, observables=observables(torus))
        found = reweight(chains)
        whole, share = (found.estimate(f"correlation_length{end}", 0.4).mean for end in ("", "_ratio"))
        np.testing.assert_allclose(share, whole / 6, rtol=1e-12)

    def test_what_is_missing_is_told(self):
        chains = run(Torus(4, 4), 0.4, n_chains=64, n_sweeps=100, rng=1, keep_spins=False)
        with pytest.raises(ValueError, match="observables=sampling"):
            _ = chains.correlation_length_estimate
        with pytest.raises(ValueError, match="is needed as well"):
            reweight(chains).estimate("correlation_length", 0.4)
        constant = {"structure_factor": lambda spins: spins[:, 0] + 2}
        with pytest.raises(TypeError, match="periodic"):
            _ = run(
                Chain(5), 0.4, n_chains=8, n_sweeps=100, rng=1, observables=constant
            ).correlation_length_estimate


def test_reweighting_knows_what_all_runs_measured():
    torus = Torus(4, 4)
    first = run(torus, 0.3, n_chains=32, n_sweeps=100, rng=1, observables=observables(torus))
    second = run(
        torus, 0.32, n_chains=32, n_sweeps=100, rng=1,
        observables={"structure_factor": observables(torus)["structure_factor"]},
    )  # fmt: skip
    found = reweight([first, second])
    assert list(found.series) == ["energy", "magnetization", "structure_factor"]
    alone = reweight(first)
    assert "sublattice_magnetizations_1" in alone.series
    half = Quantity("half", lambda series: (series["sublattice_magnetizations_1"] ** 2,), lambda _n, _K, m: m)
    assert 0 < alone.estimate(half, 0.3).mean < 1


class TestInAField:
    """⟨m⟩ is not 0 there, and what fluctuates is m less its mean: as the exact methods have it."""

    @pytest.mark.parametrize(
        ("lattice", "field"),
        [(Ring(12), 0.2), (Torus(3, 3), -0.3), (Torus(3, 4).to_graph(0.25), 0.0), (Torus(3, 3), 0.0)],
        ids=str,
    )
    @pytest.mark.parametrize("K", [0.3, -0.2])
    def test_susceptibilities_of_runs_files_and_other_couplings(self, tmp_path, lattice, field, K):
        # 4 standard errors: each once in 16,000, of 32
        pytest.importorskip("h5netcdf")
        graph = lattice.to_graph(field) if field else lattice.to_graph()
        given = {"n_chains": 64, "n_sweeps": 600, "burn_in": 50, "rng": 1, "field": field}
        chains = run(lattice, K, keep_spins=False, **given)
        stored = write_run(tmp_path / "run.nc", lattice, K, **given)
        at = K * 1.05
        found = [
            (chains.susceptibility_estimate, K),
            (chains.estimate("susceptibility"), K),
            (stored.estimate("susceptibility"), K),
            (reweight(chains).estimate("susceptibility", at), at),
        ]
        for one, coupling in found:
            assert abs(one.deviation(graph.susceptibility(coupling))) < 4
        p, _, V = operators.boltzmann(graph, K)
        squares = p @ V**2 / graph.n_sites
        if abs(p @ V) > 1:  # where n⟨m²⟩ would be seen to be another number
            assert abs(found[0][0].mean - squares) > 8 * found[0][0].stderr

    @pytest.mark.parametrize("rule", ["swendsen_wang", "wolff"])
    def test_susceptibilities_from_clusters(self, rule):
        # 4 standard errors: 2 of 1 in 16,000
        chains = run(Torus(3, 3), 0.3, field=0.3, n_chains=64, n_sweeps=600, burn_in=50, rule=rule, rng=1)
        exact = Torus(3, 3).to_graph(0.3).susceptibility(0.3)
        for one in (chains.improved_susceptibility_estimate, chains.susceptibility_estimate):
            assert abs(one.deviation(exact)) < 4
            assert one.stderr < 0.1 * exact

    def test_the_correlation_length(self):
        # 4 standard errors: 1 in 16,000
        lattice, field, K = Torus(3, 4), 0.2, 0.3
        graph = lattice.to_graph(field)
        chains = run(
            lattice, K, field=field, n_chains=128, n_sweeps=2000, burn_in=50, rng=1, keep_spins=False,
            observables=observables(lattice),
        )  # fmt: skip
        p, _, V = operators.boltzmann(graph, K)
        S = p @ observables(lattice)["structure_factor"](operators.spins_of(12).astype(np.int8))
        variance = (p @ V**2 - (p @ V) ** 2) / 12
        exact = np.sqrt(variance / S - 1) / (2 * np.sin(np.pi / 4))
        for found in (
            chains.correlation_length_estimate,
            reweight(chains).estimate("correlation_length", K),
        ):
            assert abs(found.deviation(exact)) < 4
            assert found.stderr < 0.02 * exact
