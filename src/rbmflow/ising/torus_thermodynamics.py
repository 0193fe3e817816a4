"""ln Z, energy and heat capacity of a torus: which route is exact where, and the limits.

Float64 takes the four products of `kaufman` where they do not cancel. They do where a side is odd and
K < 0, and for the heat capacity at low temperature; there, as for `dps`, everything is evaluated at raised
precision, or, where the torus is small, as a sum of positive terms over the exact density of states.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray, check_real
from rbmflow.errors import PrecisionError
from rbmflow.ising import kaufman
from rbmflow.ising.density_of_states import density_jet, torus_density_of_states
from rbmflow.precision import exact_map, settle

MAX_SUMMED_SITES = 256
MAX_LOST_DIGITS = 20_000
FLOAT_DIGITS = 17
ORDER = {"log_partition": 0, "energy": 1, "heat_capacity": 2}
# Beyond it the heat capacity goes by raised precision: it is of order e^(−8K), a sum over
# modes of order e^(−2K).
COLD = 0.75
# Beyond these the excitations weigh less than e^(−240); beyond the last the heat capacity
# is below every float64.
TINY = 1e-100  # below it sinh(2K)² underflows
SATURATED = 100.0
SATURATED_FRUSTRATED = 60.0
UNDERFLOW_FRUSTRATED = 200.0


def log_partition(n_rows: int, n_cols: int, K: object, dps: int | None) -> Any:
    """Return ln Z, the total.

    Examples
    --------
    >>> print(round(log_partition(4, 4, 0.0, None) / np.log(2), 12))
    16.0
    """
    return _evaluate("log_partition", n_rows, n_cols, K, dps)


def energy(n_rows: int, n_cols: int, K: object, dps: int | None) -> Any:
    """Return the energy per site in J.

    Examples
    --------
    >>> energy(4, 4, [0.0, np.inf, -np.inf], None)
    array([ 0., -2.,  2.])
    """
    return _evaluate("energy", n_rows, n_cols, K, dps)


def heat_capacity(n_rows: int, n_cols: int, K: object, dps: int | None) -> Any:
    """Return the heat capacity per site in k_B.

    Examples
    --------
    >>> heat_capacity(4, 4, [0.0, np.inf], None)
    array([0., 0.])
    """
    return _evaluate("heat_capacity", n_rows, n_cols, K, dps)


def frustrated_bonds(n_rows: int, n_cols: int) -> int:
    """Return how many bonds every state leaves unsatisfied at K < 0: one around each ring of odd length.

    Examples
    --------
    >>> frustrated_bonds(3, 4), frustrated_bonds(3, 5), frustrated_bonds(4, 4)
    (4, 8, 0)
    """
    return n_rows * (n_cols % 2) + n_cols * (n_rows % 2)


def _evaluate(quantity: str, n_rows: int, n_cols: int, K: object, dps: int | None) -> Any:
    if dps is not None:
        return exact_map(partial(_exact, quantity, n_rows, n_cols), dps, K=K)
    couplings = check_real("K", K)
    return _machine(quantity, n_rows, n_cols, couplings.ravel()).reshape(couplings.shape)[()]


def _of_derivative(quantity: str, n_sites: int, K: Any, value: Any) -> Any:
    if quantity == "log_partition":
        return value
    return -value / n_sites if quantity == "energy" else K * K * value / n_sites


def _ground_energy(n_rows: int, n_cols: int, ferromagnetic: bool) -> int:
    """Total energy at K = ±∞ in J: the lowest, or the highest."""
    n_bonds = 2 * n_rows * n_cols
    return -n_bonds if ferromagnetic else n_bonds - 2 * frustrated_bonds(n_rows, n_cols)


def _exact(quantity: str, n_rows: int, n_cols: int, ctx: Any, K: Any) -> Any:
    n_sites = n_rows * n_cols
    if ctx.isinf(K):
        ground = ctx.mpf(_ground_energy(n_rows, n_cols, K > 0)) / n_sites
        return {"log_partition": ctx.inf, "energy": ground, "heat_capacity": ctx.zero}[quantity]
    if not K:
        return n_sites * ctx.log(2) if quantity == "log_partition" else ctx.zero
    value = _exact_jet(quantity, n_rows, n_cols, ctx, K)[ORDER[quantity]]
    return _of_derivative(quantity, n_sites, K, value)


def _exact_jet(quantity: str, n_rows: int, n_cols: int, ctx: Any, K: Any) -> kaufman.Jet:
    """The products cancel to Z by e^(−2|K|f), f frustrated bonds, and (ln Z)'² to (ln Z)'' by e^(−8|K|)."""
    frustrated = frustrated_bonds(n_rows, n_cols) if K < 0 else 0
    if n_rows * n_cols <= MAX_SUMMED_SITES and (frustrated or abs(K) > 20):
        return density_jet(ctx, K, torus_density_of_states(n_rows, n_cols))
    lost = 2 * abs(K) * (frustrated + (4 if quantity == "heat_capacity" else 0)) / ctx.log(10)
    if lost > MAX_LOST_DIGITS:
        reason = f"the products of a torus of {n_rows} x {n_cols} sites cancel to {ctx.nstr(lost, 3)} digits"
        raise PrecisionError(f"K={ctx.nstr(K, 6)}: {reason}", best=None, digits=0)
    with ctx.extradps(int(lost)):
        return kaufman.exact_jet(ctx, K, *sorted((n_rows, n_cols)))


