"""Relative entropy along decimation: how far a theory moves from where it began, and what tells two apart.

Erdmenger, Grosvenor and Jefferson (SciPost Phys. 12, 041 (2022), arXiv:2107.06898) find that the relative
entropy between the Ising model and its image under decimation rises with every step to a value that depends
on the coupling, in one and in two dimensions, and appears insensitive to the phases. In an exponential family

    D(K ‖ K') = ln Z(K') − ln Z(K) − (K' − K) ⟨Σ v_i v_j⟩_K,      ∂D/∂K' = ⟨Σ v_i v_j⟩_K' − ⟨Σ v_i v_j⟩_K,

so that D rises along every path that leads away from K: the null is a ring that is only heated.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from rbmflow.arguments import FloatArray, check_integer, check_real_scalar
from rbmflow.checkpoints import Checkpoints
from rbmflow.experiments.experiment import BaseParameters, option
from rbmflow.experiments.papers.paper import Claim, PaperResult, paper_experiment, tables_of_parts
from rbmflow.experiments.style import COLOURS, GREY, axes_of, styled
from rbmflow.experiments.tables import Table, columns_of
from rbmflow.ising import onsager
from rbmflow.ising.transfer_matrix import ring_energy, ring_log_partition
from rbmflow.precision import exact_functions, exact_map
from rbmflow.rg import decimation_flow, migdal_kadanoff_fixed_point, migdal_kadanoff_flow

SOURCE = "arXiv:2107.06898"
BESIDE = 1e-9
"""Relative distance from the unstable fixed point of starts on its two sides."""
LONG = 80
"""Steps after which a start that close to the fixed point has reached its end."""
COLD = 50.0
"""A coupling whose law is that of the aligned states."""
ARRIVED = 1e-6
"""A coupling so small that it moves D by less than machine numbers tell."""
SMOOTH = 1e-3
"""Below it a difference between the two sides would pass for smooth."""
SETTLED = 0.01
"""Of a sequence: its last step adds less."""
DIGITS = 400
"""Of each D: along a flow K_n falls to 1e-100 and below, and D of two decimated rings as its square."""


@dataclass(frozen=True)
class Parameters(BaseParameters):
    """What is computed.

    Attributes
    ----------
    couplings : tuple of float
        K of the rings.
    plane_couplings : tuple of float
        K of the square lattice.
    n_steps : int
        Decimations, b = 2.
    n_sites : int
        Spins M of a ring; those of a decimated one are M / 2^n, at least 4 in the end.
    """

    couplings: tuple[float, ...] = field(
        default=(0.5, 1.0, 1.5, 2.0), metadata=option("of the rings", metavar="K")
    )
    plane_couplings: tuple[float, ...] = field(
        default=(0.15, 0.2, 0.25, 0.35, 0.45, 0.6), metadata=option("of the plane", metavar="K")
    )
    n_steps: int = field(default=9, metadata=option("decimations", "--steps", metavar="N"))
    n_sites: int = field(default=4096, metadata=option("spins of the ring", "--sites", metavar="M"))

    def __post_init__(self) -> None:
        for name in ("couplings", "plane_couplings"):
            if not getattr(self, name):
                raise ValueError(f"{name}=(): at least one is needed")
            for K in getattr(self, name):
                if not 0.1 <= check_real_scalar(name, K) <= 10:
                    raise ValueError(f"{name}: K={K}: a coupling from 0.1 to 10 is needed")
        check_integer("n_steps", self.n_steps, 2, 9)
        check_integer("n_sites", self.n_sites, 2 ** (self.n_steps + 2), 2**22)
        if self.n_sites % 2**self.n_steps:
            raise ValueError(f"n_sites={self.n_sites}: a multiple of 2^n_steps is needed")


@dataclass(frozen=True)
class RelativeEntropy(PaperResult):
    """D along flows of the coupling.

    Attributes
    ----------
    parameters : Parameters
        What was asked.
    tables : dict of str to Table
        ``claims``, then D per site along decimation (``ring``), heating (``heating``) and bond moving in the
        plane (``plane``), and D of two whole rings (``pairs``).
    """

    parameters: Parameters
    what: ClassVar[str] = "relative entropies along decimation"


def run(
    parameters: Parameters | None = None,
    *,
    rng: object = None,  # noqa: ARG001 (nothing is drawn)
    executor: Executor | None = None,
    progress: Callable[[int, int], object] | None = None,
    checkpoints: Checkpoints | None = None,
) -> RelativeEntropy:
    """Compute relative entropies along decimation, exactly on the ring.

    Parameters
    ----------
    parameters : Parameters, optional
        What to compute.
    rng : optional
        Without effect: nothing is drawn.
    executor, progress, checkpoints : optional
        As for every experiment; there are four parts.

    Returns
    -------
    RelativeEntropy
        Claims with their verdicts, and tables.

    Examples
    --------
    >>> run().verdicts[0]
    'holds of the null as well'
    """
    p = parameters or Parameters()
    parts = {"ring": (_ring, p), "heating": (_heating, p), "plane": (_plane, p), "pairs": (_pairs, p)}
    tables = tables_of_parts(parts, executor=executor, progress=progress, checkpoints=checkpoints)
    return RelativeEntropy.of(p, tables, _claims(p, tables))


def ring_divergence(K: Any, others: Any, n_sites: int, before: Any = None) -> FloatArray:
    """Return D(K ‖ K') of whole rings in nats for each K' in `others`, or its rise since D(K ‖ before).

    Of each difference there are `DIGITS` decimal digits before it is rounded.

    Examples
    --------
    >>> ring_divergence(1.0, [1.0, 0.0], 3)
    array([0.    , 1.1245])
    """

    def evaluate(ctx: Any, K: Any, new: Any, old: Any) -> Any:
        fn = exact_functions(ctx)
        bonds = -n_sites * ring_energy(fn, K, n_sites)
        logs = ring_log_partition(fn, new, n_sites) - ring_log_partition(fn, old, n_sites)
        return logs - (new - old) * bonds

    found = exact_map(evaluate, DIGITS, K=K, new=others, old=K if before is None else before)
    return np.asarray(found, dtype=np.float64)


def plane_divergence(K: Any, others: Any) -> FloatArray:
    """Return D(K ‖ K') per site of the infinite square lattice, in nats; both broadcast.

    Examples
    --------
    >>> print(f"{plane_divergence(0.4, 0.0):.4f}")
    0.2562
    """
    bonds = -np.asarray(onsager.energy(K))
    return np.asarray(onsager.log_partition(others) - onsager.log_partition(K) - (others - K) * bonds)


NAMES = ("K", "step", "K_after", "D_per_site", "rise")


def _rings(p: Parameters, flow: FloatArray) -> list[tuple[Any, ...]]:
    """A row for each coupling and step: where it has gone, D per site to it, and by how much D has risen."""
    rows: list[tuple[Any, ...]] = []
    for K, path in zip(p.couplings, flow.T, strict=True):
        D = ring_divergence(K, path, p.n_sites) / p.n_sites
        rises = ring_divergence(K, path[1:], p.n_sites, path[:-1]) / p.n_sites
        steps = zip(path.tolist(), D.tolist(), [None, *rises.tolist()], strict=True)
        rows += [(K, step, *row) for step, row in enumerate(steps)]
    return rows


def _ring(p: Parameters) -> dict[str, Table]:
    rows = _rings(p, decimation_flow(p.couplings, p.n_steps))
    return {"ring": Table("D of the ring to its image under decimation, nats", columns_of(NAMES, rows))}


def _heating(p: Parameters) -> dict[str, Table]:
    rows = _rings(p, np.array(p.couplings) * 0.5 ** np.arange(p.n_steps + 1)[:, None])
    return {"heating": Table("D of the ring to one of K/2^n: heated, not coarser", columns_of(NAMES, rows))}


def _plane(p: Parameters) -> dict[str, Table]:
    """In machine numbers: there is no rise to be told once the coupling is next to 0."""
    rows: list[tuple[Any, ...]] = []
    for K, path in zip(p.plane_couplings, migdal_kadanoff_flow(p.plane_couplings, p.n_steps).T, strict=True):
        forth, back = plane_divergence(K, path), plane_divergence(path, K)
        rises = [None, *np.diff(forth).tolist()]
        for step, there in enumerate(path.tolist()):
            rise = rises[step] if step and path[step - 1] > ARRIVED else None
            rows.append((K, step, there, float(forth[step]), float(back[step]), rise))
    names = (*NAMES[:-1], "D_back_per_site", "rise")
    return {
        "plane": Table(
            "D of the square lattice to its image when bonds are moved, and back, nats",
            columns_of(names, rows),
        )
    }


def _pairs(p: Parameters) -> dict[str, Table]:
    """D between whole rings of K and K/2: decimated with their sites, and merely cooled."""
    rows: list[tuple[Any, ...]] = []
    for K in p.couplings:
        flow, cold = decimation_flow([K, K / 2], p.n_steps).tolist(), K * 2.0 ** np.arange(p.n_steps + 1)
        kept = [float(ring_divergence(a, b, p.n_sites >> step)) for step, (a, b) in enumerate(flow)]
        cooled = ring_divergence(cold, cold / 2, p.n_sites).tolist()
        for step in range(p.n_steps + 1):
            now = (kept[step], cooled[step])
            was = (0.0, 0.0) if step == 0 else (kept[step - 1], cooled[step - 1])
            ratios = (a / b if b else None for a, b in zip(now, was, strict=True))
            rows.append((K, step, p.n_sites >> step, *now, *ratios))
    names = ("K", "step", "sites", "D_decimated", "D_cooled", "ratio_decimated", "ratio_cooled")
    return {"pairs": Table("D between whole rings of K and K/2, nats", columns_of(names, rows))}


def jump() -> tuple[float, float]:
    """Return how far the ends of D(K_n ‖ K) lie apart just beside the unstable fixed point, and on a ring.

    Below it K_n → 0, above it K_n → ∞, and D(K_n ‖ K) → ln Z(K) − ln 2 or ln Z(K) − 2K per site.

    Examples
    --------
    >>> print(f"{jump()[0]:.6f}")
    0.083769
    """
    critical = float(migdal_kadanoff_fixed_point().K)
    sides = np.array([critical * (1 - BESIDE), critical * (1 + BESIDE)])
    plane = plane_divergence(np.minimum(migdal_kadanoff_flow(sides, LONG)[-1], COLD), sides)
    ring = ring_divergence(decimation_flow(sides, LONG)[-1], sides, 64) / 64
    return float(abs(plane[1] - plane[0])), float(abs(ring[1] - ring[0]))


def _last_rise(table: Table, n_steps: int, column: str = "D_per_site") -> float:
    """The largest share of a column that its last step has added."""
    values = np.array(table.columns[column], dtype=float).reshape(-1, n_steps + 1)
    return float(abs(1 - values[:, -2] / values[:, -1]).max())


def _extreme(column: list[Any], of: Callable[[list[float]], float]) -> float:
    return float(of([cell for cell in column if cell is not None]))


def _claims(p: Parameters, tables: dict[str, Table]) -> list[Claim]:
    ring, heating, plane, pairs = (tables[name] for name in ("ring", "heating", "plane", "pairs"))
    heated = "a ring that is only heated, K/2^n"
    rise, share = "least rise in a step, nats a site", "largest share that the last step adds"
    least = {name: _extreme(tables[name].columns["rise"], min) for name in ("ring", "heating", "plane")}
    here, elsewhere = jump()
    chain, there = "on the chain D(theory ‖ image)", "in the plane D(theory ‖ image)"
    end = "tends to a value"
    of_ring, of_heating, forth, back = (
        _last_rise(table, p.n_steps, column)
        for table, column in (
            (ring, NAMES[3]), (heating, NAMES[3]), (plane, NAMES[3]), (plane, "D_back_per_site")
        )
    )  # fmt: skip
    return [
        Claim(f"{chain} rises with every step", rise, "above", 0.0, least["ring"], heated, least["heating"]),
        Claim(f"{chain} {end}", share, "below", SETTLED, of_ring, heated, of_heating),
        Claim(f"{there} rises with every step", rise, "above", 0.0, least["plane"], heated, least["heating"]),
        Claim(f"{there} {end}", share, "below", SETTLED, forth, heated, of_heating),
        Claim(f"in the plane D(image ‖ theory) {end}", share, "below", SETTLED, back, heated, of_heating),
        Claim(
            "it is insensitive to the phases",
            "distance of the values that D(image ‖ theory) tends to beside the fixed point, nats a site",
            "below", SMOOTH, here, "a ring at the same couplings, which has one phase", elsewhere,
        ),
        Claim(
            "two theories become harder to tell apart", "largest ratio of their D to that before a step",
            "below", 1.0, _extreme(pairs.columns["ratio_decimated"], max),
            "two rings that are cooled, K 2^n", _extreme(pairs.columns["ratio_cooled"], max),
        ),
    ]  # fmt: skip


def draw_relative_entropy(result: RelativeEntropy, ax: Any = None) -> Any:
    """Draw D along decimation and heating, in the plane, and between two rings (pass three axes)."""
    tables = result.tables
    with styled():
        left, middle, right = axes = axes_of(ax, 3, (13.5, 4.2))
        for name, style, label in (("ring", "o-", "decimated"), ("heating", "x:", "heated only")):
            for colour, K in zip(COLOURS, result.parameters.couplings, strict=False):
                steps, D = _path(tables[name], K, "D_per_site")
                left.plot(steps, D, style, color=colour, ms=4, label=f"K = {K:g}, {label}")
        for K in result.parameters.plane_couplings:
            steps, D = _path(tables["plane"], K, "D_back_per_site")
            middle.plot(steps, D, "o-", ms=4, label=f"K = {K:g}")
        for colour, K in zip(COLOURS, result.parameters.couplings, strict=False):
            steps, D = _path(tables["pairs"], K, "D_decimated")
            right.semilogy(steps, D, "o-", ms=4, color=colour, label=f"{K:g} and {K / 2:g}")
        left.set(ylabel="D(K ‖ K after), nats a site", title="Ring")
        middle.set(ylabel="D(K after ‖ K), nats a site", title="Plane, bonds moved")
        right.set(ylabel="D of the whole rings, nats", title="Two rings, decimated together")
        for panel in axes:
            panel.set_xlabel("step")
            panel.legend(fontsize=7, ncols=2 if panel is left else 1)
        right.set_ylim(bottom=1e-30)  # beyond any experiment
        left.set_ylim(top=1.45 * left.get_ylim()[1])  # the legend stands above the curves
        left.axhline(0, color=GREY, lw=0.8)
        return axes


def _path(table: Table, K: float, column: str) -> tuple[FloatArray, FloatArray]:
    """The steps from K, and a column along them."""
    here = np.array(table.columns["K"]) == K
    return np.array(table.columns["step"])[here], np.array(table.columns[column], dtype=float)[here]


def _quick(parameters: Parameters) -> Parameters:
    return replace(parameters, couplings=(1.0,), plane_couplings=(0.25, 0.35), n_steps=4, n_sites=64)


EXPERIMENTS = [
    paper_experiment(
        "relative_entropy",
        "relative entropy between a theory and its image, along decimation",
        __name__,
        RelativeEntropy,
        _quick,
        draw_relative_entropy,
        SOURCE,
    )
]
