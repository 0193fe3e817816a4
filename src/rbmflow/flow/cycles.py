"""Cycles of deterministic maps of the visible layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import MAX_STEPS, check_integer, check_real_scalar, shown
from rbmflow.flow.maps import Step
from rbmflow.networks import RBM
from rbmflow.spins import check_means

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike


def cycle_length(
    step: Step, rbm: RBM, v: ArrayLike, *, max_steps: int = 10_000, atol: float = 0.0
) -> npt.NDArray[np.int64]:
    """Return the length of the cycle that each configuration flows into, 1 for a fixed point.

    Every configuration is compared with the one at the last power of 2 of the steps
    (Brent's method), so that nothing else is kept. `mean_field` and `sign` have fixed points
    only (see `rbmflow.flow.maps`); other maps need not.

    Parameters
    ----------
    step : callable
        `flow.sign`, `flow.mean_field`, or any ``step(rbm, v)`` that draws nothing.
    rbm : RBM
        The machine.
    v : array_like, shape (..., n_visible)
        Spins, or means between −1 and 1.
    max_steps : int
        Steps to follow, at least 1; three times the length of the cycle and of the way there are enough.
    atol : float
        Largest difference of a unit between configurations that count as one;
        0 for maps with a finite number of values.

    Returns
    -------
    numpy.ndarray of int64, shape (...)
        Lengths; 0 where no configuration came back within the steps.

    Examples
    --------
    >>> rbm = RBM.uniform(4, 2, 1.0)
    >>> from rbmflow import flow
    >>> cycle_length(flow.sign, rbm, [[1, 1, 1, -1], [1, -1, 1, -1]])
    array([1, 1])
    >>> cycle_length(lambda rbm, v: -flow.sign(rbm, v), rbm, [1, 1, 1, -1])
    array(2)
    """
    if not callable(step):
        raise TypeError(f"step={shown(step)}: a map step(rbm, v) is needed, such as flow.sign")
    if not isinstance(rbm, RBM):
        raise TypeError(f"rbm={shown(rbm)}: an RBM is needed")
    max_steps = check_integer("max_steps", max_steps, 1, MAX_STEPS)
    atol = check_real_scalar("atol", atol)
    if not 0 <= atol < np.inf:
        raise ValueError(f"atol={shown(atol)}: a finite number of at least 0 is needed")
    given = check_means("v", v, rbm.n_visible)
    now = given.reshape(-1, rbm.n_visible)
    lengths, left = np.zeros(len(now), dtype=np.int64), np.arange(len(now))
    kept, since, period = now, 0, 1
    for _ in range(max_steps):
        if not len(left):
            break
        after = np.asarray(step(rbm, now), dtype=np.float64)
        if after.shape != now.shape:
            raise ValueError(f"step: it makes shape {after.shape} of {now.shape}; the same shape is needed")
        now, since = after, since + 1
        back = np.abs(now - kept).max(axis=1) <= atol
        lengths[left[back]] = since
        now, kept, left = now[~back], kept[~back], left[~back]
        if since == period:
            kept, since, period = now, 0, 2 * period
    return lengths.reshape(given.shape[:-1])
