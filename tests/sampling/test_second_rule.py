"""Training sets of every lattice: their law, and certificates by a second rule where no energy is known."""

import numpy as np
import pytest

from rbmflow import Chain, Torus, training_set
from rbmflow.ising import Graph, Honeycomb, Hypercubic, Triangular
from rbmflow.ising.bonds import energies
from rbmflow.ising.exact_energy import exact_energy
from rbmflow.ising.ground_states import fields_of, ground_states
from rbmflow.sampling import TrainingSet, write_training_set
from rbmflow.sampling.chosen_rule import Setting
from rbmflow.spins import all_states
from tests.sampling import operators

RANDOM = Graph.from_bonds(
    7, {(0, 1): 1.0, (1, 2): -0.5, (0, 3): 2.0, (2, 3): 0.7, (4, 5): 1.0}, fields=[0, 0, 0.3, 0, 0, 0.2, 0]
)
PARTED = Graph.from_bonds(7, {(0, 1): 1.0, (1, 2): -0.5, (4, 5): 1.0}, fields=[0, 0, 0, 0.3, 0, -0.2, 0])
LATTICES = [
    (Triangular(2, 3), 3.0, 0.0),
    (Triangular(3, 3, couplings=-1.0), 1.0, 0.0),
    (Triangular(3, 3, couplings=-1.0), 1.0, 0.5),
    (Honeycomb(2, 2, periodic=False, couplings=(1.0, -0.5, 2.0)), 1.5, 0.0),
    (Hypercubic((2, 2, 2), periodic=(True, False, False)), 4.0, -0.2),
    (Hypercubic((3, 3), periodic=(True, False), couplings=(1.0, -0.4)), 0.8, 0.0),
    (Hypercubic((2, 4), periodic=False, couplings=-1.0), 0.7, 0.0),
    (RANDOM, 1.2, 0.0),
]


@pytest.fixture
def unknown(monkeypatch):
    """Exact energies of no lattice, but in the limits, so that small ones have second rules too."""
    monkeypatch.setattr("rbmflow.ising.exact_energy.exact_curve", lambda lattice, K, field=0.0: None)


def named(case):
    return f"{type(case[0]).__name__}-{case[1]}-{case[2]}"


@pytest.mark.parametrize("case", LATTICES, ids=named)
def test_samples_follow_the_law_and_both_rules_its_energy(case, unknown):
    # means within 4 errors, a false alarm in 6e-5 each; χ² of the states' energies, one in 1e-5
    lattice, T, H = case
    p, energy, _ = operators.boltzmann(lattice.to_graph(H) if H else lattice.to_graph(), 1 / T)
    energy = energy / lattice.n_sites
    data = training_set(lattice, [T], 3000, field=H, rng=2)
    (one,), spins = data.certificate, data.spins[0]
    mean = p @ energy
    assert np.isnan(one.exact_energy)
    assert one.second_rule not in ("", one.rule)
    assert abs(one.energy.deviation(mean)) < 4
    assert abs(one.second_energy.deviation(mean)) < 4
    assert abs(one.deviation) < 4
    assert one.exact_stderr == pytest.approx(np.sqrt(p @ (energy - mean) ** 2 / one.n_effective), rel=0.1)
    levels, which = np.unique(energy.round(9), return_inverse=True)
    expected = 3000 * np.bincount(which, weights=p)
    seen = np.bincount(which[operators.index_of(spins)], minlength=len(levels))
    enough = expected > 5
    chi_squared = ((seen - expected)[enough] ** 2 / expected[enough]).sum()
    n = int(enough.sum())
    assert chi_squared < n + 4.3 * np.sqrt(2 * n) + 13  # beyond the point of 1e-5 of each number of degrees


