"""Sweeps: the numbers of a plain loop, the same bits wherever and however often they were stopped."""

import csv
import functools
import io
import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

import numpy as np
import pytest

import rbmflow
from rbmflow import RBM, Ring, Torus
from rbmflow.checkpoints import Checkpoints
from rbmflow.experiments.sweep import Plan, arguments_of, can_be_drawn, draw_sweep, records, sweep
from rbmflow.experiments.sweep.calls import public
from rbmflow.experiments.sweep.plan import label
from rbmflow.experiments.sweep.run import record, stream_of
from tests.public_calls import public_names

WEIGHTS = Plan("trained_weight", {"K": [0.5, 1.0, 2.0], "n_hidden": [4, 8]}, {"n_visible": 8})
DRAWN = Plan(
    "sampling.run",
    {"lattice.n_sites": [6, 8], "K": [0.2, 0.5]},
    {"lattice": {"call": "Ring", "n_sites": 0}, "n_chains": 32, "n_sweeps": 200, "n_threads": 1},
    ["energy_estimate.mean", "energy.0.3"],
    seeds=2,
)


def bits(found):
    return {name: (column.dtype, column.shape, column.tobytes()) for name, column in found.columns.items()}


def as_text(found):
    stream = io.BytesIO()
    found.write_csv(stream)
    return stream.getvalue().decode()


def test_the_numbers_are_those_of_a_loop():
    found = sweep(WEIGHTS)
    plain = [[rbmflow.trained_weight(K, 8, N) for N in (4, 8)] for K in (0.5, 1.0, 2.0)]
    np.testing.assert_array_equal(found.columns["trained_weight"], plain)
    rows = list(csv.DictReader(io.StringIO(as_text(found))))
    assert [float(row["trained_weight"]) for row in rows] == list(itertools.chain(*plain))
    assert [(row["K"], row["n_hidden"]) for row in rows[:3]] == [("0.5", "4"), ("0.5", "8"), ("1.0", "4")]


def test_every_point_has_a_stream_of_its_own():
    found = sweep(DRAWN, rng=7)
    assert found.columns["energy.0.3"].shape == (2, 2, 2)
    streams = np.random.default_rng(7).spawn(1)[0].bit_generator.seed_seq.spawn(8)
    for index, (n, K, _) in enumerate(itertools.product((6, 8), (0.2, 0.5), range(2))):
        how = {"n_chains": 32, "n_sweeps": 200, "n_threads": 1}
        run = rbmflow.sampling.run(Ring(n), K, rng=np.random.default_rng(streams[index]), **how)
        assert found.columns["energy.0.3"].ravel()[index] == run.energy[0, 3]
        assert found.columns["energy_estimate.mean"].ravel()[index] == run.energy_estimate.mean
    generator = np.random.default_rng(7)
    assert bits(sweep(DRAWN, rng=generator)) == bits(found)
    assert bits(sweep(DRAWN, rng=generator)) != bits(found)  # the next child


def test_inner_calls_draw_from_streams_of_their_own():
    data = {"call": "Ring.sample", "self": {"call": "Ring", "n_sites": 6}, "K": 0.5, "size": 20}
    machine = {"call": "RBM.uniform", "n_visible": 6, "n_hidden": 2, "weight": 0.1}
    plan = Plan(
        "flow.orbit", {"step": [{"name": "flow.mean_field_sampled"}, {"name": "flow.sign"}]},
        {"rbm": machine, "v0": data, "n_steps": 2}, ["order_parameter.-1.mean"],
    )  # fmt: skip
    found = sweep(plan, rng=3)
    assert [label(one) for one in plan.axes["step"]] == ["flow.mean_field_sampled", "flow.sign"]
    child = np.random.default_rng(3).spawn(1)[0].bit_generator.seed_seq.spawn(2)[1]
    v0 = Ring(6).sample(0.5, 20, rng=np.random.default_rng(child.spawn(2)[1]))
    orbit = rbmflow.flow.orbit(rbmflow.flow.sign, RBM.uniform(6, 2, 0.1), v0, 2)
    assert found.columns["order_parameter.-1.mean"][1] == orbit.order_parameter[-1].mean


class Stopped(Exception):
    pass


