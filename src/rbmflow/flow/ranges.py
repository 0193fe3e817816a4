"""Where the flow goes after training on several temperatures: the question that the thesis leaves open.

It expects (sec. 4.3, conclusion) that training sets which include and exclude the critical temperature
T = 0 give similar flows, since one point of a range has no measure. But all temperatures below about
2/ln M leave a ring of M spins aligned. With T = 0 in the range they are a share ``2/(T_high ln M)`` of
the training set, which contributes ``M²`` each to ⟨V²⟩ where the threshold needs ``M^(3/2)`` in the mean,
at a fixed ratio N/M: for long rings the flow orders whatever T_high is. With T_low > 0 the susceptibility
is at most e^(2/T_low), and for long rings of fixed N/M the flow orders for no T_high. At fixed N the
threshold stays finite as M grows, and the flow orders after training on ranges colder than 1/K_c, with
T = 0 in them or not. All of this is said of equal weights.
"""

from __future__ import annotations

from dataclasses import dataclass

from rbmflow.flow.uniform import uniform_fixed_points
from rbmflow.records import Record
from rbmflow.weight.mixture import MixtureWeight, mixture_weight
from rbmflow.weight.temperatures import (
    ISO_SHIBA_YOKOO_TEMPERATURES,
    TemperatureRange,
    Temperatures,
    TemperatureSet,
    number,
)


def training_sets() -> dict[str, Temperatures]:
    """Return training sets that include and exclude T = 0: grids of the seven-step experiment, and ranges.

    Returns
    -------
    dict of str to TemperatureSet or TemperatureRange
        By name.

    Examples
    --------
    >>> next(iter(training_sets()))
    'T = 0, 0.25, …, 6'
    """
    grid = ISO_SHIBA_YOKOO_TEMPERATURES
    return {
        "T = 0, 0.25, …, 6": TemperatureSet(grid),
        "T = 0.25, 0.5, …, 6": TemperatureSet(grid[1:]),
        "T = 1, 1.25, …, 6": TemperatureSet(grid[4:]),
        "T = 4, 4.25, …, 6": TemperatureSet(grid[16:]),
        "T in [0, 1]": TemperatureRange(0, 1),
        "T in [0.25, 1]": TemperatureRange(0.25, 1),
        "T in [0, 6]": TemperatureRange(0, 6),
        "T in [0.25, 6]": TemperatureRange(0.25, 6),
        "T in [1, 6]": TemperatureRange(1, 6),
    }


@dataclass(frozen=True)
class FlowAfterTraining(Record):
    """What becomes of the flow of a uniform RBM trained at several temperatures.

    Attributes
    ----------
    temperatures : TemperatureRange, TemperatureSet or TemperatureDensity
        Of the training set.
    includes_zero : bool
        Whether T = 0, the critical point of the chain, is among them.
    trained : MixtureWeight
        W, its error and ``M N W²``.
    orders : bool
        Whether ``M N W² > 1``.
    magnetization : float
        m* ≥ 0 to which the flow goes; 0 is infinite temperature.
    """

    temperatures: Temperatures
    includes_zero: bool
    trained: MixtureWeight
    orders: bool
    magnetization: float


def flow_after_training(temperatures: Temperatures, n_visible: int, n_hidden: int) -> FlowAfterTraining:
    """Return W of a training set with several temperatures, whether M N W² > 1, and where the flow goes.

    Parameters
    ----------
    temperatures : TemperatureRange, TemperatureSet or TemperatureDensity
        Of the training set, J = 1; `training_sets` holds those that answer the thesis' open question.
    n_visible : int
        Spins M of the ring, 3 to 10⁶.
    n_hidden : int
        Hidden units N, at least 1.

    Returns
    -------
    FlowAfterTraining
        Weight, gain, fate and fixed point.

    See Also
    --------
    rbmflow.weight.mixture_weight : The weight alone.
    critical_temperature : Where the fate changes.
    training_sets : Such sets of temperatures.

    Examples
    --------
    >>> for name in ("T = 0, 0.25, …, 6", "T = 0.25, 0.5, …, 6", "T = 1, 1.25, …, 6"):
    ...     found = flow_after_training(training_sets()[name], 100, 64)
    ...     print(found.includes_zero, round(found.trained.gain, 6), found.orders,
    ...           round(found.magnetization, 3))
    True 1.067222 True 0.271
    False 0.990066 False 0.0
    False 0.598247 False 0.0
    """
    trained = mixture_weight(temperatures, n_visible, n_hidden)
    fixed = uniform_fixed_points(trained.weight, n_visible, n_hidden)
    return FlowAfterTraining(
        temperatures,
        float(number("T_low", temperatures.T_low)) == 0,
        trained,
        trained.gain > 1,
        fixed.magnetization[-1],
    )
