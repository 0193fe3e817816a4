"""The public face of the figures: axes in, axes out; files of three kinds."""

import re
import zlib

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="figures are an extra")

from matplotlib.figure import Figure

from rbmflow import (
    RBM,
    Chain,
    Graph,
    Hypercubic,
    Ring,
    Torus,
    Triangular,
    fit,
    flow,
    plot,
    rg,
    sampling,
    thermometer,
)
from rbmflow.experiments import capacity, style, weight_map
from rbmflow.experiments.tables import Table
from rbmflow.ising import InfiniteHoneycomb
from rbmflow.training import History, Recipe, learn
from rbmflow.weight import trained_weight
from tests.experiments.cropped import cut_texts
from tests.public_calls import calls

DRAWN = [name for name in calls() if name.startswith("plot.") and name != "plot.save"]


@pytest.mark.parametrize("name", DRAWN)
def test_figures_are_whole_and_go_into_given_axes(name):
    call = calls()[name]
    axes = call()
    figure = style.figure_of(axes)
    assert not cut_texts(figure)
    panels = np.atleast_1d(axes)
    assert all(panel.get_xlabel() for panel in panels)
    letters = [text.get_text() for panel in panels for text in panel.texts if len(text.get_text()) == 1]
    assert "".join(letters) == ("abcdefgh"[: len(panels)] if len(panels) > 1 else "")
    given = Figure(figsize=(12, 8)).subplots(1, len(panels), squeeze=False)
    again = np.atleast_1d(call(ax=given if len(panels) > 1 else given[0, 0]))
    assert again.tolist() == given.ravel().tolist()
    assert not [text for panel in again for text in panel.texts if text.get_weight() == "bold"]
    for wrong in (Figure().subplots(1, len(panels) + 1), given[:, :0]):
        with pytest.raises((TypeError, ValueError), match="ax"):
            call(ax=wrong)


def test_lines_are_the_numbers():
    W = trained_weight(np.array([0.5, 1.0]), 8, 4)
    _, marked, _ = plot.trained_weight(8, 4, K=[0.5, 1.0]).get_lines()
    np.testing.assert_allclose(marked.get_xydata(), np.column_stack([[0.5, 1.0], W]), rtol=1e-14)

    recorded = History({"epoch": [1.0, 2.0, 4.0], "kl": [0.5, 0.25, 0.125], "tau": [1.0, 2.0, 3.0]})
    (line,) = plot.history(recorded, names=["kl"]).get_lines()
    np.testing.assert_array_equal(line.get_xydata(), [[1, 0.5], [2, 0.25], [4, 0.125]])
    assert len(plot.history(recorded).get_lines()) == 2

    two = rg.grade(rg.Decimation(), Ring(16), 1.0, n_steps=2, rng=1)
    exponents, information, couplings = plot.grade({"two": two})
    assert [text.get_text() for text in exponents.get_yticklabels()] == ["two, step 1", "two, step 2"]
    drawn = [container[0].get_xdata() for container in (*exponents.containers, *information.containers)]
    np.testing.assert_array_equal(drawn, [two.y_t[:, -1], two.y_h[:, -1], two.information])
    (container,) = couplings.containers
    np.testing.assert_array_equal(container[0].get_xdata(), two.couplings[:, 0])
    np.testing.assert_allclose([line.get_xdata()[0] for line in couplings.get_lines()[1:]], two.decimated)

    spins = Ring(8).sample(0.5, 100, rng=1)
    path = flow.orbit(flow.mean_field, RBM.uniform(8, 4, 0.3), spins, 3)
    drawn = plot.orbit({"one": path, "two": path}, observable="magnetization")
    assert [text.get_text() for text in drawn.get_legend().get_texts()] == ["one", "two"]
    for line in drawn.get_lines()[:2]:
        assert line.get_ydata().tolist() == [one.mean for one in path.magnetization]

    run = sampling.run(Torus(4, 4), 0.4, n_chains=10, n_sweeps=6, thin=2, rng=1)
    left, right = plot.series(run)
    *chains, mean = left.get_lines()
    assert len(chains) == 8
    assert mean.get_xdata().tolist() == [2, 4, 6]
    np.testing.assert_array_equal(mean.get_ydata(), run.energy.mean(axis=0))
    np.testing.assert_array_equal(right.get_lines()[3].get_ydata(), run.magnetization[3])


def test_a_fit_has_the_likelihoods_of_its_history():
    trained = fit(RBM.uniform(4, 2, 0.1), Ring(4).sample(0.5, 20, rng=1), n_epochs=2, rng=1)
    labels = [text.get_text() for text in plot.history(trained).get_legend().get_texts()]
    assert labels == ["pseudo-likelihood, training", "log-likelihood, training"]


def test_what_learn_has_found_is_drawn_at_its_checkpoints():
    found = learn(Ring(4).sample(0.5, 60, rng=1), 2, Recipe(n_epochs=3), rng=1)
    (line,) = plot.history(found).get_lines()
    np.testing.assert_array_equal(line.get_ydata(), found.history["log_likelihood"])


