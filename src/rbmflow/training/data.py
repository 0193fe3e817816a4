"""What a machine is trained on: rows of spins, or a law over configurations."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from rbmflow._kernels import block_gibbs
from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.sampling import TrainingSet
from rbmflow.spins import check_spins
from rbmflow.state_law import StateLaw

MONITORED_ROWS = 100


@dataclass(frozen=True, eq=False)
class Data:
    """Rows of spins and their probabilities; `weights` is None for samples, which all count alike."""

    rows: SpinArray
    weights: FloatArray | None

    @property
    def n_rows(self) -> int:
        """Number of samples, or of states."""
        return len(self.rows)

    @cached_property
    def packed(self) -> npt.NDArray[np.uint8]:
        """The rows as the kernel of training takes them."""
        out = np.empty((self.n_rows, 4 * -(-self.rows.shape[1] // 16)), dtype=np.uint8)
        block_gibbs.pack(np.ascontiguousarray(self.rows), out)
        return out

    def as_law(self) -> tuple[SpinArray, FloatArray]:
        """Return distinct states and their probabilities."""
        return self._law

    @cached_property
    def _law(self) -> tuple[SpinArray, FloatArray]:
        if self.weights is not None:
            return self.rows, self.weights
        packed, counts = np.unique(np.packbits(self.rows > 0, axis=1), axis=0, return_counts=True)
        bits = np.unpackbits(packed, axis=1, count=self.rows.shape[1])
        return (2 * bits.astype(np.int8) - 1).astype(np.int8), counts / counts.sum()

    def monitored(self) -> tuple[SpinArray, FloatArray]:
        """Return the rows on which quantities of the history are measured, with weights that add up to 1."""
        if self.weights is not None:
            return self.rows, self.weights
        n = min(self.n_rows, MONITORED_ROWS)
        picked = self.rows[np.linspace(0, self.n_rows - 1, n).astype(np.int64)]
        return picked, np.full(n, 1 / n)


def check_data(data: object, n_visible: int, name: str = "data") -> Data:
    """Return the data of `fit`, or raise."""
    if isinstance(data, StateLaw):
        if data.n_sites != n_visible:
            raise ValueError(
                f"{name} holds states of {data.n_sites} spins: the model has n_visible={n_visible}"
            )
        return Data(data.states, data.probabilities)
    spins = data.configurations if isinstance(data, TrainingSet) else data
    empty = np.asarray(spins, dtype=object).size == 0 if not isinstance(spins, np.ndarray) else not spins.size
    if empty:
        raise ValueError(f"{name} is empty: rows of spins are needed")
    if isinstance(spins, np.ndarray) and spins.dtype == bool:
        raise TypeError(
            f"{name} holds truth values: spins are -1 or +1; convert with np.where({name}, 1, -1)"
        )
    rows = check_spins(name, spins, n_visible)
    if rows.ndim != 2:
        raise ValueError(f"{name} has shape {rows.shape}: (n, n_visible) is needed")
    return Data(rows, None)
