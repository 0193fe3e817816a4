"""Drawing training sets: exactly on rings, by chains that a pilot run has measured elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from rbmflow.arguments import (
    MAX_SIZE,
    FloatArray,
    SpinArray,
    check_integer,
    check_real,
    check_real_scalar,
    check_rng,
    shown,
    spawn,
)
from rbmflow.autocorrelation import AGREED, rank_normalised_r_hat
from rbmflow.estimate import Estimate
from rbmflow.executors import check_executor, completed
from rbmflow.hardware import check_fits, resolve_threads
from rbmflow.ising import Ring, Torus
from rbmflow.ising.bonds import energies
from rbmflow.ising.joint_density_of_states import check_joint_work
from rbmflow.ising.lattice import Solved, check_solved
from rbmflow.ising.uniform_field import MAX_COUPLING, energy_in_field
from rbmflow.sampling.draw_in_field import draw_in_field
from rbmflow.sampling.reducibility import Rule
from rbmflow.sampling.result import Run
from rbmflow.sampling.run import run
from rbmflow.sampling.spacing import independent, of_chains, spacing, time_of
from rbmflow.sampling.starts import Start
from rbmflow.sampling.training_set import Certificate, TrainingSet
from rbmflow.spins import random_spins
from rbmflow.workers import Progress, check_progress, results_of

if TYPE_CHECKING:
    from rbmflow.typing import Numbers, RNGLike

PILOT_CHAINS, PILOT_SWEEPS = 16, 256
LOCAL_CHAINS, CLUSTER_CHAINS = 512, 64
COST_RATIO = 64  # of a Swendsen-Wang sweep to a heat-bath sweep of one of 512 replicas, per site and chain
LONG_ENOUGH = 50  # autocorrelation times of a pilot that is to be believed
MEMORY_HINT = "draw fewer temperatures at a time, or write them to a file with write_training_set"


def training_set(
    lattice: Solved,
    temperatures: Numbers,
    n_samples: int,
    *,
    field: float = 0.0,
    rng: RNGLike = None,
    n_threads: int | None = None,
    progress: Progress | None = None,
    finished: Callable[[int], TrainingSet | None] | None = None,
    store: Callable[[int, TrainingSet], object] | None = None,
    executor: Executor | None = None,
) -> TrainingSet:
    """Draw configurations from the Boltzmann laws of a lattice at several temperatures, J = 1.

    The law at a temperature T is ``exp[(Σ v_i v_j + H Σ v_i)/T]/Z``, with a field H of 0 by default.

    On a ring the samples are exact and independent. On a torus T = 0 is its limit, the two aligned states;
    elsewhere pilot runs of Swendsen-Wang clusters, and above the critical temperature of the heat bath,
    measure the autocorrelation times τ of the energy and of m². The rule that needs less work for an
    independent sample is taken, with a burn-in of 20 τ, from aligned spins in the ordered phase and from
    random ones above it, and samples 6 τ apart. Each sample is turned over as a whole by a fair coin, an
    exact symmetry. A temperature has a generator of its own, so that its samples do not depend on the others.

    In a field samples of a ring are exact too (`rbmflow.ising.RingInFields`), T = 0 is the state along the
    field, and tori have clusters of which each is up with probability ``1/(1 + e^(−2Hs/T))``, s its number of
    spins; no coin is thrown. The energy, also the exact one, then is ``−(Σ v_i v_j + H Σ v_i)/n_sites``.

    Time O(sites) for each sample of a ring, and for each sweep of a chain elsewhere.

    Parameters
    ----------
    lattice : Ring or Torus
        Where the spins are.
    temperatures : array_like
        T ≥ 0 in units of J/k_B, infinity included.
    n_samples : int
        Configurations at each temperature.
    field : float
        H in units of J, of any sign. Other than 0 it needs a ring, or a torus small enough for
        `rbmflow.ising.Torus.joint_density_of_states`, whose shorter side is at most 8.
    rng : numpy.random.Generator or int
        Generator or seed.
    n_threads : int, optional
        Threads, which take temperatures of a torus; no result depends on it.
    progress : callable, optional
        Called as ``progress(done, total)`` in temperatures.
    finished : callable, optional
        Given the place of a temperature it returns its training set, if it is there from an interrupted run.
    store : callable, optional
        Called as ``store(place, training_set)`` with each temperature drawn, a training set of one
        temperature, as they come; what it keeps `finished` may return to a later run with the same
        arguments, which gives equal samples.
    executor : concurrent.futures.Executor, optional
        Where the temperatures are drawn, in place of threads; no result depends on it.

    Returns
    -------
    TrainingSet
        With a certificate for each temperature: effective samples, and the energy against the exact one.

    Raises
    ------
    ValueError
        If `finished` returns the training set of something else, or a torus is too large for a field.

    See Also
    --------
    run : The chains themselves.
    write_training_set : Sets that are larger than memory.
    rbmflow.ising.Ring.sample : Exact samples of the ring.

    Examples
    --------
    >>> from rbmflow import Torus
    >>> cold = training_set(Torus(8, 8), [0.0, 2.0], 100, rng=1)
    >>> cold.spins.shape, cold.certificate[0].energy.mean, abs(cold.certificate[1].deviation) < 4
    ((2, 100, 64), -2.0, True)
    >>> magnetized = training_set(Torus(4, 4), [0.0, 2.0], 100, field=-0.5, rng=1)
    >>> magnetized.spins.mean(axis=(1, 2)).round(1), magnetized.certificate[0].energy.mean
    (array([-1., -1.]), -2.5)
    """
    asked = Asked.of(lattice, temperatures, n_samples, field, rng)
    progress = check_progress(progress)
    lattice, levels, n_samples = asked.lattice, asked.levels, asked.n_samples
    check_fits("n_samples", n_samples, len(levels) * lattice.n_sites, MEMORY_HINT)
    executor, threads = check_executor(executor), resolve_threads(n_threads)
    spins = np.empty((len(levels), n_samples, lattice.n_sites), dtype=np.int8)
    certificates: dict[int, Certificate] = {}

    def keep(index: int, one: TrainingSet) -> None:
        spins[index], certificates[index] = one.spins[0], one.certificate[0]
        if progress is not None:
            progress(len(certificates), len(levels))

    missing = []
    for index, level in enumerate(levels.tolist()):
        one = finished(index) if finished is not None else None
        if one is None:
            missing.append(index)
            continue
        if not (
            one.lattice == lattice
            and one.field == asked.field
            and one.temperature.tolist() == [level]
            and one.spins.shape[1] == n_samples
        ):
            raise ValueError(
                f"finished({index}) gives {one.spins.shape[1]} samples of {shown(one.lattice)} at T = "
                f"{one.temperature.tolist()}{_in_field(one.field)}: {n_samples} of {shown(lattice)} at T = "
                f"{level}{_in_field(asked.field)} are needed"
            )
        if proof(one.provenance) != proof(asked.facts):
            raise ValueError(
                f"finished({index}) gives samples of a run with other arguments: those of this lattice, "
                "temperatures, n_samples, field, generator and version of rbmflow are needed"
            )
        keep(index, one)
    for index, one in asked.drawn(missing, threads, executor):
        if store is not None:
            store(index, one)
        keep(index, one)
    whole = tuple(certificates[k] for k in range(len(levels)))
    return TrainingSet(lattice, spins, levels, whole, asked.facts, asked.field)


def _in_field(field: float) -> str:
    return f", field = {field}" if field else ""


@dataclass(frozen=True)
class Asked:
    """A training set that is asked for: its temperatures, a stream for each, and what they depend on."""

    lattice: Solved
    levels: FloatArray
    n_samples: int
    field: float
    streams: list[np.random.Generator]
    facts: dict[str, Any]

    @classmethod
    def of(
        cls, lattice: object, temperatures: object, n_samples: object, field: object, rng: object
    ) -> Asked:
        """Check the arguments; a stream comes from the generator for each temperature."""
        from rbmflow.provenance import provenance

        lattice = check_solved(lattice)
        levels = np.atleast_1d(check_real("temperatures", temperatures)) + 0.0  # 1/(-0.0) is -inf
        if levels.ndim != 1 or not len(levels) or (levels < 0).any():
            raise ValueError(f"temperatures={shown(temperatures)}: a list of T >= 0 is needed")
        n_samples, source = check_integer("n_samples", n_samples, 1, MAX_SIZE), check_rng(rng)
        H = _check_field(field, lattice)
        arguments = {"lattice": repr(lattice), "temperatures": levels.tolist(), "n_samples": n_samples}
        facts = provenance(arguments | ({"field": H} if H else {}), _entropy(source))
        return cls(lattice, levels, n_samples, H, spawn(source, len(levels)), facts)

    def drawn(
        self, places: list[int], n_threads: int, executor: Executor | None
    ) -> Iterator[tuple[int, TrainingSet]]:
        """Yield the training sets of single temperatures by their places, as they come."""
        within = 1 if executor is not None else max(1, n_threads // max(1, len(places)))
        each = [
            (self.lattice, T, self.n_samples, self.streams[index], within, *self._in_field(T))
            for index, T in zip(places, self.levels[places].tolist(), strict=True)
        ]
        found: Iterator[tuple[int, tuple[SpinArray, Certificate]]]
        if executor is not None:
            pieces = ((_draw, *arguments) for arguments in each)
            found = completed(executor, zip(places, pieces, strict=True))
        else:
            # a ring is drawn in one go, in the calling thread, where Ctrl-C arrives
            draws = [partial(_draw, *arguments) for arguments in each]
            within_threads = results_of(draws, 1 if isinstance(self.lattice, Ring) else n_threads)
            found = ((places[place], one) for place, one in within_threads)
        for index, (spins, certificate) in found:
            level = self.levels[index : index + 1]
            yield (
                index,
                TrainingSet(self.lattice, spins[np.newaxis], level, (certificate,), self.facts, self.field),
            )

    def _in_field(self, T: float) -> tuple[float, tuple[float, float] | None]:
        """The field, and in one the exact energy and its spread: joint counts are made here, once."""
        if not self.field:
            return 0.0, None
        assert isinstance(self.lattice, (Ring, Torus))
        return self.field, energy_in_field(self.lattice, _coupling(T), self.field)


def proof(facts: dict[str, Any]) -> list[Any]:
    """What samples depend on, as it stands in their provenance."""
    return [facts.get("parameters"), facts.get("seed"), facts.get("versions", {}).get("rbmflow")]


def _entropy(source: np.random.Generator) -> Any:
    """The seed's entropy and place in the tree of seeds.

    A generator that is fresh can be made again from them.
    """
    seed = getattr(source.bit_generator, "seed_seq", None)
    if not isinstance(seed, np.random.SeedSequence):
        return None
    words = np.asarray(seed.entropy, dtype=object)
    entropy = [int(word) for word in words] if words.ndim else int(words[()])
    return {
        "entropy": entropy,
        "spawn_key": list(map(int, seed.spawn_key)),
        "children": seed.n_children_spawned,
    }


def _check_field(field: object, lattice: Solved) -> float:
    """Return a field for which the lattice has an exact energy, or raise ValueError."""
    H = check_real_scalar("field", field) + 0.0
    if not abs(H) <= MAX_COUPLING:
        raise ValueError(f"field={shown(field)}: at most {MAX_COUPLING:g} in size is possible")
    if H and isinstance(lattice, Torus):
        try:
            check_joint_work(lattice.n_rows, lattice.n_cols)
        except ValueError as error:
            raise ValueError(f"field={shown(field)}: without a field only, of {error}") from None
    return H


def _coupling(T: float) -> float:
    with np.errstate(divide="ignore", over="ignore"):
        return float(np.divide(1.0, T))


def _draw(
    lattice: Solved,
    T: float,
    n_samples: int,
    stream: np.random.Generator,
    n_threads: int | None,
    field: float,
    exact: tuple[float, float] | None,
) -> tuple[SpinArray, Certificate]:
    K = _coupling(T)
    if exact is not None:
        assert isinstance(lattice, (Ring, Torus))
        drawn = draw_in_field(lattice, K, field, n_samples, stream)
        stderr = exact[1] / float(np.sqrt(drawn.energy.n_effective))
        return drawn.spins, Certificate(
            T, drawn.rule, drawn.burn_in, drawn.thin, drawn.tau, drawn.energy, exact[0], stderr
        )
    rule: Rule | Literal["exact"] = "exact"
    burn_in, thin, tau = 0, 0, 0.5
    if isinstance(lattice, Ring):
        spins = lattice.sample(K, n_samples, rng=stream)
    elif K in (0.0, np.inf):
        spins = random_spins(stream, n_samples, lattice.n_sites if K == 0 else 1) * np.ones(
            lattice.n_sites, dtype=np.int8
        )
    else:
        rule, tau = _choose(lattice, K, stream, n_threads)
        burn_in, thin = spacing(tau)
        n_chains = min(n_samples, LOCAL_CHAINS if rule == "heat_bath" else CLUSTER_CHAINS)
        chains = run(
            lattice,
            K,
            n_chains=n_chains,
            n_sweeps=-(-n_samples // n_chains) * thin,
            thin=thin,
            burn_in=burn_in - thin,
            rule=rule,
            rng=stream,
            initial=_start(lattice, K),
            n_threads=n_threads,
        )
        assert chains.spins is not None
        spins = np.swapaxes(chains.spins, 0, 1).reshape(-1, lattice.n_sites)[:n_samples]
        spins = spins * random_spins(stream, n_samples, 1)
        if chains.energy.shape[1] >= 4:
            energy = of_chains(energies(lattice, spins), chains.energy, thin)
            return spins, _certificate(lattice, K, T, rule, burn_in, thin, tau, energy)
    energy = independent(energies(lattice, spins))
    return spins, _certificate(lattice, K, T, rule, burn_in, thin, tau, energy)


def _certificate(
    lattice: Solved,
    K: float,
    T: float,
    rule: str,
    burn_in: int,
    thin: int,
    tau: float,
    energy: Estimate,
) -> Certificate:
    spread = float(np.sqrt(lattice.heat_capacity(K) / lattice.n_sites)) / K if 0 < K < np.inf else 0.0
    exact_stderr = spread / float(np.sqrt(energy.n_effective))
    return Certificate(T, rule, burn_in, thin, tau, energy, float(lattice.energy(K)), exact_stderr)


def _choose(
    lattice: Solved, K: float, stream: np.random.Generator, n_threads: int | None
) -> tuple[Rule, float]:
    """Return the rule that needs less work for an independent sample, and its τ."""
    common: dict[str, Any] = {"keep_spins": False, "n_threads": n_threads, "rng": stream}
    pilot = run(
        lattice,
        K,
        n_chains=PILOT_CHAINS,
        n_sweeps=PILOT_SWEEPS,
        burn_in=PILOT_SWEEPS,
        rule="swendsen_wang",
        initial=_start(lattice, K),
        **common,
    )
    tau_clusters = _slowest(pilot)[0]
    if lattice.critical_coupling < K:
        # local updates may keep stripes for times of which a pilot need not know
        return "swendsen_wang", tau_clusters
    # the heat bath is worth as many sweeps as would cost what clusters do
    longest = max(PILOT_SWEEPS, int(LONG_ENOUGH * COST_RATIO * tau_clusters))
    chains, n_sweeps = None, PILOT_SWEEPS
    while n_sweeps <= longest:
        chains = run(
            lattice,
            K,
            n_chains=LOCAL_CHAINS,
            n_sweeps=n_sweeps,
            thin=max(1, n_sweeps // PILOT_SWEEPS),
            initial="random" if chains is None else chains,
            **common,
        )
        tau, r_hat = _slowest(chains)
        if r_hat < AGREED and n_sweeps > LONG_ENOUGH * tau:
            return ("heat_bath", tau) if tau < COST_RATIO * tau_clusters else ("swendsen_wang", tau_clusters)
        n_sweeps *= 2
    return "swendsen_wang", tau_clusters


def _start(lattice: Solved, K: float) -> Start:
    """Return the start nearer to equilibrium."""
    return "up" if lattice.critical_coupling < K else "random"


def _slowest(chains: Run) -> tuple[float, float]:
    """Return the longer τ of energy and m², and the larger R-hat."""
    both = chains.energy, chains.magnetization**2
    r_hats = [1.0, *(rank_normalised_r_hat(one) for one in both)]  # NaN where constant
    return chains.thin * max(time_of(one)[0] for one in both), float(np.nanmax(r_hats))
