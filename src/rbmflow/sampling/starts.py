"""Where chains on a lattice begin: spins that are drawn or given, or the state of a run to go on with."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray, check_real, check_rng, shown
from rbmflow.errors import ReducibleChainError
from rbmflow.ising import Graph
from rbmflow.ising.lattice import Lattice
from rbmflow.sampling.compiled_chains import generator_words, weak
from rbmflow.sampling.reducibility import TRAPPED_RULES, frozen
from rbmflow.sampling.result import Run, State
from rbmflow.spins import check_spins

Start = Literal["random", "up", "mixed"]
STARTS: tuple[Start, ...] = ("random", "up", "mixed")
MAX_DRAWS = 1000  # of a start that is not frozen


def begin(
    lattice: Lattice,
    K: FloatArray,
    rule: str,
    order: str,
    rng: object,
    initial: object,
    allow_reducible: bool,
    field: float,
) -> State:
    """Return the state before the first sweep: spins, and generators of the engines."""
    n_chains = len(K)
    if np.isinf(K).any() and (field or isinstance(lattice, Graph)):
        raise ValueError("K holds an infinity: finite couplings are needed on a graph and in a field")
    source = check_rng(rng)
    generators = source.integers(
        0, 2**64, size=generator_words(lattice, rule, order, n_chains, field), dtype=np.uint64
    )
    traps = rule in TRAPPED_RULES and order != "random" and not (allow_reducible or weak(lattice, K).all())
    spins = first_spins(lattice, (n_chains,), initial, source, order if traps else "random", field)
    return State(spins, generators, 0)


def first_spins(
    lattice: Lattice,
    shape: tuple[int, ...],
    initial: object,
    source: np.random.Generator,
    order: str,
    field: float,
    before: str = "a Run",
) -> SpinArray:
    """Return the spins (n_chains, n_sites) of chains that are arranged as `shape` says: drawn, up or given.

    Raise ValueError for a start that is frozen under Metropolis in a fixed order; `before` is what could have
    been given besides.
    """
    n_chains = math.prod(shape)
    if isinstance(initial, str):
        if initial not in STARTS:
            raise ValueError(
                f"initial={shown(initial)}: 'random', 'up', 'mixed', an array of spins or {before} is needed"
            )
        if initial == "up":
            return np.ones((n_chains, lattice.n_sites), dtype=np.int8)
        spins = random_start(lattice, n_chains, source, order, field)
        if initial == "mixed":
            spins[::2] = 1
        return spins
    given = check_spins("initial", initial, lattice.n_sites)
    if given.shape[:-1] not in ((), shape):
        raise ValueError(
            f"initial has shape {given.shape}: ({lattice.n_sites},) or {(*shape, lattice.n_sites)} is needed"
        )
    spins = np.array(np.broadcast_to(given, (*shape, lattice.n_sites)), order="C")
    spins = spins.reshape(n_chains, lattice.n_sites)
    if order != "random" and (lost := frozen(lattice, order, spins, field)).any():
        raise ValueError(
            f"initial: chain {int(np.flatnonzero(lost)[0])} would start in a state whose every local "
            f"field is zero in its turn, which Metropolis in {order} order never leaves; use "
            "rule='heat_bath' or order='random'"
        )
    return spins


def random_start(
    lattice: Lattice, n_chains: int, source: np.random.Generator, order: str, field: float = 0.0
) -> SpinArray:
    """Return random spins, none of them frozen under Metropolis in a fixed order."""
    spins = _random_spins(source, (n_chains, lattice.n_sites))
    if order == "random":
        return spins
    for _ in range(MAX_DRAWS):
        lost = frozen(lattice, order, spins, field)
        if not lost.any():
            return spins
        spins[lost] = _random_spins(source, (int(lost.sum()), lattice.n_sites))
    raise ReducibleChainError(
        f"Metropolis in {order} order: nearly all states of this lattice are frozen; "
        "use rule='heat_bath' or order='random'"
    )


def _random_spins(source: np.random.Generator, shape: tuple[int, int]) -> SpinArray:
    n_sites = shape[0] * shape[1]
    words = source.integers(0, 2**64, size=-(-n_sites // 64), dtype=np.uint64)
    bits = np.unpackbits(words.astype("<u8", copy=False).view(np.uint8), count=n_sites)
    bits *= 2
    bits -= 1  # 255 is -1
    return bits.view(np.int8).reshape(shape)


def check_state(state: State, lattice: Lattice, n_chains: int, words: tuple[int, int]) -> None:
    """Raise unless the state is one that `run` gives: kernels trust it."""
    check_spins("initial: spins", state.spins, lattice.n_sites)
    if state.spins.dtype != np.int8 or state.spins.shape != (n_chains, lattice.n_sites):
        raise ValueError(
            f"initial: spins of shape {state.spins.shape}, {state.spins.dtype}, are not {n_chains} chains"
        )
    if state.generators.dtype != np.uint64 or state.generators.shape != words:
        raise ValueError(f"initial: generators of shape {state.generators.shape}, {words} is needed")


def continued(
    before: Run, lattice: Lattice, K: object, n_chains: int, rule: str, order: str, field: float
) -> tuple[FloatArray, State]:
    """Return couplings and state of the run to go on with."""
    if before.state is None:
        raise ValueError("initial: this Run is a part of one and cannot be continued; use its spins")
    couplings = check_real("K", K)
    same = {
        "lattice": lattice is before.lattice or lattice == before.lattice,
        "K": couplings.shape in ((), before.K.shape) and bool((couplings == before.K).all()),
        "n_chains": n_chains in (1, len(before.K)),
        "rule": rule == before.rule,
        "order": order == before.order,
        "field": field == before.field,
    }
    for name, equal in same.items():
        if not equal:
            raise ValueError(
                f"initial: the Run to go on with has another {name} "
                f"({shown(getattr(before, name, len(before.K)))}); "
                "to change it, begin anew with initial=run.state.spins"
            )
    words = generator_words(lattice, rule, order, len(before.K), field)
    check_state(before.state, lattice, len(before.K), words)
    return before.K, replace(
        before.state, spins=before.state.spins.copy(), generators=before.state.generators.copy()
    )
