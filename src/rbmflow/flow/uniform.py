"""The flow with equal weights: a map of one number, and its fixed points.

After one step all visible units agree, so the flow is ``m' = tanh(N W tanh(M W m))``. It is
concave for m > 0 with slope ``M N W²`` at 0: zero is the only fixed point up to ``W_c = 1/√(MN)``;
above, zero is unstable and ±m* are stable. Trained weights exceed W_c for couplings above
K_c(M, N) only, which the thesis does not discuss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, overload

import numpy as np

from rbmflow.arguments import FloatArray, check_integer, check_real, check_real_scalar, shown
from rbmflow.records import Tabular
from rbmflow.roots import bracketed_root
from rbmflow.weight.equation import MAX_UNITS

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, Number


@dataclass(frozen=True)
class UniformFixedPoints(Tabular):
    """Fixed points of ``m' = tanh(N W tanh(M W m))``, in ascending order.

    Attributes
    ----------
    magnetization : tuple of float
        (0,) or (−m*, 0, m*).
    multiplier : tuple of float
        Derivative of the map at each; a fixed point is stable when it is below 1.
    stable : tuple of bool
        At W_c itself zero still attracts, though not exponentially, and counts as stable.
    """

    COLUMNS: ClassVar = ("magnetization", "multiplier", "stable")

    magnetization: tuple[float, ...]
    multiplier: tuple[float, ...]
    stable: tuple[bool, ...]


@overload
def uniform_map(m: Number, W: float, n_visible: int, n_hidden: int) -> float: ...
@overload
def uniform_map(m: ArrayLike, W: float, n_visible: int, n_hidden: int) -> FloatArray: ...
def uniform_map(m: object, W: float, n_visible: int, n_hidden: int) -> Any:
    """Return ``tanh(N W tanh(M W m))``, one step of the flow of a uniform RBM.

    Parameters
    ----------
    m : array_like
        Mean of the visible units, between −1 and 1.
    W : float
        The uniform weight; infinite gives the sign map.
    n_visible, n_hidden : int
        Units in each layer, at least 1.

    Returns
    -------
    float or numpy.ndarray
        In the shape of `m`.

    Examples
    --------
    >>> print(round(float(uniform_map(0.5, 0.3, 8, 4)), 6))
    0.761756
    """
    n_visible, n_hidden = check_layers(n_visible, n_hidden)
    W = check_real_scalar("W", W)
    values = check_real("m", m)
    if (np.abs(values) > 1).any():
        raise ValueError(f"m={shown(m)}: magnetizations per site lie between -1 and 1")
    if np.isinf(W):
        return np.sign(values)[()]
    return np.tanh(n_hidden * W * np.tanh(n_visible * W * values))[()]


def uniform_fixed_points(W: float, n_visible: int, n_hidden: int) -> UniformFixedPoints:
    """Return the fixed points of the flow of a uniform RBM, with their stability.

    Parameters
    ----------
    W : float
        The uniform weight, at least 0; infinite gives those of the sign map.
    n_visible, n_hidden : int
        Units in each layer, at least 1.

    Returns
    -------
    UniformFixedPoints
        One fixed point for ``M N W² ≤ 1``, three above.

    See Also
    --------
    uniform_map : The map.
    critical_weight : Above which there are three.
    fixed_points : Of any machine.

    Examples
    --------
    >>> points = uniform_fixed_points(0.3063, 8, 4)
    >>> print([round(m, 4) for m in points.magnetization], points.stable)
    [-0.8286, 0.0, 0.8286] (True, False, True)
    """
    n_visible, n_hidden = check_layers(n_visible, n_hidden)
    W = check_real_scalar("W", W)
    if W < 0:
        raise ValueError(f"W={W}: a weight of at least 0 is needed; the flow depends on |W| alone")
    if np.isinf(W):
        return UniformFixedPoints((-1.0, 0.0, 1.0), (0.0, float("inf"), 0.0), (True, False, True))
    gain = n_visible * n_hidden * W * W
    if gain <= 1 + 4 * np.finfo(float).eps:
        return UniformFixedPoints((0.0,), (gain,), (True,))

    def growth(m: float) -> float:
        return float(np.tanh(n_hidden * W * np.tanh(n_visible * W * m))) / m - 1

    low = 1.0
    while growth(low) < 0:
        low /= 2
    # tanh rounds to 1 for strong weights: then m = 1 within rounding
    m = 1.0 if low == 1.0 else bracketed_root(growth, low, 1.0, absolute=0.0)
    decay = np.exp(-2 * n_visible * W * m)
    slope = gain * (1 - m * m) * 4 * decay / (1 + decay) ** 2 if m < 1 else 0.0
    return UniformFixedPoints((-m, 0.0, m), (float(slope), gain, float(slope)), (True, False, True))


def check_layers(n_visible: object, n_hidden: object) -> tuple[int, int]:
    """Return the checked sizes of the two layers, each at least 1."""
    return check_integer("n_visible", n_visible, 1, MAX_UNITS), check_integer(
        "n_hidden", n_hidden, 1, MAX_UNITS
    )
