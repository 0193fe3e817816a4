"""Periodic lattices whose exact thermodynamics is known."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, overload

from rbmflow.arguments import FloatArray, shown
from rbmflow.ising.crystal import Crystal
from rbmflow.ising.lattice import names_of

if TYPE_CHECKING:
    from rbmflow.typing import MPF, ArrayLike, ExactArray, ExactArrayLike, ExactNumber, Number


class Solved(Crystal):
    """A periodic lattice whose exact thermodynamics is known: what training sets and thermometers need."""

    @property
    def bonds_per_site(self) -> int:
        """Half of the coordination: the energy of the ground state in −J per site."""
        return len(self.steps)

    @overload
    @abstractmethod
    def log_partition(self, K: Number, *, dps: None = None) -> float: ...
    @overload
    @abstractmethod
    def log_partition(self, K: ArrayLike, *, dps: None = None) -> FloatArray: ...
    @overload
    @abstractmethod
    def log_partition(self, K: ExactNumber, *, dps: int) -> MPF: ...
    @overload
    @abstractmethod
    def log_partition(self, K: ExactArrayLike, *, dps: int) -> ExactArray: ...
    @abstractmethod
    def log_partition(self, K: object, *, dps: int | None = None) -> Any:
        """Return ln Z, the total."""

    @overload
    @abstractmethod
    def energy(self, K: Number, *, dps: None = None) -> float: ...
    @overload
    @abstractmethod
    def energy(self, K: ArrayLike, *, dps: None = None) -> FloatArray: ...
    @overload
    @abstractmethod
    def energy(self, K: ExactNumber, *, dps: int) -> MPF: ...
    @overload
    @abstractmethod
    def energy(self, K: ExactArrayLike, *, dps: int) -> ExactArray: ...
    @abstractmethod
    def energy(self, K: object, *, dps: int | None = None) -> Any:
        """Return the energy per site in J."""

    @overload
    @abstractmethod
    def heat_capacity(self, K: Number, *, dps: None = None) -> float: ...
    @overload
    @abstractmethod
    def heat_capacity(self, K: ArrayLike, *, dps: None = None) -> FloatArray: ...
    @overload
    @abstractmethod
    def heat_capacity(self, K: ExactNumber, *, dps: int) -> MPF: ...
    @overload
    @abstractmethod
    def heat_capacity(self, K: ExactArrayLike, *, dps: int) -> ExactArray: ...
    @abstractmethod
    def heat_capacity(self, K: object, *, dps: int | None = None) -> Any:
        """Return the heat capacity per site in k_B."""

    @overload
    @abstractmethod
    def susceptibility(self, K: Number, *, dps: None = None) -> float: ...
    @overload
    @abstractmethod
    def susceptibility(self, K: ArrayLike, *, dps: None = None) -> FloatArray: ...
    @overload
    @abstractmethod
    def susceptibility(self, K: ExactNumber, *, dps: int) -> MPF: ...
    @overload
    @abstractmethod
    def susceptibility(self, K: ExactArrayLike, *, dps: int) -> ExactArray: ...
    @abstractmethod
    def susceptibility(self, K: object, *, dps: int | None = None) -> Any:
        """Return ``⟨V²⟩/n``, per site."""


def check_solved(lattice: object) -> Solved:
    """Return `lattice`, or raise unless it is periodic and solved."""
    if not isinstance(lattice, Solved):
        raise TypeError(f"lattice={shown(lattice)}: {names_of(Solved)} is needed")
    return lattice
