"""The divergence of the best machine over K, and how many translations it keeps."""

from __future__ import annotations

from typing import Any

import numpy as np

from rbmflow.experiments.optimum.diagram import Optimum
from rbmflow.experiments.style import axes_of, shades, styled


def draw_optimum(result: Optimum, ax: Any = None) -> Any:
    """Draw KL*/K² of the last lattice over K, a line for each N; open where no translation keeps p(v)."""
    parameters = result.parameters
    side = parameters.sides[-1]
    sites = parameters.on(side).n_sites
    hidden = [N for N in parameters.hidden or range(1, sites + 1) if sites >= N]
    with styled():
        panel = axes_of(ax)
        for N, colour in zip(hidden, shades(len(hidden)), strict=True):
            here = result.of(side, N)
            if here["kl"].max() < 1e-8:
                continue
            panel.plot(here["K"], here["kl"], color=colour, label=f"N = {N}")
            for kept, face in ((here["translations"] > 1, colour), (here["translations"] == 1, "white")):
                panel.plot(here["K"][kept], here["kl"][kept], "o", ms=4, mec=colour, mfc=face)
        panel.set(xlabel="K", ylabel="KL*, nats", title=f"Best machines, {parameters.lattice} of {side}")
        if np.isfinite(panel.get_ylim()).all():
            panel.set_ylim(bottom=0)
        panel.legend()
        return panel
