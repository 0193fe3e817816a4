"""The figures of thermometers: alone and into given axes, equal to the byte, with T_c where there is one."""

import io

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="figures are an extra")

from matplotlib.figure import Figure

from rbmflow import Ring, Torus, thermometer, training_set
from rbmflow.experiments import style, thermometers

LATTICES = [Ring(36), Torus(6, 6)]


def results_of(lattice):
    known = training_set(lattice, [0.0, 1.0, 2.0, 3.0, 6.0], 60, rng=1)
    meters = {"energy": thermometer.energy.fit(known), "|m|": thermometer.magnetization.fit(known)}
    return {
        "calibration": {name: meter.calibrate(known) for name, meter in meters.items()},
        "null_calibration": {
            name: thermometer.null_calibration(meter, [0.0, 0.5, 1.0], 60, rng=1)
            for name, meter in meters.items()
        },
    }


@pytest.mark.parametrize("lattice", LATTICES, ids=repr)
@pytest.mark.parametrize("name", ["calibration", "null_calibration"])
def test_drawings(lattice, name):
    results = results_of(lattice)[name]
    assert all(one.lattice == lattice for one in results.values())
    pictures = []
    for _ in range(2):
        axes = np.atleast_1d(getattr(thermometers, name)(results))
        figure, stream = axes[0].get_figure(), io.BytesIO()
        style.save(figure, stream, "png", 50)
        pictures.append(stream.getvalue())
    assert pictures[0] == pictures[1]
    assert figure.get_axes() == list(axes)
    assert [text.get_text() for text in axes[0].get_legend().get_texts()] == list(results)
    assert any("T_c" in text.get_text() for text in axes[0].texts) == isinstance(lattice, Torus)
    given = Figure().subplots(1, len(axes))
    assert np.all(np.atleast_1d(getattr(thermometers, name)(results, given)) == np.atleast_1d(given))


def test_more_thermometers_than_colours_and_none():
    one = results_of(LATTICES[0])["null_calibration"]["energy"]
    many = {f"meter {k}": one for k in range(9)}
    assert len(thermometers.null_calibration(many).get_legend().get_texts()) == 9
    for drawing in (thermometers.calibration, thermometers.null_calibration):
        with pytest.raises(ValueError, match="is empty: at least one thermometer"):
            drawing({})
