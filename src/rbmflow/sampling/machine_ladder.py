"""Chains on a ladder of machines that exchange their visible spins: what all such ladders share.

Rung r holds visible spins of the law ``p_r(v) ∝ e^(−F_r(v))``, with the hidden units traced out. Neighbours
r and s swap theirs with probability ``min(1, exp[F_r(v_r) + F_s(v_s) − F_r(v_s) − F_s(v_r)])``, the ratio of
``p_r(v_s) p_s(v_r)`` to ``p_r(v_r) p_s(v_s)``; the hidden spins are drawn afresh. With energies of (v, h) in
place of free energies the swaps would leave the joint laws as they are, and be accepted less often: a sum of
minima is at most the minimum of the sums.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray, SpinArray, check_integer, check_real, shown, spawn
from rbmflow.errors import ConvergenceWarning, warn_caller
from rbmflow.generators import Words, check_words, draw_words, generator_from, generator_state
from rbmflow.hardware import check_fits
from rbmflow.networks import RBM
from rbmflow.networks.two_layers import draw_spins
from rbmflow.records import Record, Storable
from rbmflow.records.dataset import last_draw
from rbmflow.sampling.block_gibbs import MAX_CHAINS, rounded, sweep_visible
from rbmflow.sampling.rungs import Rungs
from rbmflow.spins import check_spins
from rbmflow.workers import Progress, run_tasks

LADDERS_AT_ONCE = 128  # a task; each has generators of its own
MAX_RUNGS = 1000
BLOCKED, ENOUGH = 0.01, 500  # rate of exchange below which nothing passes, and trials that tell


@dataclass
class Group(Storable):
    """Up to 128 ladders of chains: where they stand, and what moves them."""

    visible: SpinArray  # (n_rungs, n_ladders, n_visible)
    hidden: SpinArray
    words: Words  # (n_rungs, 32)
    source: np.random.Generator
    rungs: Rungs

    def _content(self) -> dict[str, Any]:
        return {**super()._content(), "source": generator_state(self.source)}

    @classmethod
    def _from_content(cls, content: dict[str, Any]) -> Self:
        return cls(**{**content, "source": generator_from("source", content["source"])})

    def check(self, n_rungs: int, n_visible: int, n_hidden: int) -> None:
        """Raise ValueError unless it is of chains of such machines: the kernel trusts it."""
        for name, units in (("visible", n_visible), ("hidden", n_hidden)):
            spins = check_spins(name, getattr(self, name), units)
            if spins.shape[:-1] != (n_rungs, len(self.rungs.chain)) or getattr(self, name).dtype != np.int8:
                raise ValueError(f"{name} of shape {spins.shape} are no chains on {n_rungs} rungs")
        if len(self.words) != n_rungs:
            raise ValueError(f"words: {len(self.words)} generators, {n_rungs} are needed")
        for words in self.words:
            check_words("words", words)


class MachineLadder(Storable):
    """Machines in a row, the wanted one first."""

    machines: tuple[RBM, ...]
    ladder: FloatArray
    shared: bool
    kernel: list[tuple[Any, Any, Any]]

    def __init__(
        self, machines: Sequence[RBM], ladder: FloatArray, *, shared: bool = False, name: str = "rbm"
    ) -> None:
        """Take machines and their numbers; `shared`: the weights are these times those of the first."""
        self.machines, self.ladder, self.shared = tuple(machines), ladder, shared
        self.kernel = [rounded(name, machine, "float32") for machine in self.machines]

    def _content(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("machines", "ladder", "shared")}

    def gain(self, rung: int, visible: SpinArray) -> FloatArray:
        """Return by how much the swap of each chain with the next rung lowers the free energies."""
        here, there = (self._log_ratio(rung, visible[at].astype(np.float64)) for at in (rung, rung + 1))
        return there - here

    def _log_ratio(self, rung: int, v: FloatArray) -> FloatArray:
        """Return ``F_(r+1)(v) − F_r(v)``."""
        upper, lower = self.machines[rung : rung + 2]
        change = v @ (upper.visible_bias - lower.visible_bias)
        if self.shared:
            x = v @ self.machines[0].weights
            fields = (beta * x for beta in self.ladder[rung : rung + 2])
        else:
            fields = (v @ machine.weights for machine in (upper, lower))
        first, second = (
            log_traced_out(field + machine.hidden_bias)
            for field, machine in zip(fields, (upper, lower), strict=True)
        )
        return change + first - second

    def advance(
        self,
        groups: Sequence[Group],
        n_sweeps: int,
        first: int = 0,
        *,
        n_threads: int = 1,
        progress: Progress | None = None,
    ) -> None:
        """Exchange and sweep; the pairs that take their turn go by the number of the sweep."""
        n_ladders = sum(group.visible.shape[1] for group in groups)
        run_tasks(
            [self._steps(group, n_sweeps, first) for group in groups],
            n_threads,
            total=n_ladders * n_sweeps,
            progress=progress,
            nanoseconds=n_ladders * n_sweeps * len(self.machines) * self.machines[0].weights.size / 4,
        )

    def _steps(self, group: Group, n_sweeps: int, first: int) -> Iterator[int]:
        visible, hidden = group.visible, group.hidden
        for sweep in range(first, first + n_sweeps):
            low = group.rungs.pairs(sweep % 2)
            if len(low):
                gain = np.stack([self.gain(rung, visible) for rung in low], axis=1)
                chain, pair = group.rungs.exchange(low, gain, group.source).nonzero()
                here, there = (low[pair], chain), (low[pair] + 1, chain)
                visible[here], visible[there] = visible[there], visible[here]
            for rung, parameters in enumerate(self.kernel):
                sweep_visible(parameters, visible[rung], hidden[rung], group.words[rung], 1)
            yield visible.shape[1]

    def begin(self, n_chains: int, rng: np.random.Generator, visible: SpinArray | None) -> list[Group]:
        """Return chains at their start, by default visible spins of the last machine without its weights."""
        n_rungs, last = len(self.machines), self.machines[-1]
        n_chains = n_chains if visible is None else visible.shape[-2]
        check_fits(
            "n_chains", n_chains, 2 * n_rungs * (last.n_visible + last.n_hidden), "fewer rungs need less"
        )
        shape = (n_rungs, n_chains, last.n_visible)
        if visible is None:
            visible = draw_spins(np.broadcast_to(last.visible_bias, shape), rng)
        given = np.broadcast_to(visible, shape)
        firsts = range(0, n_chains, LADDERS_AT_ONCE)
        words, sources = draw_words(rng, len(firsts), n_rungs), spawn(rng, len(firsts))
        return [
            self._group(np.array(given[:, at : at + LADDERS_AT_ONCE], order="C"), keys, source)
            for at, keys, source in zip(firsts, words, sources, strict=True)
        ]

    def _group(self, visible: SpinArray, words: Words, source: np.random.Generator) -> Group:
        n_rungs, n_ladders, _ = visible.shape
        hidden = np.empty((n_rungs, n_ladders, self.machines[0].n_hidden), dtype=np.int8)
        for rung, parameters in enumerate(self.kernel):
            sweep_visible(parameters, visible[rung], hidden[rung], words[rung], 0)
        return Group(visible, hidden, words, source, Rungs(n_ladders, n_rungs))


@dataclass(frozen=True, eq=False)
class TemperedChains(Record):
    """Where chains stand that exchange their places on a ladder of machines.

    Attributes
    ----------
    visible : numpy.ndarray of int8, shape (n_chains, n_visible)
        Visible spins of the machine that was asked for, on the first rung.
    hidden : numpy.ndarray of int8, shape (n_chains, n_hidden)
        Hidden spins, drawn given these visible ones.
    ladder : numpy.ndarray of float64, shape (n_rungs,)
        Inverse temperatures, descending from 1; of a trajectory the places of the machines, the last first.
    rates : numpy.ndarray of float64, shape (n_rungs − 1,)
        Accepted exchanges between neighbours over those tried; NaN where none was tried.
    round_trips : numpy.ndarray of int64, shape (n_chains, n_rungs)
        How often each replica went from the first rung to the last and back. A replica that has been on the
        last one, where nothing holds it, has forgotten the mode that it came from.
    n_sweeps : int
        Sweeps made, those of the chains that these continue included.
    """

    visible: SpinArray
    hidden: SpinArray
    ladder: FloatArray
    rates: FloatArray
    round_trips: npt.NDArray[np.int64] = field(repr=False)
    n_sweeps: int
    _on: MachineLadder = field(repr=False)
    _groups: list[Group] = field(repr=False)

    @classmethod
    def _from_content(cls, content: dict[str, Any]) -> Self:
        found = super()._from_content(content)
        for group in found._groups:
            group.check(len(found.machines), found.machines[0].n_visible, found.machines[0].n_hidden)
        return found

    @property
    def machines(self) -> tuple[RBM, ...]:
        """One for each rung."""
        return self._on.machines

    def at(self, rung: int) -> SpinArray:
        """Return the visible spins on a rung.

        Parameters
        ----------
        rung : int
            Place in `ladder`.

        Returns
        -------
        numpy.ndarray of int8, shape (n_chains, n_visible)
            The spins.

        Examples
        --------
        >>> from rbmflow.sampling import tempered
        >>> chains = tempered(RBM.uniform(4, 2, 0.3), n_chains=5, n_sweeps=10, ladder=3, rng=1)
        >>> chains.at(2).shape
        (5, 4)
        """
        rung = check_integer("rung", rung, 0, len(self.ladder) - 1)
        return np.concatenate([group.visible[rung] for group in self._groups])

    def to_xarray(self) -> Any:
        """Return the last spins as a dataset of xarray, in the layout of arviz: one draw of each chain.

        Returns
        -------
        xarray.Dataset
            ``visible`` and ``hidden`` of the first rung over ``chain``, ``draw`` and the unit;
            ``round_trips`` over ``chain`` and ``rung``, ``rates`` over ``pair``, rung k being its first.

        Raises
        ------
        ImportError
            Without the extra ``data`` (xarray).

        Examples
        --------
        >>> from rbmflow.sampling import tempered
        >>> chains = tempered(RBM.uniform(4, 2, 0.3), n_chains=5, n_sweeps=10, ladder=3, rng=1)
        >>> chains.to_xarray().round_trips.dims
        ('chain', 'rung')
        """
        found = last_draw(self.visible, self.hidden, self.n_sweeps)
        return found.assign(
            ladder=("rung", self.ladder),
            round_trips=(("chain", "rung"), self.round_trips),
            rates=("pair", self.rates),
        )

    def _go_on(self, machines: Sequence[RBM], n_chains: int) -> tuple[MachineLadder, list[Group]]:
        """Return what goes on with these chains, the first machines of which must be those given."""
        for ours, theirs in zip(self.machines, machines, strict=False):
            if not all(
                np.array_equal(getattr(ours, name), getattr(theirs, name))
                for name in ("weights", "visible_bias", "hidden_bias")
            ):
                raise ValueError(
                    "initial: its chains are of another machine; its visible spins can begin anew"
                )
        if n_chains not in (1, len(self.visible)):
            raise ValueError(f"n_chains={shown(n_chains)}: the chains to go on with are {len(self.visible)}")
        return self._on, deepcopy(self._groups)


def result(on: MachineLadder, groups: list[Group], n_sweeps: int) -> TemperedChains:
    """Return where chains stand; warn where they do not pass."""
    tried, accepted = (
        np.sum([getattr(group.rungs, count) for group in groups], axis=0) for count in ("tried", "accepted")
    )
    rates = np.divide(accepted, tried, out=np.full(len(tried), np.nan), where=tried > 0)
    blocked = np.flatnonzero((rates < BLOCKED) & (tried >= ENOUGH))
    if len(blocked):
        at = int(blocked[0])
        warn_caller(
            f"ladder: of {tried[at]:.0f} exchanges between the rungs {on.ladder[at]:.4g} and "
            f"{on.ladder[at + 1]:.4g}, {accepted[at]:.0f} were accepted: shares of modes may be wrong; "
            "rungs between them help",
            ConvergenceWarning,
        )
    visible, hidden = (
        np.concatenate([getattr(group, layer)[0] for group in groups]) for layer in ("visible", "hidden")
    )
    trips = np.concatenate([group.rungs.round_trips for group in groups])
    return TemperedChains(visible, hidden, on.ladder, rates, trips, n_sweeps, on, groups)


def log_traced_out(fields: FloatArray) -> FloatArray:
    """Return ``Σ_a ln 2cosh f_a`` over the last axis; the fields are overwritten."""
    np.abs(fields, out=fields)
    total = fields.sum(axis=-1)
    fields *= -2
    np.log1p(np.exp(fields, out=fields), out=fields)
    total += fields.sum(axis=-1)
    return np.asarray(total)


def check_ladder(ladder: object) -> tuple[float, ...]:
    """Return inverse temperatures that descend from 1; a number stands for equal steps from 1 to 0."""
    several = isinstance(ladder, Sequence) or (hasattr(ladder, "__array__") and np.ndim(ladder) > 0)
    if not several or isinstance(ladder, (str, bytes)):
        return tuple(np.linspace(1, 0, check_integer("ladder", ladder, 2, MAX_RUNGS)).tolist())
    rungs = check_real("ladder", ladder)
    if rungs.ndim != 1 or len(rungs) < 2 or rungs[0] != 1 or rungs[-1] < 0 or not (np.diff(rungs) < 0).all():
        raise ValueError(
            f"ladder={shown(ladder)}: at least two inverse temperatures are needed, "
            "descending from 1 to 0 or above"
        )
    return tuple(rungs.tolist())


def check_initial(initial: object, n_chains: int, n_visible: int, n_rungs: int) -> SpinArray | None:
    """Return visible spins (…, n_chains, n_visible) to begin with, or raise; None where none are given.

    Without a number of rungs they cannot be given for each.
    """
    n_chains = check_integer("n_chains", n_chains, 1, MAX_CHAINS)
    check_fits("n_chains", n_chains, 4 * n_visible)
    if initial is None:
        return None
    spins = check_spins("initial", initial, n_visible)
    if spins.ndim == 1:
        return np.broadcast_to(spins, (n_chains, n_visible))
    several = n_chains if n_chains > 1 else spins.shape[-2]
    shapes = [(several, n_visible), *([(n_rungs, several, n_visible)] if n_rungs else [])]
    if spins.shape not in shapes or not spins.size:
        wanted = " or ".join(map(str, [(n_visible,), *shapes]))
        raise ValueError(f"initial has shape {spins.shape}: {wanted} is needed")
    return spins
