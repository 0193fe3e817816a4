"""What a long run has measured, as parts in a folder with the state after the last: it survives any kill.

A part is written before the state that counts it, each under a temporary name first. What a state does not
count is written anew, to the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from rbmflow.checkpoints import Checkpoints
from rbmflow.reading import read_npz

STATE, PREFIX = "state", "series."
SPINS = "spins"
"""The series that is kept as bits."""
BUFFER_BYTES = 2**24
"""Of measurements that wait to be written, at most, if one piece of them is not larger."""
Series = dict[str, npt.NDArray[Any]]
"""By name, each of shape ``(n_chains, n_draws, ...)``."""
State = TypeVar("State")


class Parts:
    """Series by name, in parts that follow each other along the draws.

    Parameters
    ----------
    kept : Checkpoints
        Where they are.
    n_sites : int
        Of the configurations.
    """

    kept: Checkpoints
    n_sites: int

    def __init__(self, kept: Checkpoints, n_sites: int) -> None:
        self.kept, self.n_sites = kept, n_sites
        self._waiting: list[Series] = []

    def state(self, read: Callable[[bytes], State]) -> State | None:
        """Return where the run stands, nothing if none has begun."""
        return self.kept.load(STATE, read)

    def add(self, series: Series) -> None:
        """Take the measurements that follow."""
        if SPINS in series:
            series = series | {SPINS: np.packbits(series[SPINS] > 0, axis=-1)}
        self._waiting.append(series)

    @property
    def due(self) -> bool:
        """Whether what waits is to be written."""
        waiting = sum(one.nbytes for series in self._waiting for one in series.values())
        return self.kept.due() or waiting > BUFFER_BYTES

    def write(self, first: int, state: bytes) -> None:
        """Write what waits, draws from `first` on, and then the state after it."""
        if self._waiting:
            joined = {
                name: np.concatenate([one[name] for one in self._waiting], axis=1)
                for name in self._waiting[0]
            }
            # with a prefix, as numpy takes some names for options of its own
            members: Any = {PREFIX + name: one for name, one in joined.items()}
            self.kept.store(_name(first), lambda stream: np.savez(stream, **members))
            self._waiting = []
        self.kept.store(STATE, lambda stream: stream.write(state))

    def slabs(self, n_draws: int, at_once: int) -> Iterator[tuple[int, Series]]:
        """Yield the first draw and the series of so many draws at a time, out of `n_draws` in all."""
        first, before, waiting = 0, 0, list[Series]()
        while before < n_draws:
            part = self.kept.load(_name(before), _read)
            if part is None:
                folder = self.kept.folder
                raise ValueError(f"{folder}: the part {_name(before)} is gone; remove it to begin anew")
            before += _length(part)
            waiting.append(part)
            while sum(map(_length, waiting)) >= (at_once if before < n_draws else 1):
                joined = {name: np.concatenate([one[name] for one in waiting], axis=1) for name in part}
                yield first, self._unpacked({name: one[:, :at_once] for name, one in joined.items()})
                rest = {name: one[:, at_once:] for name, one in joined.items()}
                first += min(at_once, _length(joined))
                waiting = [rest] if _length(rest) else []

    def _unpacked(self, series: Series) -> Series:
        if SPINS not in series:
            return series
        bits = np.unpackbits(series[SPINS], axis=-1, count=self.n_sites).view(np.int8)
        bits *= 2
        bits -= 1
        return series | {SPINS: bits}


def _read(content: bytes) -> Series:
    return {name.removeprefix(PREFIX): one for name, one in read_npz(content).items()}


def _name(first: int) -> str:
    return f"{first:010d}"


def _length(series: Series) -> int:
    return len(next(iter(series.values()))[0])
