"""Arrays of pandas, polars and xarray as arguments; chains as arviz reads them."""

import warnings

import numpy as np
import pytest

from rbmflow import RBM, Graph, Ring, Torus, trained_weight
from rbmflow.autocorrelation import rank_normalised_r_hat
from rbmflow.experiments import capacity, weight_map
from rbmflow.records.equality import same
from rbmflow.sampling import boltzmann_chains, complete, replica_exchange, run
from rbmflow.spins import check_spins
from rbmflow.training import Incomplete
from tests.public_calls import BOLTZMANN, KNOWN, calls


def _of_pandas(array):
    pandas = pytest.importorskip("pandas")
    return {1: pandas.Series, 2: pandas.DataFrame}[array.ndim](array)


def _of_polars(array):
    polars = pytest.importorskip("polars")
    return {1: polars.Series, 2: polars.DataFrame}[array.ndim](array)


def _of_xarray(array):
    return pytest.importorskip("xarray").DataArray(array)


MAKERS = {
    "pandas": _of_pandas,
    "pandas that can miss": lambda array: _of_pandas(array).convert_dtypes(),
    "polars": _of_polars,
    "xarray": _of_xarray,
}


def _arrays(call):
    """The arguments that are arrays of one or two axes."""
    for name, value in call.arguments.items():
        if name != "rng" and isinstance(value, (np.ndarray, list)):
            array = np.array(value, dtype=object)
            if array.ndim in (1, 2) and {type(one) for one in array.flat} <= {int, float, bool}:
                yield name, np.asarray(value)


@pytest.mark.parametrize("maker", MAKERS)
def test_labelled_arrays_are_arrays(maker):
    tried = 0
    for name, call in calls().items():
        if name.startswith(("plot.", "estimator.")) or name == "flow.lattice_observables":
            continue  # figures; scikit-learn's own checks; functions
        arrays = dict(_arrays(call))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanted = call() if arrays else None
            for parameter, array in arrays.items():
                assert same(call(**{parameter: MAKERS[maker](array)}), wanted), (name, parameter)
        tried += len(arrays)
    assert tried > 100


@pytest.mark.parametrize("maker", MAKERS)
def test_couplings_come_back_as_arrays(maker):
    K = np.array([0.25, 0.5])
    found = trained_weight(MAKERS[maker](K), 8, 4)
    assert type(found) is np.ndarray
    np.testing.assert_array_equal(found, trained_weight(K, 8, 4))


def test_labelled_numbers_are_numbers():
    xarray = pytest.importorskip("xarray")
    assert Ring(xarray.DataArray(6)) == Ring(6)
    with pytest.raises(TypeError, match=r"n_sites=.*an integer is needed"):
        Ring(xarray.DataArray([6, 7]))


def test_what_is_missing_in_pandas_is_missing():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1, -1], "b": [None, 1]}, dtype="Int8")
    assert Incomplete(frame).missing.tolist() == [[False, True], [False, False]]
    rows, machine = [[1, np.nan], [-1, 1]], RBM.uniform(2, 1, 0.5)
    one, two = (complete(machine, given, n_chains=2, n_sweeps=2, rng=1) for given in (rows, frame))
    assert one.equals(two)
    with pytest.raises(ValueError, match="v holds nan: spins"):
        check_spins("v", frame)
    for wrong in (pandas.Series(["1", "-1"]), pandas.Series([1, None], dtype=object)):
        with pytest.raises(TypeError, match="v has dtype"):
            check_spins("v", wrong)


def test_bonds_of_a_frame():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"from": [0, 1], "to": [1, 2]})
    assert Graph.from_bonds(3, frame) == Graph.from_bonds(3, [(0, 1), (1, 2)])


@pytest.fixture
def arviz():
    pytest.importorskip("xarray")
    found = pytest.importorskip("arviz_stats")
    if not hasattr(found, "ess"):
        pytest.skip("arviz_stats without xarray")
    return found