def test_torus_and_infinite_lattice():
    left, _ = plot.observables(Torus(4, 4), couplings=[0.2, 0.4])
    assert next(line.get_label() for line in left.get_lines()) == "infinite lattice"
    assert plot.observables(None, temperatures=2.0)[0].get_lines()


@pytest.mark.parametrize(
    ("lattice", "n_curves"),
    [
        (Triangular(3, 4), 2),
        (InfiniteHoneycomb(), 2),
        (Chain(5), 1),
        (Hypercubic((2, 2, 2)), 1),
        (Graph.from_bonds(3, [(0, 1), (1, 2)], 0.5, 0.1), 1),
    ],
    ids=lambda one: type(one).__name__,
)
def test_observables_of_every_lattice_with_exact_ones(lattice, n_curves):
    left, _ = plot.observables(lattice, couplings=[0.1, 0.3])
    assert len([line for line in left.get_lines() if len(set(line.get_xdata())) > 1]) == n_curves


def test_thermometers_by_name():
    known = sampling.training_set(Torus(4, 4), [1.0, 2.0, 4.0], 20, rng=1)
    by_energy = thermometer.EnergyThermometer(Torus(4, 4)).calibrate(known)
    left, _ = plot.calibration({"energy": by_energy, "again": by_energy})
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["energy", "again"]


def test_figures_of_experiments_by_name():
    found = capacity.run(capacity.Parameters((20,), (0.05, 0.1), n_networks=2, n_probes=3), rng=1)
    assert len(plot.experiment(found)) == 3
    assert len(plot.experiment(found, "capacity")) == 3
    with pytest.raises(ValueError, match="name='map'"):
        plot.experiment(found, "map")
    with pytest.raises(TypeError, match="result=Table"):
        plot.experiment(Table("", {}))


BAD = {
    "orbit": ({"paths": 1}, "paths=1: a Orbit, or several by name"),
    "calibration": ({"calibrations": {}}, "calibrations={}: a Calibration"),
    "history": ({"recorded": {}}, "recorded={}: a History, a Fit or a Learned"),
    "degeneracies": ({"table": []}, r"table=\[\]: a DegeneracyTable"),
    "limits": ({"table": []}, r"table=\[\]: a LimitTable"),
    "series": ({"run": None}, "run=None: a Run"),
    "training_set": ({"data": None}, "data=None: a TrainingSet"),
    "observables": ({"lattice": Ring(4)}, "temperatures, couplings: one of the two"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_arguments(name):
    arguments, message = BAD[name]
    with pytest.raises((TypeError, ValueError), match=message):
        getattr(plot, name)(**arguments)


def test_names_that_were_not_recorded():
    recorded = History({"epoch": [1.0], "kl": [0.5]})
    with pytest.raises(ValueError, match="names: 'tau' was not recorded; there are kl"):
        plot.history(recorded, names=["tau"])
    with pytest.raises(TypeError, match="names='kl': a list of names"):
        plot.history(recorded, names="kl")
    path = flow.orbit(flow.mean_field, RBM.uniform(2, 1, 0.3), [[1, 1], [1, -1]], 1)
    with pytest.raises(ValueError, match="observable='energy': one of magnetization, "):
        plot.orbit(path, observable="energy")
    with pytest.raises(ValueError, match="the chains have 2 couplings"):
        plot.series(sampling.run(Ring(4), [0.1, 0.2], n_sweeps=4, rng=1))


@pytest.mark.parametrize("kind", ["pdf", "png", "svg"])
def test_files_repeat_to_the_byte(kind, tmp_path):
    for name in ("one", "two"):
        found = weight_map.run(weight_map.Parameters(8, n_couplings=3, n_ratios=4))
        plot.save(plot.experiment(found), tmp_path / f"{name}.{kind}", dpi=40)
    assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()


def test_text_stays_text_in_pdf(tmp_path):
    plot.save(plot.trained_weight(8, 4), tmp_path / "weight.PDF")
    content = (tmp_path / "weight.PDF").read_bytes()
    assert b"/Type3" not in content
    assert b"/FontFile2" in content
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, flags=re.DOTALL)
    (page,) = [text for text in map(_inflated, streams) if b" Tf" in text]
    letters = b"".join(re.findall(rb"\((.*?)\)", page)).replace(b"\0", b"")  # a glyph takes two bytes
    assert b"asked for" in letters
    assert b"trained weight W" in letters


def _inflated(stream):
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b""


def test_other_kinds_of_files_are_refused(tmp_path):
    axes = plot.trained_weight(8, 4)
    with pytest.raises(ValueError, match=r"weight\.jpg'?: a file \.png, \.svg, \.pdf is needed"):
        plot.save(axes, tmp_path / "weight.jpg")
    with pytest.raises(TypeError, match="ax=1: axes of matplotlib"):
        plot.save(1, tmp_path / "weight.png")
    with pytest.raises(ValueError, match="dpi=0"):
        plot.save(axes, tmp_path / "weight.png", dpi=0)
    assert not list(tmp_path.iterdir())
    plot.save(axes.get_figure(), tmp_path / "weight.png", dpi=20)
    assert (tmp_path / "weight.png").read_bytes().startswith(b"\x89PNG")
