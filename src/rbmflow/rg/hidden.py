"""The hidden layer of a machine as a coarse lattice, and maps done one after the other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray, check_flag, check_rng, shown, spawn
from rbmflow.networks.two_layers import TwoLayers, check_machine
from rbmflow.rg.block_spins import Shape, Sides, check_shape
from rbmflow.rg.transformation import Transformation, check_factor, check_listed, check_transformation, signs
from rbmflow.spins import all_states, check_spins

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, RNGLike


@dataclass(frozen=True, eq=False)
class Hidden(Transformation):
    """The hidden layer of an RBM, arranged on a lattice: h is drawn from p(h|v).

    Parameters
    ----------
    rbm : RBM
        The machine; its visible units are the sites of the fine lattice.
    shape : int, tuple of int or lattice
        Of the lattice of the hidden units, in their order.
    drawn : bool
        Whether h is drawn from p(h|v); otherwise it is the more probable of the two.
    scale_factor : float, optional
        The factor b by which lengths shrink; by default ``(n_visible/n_hidden)^(1/d)`` in d dimensions.

    See Also
    --------
    Stack : Several machines, one on the other.
    rbmflow.networks.RBM.decimating : A machine whose hidden layer is the decimated lattice.

    References
    ----------
    P. Mehta and D. J. Schwab, arXiv:1410.3831 (2014).

    Examples
    --------
    >>> from rbmflow import RBM, Ring
    >>> layer = Hidden(RBM.decimating(Ring(8), 1.0, 20.0), 4)
    >>> layer.scale_factor, layer([1, 1, 1, -1, -1, 1, -1, -1], 8, rng=1).tolist()
    (2.0, [1, 1, -1, -1])
    """

    rbm: TwoLayers
    shape: Sides
    drawn: bool = True
    scale_factor: float = None  # type: ignore[assignment]

    if TYPE_CHECKING:  # what it is made of; the fields say what it holds

        def __init__(
            self, rbm: TwoLayers, shape: Shape, drawn: bool = True, scale_factor: float | None = None
        ) -> None: ...

    def __post_init__(self) -> None:
        rbm, sides = check_machine("rbm", self.rbm), check_shape(self.shape)
        given: float | None = self.scale_factor
        check_flag("drawn", self.drawn)
        if math.prod(sides[:2]) != rbm.n_hidden:
            raise ValueError(f"shape={sides} does not hold the {rbm.n_hidden} hidden units of rbm")
        if given is None:
            given = (rbm.n_visible / rbm.n_hidden) ** (1 / min(len(sides), 2))
        object.__setattr__(self, "shape", sides)
        object.__setattr__(self, "scale_factor", check_factor(given))

    def __repr__(self) -> str:
        how = "" if self.drawn else ", by sign"
        return f"Hidden(RBM {self.rbm.n_visible} → {' × '.join(map(str, self.shape))}{how})"

    def output_shape(self, shape: Shape) -> Sides:  # noqa: D102
        sides = check_shape(shape)
        if math.prod(sides[:2]) != self.rbm.n_visible:
            raise ValueError(f"shape={sides} does not hold the {self.rbm.n_visible} visible units of rbm")
        return self.shape

    def mean(self, spins: ArrayLike, shape: Shape) -> FloatArray:  # noqa: D102
        field = self._field(spins, shape)
        return np.tanh(field) if self.drawn else np.sign(field)

    def __call__(self, spins: ArrayLike, shape: Shape, *, rng: RNGLike) -> SpinArray:
        """Return hidden units given configurations of the visible ones."""
        if not self.drawn:
            return signs(self._field(spins, shape), rng)
        self.output_shape(shape)
        return self.rbm.sample_hidden(check_spins("spins", spins, self.rbm.n_visible), check_rng(rng))

    def _field(self, spins: ArrayLike, shape: Shape) -> FloatArray:
        self.output_shape(shape)
        field: FloatArray = self.rbm.field_on_hidden(check_spins("spins", spins, self.rbm.n_visible))
        return field


class Stack(Transformation):
    """Maps done one after the other, each on what the one before leaves: the layers of a deep machine.

    Parameters
    ----------
    *layers : Transformation
        At least one, the first one first. Stacks among them are taken apart.

    Examples
    --------
    >>> from rbmflow.rg import Majority
    >>> Stack(Majority(3), Majority(3))([1] * 5 + [-1] * 13, 18, rng=1)
    array([ 1, -1], dtype=int8)
    """

    def __init__(self, *layers: Transformation) -> None:
        if not layers:
            raise ValueError(f"layers={shown(layers)}: at least one map is needed")
        self._layers = tuple(one for layer in layers for one in check_transformation(layer).layers)
        self.scale_factor = math.prod(layer.scale_factor for layer in self._layers)

    def __repr__(self) -> str:
        return f"Stack({', '.join(map(repr, self._layers))})"

    @property
    def layers(self) -> tuple[Transformation, ...]:
        """The maps, the first one first."""
        return self._layers

    def shapes(self, shape: Shape) -> tuple[Sides, ...]:
        """Return the lattices from the finest to the coarsest, one more than there are layers.

        Parameters
        ----------
        shape : int, tuple of int or lattice
            Of the finest lattice.

        Returns
        -------
        tuple of tuple of int
            The sides of each.

        Examples
        --------
        >>> from rbmflow.rg import Majority
        >>> Stack(Majority(3), Majority(2)).shapes((12, 12))
        ((12, 12), (4, 4), (2, 2))
        """
        shapes = [check_shape(shape)]
        for layer in self._layers:
            shapes.append(layer.output_shape(shapes[-1]))
        return tuple(shapes)

    def output_shape(self, shape: Shape) -> Sides:  # noqa: D102
        return self.shapes(shape)[-1]

    def __call__(self, spins: ArrayLike, shape: Shape, *, rng: RNGLike) -> SpinArray:
        """Return the last layer; each draws from a generator of its own."""
        sources = spawn(check_rng(rng), len(self._layers))
        level = check_spins("spins", spins, math.prod(check_shape(shape)[:2]))
        for layer, sides, source in zip(self._layers, self.shapes(shape), sources, strict=False):
            level = layer(level, sides, rng=source)
        return level

    def mean(self, spins: ArrayLike, shape: Shape) -> FloatArray:  # noqa: D102
        *before, sides, _ = self.shapes(shape)
        if not before:
            return self._layers[0].mean(spins, sides)
        n_between = math.prod(sides[:2])
        check_listed(n_between)
        law = Stack(*self._layers[:-1]).conditional(spins, shape)
        return law @ self._layers[-1].mean(all_states(n_between), sides)

    def conditional(self, spins: ArrayLike, shape: Shape) -> FloatArray:  # noqa: D102
        shapes = self.shapes(shape)
        for sides in shapes[1:]:
            check_listed(math.prod(sides[:2]))
        law = self._layers[0].conditional(spins, shapes[0])
        for layer, sides in zip(self._layers[1:], shapes[1:], strict=False):
            law = law @ layer.conditional(all_states(math.prod(sides[:2])), sides)
        return law
