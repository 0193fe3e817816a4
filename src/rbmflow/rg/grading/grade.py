"""What kind of renormalization a map is, by every criterion of the field."""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rbmflow.arguments import (
    MAX_SIZE,
    SpinArray,
    check_integer,
    check_real_scalar,
    check_rng,
    shown,
    spawn,
)
from rbmflow.executors import Piece, check_executor, completed
from rbmflow.hardware import resolve_threads
from rbmflow.ising.operators import Operators, check_operators
from rbmflow.ising.ring import Ring
from rbmflow.ising.solved import Solved, check_solved
from rbmflow.ising.state_law import state_law
from rbmflow.rg.block_spins import Sides
from rbmflow.rg.coarse_law import coarse_law
from rbmflow.rg.decimation import decimate
from rbmflow.rg.grading import law as of_law
from rbmflow.rg.grading import samples as of_samples
from rbmflow.rg.grading.information import block_of, environment_of
from rbmflow.rg.grading.law import Named, Values
from rbmflow.rg.grading.result import Grade
from rbmflow.rg.grading.trace import law_divergence
from rbmflow.rg.monte_carlo import check_dimension
from rbmflow.rg.operators import operators_of
from rbmflow.rg.transformation import MAX_LISTED, Function, Transformation, check_transformation
from rbmflow.sampling.run import run
from rbmflow.spins import check_spins
from rbmflow.workers import Progress, check_progress

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, Number, RNGLike

N_CHAINS = 40
THIN = 4  # sweeps by clusters between samples: about the autocorrelation time at the critical point
BURN_IN = 100
Row = dict[str, Any]
"""What is measured of one step, by the names of `Grade`."""


@dataclass(frozen=True)
class _Plan:
    """What is asked for, checked."""

    layers: tuple[Transformation, ...]
    lattice: Solved
    K: float
    shapes: tuple[Sides, ...]
    even: Named
    odd: Named
    coupled: Named
    buffer: int | None
    n_blocks: int

    @property
    def listable(self) -> bool:
        """Whether all is summed over states."""
        known = not any(isinstance(layer, Function) and layer.random for layer in self.layers)
        return known and all(math.prod(sides[:2]) <= MAX_LISTED for sides in self.shapes)

    def steps(self) -> Iterator[tuple[Transformation, Sides, Sides]]:
        """Yield each map with the lattices before and after it."""
        return zip(self.layers, self.shapes[:-1], self.shapes[1:], strict=True)


