"""What a machine is trained on, as it stands: rows of spins, given or drawn, or a law over them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray, SpinArray, check_real
from rbmflow.generators import Words
from rbmflow.hardware import check_memory
from rbmflow.sampling import TrainingSet
from rbmflow.sampling.block_gibbs import packed_rows
from rbmflow.spins import check_spins
from rbmflow.state_law import StateLaw
from rbmflow.training.chains import sweep
from rbmflow.training.parameters import Parameters
from rbmflow.training.uncertain import Grey, Incomplete, column_means

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike

MONITORED_ROWS = 100
MOST_COUNTED = 1e9  # rows of an epoch
SWEPT_ROWS = 4096  # at a time, whose hidden units are drawn


@dataclass(eq=False)
class Data:
    """Rows of spins as they stand, and what they are drawn from where they are not given.

    Attributes
    ----------
    rows : numpy.ndarray of int8, shape (n, n_visible)
        Spins.
    weights : numpy.ndarray, shape (n,), or None
        Probabilities of these states, where they are a law.
    counts : numpy.ndarray, shape (n,), or None
        How often each row counts, above 0.
    up : numpy.ndarray, shape (n, n_visible), or None
        Probabilities from which spins are drawn for each epoch, NaN where they are missing.
    missing : numpy.ndarray of bool, shape (n, n_visible), or None
        Where spins are missing: they are drawn given the others of the row by the machine as it stands.
    """

    rows: SpinArray
    weights: FloatArray | None = None
    counts: FloatArray | None = None
    up: FloatArray | None = None
    missing: npt.NDArray[np.bool_] | None = None
    begun: bool = field(default=False, repr=False)

    @property
    def n_rows(self) -> int:
        """Number of samples, or of states."""
        return len(self.rows)

    @property
    def varies(self) -> bool:
        """Whether spins are drawn for each epoch."""
        return self.up is not None or self.missing is not None

    @cached_property
    def packed(self) -> npt.NDArray[np.uint8]:
        """The rows as the kernel of training takes them."""
        return packed_rows(self.rows)

    def draw(self, parameters: Parameters, generator: Words, rng: np.random.Generator) -> None:
        """Draw what is not given: grey units from their probabilities, missing ones given the others.

        Missing units are swept once, hidden units between, from where the epoch before left them; first from
        independent units with the means of the data.
        """
        self.draw_grey(rng)
        if self.missing is not None:
            if not self.begun:
                self.rows[self.missing] = _spins(np.broadcast_to(self.mean_up(), self.rows.shape), rng)[
                    self.missing
                ]
            self.begun = True
            some = np.flatnonzero(self.missing.any(axis=1))
            for first in range(0, len(some), SWEPT_ROWS):
                at = some[first : first + SWEPT_ROWS]
                visible = np.ascontiguousarray(self.rows[at])
                hidden = np.empty((len(at), parameters.shape[1]), dtype=np.int8)
                clamped = packed_rows(~self.missing[at])
                sweep(parameters, visible, hidden, 1, generator, from_data=True, clamped=clamped)
                self.rows[at] = visible
        self.__dict__.pop("packed", None)
        self.__dict__.pop("_law", None)

    def forget(self) -> None:
        """Let the next draw begin from independent units again."""
        self.begun = False

    def draw_grey(self, rng: np.random.Generator) -> None:
        """Draw grey units from their probabilities; where one is missing it stays as it is."""
        if self.up is not None:
            known = np.ones(self.rows.shape, dtype=bool) if self.missing is None else ~self.missing
            np.copyto(self.rows, _spins(self.up, rng), where=known)

    def whole(self, most: int) -> Data:
        """Return rows without gaps, evenly picked where there are more than `most`."""
        at = np.arange(self.n_rows) if self.missing is None else np.flatnonzero(~self.missing.any(axis=1))
        return self.take(at[:: max(1, -(-len(at) // max(1, most)))])

    def drawn(self) -> SpinArray:
        """Return the rows with missing spins as they were drawn, which a run goes on from, or none."""
        return (
            self.rows.copy() if self.missing is not None and self.begun else np.empty((0, 0), dtype=np.int8)
        )

    def restore(self, rows: SpinArray) -> None:
        """Go on from missing spins that were drawn before."""
        if self.missing is None or not rows.size:
            return
        if rows.shape != self.rows.shape:
            raise ValueError(f"state: its rows have shape {rows.shape}, those of the data {self.rows.shape}")
        self.rows[self.missing] = rows[self.missing]
        self.begun = True

    def mean_up(self) -> FloatArray:
        """Return the probability of each unit in the data, what is missing left out."""
        return np.asarray((1 + self.means()) / 2)

    def means(self) -> FloatArray:
        """Return the mean of each unit, what is missing left out, 0 where nothing is known."""
        if self.weights is not None:
            return np.asarray(self.weights @ self.rows)
        if self.up is not None:
            return column_means(2 * self.up.astype(np.float64) - 1, self.counts)
        if self.missing is None and self.counts is None:
            return np.asarray(self.rows.mean(axis=0, dtype=np.float64))
        values = self.rows.astype(np.float64)
        return column_means(
            values if self.missing is None else np.where(self.missing, np.nan, values), self.counts
        )

    @property
    def n_counted(self) -> int:
        """Rows of an epoch."""
        return self.n_rows if self.counts is None else max(1, round(float(self.counts.sum())))

    def order(self, shuffle: bool, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """Return the rows of an epoch in their order, each as often as it counts.

        Rows lie on a line, as long as they count, and marks on it are one apart: what is not whole is left
        to chance.
        """
        if self.counts is None:
            return rng.permutation(self.n_rows) if shuffle else np.arange(self.n_rows)
        ends = np.cumsum(self.counts)
        whole = bool((self.counts == np.rint(self.counts)).all())
        marks = np.arange(self.n_counted) + (0.5 if whole else rng.random())
        places = np.minimum(
            np.searchsorted(ends, marks * (ends[-1] / self.n_counted), side="right"), self.n_rows - 1
        )
        return np.asarray(places[rng.permutation(len(places))] if shuffle else places)

    def check_known(self, name: str) -> None:
        """Raise where nothing is known of a unit."""
        if self.missing is not None and (unknown := self.missing.all(axis=0)).any():
            raise ValueError(
                f"{name} has no value in column {int(unknown.argmax())}, from 0: leave out what is not known"
            )

    def sorted(self) -> tuple[Data, npt.NDArray[np.int64]]:
        """Return the rows in an order that is theirs alone, and which they were.

        Rows that count whole numbers of times are there so often: what is learned of them then depends on
        what they are, not on how they were listed.
        """
        bits = [self.rows > 0 if self.missing is None else (self.rows > 0) & ~self.missing]
        bits += [] if self.missing is None else [self.missing]
        parts = [np.packbits(one, axis=1) for one in bits]
        parts += [] if self.up is None else [np.ascontiguousarray(self.up).view(np.uint8)]
        keys = np.ascontiguousarray(np.concatenate(parts, axis=1))
        at = np.argsort(keys.view(f"V{keys.shape[1]}").ravel(), kind="stable")
        whole = self.counts is not None and bool((self.counts == np.rint(self.counts)).all())
        if self.counts is not None and whole:
            n_bytes = self.n_counted * (self.rows.shape[1] * (1 if self.up is None else 5) + 16)
            check_memory(
                f"sample_weight adds up to {self.n_counted:g}",
                n_bytes,
                "fewer rows, or smaller weights, need less",
            )
            at = np.repeat(at, self.counts[at].astype(np.int64))
        found = self.take(at)
        found.counts = None if whole else found.counts
        return found, at

    def take(self, at: npt.NDArray[np.int64]) -> Data:
        """Return some of the rows."""
        return Data(
            self.rows[at],
            counts=None if self.counts is None else self.counts[at],
            up=None if self.up is None else self.up[at],
            missing=None if self.missing is None else self.missing[at],
        )

    def as_law(self) -> tuple[SpinArray, FloatArray]:
        """Return distinct states and their probabilities."""
        return self._law

    @cached_property
    def _law(self) -> tuple[SpinArray, FloatArray]:
        if self.weights is not None:
            return self.rows, self.weights
        packed, which, counts = np.unique(
            np.packbits(self.rows > 0, axis=1), axis=0, return_inverse=True, return_counts=True
        )
        if self.counts is not None:
            counts = np.bincount(which.ravel(), weights=self.counts)
        bits = np.unpackbits(packed, axis=1, count=self.rows.shape[1])
        return (2 * bits.astype(np.int8) - 1).astype(np.int8), counts / counts.sum()

    def monitored(self) -> tuple[SpinArray, FloatArray]:
        """Return the rows on which quantities of the history are measured, with weights that add up to 1."""
        if self.weights is not None:
            return self.rows, self.weights
        n = min(self.n_rows, MONITORED_ROWS)
        at = np.linspace(0, self.n_rows - 1, n).astype(np.int64)
        counts = np.ones(n) if self.counts is None else self.counts[at]
        return self.rows[at], counts / counts.sum()


def _spins(up: FloatArray, rng: np.random.Generator) -> SpinArray:
    """Return spins that are up with these probabilities."""
    return np.where(rng.random(up.shape, dtype=np.float32) < up, np.int8(1), np.int8(-1))


Rows: TypeAlias = "ArrayLike | TrainingSet | StateLaw | Grey | Incomplete | Data"
"""What `fit` takes: rows of spins, of probabilities, with gaps, or the probabilities of states."""


def check_data(data: object, n_visible: int | None, name: str = "data", sample_weight: object = None) -> Data:
    """Return the data of `fit`, or raise; `n_visible` None takes any."""
    if isinstance(data, StateLaw):
        if data.n_sites != n_visible:
            raise ValueError(
                f"{name} holds states of {data.n_sites} spins: the model has n_visible={n_visible}"
            )
        if sample_weight is not None:
            raise ValueError(f"sample_weight: {name} is a law, which has probabilities of its own")
        return Data(data.states, data.probabilities)
    if isinstance(data, Data):
        found = data
    elif isinstance(data, Grey):
        missing = np.isnan(data.probabilities)
        rows = np.ones(missing.shape, dtype=np.int8)
        found = Data(rows, up=data.probabilities, missing=missing if missing.any() else None)
    elif isinstance(data, Incomplete):
        found = Data(data.spins.copy(), missing=data.missing if data.missing.any() else None)
    else:
        found = _check_rows(data, n_visible, name)
    if n_visible is not None and found.rows.shape[1] != n_visible:
        raise ValueError(f"{name} has shape {found.rows.shape}: the last axis must have {n_visible} sites")
    return found if sample_weight is None else _weighed(found, sample_weight)


def _check_rows(data: object, n_visible: int | None, name: str) -> Data:
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
    return Data(rows)


def _weighed(data: Data, sample_weight: object) -> Data:
    """Return the rows that count, with how often they do."""
    counts = check_real("sample_weight", sample_weight)
    if counts.shape != (data.n_rows,):
        raise ValueError(f"sample_weight has shape {counts.shape}: ({data.n_rows},) is needed")
    if (counts < 0).any():
        raise ValueError(f"sample_weight holds {counts.min():g}: numbers of at least 0 are needed")
    if not 1 <= counts.sum() < np.inf:
        raise ValueError(
            f"sample_weight adds up to {counts.sum():g}: weights above zero that add up to at least 1 are "
            "needed; 1 is a row once, 2 a row twice"
        )
    total = float(counts.sum())
    if total > MOST_COUNTED:
        raise ValueError(
            f"sample_weight adds up to {total:g}: an epoch takes so many rows, {MOST_COUNTED:g} at most"
        )
    found = data.take(np.flatnonzero(counts))
    found.counts = counts[counts > 0].astype(np.float64)
    return found