def test_the_rules_are_chosen_by_order_and_frustration():
    cold, warm = Setting(Triangular(6, 6), 0.4), Setting(Triangular(6, 6), 0.1)
    frustrated = Setting(Triangular(6, 6, couplings=-1.0), 1.0)
    assert [one.ordered for one in (cold, warm, frustrated)] == [True, False, False]
    assert cold.other_rule("swendsen_wang") == "heat_bath"
    assert warm.other_rule("heat_bath") == "swendsen_wang"
    assert frustrated.other_rule("heat_bath") == "metropolis"
    assert (cold.start(), warm.start()) == ("up", "random")
    assert (cold.other_start("swendsen_wang"), cold.other_start("heat_bath")) == ("random", "up")
    assert warm.other_start("swendsen_wang") == "up"
    staggered = Setting(Hypercubic((2, 2), periodic=False, couplings=-1.0), 5.0)
    assert staggered.start().tolist() == [1, -1, -1, 1]


@pytest.mark.slow
def test_false_alarms_are_as_rare_as_stated(unknown):
    # 120 certificates; of the sum of squares beyond 4.4 errors, 1e-5
    deviations = np.array([
        one.deviation
        for seed in range(40)
        for one in training_set(Triangular(4, 4), [2.0, 3.6, 8.0], 60, rng=seed).certificate
    ])  # fmt: skip
    n = len(deviations)
    assert abs(deviations).max() < 4
    assert abs(deviations.mean()) < 4.4 / np.sqrt(n)
    assert abs((deviations**2).mean() - 1) < 4.4 * np.sqrt(2 / n)


def test_a_wrong_sample_is_noticed(unknown):
    data = training_set(Triangular(6, 6), [3.0, 3.3], 400, rng=1)
    cold, warm = data.certificate
    swapped = type(cold)(
        3.0, cold.rule, cold.burn_in, cold.thin, cold.tau, warm.energy, cold.exact_energy, cold.exact_stderr,
        cold.second_rule, cold.second_energy,
    )  # fmt: skip
    assert swapped.deviation > 5


@pytest.mark.parametrize(
    "lattice", [Triangular(3, 4), Honeycomb(2, 3, couplings=-1.0), PARTED, Chain(5)], ids=repr
)
def test_limits_of_temperature(lattice):
    data = training_set(lattice, [0.0, 1e-3, 1e6, np.inf], 200, rng=3)
    ground = ground_states(lattice)
    for place in (0, 1):
        values = energies(lattice, data.spins[place])
        assert np.ptp(values) < 1e-12
        assert values[0] == pytest.approx(ground.energy, rel=1e-12)
        assert data.certificate[place].deviation == 0
    assert (data.certificate[0].rule, data.certificate[3].rule) == ("exact", "exact")
    assert data.certificate[0].exact_energy == pytest.approx(ground.energy)
    if ground.free.any():  # 200 coins, beyond 4.5 errors in 1e-5
        coins = (data.spins[0] * ground.signs)[:, np.flatnonzero(ground.free[ground.part])[0]]
        assert abs(coins.mean()) < 4.5 / np.sqrt(200)
    assert abs(data.spins[2:].mean()) < 4.5 / np.sqrt(400 * lattice.n_sites)
    assert all(abs(one.deviation) < 4 for one in data.certificate)


def test_frustrated_lattices_have_no_samples_at_zero_temperature():
    with pytest.raises(ValueError, match="temperatures holds 0: the ground states of Triangular"):
        training_set(Triangular(3, 3, couplings=-1.0), [0.0, 1.0], 5, rng=1)


