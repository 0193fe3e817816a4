"""The hottest range of temperatures from whose data equal weights learn a flow that orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import numpy as np

from rbmflow.arguments import FloatArray, check_digits, check_integer, shown
from rbmflow.flow.threshold import critical_coupling, critical_weight
from rbmflow.precision import exact_roots, to_exact
from rbmflow.roots import refine_root
from rbmflow.weight.equation import check_sizes
from rbmflow.weight.exact import log_deficit_ratio
from rbmflow.weight.forms import Window, excess, model_gain, weak_order, window_for
from rbmflow.weight.mixture_law import MAX_MIXTURE_SITES, coupling_at, exact_mixture, ring_excess
from rbmflow.weight.temperature_average import integral
from rbmflow.weight.temperatures import TemperatureRange, check_range, number

if TYPE_CHECKING:
    from rbmflow.typing import MPF, ExactNumber, Number

INTEGRAL_TOLERANCE = 1e-16  # for each spin, of the integrand's largest value
LONG_RING = 10**5  # beyond, the laws of strongly coupled rings are noisier than that
MAX_STEPS = 30


@overload
def critical_temperature(
    n_visible: int, n_hidden: int, *, T_low: Number = 0.0, dps: None = None
) -> float: ...
@overload
def critical_temperature(n_visible: int, n_hidden: int, *, T_low: ExactNumber = 0.0, dps: int) -> MPF: ...
def critical_temperature(n_visible: int, n_hidden: int, *, T_low: Any = 0.0, dps: int | None = None) -> Any:
    """Return the T_high below which training uniformly on [T_low, T_high] gives a flow that orders, J = 1.

    The weight of the uniform machine falls as hotter configurations enter, and reaches
    ``W_c = 1/√(MN)`` at T_high. With T_low = 0 a share ``2/(T_high ln M)`` of the training set is
    aligned, which alone keeps the flow ordered for long rings up to ::

        T_high ≈ (2/ln M) √(γM) tanh(1/√γ)/m₂,   γ = N/M, m₂ = [12/(1 + 1/γ)]^½ Γ(¾)/Γ(¼)

    with corrections of relative order 1/ln M. With T_low > 0 there is no T_high for long rings at
    fixed γ, as 1/K_c → 0 there. At fixed N, 1/K_c tends to a constant
    (`critical_coupling_limit`), and colder ranges order however long the ring: at N = 4 the range
    [0.5, 1] has the gain 3.2292, 2.8836, 2.8556, 2.8529 at M = 10², 10³, 10⁴, 10⁵.

    Parameters
    ----------
    n_visible : int
        Spins M of the ring, 3 to 10⁶.
    n_hidden : int
        Hidden units N, at least 1.
    T_low : float
        Lower end of the range, ``0 ≤ T_low < 1/K_c``; with `dps` also a decimal string, fraction or mpf.
    dps : int, optional
        Correct decimal digits; float64 without it.

    Returns
    -------
    float or mpmath.mpf
        T_high, above ``1/K_c``. In float64 the time is O(M) for each of a thousand temperatures, 0.1 s at
        M = 10⁴ and 7 s at 10⁶, where the law of the ring limits the relative accuracy to 10⁻⁹.

    Raises
    ------
    ValueError
        If `T_low` is not below 1/K_c: no such range orders.

    See Also
    --------
    critical_coupling : One temperature.
    flow_after_training : W, gain and fate at one range.

    References
    ----------
    J. ter Hoeve, *Renormalization Group connected to Neural Networks*, thesis, Utrecht (2018), eq. 78-79.

    Examples
    --------
    >>> print(round(critical_temperature(8, 4), 10), round(1 / critical_coupling(8, 4), 10))
    9.0310781918 2.2512401458
    """
    n_visible, n_hidden = check_sizes(n_visible, n_hidden)
    check_integer("n_visible", n_visible, 3, MAX_MIXTURE_SITES)
    digits = None if dps is None else check_digits(dps)
    single = 1 / critical_coupling(n_visible, n_hidden)
    check_range(T_low, T_low)
    if not float(number("T_low", T_low)) < single:
        raise ValueError(
            f"T_low={shown(T_low)}: below 1/K_c = {single:.12g} is needed, no hotter range orders"
        )
    found = _critical_temperature(n_visible, n_hidden, float(number("T_low", T_low)), single)
    if digits is None:
        return found

    def exact(ctx: Any, before: Any, start: Any) -> Any:
        start, known = (start, 11) if before is None or digits < 13 else (before, digits - 2)
        start = ctx.convert(start)
        W = 1 / ctx.sqrt(ctx.mpf(n_visible) * n_hidden)

        ctx.dps += 10
        low = to_exact(ctx, "T_low", T_low)
        known_data, _ = exact_mixture(ctx, TemperatureRange(T_low, start), n_visible)

        def residual(T_high: Any) -> Any:  # all of them within a narrow range about the start
            added = TemperatureRange(min(start, T_high), max(start, T_high))
            share = (T_high - start) / (T_high - low)
            data = [
                old + (new - old) * share
                for old, new in zip(known_data, exact_mixture(ctx, added, n_visible)[0], strict=True)
            ]
            return log_deficit_ratio(ctx, W, data, n_visible, n_hidden)

        root = refine_root(ctx, residual, start, known)
        ctx.dps -= 10
        return +root

    return exact_roots(exact, digits, start=found)


def _critical_temperature(n_visible: int, n_hidden: int, T_low: float, single: float) -> float:
    """Return the root T_high of ``∫_(T_low)^(T_high) h(T) dT``, ``h = ⟨T⟩_q(T) − ⟨T⟩_p`` at the weight W_c.

    The integral rises up to 1/K_c, where h changes sign, and is concave beyond: Newton's method cannot go
    astray. The weak form of the equation holds its digits at W_c, whose gain MNW² is 1, at all temperatures.
    """
    W = critical_weight(n_visible, n_hidden)
    orders: dict[int, tuple[Window, FloatArray]] = {}

    def window_at(K: float) -> tuple[Window, FloatArray]:
        # a few windows, each with four times the variance of the last, instead of one for each coupling
        variance = 4.0 ** np.ceil(min(K, 300.0) / np.log(2))
        view = window_for(n_visible, variance)
        if view.first not in orders:
            orders[view.first] = view, weak_order(W, view)
        return orders[view.first]

    view, order = window_at(coupling_at(T_low))
    model = float(excess(model_gain(W, n_hidden, view), view) @ order)

    def surplus(T: float) -> float:
        K = coupling_at(T)
        view, order = window_at(K)
        return float(ring_excess(K, view) @ order) - model

    noise = INTEGRAL_TOLERANCE * max(n_visible, 100) * max(1.0, n_visible / LONG_RING)
    tolerance = noise * surplus(T_low) * (single - T_low)
    high, total = single, integral(surplus, T_low, single, tolerance)
    while total > 0:
        total += integral(surplus, high, 2 * high, tolerance)
        high *= 2
    for _ in range(MAX_STEPS):
        step = -total / surplus(high)
        total += integral(surplus, high, high + step, tolerance)
        high += step
        if abs(step) < 1e-15 * high:
            break
    return float(high)
