"""Optimisers and learning-rate schedules: how a gradient becomes a step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import check_integer, check_real_scalar, shown
from rbmflow.records import Storable

Vector = npt.NDArray[Any]
Rate = float | Callable[[int], float]
"""A learning rate, or a function of the epochs that are done."""


@dataclass(frozen=True)
class Decay(Storable):
    """The rate ``start / (1 + epochs / half)^power``: constant at first, then falling as a power.

    Parameters
    ----------
    start : float
        Rate in the first epoch, above 0.
    half : float
        Epochs after which the base has doubled, above 0.
    power : float
        Exponent, at least 0; between ½ and 1 (included) stochastic updates converge.

    Examples
    --------
    >>> Decay(0.1, half=10)(10)
    0.05
    """

    start: float
    half: float = 100.0
    power: float = 1.0

    def __post_init__(self) -> None:
        _positive("start", self.start)
        _positive("half", self.half)
        _between("power", self.power, 0.0, np.inf)

    def __call__(self, epoch: int) -> float:  # noqa: D102 (the class says it)
        return float(self.start / (1 + epoch / self.half) ** self.power)


@dataclass(frozen=True)
class Exponential(Storable):
    """The rate ``start · factor^epochs``.

    Parameters
    ----------
    start : float
        Rate in the first epoch, above 0.
    factor : float
        Above 0, at most 1.

    Examples
    --------
    >>> Exponential(0.1, 0.5)(2)
    0.025
    """

    start: float
    factor: float

    def __post_init__(self) -> None:
        _positive("start", self.start)
        _positive("factor", _between("factor", self.factor, 0.0, 1.0))

    def __call__(self, epoch: int) -> float:  # noqa: D102 (the class says it)
        return float(self.start * self.factor**epoch)


@dataclass(frozen=True)
class Linear(Storable):
    """The rate ``start · (1 − epochs/n_epochs)``, in the last epoch ``start/n_epochs`` and so from there on.

    Parameters
    ----------
    start : float
        Rate in the first epoch, above 0.
    n_epochs : int
        Epochs in which it falls, at least 1.

    Examples
    --------
    >>> Linear(0.1, 4)(1)
    0.075
    """

    start: float
    n_epochs: int

    def __post_init__(self) -> None:
        _positive("start", self.start)
        check_integer("n_epochs", self.n_epochs, 1)

    def __call__(self, epoch: int) -> float:  # noqa: D102 (the class says it)
        return float(self.start * max(self.n_epochs - epoch, 1) / self.n_epochs)


@dataclass(frozen=True)
class SGD(Storable):
    """Steps along the gradient, ``θ ← θ + η g``.

    Parameters
    ----------
    rate : float or callable
        η, above 0, or a schedule: a function of the epochs done, such as `Decay`.

    Examples
    --------
    >>> SGD(0.01).rate
    0.01
    """

    rate: Rate = 0.01
    n_slots = 0

    def __post_init__(self) -> None:
        _check_rate(self.rate)


@dataclass(frozen=True)
class Momentum(Storable):
    """Gradients summed with a memory, ``m ← μ m + g``, ``θ ← θ + η m``.

    Parameters
    ----------
    rate : float or callable
        η, above 0, or a schedule.
    momentum : float
        μ, from 0 to below 1.

    Examples
    --------
    >>> Momentum(0.01, 0.5).momentum
    0.5
    """

    rate: Rate = 0.01
    momentum: float = 0.9
    n_slots = 1

    def __post_init__(self) -> None:
        _check_rate(self.rate)
        _between("momentum", self.momentum, 0.0, np.nextafter(1.0, 0.0))


@dataclass(frozen=True)
class Adam(Storable):
    """Steps of the size of the rate: ``m̂ / (√v̂ + ε)`` of running means of g and g².

    See D. Kingma and J. Ba, ICLR 2015.

    Parameters
    ----------
    rate : float or callable
        η, above 0, or a schedule.
    first, second : float
        Memory of the two means, from 0 to below 1.
    epsilon : float
        ε, above 0.

    See Also
    --------
    SGD : Steps along the gradient.
    Momentum : With a memory.

    References
    ----------
    D. P. Kingma and J. Ba, ICLR (2015), arXiv:1412.6980.

    Examples
    --------
    >>> Adam(0.001).second
    0.999
    """

    rate: Rate = 0.001
    first: float = 0.9
    second: float = 0.999
    epsilon: float = 1e-8
    n_slots = 2

    def __post_init__(self) -> None:
        _check_rate(self.rate)
        _between("first", self.first, 0.0, np.nextafter(1.0, 0.0))
        _between("second", self.second, 0.0, np.nextafter(1.0, 0.0))
        _positive("epsilon", self.epsilon)


@dataclass(frozen=True)
class LBFGS(Storable):
    """The limited-memory quasi-Newton method of scipy, for exact gradients; an epoch is an iteration.

    Parameters
    ----------
    gradient : float
        Stop when no component of the gradient exceeds this, at least 0.
    memory : int
        Corrections that are kept, at least 1.

    See Also
    --------
    Exact : The gradients that it needs.

    References
    ----------
    D. C. Liu and J. Nocedal, Math. Program. 45, 503 (1989).

    Examples
    --------
    >>> LBFGS().memory
    100
    """

    gradient: float = 1e-10
    memory: int = 100

    def __post_init__(self) -> None:
        _between("gradient", self.gradient, 0.0, np.inf)
        check_integer("memory", self.memory, 1, 1000)


Stepper = SGD | Momentum | Adam
Optimizer = Stepper | LBFGS


def check_optimizer(optimizer: object) -> Optimizer:
    """Return an optimiser, or raise."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer={shown(optimizer)}: SGD, Momentum, Adam or LBFGS is needed")
    return optimizer


def rate_of(optimizer: Stepper, epoch: int) -> float:
    """Return the learning rate after `epoch` epochs."""
    rate = optimizer.rate(epoch) if callable(optimizer.rate) else optimizer.rate
    return _positive("rate", rate)


def _check_rate(rate: object) -> None:
    if not callable(rate):
        _positive("rate", rate)


def _positive(name: str, value: object) -> float:
    number = check_real_scalar(name, value)
    if not 0 < number < np.inf:
        raise ValueError(f"{name}={shown(value)}: a finite number above 0 is needed")
    return number


def _between(name: str, value: object, low: float, high: float) -> float:
    number = check_real_scalar(name, value)
    if not low <= number <= high or np.isinf(number):
        raise ValueError(f"{name}={shown(value)}: a number from {low:g} to {high:g} is needed")
    return number


def step(optimizer: Stepper, slots: npt.NDArray[Any], gradient: Vector, rate: float, count: int) -> Vector:
    """Return the step for the gradient of update number `count`, from 1; `slots` is the memory."""
    real = gradient.dtype.type
    if isinstance(optimizer, SGD):
        return np.asarray(real(rate) * gradient)
    if isinstance(optimizer, Momentum):
        slots[0] *= real(optimizer.momentum)
        slots[0] += gradient
        return np.asarray(real(rate) * slots[0])
    mean, square = slots
    mean += real(1 - optimizer.first) * (gradient - mean)
    square += real(1 - optimizer.second) * (gradient * gradient - square)
    scale = rate / (1 - optimizer.first**count)
    spread = np.sqrt(square * real(1 / (1 - optimizer.second**count)))
    return np.asarray(real(scale) * mean / (spread + real(optimizer.epsilon)))
