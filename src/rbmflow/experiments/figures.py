"""Where the figures were that stand beside their experiments now."""

from __future__ import annotations

from typing import Any

from rbmflow.experiments.moved import moved


def __getattr__(name: str) -> Any:
    from rbmflow.experiments import (
        capacity,
        observables,
        own_data,
        style,
        thermometers,
        torus_threshold,
        weight_map,
        weights,
    )
    from rbmflow.experiments.reproduction import (
        chains,
        decimation,
        ensembles,
        intersection,
        limits,
        mixtures,
        reproduce,
        side_by_side,
        three_flows,
        thresholds,
    )
    from rbmflow.experiments.reproduction import weights as of_the_thesis
    from rbmflow.experiments.seven_steps import figures as seven_steps

    places = {
        "DRAWINGS:FIGURES": reproduce,
        "SEVEN_STEPS:FIGURES iso_shiba_yokoo:draw_flows iso_fixed_points:draw_fixed_points "
        "iso_weights:draw_weights iso_couplings:draw_couplings iso_training:draw_training "
        "iso_thermometers:draw_thermometers": seven_steps,
        "fig2:draw_decimation": decimation,
        "fig3:draw_intersection fig5:draw_divergence": intersection,
        "fig4:draw_trained_weight": of_the_thesis,
        "ensembles:draw_ensembles": ensembles,
        "limits:draw_limits laws:draw_laws": limits,
        "boundary:draw_boundary": thresholds,
        "ranges:draw_gains": mixtures,
        "against_exact:draw_against_exact update_orders:draw_update_orders": chains,
        "three_flows:draw_three_flows stationary_flow:draw_stationary_flow": three_flows,
        "side_by_side:draw_side_by_side": side_by_side,
        "torus_threshold:draw_torus_threshold": torus_threshold,
        "weight_map:draw_weight_map": weight_map,
        "capacity:draw_capacity": capacity,
        "training:draw_training": own_data,
        "observables:draw_observables training_set:draw_training_set "
        "degeneracies:draw_degeneracies": observables,
        "weight:draw_weight weight_of_data:draw_weight_of_data": weights,
        "calibration null_calibration": thermometers,
        "save": style,
    }
    if name == "ON_REQUEST":
        return {
            "ising": observables.draw_observables,
            "training": own_data.draw_training,
            "training_set": observables.draw_training_set,
            "degeneracies": observables.draw_degeneracies,
            "weight": weights.draw_weight,
            "weight_of_data": weights.draw_weight_of_data,
            "weight_map": weight_map.draw_weight_map,
            "capacity": capacity.draw_capacity,
            "torus_threshold": torus_threshold.draw_torus_threshold,
        }
    return moved(__name__, name, places)


def draw(result: Any, name: str) -> Any:
    """Return a figure of a reproduction or of the seven steps."""
    from rbmflow.experiments.reproduction import reproduce
    from rbmflow.experiments.seven_steps import figures as seven_steps
    from rbmflow.experiments.style import figure_of

    drawings = seven_steps.FIGURES if hasattr(result, "finished") else reproduce.FIGURES
    return figure_of(drawings[name](result))
