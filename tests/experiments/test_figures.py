"""Every figure of the reproduction is drawn, repeats to the byte, and goes into axes that are given."""

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="figures are an extra")

from matplotlib.figure import Figure

from rbmflow.experiments import figures


@pytest.mark.parametrize("name", figures.DRAWINGS)
def test_figures_are_drawn_alone_and_into_given_axes(result, name, tmp_path):
    figure = figures.draw(result, name)
    for kind in ("png", "svg"):
        paths = [tmp_path / f"{n}.{kind}" for n in (1, 2)]
        for path in paths:
            with path.open("wb") as stream:
                figures.save(figures.draw(result, name), stream, kind, 60)
        assert paths[0].read_bytes() == paths[1].read_bytes()
    axes = np.atleast_1d(figure.get_axes())
    given = Figure().subplots(1, len(axes))
    assert np.all(np.atleast_1d(figures.DRAWINGS[name](result, given)) == np.atleast_1d(given))
