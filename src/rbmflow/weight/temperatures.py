"""Temperatures of a training set: a range, a discrete set, a density. J = 1, so that K = 1/T."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rbmflow.arguments import FloatArray, check_real_scalar, shown
from rbmflow.precision import borrowed_context, exact_array, publish, to_exact
from rbmflow.records import Storable

if TYPE_CHECKING:
    from rbmflow.typing import ExactArrayLike, ExactNumber

ISO_SHIBA_YOKOO_TEMPERATURES = tuple(index / 4 for index in range(25))
"""0, 0.25, …, 6: the training set of S. Iso, S. Shiba and S. Yokoo, Phys. Rev. E 97, 053304 (2018), which
the thesis analyses."""


@dataclass(frozen=True)
class TemperatureRange(Storable):
    """Temperatures uniform on [T_low, T_high].

    Attributes
    ----------
    T_low, T_high : float, or str, Fraction, mpf for exact ends
        0 ≤ T_low < T_high < ∞. T_low = T_high is one temperature.
    """

    T_low: Any
    T_high: Any

    if TYPE_CHECKING:  # what it is made of; the fields say what it holds

        def __init__(self, T_low: ExactNumber, T_high: ExactNumber) -> None: ...

    def __post_init__(self) -> None:
        check_range(self.T_low, self.T_high)


@dataclass(frozen=True)
class TemperatureSet(Storable):
    """A discrete set of temperatures, each with a weight.

    Attributes
    ----------
    temperatures : sequence
        At least one; 0 ≤ T ≤ ∞.
    weights : sequence, optional
        As many non-negative numbers, with a positive sum; all equal by default.
    """

    temperatures: Any
    weights: Any = None

    if TYPE_CHECKING:  # what it is made of; the fields say what it holds

        def __init__(self, temperatures: ExactArrayLike, weights: ExactArrayLike | None = None) -> None: ...

    def __post_init__(self) -> None:
        temperatures = exact_array("temperatures", self.temperatures)
        if temperatures.ndim != 1 or not temperatures.size:
            raise ValueError(
                f"temperatures has shape {temperatures.shape}: a list of at least one temperature is needed"
            )
        if any(float(number("temperatures", T)) < 0 for T in temperatures):
            raise ValueError(f"temperatures={shown(self.temperatures)}: at least 0 is needed")
        weights = np.ones(len(temperatures), dtype=object) if self.weights is None else None
        weights = exact_array("weights", self.weights, finite=True) if weights is None else weights
        if weights.shape != temperatures.shape:
            raise ValueError(
                f"weights has shape {weights.shape}: {temperatures.shape} is needed, one for each temperature"
            )
        values = [number("weights", weight) for weight in weights]
        if min(values) < 0 or not max(values) > 0:
            raise ValueError(
                f"weights={shown(self.weights)}: non-negative numbers with a positive sum are needed"
            )
        object.__setattr__(self, "temperatures", tuple(temperatures))
        object.__setattr__(self, "weights", tuple(weights))

    @property
    def shares(self) -> FloatArray:
        """The weights over the largest of them: those of any size fit."""
        exact = [number("weights", weight) for weight in self.weights]
        return np.array([float(weight / max(exact)) for weight in exact])

    @property
    def T_low(self) -> Any:
        """The lowest temperature that has weight."""
        return min(self._present(), key=lambda T: number("temperatures", T))

    @property
    def T_high(self) -> Any:
        """The highest temperature that has weight."""
        return max(self._present(), key=lambda T: number("temperatures", T))

    def _present(self) -> list[Any]:
        return [
            T
            for T, weight in zip(self.temperatures, self.weights, strict=True)
            if number("weights", weight) > 0
        ]


@dataclass(frozen=True)
class TemperatureDensity(Storable):
    """Temperatures with a density on [T_low, T_high].

    Attributes
    ----------
    density : callable
        ``density(T)``, a non-negative number, up to a factor; smooth but at the ends and `points`. With
        digits it is called with, and must return, numbers of an mpmath context.
    T_low, T_high : float, or str, Fraction, Decimal, mpf for exact ends
        0 ≤ T_low < T_high < ∞.
    points : sequence, optional
        Temperatures from T_low to T_high, these included, where the density has a step, a kink,
        or an algebraic singularity such as ``(T_high − T)^(−½)``: there it is integrated in w,
        ``|T − point| ∝ w¹⁰``. Singularities at other temperatures than 0 need digits: in float64 their
        neighbourhood cannot be told from them.
    """

    density: Callable[[Any], Any]
    T_low: Any
    T_high: Any
    points: Any = ()

    if TYPE_CHECKING:  # what it is made of; the fields say what it holds

        def __init__(
            self,
            density: Callable[[Any], Any],
            T_low: ExactNumber,
            T_high: ExactNumber,
            points: ExactArrayLike = (),
        ) -> None: ...

    def __post_init__(self) -> None:
        if not callable(self.density):
            raise TypeError(f"density={shown(self.density)}: a function of the temperature is needed")
        check_range(self.T_low, self.T_high)
        if not number("T_low", self.T_low) < number("T_high", self.T_high):
            raise ValueError(f"T_low={self.T_low}, T_high={self.T_high}: a density needs T_low < T_high")
        points = exact_array("points", self.points)
        if points.ndim != 1:
            raise ValueError(f"points has shape {points.shape}: a list of temperatures is needed")
        for point in points:
            if not number("T_low", self.T_low) <= number("points", point) <= number("T_high", self.T_high):
                raise ValueError(
                    f"points holds {point}: temperatures from {self.T_low} to {self.T_high} are needed"
                )
        object.__setattr__(self, "points", tuple(points))

    def at(self, T: float) -> float:
        """Return the density at one temperature, checked.

        Parameters
        ----------
        T : float
            The temperature.

        Returns
        -------
        float
            Finite and at least 0.

        Raises
        ------
        ValueError
            If the density gives anything but a finite number of at least 0.

        Examples
        --------
        >>> TemperatureDensity(lambda T: T, 0, 1).at(0.5)
        0.5
        """
        T = check_real_scalar("T", T)
        if T < 0:
            raise ValueError(f"T={T}: a temperature of at least 0 is needed")
        value = check_real_scalar("density(T)", self.density(T))
        if not 0 <= value < np.inf:
            raise ValueError(f"density({shown(T)}) = {value}: a finite number of at least 0 is needed")
        return value


Temperatures = TemperatureRange | TemperatureSet | TemperatureDensity


def check_range(T_low: object, T_high: object) -> None:
    """Raise unless 0 ≤ T_low ≤ T_high < ∞."""
    low, high = float(number("T_low", T_low)), float(number("T_high", T_high))
    if not 0 <= low <= high < np.inf:
        raise ValueError(
            f"T_low={shown(T_low)}, T_high={shown(T_high)}: 0 <= T_low <= T_high < infinity is needed"
        )


def number(name: str, value: object) -> Any:
    """Return a checked number as mpf to 30 digits."""
    with borrowed_context(30) as ctx:
        return publish(to_exact(ctx, name, value), 30)