def grade(
    transformation: Transformation,
    lattice: Solved,
    K: Number,
    *,
    n_steps: int = 1,
    n_samples: int = 20_000,
    spins: ArrayLike | None = None,
    operators: Operators | None = None,
    buffer: int | None = None,
    n_blocks: int = 20,
    rng: RNGLike,
    executor: Executor | None = None,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> Grade:
    """Grade a map as a renormalization: trace condition, information, exponents, couplings, relative entropy.

    Each criterion sees another side of a map. The trace condition, ``KL(q‖p) = 0`` of a machine, is met by
    every map that is a conditional law, decimation among them, whose exponents are wrong. The information
    ``I(h : E)`` of a coarse spin and its distant surroundings (Koch-Janusz and Ringel 2018) is a number of
    one step, without a scale of its own. Exponents (Swendsen 1979) are those of the fixed point of the map,
    if K is critical. The couplings are those of the largest pseudo-likelihood of the coarse spins, which obey
    the equations of Swendsen (1984).

    Lattices of at most 16 sites are summed over, where `spins` are not given; of others configurations are
    drawn, on a ring independently, on a torus in 40 chains by clusters.

    Time O(n_samples sites), and 2^n of small lattices of n sites.

    Parameters
    ----------
    transformation : Transformation
        The map; of a `Stack` each layer is a step.
    lattice : Ring or Torus
        Of the finest spins.
    K : float
        Their coupling, finite; of a torus critical, ``ln(1 + √2)/2``, where exponents are asked for.
    n_steps : int
        How often the map is repeated.
    n_samples : int
        Configurations to draw; on a torus rounded up to a multiple of 40.
    spins : array_like, optional
        Configurations of this coupling to use instead: ``(n_chains, n_kept, n_sites)``, or
        ``(n_samples, n_sites)`` if they are independent.
    operators : list of str or dict, optional
        What exponents and couplings are of, as for `rbmflow.ising.infer`: names, or names with products of
        one's own; nearest neighbours first. By default three even operators and two odd ones of a torus; on a
        ring the exponents are of one even and two odd ones, the couplings of two.
    buffer : int, optional
        Width of the buffer between a block and its environment; by default 1, or 0 where 1 leaves none.
    n_blocks : int
        Blocks of the jackknife, at least 2.
    rng : numpy.random.Generator or int
        Generator or seed of configurations and of what the map draws.
    executor : concurrent.futures.Executor, optional
        Where the criteria are measured, each a piece; the result is the same.
    n_threads : int, optional
        Threads of the chains; by default ``RBMFLOW_NUM_THREADS``, else the processors available.
    progress : callable, optional
        Called as ``progress(done, total)``, in pieces.

    Returns
    -------
    Grade
        A row for each step.

    Raises
    ------
    ValueError
        If the map does not fit the lattice, or the buffer leaves no environment.

    Warns
    -----
    ConvergenceWarning
        If blocks of chains are correlated, as `rbmflow.ising.infer` has it.

    See Also
    --------
    renormalization_group : Exponents alone.
    rbmflow.ising.infer : Couplings alone.
    rbmflow.plot.grade : A figure.

    References
    ----------
    * R. H. Swendsen, Phys. Rev. Lett. 42, 859 (1979); 52, 1165 (1984).
    * P. Mehta and D. J. Schwab, arXiv:1410.3831 (2014).
    * M. Koch-Janusz and Z. Ringel, Nature Physics 14, 578 (2018).

    Examples
    --------
    >>> from rbmflow import Ring
    >>> from rbmflow.rg import Decimation, decimate
    >>> found = grade(Decimation(2), Ring(12), 1.0, rng=1)
    >>> print(round(found.information[0], 5), found.kl[0])
    0.27149 0.0
    >>> print(found.couplings[0, 0].round(6), found.decimated[0].round(6))
    0.662501 0.662501
    """
    layers = check_transformation(transformation).layers * check_integer("n_steps", n_steps, 1, 64)
    on, coupling = check_solved(lattice), check_real_scalar("K", K)
    if not math.isfinite(coupling):
        raise ValueError(f"K={shown(K)}: a finite coupling is needed")
    shapes = _shapes(layers, on.shape)
    plan = _Plan(
        layers,
        on,
        coupling,
        shapes,
        *_operators(operators, on.shape),
        _check_buffer(layers[0], on.shape, buffer),
        check_integer("n_blocks", n_blocks, 2, MAX_SIZE),
    )
    n_samples = check_integer("n_samples", n_samples, 2 * plan.n_blocks, MAX_SIZE)
    done = check_progress(progress)
    source, *sources = spawn(check_rng(rng), 1 + len(layers))
    check_executor(executor)
    threads = resolve_threads(n_threads)
    if spins is None and plan.listable:
        return _graded(plan, repr(transformation), _by_laws(plan, done), 0)
    fine = (
        _drawn(on, coupling, n_samples, source, threads)
        if spins is None
        else _given(spins, on, plan.n_blocks)
    )
    rows = _by_samples(plan, fine, sources, executor, done)
    return _graded(plan, repr(transformation), rows, math.prod(fine.shape[:-1]))


def _shapes(layers: tuple[Transformation, ...], sides: Sides) -> tuple[Sides, ...]:
    shapes = [sides]
    for layer in layers:
        shapes.append(layer.output_shape(shapes[-1]))
        check_dimension(layer, *shapes[-2:])
    return tuple(shapes)


def _operators(operators: object, sides: Sides) -> tuple[Named, Named, Named]:
    """Even and odd operators of the exponents, and those of the couplings."""
    even, odd = (list(operators_of(sides, parity).items()) for parity in ("even", "odd"))
    if operators is None:
        n_even = 3 if len(sides) > 1 else 1
        return dict(even[:n_even]), dict(odd[:2]), dict(even[: max(n_even, 2)])
    found: dict[int, Named] = {0: {}, 1: {}}
    for name, terms in check_operators(operators, sides).items():
        parities = {len(term) % 2 for term in terms}
        if len(parities) > 1:
            raise ValueError(f"operators[{name!r}] has products of even and of odd numbers of spins")
        found[parities.pop()][name] = terms
    if not found[0] or not found[1]:
        raise ValueError("operators: an even one and an odd one are needed at least, for y_t and for y_h")
    return found[0], found[1], found[0]


def _check_buffer(layer: Transformation, sides: Sides, buffer: object) -> int | None:
    """The width of the buffer, which must leave an environment on the finest lattice."""
    if buffer is None:
        return None
    width = check_integer("buffer", buffer, 0, max(sides))
    environment_of(block_of(layer, sides), sides, width)
    return width


def _drawn(lattice: Solved, K: float, n: int, source: np.random.Generator, n_threads: int) -> SpinArray:
    """Configurations: independent ones of a ring, chains by clusters on a torus."""
    if isinstance(lattice, Ring):
        return lattice.sample(K, n, rng=source)
    chains = run(
        lattice,
        K,
        n_chains=N_CHAINS,
        n_sweeps=-(-n // N_CHAINS) * THIN,
        thin=THIN,
        burn_in=BURN_IN,
        rule="swendsen_wang",
        rng=source,
        n_threads=n_threads,
    )
    assert chains.spins is not None
    return chains.spins


def _given(spins: object, lattice: Solved, n_blocks: int) -> SpinArray:
    array = check_spins("spins", spins, lattice.n_sites)
    if array.ndim not in (2, 3) or math.prod(array.shape[:-1]) < 2 * n_blocks:
        raise ValueError(
            f"spins has shape {array.shape}: (n_samples, n_sites) or (n_chains, n_kept, n_sites) is needed, "
            f"with at least two configurations for each of n_blocks={n_blocks}"
        )
    return array


def _by_laws(plan: _Plan, progress: Progress | None) -> list[Row]:
    """Sums over all states, step by step."""
    law, rows = state_law(plan.lattice, plan.K), []
    for step, (layer, sides, coarse_sides) in enumerate(plan.steps()):
        coarse = coarse_law(layer, law, sides)
        information, buffer = of_law.law_step_information(layer, law, sides, plan.buffer)
        known = not np.isnan(information.value[0])
        rows.append(
            {
                "kl": Values.exact(law_divergence(layer, law, sides)),
                "information": information,
                "found": "exact" if known else "none",
                "buffer": buffer,
                "y_t": of_law.law_exponents(layer, law, coarse, sides, plan.even, "even"),
                "y_h": of_law.law_exponents(layer, law, coarse, sides, plan.odd, "odd"),
                "couplings": of_law.law_couplings(coarse, coarse_sides, plan.coupled),
                "relative_entropy": of_law.law_relative_entropy(coarse, coarse_sides),
            }
        )
        law = coarse
        if progress is not None:
            progress(step + 1, len(plan.layers))
    return rows


def _by_samples(
    plan: _Plan,
    fine: SpinArray,
    sources: list[np.random.Generator],
    executor: Executor | None,
    progress: Progress | None,
) -> list[Row]:
    """Measurements of each step from configurations, in pieces."""
    n_chains = len(fine) if fine.ndim == 3 else None
    before = fine.reshape(-1, fine.shape[-1])
    pieces: dict[tuple[int, str], Piece] = {}
    for step, (layer, sides, _) in enumerate(plan.steps()):
        after = layer(before, sides, rng=sources[step])
        for name, piece in _pieces(plan, step, layer, before, after, n_chains).items():
            pieces[step, name] = piece
        before = after
    rows: list[Row] = [{"kl": Values.unknown(1)} for _ in plan.layers]
    for at, ((step, name), result) in enumerate(completed(executor, pieces.items())):
        if name == "information":
            rows[step]["information"], rows[step]["buffer"], rows[step]["found"] = result
        elif name == "couplings":
            rows[step]["couplings"], rows[step]["relative_entropy"] = result
        else:
            rows[step][name] = result
        if progress is not None:
            progress(at + 1, len(pieces))
    return rows


def _pieces(
    plan: _Plan, step: int, layer: Transformation, before: SpinArray, after: SpinArray, n_chains: int | None
) -> dict[str, Piece]:
    """What is to be measured of one step: functions and their arguments."""
    sides, coarse = plan.shapes[step : step + 2]
    b, n_blocks = layer.scale_factor, plan.n_blocks
    K = None if step else plan.K  # beyond the first step the finer law is not that of a lattice
    both = (before, after, (sides, coarse), b)
    found: dict[str, Piece] = {
        "y_t": (of_samples.sampled_exponents, *both, plan.even, n_blocks, "even"),
        "y_h": (of_samples.sampled_exponents, *both, plan.odd, n_blocks, "odd"),
        "couplings": (of_samples.sampled_couplings, after, coarse, plan.coupled, n_chains, n_blocks),
        "information": (
            of_samples.sampled_information,
            *(layer, before, after, sides, K, plan.buffer, n_blocks),
        ),
    }
    if step == 0:
        found["kl"] = (of_samples.divergence_from, layer, plan.lattice, plan.K, before, n_blocks)
    return found


def _graded(plan: _Plan, label: str, rows: list[Row], n_samples: int) -> Grade:
    """The columns of all steps."""
    columns: dict[str, Any] = {}
    for name in ("kl", "information", "y_t", "y_h", "couplings", "relative_entropy"):
        for part in Values._fields:
            column = np.stack([getattr(row[name], part) for row in rows])
            flat = column[:, 0] if name in ("kl", "information", "relative_entropy") else column
            columns[name if part == "value" else f"{name}_{part}"] = flat
    return Grade(
        transformation=label,
        lattice=plan.lattice.label,
        K=plan.K,
        n_samples=n_samples,
        shapes=plan.shapes,
        scale_factors=np.array([float(layer.scale_factor) for layer in plan.layers]),
        found=tuple(row["found"] for row in rows),
        buffer=np.array([row["buffer"] for row in rows]),
        operators=tuple(plan.coupled),
        decimated=_decimated(plan),
        **columns,
    )


def _decimated(plan: _Plan) -> Any:
    """The coupling of a ring by decimation, where factors are integers."""
    K, found = plan.K, []
    for layer in plan.layers:
        b = float(layer.scale_factor)
        one_dimensional = len(plan.lattice.shape) == 1 and b.is_integer()
        K = float(decimate(K, scale_factor=int(b)).K) if one_dimensional and not math.isnan(K) else math.nan
        found.append(K)
    return np.array(found)