@pytest.mark.parametrize("seconds", [0.0, 1000.0])
@pytest.mark.parametrize("threads", [0, 2])
def test_what_is_recorded_is_not_computed_again(tmp_path, monkeypatch, seconds, threads):
    whole, made = sweep(DRAWN, rng=1), []
    pool = ThreadPoolExecutor(threads) if threads else None
    run = rbmflow.sampling.run

    @functools.wraps(run)
    def counted(*arguments, **keywords):
        if len(made) >= stop:
            raise Stopped
        made.append(keywords["K"])
        return run(*arguments, **keywords)

    monkeypatch.setattr(rbmflow.sampling, "run", counted)
    public.cache_clear()
    told = []
    for stop in (3, 4, 100):
        kept = Checkpoints(tmp_path / "partial", arguments_of(DRAWN, 1), seconds)
        how = {"rng": 1, "executor": pool, "checkpoints": kept, "progress": lambda *now: told.append(now)}
        if stop < 100:
            with pytest.raises(Stopped):
                sweep(DRAWN, **how)
        else:
            assert bits(sweep(DRAWN, **how)) == bits(whole)
    public.cache_clear()
    if pool is None:  # on an executor what others did at the moment of the stop is lost
        assert len(made) == 8
    assert told[-1] == (8, 8)
    with pytest.raises(ValueError, match=r"other arguments left it \(seed\)"):
        Checkpoints(tmp_path / "partial", arguments_of(DRAWN, 2))
    other = Plan("trained_weight", {"K": [0.5]}, {"n_visible": 8, "n_hidden": 4})
    with pytest.raises(ValueError, match=r"other arguments left it \(call, arguments, axes, results, seeds"):
        Checkpoints(tmp_path / "partial", arguments_of(other, 1))
    if pool is not None:
        pool.shutdown()


def different(kind):
    """Results of several kinds."""
    return {"a": 1} | {"b": {"x": 0.5}, "c": {"x": None}, "d": {"text": "µ"}, "e": {"a": 2**70}}[kind]


def test_results_of_several_kinds(tmp_path):
    plan = Plan(different, {"kind": list("abcde"[1:])})
    found = sweep(plan)
    kinds = {name: column.dtype.kind for name, column in found.columns.items()}
    assert kinds == {"a": "U", "x": "f", "text": "U"}
    assert found.columns["a"].tolist() == ["1", "1", "1", str(2**70)]
    np.testing.assert_array_equal(found.columns["x"], [0.5, np.nan, np.nan, np.nan])
    assert as_text(found).splitlines()[1:3] == ["b,1,0.5,", "c,1,,"]
    stream = io.BytesIO()
    found.write_json(stream)
    assert json.loads(stream.getvalue())[0] == {"kind": "b", "a": "1", "x": 0.5, "text": ""}
    kept = Checkpoints(tmp_path / "partial", arguments_of(plan, 1), 0.0)
    assert bits(sweep(plan, rng=1, checkpoints=kept)) == bits(found)
    kept = Checkpoints(tmp_path / "partial", arguments_of(plan, 1), 0.0)
    assert bits(sweep(plan, rng=1, checkpoints=kept)) == bits(found)  # out of its records
    assert kept.names


def test_large_columns_lie_in_files(tmp_path, monkeypatch):
    plain = sweep(WEIGHTS)
    monkeypatch.setattr(records, "ON_DISK", 8)
    kept = Checkpoints(tmp_path / "partial", arguments_of(WEIGHTS, 1), 0.0)
    found = sweep(WEIGHTS, rng=1, checkpoints=kept)
    assert isinstance(found.columns["trained_weight"].base, np.memmap)
    assert bits(found) == bits(plain)
    kept.remove()
    assert list(tmp_path.iterdir()) == []
    assert as_text(found) == as_text(plain)


