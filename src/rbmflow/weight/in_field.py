"""What machines of equal weights learn of a ring in a uniform field, without biases and with them.

Without biases p is even in V: of the data the equation sees ``|V|`` alone, and the sign is lost, at most
ln 2 of divergence. With a bias a of all visible and c of all hidden units ``p(V) ∝ C(M, n) e^(aV)
[2 cosh(WV + c)]^N``, n the spins that are up, and KL(q‖p) is least where the means of V, of tanh(WV + c) and
of V tanh(WV + c) are those of the data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from scipy.optimize import minimize

from rbmflow.arguments import FloatArray, check_digits, check_flag, check_real, shown
from rbmflow.errors import PrecisionError
from rbmflow.ising.in_field import check_field, couplings_of
from rbmflow.ising.law import Law
from rbmflow.ising.walls import ring_weights
from rbmflow.precision import exact_map
from rbmflow.records import Record
from rbmflow.weight.equation import check_sizes, log_binomials
from rbmflow.weight.from_histogram import (
    TOLERANCE,
    exact_weight_of_histogram,
    fold,
    weight_of_histogram,
)

if TYPE_CHECKING:
    from rbmflow.typing import MPF, ArrayLike, ExactArray, ExactArrayLike, ExactNumber, Number

FLOAT_DIGITS = 16
SMALL_SLOPE = 1e-9
"""Of the divergence by parameters that are scaled by the number of spins, where it counts as least."""


@overload
def trained_weight_in_field(
    K: Number, field: ExactNumber, n_visible: int, n_hidden: int, *, dps: None = None
) -> float: ...
@overload
def trained_weight_in_field(
    K: ArrayLike, field: ExactNumber, n_visible: int, n_hidden: int, *, dps: None = None
) -> FloatArray: ...
@overload
def trained_weight_in_field(
    K: ExactNumber, field: ExactNumber, n_visible: int, n_hidden: int, *, dps: int
) -> MPF: ...
@overload
def trained_weight_in_field(
    K: ExactArrayLike, field: ExactNumber, n_visible: int, n_hidden: int, *, dps: int
) -> ExactArray: ...
def trained_weight_in_field(
    K: object, field: ExactNumber, n_visible: int, n_hidden: int, *, dps: int | None = None
) -> Any:
    """Return the weight that an RBM with equal weights and no biases acquires on the ring in a field.

    The positive root of ``⟨V tanh WV⟩_p = ⟨V tanh WV⟩_q``, where q is the law of
    ``−βH = K (Σ v_i v_(i+1) + h Σ v_i)``: there is one if ``⟨V²⟩_q > M``, also of an antiferromagnet in a
    strong field. Time O(M^(3/2)).

    Parameters
    ----------
    K : array_like
        Couplings βJ of any sign; with `dps` also decimal strings, fractions or mpf.
    field : float
        h of each site, in units of J; ``|K| (1 + |h|)`` up to 2·10⁴. With `dps` also as `K`.
    n_visible, n_hidden : int
        Units in each layer: M from 3, N from 1.
    dps : int, optional
        Correct decimal digits; float64 without it.

    Returns
    -------
    float, numpy.ndarray, mpmath.mpf or array of mpf
        In the shape of `K`: 0 where ``⟨V²⟩ ≤ M``.

    See Also
    --------
    trained_with_biases : What biases add.
    trained_weight : Without a field.

    Examples
    --------
    >>> print(round(trained_weight_in_field(1.0, 0.0, 8, 4), 10))
    0.3063083298
    >>> trained_weight_in_field([0.5, 1.0], 0.2, 8, 4)
    array([0.2005, 0.3657])
    """
    n_visible, n_hidden = check_sizes(n_visible, n_hidden)
    h = check_field(field)

    def evaluate(ctx: Any, K: Any) -> Any:
        K, b = couplings_of(ctx, K, h)
        # ⟨V²⟩ − M may be of the order of K or b², of whose digits it loses some
        small = max(abs(K), b * b)
        spare = (max(0, int(-3 * float(ctx.log10(small)))) if small else 0) + 10
        with ctx.extradps(spare):
            weights = ring_weights(n_visible, ctx.exp(-4 * K))
            half = [weights[k] * 2 * ctx.cosh(b * (n_visible - 2 * k)) for k in range(n_visible // 2 + 1)]
            if n_visible % 2 == 0:
                half[-1] /= 2
        return exact_weight_of_histogram(ctx, half, n_visible, n_hidden) if small else ctx.zero

    if dps is not None:
        return exact_map(evaluate, check_digits(dps), K=K)
    values = exact_map(evaluate, FLOAT_DIGITS, K=check_real("K", K).astype(object))
    return np.asarray(values, dtype=np.float64)[()]


@dataclass(frozen=True)
class BiasedWeight(Record):
    """The best machine of equal weights and equal biases of each layer for a law of the magnetization.

    Attributes
    ----------
    weight : float
        W, at least 0.
    visible_bias, hidden_bias : float
        a and c; 0 where they were not asked for.
    divergence : float
        KL between the law of the magnetization and that of the machine, in nats.
    """

    weight: float
    visible_bias: float
    hidden_bias: float
    divergence: float


def trained_with_biases(
    law: Law, n_hidden: int, *, visible: bool = True, hidden: bool = True
) -> BiasedWeight:
    """Return the weight and the biases of the best machine of equal ones, for a law that may have a sign.

    KL(q‖p) is not convex in W, a and c: the least of what several starts lead to is returned. Where it falls
    towards infinite parameters, as c → ∞ with W tanh c fixed, a point far out is. Turned hidden units,
    (W, c) → (−W, −c), are the same machine, of which the one with W ≥ 0 is given. Time O(M) for each of some
    hundred steps.

    Parameters
    ----------
    law : Law
        One law of the magnetization of M ≥ 3 spins, as ``Ring(8).magnetization_law(0.5, field=0.1)``; with
        more than one value of V.
    n_hidden : int
        Hidden units N, at least 1.
    visible, hidden : bool
        Whether the units of the layer have a bias, the same for all.

    Returns
    -------
    BiasedWeight
        W, a, c and the divergence.

    Raises
    ------
    PrecisionError
        If no start leads to a point where the slopes vanish, as where the optimum is at infinite parameters.

    See Also
    --------
    trained_weight_in_field : Without biases, to any digits.
    rbmflow.training.fit : With ``tie="uniform"``, by training.

    Examples
    --------
    >>> from rbmflow import Ring
    >>> law = Ring(8).magnetization_law(0.5, field=0.1)
    >>> [round(trained_with_biases(law, 4, visible=v, hidden=v).divergence, 4) for v in (False, True)]
    [0.0542, 0.0254]
    """
    if not isinstance(law, Law):
        raise TypeError(f"law={shown(law)}: a rbmflow.Law is needed")
    n_visible, n_hidden = check_sizes(law.n_sites, n_hidden)
    chosen = np.array([True, check_flag("visible", visible), check_flag("hidden", hidden)])
    objective = _Divergence(_checked(law), n_visible, n_hidden)
    found = [_descend(objective, start, chosen) for start in objective.starts()]
    settled = [one for one in found if one[1] <= SMALL_SLOPE]
    if not settled:
        best = min(found, key=lambda one: one[1])
        raise PrecisionError(
            f"law={shown(law)}: the least slope reached is {best[1]:.2g}", best=best[0], digits=0
        )
    x, _, divergence = min(settled, key=lambda one: one[2])
    W, a, c = np.where(x[0] < 0, [-1, 1, -1], 1) * x / [n_visible, n_visible, 1]
    return BiasedWeight(float(W), float(a), float(c), max(float(divergence), 0.0))


def _checked(law: Law) -> FloatArray:
    q = np.asarray(law.probabilities)
    if q.ndim != 1:
        raise ValueError(f"law holds laws of shape {q.shape[:-1]}: one is needed")
    q = check_real("law.probabilities", q.astype(np.float64))
    if not np.isfinite(q).all() or (q < 0).any() or abs(q.sum() - 1) > TOLERANCE:
        raise ValueError("law.probabilities: numbers of at least 0 are needed, and their sum 1")
    if np.count_nonzero(q) < 2:
        raise ValueError("law.probabilities holds one value of V alone: its machine has infinite parameters")
    return q


class _Divergence:
    """KL over the law of V as a function of x = (MW, Ma, c), its slope and curvature."""

    def __init__(self, q: FloatArray, n_visible: int, n_hidden: int) -> None:
        self.q, self.n_hidden = q, n_hidden
        self.v = np.arange(-n_visible, n_visible + 1, 2) / n_visible
        self.log_states = log_binomials(n_visible)
        there = q > 0
        self.entropy = float(q[there] @ (np.log(q[there]) - self.log_states[there]))
        self.weight = n_visible * weight_of_histogram(fold(q), n_visible, n_hidden)

    def starts(self) -> list[FloatArray]:
        """Around the machine without biases, and that of independent spins."""
        mean = float(self.q @ self.v)
        a = len(self.v) * np.arctanh(np.clip(mean, -0.99, 0.99))
        sign, W = np.sign(mean) or 1.0, min(self.weight, 1e3)
        return [
            np.array(one)
            for one in ((W, 0, 0), (W, 0.1 * a, 0), (W, 0, 0.3 * sign), (0.3, a, 0.1 * sign), (W, a, -sign))
        ]

    def __call__(self, x: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        W, a, c = x
        field = W * self.v + c
        size = np.abs(field)
        log_p = self.log_states + a * self.v + self.n_hidden * (size + np.log1p(np.exp(-2 * size)))
        top = log_p.max()
        p = np.exp(log_p - top)
        total = p.sum()
        p /= total
        value = self.entropy + top + np.log(total) - self.q @ (log_p - self.log_states)
        t = np.tanh(field)
        N, away = self.n_hidden, p - self.q
        slopes = np.array([N * self.v * t, self.v, N * t])
        rise = N * (1 - t * t)
        curvatures = np.zeros((3, 3, len(t)))
        curvatures[0, 0], curvatures[0, 2], curvatures[2, 2] = rise * self.v**2, rise * self.v, rise
        curvatures[2, 0] = curvatures[0, 2]
        mean = slopes @ p
        hessian = (slopes * p) @ slopes.T - np.outer(mean, mean) + curvatures @ away
        return float(value), slopes @ away, hessian


def _descend(objective: _Divergence, start: FloatArray, chosen: Any) -> tuple[FloatArray, float, float]:
    """Return where a descent ends, the slope there and the divergence."""
    fixed = np.where(chosen, start, 0.0)

    def whole(x: FloatArray) -> FloatArray:
        full = fixed.copy()
        full[chosen] = x
        return full

    found = minimize(
        lambda x: objective(whole(x))[0],
        fixed[chosen],
        jac=lambda x: objective(whole(x))[1][chosen],
        hess=lambda x: objective(whole(x))[2][np.ix_(chosen, chosen)],
        method="trust-exact",
        options={"gtol": SMALL_SLOPE / 10, "maxiter": 500},
    )
    x = whole(found.x)
    for _ in range(3):  # the last digits, where differences of values show none
        _, slope, hessian = objective(x)
        step = np.linalg.lstsq(hessian[np.ix_(chosen, chosen)], slope[chosen], rcond=None)[0]
        if np.linalg.norm(step) > 1e-3 * (1 + np.linalg.norm(x)):
            break
        x = x - whole(step)
    value, slope, _ = objective(x)
    return x, float(np.abs(slope[chosen]).max()), value
