"""Replica exchange: chains at a ladder of couplings that swap their places."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import (
    MAX_STEPS,
    FloatArray,
    SpinArray,
    check_flag,
    check_integer,
    check_real,
    check_rng,
    shown,
)
from rbmflow.estimate import Estimate
from rbmflow.hardware import check_memory, resolve_threads
from rbmflow.ising.lattice import Lattice
from rbmflow.records import Record
from rbmflow.records.dataset import dataset
from rbmflow.sampling.compiled_chains import weak
from rbmflow.sampling.ladders import Ladders, begin
from rbmflow.sampling.reducibility import (
    CLUSTER_RULES,
    Order,
    Rule,
    check_field,
    check_rule,
    guard,
    resolve_order,
)
from rbmflow.sampling.result import Run
from rbmflow.sampling.run import MAX_CHAINS
from rbmflow.sampling.starts import Start
from rbmflow.sampling.topology import check_lattice
from rbmflow.workers import Progress, check_progress

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, RNGLike

MAX_COUPLING = 1e100  # its product with an energy stays finite


@dataclass(frozen=True, eq=False)
class Exchange(Record):
    """Series along ladders of couplings.

    Attributes
    ----------
    lattice : Lattice
        Where the spins are.
    K : numpy.ndarray of float64, shape (n_rungs,)
        The ladder, ascending.
    rule, order : str
        How the chains move.
    field : float
        Uniform field h, in units of J.
    spins : numpy.ndarray of int8, shape (n_ladders, n_rungs, n_sites)
        The last configurations.
    energy, magnetization : numpy.ndarray of float64, shape (n_ladders, n_rungs, n_kept)
        Per site, at each coupling; the energy is ``−(Σ J v_i v_j + Σ h v_i)/n``, in units of J.
    rates : numpy.ndarray of float64, shape (n_rungs − 1,)
        Accepted exchanges between neighbours over those tried, since the first sweep after the burn-in; also
        where the run goes on with another.
    round_trips : numpy.ndarray of int64, shape (n_ladders, n_rungs)
        How often each replica went from the lowest coupling to the highest and back, since then.
    thin : int
        Sweeps between measurements.
    """

    lattice: Lattice
    K: FloatArray
    rule: str
    order: str
    field: float
    spins: SpinArray = dataclasses.field(repr=False)
    energy: FloatArray = dataclasses.field(repr=False)
    magnetization: FloatArray = dataclasses.field(repr=False)
    rates: FloatArray
    round_trips: npt.NDArray[np.int64] = dataclasses.field(repr=False)
    thin: int
    _ladders: Ladders = dataclasses.field(repr=False)
    _estimates: dict[int, Estimate] = dataclasses.field(default_factory=dict, init=False, repr=False)

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

    def to_run(self) -> Run:
        """Return the series as those of chains, one at each coupling of each ladder.

        Returns
        -------
        Run
            With the estimates of a `Run`, of which ``at(K)`` is one coupling; to go on, give the `Exchange`.

        Examples
        --------
        >>> from rbmflow import Torus
        >>> ladder = replica_exchange(Torus(4, 4), [0.2, 0.3, 0.4], n_ladders=4, n_sweeps=500, rng=1)
        >>> chains = ladder.to_run().at(0.4)
        >>> abs(chains.susceptibility_estimate.deviation(Torus(4, 4).susceptibility(0.4))) < 4
        True
        """
        n_ladders, n_rungs, n_kept = self.energy.shape
        return Run(
            lattice=self.lattice,
            K=np.tile(self.K, n_ladders),
            rule=self.rule,
            order=self.order,
            field=self.field,
            thin=self.thin,
            spins=None,
            energy=self.energy.reshape(n_ladders * n_rungs, n_kept),
            magnetization=self.magnetization.reshape(n_ladders * n_rungs, n_kept),
            state=None,
        )

    def _without_series(self) -> Exchange:
        """Return what can be continued, of no measurements."""
        return replace(self, energy=self.energy[..., :0], magnetization=self.magnetization[..., :0])

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
        told = {name: getattr(self, name) for name in ("rule", "order", "field", "thin")}
        n_ladders, _, n_kept = self.energy.shape
        coordinates = {
            "chain": range(n_ladders),
            "draw": range(n_kept),
            "K": self.K,
            "round_trips": (("chain", "K"), self.round_trips),
            "rates": ("pair", self.rates),
        }
        return dataset(series, coordinates, {"lattice": self.lattice.label, **told})


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
    initial: Start | ArrayLike | Exchange = "random",
    field: float = 0.0,
    n_threads: int | None = None,
    progress: Progress | None = None,
    allow_reducible: bool = False,
) -> Exchange:
    """Run ladders of chains that exchange their couplings every `thin` sweeps.

    Neighbours at ``K_i`` and ``K_j`` with energies ``E_i`` and ``E_j`` (totals, in J) change places with
    probability ``min(1, exp[(K_i − K_j)(E_i − E_j)])``; even and odd pairs take turns (Hukushima and Nemoto,
    J. Phys. Soc. Jpn. 65, 1604 (1996)). Measurements are taken before each exchange.

    Chains are simulated many at a time, as by `run`. With random order, which is what Metropolis has by
    default, 64 chains visit the same sites: given these they are independent, and what ladders measure is
    uncorrelated. Less than eight chains run one by one.

    Time O(sites) for each sweep, ladder and coupling.

    Parameters
    ----------
    lattice : Lattice
        Where the spins are.
    couplings : array_like
        The ladder, at least two, ascending, of at most 1e100.
    n_ladders : int
        Independent ladders; it may be left out where `initial` is an `Exchange`.
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
        Generator or seed; not used where `initial` is an `Exchange`.
    initial : str, array_like or Exchange
        ``"random"``, ``"up"``, ``"mixed"``, spins of shape ``(n_sites,)`` or
        ``(n_ladders, n_rungs, n_sites)``, or an `Exchange`, which goes on as if it had never stopped
        (lattice, couplings, field, rule and order must be the same).
    field : float
        h in units of J, uniform; a `Graph` has fields of its own.
    n_threads : int, optional
        Threads; no result depends on it.
    progress : callable, optional
        Called as ``progress(done, total)``, in rounds of `thin` sweeps.
    allow_reducible : bool
        Run chains that do not connect all states.

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
    >>> first = replica_exchange(Torus(4, 4), [0.2, 0.4], n_sweeps=100, rng=1)
    >>> first.energy.shape
    (1, 2, 100)
    >>> replica_exchange(Torus(4, 4), [0.2, 0.4], n_sweeps=50, initial=first).energy.shape
    (1, 2, 50)
    """
    on, rule = check_lattice(lattice), check_rule(rule)
    check_flag("allow_reducible", allow_reducible)
    if rule in CLUSTER_RULES:
        raise ValueError(f"rule={shown(rule)}: 'heat_bath' or 'metropolis' is needed")
    resolved, h = resolve_order(on, rule, order), check_field(on, field)
    ladder = _check_ladder(on, rule, couplings)
    n_ladders, progress = check_integer("n_ladders", n_ladders, 1, MAX_CHAINS), check_progress(progress)
    thin = check_integer("thin", thin, 1, MAX_STEPS)
    rounds = {}
    for name, value in (("n_sweeps", n_sweeps), ("burn_in", burn_in)):
        if check_integer(name, value, 0, MAX_STEPS) % thin:
            raise ValueError(f"{name}={value}: a multiple of thin={thin} is needed")
        rounds[name] = value // thin
    threads = resolve_threads(n_threads)
    if isinstance(initial, Exchange):
        n_ladders = _check_same(initial, on, ladder, n_ladders, rule, resolved, h)
    n_chains = n_ladders * len(ladder)
    check_memory(
        f"{n_chains} chains of {rounds['n_sweeps']} measurements",
        n_chains * (16 * rounds["n_sweeps"] + 2 * on.n_sites + 256),
        "a larger thin keeps less",
    )
    if isinstance(initial, Exchange):
        ladders, spins = initial._ladders.resumed(initial.spins)
    else:
        guard(on, rule, resolved, allow_reducible=allow_reducible, field=h)
        ladders, spins = begin(
            on,
            (n_ladders, len(ladder)),
            initial,
            check_rng(rng),
            resolved if rule == "metropolis" and not allow_reducible else "random",
            h,
            rounds["burn_in"],
        )
    energy, magnetization = ladders.run(
        on,
        ladder,
        rule,
        resolved,
        spins,
        h,
        burn_in=rounds["burn_in"],
        n_rounds=rounds["n_sweeps"],
        thin=thin,
        n_threads=threads,
        progress=progress,
    )
    return Exchange(
        lattice=on,
        K=ladder,
        rule=rule,
        order=resolved,
        field=h,
        spins=spins[ladders.rungs.chain],
        energy=energy,
        magnetization=magnetization,
        rates=ladders.rungs.accepted / np.maximum(ladders.rungs.tried, 1),
        round_trips=ladders.rungs.round_trips.copy(),
        thin=thin,
        _ladders=ladders,
    )


def _check_ladder(lattice: Lattice, rule: Rule, couplings: object) -> FloatArray:
    ladder = np.array(check_real("couplings", couplings))
    finite = (np.abs(ladder) <= MAX_COUPLING).all()
    if ladder.ndim != 1 or len(ladder) < 2 or not finite or (np.diff(ladder) <= 0).any():
        raise ValueError(
            f"couplings={shown(couplings)}: at least two finite couplings are needed, "
            "ascending, of at most 1e100"
        )
    if rule == "metropolis" and weak(lattice, ladder).any():
        feeble = float(ladder[weak(lattice, ladder)][0])
        raise ValueError(
            f"couplings holds {feeble:g}, where Metropolis flips nearly every spin: use rule='heat_bath'"
        )
    return ladder


def _check_same(
    before: Exchange,
    lattice: Lattice,
    ladder: FloatArray,
    n_ladders: int,
    rule: str,
    order: str,
    field: float,
) -> int:
    """Return the number of ladders of the run to go on with; raise unless the rest is as it was."""
    known = len(before.energy)
    same = {
        "lattice": lattice is before.lattice or lattice == before.lattice,
        "couplings": np.array_equal(ladder, before.K),
        "n_ladders": n_ladders in (1, known),
        "rule": rule == before.rule,
        "order": order == before.order,
        "field": field == before.field,
    }
    for name, equal in same.items():
        if not equal:
            told = {"couplings": before.K, "n_ladders": known}.get(name, getattr(before, name, None))
            raise ValueError(
                f"initial: the Exchange to go on with has another {name} ({shown(told)}); "
                "to change it, begin anew with initial=exchange.spins"
            )
    before._ladders.check(before.spins, (known, len(ladder)), lattice.n_sites)
    return known
