"""The commands ``ising`` and ``sample``: exact observables, training sets that survive an interruption."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec

import numpy as np
import pytest

from rbmflow import Chain, Graph, Honeycomb, Hypercubic, Ring, Triangular, cli
from rbmflow.cli import lattice
from rbmflow.experiments import observables
from rbmflow.ising import InfiniteHoneycomb, InfiniteTriangular, Torus, onsager
from rbmflow.sampling import TrainingSet, training_set

DRAWN = find_spec("matplotlib") is not None  # figures are an extra
STORED = all(map(find_spec, ("xarray", "h5netcdf", "h5py")))  # so are files of training sets
needs_files = pytest.mark.skipif(not STORED, reason="the extra data is absent")


def run(capsys, *arguments):
    status = cli.main(list(arguments))
    return status, *capsys.readouterr()


@pytest.mark.parametrize(("words", "on"), [(("ring", "64"), Ring(64)), (("torus", "4", "6"), Torus(4, 6))])
def test_observables_are_those_of_the_lattice(capsys, words, on):
    status, out, _ = run(capsys, "ising", *words, "--temperatures", "0.5", "1", "inf", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert status == 0
    assert [float(row["T"]) for row in rows] == [0.5, 1.0, np.inf]
    K = [2.0, 1.0, 0.0]
    for quantity in ("log_partition", "energy", "heat_capacity", "susceptibility"):
        assert [float(row[quantity]) for row in rows] == getattr(on, quantity)(K).tolist()
    per_site = [float(row["log_partition_per_site"]) for row in rows]
    np.testing.assert_allclose(per_site, on.log_partition(K) / on.n_sites, rtol=1e-15)


def test_a_large_torus_has_no_susceptibility(capsys):
    _, out, _ = run(capsys, "ising", "torus", "16", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert "susceptibility" not in rows[0]
    assert (len(rows), float(rows[0]["T"]), float(rows[-1]["T"])) == (60, 0.1, 6.0)


def test_observables_of_the_infinite_lattice_to_many_digits(capsys):
    arguments = ("ising", "infinite", "--temperatures", "2.1", "5/2", "--dps", "40", "--format", "json")
    _, out, _ = run(capsys, *arguments)
    warm, hot = json.loads(out)
    assert (warm["T"], hot["K"]) == ("2." + "1" + "0" * 38, "0.4" + "0" * 39)
    exact = onsager.magnetization(1 / 2.1)
    assert float(warm["magnetization"]) == pytest.approx(exact, rel=1e-13, abs=0)
    assert len(warm["energy"]) >= 41
    assert float(hot["magnetization"]) == 0.0


@pytest.mark.parametrize(
    ("words", "on", "keywords"),
    [
        (("triangular", "6", "4"), Triangular(6, 4), {}),
        (("honeycomb", "3", "--open", "--J", "1", "0.5", "2"), Honeycomb(3, 3, False, (1, 0.5, 2)), {}),
        (("hypercubic", "3", "3", "10", "--field", "-0.1"), Hypercubic((3, 3, 10)), {"field": -0.1}),
        (("torus", "6", "--field", "0.2"), Hypercubic((6, 6)), {"field": 0.2}),
        (("chain", "9"), Chain(9), {}),
        (("ring", "9", "--field", "0.3"), Ring(9), {"field": 0.3}),
        (("triangular", "infinite"), InfiniteTriangular(), {}),
        (("honeycomb", "infinite", "--J", "1", "0.5", "2"), InfiniteHoneycomb((1, 0.5, 2)), {}),
        (("torus", "infinite", "--J", "1", "0.5"), InfiniteTriangular((1, 0.5, 0)), {}),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, tuple) else "",
)
def test_other_lattices_infinite_ones_and_a_field(capsys, words, on, keywords):
    K = [0.0, 0.3, -0.2]
    status, out, _ = run(capsys, "ising", *words, "--K", *map(str, K), "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert status == 0
    quantities = ["energy", "heat_capacity"]
    quantities += ["magnetization"] if keywords or "infinite" in words else ["susceptibility"]
    for quantity in quantities:
        found = [float(row[quantity]) for row in rows]
        assert found == getattr(on, quantity)(K, **keywords).tolist()
    per_site = on.log_partition(K, **keywords) / getattr(on, "n_sites", 1)
    np.testing.assert_allclose([float(row["log_partition_per_site"]) for row in rows], per_site, rtol=1e-14)


def test_couplings_of_both_signs(capsys):
    _, out, _ = run(capsys, "ising", "torus", "4", "--K", "0.5", "-0.5", "0", "--format", "json")
    rows = json.loads(out)
    assert [row["T"] for row in rows] == [2.0, 2.0, "inf"]
    assert rows[0]["energy"] == -rows[1]["energy"]


@pytest.mark.parametrize(
    ("words", "beside"),
    [
        (("ring", "8"), False),
        (("torus", "8", "4"), True),
        (("infinite",), True),
        (("triangular", "4"), True),
        (("honeycomb", "infinite", "--K", "0.5", "-0.7"), True),
        (("hypercubic", "2", "2", "2"), False),
    ],
)
def test_files_and_figure(capsys, tmp_path, words, beside):
    status, out, _ = run(capsys, "ising", *words, "--points", "5", "--format", "csv", "--out", str(tmp_path))
    assert status == 0
    names = {"ising.csv", "ising_provenance.json"}
    names |= {"infinite_lattice.csv"} if beside else set()
    names |= {"ising.png", "ising.svg"} if DRAWN else set()
    assert {path.name for path in tmp_path.iterdir()} == names
    assert str(tmp_path / "ising.csv") in out


@pytest.mark.skipif(not DRAWN, reason="figures are an extra")
@pytest.mark.parametrize("couplings", [None, ["-1", "-0.3", "0", "0.3", "1"]])
def test_the_figure_marks_the_critical_point(couplings):
    from rbmflow.experiments.tables import Tables

    given = {"couplings": couplings} if couplings else {"temperatures": ["0", "1", "2", "3", "inf"]}
    table = observables.observables_table(Torus(4, 4), **given, dps=20)
    tables = {"ising": table, "infinite_lattice": observables.infinite_curve(table)}
    left, right = observables.draw_observables(Tables(tables), lattice=Torus(4, 4))
    labels = left.get_legend_handles_labels()[1]
    assert labels.count("$K_c$" if couplings else "$T_c$") == 1
    upright = [line for line in right.get_lines() if len(set(line.get_xdata())) == 1]
    assert len(upright) == (2 if couplings else 1)
    assert "Torus of 4 x 4 sites" in labels
    assert len(right.get_lines()) == len(left.get_lines())


@pytest.mark.parametrize(
    "arguments",
    [
        ["ising", "ring"],
        ["ising", "ring", "2"],
        ["ising", "torus", "1", "2", "3"],
        ["ising", "infinite", "3"],
        ["ising", "triangular", "infinite", "3"],
        ["ising", "triangular", "infinite", "--open"],
        ["ising", "triangular", "infinite", "--field", "1"],
        ["ising", "triangular", "infinite", "--J", "1", "2"],
        ["ising", "torus", "infinite", "--J", "1", "2", "3"],
        ["ising", "ring", "infinite"],
        ["ising", "ring", "8", "--J", "2"],
        ["ising", "triangular", "6", "--dps", "20"],
        ["ising", "triangular", "13"],
        ["ising", "torus", "13", "--field", "1"],
        ["ising", "ring", "8", "--K", "x"],
        ["ising", "ring", "8", "--K", "1/0"],
        ["ising", "ring", "8", "--temperatures", "-1"],
        ["ising", "ring", "8", "--range", "2", "1"],
        ["ising", "ring", "8", "--points", "1"],
        ["ising", "ring", "8", "--dps", "0"],
        ["sample", "ring", "2"],
        ["sample", "ring", "8", "8"],
        ["sample", "torus", "8", "8", "8"],
        pytest.param(["sample", "ring", "8", "--samples", "0"], marks=needs_files),
        pytest.param(["sample", "ring", "8", "--temperatures", "-1"], marks=needs_files),
        pytest.param(["sample", "ring", "8", "--temperatures", "nan"], marks=needs_files),
        pytest.param(["sample", "ring", "8", "--seed", "-1"], marks=needs_files),
        ["sample", "ring", "8", "--workers", "0"],
    ],
)
def test_bad_input_is_one_line_and_status_2(capsys, arguments, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("rbmflow ")
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra_nothing_is_drawn(capsys, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "xarray", None)
    status, out, err = run(capsys, "sample", "ring", "8", "--out", str(tmp_path))
    assert (status, out, list(tmp_path.iterdir())) == (2, "", [])
    assert "rbmflow[data]" in err


TORUS = ("sample", "torus", "6", "--temperatures", "0", "1", "2.3", "4", "--samples", "40", "--seed", "7")


def same(first, second):
    assert first.lattice == second.lattice
    assert first.spins.tobytes() == second.spins.tobytes()
    assert first.temperature.tolist() == second.temperature.tolist()
    assert repr(first.certificate) == repr(second.certificate)
    assert first.provenance["parameters"] == second.provenance["parameters"]
    assert first.provenance["seed"] == second.provenance["seed"]


@needs_files
def test_sample_writes_the_training_set_and_prints_its_certificates(capsys, tmp_path):
    status, out, err = run(capsys, *TORUS, "--quiet", "--format", "json", "--out", str(tmp_path / "new"))
    path = tmp_path / "new" / lattice.TRAINING_SET
    figures = ["training_set.png", "training_set.svg"] if DRAWN else []
    told = ["certificate.json", *figures, path.name]
    assert (status, err) == (0, "".join(f"{path.parent / name}\n" for name in told))
    names = {*told, "training_set_provenance.json"}
    assert {found.name for found in path.parent.iterdir()} == names
    data = TrainingSet.load(path)
    same(data, training_set(Torus(6, 6), [0.0, 1.0, 2.3, 4.0], 40, rng=7))
    rows = json.loads(out)
    assert [row["energy"] for row in rows] == [one.energy.mean for one in data.certificate]
    assert [row["deviation"] for row in rows] == [one.deviation for one in data.certificate]
    _, out, _ = run(capsys, *TORUS, "--quiet", "--workers", "2", "--out", str(tmp_path))
    assert out.splitlines()[-1] == str(tmp_path / lattice.TRAINING_SET)
    assert out.split()[:2] == ["temperature", "rule"]
    same(data, TrainingSet.load(tmp_path / lattice.TRAINING_SET))


@needs_files
def test_by_default_the_current_folder_and_25_temperatures(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, _ = run(capsys, "sample", "ring", "8", "--samples", "3", "--format", "csv")
    assert (status, len(out.splitlines())) == (0, 26)
    data = TrainingSet.load(tmp_path / lattice.TRAINING_SET)
    assert data.spins.shape == (25, 3, 8)
    assert (data.temperature[0], data.temperature[1], data.temperature[-1]) == (0.0, 0.25, 6.0)


def interrupt_after(monkeypatch, n_finished):
    full = lattice.training_set

    def interrupted(*arguments, progress, **keywords):
        def report(done, total):
            if done == n_finished:
                raise KeyboardInterrupt

        return full(*arguments, progress=report, **keywords)

    monkeypatch.setattr(lattice, "training_set", interrupted)


@needs_files
@pytest.mark.parametrize("n_finished", [1, 3])
def test_an_interrupted_sampling_goes_on_to_the_same_bits(capsys, tmp_path, monkeypatch, n_finished):
    with monkeypatch.context() as patch:
        interrupt_after(patch, n_finished)
        status, _, err = run(capsys, *TORUS, "--quiet", "--out", str(tmp_path))
    assert (status, err) == (130, "rbmflow sample: interrupted\n")
    kept = tmp_path / lattice.PARTIAL
    assert len(list(kept.glob("*.part"))) == n_finished
    status, _, err = run(capsys, *TORUS, "--out", str(tmp_path))
    assert status == 0
    assert f"going on after {n_finished} " in err
    assert not kept.exists()
    same(
        TrainingSet.load(tmp_path / lattice.TRAINING_SET),
        training_set(Torus(6, 6), [0.0, 1.0, 2.3, 4.0], 40, rng=7),
    )


@needs_files
def test_what_another_run_left_is_neither_used_nor_lost(capsys, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        interrupt_after(patch, 2)
        run(capsys, *TORUS, "--quiet", "--out", str(tmp_path))
    kept = tmp_path / lattice.PARTIAL
    before = {path.name: path.read_bytes() for path in kept.iterdir()}
    status, _, err = run(capsys, *TORUS, "--seed", "8", "--samples", "41", "--out", str(tmp_path))
    assert status == 2
    assert "other arguments left it (n_samples, seed)" in err
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == before
    (kept / "arguments.json").unlink()
    status, _, err = run(capsys, *TORUS, "--out", str(tmp_path))
    assert (status, err.count("\n")) == (2, 1)


@needs_files
def test_a_part_of_another_run_is_refused(capsys, tmp_path, monkeypatch):
    for seed in ("7", "8"):  # two runs at once, before folders were locked, left parts of both
        with monkeypatch.context() as patch:
            interrupt_after(patch, 2)
            run(capsys, *TORUS, "--quiet", "--seed", seed, "--out", str(tmp_path / seed))
    kept = tmp_path / "7" / lattice.PARTIAL
    (tmp_path / "8" / lattice.PARTIAL / "001.part").replace(kept / "001.part")
    status, out, err = run(capsys, *TORUS, "--out", str(tmp_path / "7"), "--quiet")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "001.part: an interrupted run with other arguments left it (seed)" in err
    assert not (tmp_path / "7" / lattice.TRAINING_SET).exists()


@needs_files
@pytest.mark.slow
def test_a_killed_sampling_goes_on_to_the_same_bits(tmp_path):
    # 16 x 16 below and at the critical temperature: tenths of a second for each
    levels = [1.0, 1.5, 2.0, 2.27, 2.5, 3.0]
    words = ["sample", "torus", "16", "--samples", "200", "--temperatures", *map(str, levels)]
    command = [sys.executable, "-m", "rbmflow", *words, "--quiet", "--out", str(tmp_path)]
    kept = tmp_path / lattice.PARTIAL
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        until = time.monotonic() + 60
        while len(list(kept.glob("[0-9]*.part"))) < 2 and time.monotonic() < until:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
    assert 2 <= len(list(kept.glob("[0-9]*.part"))) <= len(levels)
    assert not (tmp_path / lattice.TRAINING_SET).exists()
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    assert not kept.exists()
    same(
        TrainingSet.load(tmp_path / lattice.TRAINING_SET),
        training_set(Torus(16, 16), levels, 200, rng=20180612),
    )


@pytest.mark.slow  # the same within the package: tests/sampling/test_training_set.py
@needs_files
def test_a_kill_while_writing_leaves_the_old_file_or_the_new_one(tmp_path):
    path = tmp_path / "set.nc"
    contents = [training_set(Ring(64), [1.0], 2000, rng=seed) for seed in (1, 2)]
    contents[0].save(path)
    code = f"""if True:
        from rbmflow import Ring
        from rbmflow.sampling import training_set
        contents = [training_set(Ring(64), [1.0], 2000, rng=seed) for seed in (1, 2)]
        contents[0].save({str(path)!r})
        print("ready", flush=True)
        while True:
            for one in reversed(contents):
                one.save({str(path)!r})
    """
    known = {one.spins.tobytes() for one in contents}
    waits = np.random.default_rng(3).uniform(0, 0.1, size=10)  # a few saves
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    for wait in waits:
        with subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment
        ) as process:
            assert process.stdout.readline() == b"ready\n"
            time.sleep(wait)
            process.kill()
        assert TrainingSet.load(path).spins.tobytes() in known


@needs_files
def test_sample_takes_open_ends_couplings_and_graphs(capsys, tmp_path):
    words = ("--temperatures", "1.5", "3", "--samples", "30", "--seed", "7", "--quiet", "--field", "0.2")
    edges = tmp_path / "edges.csv"
    edges.write_text("0,1,1\n1,2,-0.5\n2,0,1\n")
    ladder = Hypercubic((4, 2), periodic=False, couplings=(1.0, -0.5))
    graph = Graph.from_edges([(0, 1, 1), (1, 2, -0.5), (2, 0, 1)], fields=0.2)
    for place, on, field in (
        (("square", "4", "2", "--open", "--J", "1", "-0.5"), ladder, 0.2),
        (("--graph", str(edges)), graph, 0.0),
    ):
        out = tmp_path / place[0].strip("-")
        assert run(capsys, "sample", *place, *words, "--out", str(out))[0] == 0
        same(
            TrainingSet.load(out / lattice.TRAINING_SET), training_set(on, [1.5, 3.0], 30, field=field, rng=7)
        )


def test_a_side_is_a_number(capsys):
    with pytest.raises(SystemExit):
        run(capsys, "ising", "infinite", "honeycomb")
    assert "'honeycomb': a number or infinite is needed" in capsys.readouterr().err


def test_sample_into_a_store(capsys, tmp_path):
    xarray, _ = pytest.importorskip("xarray"), pytest.importorskip("zarr")
    words = (
        "sample",
        "torus",
        "4",
        "--temperatures",
        "1",
        "3",
        "--samples",
        "40",
        "--quiet",
        "--format",
        "csv",
    )
    one, other = tmp_path / "one", tmp_path / "other"
    assert run(capsys, *words, "--out", str(one))[0] == 0
    assert run(capsys, *words, "--zarr", "--out", str(other))[0] == 0
    assert (one / "certificate.csv").read_bytes() == (other / "certificate.csv").read_bytes()
    spins = xarray.open_zarr(other / "training_set.zarr", consolidated=False).spins.values
    np.testing.assert_array_equal(spins, TrainingSet.load(one / "training_set.nc").spins)