@pytest.mark.skipif(not find_spec("h5netcdf"), reason="netCDF files are an extra")
def test_the_axes_are_dimensions_of_a_netcdf_file(tmp_path):
    import xarray

    for plan in (DRAWN, Plan(different, {"kind": list("bcde")}), Plan("rg.decimate", {}, {"K": 0.5})):
        found = sweep(plan, rng=1)
        found.save(tmp_path / "sweep.nc")
        with xarray.open_dataset(tmp_path / "sweep.nc", engine="h5netcdf") as data:
            assert dict(data.sizes) == dict(zip(plan.every_axis, plan.shape, strict=True))
            for name, column in found.columns.items():
                np.testing.assert_array_equal(data[name].values, column)
            assert json.loads(data.attrs["plan"])["seeds"] == plan.seeds
        assert [path.name for path in tmp_path.iterdir()] == ["sweep.nc"]
    large = sweep(Plan("trained_weight", {"K": [1, 2**70]}, {"n_visible": 8, "n_hidden": 4}))
    large.save(tmp_path / "sweep.nc")
    with xarray.open_dataset(tmp_path / "sweep.nc", engine="h5netcdf") as data:
        assert data["K"].values.tolist() == ["1", str(2**70)]
    one = {"K": 0.5, "n_hidden": 8}
    sweep(WEIGHTS).save(tmp_path / "sweep.nc")
    with xarray.open_dataset(tmp_path / "sweep.nc", engine="h5netcdf") as data:
        assert data.trained_weight.sel(one).item() == rbmflow.trained_weight(0.5, 8, 8)


def test_ranges_and_toml(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text("""
        call = "Torus.energy"
        seeds = 1
        results = []
        [arguments]
        self = {call = "Torus", n_rows = 4, n_cols = 4}
        [axes]
        "self.n_rows" = {from = 4, to = 8, step = 2}
        K = {from = 0.1, to = 10, points = 3, scale = "log"}
    """)
    plan = Plan.from_toml(path)
    assert plan.axes == {"self.n_rows": [4, 6, 8], "K": pytest.approx([0.1, 1.0, 10.0])}
    found = sweep(plan)
    assert found.columns["energy"][2, 1] == Torus(8, 4).energy(plan.axes["K"][1])


@pytest.mark.parametrize("digits", [None, 30])
def test_digits_are_kept(digits):
    plan = Plan("trained_weight", {"K": ["0.5", "1"]}, {"n_visible": 8, "n_hidden": 4, "dps": digits or 15})
    text = sweep(plan).columns["trained_weight"][1]
    assert text == "0.306308329811523071085124034197"[: 2 + (digits or 15)]


REFUSED = {
    'call = "os.system"': "call='os.system': 'os' is not public there",
    'call = "flow.np"': "'np' is not public there",
    'call = "networks.RBM.save"': "it writes files",
    'call = "training.Checkpoint"': "it writes files",
    'call = "RBM.__init__"': "'__init__' is not public there",
    'call = "trained_weigth"': "did you mean 'trained_weight'",
    'call = "rbmflow.cli.main"': "'rbmflow' is not public there",
    "call = 3": "call: the name of a public function is needed",
    "": "call: the name of a public function is needed",
    'call = "trained_weight"': "missing a required argument: 'K'; it is K, n_visible, n_hidden",
    'call = "flow"': "what can be called is needed",
    'call = "rg.decimate"\naxes.K = []': "axes: K=[]: a list of values",
    'call = "rg.decimate"\naxes.K = 3': "axes: K=3: a list of values",
    'call = "rg.decimate"\naxes.K = [1, 1]': "axes: K: 1 comes twice",
    'call = "rg.decimate"\naxes.K = {from = 1}': "from, to, points and scale, or from, to and step",
    'call = "rg.decimate"\naxes.K = {from = 0, to = 1, points = 3, scale = "log"}': "'log' above 0",
    'call = "rg.decimate"\naxes.K = {from = 0, to = 1, points = 0}': "axes: K.points=0: at least 1",
    'call = "rg.decimate"\naxes.K = {from = 0, to = 1, step = 0}': "axes: K.step=0: at least 1",
    'call = "rg.decimate"\naxes.k = [1]': "missing a required argument: 'K'",
    'call = "rg.decimate"\naxes.seed = [1]': "the axis of the repetitions",
    'call = "rg.decimate"\naxes."K.x" = [1]': "axes: K.x: the arguments have no object 'K'",
    'call = "rg.decimate"\naxes.K = [1]\nresults = "K"': "results='K': a list of names",
    'call = "rg.decimate"\naxes.K = [1]\nresults = [3]': "results=[3]: a list of names",
    'call = "rg.decimate"\naxes.K = [1]\nresults = 3': "results=3: a list of names",
    'call = "Torus.energy"\naxes.self.n_rows = [4]': 'name in quotes, as "lattice.n_rows"',
    'call = "rg.decimate"\naxes.K = [1]\nseeds = 0': "seeds=0: at least 1",
    'call = "rg.decimate"\naxes.K = [1]\narguments.K = 2': "axes: K is among the arguments",
    'call = "rg.decimate"\naxes.K = [1]\nsedes = 3': "'sedes': arguments, axes, call, results",
    'call = "rg.decimate"\naxes = 3': "axes=3: a table is needed",
    'call = "rg.decimate"\narguments.K = {call = "os.getcwd"}': "'os' is not public there",
    'call = "rg.decimate"\narguments.K = {name = "sys"}': "'sys' is not public there",
    'call = "rg.decimate"\naxes.K = [{call = "Ring", sites = 3}]': "argument 'sites'|missing",
    'call = "rg.decimate"\naxes.K = {from = 0, to = 1, points = 2000000000}': "at most",
    "call = ": "not a plan in TOML",
    "\xff": "not a plan in TOML",
}  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_plans_that_are_refused(text):
    with pytest.raises((ValueError, TypeError)) as caught:
        Plan.from_toml(text.encode("latin-1"))
    assert any(said in str(caught.value) for said in REFUSED[text].split("|")), str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("results", "said"),
    [
        (["energy"], "'energy' is a ndarray: one number or text is needed"),
        (["energies"], "results: 'energies': 'Run' object has no attribute 'energies'"),
        (["__class__"], "no public name"),
        (["energy.7000"], "results: 'energy.7000': index 7000"),
        (["energy_estimate.deviation"], "'energy_estimate.deviation' is a method"),
    ],
)
def test_results_that_are_not_there(results, said):
    plan = Plan("sampling.run", {"K": [0.5]}, DRAWN.arguments | {"lattice": Ring(6)}, results)
    with pytest.raises(ValueError, match="results") as caught:
        sweep(plan, rng=1)
    assert said in str(caught.value)
    assert "(at point 0: K=0.5)" in str(caught.value)