def _machine(quantity: str, n_rows: int, n_cols: int, K: FloatArray) -> FloatArray:
    """All couplings that float64 suffices for are evaluated together."""
    size, n_sites = np.abs(K), n_rows * n_cols
    simple = size < TINY
    frustrated = ~simple & (K < 0) & (frustrated_bonds(n_rows, n_cols) > 0)
    cold = size > (COLD if quantity == "heat_capacity" else SATURATED)
    by_products = ~(simple | frustrated | cold)
    values = np.empty_like(K)
    with np.errstate(under="ignore", over="ignore"):
        n, m = sorted((n_rows, n_cols))
        value = kaufman.machine_derivative(size[by_products], n, m, ORDER[quantity])
        value = _of_derivative(quantity, n_sites, size[by_products], value)
        values[by_products] = np.copysign(value, -K[by_products]) if quantity == "energy" else value
        for place in np.flatnonzero(~by_products).tolist():
            route = _machine_frustrated if frustrated[place] else _machine_extreme
            values[place] = route(quantity, n_rows, n_cols, float(K[place]))
    return values


def _machine_extreme(quantity: str, n_rows: int, n_cols: int, K: float) -> float:
    """At no frustration: the weakest couplings, and the strong ones."""
    n_sites, size = n_rows * n_cols, abs(K)
    if size < TINY:
        # ln Z = n ln 2 + K² Σ m²/2 over pairs of neighbours joined by m bonds: two where a side is 2
        bonds = (1 + (n_rows == 2)) + (1 + (n_cols == 2))
        log_z = n_sites * float(np.log(2))
        return {"log_partition": log_z, "energy": 0.0 - bonds * K, "heat_capacity": bonds * K * K}[quantity]
    if size > SATURATED:
        log_z = 2 * n_sites * size + float(np.log(2))
        return {"log_partition": log_z, "energy": -2.0 if K > 0 else 2.0, "heat_capacity": 0.0}[quantity]
    return _settled(quantity, n_rows, n_cols, size)


def _machine_frustrated(quantity: str, n_rows: int, n_cols: int, K: float) -> float:
    ground = _ground_energy(n_rows, n_cols, ferromagnetic=False)
    if quantity == "heat_capacity" and K < -UNDERFLOW_FRUSTRATED:
        return 0.0
    if quantity == "heat_capacity" or K >= -SATURATED_FRUSTRATED:
        return _settled(quantity, n_rows, n_cols, K)
    if quantity == "energy":
        return ground / (n_rows * n_cols)
    return _settled(quantity, n_rows, n_cols, -SATURATED_FRUSTRATED) - (K + SATURATED_FRUSTRATED) * ground


def _settled(quantity: str, n_rows: int, n_cols: int, K: float) -> float:
    def evaluate(ctx: Any) -> list[Any]:
        return [_exact(quantity, n_rows, n_cols, ctx, ctx.mpf(K))]

    return float(settle(evaluate, FLOAT_DIGITS)[0])
