"""Simulated annealing of the Hopfield network: heat bath along a schedule (thesis eq. 17)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rbmflow.arguments import MAX_STEPS, FloatArray, SpinArray, check_integer, check_real, check_rng, shown
from rbmflow.hardware import check_fits
from rbmflow.networks.hopfield import Hopfield
from rbmflow.networks.parameters import positive_number
from rbmflow.networks.two_layers import draw_spins
from rbmflow.records import Record
from rbmflow.sampling.relaxation import check_clamped
from rbmflow.spins import check_spins

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, RNGLike


@dataclass(frozen=True, eq=False)
class Annealed(Record):
    """States after a schedule.

    Attributes
    ----------
    states : numpy.ndarray of int8, shape (..., n_units)
        The states at the end.
    temperatures : numpy.ndarray of float64, shape (n_sweeps,)
        The schedule.
    energy : numpy.ndarray of float64, shape (n_sweeps, ...)
        Energy of every state after each sweep.
    """

    states: SpinArray
    temperatures: FloatArray
    energy: FloatArray


def anneal(
    network: Hopfield,
    initial: ArrayLike,
    temperatures: ArrayLike,
    *,
    clamped: ArrayLike | None = None,
    rng: RNGLike,
) -> Annealed:
    """Sweep the units in their order by heat bath, once at each temperature (eq. 17).

    A unit is up with ``P(x_i = 1) = 1/(1 + e^(−2a_i/T))``. At a constant temperature the states tend
    to the law ``e^(−E/T)/Z``; slowly cooled, to its minima. T = 0 is the threshold rule with its ties,
    T = ∞ a coin for every unit. Many states at temperatures between are annealed much faster by
    `boltzmann_chains`, with activations in single precision.

    Time O(n²) for each sweep and chain.

    Parameters
    ----------
    network : Hopfield
        The network.
    initial : array_like, shape (..., n_units)
        States to start from, ±1; each goes its own way.
    temperatures : array_like, shape (n_sweeps,)
        T of each sweep, at least 0, in the units of the energy.
    clamped : array_like of bool, shape (n_units,) or that of `initial`, optional
        Units that keep their state.
    rng : numpy.random.Generator or int
        One number for each unit, state and sweep above T = 0.

    Returns
    -------
    Annealed
        The states at the end, and the energies along the way.

    See Also
    --------
    linear_schedule : Temperatures in equal steps.
    geometric_schedule : Temperatures in equal ratios.

    References
    ----------
    * J. ter Hoeve, *Renormalization Group connected to Neural Networks*, thesis, Utrecht (2018), eq. 17.
    * S. Kirkpatrick, C. D. Gelatt and M. P. Vecchi, Science 220, 671 (1983).

    Examples
    --------
    >>> network = Hopfield.hebb([[1, 1, -1, -1, 1, -1]])
    >>> found = anneal(network, [1] * 6, geometric_schedule(2.0, 0.05, 30), rng=3)
    >>> print(found.energy[-1])
    -2.5
    """
    if not isinstance(network, Hopfield):
        raise TypeError(f"network={shown(network)}: a Hopfield is needed")
    start = check_spins("initial", initial, network.n_units)
    schedule = check_temperatures(temperatures)
    fixed = None if clamped is None else check_clamped(clamped, start.shape).reshape(-1, network.n_units)
    generator = check_rng(rng)
    states = start.reshape(-1, network.n_units).copy()
    energy = np.empty((len(schedule), len(states)))
    for sweep, T in enumerate(schedule):
        _heat_bath(network, states, float(T), fixed, generator)
        energy[sweep] = network.energy(states)
    return Annealed(states.reshape(start.shape), schedule, energy.reshape(len(schedule), *start.shape[:-1]))


def _heat_bath(
    network: Hopfield,
    states: SpinArray,
    T: float,
    fixed: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] | None,
    rng: np.random.Generator,
) -> None:
    """One sweep in place. Fields follow the flips; each sweep begins with fresh ones."""
    fields, weights = network.activation(states), network.weights
    for i in range(network.n_units):
        a = fields[:, i]
        with np.errstate(over="ignore"):  # a/T = ±∞ is T = 0
            drawn = draw_spins(a / T, rng) if T > 0 else np.where(a >= 0, 1, -1).astype(np.int8)
        flipped = drawn != states[:, i]
        if fixed is not None:
            flipped &= ~fixed[:, i]
        if flipped.any():
            states[flipped, i] = drawn[flipped]
            fields[flipped] += 2.0 * drawn[flipped, None] * weights[i]


def check_temperatures(temperatures: object) -> FloatArray:
    """Return a schedule of temperatures of at least 0, infinity among them, or raise naming the argument."""
    T = check_real("temperatures", temperatures)
    if T.ndim != 1 or T.size == 0:
        raise ValueError(f"temperatures has shape {T.shape}: (n_sweeps,) is needed, at least 1")
    if T.min() < 0:
        raise ValueError(f"temperatures holds {T[T < 0][0]:g}: temperatures are at least 0")
    return T.copy()


def _schedule_length(n_sweeps: object) -> int:
    number = check_integer("n_sweeps", n_sweeps, 2, MAX_STEPS)
    check_fits("n_sweeps", number, 32)
    return number


def geometric_schedule(T_first: float, T_last: float, n_sweeps: int) -> FloatArray:
    """Return temperatures in equal ratios.

    Parameters
    ----------
    T_first, T_last : float
        First and last temperature, positive.
    n_sweeps : int
        How many, at least 2.

    Returns
    -------
    numpy.ndarray of float64, shape (n_sweeps,)
        The schedule.

    Examples
    --------
    >>> geometric_schedule(4.0, 1.0, 3)
    array([4., 2., 1.])
    """
    first, last = positive_number("T_first", T_first), positive_number("T_last", T_last)
    return np.geomspace(first, last, _schedule_length(n_sweeps))


def linear_schedule(T_first: float, T_last: float, n_sweeps: int) -> FloatArray:
    """Return temperatures in equal steps.

    Parameters
    ----------
    T_first, T_last : float
        First and last temperature; the last may be 0.
    n_sweeps : int
        How many, at least 2.

    Returns
    -------
    numpy.ndarray of float64, shape (n_sweeps,)
        The schedule.

    Examples
    --------
    >>> linear_schedule(2.0, 0.0, 3)
    array([2., 1., 0.])
    """
    ends = check_temperatures([T_first, T_last])
    if not np.isfinite(ends).all():
        raise ValueError(f"T_first={shown(T_first)}, T_last={shown(T_last)}: finite temperatures are needed")
    return np.linspace(ends[0], ends[1], _schedule_length(n_sweeps))
