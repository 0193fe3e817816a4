"""Training sets in a field: their law and exact energies, files, and what refuses them."""

import numpy as np
import pytest

from rbmflow import Ring, Torus, thermometer, training_set
from rbmflow.cli import main
from rbmflow.ising import RingInFields
from rbmflow.ising.uniform_field import energy_in_field, law_in_field
from rbmflow.sampling import TrainingSet, write_training_set
from tests.sampling import operators


def enumerated(lattice, T, H):
    """Probabilities of all states in a field, energies and magnetizations per site."""
    p, energy, magnetization = operators.boltzmann(lattice.to_graph(H), 1 / T)
    return p, energy / lattice.n_sites, magnetization / lattice.n_sites


@pytest.mark.parametrize(
    ("lattice", "T", "H"), [(Ring(6), 1.2, 0.4), (Torus(3, 4), 3.0, -0.2), (Torus(3, 4), 0.8, 0.02)], ids=str
)
def test_samples_follow_the_law_and_certificates_its_energy(lattice, T, H):
    # means within 4 errors, a false alarm in 6e-5 each; χ² of the magnetization, one in 1e-5. In the last
    # case the lattice is all but aligned, to one side or the other: sweeps of single spins would not cross
    p, energy, magnetization = enumerated(lattice, T, H)
    data = training_set(lattice, [T], 5000, field=H, rng=1)
    (one,), spins = data.certificate, data.spins[0]
    mean = p @ energy
    spread = np.sqrt(p @ (energy - mean) ** 2)
    assert one.exact_energy == pytest.approx(mean, rel=1e-12)
    assert one.exact_stderr == pytest.approx(spread / np.sqrt(one.n_effective), rel=1e-10)
    assert one.energy.mean == pytest.approx(energy[operators.index_of(spins)].mean(), rel=1e-12)
    assert abs(one.deviation) < 4
    m = spins.mean(axis=1)
    deviation = np.sqrt(p @ magnetization**2 - (p @ magnetization) ** 2) / np.sqrt(len(m))
    assert abs(m.mean() - p @ magnetization) < 4 * deviation
    levels, which = np.unique(magnetization, return_inverse=True)
    expected = 5000 * np.bincount(which, weights=p)
    seen = np.bincount(which[operators.index_of(spins)], minlength=len(levels))
    enough = expected > 5
    chi_squared = ((seen - expected)[enough] ** 2 / expected[enough]).sum()
    assert chi_squared < 45  # at most 12 degrees of freedom


@pytest.mark.parametrize(("n", "K", "H"), [(7, 0.4, 0.3), (60, 2.0, -0.1), (300, 1.0, 1e-3), (40, 0.0, 0.5)])
def test_energies_of_rings_are_those_of_counts_and_of_messages(n, K, H):
    energy, spread = energy_in_field(Ring(n), K, H)
    along = RingInFields(K, np.full(n, K * H))
    per_site = -along.neighbour_correlations.mean() - H * along.means.mean()
    assert energy == pytest.approx(per_site, rel=1e-12, abs=1e-12)
    _, mean, covariance = law_in_field(Ring(n), K, K * H)
    assert energy == pytest.approx(-(mean @ [1, H]) / n, rel=1e-12, abs=1e-12)
    assert spread == pytest.approx(np.sqrt([1, H] @ covariance @ [1, H]) / n, rel=1e-8)


def test_energies_of_rings_of_any_size_and_temperature():
    # the larger eigenvalue alone is left: energy per site and n times its variance no longer depend on n
    (a, da), (b, db) = (energy_in_field(Ring(n), 0.5, 0.3) for n in (10**3, 10**9))
    assert a == pytest.approx(b, rel=1e-12)
    assert da * 10**1.5 == pytest.approx(db * 10**4.5, rel=1e-6)
    for lattice in (Ring(5), Torus(3, 3)):
        assert energy_in_field(lattice, 1e300, -1e100) == (-1e100, 0.0)


@pytest.mark.parametrize("lattice", [Ring(6), Torus(2, 3)], ids=str)
def test_limits_of_temperature_in_a_field(lattice):
    data = training_set(lattice, [0.0, 1e-300, np.inf, 1e300], 400, field=-0.4, rng=3)
    assert (data.spins[:2] == -1).all()
    assert [one.energy.mean for one in data.certificate[:2]] == [-lattice.bonds_per_site - 0.4] * 2
    assert [one.exact_energy for one in data.certificate[:2]] == [-lattice.bonds_per_site - 0.4] * 2
    assert [data.certificate[place].rule for place in (0, 2)] == ["exact", "exact"]
    # of 2400 fair coins, twice: beyond 4.5 errors in 1.4e-5
    assert abs(data.spins[2:].mean(axis=(1, 2))).max() < 4.5 / np.sqrt(400 * lattice.n_sites)