def test_arviz_reads_a_run(arviz):
    chains = run(Torus(6, 6), 0.4, n_chains=4, n_sweeps=500, burn_in=100, rng=1)
    data = chains.to_xarray()
    assert data.energy.dims == ("chain", "draw")
    assert data.spins.dims == ("chain", "draw", "site")
    np.testing.assert_array_equal(data.spins.values, chains.spins)
    assert (float(data.K), data.attrs["lattice"], data.attrs["thin"]) == (0.4, "torus of 6 x 6", 1)
    ours = chains.energy_estimate
    assert float(arviz.rhat(data).energy) == pytest.approx(ours.r_hat, abs=1e-12)
    # by Geyer's pairs there and Sokal's window here
    assert float(arviz.ess(data, method="mean").energy) == pytest.approx(ours.n_effective, rel=0.2)
    assert set(arviz.ess(data)) == {"energy", "magnetization", "spins"}
    assert arviz.summary(data, var_names=["energy"])["mean"].shape == (1,)


def test_arviz_reads_several_couplings(arviz):
    K = [0.5, 0.2, 0.2, 0.5, 0.2, 0.5]
    chains = run(Ring(8), K, n_sweeps=200, keep_spins=False, rng=1)
    data = chains.to_xarray()
    assert data.energy.dims == ("chain", "draw", "K")
    assert data.K.values.tolist() == [0.2, 0.5]
    found = arviz.rhat(data).energy
    for one in (0.2, 0.5):
        np.testing.assert_array_equal(data.energy.sel(K=one).values, chains.at(one).energy)
        wanted = chains.at(one).energy_estimate.r_hat
        assert float(found.sel(K=one)) == pytest.approx(wanted, abs=1e-12)
    with pytest.raises(ValueError, match=r"there are 1 to 2 chains of a coupling: choose one with run.at"):
        run(Ring(8), [0.1, 0.1, 0.5], n_sweeps=4, rng=1).to_xarray()


def test_arviz_reads_ladders(arviz):
    ladders = replica_exchange(Torus(4, 4), [0.2, 0.3, 0.4], n_ladders=4, n_sweeps=300, rng=1)
    data = ladders.to_xarray()
    np.testing.assert_array_equal(data.energy.transpose("chain", "K", "draw").values, ladders.energy)
    np.testing.assert_array_equal(data.round_trips.values, ladders.round_trips)
    np.testing.assert_array_equal(data.rates.values, ladders.rates)
    found = arviz.rhat(data)
    assert set(found) == {"energy", "magnetization"}
    for rung, one in enumerate(found.energy.values):
        assert one == pytest.approx(rank_normalised_r_hat(ladders.energy[:, rung]), abs=1e-12)


def test_arviz_reads_samples_of_a_boltzmann_machine(arviz):
    made = boltzmann_chains(BOLTZMANN, n_chains=4, n_sweeps=200, thin=2, rng=1)
    assert arviz.ess(made.to_xarray()).spins.shape == (BOLTZMANN.n_units,)


def test_training_sets_and_maps_as_datasets():
    pytest.importorskip("xarray")
    data = KNOWN.to_xarray()
    np.testing.assert_array_equal(data.spins.sel(temperature=2.0).values, KNOWN.spins[1])
    assert data.energy_mean.values.tolist() == [one.energy.mean for one in KNOWN.certificate]
    found = weight_map.run(weight_map.Parameters(8, n_couplings=3, n_ratios=4)).to_xarray()
    wanted = trained_weight(found.K.values, 8, 3)
    np.testing.assert_array_equal(found.weight.sel(n_hidden=3).values, wanted)


def test_tables_of_an_experiment_as_a_tree():
    pytest.importorskip("xarray")
    found = capacity.run(capacity.Parameters((20,), (0.05, 0.1), n_networks=2, n_probes=3), rng=1)
    tree = found.to_xarray()
    assert tree["capacity"]["load"].values.tolist() == found.tables["capacity"].columns["load"]
    missing = found.tables["half_loads"].columns["half_load"]
    assert np.isnan(tree["half_loads"]["half_load"].values).tolist() == [one is None for one in missing]
