"""netCDF files from strangers: each field of a training set or seven-step result made what it cannot be."""

import json
import sys

import numpy as np
import pytest

from rbmflow import Ring, TrainingSet, netcdf, training_set
from rbmflow.experiments.seven_steps import experiment as iso_shiba_yokoo
from rbmflow.experiments.seven_steps.parameters import Parameters
from rbmflow.experiments.seven_steps.result import IsoShibaYokoo
from rbmflow.netcdf import ALWAYS_PLAUSIBLE, read_dataset
from rbmflow.sampling.training_set import read_rows
from tests.test_crafted_files import DELETED, WRONG, changed, leaves, other_arrays, refused

xarray = pytest.importorskip("xarray")
pytest.importorskip("h5netcdf")
h5py = pytest.importorskip("h5py")


def each_field(monkeypatch, path, read, texts, may):
    """Change every variable and every member of JSON attributes in turn; `read` must refuse unless `may`."""
    whole = read_dataset(path, "a file")

    def crafted(dataset, why):
        # what the library gives for such a file, without the time to write it
        for module in (sys.modules["rbmflow.sampling.training_set"], netcdf):
            monkeypatch.setattr(module, "read_dataset", lambda *_: dataset)
        refused(path, read, why)

    for name in whole.variables:
        if name in whole.dims and name != "temperature":
            continue  # the names of the places along an axis, for the reader of the file
        for bad in other_arrays(whole[name].values):
            if not may((name,), bad):
                other = whole.drop_vars(name)
                if name in whole.dims and np.shape(None if bad is DELETED else bad) not in (
                    (),
                    whole[name].shape,
                ):
                    other = other.drop_dims(name)
                if bad is not DELETED:
                    other[name] = [name, *(f"{name}_{axis}" for axis in range(1, bad.ndim))][: bad.ndim], bad
                crafted(other, (name, bad))
    for text in texts:
        plain = json.loads(whole.attrs[text])
        others = [(where, new, changed(plain, where, new)) for where in leaves(plain) for new in WRONG]
        for where, new, other in others:
            if other is not None and not may((text, *where), new):
                crafted(whole.assign_attrs({text: json.dumps(other)}), (text, where, new))
        for raw in ("{", "[" * 10**5, 3, b"\xff", np.ones(2)):
            crafted(whole.assign_attrs({text: raw}), (text, raw))
        lacking = whole.copy()
        del lacking.attrs[text]
        crafted(lacking, text)


def test_training_sets_field_by_field(tmp_path, monkeypatch):
    path = tmp_path / "t.nc"
    training_set(Ring(4), [0.5, 2.0], 3, rng=1).save(path)
    open_ends = {
        "tau",
        "exact_stderr",
        *(f"energy_{part}" for part in ("stderr", "tau", "n_effective", "r_hat", "tau_stderr")),
    }

    def may(where, new):
        if where[0] in open_ends or where == ("temperature",):
            # what is not known is NaN, and T = ∞ a temperature
            unknown = np.nan if where[0] in open_ends else np.inf
            number = isinstance(new, np.ndarray) and new.dtype == np.float64 and new.shape == (2,)
            return number and bool(new[-1] == np.inf or (np.isnan(unknown) and np.isnan(new[-1])))
        if where[0] in ("burn_in", "thin"):
            return (
                isinstance(new, np.ndarray)
                and new.dtype == np.int64
                and new.shape == (2,)
                and new[-1] in (0, 3)
            )
        return where[0] == "provenance" and (len(where) > 1 or new is DELETED or isinstance(new, dict))

    each_field(monkeypatch, path, lambda: TrainingSet.load(path), ("lattice", "provenance"), may)


SMALL = Parameters(
    Ring(4), (0.0, 1.0, 4.0), n_samples=10, training_sets=("V", "L"), n_hidden=(2,), n_updates=3,
    n_snapshots=2, starts=(1.0,), maps=("gibbs",), n_steps=1, n_flow=3, thermometers=("energy",), n_seeds=1,
)  # fmt: skip


def half():
    kept = []

    class Enough(Exception):
        pass

    def stop(done, total, now):
        if done == 1:
            kept.append(now)
            raise Enough

    with pytest.raises(Enough):
        iso_shiba_yokoo.run(SMALL, rng=3, progress=stop)
    return kept[0]


def test_results_field_by_field(tmp_path, monkeypatch):
    path, result = tmp_path / "r.nc", half()
    with path.open("wb") as stream:
        result.save(stream)

    def may(where, new):
        name = where[0]
        if name == "temperature":
            return True  # an axis, which the parameters tell
        if name == "provenance":
            return where != ("provenance",) or new is DELETED or isinstance(new, dict)
        if name == "seed":
            return isinstance(new, (int, list)) and not isinstance(new, bool)
        if isinstance(new, np.ndarray):
            if name in ("visible_bias", "hidden_bias", "weights"):  # of the machine that is not there yet
                return new.dtype == np.float64 and new.shape == result.values[name].shape
            if name in result.values:
                return new.dtype == np.float64 and new.shape == result.values[name].shape
            return (
                name == "finished" and new.dtype == np.int8 and new.shape == (1, 2, 1) and new.flat[-1] == 0
            )
        if name == "seconds":
            return (
                len(where) == 2
                and isinstance(new, (int, float))
                and not isinstance(new, bool)
                and 0 <= new < 1e300
            )
        if name == "parameters" and len(where) > 1:
            fields = (
                "hot_from",
                "learning_rate",
                "k",
                "n_chains",
                "batch_size",
                "network_epochs",
                "n_updates",
                "starts",
                "temperatures",
            )
            return where[1] in fields and isinstance(new, (int, float)) and not isinstance(new, bool)
        return False

    each_field(
        monkeypatch,
        path,
        lambda: IsoShibaYokoo.load(path),
        ("parameters", "seed", "seconds", "provenance"),
        may,
    )


def test_what_is_altered_is_refused(tmp_path):
    path = tmp_path / "t.nc"
    training_set(Ring(4), [0.5, 2.0], 3, rng=1).save(path)
    with h5py.File(path, "r+") as file:
        file["energy_mean"][0] = -0.25
    refused(path, lambda: TrainingSet.load(path), "digest")


def test_files_that_are_said_to_hold_more_than_they_can(tmp_path):
    path, other = tmp_path / "bomb.nc", tmp_path / "secret"
    other.write_bytes(bytes(32))

    def crafted(make):
        with h5py.File(path, "w") as file:
            make(file)
        return path

    for make in (
        lambda file: file.create_dataset("spins", shape=(2**30, 2**30), dtype="i1", chunks=(1024, 1024)),
        lambda file: file.create_dataset(
            "spins", shape=(ALWAYS_PLAUSIBLE + 1, 1), dtype="i1", chunks=(1024, 1)
        ),
        lambda file: file.create_dataset("spins", shape=(4, 8), dtype="i1", external=[(str(other), 0, 32)]),
        lambda file: file.__setitem__("spins", h5py.ExternalLink(str(other), "/spins")),
        lambda file: file.__setitem__("spins", h5py.SoftLink("/elsewhere")),
        lambda file: file.create_virtual_dataset("spins", h5py.VirtualLayout((4, 8), "i1")),
    ):
        crafted(make)
        refused(path, lambda: read_rows(path), make)
        refused(path, lambda: TrainingSet.load(path), make)
