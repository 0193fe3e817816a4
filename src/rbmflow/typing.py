"""Types of arguments and results, for annotations: what a number, an array, a generator may be.

The package itself looks at this module only when types are checked; running code loads it when it asks.

Examples
--------
>>> from rbmflow.typing import MPF, RNGLike
>>> def energy_of_a_ring(n_sites: int, rng: RNGLike) -> float: ...
>>> def digits_of(weight: MPF) -> str: ...
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, Protocol, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray, SpinArray

__all__ = [
    "MPF",
    "ArrayLike",
    "ExactArray",
    "ExactArrayLike",
    "ExactNumber",
    "ExactNumbers",
    "Features",
    "FloatArray",
    "Integer",
    "Number",
    "Numbers",
    "RNGLike",
    "SpinArray",
]

Item_co = TypeVar("Item_co", covariant=True)


class HasDigits(Protocol):
    """A number of mpmath that goes in, whatever a type checker makes of its class."""

    @property
    def _mpf_(self) -> Any: ...


class MPF(HasDigits, Protocol):
    """A number of mpmath that comes out: ``mpmath.mpf``, of which mpmath itself declares no types."""

    def __float__(self) -> float: ...
    def __int__(self) -> int: ...
    def __bool__(self) -> bool: ...
    def __hash__(self) -> int: ...
    def __neg__(self) -> MPF: ...
    def __pos__(self) -> MPF: ...
    def __abs__(self) -> MPF: ...
    def __add__(self, other: Number, /) -> MPF: ...
    def __radd__(self, other: Number, /) -> MPF: ...
    def __sub__(self, other: Number, /) -> MPF: ...
    def __rsub__(self, other: Number, /) -> MPF: ...
    def __mul__(self, other: Number, /) -> MPF: ...
    def __rmul__(self, other: Number, /) -> MPF: ...
    def __truediv__(self, other: Number, /) -> MPF: ...
    def __rtruediv__(self, other: Number, /) -> MPF: ...
    def __pow__(self, other: Number, /) -> MPF: ...
    def __rpow__(self, other: Number, /) -> MPF: ...
    def __lt__(self, other: Number, /) -> bool: ...
    def __le__(self, other: Number, /) -> bool: ...
    def __gt__(self, other: Number, /) -> bool: ...
    def __ge__(self, other: Number, /) -> bool: ...


class HasArray(Protocol):
    """An array, or what numpy makes one of: a frame, a tensor. Numbers of numpy have no length."""

    def __array__(self) -> npt.NDArray[Any]: ...
    def __len__(self) -> int: ...


class Nested(Protocol[Item_co]):
    """A sequence of items, or of such sequences; text is none, as what it is asked to hold must be text."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> Item_co | Nested[Item_co]: ...
    def __contains__(self, item: object, /) -> bool: ...


class Sparse(Protocol):
    """A sparse matrix or array of scipy."""

    def tocsr(self) -> Any:
        """Return it row by row."""
        ...


Number: TypeAlias = float | np.floating[Any] | np.integer[Any] | Fraction | Decimal | HasDigits
"""One real number."""

Integer: TypeAlias = int | np.integer[Any]
"""One integer."""

ExactNumber: TypeAlias = Number | str
"""One number of which ``dps=`` keeps all digits: a decimal string too."""

ArrayLike: TypeAlias = HasArray | Nested[Number | HasArray]
"""Numbers with at least one axis: an array, a frame, lists of lists; no text, which numpy's own takes."""

ExactArrayLike: TypeAlias = HasArray | Nested[ExactNumber | HasArray]
"""The same of exact numbers."""

Numbers: TypeAlias = Number | ArrayLike
"""One number or an array; the result is then of the same shape."""

ExactNumbers: TypeAlias = ExactNumber | ExactArrayLike
"""The same of exact numbers."""

ExactArray: TypeAlias = npt.NDArray[np.object_]
"""An array of numbers of mpmath."""

Features: TypeAlias = ArrayLike | Sparse
"""Rows of features, as scikit-learn takes them."""

RNGLike: TypeAlias = (
    Integer | Sequence[int] | np.random.SeedSequence | np.random.BitGenerator | np.random.Generator | None
)
"""What ``rng=`` takes (SPEC 7): a generator, its bits, or a seed; None draws entropy from the system."""
