"""Every figure of the reproduction is drawn, repeats to the byte, and goes into axes that are given."""

import io

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="figures are an extra")

from matplotlib.figure import Figure

from rbmflow.experiments import style, weight_map
from rbmflow.experiments.reproduction.reproduce import FIGURES
from tests.experiments.cropped import cut_texts, holds


def drawn(result, name):
    return style.figure_of(FIGURES[name](result))


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_drawn_alone_and_into_given_axes(result, name):
    figure = drawn(result, name)
    if name != "fig2_decimation":  # a line without axes
        assert all(panel.get_xlabel() for panel in figure.get_axes())
        assert name == "limits" or figure.get_axes()[0].get_ylabel()
    pictures = []
    for copy in (figure, drawn(result, name)):
        for kind in ("png", "svg"):
            pictures.append(io.BytesIO())
            style.save(copy, pictures[-1], kind, 60)
    assert pictures[0].getvalue() == pictures[2].getvalue()
    assert pictures[1].getvalue() == pictures[3].getvalue()
    assert not cut_texts(figure)
    axes = np.atleast_1d(figure.get_axes())
    given = Figure().subplots(1, len(axes))
    assert np.all(np.atleast_1d(FIGURES[name](result, given)) == np.atleast_1d(given))


@pytest.mark.parametrize("largest", [0.9, 1.2, 3.0])
def test_the_label_of_the_threshold_is_whole(largest):
    # the line M N W² = 1 near the right edge, and near the middle
    parameters = weight_map.Parameters(n_visible=100, n_couplings=30, K_max=largest, n_ratios=60)
    panel = weight_map.draw_weight_map(weight_map.run(parameters))
    assert not cut_texts(panel.get_figure())
    (label,) = panel.texts
    assert "M N W² = 1" in label.get_text()
    assert holds(panel.get_window_extent(), label.get_window_extent())


def test_small_numbers_on_axes_are_powers(result):
    figure = drawn(result, "limits")
    figure.draw_without_rendering()
    ticks = [tick.get_text() for panel in figure.get_axes() for tick in panel.get_xticklabels()]
    assert not [text for text in ticks if "e-" in text]
    assert "$10^{-32}$" in ticks
