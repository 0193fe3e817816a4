"""The seven-step experiment: its parts, resumption, workers, files; small, with the exact thermometer."""

import io
import json
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from importlib.util import find_spec
from multiprocessing import get_context

import numpy as np
import pytest

from rbmflow import RBM, Chain, Ring, Torus, flow, trained_weight_from_samples, training_set
from rbmflow.experiments.seven_steps import experiment as iso_shiba_yokoo
from rbmflow.experiments.seven_steps import steps as seven_steps
from rbmflow.experiments.seven_steps import tables as iso_tables
from rbmflow.experiments.seven_steps.experiment import IsoShibaYokoo, Parameters, run
from rbmflow.experiments.seven_steps.parameters import SETS, on_lattice
from rbmflow.ising import Honeycomb, Hypercubic, Triangular

STORED = all(map(find_spec, ("xarray", "h5netcdf", "h5py")))
SMALL = Parameters(
    Torus(4, 4),
    (0.0, 2.0, 3.0, 5.0),
    n_samples=40,
    n_hidden=(3, 20),
    n_updates=40,
    n_snapshots=3,
    starts=(0.0, 3.0, float("inf")),
    maps=("mean_field", "mean_field_sampled", "gibbs", "sign"),
    n_steps=3,
    n_flow=30,
    thermometers=("energy", "magnetization"),
    n_seeds=2,
)


@pytest.fixture(scope="module")
def result():
    return run(SMALL, rng=4)


def same(a, b):
    assert set(a.values) == set(b.values)
    for name, array in a.values.items():
        np.testing.assert_array_equal(array, b.values[name], err_msg=name)
    np.testing.assert_array_equal(a.finished, b.finished)


def test_everything_is_there(result):
    assert result.complete
    for name, array in result.values.items():
        assert array.shape == tuple(result.sizes[axis] for axis in result.dimensions(name)), name
    for name in ("magnetization", "energy", "excess", "correlation_1", "temperature_energy", "displacement"):
        assert result.values[name].shape == (2, 5, 2, 4, 3, 4)
    assert np.isnan(result.values["weights"][:, :, 0, :, 3:]).all()
    assert np.isfinite(result.values["weights"][:, :, 1]).all()


def test_flows_are_those_of_the_trained_machines(result):
    rbm = result.model(1, "V", 20)
    assert rbm.weights.shape == (16, 20)
    np.testing.assert_allclose(
        result.values["singular_values"][1, 0, 1, -1], flow.spectrum(rbm).singular_values, rtol=1e-14
    )
    # from T = 0 the mean-field flow starts aligned:
    # m of its steps follows from the machine alone, up to the sign
    up = np.ones((1, 16))
    for step in range(4):
        down = flow.mean_field(rbm, -up, n_steps=step) if step else -up
        here = flow.mean_field(rbm, up, n_steps=step) if step else up
        m = result.values["order_parameter"][1, 0, 1, 0, 0, step]
        assert (
            min(abs(here.mean()), abs(down.mean())) - 1e-12
            <= m
            <= max(abs(here.mean()), abs(down.mean())) + 1e-12
        )
    assert result.values["settled"][1, 0, 1, -1] == pytest.approx(
        np.abs(flow.mean_field(rbm, up, n_steps=500).mean()), abs=0.05
    )
    # a sign map leads to ±1 or 0
    assert (result.values["order_parameter"][:, :, :, 3, :, 1:] <= 1).all()


def test_starts_and_readings(result):
    # T = 0: energy −2 exactly, read as T = 0; T = ∞: 30 configurations of 16 spins, standard error of E 0.065
    energy, reading = result.values["energy"], result.values["temperature_energy"]
    assert (energy[:, :, :, :, 0, 0] == -2).all()
    assert (reading[:, :, :, :, 0, 0] == 0).all()
    assert (np.abs(energy[:, :, :, :, 2, 0]) < 5 * 0.065).all()
    assert np.isfinite(result.values["energy_reading"]).any()


@pytest.mark.parametrize(
    "executor", [None, *[pytest.param(name, marks=pytest.mark.slow) for name in ("threads", "processes")]]
)
def test_interruptions_and_workers_change_nothing(result, executor):
    class Enough(Exception):
        pass

    kept = []

    def stop(done, total, now):
        kept.append((done, now))
        assert total == 20
        if done == 7:
            raise Enough

    with pytest.raises(Enough):
        run(SMALL, rng=4, progress=stop)
    assert kept[0][0] == 0
    half = kept[-1][1]
    assert half.finished.sum() == 7
    assert not half.complete
    if executor == "processes":
        pool = ProcessPoolExecutor(2, mp_context=get_context("spawn"))
    else:
        pool = ThreadPoolExecutor(3) if executor else None
    try:
        again = run(SMALL, rng=4, resume=half, executor=pool)
    finally:
        if pool is not None:
            pool.shutdown()
    same(again, result)
    assert half.finished.sum() == 7  # what was given is not changed


