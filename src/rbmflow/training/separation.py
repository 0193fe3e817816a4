"""Whether the error of a neuron has a minimum: it has none where a plane separates the targets.

With s = ±1 for the targets 1 and 0, G falls for ever along a direction w with ``s (w·x + b) ≥ 0`` for all
examples and above 0 for one (A. Albert, J. A. Anderson, Biometrika 71, 1 (1984)). Whether there is one is a
linear programme (K. Konis, thesis, Oxford (2007)).
"""

from __future__ import annotations

import numpy as np

from rbmflow.arguments import FloatArray
from rbmflow.errors import ConvergenceWarning, warn_caller

MOST_NUMBERS = 10**6
"""Of examples times weights, for the linear programme: a second or so."""
SURE = 5.0
"""Activations below which a descent that has converged is at a minimum: along a direction without one they
grow until ``e^(−a)`` is as small as the tolerance."""


def warn_without_minimum(
    x: FloatArray, t: FloatArray, w: FloatArray, *, has_decay: bool, converged: bool
) -> None:
    """Warn if the error has no minimum; x has a column of ones for the bias, which has no decay."""
    if (t == t[0]).all():
        why = f"all targets are {t[0]:g}: the error has no minimum, the bias grows for ever"
    elif not has_decay and _separates(x, 2 * t - 1, w, converged=converged):
        why = (
            "a plane separates the targets: the error has no minimum, the weights grow for ever; "
            "decay > 0 gives it one"
        )
    else:
        return
    warn_caller(why, ConvergenceWarning)


def _separates(x: FloatArray, s: FloatArray, w: FloatArray, *, converged: bool) -> bool:
    """Whether a direction is on the right side of all examples, and on both sides of none."""
    a = x @ w
    if (s * a > 0).all():
        return True
    if (converged and np.abs(a).max() < SURE) or x.size > MOST_NUMBERS:
        return False
    from scipy.optimize import linprog

    sides = s[:, None] * x / np.maximum(np.abs(x).max(axis=0), 1e-300)
    limits = np.concatenate([np.ones(len(x)), np.zeros(len(x))])
    found = linprog(
        -sides.sum(axis=0), A_ub=np.concatenate([sides, -sides]), b_ub=limits, bounds=(None, None)
    )
    return bool(found.status == 0 and -found.fun > 0.5)  # 0, or at least 1 by a direction made longer