def test_a_record_without_numbers_says_what_it_has():
    plan = Plan("rg.decimate_spins", {"scale_factor": [2]}, {"spins": [[1] * 16], "shape": [4, 4]})
    with pytest.raises(ValueError, match="holds no number by itself"):
        sweep(plan)


def test_what_a_call_raises_says_the_point():
    with pytest.raises(ValueError, match=r"n_hidden=0: .* \(at point 1: n_hidden=0\)"):
        sweep(Plan("trained_weight", {"n_hidden": [4, 0]}, {"K": 1.0, "n_visible": 8}))


def test_memory_is_looked_at_first(monkeypatch):
    monkeypatch.setattr("rbmflow.hardware._memory", lambda: 1000)
    with pytest.raises(MemoryError, match=r"6 points: .* sweep over parts of an axis, or keep the records"):
        sweep(WEIGHTS)
    for values in ({"from": 0, "to": 1, "points": 10}, {"from": 1, "to": 10, "step": 1}):
        with pytest.raises(MemoryError, match="axes: K: 10 values: "):
            Plan("rg.decimate", {"K": values})


def test_seeds_are_counted_and_not_listed():
    plan = Plan("rg.decimate", {"K": [0.5]}, seeds=10**9)
    assert plan.n_points == 10**9
    assert plan.point(10**9 - 1) == {"K": 0.5, "seed": 10**9 - 1}


def test_a_result_with_the_name_of_an_axis():
    found = sweep(Plan("rg.decimate", {"K": [0.5, 1.0]}))
    assert found.names[:2] == ["K", "decimate.K"]
    assert found.columns["decimate.K"].tolist() == [rbmflow.rg.decimate(K).K for K in (0.5, 1.0)]