@pytest.mark.skipif(not STORED, reason="files need the extra data")
@pytest.mark.parametrize("thermometers", [("energy", "magnetization"), ("network",)], ids=str)
def test_data_and_thermometers_go_on_from_the_file(tmp_path, monkeypatch, thermometers):
    if thermometers == ("network",):
        pytest.importorskip("sklearn", reason="the extra learn is absent")
    small = replace(
        SMALL, thermometers=thermometers, training_sets=("V", "H"), n_hidden=(3,), network_epochs=2
    )
    whole, path = run(small, rng=6), tmp_path / "half.nc"
    assert whole.prepared == {}

    class Enough(Exception):
        pass

    def stop(done, total, now):
        with path.open("wb") as stream:
            now.save(stream)
        if done == 1:
            assert sorted(now.prepared) == [0, 1]
            raise Enough

    with pytest.raises(Enough):
        run(small, rng=6, progress=stop)
    monkeypatch.setattr(iso_shiba_yokoo, "prepare", None)  # nothing is left to prepare
    half = IsoShibaYokoo.load(path)
    assert half.finished.sum() == 1
    assert half.prepared[0].data.spins.dtype == np.int8
    same(run(small, rng=6, resume=half), whole)


def test_other_seeds_and_parameters_are_not_resumed(result):
    for parameters, rng in ((SMALL, 5), (replace(SMALL, n_steps=2), 4)):
        with pytest.raises(ValueError, match="resume belongs to"):
            run(parameters, rng=rng, resume=result)
    spawned = np.random.default_rng(4)
    spawned.spawn(1)
    with pytest.raises(ValueError, match="resume belongs to"):
        run(SMALL, rng=spawned, resume=result)


