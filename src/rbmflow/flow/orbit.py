"""Following a batch of configurations through the flow: observables of every step, not the configurations."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from rbmflow.arguments import MAX_STEPS, check_integer, check_rng, shown
from rbmflow.estimate import Estimate
from rbmflow.flow.observables import Observable, magnetization
from rbmflow.hardware import check_fits
from rbmflow.networks import RBM
from rbmflow.records import Tabular
from rbmflow.spins import check_means

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, RNGLike

ALWAYS = ("magnetization", "order_parameter", "displacement")
BYTES = 250  # of an estimate


@dataclass(frozen=True, eq=False)
class Orbit(Tabular):
    """What was recorded along a flow.

    Attributes
    ----------
    observables : dict of str to tuple of Estimate
        By name, means over the batch after 0, 1, … steps: ``magnetization`` m, ``order_parameter`` ``|m|``,
        ``displacement``, the root of the mean square of ``v' − v`` over the units in the step that led here
        (NaN at the start), and what was asked for.
    undecided : tuple of float
        Fraction of the batch with m = 0, after 0, 1, … steps.
    final : numpy.ndarray, shape (n, n_visible)
        The batch after the last step.
    """

    observables: dict[str, tuple[Estimate, ...]]
    undecided: tuple[float, ...]
    final: Any = field(repr=False)

    def _columns(self) -> dict[str, Any]:
        columns: dict[str, Any] = {"step": range(len(self.undecided))}
        for name, series in self.observables.items():
            columns[name] = [one.mean for one in series]
            columns[f"{name}_stderr"] = [one.stderr for one in series]
        return {**columns, "undecided": self.undecided}

    @property
    def n_steps(self) -> int:
        """Number of steps taken."""
        return len(self.undecided) - 1

    @property
    def magnetization(self) -> tuple[Estimate, ...]:
        """Mean of ``m = Σ v_i / n`` over the batch after 0, 1, … steps."""
        return self.observables["magnetization"]

    @property
    def order_parameter(self) -> tuple[Estimate, ...]:
        """Mean of ``|m|`` over the batch after 0, 1, … steps."""
        return self.observables["order_parameter"]


def orbit(
    step: Callable[..., Any],
    rbm: RBM,
    v0: ArrayLike,
    n_steps: int,
    *,
    observables: Mapping[str, Observable] | None = None,
    rng: RNGLike = None,
    callback: Callable[[int, Any], object] | None = None,
) -> Orbit:
    """Apply a map again and again to a batch of independent configurations.

    Parameters
    ----------
    step : callable
        `flow.mean_field`, `flow.sign`, `flow.mean_field_sampled`, `flow.gibbs`,
        or any ``step(rbm, v)`` or ``step(rbm, v, rng)``.
    rbm : RBM
        The machine.
    v0 : array_like, shape (n, n_visible)
        At least two independent configurations.
    n_steps : int
        Number of steps, at least 0.
    observables : dict of str to callable, optional
        What to record beside m, ``|m|`` and the displacement:
        ``f(batch)`` of shape (n,), as `flow.lattice_observables` gives.
    rng : numpy.random.Generator or int
        Generator or seed, needed by maps that take one.
    callback : callable, optional
        Called as ``callback(index, batch)`` after ``index`` = 0, 1, … steps with the batch,
        which it must not change.

    Returns
    -------
    Orbit
        Observables with standard errors for every step, and the final batch.

    Raises
    ------
    MemoryError
        If the observables of so many steps do not fit into the memory of this machine.

    See Also
    --------
    mean_field : The map of the thesis.
    lattice_observables : What may be recorded.
    fixed_points : Where orbits end.

    References
    ----------
    S. Iso, S. Shiba and S. Yokoo, Phys. Rev. E 97, 053304 (2018).

    Examples
    --------
    >>> from rbmflow import Ring, flow
    >>> ring = Ring(8)
    >>> spins = ring.sample(0.5, 1000, rng=1)
    >>> path = orbit(flow.sign, RBM.uniform(8, 4, 1.0), spins, 1, observables=flow.lattice_observables(ring))
    >>> path.order_parameter[1].mean + path.undecided[1]
    1.0
    >>> path.observables["energy"][1].mean == -path.order_parameter[1].mean
    True
    """
    if not callable(step):
        raise TypeError(f"step={shown(step)}: a map step(rbm, v) is needed, such as flow.mean_field")
    n_steps = check_integer("n_steps", n_steps, 0, MAX_STEPS)
    if not isinstance(rbm, RBM):
        raise TypeError(f"rbm={shown(rbm)}: an RBM is needed")
    batch = check_means("v0", v0, rbm.n_visible)
    if batch.ndim != 2 or len(batch) < 2:
        raise ValueError(f"v0 has shape {batch.shape}: (n, n_visible) with n of at least 2 is needed")
    measures = _measures(observables)
    each = BYTES * (len(ALWAYS) + len(measures))
    check_fits("n_steps", n_steps, each, "follow shorter orbits, each from the end of the last")
    advance = _advance(step, rng)
    found: dict[str, list[Estimate]] = {name: [] for name in (*ALWAYS, *measures)}
    undecided = []
    previous = None
    for index in range(n_steps + 1):
        if index:
            previous, batch = batch, advance(rbm, batch)
        m = magnetization(batch)
        undecided.append(float((m == 0).mean()))
        values = {"magnetization": m, "order_parameter": np.abs(m)}
        values |= {name: _of_batch(name, measure(batch), len(m)) for name, measure in measures.items()}
        for name, numbers in values.items():
            found[name].append(Estimate.from_independent(numbers))
        found["displacement"].append(_displacement(previous, batch))
        if callback is not None:
            callback(index, batch)
    return Orbit({name: tuple(series) for name, series in found.items()}, tuple(undecided), batch)


def _measures(observables: object) -> dict[str, Observable]:
    if observables is None:
        return {}
    if not isinstance(observables, Mapping):
        raise TypeError(f"observables={shown(observables)}: a dict of callables by name is needed")
    for name, measure in observables.items():
        if name in ALWAYS:
            raise ValueError(f"observables: {shown(name)} is always recorded; another name is needed")
        if not callable(measure):
            raise TypeError(f"observables[{shown(name)}]={shown(measure)}: a callable is needed")
    return dict(observables)


def _advance(step: Callable[..., Any], rng: object) -> Callable[[RBM, Any], Any]:
    """The map with its generator, if it takes one."""
    try:
        draws = "rng" in inspect.signature(step).parameters
    except ValueError:  # a builtin, whose signature nobody knows
        draws = False
    if not draws:
        return step
    if rng is None:
        raise ValueError(
            f"rng=None: {getattr(step, '__name__', step)} draws spins; a generator or seed is needed"
        )
    return partial(step, rng=check_rng(rng))


def _of_batch(name: str, values: Any, n: int) -> Any:
    if np.shape(values) != (n,):
        raise ValueError(f"observables[{shown(name)}] gives the shape {np.shape(values)}: ({n},) is needed")
    return values


def _displacement(previous: Any, batch: Any) -> Estimate:
    if previous is None:
        return Estimate(float("nan"), float("nan"), 0.5, float(len(batch)), float("nan"))
    change = np.subtract(batch, previous, dtype=np.float64)
    return Estimate.from_independent(np.sqrt(np.einsum("ij,ij->i", change, change) / change.shape[1]))
