"""How many states of a graph have each energy and magnetization: by tallies, or by a list of all of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rbmflow._kernels import graph_sums
from rbmflow.arguments import FloatArray, check_real_scalar, shown
from rbmflow.hardware import check_memory, resolve_threads
from rbmflow.ising.spin_form import Bins, Integers, SpinForm, bins_of, form_of, limbs
from rbmflow.workers import Progress, run_tasks

if TYPE_CHECKING:
    from rbmflow.ising import Graph

MAX_SITES = 36
MAX_LISTED = 24
"""Sites whose states can be listed."""
FEW_SITES = 14
"""Sites whose states are listed rather than visited again for each temperature."""
MAX_BINS = 2**22
BINS_TO_A_STATE = 4
"""More are more work than the states."""
COPIED_BINS = 2**15
"""Tallies of so many bins are kept in four copies, which stay in the cache."""
CHUNK = 2**13
"""Blocks of one call of the kernel: 2^25 states, a hundredth of a second."""
LISTED_BYTES = 110
"""Of a state, while rows of energy and magnetization are sorted."""
SORTED_BYTES = 36
"""Of a state that is visited, while energies alone are."""


@dataclass(frozen=True, eq=False)
class LevelTable:
    """Numbers of states by energy and by the spins that are up, sorted by the latter.

    Attributes
    ----------
    form : SpinForm
        What the energy is.
    ups, count : numpy.ndarray of int64
        Spins up, and the number of states.
    coarse, fine : numpy.ndarray of float64
        Half of the energy above that of all spins down, in two limbs.
    """

    form: SpinForm
    ups: Integers
    count: Integers
    coarse: FloatArray
    fine: FloatArray

    @property
    def energies(self) -> FloatArray:
        """The energies, rounded once."""
        return energies(self.form, self.coarse, self.fine)


def energies(form: SpinForm, coarse: FloatArray, fine: FloatArray) -> FloatArray:
    """Return ``E = E(down) + 2 (coarse + fine)``, in J, rounded once.

    Examples
    --------
    >>> from rbmflow import Graph
    >>> energies(form_of(Graph.from_bonds(2, [(0, 1)])), np.zeros(1), np.zeros(1))
    array([-1.])
    """
    down, little = limbs(form.down)
    total = (2 * coarse + down) + (2 * fine + little)
    return np.ldexp(total, form.exponent) + 0.0  # no -0.0


def level_table(graph: Graph, n_threads: int | None = None, progress: Progress | None = None) -> LevelTable:
    """Return the table of a graph; raise ValueError where its states are too many.

    Examples
    --------
    >>> from rbmflow import Graph
    >>> table = level_table(Graph.from_bonds(2, [(0, 1)]))
    >>> table.energies.tolist(), table.ups.tolist(), table.count.tolist()
    ([-1.0, 1.0, -1.0], [0, 1, 2], [1, 2, 1])
    """
    if progress is None:
        return _kept_table(graph, resolve_threads(n_threads))
    return _table(graph, resolve_threads(n_threads), progress)


def check_sites(n_sites: int) -> None:
    """Raise ValueError if so many sites have too many states to visit."""
    if n_sites > MAX_SITES:
        raise ValueError(
            f"lattice has {n_sites} sites: at most {MAX_SITES} are possible, all states are visited"
        )


def check_listed(n_sites: int, K: object) -> float:
    """Return a finite coupling, or raise; raise if so many sites have too many states to list.

    Examples
    --------
    >>> check_listed(3, 1)
    1.0
    """
    if n_sites > MAX_LISTED:
        raise ValueError(
            f"lattice has {n_sites} sites: at most {MAX_LISTED} are possible where all states are listed"
        )
    coupling = check_real_scalar("K", K)
    if not np.isfinite(coupling):
        raise ValueError(f"K={shown(K)}: a finite coupling is needed")
    return coupling


def log_weights(graph: Graph, K: float) -> FloatArray:
    """Return −K E of each state, less that of the likeliest, in the order of `spins.all_states`.

    Examples
    --------
    >>> from rbmflow import Graph
    >>> log_weights(Graph.from_bonds(2, [(0, 1)]), 0.5).tolist()
    [0.0, -1.0, -1.0, 0.0]
    """
    form = kept_form(graph)
    coarse, fine = all_values(form, form.n_sites)
    best = extreme(coarse, fine, highest=K < 0)
    distance = (coarse - coarse[best]) + (fine - fine[best])
    with np.errstate(over="ignore"):
        return np.asarray(distance * -np.ldexp(2 * K, form.exponent)) + 0.0


def extreme(coarse: FloatArray, fine: FloatArray, *, highest: bool) -> int:
    """Return where a number of two limbs is least, or greatest: where its rounded sum is, and the rest.

    Examples
    --------
    >>> extreme(np.array([1e15, 1e15]), np.array([0.01, 0.0]), highest=False)
    1
    """
    total = coarse + fine
    best = np.flatnonzero(total == (total.max() if highest else total.min()))
    rest = (coarse[best] - total[best]) + fine[best]
    return int(best[rest.argmax() if highest else rest.argmin()])


def has_table(graph: Graph) -> bool:
    """Whether a table is the way to averages: few levels, or few states.

    Examples
    --------
    >>> from rbmflow import Graph
    >>> has_table(Graph.from_bonds(20, [(0, 1), (1, 2)], [1.0, 0.5]))
    True
    """
    return graph.n_sites <= FEW_SITES or _bins(graph) is not None


@lru_cache(maxsize=4)
def _kept_table(graph: Graph, n_threads: int) -> LevelTable:
    return _table(graph, n_threads, None)


@lru_cache(maxsize=16)
def kept_form(graph: Graph) -> SpinForm:
    """Return the form of a graph, computed once.

    Examples
    --------
    >>> from rbmflow import Graph
    >>> kept_form(Graph.from_bonds(2, [(0, 1)])).n_sites
    2
    """
    return form_of(graph)


@lru_cache(maxsize=16)
def _bins(graph: Graph) -> Bins | None:
    form = kept_form(graph)
    # a uniform field does not tell the states of a bin apart: those turned have bins of their own
    n_visited = form.n_sites - 1 if form.uniform_field else visited_sites(form)
    return bins_of(form, n_visited, min(MAX_BINS, BINS_TO_A_STATE << n_visited))


def visited_sites(form: SpinForm) -> int:
    """Return the number of spins whose states are visited: without fields the last one stays down.

    Examples
    --------
    >>> from rbmflow import Graph
    >>> visited_sites(form_of(Graph.from_bonds(2, [(0, 1)])))
    1
    """
    return form.n_sites if form.has_fields else form.n_sites - 1


def _table(graph: Graph, n_threads: int, progress: Progress | None) -> LevelTable:
    form, bins = kept_form(graph), _bins(graph)
    if bins is not None and graph.n_sites > FEW_SITES:
        return _decoded(form, bins, _tallied(bins, n_threads, progress))
    _check_few_states(graph, LISTED_BYTES)
    return _listed(form, progress)


def _check_few_states(graph: Graph, n_bytes: int) -> None:
    if graph.n_sites > MAX_LISTED:
        raise ValueError(
            f"lattice has {graph.n_sites} sites and couplings that are no multiples of few units: "
            f"at most {MAX_LISTED} are possible where all energies are listed"
        )
    check_memory(f"the energies of {graph.n_sites} sites", n_bytes << graph.n_sites, "fewer sites need less")


def listed_energies(graph: Graph) -> tuple[FloatArray, Integers]:
    """Return the energies of all states and their numbers, those that are equal as float64 as one.

    Examples
    --------
    >>> from rbmflow import Graph
    >>> listed_energies(Graph.from_bonds(3, [(0, 1), (1, 2)], [0.5, 2**0.5]))[1]
    array([2, 2, 2, 2])
    """
    form = kept_form(graph)
    _check_few_states(graph, SORTED_BYTES)
    energy = energies(form, *all_values(form, visited_sites(form)))
    energy.sort()
    first = np.flatnonzero(np.diff(energy, prepend=-np.inf))
    count = np.diff(first, append=len(energy))
    return energy[first], count if form.has_fields else 2 * count


def _sorted(
    ups: Integers, count: Integers, coarse: FloatArray, fine: FloatArray
) -> tuple[Integers, Integers, FloatArray, FloatArray]:
    """Rows by spins up and energy, those in which both are equal as one."""
    total = coarse + fine
    rest = (coarse - total) + fine  # exact: so the two are equal where the sums of limbs are
    order = np.lexsort((rest, total, ups) if rest.any() else (total, ups))
    keys = [key[order] for key in (ups, total, rest)]
    first = np.flatnonzero(np.any([np.diff(key, prepend=np.nan) != 0 for key in keys], axis=0))
    return ups[order][first], np.add.reduceat(count[order], first), coarse[order][first], fine[order][first]


def _listed(form: SpinForm, progress: Progress | None) -> LevelTable:
    """The table of all states, one by one: without fields those whose last spin is down, and these turned."""
    coarse, fine = all_values(form, visited_sites(form))
    n_up = np.zeros(1, dtype=np.int8)
    for _ in range(visited_sites(form)):
        n_up = np.concatenate([n_up, n_up + np.int8(1)])
    parts = []

    def work() -> Iterator[int]:
        for up in range(form.n_sites + 1):  # a part at a time is less to sort
            states = np.flatnonzero(n_up == up)
            if not form.has_fields:
                states = np.concatenate([states, np.flatnonzero(n_up == form.n_sites - up)])
            ones = np.ones(len(states), dtype=np.int64)
            parts.append(_sorted(up * ones, ones, coarse[states], fine[states]))
            yield len(states)

    run_tasks([work()], 1, total=2**form.n_sites, progress=progress)
    return LevelTable(form, *(np.concatenate(column) for column in zip(*parts, strict=True)))


def all_values(form: SpinForm, n_visited: int) -> tuple[FloatArray, FloatArray]:
    """Return half of the energy of each state above that of all spins down, in two limbs.

    States are those of the first spins, the others down, in the order of `spins.all_states`.

    Examples
    --------
    >>> from rbmflow import Graph
    >>> form = form_of(Graph.from_bonds(2, [(0, 1)]))
    >>> (all_values(form, 2)[0] * 2.0**form.exponent).tolist()
    [0.0, 1.0, 1.0, 0.0]
    """
    found = []
    for linear, pairs in zip(form.linear, form.pairs, strict=True):
        value = np.zeros(2**n_visited)
        for site in range(n_visited if linear.any() or pairs.any() else 0):
            field = np.empty(2**site)
            field[0] = linear[site]
            for other in range(site):
                np.add(field[: 2**other], pairs[site, other], out=field[2**other : 2 ** (other + 1)])
            np.add(value[: 2**site], field, out=value[2**site : 2 ** (site + 1)])
        found.append(value)
    return found[0], found[1]


def _tallied(bins: Bins, n_threads: int, progress: Progress | None) -> npt.NDArray[np.uint64]:
    n_visited = len(bins.linear)
    n_bins = int(np.prod(bins.shape))
    n_copies = 4 if n_bins <= COPIED_BINS else 1
    blocks = 2 ** (n_visited - graph_sums.FEWEST_SITES)
    n_threads = min(n_threads, -(-blocks // CHUNK))
    check_memory(
        f"tallies of {n_bins} classes on {n_threads} threads",
        n_bins * (n_threads * (8 + 4 * n_copies) + 40),
        "fewer threads need less",
    )
    chunks, lock = iter(range(0, blocks, CHUNK)), threading.Lock()
    tallies = np.zeros((n_threads, n_bins), dtype=np.uint64)

    def work(counts: npt.NDArray[np.uint64]) -> Iterator[int]:
        copies = np.empty((n_copies, n_bins), dtype=np.uint32)
        while True:
            with lock:
                first = next(chunks, None)
            if first is None:
                return
            last = min(first + CHUNK, blocks)
            graph_sums.tally(bins.constant, bins.linear, bins.pairs, first, last, copies, counts)
            yield (last - first) * 2**graph_sums.FEWEST_SITES

    run_tasks([work(counts) for counts in tallies], n_threads, total=2**n_visited, progress=progress)
    return np.asarray(tallies.sum(axis=0))


def _decoded(form: SpinForm, bins: Bins, counts: npt.NDArray[np.uint64]) -> LevelTable:
    """The table of what is counted in mixed radix, the lowest digit first.

    Where one spin was kept down, states are counted with those whose spins are all turned.
    """
    used = np.flatnonzero(counts)
    rest, ups = np.divmod(used, bins.shape[0])
    coarse, fine = np.zeros(len(used)), np.zeros(len(used))
    for size, values in zip(bins.shape[1:], bins.values, strict=True):
        rest, digit = np.divmod(rest, size)
        parts = np.array([limbs(value) for value in values])
        coarse += parts[digit, 0]
        fine += parts[digit, 1]
    halves = [ups] if len(bins.linear) == form.n_sites else [ups, form.n_sites - ups]
    field = np.array([limbs(-form.uniform_field * up) for up in range(form.n_sites + 1)])
    columns = (
        np.concatenate(halves),
        np.tile(counts[used].astype(np.int64), len(halves)),
        np.concatenate([coarse + field[one, 0] for one in halves]),
        np.concatenate([fine + field[one, 1] for one in halves]),
    )
    return LevelTable(form, *_sorted(*columns))
