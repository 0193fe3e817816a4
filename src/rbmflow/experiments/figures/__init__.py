"""Pictures of results; the only rooms that import matplotlib. A function draws one figure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from rbmflow.experiments.figures.beyond import boundary, laws, limits, ranges, weight_map
from rbmflow.experiments.figures.chains import against_exact, update_orders
from rbmflow.experiments.figures.flows import side_by_side, stationary_flow, three_flows, torus_threshold
from rbmflow.experiments.figures.lattice import degeneracies, observables, training_set
from rbmflow.experiments.figures.networks import capacity
from rbmflow.experiments.figures.own_data import training
from rbmflow.experiments.figures.thesis import ensembles, fig2, fig3, fig4, fig5, weight, weight_of_data
from rbmflow.experiments.seven_steps.figures import (
    iso_couplings,
    iso_fixed_points,
    iso_shiba_yokoo,
    iso_thermometers,
    iso_training,
    iso_weights,
)
from rbmflow.experiments.seven_steps.result import IsoShibaYokoo
from rbmflow.experiments.style import STYLE
from rbmflow.experiments.thermometers import calibration, null_calibration

__all__ = [
    "DRAWINGS",
    "ON_REQUEST",
    "SEVEN_STEPS",
    "against_exact",
    "boundary",
    "calibration",
    "capacity",
    "degeneracies",
    "draw",
    "ensembles",
    "fig2",
    "fig3",
    "fig4",
    "fig5",
    "iso_couplings",
    "iso_fixed_points",
    "iso_shiba_yokoo",
    "iso_thermometers",
    "iso_training",
    "iso_weights",
    "laws",
    "limits",
    "null_calibration",
    "observables",
    "ranges",
    "save",
    "side_by_side",
    "stationary_flow",
    "three_flows",
    "torus_threshold",
    "training",
    "training_set",
    "update_orders",
    "weight",
    "weight_map",
    "weight_of_data",
]

DRAWINGS: dict[str, Callable[..., Any]] = {
    "fig2_decimation": fig2,
    "fig3_intersection": fig3,
    "fig4_trained_weight": fig4,
    "fig5_divergence": fig5,
    "limits": limits,
    "laws_of_the_weight": laws,
    "flow_of_ensembles": ensembles,
    "phase_boundary": boundary,
    "gain_of_ranges": ranges,
    "chains_against_exact": against_exact,
    "update_orders": update_orders,
    "three_flows": three_flows,
    "stationary_flow": stationary_flow,
    "side_by_side": side_by_side,
}
ON_REQUEST: dict[str, Callable[..., Any]] = {
    "ising": observables,
    "training": training,
    "training_set": training_set,
    "degeneracies": degeneracies,
    "weight": weight,
    "weight_of_data": weight_of_data,
    "weight_map": weight_map,
    "capacity": capacity,
    "torus_threshold": torus_threshold,
}  # of tables and results that the reproduction has not
SEVEN_STEPS: dict[str, Callable[..., Any]] = {
    "flows": iso_shiba_yokoo,
    "fixed_points": iso_fixed_points,
    "weights": iso_weights,
    "couplings": iso_couplings,
    "training": iso_training,
    "thermometers": iso_thermometers,
}  # of a result of iso_shiba_yokoo


def draw(result: Any, name: str) -> Figure:
    """Return the named figure of `DRAWINGS`, `ON_REQUEST` or, of the seven steps, `SEVEN_STEPS`."""
    drawings = SEVEN_STEPS if isinstance(result, IsoShibaYokoo) else DRAWINGS | ON_REQUEST
    axes = drawings[name](result)
    figure: Figure = np.atleast_1d(axes)[0].get_figure()
    return figure


def save(figure: Figure, stream: Any, kind: str, dpi: int) -> None:
    """Write a figure to a binary stream as ``png`` or ``svg``, undated: equal results give equal bytes."""
    metadata = {"Date": None, "Creator": "rbmflow"} if kind == "svg" else {"Software": "rbmflow"}
    with mpl.rc_context(STYLE):
        figure.savefig(stream, format=kind, dpi=dpi, metadata=metadata)
