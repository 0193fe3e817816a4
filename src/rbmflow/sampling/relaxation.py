"""Recall by the threshold rule (thesis eq. 13): unit by unit, or all at once.

The rule is ``x_i = 1`` if ``a_i ≥ 0``, else −1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from rbmflow._kernels import hopfield as kernel
from rbmflow.arguments import SpinArray, check_choice, check_integer, check_rng, shown
from rbmflow.hardware import empty_at_line, resolve_threads, simd_level
from rbmflow.networks.hopfield import Hopfield
from rbmflow.networks.pairwise import Couplings
from rbmflow.records import Record
from rbmflow.spins import check_spins
from rbmflow.workers import run_tasks

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, RNGLike

Dynamics = Literal["asynchronous", "synchronous"]
Order = Literal["random", "sequential"]
DYNAMICS: tuple[Dynamics, ...] = ("asynchronous", "synchronous")
ORDERS: tuple[Order, ...] = ("random", "sequential")
CHUNK_WORK = 2**20  # units to a task, in whole states
FEWEST = 64  # states to a task
SWEEPS_AT_ONCE = 8
STEP_NANOSECONDS = 1e8  # of work, about, between two looks at Ctrl-C
TYPES = ((np.int8, np.int16), (np.int16, np.int32))  # of couplings and of fields


@dataclass(frozen=True, eq=False)
class Recall(Record):
    """Where the threshold rule led.

    Attributes
    ----------
    states : numpy.ndarray of int8, shape (..., n_units)
        The states reached; of a cycle, the one met at its first return.
    period : numpy.ndarray of int64, shape (...)
        1 where no free unit changes any more, 2 in a cycle of two states (synchronous only), 0
        where the sweeps ran out.
    n_sweeps : numpy.ndarray of int64, shape (...)
        Sweeps that changed a unit.
    """

    states: SpinArray
    period: npt.NDArray[np.int64]
    n_sweeps: npt.NDArray[np.int64]


def recall(
    network: Hopfield,
    probes: ArrayLike,
    *,
    dynamics: Dynamics = "asynchronous",
    order: Order = "random",
    clamped: ArrayLike | None = None,
    max_sweeps: int = 100,
    rng: RNGLike = None,
    n_threads: int | None = None,
) -> Recall:
    """Let states run downhill by the threshold rule until nothing changes (thesis eq. 13).

    Unit by unit no update raises the energy, and one that leaves it as it is only switches a unit on: every
    state settles. All at once the states end in a fixed point or a cycle of two.

    Time O(n²) for each sweep and probe.

    Parameters
    ----------
    network : Hopfield
        The network.
    probes : array_like, shape (..., n_units)
        States to start from, ±1: corrupted patterns, or with `clamped` parts of them.
    dynamics : str
        ``"asynchronous"``: one unit after the other, or ``"synchronous"``: all from the same state.
    order : str
        Of the asynchronous visits: ``"random"``, every sweep in a new order, the same for all
        probes, or ``"sequential"``.
    clamped : array_like of bool, shape (n_units,) or that of `probes`, optional
        Units that keep their state; the others are completed.
    max_sweeps : int
        The most sweeps, 1 to 100 000.
    rng : numpy.random.Generator or int
        Of the random order.
    n_threads : int, optional
        Threads; the result does not depend on them.

    Returns
    -------
    Recall
        The states, and how they ended.

    See Also
    --------
    anneal : At temperatures above 0.
    rbmflow.networks.Hopfield : What runs.

    References
    ----------
    J. ter Hoeve, *Renormalization Group connected to Neural Networks*, thesis, Utrecht (2018), eq. 13.

    Examples
    --------
    >>> pattern = [1, 1, -1, -1, 1, -1]
    >>> network = Hopfield.hebb([pattern])
    >>> found = recall(network, [-1, 1, -1, -1, 1, -1], rng=1)
    >>> found.states, int(found.period), int(found.n_sweeps)
    (array([ 1,  1, -1, -1,  1, -1], dtype=int8), 1, 1)
    """
    if not isinstance(network, Hopfield):
        raise TypeError(f"network={shown(network)}: a Hopfield is needed")
    start = check_spins("probes", probes, network.n_units)
    fixed = None if clamped is None else check_clamped(clamped, start.shape)
    check_choice("dynamics", dynamics, DYNAMICS)
    check_choice("order", order, ORDERS)
    max_sweeps = check_integer("max_sweeps", max_sweeps, 1, 100_000)
    threads = resolve_threads(n_threads)
    states = start.reshape(-1, network.n_units)
    held = None if fixed is None else fixed.reshape(states.shape)
    if dynamics == "synchronous":
        found = _together(network, states, held, max_sweeps)
    else:
        generator = check_rng(rng) if order == "random" else None
        found = _one_by_one(network, states, held, max_sweeps, generator, threads)
    shape = start.shape[:-1]
    return Recall(
        found.states.reshape(start.shape), found.period.reshape(shape), found.n_sweeps.reshape(shape)
    )


def check_clamped(clamped: object, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Return which units keep their state, in the shape of the states, or raise naming the argument."""
    array = np.asarray(clamped)
    if array.dtype != bool:
        raise TypeError(f"clamped has dtype {array.dtype}: truth values are needed, one for each unit")
    if array.shape not in (shape, shape[-1:]):
        raise ValueError(f"clamped has shape {array.shape}: {shape[-1:]} or {shape} is needed")
    return np.broadcast_to(array, shape)


