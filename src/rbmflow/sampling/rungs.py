"""Which replica stands on which rung of a ladder, and how far each has travelled."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray
from rbmflow.records import Storable


class Rungs(Storable):
    """Replicas of independent ladders that change places with their neighbours."""

    chain: npt.NDArray[np.intp]
    tried: FloatArray
    accepted: FloatArray
    round_trips: npt.NDArray[np.int64]
    heading: npt.NDArray[np.int8]

    def __init__(self, n_ladders: int, n_rungs: int) -> None:
        self.chain = np.arange(n_ladders * n_rungs).reshape(n_ladders, -1)  # at [ladder, rung]
        self.tried, self.accepted = (np.zeros(n_rungs - 1) for _ in range(2))
        self.round_trips = np.zeros(self.chain.shape, dtype=np.int64)
        self.heading = np.zeros(self.chain.size, dtype=np.int8)  # 1 up, −1 down, 0 not begun at the lowest

    def _content(self) -> dict[str, Any]:
        return dict(vars(self))

    @classmethod
    def _from_content(cls, content: dict[str, Any]) -> Self:
        found = cls(*np.shape(content["chain"]))
        for name, array in vars(found).items():
            given = content[name]
            if not isinstance(given, np.ndarray) or (given.dtype, given.shape) != (array.dtype, array.shape):
                raise ValueError(f"{name} is no account of rungs")
            setattr(found, name, given)
        if (np.sort(found.chain, axis=None) != np.arange(found.chain.size)).any():
            raise ValueError("chain does not hold each replica once")
        return found

    def pairs(self, parity: int) -> npt.NDArray[np.intp]:
        """Return the lower rung of every second pair of neighbours."""
        return np.arange(parity, self.chain.shape[1] - 1, 2)

    def exchange(
        self,
        low: npt.NDArray[np.intp],
        gain: FloatArray,
        source: np.random.Generator,
        *,
        counted: bool = True,
    ) -> npt.NDArray[np.bool_]:
        """Swap pairs (n_ladders, n_pairs) with probability ``min(1, e^gain)``; return which were swapped."""
        a, b = self.chain[:, low], self.chain[:, low + 1]
        swap = np.asarray(np.log(source.random(a.shape)) < gain)
        self.chain[:, low], self.chain[:, low + 1] = np.where(swap, b, a), np.where(swap, a, b)
        if counted:
            self.tried[low] += len(a)
            self.accepted[low] += swap.sum(axis=0)
            bottom, top = self.chain[:, 0], self.chain[:, -1]
            returned = self.heading[bottom] == -1
            self.round_trips.ravel()[bottom[returned]] += 1
            self.heading[bottom] = 1
            self.heading[top[self.heading[top] == 1]] = -1
        return swap
