"""Wolff and Swendsen-Wang chains on every lattice, with both signs of K and fields, against exact laws.

False alarm: |z| > 4.5 in 7e-6 of each number.
"""

import sys

import numpy as np
import pytest

from rbmflow import Chain, Graph, Ring, Torus
from rbmflow.errors import ConvergenceWarning
from rbmflow.ising import Honeycomb, Hypercubic, Triangular
from rbmflow.sampling import run, write_run
from rbmflow.sampling.cluster_estimates import CLUSTER_ESTIMATED, CLUSTER_SERIES
from tests.sampling import operators

RULES = ["wolff", "swendsen_wang"]


def random_graph():
    """Bonds of both signs, one of them double, on ten sites, one of them without bonds."""
    rng = np.random.default_rng(3)
    bonds = [(i, j) for i in range(9) for j in range(i) if rng.random() < 0.4]
    bonds.append(bonds[0])
    return Graph.from_bonds(10, bonds, rng.normal(size=len(bonds)))


LATTICES = [
    *(Ring(7), Chain(8), Torus(2, 2), Torus(3, 4), random_graph()),
    *(Triangular(3, 3), Honeycomb(2, 2), Hypercubic((2, 2, 3))),
    Hypercubic((2, 5), periodic=(True, False), couplings=(1.0, -0.5)),
]


def moments(lattice, h, K):
    """Energy, magnetization, its square and Binder's cumulant, per site, exactly."""
    p, energy, magnetization = operators.boltzmann(lattice.to_graph(h), K)
    m = magnetization / lattice.n_sites
    squared = (p * m**2).sum()
    cumulant = 1 - (p * m**4).sum() / (3 * squared**2)
    return (p * energy).sum() / lattice.n_sites, (p * m).sum(), squared, cumulant


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("h", [0.0, 0.15, -1.0])
@pytest.mark.parametrize("lattice", LATTICES, ids=str)
def test_clusters_on_every_lattice(lattice, h, rule):
    if isinstance(lattice, Graph) and h:
        # fields of its own, of both signs
        fields = h * np.random.default_rng(5).normal(size=lattice.n_sites)
        lattice, h = Graph(lattice.indptr, lattice.indices, lattice.couplings, fields), 0.0
    n_sweeps = 2000 if rule == "wolff" else 600
    chains = run(
        lattice, np.repeat([0.4, -0.4], 6), n_sweeps=n_sweeps, burn_in=100, rule=rule, field=h, rng=2,
        keep_spins=False,
    )  # fmt: skip
    for K in (0.4, -0.4):
        here, (energy, magnetization, squared, cumulant) = chains.at(K), moments(lattice, h, K)
        assert abs(here.energy_estimate.deviation(energy)) < 4.5
        assert abs(here.magnetization_estimate.deviation(magnetization)) < 4.5
        assert abs(here.squared_magnetization_estimate.deviation(squared)) < 4.5
        improved = here.improved_squared_magnetization_estimate
        assert abs(improved.deviation(squared)) < 4.5
        connected = lattice.n_sites * (squared - magnetization**2)
        assert abs(here.improved_susceptibility_estimate.deviation(connected)) < 4.5
        if rule == "swendsen_wang":
            assert abs(here.improved_binder_cumulant_estimate.deviation(cumulant)) < 4.5


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    ("lattice", "h"),
    [
        (Ring(5), 0.0),
        (Ring(4), 0.3),
        (Torus(2, 2), 0.0),
        (
            Graph.from_bonds(
                4, [(0, 1), (1, 2), (0, 2), (2, 3), (2, 3)], [1, -0.5, 2, 1, 1], [1, 0, -0.4, 0]
            ),
            0.0,
        ),
    ],
    ids=str,
)
def test_sizes_of_clusters(lattice, h, rule):
    for K in (0.5, -0.5):
        size, squared = operators.cluster_sums(lattice.to_graph(h), K)
        chains = run(lattice, K, n_chains=20, n_sweeps=2000, burn_in=50, rule=rule, field=h, rng=3)
        assert abs(chains.cluster_size_estimate.deviation(size)) < 4.5
        assert abs(chains.squared_cluster_size_estimate.deviation(squared)) < 4.5


@pytest.mark.parametrize("rule", RULES)
def test_sizes_are_the_staggered_susceptibility_of_antiferromagnets(rule):
    torus = Torus(4, 6)
    chains = run(torus, -0.4, n_chains=20, n_sweeps=2000, burn_in=50, rule=rule, rng=4)
    assert abs(chains.cluster_size_estimate.deviation(torus.susceptibility(0.4))) < 4.5
    assert abs(chains.improved_susceptibility_estimate.deviation(torus.susceptibility(-0.4))) < 4.5
    staggered = chains.spins * np.where(np.isin(np.arange(24), torus.sublattices()[0]), 1, -1)
    size = (staggered.sum(axis=-1) ** 2).mean() / 24
    assert chains.cluster_size.mean() == pytest.approx(size, rel=0.05)  # some 10⁴ samples