def _together(
    network: Hopfield, states: SpinArray, fixed: npt.NDArray[np.bool_] | None, max_sweeps: int
) -> Recall:
    now, before = states.copy(), states.copy()
    period = np.zeros(len(now), dtype=np.int64)
    n_sweeps = np.zeros(len(now), dtype=np.int64)
    active = np.arange(len(now))
    for sweep in range(max_sweeps + 1):
        here = now[active]
        following = np.where(network.activation(here) >= 0, 1, -1).astype(np.int8)
        if fixed is not None:
            following = np.where(fixed[active], here, following)
        still = (following == here).all(axis=-1)
        back = ~still & (sweep > 0) & (following == before[active]).all(axis=-1)
        period[active[still]], period[active[back]] = 1, 2
        moving = ~still & ~back
        active = active[moving]
        if len(active) == 0 or sweep == max_sweeps:
            break
        before[active], now[active] = here[moving], following[moving]
        n_sweeps[active] += 1
    return Recall(now, period, n_sweeps)


def _one_by_one(
    network: Hopfield,
    states: SpinArray,
    fixed: npt.NDArray[np.bool_] | None,
    max_sweeps: int,
    rng: np.random.Generator | None,
    n_threads: int,
) -> Recall:
    n_states, n_units = states.shape
    job = _Relaxation(network, states, fixed)
    visits = np.arange(n_units, dtype=np.int32)
    size = max(FEWEST, CHUNK_WORK // n_units)
    for first in range(0, max_sweeps, SWEEPS_AT_ONCE):
        n_sweeps = min(SWEEPS_AT_ONCE, max_sweeps - first)
        order = np.tile(visits, (n_sweeps, 1))
        if rng is not None:
            order = rng.permuted(order, axis=1)
        run_tasks((job.work(k, min(k + size, n_states), order) for k in range(0, n_states, size)), n_threads)
        if job.settled.all():
            break
    found = np.ascontiguousarray(job.spins[:, :n_units])
    return Recall(found, job.settled.astype(np.int64), job.sweeps)


class _Relaxation:
    """States and couplings in rows that are filled up for the kernel."""

    def __init__(self, network: Hopfield, states: SpinArray, fixed: npt.NDArray[np.bool_] | None) -> None:
        of = network._couplings
        n_states, n_units = states.shape
        width = kernel.padded(n_units)
        coupling, field = number_types(of)
        self.couplings = _filled(of.weights, (width, width), coupling)
        self.biases = _filled(of.biases, (width,), field)
        self.spins = np.ones((n_states, width), np.int8)
        self.spins[:, :n_units] = states
        self.clamped = np.zeros((0, width), np.uint8)
        if fixed is not None:
            self.clamped = _filled(fixed, (n_states, width), np.uint8)
        self.sweeps = np.zeros(n_states, np.int64)
        self.settled = np.zeros(n_states, np.uint8)
        self.whole, self.level = of.whole, simd_level()
        self.n_units, self.largest_field = n_units, of.largest_field

    def work(self, first: int, last: int, order: npt.NDArray[np.int32]) -> Iterator[int]:
        """Sweep some states in the given orders; fields that round are summed afresh for each sweep."""
        rows = slice(first, last)
        together = len(order) if self.whole else 1
        # half the units flip, each flip changes a row of fields
        at_once = max(1, int(STEP_NANOSECONDS / (together * self.biases.nbytes * len(self.biases) / 20)))
        for sweep in range(0, len(order), together):
            if self.settled[rows].all():
                break
            fields = self._fields(rows)
            yield 0
            for begin in range(first, last, at_once):
                part = slice(begin, min(begin + at_once, last))
                self._relax(part, fields[begin - first : part.stop - first], order[sweep : sweep + together])
                yield 0
            if not self.whole and sweep + 1 < len(order):  # the last of them says itself who rests
                self._settle(rows, fields)
        yield last - first

    def _settle(self, rows: slice, fields: npt.NDArray[Any]) -> None:
        """Settle states whose next sweep cannot change a unit, whatever rounding did to their fields.

        A field summed afresh and one that n flips at most have changed differ by 3n/2 roundings or so.
        """
        n_units = self.n_units
        here = fields[:, :n_units] * self.spins[rows, :n_units]
        safe = here > 2 * (n_units + 8) * np.finfo(np.float64).eps * self.largest_field
        if len(self.clamped):
            safe |= self.clamped[rows, :n_units] > 0
        self.settled[rows] |= safe.all(axis=1)

    def _fields(self, rows: slice) -> npt.NDArray[Any]:
        spins, number = self.spins[rows], self.biases.dtype
        n_states, width = spins.shape
        entries = np.empty((n_states, width // 4), np.uint16)
        table = empty_at_line(kernel.table_bytes() // number.itemsize, number)
        fields = empty_at_line((n_states, width), number)
        kernel.sum_fields(self.couplings, self.biases, spins, entries, table, fields, self.level)
        return fields

    def _relax(self, rows: slice, fields: npt.NDArray[Any], order: npt.NDArray[np.int32]) -> None:
        kernel.relax(
            self.couplings,
            order,
            self.clamped[rows],
            empty_at_line((order.shape[1], kernel.visits()), self.couplings.dtype),
            self.spins[rows],
            fields,
            self.sweeps[rows],
            self.settled[rows],
            self.level,
        )


def number_types(of: Couplings) -> tuple[Any, Any]:
    """Return the smallest types that hold every coupling and every sum of them exactly."""
    if of.whole:
        for coupling, field in TYPES:
            if of.largest_weight <= np.iinfo(coupling).max and of.largest_field <= np.iinfo(field).max:
                return coupling, field
    return np.float64, np.float64


def _filled(array: npt.NDArray[Any], shape: tuple[int, ...], dtype: Any) -> npt.NDArray[Any]:
    """Return a copy with zeros after the given values."""
    result = empty_at_line(shape, dtype)
    inside = tuple(slice(length) for length in array.shape)
    result[inside] = array
    for axis, length in enumerate(array.shape):
        result[(*inside[:axis], slice(length, None))] = 0
    return result