@pytest.mark.skipif(not STORED, reason="files need the extra data")
def test_files(result, tmp_path):
    path = tmp_path / "one.nc"
    with path.open("wb") as stream:
        result.save(stream)
    again = IsoShibaYokoo.load(path)
    same(again, result)
    assert (again.parameters, again.seed, again.seconds) == (SMALL, 4, result.seconds)
    whole = path.read_bytes()
    for n in (0, 100, len(whole) // 2, len(whole) - 50):
        path.write_bytes(whole[:n])
        with pytest.raises(ValueError, match=r"one\.nc: not a netCDF file") as caught:
            IsoShibaYokoo.load(path)
        assert len(str(caught.value).splitlines()) == 1
    path.write_bytes(whole.replace(b"seven steps 1", b"seven steps 9"))
    with pytest.raises(ValueError, match="this version reads 'rbmflow seven steps 1'"):
        IsoShibaYokoo.load(path)
    with pytest.raises(OSError, match="none"):
        IsoShibaYokoo.load(tmp_path / "none.nc")
    training_set(Ring(8), [1.0], 10, rng=1).save(path)
    with pytest.raises(ValueError, match="its format is 'rbmflow training set 1'"):
        IsoShibaYokoo.load(path)


def test_training_sets():
    data = training_set(SMALL.lattice, SMALL.temperatures, 40, rng=1)
    rows = {kind: seven_steps.rows_of(kind, SMALL, data, np.random.default_rng(2)) for kind in SETS}
    assert {kind: len(part) for kind, part in rows.items()} == {
        "V": 160, "H": 40, "L": 40, "ends": 80, "mean_field": 160,
    }  # fmt: skip
    np.testing.assert_array_equal(rows["H"], data.spins[3])
    assert (np.abs(rows["L"].sum(axis=1)) == 16).all()
    assert (np.abs(rows["ends"][:40].sum(axis=1)) == 16).all()
    for part in rows.values():
        assert part.dtype == np.int8
        assert set(np.unique(part)) == {-1, 1}
    # spins without a lattice: no correlation beyond m², five standard errors of 40,000 configurations
    many = replace(SMALL, n_samples=40_000, temperatures=(2.0, 5.0), training_sets=("mean_field",))
    spins = seven_steps.rows_of("mean_field", many, data, np.random.default_rng(3)).reshape(2, 40_000, 16)
    m = seven_steps.mean_field_magnetization(2.0, 4)
    assert m == pytest.approx(np.tanh(4 * m / 2.0), rel=1e-12, abs=0)
    excess = flow.lattice_observables(SMALL.lattice)["excess"]
    for part, mean in zip(spins, (m, 0.0), strict=True):
        wanted = 2 * (1 - mean**2) / 16
        found = excess(part)
        assert abs(found.mean() - wanted) < 5 * found.std() / 200
        assert abs(np.square(part.mean(axis=1)).mean() - (mean**2 + (1 - mean**2) / 16)) < 0.003


def test_mean_field_magnetization():
    assert seven_steps.mean_field_magnetization(0.0, 4) == 1
    assert seven_steps.mean_field_magnetization(4.0, 4) == 0
    assert seven_steps.mean_field_magnetization(9.0, 4) == 0
    for T in (0.1, 1.0, 3.0, 3.9, 3.999999):
        m = seven_steps.mean_field_magnetization(T, 4)
        assert 0 < m <= 1
        assert m == pytest.approx(np.tanh(4 * m / T), rel=1e-9, abs=0)


def test_snapshots_reach_the_last_epoch():
    epochs = seven_steps.snapshots_of(replace(SMALL, n_updates=1000, n_snapshots=5), 160)
    assert (epochs[0], epochs[-1]) == (1, 500)
    assert (np.diff(epochs) > 0).all()


def test_the_uniform_machine_beside_each(result):
    W, m = (result.values[name][0, 2, 0] for name in ("uniform_weight", "uniform_settled"))
    assert (W, m) == (np.inf, 1)  # type L: all aligned
    data = training_set(SMALL.lattice, [0.0, 2.0], 30, rng=1)
    W = trained_weight_from_samples(data.configurations, 3).mean
    found = seven_steps._uniform(data.configurations, 3)
    assert found["uniform_weight"] == W
    m = flow.mean_field(RBM.uniform(16, 3, W), np.ones((1, 16)), n_steps=5000)[0, 0]
    assert found["uniform_settled"] == pytest.approx(m, abs=1e-9)


def test_tables(result):
    tables = iso_tables.tables(result)
    assert len(tables["machines"].columns["n_hidden"]) == 10
    assert len(tables["ends"].columns["map"]) == 5 * 2 * 4 * 3
    assert tables["calibration"].columns["temperature"] == list(SMALL.temperatures)
    null = tables["null_calibration"].columns
    assert null["m"] == list(seven_steps.NULL_MAGNETIZATIONS)
    for name in ("energy", "magnetization"):
        assert null[f"{name}_reading"] == result.values[f"{name}_null"].mean(axis=0).tolist()
    assert "Torus of 4 x 4 sites, means of 2 seeds with 68 % intervals" in tables["machines"].caption
    lines = iso_tables.summary(result)
    assert lines[0].startswith("V, 3 hidden units: |m| = ")
    assert " ± " in lines[0]


def test_machines_that_are_not_there(result):
    for wrong in ((2, "V", 3), (-1, "V", 3), (0, "X", 3), (0, "V", 4)):
        with pytest.raises(ValueError, match="there is no such machine"):
            result.model(*wrong)


@pytest.mark.parametrize(
    ("bad", "error", "words"),
    [
        ({"lattice": 4}, TypeError, "lattice=4"),
        ({"temperatures": (1.0,)}, ValueError, "temperatures="),
        ({"temperatures": (2.0, 1.0)}, ValueError, "each above the one before"),
        ({"temperatures": (-1.0, 1.0)}, ValueError, "T >= 0"),
        ({"temperatures": (0.0, float("inf"))}, ValueError, "finite"),
        ({"temperatures": (0.0, float("nan"))}, ValueError, "NaN"),
        ({"temperatures": ("a", "b")}, TypeError, "temperatures"),
        ({"temperatures": (0.0, 1.0)}, ValueError, "hot_from=4.0"),
        ({"temperatures": (1.0, 5.0)}, ValueError, "type L needs T = 0"),
        ({"starts": ()}, ValueError, "starts"),
        ({"starts": (-2.0,)}, ValueError, "starts"),
        ({"n_hidden": (0,)}, ValueError, "n_hidden=0"),
        ({"n_hidden": ()}, ValueError, "n_hidden"),
        ({"n_hidden": (4, 4)}, ValueError, "twice"),
        ({"n_hidden": (2.5,)}, TypeError, "n_hidden=2.5"),
        ({"training_sets": ("V", "V")}, ValueError, "training_sets"),
        ({"training_sets": ("W",)}, ValueError, "training_sets"),
        ({"maps": ()}, ValueError, "maps"),
        ({"thermometers": ("mercury",)}, ValueError, "thermometers"),
        ({"negative": "exact"}, ValueError, "negative='exact'"),
        ({"k": 0}, ValueError, "k=0"),
        ({"learning_rate": -0.1}, ValueError, "learning_rate"),
        ({"n_samples": 0}, ValueError, "n_samples=0"),
        ({"n_seeds": 0}, ValueError, "n_seeds=0"),
        ({"n_updates": 0}, ValueError, "n_updates=0"),
    ],
)
def test_parameters_that_are_not_possible(bad, error, words):
    with pytest.raises(error, match=words):
        replace(SMALL, **bad)
    if "lattice" not in bad:
        with pytest.raises(TypeError, match="parameters="):
            run(bad, rng=1)


@pytest.mark.parametrize("lattice", [Ring(12), Torus(4, 6)], ids=str)
def test_parameters_say_the_lattice_by_its_sides_or_by_name(lattice):
    asked = replace(SMALL, lattice=lattice)
    plain = json.loads(json.dumps(asked.to_json()))
    assert plain["lattice"] == list(lattice.shape)
    assert Parameters.from_json(plain) == asked
    assert Parameters.from_json({**plain, "lattice": lattice.to_json()}) == asked
    with pytest.raises(ValueError, match="lattice=torus"):
        Parameters.from_json({**plain, "lattice": "torus"})


@pytest.mark.parametrize("negative", ["pcd", "tempered"])
def test_other_negative_phases(negative):
    small = replace(
        SMALL, negative=negative, n_chains=10, training_sets=("V",), n_hidden=(3,), n_seeds=1, maps=("gibbs",)
    )
    assert run(small, rng=1).complete


def test_the_control_in_one_dimension():
    # exact samples and the exact thermometer: trained on T = 0 ... 6
    # the flow from T = 6 orders, though nothing is critical there
    pytest.importorskip("threadpoolctl", reason="comes with the extra learn")
    small = replace(
        iso_shiba_yokoo.ring(64), n_samples=200, training_sets=("V",), n_hidden=(64,), n_updates=1500,
        starts=(0.0, 6.0), maps=("mean_field", "gibbs"), n_steps=20, n_flow=200, thermometers=("energy",),
        n_seeds=1,
    )  # fmt: skip
    found = run(small, rng=2)
    start, end = found.values["temperature_energy"][0, 0, 0, 0, 1, [0, -1]]
    assert start == pytest.approx(6, abs=1.0)
    assert 0.2 < end < 3
    assert found.values["settled"][0, 0, 0, -1] > 0.5


@pytest.mark.parametrize("name", ["quick", "full"])
def test_other_sizes(name):
    made = getattr(iso_shiba_yokoo, name)(iso_shiba_yokoo.ring(32))
    assert made.lattice == Ring(32)
    assert 0 < iso_shiba_yokoo.estimate_seconds(SMALL, 2) < 600


LATTICES = [
    (Triangular(4, 4), "E + 3m²", "a triangular lattice of 4 × 4, 16 spins", "3.6410"),
    (Honeycomb(2, 3), "E + 1.5m²", "a honeycomb lattice of 2 × 3, 12 spins", "1.5187"),
    (Hypercubic((2, 2, 3)), "E + 3m²", "a cubic lattice of 2 × 2 × 3, 12 spins", "4.5115"),
    (
        Hypercubic((3, 4), periodic=(True, False), couplings=(1.0, 0.5)),
        "E + 1.38m²",
        "a square lattice of 3 × 4, open along axis 1, J = 1, 0.5, 12 spins",
        "1.6410",
    ),
]


@pytest.mark.parametrize(
    ("lattice", "excess", "where", "T_c"), LATTICES, ids=lambda one: getattr(one, "name", "")
)
def test_every_lattice_has_its_own_texts(lattice, excess, where, T_c, tmp_path, monkeypatch):
    # the coefficient of m² is the energy of aligned spins
    small = seven_steps_of_lattice(lattice)
    found = run(small, rng=4)
    assert found.complete
    assert iso_tables.excess_of(lattice) == excess
    starts = found.values["energy"][0, 0, 0, 0, 0, 0], found.values["temperature_energy"][0, 0, 0, 0, 0, 0]
    assert starts == pytest.approx(
        (flow.lattice_observables(lattice)["energy"](np.ones((1, lattice.n_sites)))[0], 0)
    )
    assert ("correlation_1" in found.values) == lattice.translation_invariant
    if STORED:
        found.save(path := tmp_path / "one.nc")
        same(IsoShibaYokoo.load(path), found)
    from rbmflow.experiments.seven_steps.report import render
    from rbmflow.provenance import provenance

    page = render(found, iso_tables.tables(found), {}, provenance(small.to_json(), 4))
    assert where in page
    assert T_c in page
    assert excess.replace("E", "<i>E</i>").replace("m", "<i>m</i>") in page
    assert "$" not in page
    if lattice.name != "honeycomb":
        return
    pytest.importorskip("matplotlib", reason="figures are an extra")
    from rbmflow.experiments.seven_steps.figures import draw_flows, draw_thermometers

    monkeypatch.setattr("rbmflow.experiments.seven_steps.figures.has_exact_curve", lambda _: False)
    labels = {panel.get_ylabel() for panel in draw_flows(found)}
    assert "T read by\nenergy,\nmeasured curve, $J/k_B$" in labels
    monkeypatch.undo()
    labels = {panel.get_ylabel() for panel in draw_flows(found)}
    assert {f"{excess}, J", "T read by\nenergy, exact, $J/k_B$"} <= labels
    lines = draw_thermometers(found)[0].get_lines()
    assert any(list(line.get_xdata()) == pytest.approx([1 / lattice.critical_coupling] * 2) for line in lines)


def seven_steps_of_lattice(lattice):
    made = on_lattice(
        replace(SMALL, training_sets=("V", "L", "mean_field"), n_seeds=1, n_hidden=(3,)), lattice
    )
    return replace(
        made, temperatures=made.temperatures[::8], starts=made.starts[:2], maps=("mean_field", "gibbs")
    )


def test_temperatures_go_with_the_critical_one():
    assert on_lattice(Parameters(), Torus(10, 10)) == Parameters()
    for lattice in (Triangular(10, 10), Honeycomb(7, 7), Hypercubic((5, 5, 5))):
        asked, T_c = on_lattice(Parameters(), lattice), 1 / lattice.critical_coupling
        assert len(asked.temperatures) == 25
        assert asked.starts[1] == pytest.approx(T_c, rel=0.02)
        assert asked.hot_from / T_c == pytest.approx(4.0 / Torus(10, 10).critical_coupling ** -1, rel=0.03)
    for lattice in (Ring(9), Triangular(4, 4, couplings=-1.0)):
        assert (
            on_lattice(SMALL, lattice if lattice == Ring(9) else Chain(9)).temperatures == SMALL.temperatures
        )


def test_frustrated_lattices_have_no_cold_training_set():
    frustrated = Triangular(3, 3, couplings=-1.0)
    with pytest.raises(ValueError, match="not all of its bonds can be satisfied at once"):
        replace(SMALL, lattice=frustrated)
    warm = replace(
        SMALL, lattice=frustrated, temperatures=(1.0, 3.0, 5.0), starts=(1.0,), n_seeds=1, n_hidden=(3,),
        training_sets=("V", "H", "mean_field"), maps=("gibbs",), thermometers=("energy",),
    )  # fmt: skip
    assert run(warm, rng=1).complete
    staggered = replace(SMALL, lattice=Hypercubic((2, 2), periodic=False, couplings=-1.0))
    rows = seven_steps.rows_of(
        "L", staggered, training_set(Ring(4), [1.0], 1, rng=1), np.random.default_rng(1)
    )
    assert {tuple(row) for row in rows.tolist()} == {(1, -1, -1, 1), (-1, 1, 1, -1)}


def test_figures_are_drawn(result):
    pytest.importorskip("matplotlib", reason="figures are an extra")
    from rbmflow.experiments import style
    from rbmflow.experiments.seven_steps.figures import FIGURES
    from rbmflow.experiments.seven_steps.report import render
    from rbmflow.provenance import provenance
    from tests.experiments.cropped import cut_texts

    figures = {name: style.figure_of(draw(result)) for name, draw in FIGURES.items()}
    pictures = {}
    for name, figure in figures.items():
        style.save(figure, stream := io.BytesIO(), "svg", 50)
        pictures[name] = stream.getvalue()
        assert not cut_texts(figure)
    panels = figures["flows"].get_axes()
    labels = [panel.get_ylabel() for panel in panels if panel.get_ylabel()]
    assert "exact" in labels[0]  # the exact thermometer leads
    assert all("J/k_B" in label for label in labels if label.startswith("T read"))
    last = figures["fixed_points"].get_axes()[2]
    assert "mean field, from T = " in last.get_title()
    assert last.get_ylim()[1] <= 1.5 * SMALL.temperatures[-1]
    page = render(result, iso_tables.tables(result), pictures, provenance(SMALL.to_json(), 4))
    assert page.count("data:image/svg+xml") == len(pictures)
    assert "$" not in page