def test_clusters_of_a_measurement_do_not_depend_on_steps(monkeypatch):
    arguments = {"n_chains": 2, "n_sweeps": 20, "thin": 5, "rng": 1}
    for rule in RULES:
        whole = run(Torus(4, 5), 0.4, rule=rule, **arguments)
        with monkeypatch.context() as patch:
            patch.setattr(sys.modules["rbmflow.sampling.run"], "STEP_NANOSECONDS", 1.0)
            parts = run(Torus(4, 5), 0.4, rule=rule, **arguments)
        for name in CLUSTER_SERIES:
            one, other = getattr(whole, name), getattr(parts, name)
            assert (one is None) == (name == "improved_fourth_magnetization" and rule == "wolff")
            if one is not None:
                np.testing.assert_array_equal(one, other)


def test_a_sweep_of_wolff_flips_every_site_once():
    torus, K = Torus(6, 6), 0.44
    chains = run(torus, [K, K, 1e-4, 1e-4], n_sweeps=3000, burn_in=100, rule="wolff", rng=5)
    here = chains.at(K)
    assert here.sweeps_per_update == pytest.approx(torus.susceptibility(K) / 36, rel=0.05)
    in_sweeps = here.in_sweeps(here.energy_estimate)
    assert in_sweeps.tau == here.energy_estimate.tau * here.sweeps_per_update
    assert in_sweeps.mean == here.energy_estimate.mean
    # weak couplings are drawn as all clusters at once, and any other rule counts sweeps
    assert chains.at(1e-4).sweeps_per_update == 1
    assert run(torus, K, n_sweeps=4, rng=1).sweeps_per_update == 1


@pytest.mark.parametrize("lattice", [Ring(5), Torus(2, 3), Torus(4, 66)], ids=str)
@pytest.mark.parametrize("rule", RULES)
def test_a_lattice_has_the_same_chains_by_any_name(lattice, rule):
    one, other = (
        run(named, 0.4, n_chains=2, n_sweeps=20, rule=rule, rng=1)
        for named in (lattice, Hypercubic(lattice.shape))
    )
    np.testing.assert_array_equal(one.spins, other.spins)
    np.testing.assert_array_equal(one.energy, other.energy)


def test_clusters_that_are_not_there():
    plain = run(Ring(6), 0.4, n_sweeps=4, rng=1)
    assert plain.cluster_size is None
    for name in CLUSTER_ESTIMATED:
        with pytest.raises(ValueError, match=r"rule='heat_bath'.*'wolff' or 'swendsen_wang'"):
            getattr(plain, f"{name}_estimate")
        with pytest.raises(ValueError, match="name="):
            plain.estimate(name)
    with pytest.raises(ValueError, match="no measurement"):
        _ = run(Ring(6), 0.4, n_sweeps=0, rule="wolff", rng=1).sweeps_per_update
    wolff = run(Ring(6), 0.4, n_sweeps=4, rule="wolff", rng=1)
    with pytest.raises(ValueError, match="rule='swendsen_wang'"):
        _ = wolff.improved_binder_cumulant_estimate


def test_clusters_without_magnetization_have_no_cumulant():
    checks = np.resize([1, -1, 1, -1, -1, 1, -1, 1], 16)
    still = run(Torus(4, 4), -np.inf, n_sweeps=8, rule="swendsen_wang", rng=1, initial=checks)
    assert (still.cluster_size == 16).all()
    with pytest.warns(ConvergenceWarning, match=r"^improved binder cumulant at K = -inf: .* equal"):
        assert np.isnan(still.improved_binder_cumulant_estimate.mean)


@pytest.mark.parametrize("rule", RULES)
def test_clusters_of_stored_runs(tmp_path, rule):
    for extra in ("xarray", "h5netcdf", "h5py"):
        pytest.importorskip(extra)
    arguments = {"n_chains": 4, "n_sweeps": 400, "thin": 2, "rule": rule, "rng": 1}
    stored = write_run(tmp_path / "run.nc", Torus(4, 4), [0.3, 0.4] * 2, **arguments)
    whole = run(Torus(4, 4), [0.3, 0.4] * 2, **arguments)
    for name in CLUSTER_SERIES:
        if getattr(whole, name) is None:
            assert name not in stored.names
        else:
            np.testing.assert_array_equal(stored.series(name), getattr(whole, name))
    assert stored.end.estimated_of_clusters == CLUSTER_ESTIMATED[: -1 if rule == "wolff" else None]
    for name in stored.end.estimated_of_clusters:
        assert stored.estimate(name, K=0.4).mean == whole.at(0.4).estimate(name).mean