@pytest.mark.parametrize(
    "content",
    [b"{}", b'{"columns": [1], "rows": []}', b'{"columns": ["a"], "rows": [[6, 1]]}',
     b'{"columns": ["a"], "rows": [[1]]}', b'{"columns": ["a"], "rows": [[0, []]]}',
     b'{"columns": ["a"], "rows": [[true, 1]]}', b'{"columns": ["a"], "rows": 3}'],
)  # fmt: skip
def test_parts_of_something_else(tmp_path, content):
    kept = Checkpoints(tmp_path / "partial", arguments_of(WEIGHTS, 1))
    kept.store("000000", lambda stream: stream.write(content))
    with pytest.raises(ValueError, match=r"000000\.part: not a part of an interrupted run"):
        sweep(WEIGHTS, rng=1, checkpoints=kept)


def test_every_public_name_has_its_call():
    for name in public_names():
        if not name.endswith(("save", "Checkpoint")):
            assert public(name) is not None


@pytest.mark.parametrize("name", ["axes", "arguments"])
@pytest.mark.parametrize("value", [5, None, ["K"], {5: [1]}])
def test_axes_and_arguments_have_names(name, value):
    with pytest.raises(TypeError, match=f"{name}=.*: a dict by names of arguments is needed"):
        Plan("rg.decimate", **{"axes": {"K": [1]}} | {name: value})


def test_machines_are_values_of_an_axis():
    machines = [RBM(np.full((4, 2), W)) for W in (0.1, 0.2)]
    found = sweep(Plan("log_partition", {"rbm": machines}, results=["value"]))
    assert found.columns["value"].tolist() == [rbmflow.log_partition(one).value for one in machines]
    with pytest.raises(ValueError, match=r"axes: rbm: .*RBM.* comes twice"):
        Plan("log_partition", {"rbm": [machines[0], RBM(np.full((4, 2), 0.1))]})


def test_objects_are_told_apart_by_what_they_hold():
    plans = [
        Plan("flow.mean_field", {}, {"rbm": RBM.uniform(4, 2, w), "v": [1] * 4}) for w in (0.1, 0.1, 0.2)
    ]
    first, second, third = (plan.to_json()["arguments"] for plan in plans)
    assert first == second != third


@pytest.mark.skipif(not find_spec("matplotlib"), reason="figures are an extra")
@pytest.mark.parametrize(
    ("axes", "seeds", "n_lines", "is_map"),
    [
        ({"K": [0.1, 0.2]}, 1, 1, False),
        ({"K": [0.1, 0.2], "n_hidden": [2, 4]}, 1, 2, False),
        ({"K": [0.1, 0.2, 0.3], "n_hidden": list(range(1, 9))}, 1, 0, False),
        ({"K": np.linspace(0.1, 1, 9), "n_hidden": list(range(1, 9))}, 1, 0, True),
        ({"K": [0.1, 0.2]}, 3, 1, False),
    ],
)
def test_one_axis_or_two_are_drawn(axes, seeds, n_lines, is_map):
    rest = {"n_visible": 8} | ({} if "n_hidden" in axes else {"n_hidden": 4})
    found = sweep(Plan("trained_weight", axes, rest, seeds=seeds))
    assert can_be_drawn(found)
    ax = draw_sweep(found)
    assert (len(ax.containers) == 0) == is_map
    if n_lines:
        assert len(ax.containers) == n_lines
        np.testing.assert_array_equal(ax.containers[0].lines[0].get_xdata(), axes[ax.get_xlabel()])
    if is_map:
        column = found.columns["trained_weight"]
        assert {ax.get_xlabel(), ax.get_ylabel()} == {"K", "n_hidden"}
        values = np.asarray(ax.collections[0].get_array())
        np.testing.assert_array_equal(values, column.T if ax.get_xlabel() == "K" else column)


def test_what_cannot_be_drawn():
    for plan in (Plan(different, {"kind": ["b", "c"]}), Plan("rg.decimate", {}, {"K": 1.0})):
        found = sweep(plan)
        assert not can_be_drawn(found)
        with pytest.raises(ValueError, match="result: a number over one axis"):
            draw_sweep(found)


def test_a_point_can_be_made_again():
    found = sweep(DRAWN, rng=1)
    assert record(DRAWN, stream_of(1), 5)["energy.0.3"] == found.columns["energy.0.3"].ravel()[5]
