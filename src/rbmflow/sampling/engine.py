"""What a compiled chain is to the loop that runs and measures it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray, SpinArray


@dataclass(frozen=True)
class Block:
    """Where the measurements of one step go: rows are the engine's chains."""

    energy: FloatArray  # (n_chains, n_kept), totals
    magnetization: FloatArray
    spins: SpinArray | None  # (n_chains, n_kept, n_sites)
    clusters: FloatArray | None = None  # (n_chains, n_kept, 4), sums of the last update, of cluster rules


class Engine(Protocol):
    """Advances its chains; `spins` (n_chains, n_sites) and `generators` are its whole state."""

    chains: npt.NDArray[np.intp]
    cost: int  # of a sweep, about, in ns
    overhead: int  # of a measurement

    def advance(self, n_sweeps: int) -> None:
        """Sweep without measuring."""
        ...

    def measure(self, n_sweeps: int, first: int, last: int, block: Block) -> None:
        """Fill columns first … last − 1 of the block, each after `n_sweeps` sweeps."""
        ...

    def write_back(self, spins: SpinArray) -> None:
        """Write the present spins of the engine's chains."""
        ...
