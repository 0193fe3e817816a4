"""Ensembles of exact samples along the flow."""

from __future__ import annotations

from typing import Any

import numpy as np

from rbmflow import flow
from rbmflow.experiments.reproduction.stage import Findings, Parameters, Reproduced
from rbmflow.experiments.style import Drawing, axes_of, columns, legend_line, shades, styled
from rbmflow.experiments.tables import Check, Table, columns_of
from rbmflow.ising import Ring
from rbmflow.networks import RBM
from rbmflow.weight import trained_weight


def stage(parameters: Parameters, rng: np.random.Generator) -> Findings:
    """Ensembles of exact samples at T ≠ 0 under machines trained at T = 0 and at T > 0."""
    M, N, n = parameters.n_visible, parameters.n_hidden, parameters.n_samples
    ring, rows, checks = Ring(M), [], []
    machines = [("T = 0", float("inf"))] + [(f"K = {K:g}", K) for K in parameters.trained_at]
    for K in parameters.flow_couplings:
        spins = ring.sample(K, n, rng=rng)
        zero = float(ring.magnetization_law(K).probabilities[M // 2])
        for label, trained in machines:
            W = trained_weight(trained, M, N)
            step = flow.sign if np.isinf(W) else flow.mean_field
            path = flow.orbit(step, RBM.uniform(M, N, 1.0 if np.isinf(W) else W), spins, parameters.n_steps)
            for index, (order, undecided) in enumerate(
                zip(path.order_parameter, path.undecided, strict=True)
            ):
                rows.append((K, label, float(W), index, order.mean, order.stderr, undecided))
            fixed = flow.uniform_fixed_points(W, M, N).magnetization[-1]
            exact = fixed * (1 - zero)
            final = path.order_parameter[-1]
            if np.isinf(W):
                name = f"⟨|m|⟩ after the sign map, ensemble at K = {K:g}"
                source = "1 − q(V = 0), exact law"
                z = final.deviation(exact)
                checks.append(Check(name, str(final), f"{exact:.6g}", z, 5.0, "standard errors", source))
            else:
                # the transient decays as multiplier^steps; what remains of it widens the tolerance
                decay = max(flow.uniform_fixed_points(W, M, N).multiplier[0], 0.0) ** parameters.n_steps
                tolerance = 5 * final.stderr + 2 * decay
                name = f"⟨|m|⟩ after {parameters.n_steps} steps, ensemble at K = {K:g}, trained at {label}"
                source = "m* (1 − q(V = 0)), fixed point of the flow"
                difference = abs(final.mean - exact)
                checks.append(
                    Check(name, str(final), f"{exact:.6g}", difference, tolerance, "absolute", source)
                )
    names = ("K_ensemble", "trained_at", "W", "step", "order_parameter", "stderr", "fraction_with_m_0")
    caption = f"Order parameter ⟨|m|⟩ along the flow, {n} exact samples each, M = {M}, N = {N}"
    return {"flow_of_ensembles": Table(caption, columns_of(names, rows))}, checks


def draw_ensembles(result: Reproduced, ax: Any = None) -> Any:
    """Draw the order parameter along the flow, one panel for each ensemble (pass as many axes)."""
    data = columns(result, "flow_of_ensembles")
    couplings = result.parameters.flow_couplings
    with styled():
        axes = np.atleast_1d(axes_of(ax, len(couplings), (3.5 * len(couplings), 3.9)))
        labels = list(dict.fromkeys(data["trained_at"]))
        colours = ["black", *shades(len(labels) - 1)]
        for panel, K in zip(axes, couplings, strict=True):
            for label, colour in zip(labels, colours, strict=True):
                rows = (data["K_ensemble"] == K) & (data["trained_at"] == label)
                panel.errorbar(
                    data["step"][rows],
                    data["order_parameter"][rows],
                    5 * data["stderr"][rows],
                    color=colour,
                    marker="s" if label == labels[0] else "o",
                    mfc="white" if label == labels[0] else colour,
                    ms=6 if label == labels[0] else 3,
                    lw=1.4,
                )
            panel.set(xlabel="step of the flow", ylim=(0, 1.05), title=f"ensemble at K = {K:g}")
        axes[0].set_ylabel("order parameter ⟨|m|⟩")
        handles = [legend_line(color=colour, marker="o", ms=3) for colour in colours]
        handles[0].set(marker="s", mfc="white", ms=6)
        figure = axes[0].get_figure()
        if ax is None:
            figure.legend(
                handles,
                [f"trained at {label}" for label in labels],
                loc="outside lower center",
                ncols=len(labels),
            )
        else:
            axes[-1].legend(handles, labels)
        figure.suptitle("Flow of exact ensembles at T ≠ 0 (bars: five standard errors)")
        return axes


FIGURES: dict[str, Drawing] = {"flow_of_ensembles": draw_ensembles}