def test_energies_that_are_known():
    for lattice, field in (
        (Triangular(2, 3), 0.3),
        (RANDOM, 0.0),
        (PARTED, 0.0),
        (Hypercubic((2, 2), couplings=(1.0, -0.5)), 0.0),
    ):
        states = all_states(lattice.n_sites)
        values = energies(lattice, states) - field * states.mean(axis=1)
        assert exact_energy(lattice, 0.0, field) == pytest.approx((0.0, values.std()), abs=1e-12)
        ground = ground_states(lattice, field)
        assert (ground is None) == (lattice is RANDOM)
        if ground is not None:
            assert exact_energy(lattice, np.inf, field) == pytest.approx((values.min(), 0.0))
    assert exact_energy(Torus(4, 4), 0.5)[0] == Torus(4, 4).energy(0.5)
    assert exact_energy(Triangular(13, 13), 0.5) is None
    for lattice, T, field in LATTICES:
        p, values, _ = operators.boltzmann(lattice.to_graph(field) if field else lattice.to_graph(), 1 / T)
        mean, spread = exact_energy(lattice, 1 / T, field)
        assert mean * lattice.n_sites == pytest.approx(p @ values, rel=1e-10)
        assert (spread * lattice.n_sites) ** 2 == pytest.approx(p @ values**2 - (p @ values) ** 2, rel=1e-8)


def test_small_and_narrow_lattices_are_certified_exactly():
    for lattice, field in ((Triangular(4, 6), 0.0), (Hypercubic((3, 30)), 0.2), (RANDOM, 0.0)):
        (one,) = training_set(lattice, [3.0], 200, field=field, rng=1).certificate
        assert (one.second_rule, one.second_energy) == ("", None)
        assert abs(one.deviation) < 4
        assert one.exact_energy == exact_energy(lattice, 1 / 3.0, field)[0]


def test_ground_states_are_the_least_of_all_states():
    # random graphs, with and without fields: all their states are listed
    rng = np.random.default_rng(1)
    n_frustrated = 0
    for _ in range(60):
        n = int(rng.integers(1, 8))
        pairs = [(i, j) for i in range(n) for j in range(i) if rng.random() < 0.35]
        graph = Graph.from_bonds(
            n,
            pairs,
            rng.choice([-1.0, 1.0, 0.5], len(pairs)) if pairs else 1.0,
            rng.choice([0, 0, 0, 0.3, -0.2], n),
        )
        values, found = energies(graph, all_states(n)), ground_states(graph)
        if found is None:
            bound = np.abs(graph.bond_couplings()).sum() + np.abs(fields_of(graph)).sum()
            assert values.min() > -bound / n + 1e-9
            n_frustrated += 1
            continue
        assert values.min() == pytest.approx(found.energy, abs=1e-12)
        assert energies(graph, found.signs)[0] == pytest.approx(found.energy, abs=1e-12)
        assert (values < values.min() + 1e-9).sum() == 2 ** found.free.sum()
    assert 5 < n_frustrated < 55


def test_files_and_stores_keep_second_rules(tmp_path, unknown):
    pytest.importorskip("h5py")
    pytest.importorskip("zarr")
    arguments = Triangular(3, 4, periodic=(True, False)), [0.0, 2.0, 5.0], 20
    data = training_set(*arguments, rng=6)
    data.save(tmp_path / "set.nc")
    again = TrainingSet.load(tmp_path / "set.nc")
    assert again.equals(data)
    assert again.certificate[1].second_rule in ("heat_bath", "swendsen_wang")
    assert again.certificate[0].second_energy is None
    assert repr(again.certificate) == repr(data.certificate)
    stored = write_training_set(tmp_path / "set.zarr", *arguments, rng=6)
    np.testing.assert_array_equal(stored.spins, data.spins)
    assert stored.second_rule.values.tolist() == [one.second_rule for one in data.certificate]
    assert "second_rule" in data.to_dataframe().columns
    assert "second_rule" not in training_set(Torus(2, 2), [1.0], 4, rng=1).to_dataframe().columns


def test_a_large_torus_in_a_field_has_a_second_rule():
    (one,) = training_set(Torus(10, 9), [2.5], 300, field=0.1, rng=1).certificate
    assert (one.rule, one.second_rule) == ("swendsen_wang", "heat_bath")
    assert abs(one.deviation) < 4


def test_threads_change_nothing(unknown):
    first, second = (training_set(Honeycomb(3, 3), [1.0, 2.0, 4.0], 30, rng=5, n_threads=n) for n in (1, 2))
    assert first.equals(second)
