"""Training sets: samples that follow the law, certificates, files."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import stats

from rbmflow import Ring, Torus, training_set
from rbmflow.sampling import TrainingSet, write_training_set
from rbmflow.sampling.certificate import certificates_in
from tests.sampling import operators

TEMPERATURES = np.arange(25) / 4


@pytest.mark.parametrize(
    "lattice",
    [Ring(16), Torus(4, 4), Torus(16, 16), pytest.param(Torus(5, 7), marks=pytest.mark.slow)],
    ids=str,
)
def test_the_25_temperatures_in_one_call(lattice):
    # each |z| > 4.5 in 7e-6, except that at low T excitations are rare and the law of the
    # mean is skew: above T = 0.5 only; of 1320 temperatures with other seeds the
    # largest |z| was 3.3, their standard deviation 0.96
    data = training_set(lattice, TEMPERATURES, 1000, rng=2)
    assert data.spins.shape == (25, 1000, lattice.n_sites)
    assert data.spins.dtype == np.int8
    assert (np.abs(data.spins) == 1).all()
    assert (np.abs(data.spins[0].sum(axis=-1)) == lattice.n_sites).all()
    # both signs at T = 0 and everywhere: the sum of signs of 1000 fair coins is within 4.5 √1000
    assert abs(np.sign(data.spins[0, :, 0].astype(int)).sum()) < 4.5 * np.sqrt(1000)
    for one, spins in zip(data.certificate, data.spins, strict=True):
        if one.temperature > 0.5:
            assert abs(one.deviation) < 4.5, one
        assert one.n_effective > 700
        mean = spins.mean()
        assert abs(mean) < 4.5 * max(spins.mean(axis=-1).std(), 1 / np.sqrt(lattice.n_sites)) / np.sqrt(700)


@pytest.mark.parametrize("T", [1.5, 2.2, 2.6, 5.0])
def test_the_samples_follow_the_law_of_a_small_torus(T):
    # χ² over all (E, V); false alarm 1e-6. 2.6 and 5 by the heat bath, 1.5 and 2.2 by clusters
    lattice, n_samples = Torus(4, 4), 20_000
    data = training_set(lattice, [T], n_samples, rng=2)
    assert data.certificate[0].rule == ("heat_bath" if T > 2.3 else "swendsen_wang")
    p, energy, magnetization = operators.boltzmann(lattice, 1 / T)
    observed = np.bincount(operators.index_of(data.spins[0]), minlength=len(p))
    expected, seen = operators.combined(np.stack([energy, magnetization], axis=1), p * n_samples, observed)
    assert stats.chisquare(seen, expected).pvalue > 1e-6


def test_limits_of_temperature():
    data = training_set(Torus(4, 4), [0.0, 1e-300, np.inf, 1e300], 500, rng=3)
    assert (np.abs(data.spins[:2].sum(axis=-1)) == 16).all()
    assert [one.rule for one in data.certificate[:3:2]] == ["exact", "exact"]
    assert abs(data.spins[2:].mean()) < 0.05


@pytest.mark.parametrize("lattice", [Ring(8), Torus(4, 4)], ids=str)
def test_the_sign_of_zero_temperature_is_of_no_effect(lattice):
    # 1/(-0.0) is -inf, which would be the antiferromagnet
    data = training_set(lattice, [-0.0], 4, rng=1)
    assert (np.abs(data.spins.sum(axis=-1)) == lattice.n_sites).all()
    assert data.certificate[0].rule == "exact"
    assert not np.signbit(data.temperature).any()


@pytest.mark.parametrize("n_samples", [1, 2, 3, 5, 700])
def test_any_number_of_samples(n_samples):
    for lattice in (Ring(6), Torus(4, 6)):
        data = training_set(lattice, [1.0, 3.0], n_samples, rng=4)
        assert data.spins.shape == (2, n_samples, lattice.n_sites)
        assert len(data.configurations) == len(data.labels) == 2 * n_samples


def test_a_temperature_does_not_depend_on_the_others_nor_on_threads():
    long = training_set(Torus(6, 6), [1.0, 2.5, 4.0], 40, rng=5, n_threads=1)
    again = training_set(Torus(6, 6), [1.0, 2.5, 9.0], 40, rng=5, n_threads=2)
    np.testing.assert_array_equal(long.spins[:2], again.spins[:2])


def same(a, b):
    return (
        a.lattice == b.lattice
        and np.array_equal(a.spins, b.spins)
        and np.array_equal(a.temperature, b.temperature)
        and repr(a.certificate) == repr(b.certificate)
        and a.provenance == b.provenance
    )


@pytest.mark.parametrize("lattice", [Ring(6), Torus(4, 6)], ids=str)
def test_what_is_saved_loads_back_equal(lattice, tmp_path):
    xarray = pytest.importorskip("xarray")
    data = training_set(lattice, [0.0, 1.0, 3.0], 50, rng=6)
    data.save(tmp_path / "set.nc")
    assert same(TrainingSet.load(tmp_path / "set.nc"), data)
    with xarray.open_dataset(tmp_path / "set.nc", engine="h5netcdf") as dataset:
        assert dict(dataset.spins.sizes) == {"temperature": 3, "sample": 50, "site": lattice.n_sites}
        assert dataset.spins.dtype == np.int8
        assert "provenance" in dataset.attrs
    assert list(tmp_path.iterdir()) == [tmp_path / "set.nc"]


def test_a_file_may_say_its_lattice_by_name(tmp_path, monkeypatch):
    pytest.importorskip("h5py")
    data = training_set(Torus(4, 6), [0.0, 1.0], 5, rng=6)
    monkeypatch.setattr("rbmflow.ising.lattice.as_stored", lambda lattice: lattice.to_json())
    data.save(tmp_path / "set.nc")
    assert same(TrainingSet.load(tmp_path / "set.nc"), data)


def test_files_that_are_none(tmp_path):
    pytest.importorskip("h5py")
    with pytest.raises(FileNotFoundError):
        TrainingSet.load(tmp_path / "none.nc")
    (tmp_path / "text.nc").write_text("spins")
    with pytest.raises(ValueError, match=r"text\.nc"):
        TrainingSet.load(tmp_path / "text.nc")
    with pytest.raises(FileNotFoundError):
        training_set(Ring(4), [1.0], 2, rng=1).save(tmp_path / "no" / "folder.nc")


def test_a_full_disk_is_said_and_leaves_the_old_file(tmp_path):
    # a limit on the size of files stands for the disk; in a process of its own, which must end as others do
    pytest.importorskip("h5py")
    path = tmp_path / "set.nc"
    training_set(Ring(8), [1.0], 2, rng=1).save(path)
    before = path.read_bytes()
    code = (
        "import resource, signal, sys\n"
        "from rbmflow import Ring, training_set\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "data = training_set(Ring(64), [1.0], 20000, rng=1)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))\n"
        "try:\n"
        "    data.save(sys.argv[1])\n"
        "except OSError:\n"
        "    print('said')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout == "said\n"
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("other", "seed"),
    [
        ((Ring(6), [1.0], 1), 1),
        ((Ring(6), [2.0], 3), 1),
        ((Ring(7), [1.0], 3), 1),
        ((Ring(6), [1.0], 3), 2),  # nothing but the provenance tells
    ],
)
def test_what_is_finished_must_be_what_was_asked_for(other, seed):
    found = training_set(*other, rng=seed)
    with pytest.raises(ValueError, match=r"finished\(0\)"):
        training_set(Ring(6), [1.0], 3, rng=1, finished=lambda index: found)


def test_temperatures_are_copied():
    levels = np.array([1.0, 2.0])
    data = training_set(Ring(6), levels, 3, rng=1)
    levels[:] = 9.0
    assert data.temperature.tolist() == [1.0, 2.0]


@pytest.mark.slow
def test_kill_while_writing_leaves_the_old_file_or_the_new_one(tmp_path):
    pytest.importorskip("h5py")
    path = tmp_path / "set.nc"
    code = (
        "import sys\n"
        "from rbmflow import Ring, training_set\n"
        "first, second = (training_set(Ring(64), [1.0, 2.0], 20000, rng=seed) for seed in (1, 2))\n"
        "first.save(sys.argv[1])\n"
        "print('ready', flush=True)\n"
        "while True:\n"
        "    second.save(sys.argv[1])\n"
        "    first.save(sys.argv[1])\n"
    )
    known = [training_set(Ring(64), [1.0, 2.0], 20_000, rng=seed).spins for seed in (1, 2)]
    pauses = np.random.default_rng(7).uniform(0.0, 0.4, size=4)
    for pause in pauses:
        with subprocess.Popen(
            [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout.readline() == "ready\n"
            time.sleep(pause)
            os.kill(writer.pid, signal.SIGKILL)
        found = TrainingSet.load(path).spins
        assert any(np.array_equal(found, spins) for spins in known)


@pytest.mark.parametrize(
    ("change", "error", "name"),
    [
        ({"lattice": (4, 4)}, TypeError, "lattice"),
        ({"temperatures": [-1.0]}, ValueError, "temperatures"),
        ({"temperatures": []}, ValueError, "temperatures"),
        ({"temperatures": [[1.0]]}, ValueError, "temperatures"),
        ({"temperatures": [float("nan")]}, ValueError, "temperatures"),
        ({"temperatures": "warm"}, TypeError, "temperatures"),
        ({"n_samples": 0}, ValueError, "n_samples"),
        ({"n_samples": 1.5}, TypeError, "n_samples"),
        ({"rng": "seed"}, TypeError, "rng"),
        ({"n_threads": -1}, ValueError, "n_threads"),
    ],
)
def test_bad_input(change, error, name):
    arguments = {"lattice": Torus(4, 4), "temperatures": [1.0], "n_samples": 3, "rng": 1} | change
    with pytest.raises(error, match=name):
        training_set(
            arguments.pop("lattice"), arguments.pop("temperatures"), arguments.pop("n_samples"), **arguments
        )


def test_threads_take_temperatures_and_change_nothing():
    where, told = [], []
    found = [
        training_set(
            Torus(6, 6),
            [1.5, 2.5, 3.5, 5.0],
            40,
            rng=3,
            n_threads=n_threads,
            store=lambda place, one: where.append((place, threading.get_ident())),
            progress=lambda done, total: told.append((done, total)),
        )
        for n_threads in (1, 3)
    ]
    np.testing.assert_array_equal(found[0].spins, found[1].spins)
    assert found[0].equals(found[1])
    assert {thread for _, thread in where} == {threading.get_ident()}
    assert sorted(place for place, _ in where[4:]) == [0, 1, 2, 3]
    assert told == 2 * [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize("way", ["threads", "executor"])
def test_a_store_takes_temperatures_as_they_come_and_goes_on_after_an_interruption(tmp_path, way):
    xarray, _ = pytest.importorskip("xarray"), pytest.importorskip("zarr")
    arguments = Torus(4, 6), [0.0, 1.5, 2.5, 4.0], 30
    whole = training_set(*arguments, rng=3).to_xarray()
    path, left = tmp_path / "set.zarr", []

    def interrupt(done, _total):
        left.append(done)
        if done == 2:
            raise KeyboardInterrupt

    with ThreadPoolExecutor(2) as pool:
        given = {"executor": pool} if way == "executor" else {"n_threads": 2}
        with pytest.raises(KeyboardInterrupt):
            write_training_set(path, *arguments, rng=3, progress=interrupt, **given)
        assert [one.name for one in tmp_path.iterdir()] == ["set.zarr.partial"]
        with pytest.raises(ValueError, match="of a run with other arguments"):
            write_training_set(path, *arguments, rng=4, **given)
        found = write_training_set(path, *arguments, rng=3, progress=lambda *now: left.append(now), **given)
    assert left == [1, 2, (3, 4), (4, 4)]
    assert [one.name for one in tmp_path.iterdir()] == ["set.zarr"]
    again = write_training_set(path, *arguments, rng=3, progress=lambda *now: left.append(now))
    assert left[4:] == [(4, 4)]  # it was whole
    for one in (found, again, xarray.open_zarr(path, consolidated=False)):
        assert set(one.variables) == set(whole.variables)
        for name, variable in whole.variables.items():
            assert one[name].dims == variable.dims
            np.testing.assert_array_equal(one[name].values, variable.values)
    assert repr(certificates_in(found)) == repr(training_set(*arguments, rng=3).certificate)  # with NaN
    with pytest.raises(ValueError, match="is there already"):
        write_training_set(path, Ring(6), [1.0], 5, rng=1)
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="is there already"):
        write_training_set(tmp_path / "file", Ring(6), [1.0], 5, rng=1)


def test_a_store_takes_the_place_of_nothing_else(tmp_path, monkeypatch):
    pytest.importorskip("zarr")
    (tmp_path / "set.zarr.partial").mkdir()
    (tmp_path / "set.zarr.partial" / "precious").touch()
    with pytest.raises(ValueError, match=r"set\.zarr\.partial is something else"):
        write_training_set(tmp_path / "set.zarr", Ring(6), [1.0], 5, rng=1)
    assert (tmp_path / "set.zarr.partial" / "precious").exists()

    def meanwhile(_done, _total):
        (tmp_path / "other.zarr" / "file").mkdir(parents=True)

    with pytest.raises(ValueError, match=r"is there by now; the store is whole, as .*other\.zarr\.partial"):
        write_training_set(tmp_path / "other.zarr", Ring(6), [1.0], 5, rng=1, progress=meanwhile)
