"""Block Gibbs chains of restricted Boltzmann machines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from rbmflow._kernels import block_gibbs as kernel
from rbmflow.arguments import (
    MAX_STEPS,
    SpinArray,
    check_choice,
    check_integer,
    check_real_scalar,
    check_rng,
    shown,
)
from rbmflow.generators import check_words, draw_words
from rbmflow.hardware import check_fits, resolve_threads, simd_level
from rbmflow.networks import RBM
from rbmflow.networks.two_layers import TwoLayers
from rbmflow.records import Record
from rbmflow.records.dataset import last_draw
from rbmflow.sampling.clamps import check_clamps
from rbmflow.spins import check_spins, random_spins
from rbmflow.workers import WORTH_A_THREAD, Progress, check_progress, run_tasks

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, RNGLike

CHAINS_TO_A_GENERATOR = 512
FEWEST_CHAINS = 32  # of a task: each builds tables of its own
STEP_NANOSECONDS = 5e7  # of work, about, between two looks at Ctrl-C
MAX_CHAINS = 10**7
Precision = Literal["float32", "float64"]
PRECISIONS: dict[Precision, Any] = {"float32": np.float32, "float64": np.float64}


@dataclass(frozen=True, eq=False)
class GibbsChains(Record):
    """Where block Gibbs chains stand.

    Attributes
    ----------
    visible : numpy.ndarray of int8, shape (n_chains, n_visible)
        Visible spins.
    hidden : numpy.ndarray of int8, shape (n_chains, n_hidden)
        Hidden spins, drawn given these visible ones.
    n_sweeps : int
        Sweeps made, those of the chains that these continue included.
    generators : numpy.ndarray of uint64, shape (n_generators, 32)
        One for each 512 chains.
    """

    visible: SpinArray
    hidden: SpinArray
    n_sweeps: int
    generators: npt.NDArray[np.uint64] = field(repr=False)

    def to_xarray(self) -> Any:
        """Return the last spins as a dataset of xarray, in the layout of arviz: one draw of each chain.

        Returns
        -------
        xarray.Dataset
            ``visible`` and ``hidden`` over ``chain``, ``draw`` and the unit.

        Raises
        ------
        ImportError
            Without the extra ``data`` (xarray).

        Examples
        --------
        >>> chains = block_gibbs(RBM.uniform(8, 4, 0.3), n_chains=3, n_sweeps=5, rng=1)
        >>> dict(chains.to_xarray().sizes)
        {'chain': 3, 'draw': 1, 'visible_unit': 8, 'hidden_unit': 4}
        """
        return last_draw(self.visible, self.hidden, self.n_sweeps)


def block_gibbs(
    rbm: RBM,
    *,
    n_chains: int = 1,
    n_sweeps: int,
    rng: RNGLike = None,
    initial: Literal["random"] | ArrayLike | GibbsChains = "random",
    clamped: ArrayLike | None = None,
    values: ArrayLike | None = None,
    inverse_temperature: float = 1.0,
    precision: Precision = "float32",
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> GibbsChains:
    """Run independent chains whose law is ``exp(−β E(v, h))`` (thesis eq. 32).

    All visible spins are drawn given the hidden ones, then all hidden given those. A unit is drawn with
    ``P(s = 1) = 1/(1 + e^(−2βa))`` from its activation a, rounded to `precision`; probabilities below 2⁻³²
    (float32) or 2⁻⁵³ count as 0. The sums of weights are taken in one order everywhere: chains are the same
    bits on every machine, at every SIMD level and with any number of threads.

    Time O(M N) for each sweep and chain.

    Parameters
    ----------
    rbm : RBM
        The machine.
    n_chains : int
        Number of chains; it may be left out where `initial` says it.
    n_sweeps : int
        Sweeps, each of both layers.
    rng : numpy.random.Generator or int
        Generator or seed; not used where `initial` is a `GibbsChains`.
    initial : str, array_like or GibbsChains
        ``"random"``, visible spins of shape ``(n_visible,)`` or ``(n_chains, n_visible)``, or chains to go on
        with as if they had never stopped.
    clamped : array_like of bool, shape (n_visible,) or (n_chains, n_visible), optional
        True where a visible unit keeps its spin in all sweeps: the other units then have the law given it.
    values : array_like, shape (n_visible,) or (n_chains, n_visible), optional
        Spins of the clamped units, those of `initial` by default; elsewhere anything finite.
    inverse_temperature : float
        β, at least 0.
    precision : str
        ``"float32"`` or ``"float64"``.
    n_threads : int, optional
        Threads; by default ``RBMFLOW_NUM_THREADS``, else the processors available.
    progress : callable, optional
        Called about ten times a second as ``progress(done, total)``, in sweeps of all chains.

    Returns
    -------
    GibbsChains
        The last spins of both layers.

    See Also
    --------
    tempered : Chains that pass between modes.
    complete : With some units known.
    rbmflow.networks.sample_exactly : Small machines, exactly.

    References
    ----------
    J. ter Hoeve, *Renormalization Group connected to Neural Networks*, thesis, Utrecht (2018), eq. 32.

    Examples
    --------
    >>> chains = block_gibbs(RBM.uniform(8, 4, 0.3), n_chains=4000, n_sweeps=50, rng=1)
    >>> from rbmflow.networks import visible_law
    >>> pairs = (chains.visible[:, 0] * chains.visible[:, 1]).mean()
    >>> bool(abs(pairs - visible_law(RBM.uniform(8, 4, 0.3)).correlations[0, 1]) < 0.05)
    True
    """
    if not isinstance(rbm, RBM):
        raise TypeError(f"rbm={shown(rbm)}: an RBM is needed")
    check_choice("precision", precision, PRECISIONS)
    beta = check_real_scalar("inverse_temperature", inverse_temperature)
    if not 0 <= beta < np.inf:
        raise ValueError(
            f"inverse_temperature={shown(inverse_temperature)}: a finite number of at least 0 is needed"
        )
    n_sweeps, progress = check_integer("n_sweeps", n_sweeps, 0, MAX_STEPS), check_progress(progress)
    threads = resolve_threads(n_threads)
    parameters = rounded("rbm", rbm, precision)
    n_chains = check_integer("n_chains", n_chains, 1, MAX_CHAINS)
    check_fits("n_chains", n_chains, 2 * (rbm.n_visible + rbm.n_hidden))
    clamps = check_clamps(rbm.n_visible, clamped, values, initial)
    before, begin = _begin(rbm, max(n_chains, len(clamps.mask)), rng, initial)
    visible, hidden, generators = before.visible.copy(), before.hidden.copy(), before.generators.copy()
    packed = packed_rows(clamps.hold(visible))
    sweeps = len(visible) * n_sweeps
    nanoseconds = sweeps * _nanoseconds(rbm.weights)
    at_once = _chains_of_a_task(len(visible), threads) if nanoseconds > WORTH_A_THREAD else len(visible)
    tasks = []
    for block, generator in zip(_blocks(len(visible)), generators, strict=True):
        for first in range(block.start, block.stop, at_once):
            at = slice(first, min(first + at_once, block.stop))
            others = first - block.start, block.stop - at.stop
            # all tasks of a generator leave it in the same state
            own = generator if first == block.start else generator.copy()
            chains = visible[at], hidden[at], packed[at], *others, own
            tasks.append(_steps(parameters, *chains, n_sweeps, beta, begin))
    run_tasks(tasks, threads, total=sweeps, progress=progress, nanoseconds=nanoseconds)
    return GibbsChains(visible, hidden, before.n_sweeps + n_sweeps, generators)


def rounded(name: str, rbm: TwoLayers, precision: Precision) -> tuple[Any, Any, Any]:
    """Return weights and biases as the kernel takes them, or raise where one is too large."""
    real: Any = PRECISIONS[precision]
    with np.errstate(over="ignore"):
        parameters = rbm.weights.astype(real), rbm.visible_bias.astype(real), rbm.hidden_bias.astype(real)
    if not all(np.isfinite(x).all() for x in parameters):
        raise ValueError(f"{name}: a parameter is too large for precision={shown(precision)}")
    return parameters


def sweep_visible(
    parameters: tuple[Any, Any, Any],
    visible: SpinArray,
    hidden: SpinArray,
    generator: npt.NDArray[np.uint64],
    n_sweeps: int,
) -> None:
    """Draw hidden spins given the visible ones, then both layers `n_sweeps` times, in place."""
    none = packed_rows(np.empty((0, visible.shape[1]), dtype=bool))
    _sweep(parameters, visible, hidden, n_sweeps, 1.0, True, none, 0, 0, generator)


def _sweep(
    parameters: tuple[Any, Any, Any],
    visible: SpinArray,
    hidden: SpinArray,
    n_sweeps: int,
    beta: float,
    from_visible: bool,
    clamped: npt.NDArray[np.uint8],
    before: int,
    after: int,
    generator: npt.NDArray[np.uint64],
) -> None:
    no_means = np.empty((0, hidden.shape[1]), dtype=parameters[0].dtype)
    kernel.sweep(
        *parameters,
        visible,
        hidden,
        no_means,
        n_sweeps,
        np.array([beta]),
        from_visible,
        True,
        clamped,
        before,
        after,
        generator,
        simd_level(),
    )


def packed_rows(rows: npt.NDArray[np.bool_] | SpinArray) -> npt.NDArray[np.uint8]:
    """Return truth values, or spins, as bits in the order of the kernel."""
    out = np.empty((len(rows), 4 * -(-rows.shape[1] // 16)), dtype=np.uint8)
    kernel.pack(np.ascontiguousarray(rows).view(np.int8), out)
    return out


def _chains_of_a_task(n_chains: int, n_threads: int) -> int:
    """Return into how many chains those of a generator are parted, so that each thread has some."""
    return min(CHAINS_TO_A_GENERATOR, max(FEWEST_CHAINS, 4 * -(-n_chains // (4 * n_threads))))


def _blocks(n_chains: int) -> list[slice]:
    firsts = range(0, n_chains, CHAINS_TO_A_GENERATOR)
    return [slice(first, min(first + CHAINS_TO_A_GENERATOR, n_chains)) for first in firsts]


def _begin(rbm: RBM, n_chains: int, rng: object, initial: object) -> tuple[GibbsChains, bool]:
    """Return the chains before the first sweep, and whether their hidden spins are still to be drawn."""
    if isinstance(initial, GibbsChains):
        for name, units in (("visible", rbm.n_visible), ("hidden", rbm.n_hidden)):
            if getattr(initial, name).shape[1] != units:
                raise ValueError(
                    f"initial: its chains have {getattr(initial, name).shape[1]} {name} "
                    f"units, the machine {units}"
                )
        if n_chains not in (1, len(initial.visible)):
            raise ValueError(f"n_chains={n_chains}: the chains to go on with are {len(initial.visible)}")
        _check_chains(initial)
        return initial, False
    source = check_rng(rng)
    if isinstance(initial, str):
        if initial != "random":
            raise ValueError(
                f"initial={shown(initial)}: 'random', an array of spins or GibbsChains is needed"
            )
        visible = random_spins(source, n_chains, rbm.n_visible)
    else:
        given = check_spins("initial", initial, rbm.n_visible)
        if given.ndim > 2 or not given.size or (given.ndim == 2 and n_chains not in (1, len(given))):
            raise ValueError(
                f"initial has shape {given.shape}: ({rbm.n_visible},) or ({n_chains}, "
                f"{rbm.n_visible}) is needed"
            )
        rows = len(given) if given.ndim == 2 else n_chains
        visible = np.array(np.broadcast_to(given, (rows, rbm.n_visible)))
    n = len(visible)
    words = draw_words(source, len(_blocks(n)))
    return GibbsChains(visible, np.empty((n, rbm.n_hidden), dtype=np.int8), 0, words), True


def _check_chains(chains: GibbsChains) -> None:
    """Raise unless the chains are what `block_gibbs` gives: the kernel trusts them."""
    n = len(chains.visible)
    for name in ("visible", "hidden"):
        spins = check_spins(f"initial: {name}", getattr(chains, name))
        if spins.ndim != 2 or len(spins) != n or getattr(chains, name).dtype != np.int8:
            raise ValueError(f"initial: {name} has shape {spins.shape}: int8 of {n} chains is needed")
    if len(chains.generators) != len(_blocks(n)):
        raise ValueError(f"initial: {len(chains.generators)} generators, {len(_blocks(n))} are needed")
    for words in chains.generators:
        check_words("initial: generators", words)


def _nanoseconds(weights: npt.NDArray[Any]) -> float:
    """Of a sweep of a chain, about."""
    return sum(weights.shape) + weights.size / 16


def _steps(
    parameters: tuple[Any, Any, Any],
    visible: SpinArray,
    hidden: SpinArray,
    clamped: npt.NDArray[np.uint8],
    before: int,
    after: int,
    generator: npt.NDArray[np.uint64],
    n_sweeps: int,
    beta: float,
    begin: bool,
) -> Iterator[int]:
    """Sweep up to 512 chains in steps short enough to stop at; yield the sweeps done, summed over chains."""
    step = max(1, int(STEP_NANOSECONDS / (len(visible) * _nanoseconds(parameters[0]))))
    if begin:
        _sweep(parameters, visible, hidden, 0, beta, True, clamped, before, after, generator)
    for first in range(0, n_sweeps, step):
        now = min(step, n_sweeps - first)
        _sweep(parameters, visible, hidden, now, beta, False, clamped, before, after, generator)
        yield now * len(visible)
