"""Figures of processes: flows, training, chains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np

from rbmflow.arguments import shown
from rbmflow.experiments.own_data.figure import CURVES
from rbmflow.experiments.style import BLUE, COLOURS, axes_of, styled
from rbmflow.flow import Orbit
from rbmflow.sampling import Run
from rbmflow.training import Fit, History, Learned

MOST_CHAINS = 8
"""That are drawn each with a line of its own."""


def orbit(paths: Orbit | Mapping[str, Orbit], *, observable: str = "order_parameter", ax: Any = None) -> Any:
    """Draw an observable along flows, with standard errors.

    Parameters
    ----------
    paths : Orbit or dict of str to Orbit
        One, or several by name.
    observable : str
        What to draw: a name in `Orbit.observables`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        A line for each flow.

    Raises
    ------
    ImportError
        Without the extra ``figures`` (matplotlib).
    ValueError
        If the observable was not recorded.

    Examples
    --------
    >>> from rbmflow import RBM, Ring, flow
    >>> spins = Ring(8).sample(0.5, 100, rng=1)
    >>> path = flow.orbit(flow.mean_field, RBM.uniform(8, 4, 0.3), spins, 5)
    >>> orbit(path).get_ylabel()
    'order parameter'
    """
    flows = named("paths", paths, Orbit)
    for one in flows.values():
        if observable not in one.observables:
            raise ValueError(f"observable={shown(observable)}: one of {', '.join(one.observables)} is needed")
    with styled():
        ax = axes_of(ax)
        for (name, one), colour in zip(flows.items(), cycle(COLOURS), strict=False):
            recorded = one.observables[observable]
            ax.errorbar(
                range(len(recorded)),
                [estimate.mean for estimate in recorded],
                np.nan_to_num([estimate.stderr for estimate in recorded]),
                color=colour,
                marker="o",
                ms=3.5,
                label=name,
            )
        ax.set(xlabel="step of the flow", ylabel=observable.replace("_", " "))
        ax.xaxis.get_major_locator().set_params(integer=True)
        if len(flows) > 1:
            ax.legend()
        return ax


def history(recorded: History | Fit | Learned, *, names: Sequence[str] | None = None, ax: Any = None) -> Any:
    """Draw what was recorded along a training.

    Parameters
    ----------
    recorded : History, Fit or Learned
        What was recorded; of a machine that `learn` has found, its likelihoods at the checkpoints.
    names : sequence of str, optional
        Quantities of the history; by default its likelihoods, or all if there is none.
    ax : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        A line for each quantity.

    Raises
    ------
    ImportError
        Without the extra ``figures`` (matplotlib).
    ValueError
        If a quantity was not recorded.

    Examples
    --------
    >>> from rbmflow import RBM, Ring, fit
    >>> trained = fit(RBM.uniform(8, 2, 0.1), Ring(8).sample(0.5, 50, rng=1), n_epochs=3, rng=2)
    >>> history(trained).get_xlabel()
    'epoch'
    """
    found = recorded.history if isinstance(recorded, Fit) else recorded
    if isinstance(found, Learned):
        found = History(found.history)
    if not isinstance(found, History):
        raise TypeError(f"recorded={shown(recorded)}: a History, a Fit or a Learned is needed")
    chosen = _quantities(found, names)
    with styled():
        ax = axes_of(ax)
        for name, colour in zip(chosen, cycle(COLOURS), strict=False):
            label, own, line = CURVES.get(name, (name.replace("_", " "), colour, "-"))
            ax.plot(found["epoch"], found[name], color=own, ls=line, label=label)
        ax.set(xlabel="epoch", ylabel="nats per row" if CURVES.keys() >= set(chosen) else "")
        ax.legend()
        return ax


def _quantities(found: History, names: Sequence[str] | None) -> list[str]:
    there = [name for name in found if name != "epoch"]
    if names is None:
        return [name for name in there if name in CURVES] or there
    chosen = list(names) if hasattr(names, "__iter__") and not isinstance(names, str) else []
    if not chosen or not all(isinstance(name, str) for name in chosen):
        raise TypeError(f"names={shown(names)}: a list of names is needed")
    for name in chosen:
        if name not in there:
            raise ValueError(f"names: {shown(name)} was not recorded; there are {', '.join(there)}")
    return chosen


def series(run: Run, *, ax: Any = None) -> Any:
    """Draw the series of energy and magnetization of a run of chains with one coupling.

    Parameters
    ----------
    run : Run
        Of `sampling.run`; with several couplings one part of it, ``run.at(K)``.
    ax : sequence of two matplotlib.axes.Axes, optional
        Where to draw; those of a new figure by default.

    Returns
    -------
    numpy.ndarray of matplotlib.axes.Axes
        Energy and magnetization per site against sweeps: the first eight chains, and the mean of all.

    Examples
    --------
    >>> from rbmflow import Torus, sampling
    >>> left, right = series(sampling.run(Torus(8, 8), 0.4, n_chains=4, n_sweeps=50, rng=1))
    >>> right.get_ylabel()
    'magnetization per site'
    """
    if not isinstance(run, Run):
        raise TypeError(f"run={shown(run)}: a Run is needed")
    K = run.coupling
    with styled():
        axes = axes_of(ax, 2, (10.0, 4.2))
        sweeps = run.thin * np.arange(1, run.energy.shape[1] + 1)
        labels = {"energy": "energy per site, J", "magnetization": "magnetization per site"}
        for panel, (name, label) in zip(axes, labels.items(), strict=True):
            values = getattr(run, name)
            panel.plot(sweeps, values[:MOST_CHAINS].T, color=BLUE, lw=0.7, alpha=0.4)
            panel.plot(sweeps, values.mean(axis=0), color="black", lw=1.2, label=f"mean of {len(values)}")
            panel.set(xlabel="sweeps", ylabel=label)
        axes[0].set_title(f"{run.lattice.label}, K = {K:g}, {run.rule.replace('_', ' ')}")
        axes[0].legend()
        return axes


def named(name: str, given: Any, kind: type) -> dict[str, Any]:
    """Return results by name, a single one as ``readings``; raise naming the argument."""
    found = {"readings": given} if isinstance(given, kind) else given
    if not isinstance(found, Mapping) or not found or not all(isinstance(x, kind) for x in found.values()):
        raise TypeError(f"{name}={shown(given)}: a {kind.__name__}, or several by name, is needed")
    return dict(found)