def test_the_thermometer_in_a_field_reads_both():
    # T and H within 4 errors: a false alarm in 1.3e-4
    data = training_set(Ring(40), [1.5], 400, field=0.2, rng=5)
    read = thermometer.FieldThermometer(data.lattice).estimate(data.spins[0])
    assert abs(read.temperature - 1.5) < 4 * read.temperature_stderr
    assert abs(read.field - 0.2) < 4 * read.field_stderr


def test_files_keep_the_field_and_those_without_one_do_not_name_it(tmp_path):
    pytest.importorskip("h5py")
    arguments = Ring(6), [0.5, 2.0], 5
    data, without = (training_set(*arguments, field=H, rng=6) for H in (0.25, 0.0))
    for one in (data, without):
        one.save(tmp_path / "set.nc")
        found = TrainingSet.load(tmp_path / "set.nc")
        assert found.equals(one)
        assert found.field == one.field
    assert data.to_xarray().attrs["field"] == 0.25
    assert "field" not in without.to_xarray().attrs  # as in files that were written before
    assert "field=0.25" in repr(data)
    assert "field" not in repr(without)
    assert "field" not in without.provenance["parameters"]
    moved = TrainingSet(data.lattice, data.spins, data.temperature, data.certificate, data.provenance, 0.5)
    assert not moved.equals(data)
    assert training_set(*arguments, rng=6).equals(without)


def test_a_store_and_an_interrupted_run_are_of_one_field(tmp_path):
    pytest.importorskip("zarr")
    arguments = Ring(6), [0.5, 2.0], 5
    data = training_set(*arguments, field=0.25, rng=6)
    stored = write_training_set(tmp_path / "set.zarr", *arguments, field=0.25, rng=6)
    assert stored.attrs["field"] == 0.25
    np.testing.assert_array_equal(stored.spins.values, data.spins)
    with pytest.raises(ValueError, match="is there already"):
        write_training_set(tmp_path / "set.zarr", *arguments, rng=6)


def test_what_is_finished_must_be_of_the_field():
    kept = {}
    data = training_set(Ring(6), [0.5, 2.0], 5, field=0.25, rng=6, store=kept.__setitem__)
    assert training_set(Ring(6), [0.5, 2.0], 5, field=0.25, rng=6, finished=kept.get).equals(data)
    with pytest.raises(ValueError, match=r"T = \[0\.5\], field = 0\.25: 5 .* at T = 0\.5 are needed"):
        training_set(Ring(6), [0.5, 2.0], 5, rng=6, finished=kept.get)


@pytest.mark.parametrize(
    ("lattice", "field", "error", "message"),
    [
        (Torus(3, 3).to_graph(), 0.1, ValueError, "field=0.1: a Graph has fields of its own"),
        (Ring(6), np.inf, ValueError, "field=inf"),
        (Ring(6), 1e101, ValueError, "field=1e\\+101: at most 1e\\+100"),
        (Ring(6), np.nan, ValueError, "field"),
        (Ring(6), "up", TypeError, "field"),
        (Ring(6), [0.1, 0.2], ValueError, "field"),
    ],
)
def test_fields_that_are_refused(lattice, field, error, message):
    with pytest.raises(error, match=message):
        training_set(lattice, [1.0], 3, field=field, rng=1)


def test_thermometers_without_a_field_refuse_a_set_in_one():
    data = training_set(Ring(6), [0.5, 2.0], 20, field=0.25, rng=6)
    for kind in (thermometer.energy, thermometer.magnetization, thermometer.network):
        with pytest.raises(ValueError, match=r"training_set is in a field of 0\.25 J"):
            kind.fit(data)
    with pytest.raises(ValueError, match=r"training_set is in a field of 0\.25 J"):
        thermometer.EnergyThermometer(Ring(6)).calibrate(data)


def test_the_command_draws_in_a_field(tmp_path, monkeypatch):
    pytest.importorskip("h5py")
    arguments = ["--samples", "8", "--temperatures", "0", "2", "--field", "-0.5", "--seed", "1", "--quiet"]
    monkeypatch.chdir(tmp_path)
    main(["sample", "ring", "6", *arguments])
    found = TrainingSet.load(tmp_path / "training_set.nc")
    assert found.equals(training_set(Ring(6), [0.0, 2.0], 8, field=-0.5, rng=1))
    assert (found.spins[0] == -1).all()
