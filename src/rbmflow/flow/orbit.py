"""Following a batch of configurations through the flow, with the order parameter of every step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rbmflow.arguments import check_integer
from rbmflow.estimate import Estimate
from rbmflow.flow.maps import Step
from rbmflow.networks import RBM
from rbmflow.spins import check_means, check_sites


@dataclass(frozen=True, eq=False)
class Orbit:
    """What was recorded along a flow.

    Attributes
    ----------
    magnetization : tuple of Estimate
        Mean of ``m = Σ v_i / n`` over the batch after 0, 1, … steps.
    order_parameter : tuple of Estimate
        Mean of |m| over the batch.
    undecided : tuple of float
        Fraction of the batch with m = 0.
    final : numpy.ndarray, shape (n, n_visible)
        The batch after the last step.
    """

    magnetization: tuple[Estimate, ...]
    order_parameter: tuple[Estimate, ...]
    undecided: tuple[float, ...]
    final: Any

    @property
    def n_steps(self) -> int:
        """Number of steps taken."""
        return len(self.magnetization) - 1


def orbit(step: Step, rbm: RBM, v0: object, n_steps: int) -> Orbit:
    """Apply a map again and again to a batch of independent configurations.

    Parameters
    ----------
    step : callable
        `flow.mean_field`, `flow.sign`, or any ``step(rbm, v)``.
    rbm : RBM
        The machine.
    v0 : array_like, shape (n, n_visible)
        At least two independent configurations.
    n_steps : int
        Number of steps, at least 0.

    Returns
    -------
    Orbit
        Order parameters with standard errors for every step, and the final batch.

    Raises
    ------
    TypeError, ValueError
        If `step` cannot be called, `v0` does not fit the machine, or `n_steps` is negative.

    Examples
    --------
    >>> from rbmflow import Ring, flow
    >>> spins = Ring(8).sample(0.5, 1000, rng=1)
    >>> path = orbit(flow.sign, RBM.uniform(8, 4, 1.0), spins, 1)
    >>> path.order_parameter[1].mean + path.undecided[1]
    1.0
    """
    if not callable(step):
        raise TypeError(f"step={step!r}: a map step(rbm, v) is needed, such as flow.mean_field")
    n_steps = check_integer("n_steps", n_steps, 0)
    if not isinstance(rbm, RBM):
        raise TypeError(f"rbm={rbm!r}: an RBM is needed")
    batch = check_means("v0", v0)
    if batch.ndim != 2 or len(batch) < 2:
        raise ValueError(f"v0 has shape {batch.shape}: (n, n_visible) with n of at least 2 is needed")
    check_sites("v0", batch, rbm.n_visible)
    means, orders, undecided = [], [], []
    for index in range(n_steps + 1):
        if index:
            batch = step(rbm, batch)
        m = batch.mean(axis=-1, dtype=np.float64)
        means.append(Estimate.from_independent(m))
        orders.append(Estimate.from_independent(np.abs(m)))
        undecided.append(float((m == 0).mean()))
    return Orbit(tuple(means), tuple(orders), tuple(undecided), batch)
