"""The law of the magnetization of a torus.

From the joint counts of energy and magnetization, or in float64 by a transfer matrix for each coupling.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray, check_digits, check_real
from rbmflow.ising.joint_density_of_states import (
    JointDensityOfStates,
    check_joint_work,
    has_joint_counts,
    torus_joint_density_of_states,
)
from rbmflow.ising.law import Law, magnetizations
from rbmflow.ising.torus_weights import MAX_WIDTH, law_by_weights, weights_reach
from rbmflow.precision import exact_array, exact_map, settle, to_exact

COUNTED_WORK = 10**9
"""Additions, which take half a second: all laws of such tori come from their counts."""


def magnetization_law(n_rows: int, n_cols: int, K: object, dps: int | None) -> Law:
    """Return the law of the magnetization for an array of couplings.

    Of tori with few counts these give it, as they give digits; of others in float64 weights do where they
    reach, so that what a law is does not depend on what was counted before.

    Examples
    --------
    >>> magnetization_law(2, 2, 0.0, None).probabilities
    array([0.0625, 0.25  , 0.375 , 0.25  , 0.0625])
    """
    if dps is not None or has_joint_counts(n_rows, n_cols, COUNTED_WORK):
        return law_from_counts(_counts(n_rows, n_cols), K, dps)
    couplings = check_real("K", K)
    if min(n_rows, n_cols) > MAX_WIDTH:
        raise ValueError(
            f"a torus of {n_rows} x {n_cols} sites: the shorter side may have at most {MAX_WIDTH} "
            "for the law of its magnetization"
        )
    flat, n = couplings.ravel(), n_rows * n_cols
    weighed = weights_reach(n_rows, n_cols, flat)
    table = np.empty((flat.size, n + 1))
    if not weighed.all():
        counted = law_from_counts(_counts(n_rows, n_cols), flat[~weighed], None)
        table[~weighed] = counted.probabilities
    table[weighed] = law_by_weights(n_rows, n_cols, flat[weighed])
    return Law(magnetizations(n), table.reshape(*couplings.shape, n + 1))


def _counts(n_rows: int, n_cols: int) -> JointDensityOfStates:
    check_joint_work(n_rows, n_cols)
    return torus_joint_density_of_states(n_rows, n_cols)


def law_from_counts(joint: JointDensityOfStates, K: object, dps: int | None) -> Law:
    """Return the law ``q(V) ∝ Σ_E g(E, V) e^(−KE)`` for an array of couplings.

    Examples
    --------
    >>> from rbmflow.ising.joint_density_of_states import torus_joint_density_of_states
    >>> law_from_counts(torus_joint_density_of_states(2, 2), 0.0, None).probabilities
    array([0.0625, 0.25  , 0.375 , 0.25  , 0.0625])
    """
    n = joint.n_sites
    if dps is None:
        couplings = check_real("K", K)
        table = np.array([_machine_law(joint, coupling) for coupling in couplings.ravel().tolist()])
        return Law(magnetizations(n), table.reshape(*couplings.shape, n + 1))
    digits, exact = check_digits(dps), exact_array("K", K)
    rows = np.empty((*exact.shape, n + 1), dtype=object)
    for index in np.ndindex(exact.shape):
        rows[index] = settle(partial(_exact_law, joint=joint, K=exact[index]), digits)
    return Law(magnetizations(n), rows)


def mean_square(joint: JointDensityOfStates, K: object, dps: int) -> Any:
    """Return ``⟨V²⟩/n`` to `dps` digits.

    Examples
    --------
    >>> from rbmflow.ising.joint_density_of_states import torus_joint_density_of_states
    >>> mean_square(torus_joint_density_of_states(3, 3), 0, 20)
    mpf('1.0')
    """

    def evaluate(ctx: Any, K: Any) -> Any:
        weights = _weights(ctx, joint, K)
        squares = [(2 * up - joint.n_sites) ** 2 for up in range(joint.n_sites + 1)]
        return ctx.fdot(weights, squares) / (joint.n_sites * ctx.fsum(weights))

    return exact_map(evaluate, dps, K=K)


def _machine_law(joint: JointDensityOfStates, K: float) -> FloatArray:
    """Weights ``g(E, V) e^(−K (E − E_0))``, with E_0 where all states of an energy together weigh most."""
    energy = np.array(joint.energy)
    level = energy - energy[0] if K >= 0 else energy[-1] - energy
    up = (np.array(joint.magnetization) + joint.n_sites) // 2
    count = np.array([float(number) for number in joint.count])
    with np.errstate(under="ignore", over="ignore"):
        if np.isinf(K):
            weights = np.where(level == 0, count, 0.0)
        else:
            logs = np.log(np.bincount(level, count).clip(min=1e-300)) - abs(K) * np.arange(level.max() + 1.0)
            weights = count * np.exp(-abs(K) * (level - int(logs.argmax())))
        sums = np.bincount(up, weights, joint.n_sites + 1)
        law: FloatArray = sums / sums.sum()
    return law


def _exact_law(ctx: Any, *, joint: JointDensityOfStates, K: object) -> list[Any]:
    weights = _weights(ctx, joint, to_exact(ctx, "K", K))
    total = ctx.fsum(weights)
    return [weight / total for weight in weights]


def _weights(ctx: Any, joint: JointDensityOfStates, K: Any) -> list[Any]:
    """``Σ_E g(E, V) e^(−K (E − E_0))`` for each V; at K = ±∞ the counts of the ground states."""
    ground = joint.energy[0] if K > 0 else joint.energy[-1]
    factor = {
        energy: ctx.mpf(energy == ground) if ctx.isinf(K) else ctx.exp(-K * (energy - ground))
        for energy in set(joint.energy)
    }
    weights = [ctx.zero] * (joint.n_sites + 1)
    for energy, magnetization, count in joint.rows():
        weights[(magnetization + joint.n_sites) // 2] += count * factor[energy]
    return weights
