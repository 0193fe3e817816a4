"""The Ising chain with free ends."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, overload

from rbmflow.arguments import FloatArray, check_integer, shown
from rbmflow.ising import transfer_matrix
from rbmflow.ising.law import Law
from rbmflow.ising.one_dimension import (
    MAX_SITES,
    OneDimensional,
    check_distance,
    over_couplings,
    over_distances,
)
from rbmflow.ising.walls import chain_weights

if TYPE_CHECKING:
    from rbmflow.typing import (
        MPF,
        ArrayLike,
        ExactArray,
        ExactArrayLike,
        ExactNumber,
        ExactNumbers,
        Integer,
        Number,
        Numbers,
    )


@dataclass(frozen=True)
class Chain(OneDimensional):
    """Ising spins on a chain with free ends: ``−βH = K Σ v_i v_(i+1)`` over n − 1 bonds.

    Parameters
    ----------
    n_sites : int
        Number of spins n, 2 to 10⁹.

    Examples
    --------
    >>> print(round(Chain(2).energy(1.0), 4))
    -0.3808
    """

    name: ClassVar[str] = "chain"

    @cached_property
    def periodic(self) -> tuple[bool, ...]:
        """False: the ends are free."""
        return (False,)

    def __post_init__(self) -> None:
        object.__setattr__(self, "n_sites", check_integer("n_sites", self.n_sites, 2, MAX_SITES))

    @overload
    def correlation(self, K: Number, r: Integer, *, dps: None = None) -> float: ...
    @overload
    def correlation(self, K: ArrayLike, r: Integer | ArrayLike, *, dps: None = None) -> FloatArray: ...
    @overload
    def correlation(self, K: Number, r: ArrayLike, *, dps: None = None) -> FloatArray: ...
    @overload
    def correlation(self, K: ExactNumber, r: Integer, *, dps: int) -> MPF: ...
    @overload
    def correlation(self, K: ExactArrayLike, r: Integer | ArrayLike, *, dps: int) -> ExactArray: ...
    @overload
    def correlation(self, K: ExactNumber, r: ArrayLike, *, dps: int) -> ExactArray: ...
    def correlation(self, K: object, r: object, *, dps: int | None = None) -> Any:
        """Return ``⟨v_i v_(i+r)⟩ = t^r``, t = tanh K, the same for every i.

        Parameters
        ----------
        K : array_like
            Couplings βJ of any sign; with `dps` also decimal strings, fractions or mpf.
        r : array_like of int
            Distances, 0 … n − 1; broadcast against `K`.
        dps : int, optional
            Correct decimal digits; float64 without it.

        Returns
        -------
        float, numpy.ndarray, mpmath.mpf or array of mpf
            In the broadcast shape.

        Examples
        --------
        >>> Chain(8).correlation(1.0, [0, 1])
        array([1.    , 0.7616])
        """
        distance = check_distance(r)
        if ((distance < 0) | (distance >= self.n_sites)).any():
            raise ValueError(f"r={shown(r)}: distances on a chain run from 0 to {self.n_sites - 1}")
        return over_distances(transfer_matrix.chain_correlation, K, distance, dps)

    @overload
    def magnetization_law(self, K: Numbers, *, dps: None = None) -> Law: ...
    @overload
    def magnetization_law(self, K: ExactNumbers, *, dps: int) -> Law: ...
    def magnetization_law(self, K: object, *, dps: int | None = None) -> Law:
        """Return the law of the magnetization ``V = Σ v_i``.

        Evaluated in arbitrary precision by a recurrence of positive terms, O(n), and rounded once.

        Time O(n^(3/2)), as its numbers grow with the chain.

        Parameters
        ----------
        K : array_like
            Couplings βJ of any sign; with `dps` also decimal strings, fractions or mpf.
        dps : int, optional
            Correct decimal digits; float64 without it.

        Returns
        -------
        Law
            ``values`` −n, −n + 2, …, n and ``probabilities`` of shape ``(*K.shape, n + 1)``.

        Examples
        --------
        >>> Chain(2).magnetization_law(0.0).probabilities
        array([0.25, 0.5 , 0.25])
        """
        return self._law(K, dps, lambda ctx, K: chain_weights(self.n_sites, ctx.exp(-2 * K)))

    def _evaluate(self, quantity: str, K: object, dps: int | None) -> Any:
        formula = getattr(transfer_matrix, f"chain_{quantity}")
        return over_couplings(lambda fn, K: formula(fn, K, self.n_sites), K, dps)
