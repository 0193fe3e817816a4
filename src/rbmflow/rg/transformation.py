"""Maps from configurations to coarser ones: what any of them is, and one made of a user's function.

A transformation is a conditional law P(h|v) of the coarse spins h. All but a stack draw the coarse spins
independently given v, so that their means ``⟨h_a⟩_v`` say all; a map that draws nothing has means ±1.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray, check_flag, check_real_scalar, check_rng, shown
from rbmflow.hardware import check_memory
from rbmflow.rg.block_spins import Shape, Sides, check_shape
from rbmflow.spins import check_spins, random_spins

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, RNGLike

MAX_LISTED = 16  # coarse spins whose states are listed


class Transformation(ABC):
    """A map from configurations of a ring or a torus to coarser ones, random or not.

    A class of one's own gives `scale_factor`, `output_shape` and `mean`; also `__call__` and `conditional` if
    it does not draw the coarse spins independently.

    Attributes
    ----------
    scale_factor : float
        The factor b by which lengths shrink.

    See Also
    --------
    Function : A user's function as a map.
    grade : What kind of renormalization a map is.
    """

    scale_factor: float

    @property
    def layers(self) -> tuple[Transformation, ...]:
        """The maps that are done one after the other: this one alone, but for a stack."""
        return (self,)

    @abstractmethod
    def output_shape(self, shape: Shape) -> Sides:
        """Return the sides of the coarse lattice.

        Parameters
        ----------
        shape : int, tuple of int or lattice
            Of the fine lattice.

        Returns
        -------
        tuple of int
            ``(n,)`` of a ring, ``(n_rows, n_cols)`` of a torus, with a third number if that is shifted.

        Raises
        ------
        ValueError
            If the map does not fit the fine lattice.

        Examples
        --------
        >>> from rbmflow.rg import Majority
        >>> Majority(2).output_shape((8, 6))
        (4, 3)
        """

    @abstractmethod
    def mean(self, spins: ArrayLike, shape: Shape) -> FloatArray:
        """Return ``⟨h_a⟩`` given configurations.

        Parameters
        ----------
        spins : array_like
            Shape ``(..., n_sites)``, values ±1.
        shape : int, tuple of int or lattice
            The lattice that they are on.

        Returns
        -------
        numpy.ndarray of float64
            Shape ``(..., n_coarse)``.

        Raises
        ------
        ValueError
            If the means are not known, as those of a function that draws.

        Examples
        --------
        >>> from rbmflow.rg import Majority
        >>> Majority(2).mean([1, 1, 1, -1], 4)
        array([1., 0.])
        """

    def __call__(self, spins: ArrayLike, shape: Shape, *, rng: RNGLike) -> SpinArray:
        """Return the coarse configurations, drawn where the map is random.

        Parameters
        ----------
        spins : array_like
            Shape ``(..., n_sites)``, values ±1; a torus is flattened row by row.
        shape : int, tuple of int or lattice
            The lattice that they are on.
        rng : numpy.random.Generator or int
            Generator or seed.

        Returns
        -------
        numpy.ndarray of int8
            Shape ``(..., n_coarse)``.
        """
        up = (1 + self.mean(spins, shape)) / 2
        return np.where(check_rng(rng).random(up.shape) < up, np.int8(1), np.int8(-1))

    def conditional(self, spins: ArrayLike, shape: Shape) -> FloatArray:
        """Return P(h|v) over all coarse states, in the order of `spins.all_states`.

        Parameters
        ----------
        spins : array_like
            Shape ``(..., n_sites)``, values ±1.
        shape : int, tuple of int or lattice
            The lattice that they are on.

        Returns
        -------
        numpy.ndarray of float64
            Shape ``(..., 2^n_coarse)``, with at most 16 coarse spins.

        Examples
        --------
        >>> from rbmflow.rg import Majority
        >>> Majority(2).conditional([1, 1, 1, -1], 4)
        array([0. , 0.5, 0. , 0.5])
        """
        n_coarse = math.prod(self.output_shape(shape)[:2])
        check_listed(n_coarse)
        mean = self.mean(spins, shape)
        check_memory(f"P(h|v) of {mean.size} spins", 16 * mean[..., 0].size * 2**n_coarse, "fewer need less")
        law = np.ones((*mean.shape[:-1], 1))
        for a in range(n_coarse):  # the least significant spin first
            up = (1 + mean[..., a, np.newaxis]) / 2
            law = np.concatenate([law * (1 - up), law * up], axis=-1)
        return law


class Function(Transformation):
    """A map that a function makes.

    Parameters
    ----------
    function : callable
        Called as ``function(spins, sides)``, with spins of shape ``(..., n_sites)`` and the sides of their
        lattice, or as ``function(spins, sides, rng)`` if it is random; it returns ±1 of shape
        ``(..., n_coarse)``.
    scale_factor : float
        The factor b by which lengths shrink, above 1.
    output_shape : callable or tuple of int
        The sides of the coarse lattice, or a function that makes them of those of the fine one.
    random : bool
        Whether the function draws. Its P(h|v) is not known then.

    See Also
    --------
    Transformation : The class from which a random map with a known P(h|v) derives.

    Examples
    --------
    >>> third = Function(lambda spins, sides: spins[..., ::3], 3, lambda sides: (sides[0] // 3,))
    >>> third([1, 1, -1, -1, -1, 1], 6, rng=1)
    array([ 1, -1], dtype=int8)
    """

    def __init__(
        self,
        function: Callable[..., Any],
        scale_factor: float,
        output_shape: Callable[[Sides], Sides] | Sides,
        *,
        random: bool = False,
    ) -> None:
        if not callable(function):
            raise TypeError(f"function={shown(function)}: a function is needed")
        self.scale_factor = check_factor(scale_factor)
        self.random = check_flag("random", random)
        self._function = function
        self._output_shape = output_shape if callable(output_shape) else check_shape(output_shape)

    def __repr__(self) -> str:
        return f"Function({getattr(self._function, '__name__', type(self._function).__name__)})"

    def output_shape(self, shape: Shape) -> Sides:  # noqa: D102
        made = self._output_shape
        return check_shape(made(check_shape(shape)) if callable(made) else made)

    def mean(self, spins: ArrayLike, shape: Shape) -> FloatArray:  # noqa: D102
        if self.random:
            raise ValueError(f"{self!r} is random: the law that it draws from is not known")
        return self(spins, shape, rng=0).astype(np.float64)

    def __call__(self, spins: ArrayLike, shape: Shape, *, rng: RNGLike) -> SpinArray:
        """Return what the function makes of configurations, checked."""
        sides = check_shape(shape)
        fine = check_spins("spins", spins, math.prod(sides[:2])).view()
        fine.flags.writeable = False  # they may be the caller's own
        n_coarse = math.prod(self.output_shape(sides)[:2])
        drawn = (check_rng(rng),) if self.random else ()
        coarse = check_spins("what function returns", self._function(fine, sides, *drawn), n_coarse)
        if coarse.shape[:-1] != fine.shape[:-1]:
            raise ValueError(
                f"function returns the shape {coarse.shape}: ({', '.join(map(str, fine.shape[:-1]))}, "
                f"{n_coarse}) is needed"
            )
        return coarse


def check_transformation(transformation: object) -> Transformation:
    """Return a map, or raise naming the argument."""
    if not isinstance(transformation, Transformation):
        raise TypeError(
            f"transformation={shown(transformation)}: a rg.Transformation is needed, as rg.Majority(2), "
            "or rg.Function of a function"
        )
    return transformation


def check_factor(scale_factor: object) -> float:
    """Return a scale factor, a finite number above 1."""
    factor = check_real_scalar("scale_factor", scale_factor)
    if not 1 < factor < math.inf:
        raise ValueError(f"scale_factor={shown(scale_factor)}: a finite number above 1 is needed")
    return factor


def check_listed(n_coarse: int) -> None:
    """Raise where the states of so many coarse spins are not listed."""
    if n_coarse > MAX_LISTED:
        raise ValueError(f"the map leaves {n_coarse} spins: the states of at most {MAX_LISTED} can be listed")


def signs(field: FloatArray, rng: RNGLike) -> SpinArray:
    """Return the signs of fields; a fair coin decides where one is 0."""
    found = np.where(field > 0, np.int8(1), np.int8(-1))
    ties = np.flatnonzero(field == 0)
    found.ravel()[ties] = random_spins(check_rng(rng), len(ties))
    return found
