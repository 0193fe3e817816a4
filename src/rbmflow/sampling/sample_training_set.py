"""Drawing training sets: exactly on rings, by chains that a pilot run has measured elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

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
from rbmflow.executors import check_executor, completed
from rbmflow.hardware import check_fits, resolve_threads
from rbmflow.ising import Chain, Graph, Ring, Torus
from rbmflow.ising.joint_density_of_states import has_joint_counts
from rbmflow.ising.lattice import Lattice
from rbmflow.ising.uniform_field import MAX_COUPLING, energy_in_field
from rbmflow.sampling.certificate import Certificate
from rbmflow.sampling.draw_samples import coupling_at, draw
from rbmflow.sampling.topology import check_lattice
from rbmflow.sampling.training_set import TrainingSet
from rbmflow.workers import Progress, check_progress, results_of

if TYPE_CHECKING:
    from rbmflow.typing import Numbers, RNGLike

MEMORY_HINT = "draw fewer temperatures at a time, or write them to a file with write_training_set"

FIELD_WORK = 10**9
"""Additions, of seconds, for the exact energy of a torus in a field; beyond it a second rule serves."""


def training_set(
    lattice: Lattice,
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

    On a ring or a chain the samples are exact and independent. Elsewhere T = 0 is its limit, the ground
    states; above it pilot runs of Swendsen-Wang clusters, and above the critical temperature of the heat
    bath, measure the autocorrelation times τ of the energy and of m². The rule that needs less work for an
    independent sample is taken, with a burn-in of 20 τ, from aligned spins in the ordered phase and from
    random ones above it, and samples 6 τ apart; where bonds are frustrated it is the heat bath. Each sample
    is turned over as a whole by a fair coin, an exact symmetry. A temperature has a generator of its own, so
    that its samples do not depend on the others.

    The energy of the samples is held against the exact one: of rings and tori, of lattices that are small
    or narrow, and of any lattice at T = ∞ and, where its bonds can all be satisfied at once, at T = 0. Where
    none is known a second rule takes its place: independent chains of another update rule, clusters against
    single spins, or Metropolis against the heat bath where bonds are frustrated, and in the disordered phase
    from the cold start, not the random one. Their energies must agree within the errors of both. That samples
    deviate by more than four errors has a chance of 6e-5 for each temperature, if nothing is wrong.

    In a field samples of a ring are exact too (`rbmflow.ising.RingInFields`), T = 0 is the state along the
    field, and tori have clusters of which each is up with probability ``1/(1 + e^(−2Hs/T))``, s its number of
    spins; no coin is thrown. The energy, also the exact one, then is ``−(Σ v_i v_j + H Σ v_i)/n_sites``.
    A graph has couplings and fields of its own, in the same place.

    Time O(sites) for each sample of a ring, and for each sweep of a chain elsewhere.

    Parameters
    ----------
    lattice : Lattice
        Where the spins are; any, with open ends and couplings of its own too.
    temperatures : array_like
        T ≥ 0 in units of J/k_B, infinity included.
    n_samples : int
        Configurations at each temperature.
    field : float
        H in units of J, of any sign; 0 for a graph. The exact energy in it is known of rings, and of tori
        small enough for `rbmflow.ising.Torus.joint_density_of_states`, whose shorter side is at most 10.
    rng : numpy.random.Generator or int
        Generator or seed.
    n_threads : int, optional
        Threads, which take temperatures where chains draw; no result depends on it.
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
        With a certificate for each temperature: effective samples, and the energy against the exact one or
        that of a second rule.

    Raises
    ------
    ValueError
        If `finished` returns the training set of something else, or T = 0 is asked of a lattice whose bonds
        or fields are frustrated.

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

    lattice: Lattice
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

        lattice = check_lattice(lattice)
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
            pieces = ((draw, *arguments) for arguments in each)
            found = completed(executor, zip(places, pieces, strict=True))
        else:
            # what no kernel sweeps is drawn in one go, in the calling thread, where Ctrl-C arrives
            draws = [partial(draw, *arguments) for arguments in each]
            in_one_go = isinstance(self.lattice, (Ring, Chain)) or (self.field != 0 and self._has_exact_field)
            within_threads = results_of(draws, 1 if in_one_go else n_threads)
            found = ((places[place], one) for place, one in within_threads)
        for index, (spins, certificate) in found:
            level = self.levels[index : index + 1]
            yield (
                index,
                TrainingSet(self.lattice, spins[np.newaxis], level, (certificate,), self.facts, self.field),
            )

    @property
    def _has_exact_field(self) -> bool:
        """Whether the exact energy in a field is known."""
        if isinstance(self.lattice, Torus):
            return has_joint_counts(self.lattice.n_rows, self.lattice.n_cols, FIELD_WORK)
        return isinstance(self.lattice, Ring)

    def _in_field(self, T: float) -> tuple[float, tuple[float, float] | None]:
        """The field, and in one the exact energy and its spread: joint counts are made here, once."""
        if not (self.field and self._has_exact_field):
            return self.field, None
        assert isinstance(self.lattice, (Ring, Torus))
        return self.field, energy_in_field(self.lattice, coupling_at(T), self.field)


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


def _check_field(field: object, lattice: Lattice) -> float:
    """Return a field that the lattice can be in, or raise ValueError."""
    H = check_real_scalar("field", field) + 0.0
    if not abs(H) <= MAX_COUPLING:
        raise ValueError(f"field={shown(field)}: at most {MAX_COUPLING:g} in size is possible")
    if H and isinstance(lattice, Graph):
        raise ValueError(f"field={shown(field)}: a Graph has fields of its own")
    return H
