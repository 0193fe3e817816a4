"""Replica exchange: chains at a ladder of couplings that swap their places."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import MAX_STEPS, FloatArray, SpinArray, check_integer, check_real, check_rng, shown
from rbmflow.estimate import Estimate
from rbmflow.generators import draw_words
from rbmflow.hardware import check_memory, resolve_threads
from rbmflow.ising.lattice import Lattice
from rbmflow.records import Record
from rbmflow.records.dataset import dataset
from rbmflow.sampling.compiled_chains import make_engines, weak
from rbmflow.sampling.engine import Block, Engine
from rbmflow.sampling.reducibility import CLUSTER_RULES, Order, Rule, check_rule, guard, resolve_order
from rbmflow.sampling.run import MAX_CHAINS, steps
from rbmflow.sampling.rungs import Rungs
from rbmflow.sampling.starts import random_start
from rbmflow.sampling.topology import check_lattice
from rbmflow.workers import Progress, check_progress, run_tasks

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, RNGLike

MAX_COUPLING = 1e100  # its product with an energy stays finite


@dataclass(frozen=True, eq=False)
class Exchange(Record):
    """Series along ladders of couplings.

    Attributes
    ----------
    lattice : Ring, Chain, Torus or Graph
        Where the spins are.
    K : numpy.ndarray of float64, shape (n_rungs,)
        The ladder, ascending.
    spins : numpy.ndarray of int8, shape (n_ladders, n_rungs, n_sites)
        The last configurations.
    energy, magnetization : numpy.ndarray of float64, shape (n_ladders, n_rungs, n_kept)
        Per site, at each coupling.
    rates : numpy.ndarray of float64, shape (n_rungs − 1,)
        Accepted exchanges between neighbours over those tried.
    round_trips : numpy.ndarray of int64, shape (n_ladders, n_rungs)
        How often each replica went from the lowest coupling to the highest and back.
    thin : int
        Sweeps between measurements.
    """

    lattice: Lattice
    K: FloatArray
    spins: SpinArray = field(repr=False)
    energy: FloatArray = field(repr=False)
    magnetization: FloatArray = field(repr=False)
    rates: FloatArray
    round_trips: npt.NDArray[np.int64] = field(repr=False)
    thin: int
    _estimates: dict[int, Estimate] = field(default_factory=dict, init=False, repr=False)

    def energy_estimate(self, rung: int) -> Estimate:
        """Return the energy per site at one coupling of the ladder.

        Parameters
        ----------
        rung : int
            Place in `K`.

        Returns
        -------
        Estimate
            Over all ladders.

        Warns
        -----
        ConvergenceWarning
            Once for each rung, as `Estimate.from_series`.

        Examples
        --------
        >>> from rbmflow import Torus
        >>> ladder = replica_exchange(Torus(4, 4), [0.2, 0.3, 0.4], n_ladders=4, n_sweeps=500, rng=1)
        >>> abs(ladder.energy_estimate(2).deviation(Torus(4, 4).energy(0.4))) < 4
        True
        """
        rung = check_integer("rung", rung, 0, len(self.K) - 1)
        if rung not in self._estimates:
            name = f"energy at K = {self.K[rung]:.6g}"
            self._estimates[rung] = Estimate.from_series(self.energy[:, rung], spacing=self.thin, name=name)
        return self._estimates[rung]

    def to_xarray(self) -> Any:
        """Return the series as a dataset of xarray, in the layout of arviz; a ladder is a chain.

        Returns
        -------
        xarray.Dataset
            ``energy`` and ``magnetization`` over ``chain``, ``draw`` and ``K``; the coordinates
            ``round_trips`` over ``chain`` and ``K``, and ``rates`` over ``pair``. The last configurations
            are not in it.

        Raises
        ------
        ImportError
            Without the extra ``data`` (xarray).

        Examples
        --------
        >>> from rbmflow import Torus
        >>> ladder = replica_exchange(Torus(4, 4), [0.2, 0.3, 0.4], n_ladders=4, n_sweeps=50, rng=1)
        >>> ladder.to_xarray().energy.dims
        ('chain', 'draw', 'K')
        """
        dims = "chain", "draw", "K"
        series = {name: (dims, getattr(self, name).swapaxes(1, 2)) for name in ("energy", "magnetization")}
        n_ladders, _, n_kept = self.energy.shape
        coordinates = {
            "chain": range(n_ladders),
            "draw": range(n_kept),
            "K": self.K,
            "round_trips": (("chain", "K"), self.round_trips),
            "rates": ("pair", self.rates),
        }
        return dataset(series, coordinates, {"lattice": self.lattice.label, "thin": self.thin})


def replica_exchange(
    lattice: Lattice,
    couplings: ArrayLike,
    *,
    n_ladders: int = 1,
    n_sweeps: int,
    thin: int = 1,
    burn_in: int = 0,
    rule: Rule = "heat_bath",
    order: Order | None = None,
    rng: RNGLike = None,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> Exchange:
    """Run ladders of chains that exchange their couplings every `thin` sweeps.

    Neighbours at ``K_i`` and ``K_j`` with energies ``E_i`` and ``E_j`` (totals, in J) change places with
    probability ``min(1, exp[(K_i − K_j)(E_i − E_j)])``; even and odd pairs take turns (Hukushima and Nemoto,
    J. Phys. Soc. Jpn. 65, 1604 (1996)). Measurements are taken before each exchange.

    Time O(sites) for each sweep, ladder and coupling.

    Parameters
    ----------
    lattice : Ring, Chain, Torus or Graph
        Where the spins are.
    couplings : array_like
        The ladder, at least two, ascending, of at most 1e100.
    n_ladders : int
        Independent ladders.
    n_sweeps : int
        Sweeps after the burn-in, a multiple of `thin`.
    thin : int
        Sweeps between exchanges.
    burn_in : int
        Sweeps before, with exchanges that are not counted; a multiple of `thin`.
    rule : str
        ``"heat_bath"`` or ``"metropolis"``.
    order : str, optional
        As for `run`.
    rng : numpy.random.Generator or int
        Generator or seed.
    n_threads : int, optional
        Threads; no result depends on it.
    progress : callable, optional
        Called as ``progress(done, total)``, in rounds of `thin` sweeps.

    Returns
    -------
    Exchange
        Series by coupling, rates of exchange and round trips.

    Raises
    ------
    ReducibleChainError
        As for `run`.

    See Also
    --------
    run : Chains at one coupling each.
    tempered : The same for machines.

    Examples
    --------
    >>> from rbmflow import Torus
    >>> replica_exchange(Torus(4, 4), [0.2, 0.4], n_sweeps=100, rng=1).energy.shape
    (1, 2, 100)
    """
    on, rule = check_lattice(lattice), check_rule(rule)
    if rule in CLUSTER_RULES:
        raise ValueError(f"rule={shown(rule)}: 'heat_bath' or 'metropolis' is needed")
    resolved = resolve_order(on, rule, order)
    guard(on, rule, resolved, allow_reducible=False)
    ladder = np.array(check_real("couplings", couplings))
    finite = (np.abs(ladder) <= MAX_COUPLING).all()
    if ladder.ndim != 1 or len(ladder) < 2 or not finite or (np.diff(ladder) <= 0).any():
        raise ValueError(
            f"couplings={shown(couplings)}: at least two finite couplings are needed, "
            "ascending, of at most 1e100"
        )
    if rule == "metropolis" and weak(on, ladder).any():
        feeble = float(ladder[weak(on, ladder)][0])
        raise ValueError(
            f"couplings holds {feeble:g}, where Metropolis flips nearly every spin: use rule='heat_bath'"
        )
    n_ladders, progress = check_integer("n_ladders", n_ladders, 1, MAX_CHAINS), check_progress(progress)
    thin = check_integer("thin", thin, 1, MAX_STEPS)
    rounds = {}
    for name, value, minimum in (("n_sweeps", n_sweeps, 1), ("burn_in", burn_in, 0)):
        if check_integer(name, value, minimum, MAX_STEPS) % thin:
            raise ValueError(f"{name}={value}: a multiple of thin={thin} is needed")
        rounds[name] = value // thin
    source = check_rng(rng)
    n_chains = n_ladders * len(ladder)
    check_memory(
        f"{n_chains} chains of {rounds['n_sweeps']} measurements",
        n_chains * (16 * rounds["n_sweeps"] + 2 * on.n_sites + 256),
        "a larger thin keeps less",
    )
    generators = draw_words(source, n_chains + 1)
    spins = random_start(on, n_chains, source, resolved if rule == "metropolis" else "random")
    engines = make_engines(on, np.tile(ladder, n_ladders), rule, resolved, spins, generators, couple=True)
    rungs = Rungs(n_ladders, len(ladder))
    shape = (n_ladders, len(ladder), rounds["n_sweeps"])
    energy, magnetization, couplings = np.empty(shape), np.empty(shape), np.empty(n_chains)
    threads = resolve_threads(n_threads)
    total = rounds["burn_in"] + rounds["n_sweeps"]
    for index in range(-rounds["burn_in"], rounds["n_sweeps"]):
        now = Block(np.empty((n_chains, 1)), np.empty((n_chains, 1)), None)
        _advance(engines, thin, now, threads)
        if index >= 0:
            energy[:, :, index] = now.energy[rungs.chain, 0]
            magnetization[:, :, index] = now.magnetization[rungs.chain, 0]
        low, energies = rungs.pairs(index % 2), now.energy[rungs.chain, 0]
        gain = (ladder[low] - ladder[low + 1]) * (energies[:, low] - energies[:, low + 1])
        rungs.exchange(low, gain, source, counted=index >= 0)
        couplings[rungs.chain] = ladder
        for engine in engines:
            engine.couple(couplings[engine.chains])  # type: ignore[attr-defined]
        if progress is not None:
            progress(index + rounds["burn_in"] + 1, total)
    for engine in engines:
        engine.write_back(spins)
    return Exchange(
        lattice=on,
        K=ladder,
        spins=spins[rungs.chain],
        energy=energy / on.n_sites,
        magnetization=magnetization / on.n_sites,
        rates=rungs.accepted / np.maximum(rungs.tried, 1),
        round_trips=rungs.round_trips,
        thin=thin,
    )


def _advance(engines: list[Engine], thin: int, block: Block, n_threads: int) -> None:
    run_tasks(
        [steps(engine, block, n_sweeps=thin, thin=thin, burn_in=0) for engine in engines],
        n_threads if len(engines) > 1 else 1,
    )
