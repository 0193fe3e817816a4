"""Maps of blocks of b sites, or b × b: the majority rule, decimation, and filters with one hidden unit."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rbmflow.arguments import (
    MAX_SIZE,
    FloatArray,
    SpinArray,
    check_finite,
    check_flag,
    check_integer,
    check_real_scalar,
    check_rng,
)
from rbmflow.hardware import check_memory
from rbmflow.networks.rbm import RBM
from rbmflow.networks.two_layers import draw_spins
from rbmflow.records.equality import same
from rbmflow.rg.block_spins import Shape, Sides, block_spins, check_sides, lattice_spins
from rbmflow.rg.transformation import Transformation, signs

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, RNGLike


class BlockMap(Transformation):
    """A map that makes a coarse spin of each block of b sites of a ring, or b × b of a torus.

    Attributes
    ----------
    scale_factor : int
        The side b of a block.
    """

    scale_factor: int

    @abstractmethod
    def mean_of_blocks(self, blocks: SpinArray) -> FloatArray:
        """Return ⟨h⟩ of blocks.

        Parameters
        ----------
        blocks : numpy.ndarray of int8
            Shape ``(..., b)`` on a ring, ``(..., b²)`` on a torus, row by row.

        Returns
        -------
        numpy.ndarray of float64
            One for each block.

        Examples
        --------
        >>> Majority(3).mean_of_blocks(np.array([[1, 1, -1], [-1, -1, -1]], np.int8))
        array([ 1., -1.])
        """

    def output_shape(self, shape: Shape) -> Sides:  # noqa: D102
        sides, b = check_sides(shape), self.scale_factor
        if any(side % b for side in sides):
            raise ValueError(f"scale_factor={b} does not divide the sides of shape={sides}")
        return tuple(side // b for side in sides)

    def mean(self, spins: ArrayLike, shape: Shape) -> FloatArray:  # noqa: D102
        return self.mean_of_blocks(self._blocks(spins, shape))

    def _blocks(self, spins: ArrayLike, shape: Shape) -> SpinArray:
        """The blocks of configurations, shape ``(..., n_coarse, sites of a block)``."""
        sides, b, array = lattice_spins(spins, shape, self.scale_factor)
        split = array.reshape(*array.shape[:-1], *(part for side in sides for part in (side // b, b)))
        d, first = len(sides), array.ndim - 1  # block and place along each axis: the blocks first
        split = np.moveaxis(split, range(first + 1, first + 2 * d, 2), range(first + d, first + 2 * d))
        return split.reshape(*array.shape[:-1], -1, b**d)


@dataclass(frozen=True)
class Majority(BlockMap):
    """The majority rule: the sign of a block's sum; a fair coin decides a tie.

    Parameters
    ----------
    scale_factor : int
        The side b of a block, at least 2.

    See Also
    --------
    block_spins : The same as a function.

    References
    ----------
    Th. Niemeijer and J. M. J. van Leeuwen, Phys. Rev. Lett. 31, 1411 (1973).

    Examples
    --------
    >>> Majority(3)([1, 1, -1, 1, -1, -1], 6, rng=1)
    array([ 1, -1], dtype=int8)
    """

    scale_factor: int = 2

    def __post_init__(self) -> None:
        check_integer("scale_factor", self.scale_factor, 2, MAX_SIZE)

    def mean_of_blocks(self, blocks: SpinArray) -> FloatArray:  # noqa: D102
        return np.asarray(np.sign(blocks.sum(axis=-1, dtype=np.int64)), dtype=np.float64)

    def __call__(self, spins: ArrayLike, shape: Shape, *, rng: RNGLike) -> SpinArray:
        """Return the block spins of `rbmflow.rg.block_spins`."""
        return block_spins(spins, shape, scale_factor=self.scale_factor, rng=rng)


@dataclass(frozen=True)
class Decimation(BlockMap):
    """Decimation: every b-th spin of each direction is kept, the others are summed over.

    Parameters
    ----------
    scale_factor : int
        The factor b, at least 2.
    offset : int
        Which spin of a block, in each direction: 0, the first, to b − 1.

    See Also
    --------
    decimate_spins : The same as a function, with the first.
    Sublattice : Every second spin of a torus, b = √2.

    Examples
    --------
    >>> Decimation(3, 1)([1, 1, -1, 1, -1, -1], 6, rng=1)
    array([ 1, -1], dtype=int8)
    """

    scale_factor: int = 2
    offset: int = 0

    def __post_init__(self) -> None:
        b = check_integer("scale_factor", self.scale_factor, 2, MAX_SIZE)
        check_integer("offset", self.offset, 0, b - 1)

    def mean_of_blocks(self, blocks: SpinArray) -> FloatArray:  # noqa: D102
        return self._kept(blocks).astype(np.float64)

    def __call__(
        self,
        spins: ArrayLike,
        shape: Shape,
        *,
        rng: RNGLike = None,  # noqa: ARG002 (others draw)
    ) -> SpinArray:
        """Return the spins that are kept; `rng` is not used."""
        return self._kept(self._blocks(spins, shape)).copy()

    def _kept(self, blocks: SpinArray) -> SpinArray:
        b = self.scale_factor
        step = (blocks.shape[-1] - 1) // (b - 1)  # 1 + b + b² …, to the next on the diagonal
        return blocks[..., self.offset * step]


@dataclass(frozen=True, eq=False, repr=False)
class BlockFilter(BlockMap):
    """A hidden unit for each block, ``P(h|v) ∝ exp[h (Σ w_i v_i + c)]`` over the sites i of the block.

    Equal weights w → ∞ are the majority rule, one weight → ∞ is decimation.

    Parameters
    ----------
    weights : array_like
        Of the sites of a block: shape ``(b,)`` for a ring, ``(b, b)`` for a torus; b is at least 2.
    bias : float
        The field c on the unit.
    drawn : bool
        Whether h is drawn from P(h|v); otherwise it is the more probable of the two, by a fair coin if they
        are equally so.

    See Also
    --------
    Hidden : The hidden layer of any machine.

    References
    ----------
    M. Koch-Janusz and Z. Ringel, Nature Physics 14, 578 (2018).

    Examples
    --------
    >>> BlockFilter([[0.5, 0.5], [0.5, 0.5]])
    BlockFilter(2 × 2, weights 0.5, drawn)
    >>> BlockFilter([1.0, 0.2]).mean([1, -1, 1, 1], 4)
    array([0.664 , 0.8337])
    """

    weights: FloatArray
    bias: float = 0.0
    drawn: bool = True

    if TYPE_CHECKING:  # what it is made of; the fields say what it holds

        def __init__(self, weights: ArrayLike, bias: float = 0.0, drawn: bool = True) -> None: ...

    def __post_init__(self) -> None:
        weights = np.array(check_finite("weights", self.weights))
        if weights.ndim not in (1, 2) or len(weights) < 2 or len(set(weights.shape)) > 1:
            raise ValueError(f"weights has shape {weights.shape}: (b,) or (b, b) with b ≥ 2 is needed")
        weights.flags.writeable = False
        bias = float(check_finite("bias", check_real_scalar("bias", self.bias)))
        for name, value in (("weights", weights), ("bias", bias), ("scale_factor", len(weights))):
            object.__setattr__(self, name, value)
        check_flag("drawn", self.drawn)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BlockFilter) and same(vars(self), vars(other))

    def __hash__(self) -> int:
        return hash((self.weights.shape, self.bias, self.drawn))

    def __repr__(self) -> str:
        sides = " × ".join(map(str, self.weights.shape))
        low, high = f"{self.weights.min():.3g}", f"{self.weights.max():.3g}"
        of = f"weights {low}" if low == high else f"weights {low} to {high}"
        bias = f", bias {self.bias:.3g}" if self.bias else ""
        return f"BlockFilter({sides}, {of}{bias}, {'drawn' if self.drawn else 'by sign'})"

    def output_shape(self, shape: Shape) -> Sides:  # noqa: D102
        sides = super().output_shape(shape)
        if len(sides) != self.weights.ndim:
            raise ValueError(f"shape={check_sides(shape)} does not fit weights of shape {self.weights.shape}")
        return sides

    def mean(self, spins: ArrayLike, shape: Shape) -> FloatArray:  # noqa: D102
        self.output_shape(shape)
        return super().mean(spins, shape)

    def mean_of_blocks(self, blocks: SpinArray) -> FloatArray:  # noqa: D102
        field = self._field(blocks)
        return np.tanh(field) if self.drawn else np.sign(field)

    def __call__(self, spins: ArrayLike, shape: Shape, *, rng: RNGLike) -> SpinArray:
        """Return hidden units given configurations, one for each block."""
        self.output_shape(shape)
        field = self._field(self._blocks(spins, shape))
        return draw_spins(field, check_rng(rng)) if self.drawn else signs(field, rng)

    def machine(self, shape: Shape) -> RBM:
        """Return the machine whose hidden units are these, one for each block of a lattice.

        Parameters
        ----------
        shape : int, tuple of int or lattice
            Of the lattice of the visible units.

        Returns
        -------
        RBM
            Without fields on the visible units, so that its blocks are independent of each other.

        Examples
        --------
        >>> BlockFilter([1.0, 0.2]).machine(4).weights
        array([[1. , 0. ],
               [0.2, 0. ],
               [0. , 1. ],
               [0. , 0.2]])
        """
        sides, b = check_sides(shape), self.scale_factor
        self.output_shape(sides)
        n_sites = math.prod(sides)
        n_blocks = n_sites // b ** len(sides)
        check_memory(
            f"weights of {n_sites} × {n_blocks} units",
            8 * n_sites * (n_blocks + 2),
            "a smaller shape needs less",
        )
        sites = block_sites(sides, b)
        weights = np.zeros((n_sites, n_blocks))
        weights[sites, np.arange(len(sites))[:, np.newaxis]] = self.weights.ravel()
        return RBM(weights, hidden_bias=np.full(len(sites), self.bias))

    def _field(self, blocks: SpinArray) -> FloatArray:
        field: FloatArray = blocks.astype(np.float64) @ self.weights.ravel() + self.bias
        return field


def block_sites(sides: Sides, b: int) -> np.ndarray[tuple[int, int], np.dtype[np.intp]]:
    """Return the sites of each block, row by row, shape ``(n_blocks, b or b²)``.

    Examples
    --------
    >>> block_sites((2, 4), 2).tolist()
    [[0, 1, 4, 5], [2, 3, 6, 7]]
    """
    index = np.arange(np.prod(sides), dtype=np.intp).reshape(sides)
    split = index.reshape([part for side in sides for part in (side // b, b)])
    if len(sides) == 2:
        split = np.swapaxes(split, 1, 2)
    return split.reshape(-1, b ** len(sides))
