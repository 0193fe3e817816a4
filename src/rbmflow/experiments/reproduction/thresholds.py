"""The threshold of the flow: the coupling K_c(M, N) above which it orders, its laws, T_high of ranges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rbmflow import flow
from rbmflow.experiments.reproduction.stage import Findings, Parameters, absolute, references, relative
from rbmflow.experiments.style import BLUE, COLOURS, ORANGE, RED, Drawing, HasTables, axes_of, columns, styled
from rbmflow.experiments.tables import Check, Table, columns_of, named_columns
from rbmflow.weight import trained_weight

RATIOS = (0.5, 1.0, 2.0)
FIXED = (1, 4)
RANGES_FROM = (0.0, 0.25)
RANGE_SITES = 4096
Progress = Callable[[int, int], object] | None


def threshold_table(sizes: Sequence[int], hidden: Callable[[int], int], *, ranges: bool = True) -> Table:
    """Return K_c, T_flow = 1/K_c (below it the flow orders), the laws of long rings, T_high from T = 0."""
    names = ["n_visible", "n_hidden", "K_c", "T_flow", "law_of_long_rings", "with_correction"]
    rows: list[tuple[Any, ...]] = []
    for M in sizes:
        N = hidden(M)
        K_c = float(flow.critical_coupling(M, N))
        laws = [flow.critical_coupling_law(M, N, order=order) for order in (0, 1)]
        rows.append((M, N, K_c, 1 / K_c, *laws, *([flow.critical_temperature(M, N)] if ranges else [])))
    if ranges:
        names.append("T_high_from_T_0")
    return Table("Threshold of the trained flow: it orders above K_c, below T_flow", columns_of(names, rows))


def phase_table(largest_exponent: int, progress: Progress = None) -> Table:
    """Return K_c against M = 2², 2³, … for fixed N/M and fixed N, the law of long rings to both orders."""
    sizes = [2**k for k in range(2, largest_exponent + 1)]
    columns: list[tuple[str, list[Any]]] = [("n_visible", list(sizes))]
    for index, ratio in enumerate(RATIOS):
        hidden = [int(ratio * M) for M in sizes]
        pairs = list(zip(sizes, hidden, strict=True))
        columns.append((f"K_c_ratio_{ratio:g}", [flow.critical_coupling(M, N) for M, N in pairs]))
        for order in (0, 1):
            law = [flow.critical_coupling_law(M, N, order=order) for M, N in pairs]
            columns.append((f"law_{order}_ratio_{ratio:g}", law))
        if progress is not None:
            progress(index + 1, len(RATIOS) + len(FIXED))
    for index, N in enumerate(FIXED):
        columns.append((f"K_c_N_{N}", [flow.critical_coupling(M, N) for M in sizes]))
        if progress is not None:
            progress(len(RATIOS) + index + 1, len(RATIOS) + len(FIXED))
    return Table("Coupling K_c above which the trained flow orders", named_columns(columns))


def range_table(largest_exponent: int) -> Table:
    """Return T_high up to which training on [T_low, T_high] orders the flow, N = M/2; none if none does."""
    sizes = [2**k for k in range(3, largest_exponent + 1) if 2**k <= RANGE_SITES]
    one: list[Any] = [1 / float(flow.critical_coupling(M, M // 2)) for M in sizes]
    columns: list[tuple[str, list[Any]]] = [("n_visible", list(sizes)), ("T_flow", one)]
    for low in RANGES_FROM:
        highest = [
            flow.critical_temperature(M, M // 2, T_low=low) if low < T_flow else None
            for M, T_flow in zip(sizes, one, strict=True)
        ]
        columns.append((f"T_high_from_T_{low:g}", highest))
    return Table(
        "T_high below which training on T in [T_low, T_high] orders the flow, T_flow for one temperature; "
        "N = M/2",
        named_columns(columns),
    )


def stage(parameters: Parameters, _rng: np.random.Generator) -> Findings:
    """The phase boundary K_c(M) of the flow, for fixed N/M and fixed N, its laws; thresholds of ranges."""
    phases = phase_table(parameters.boundary_exponent)
    known = references()
    reference, fixed = known["critical_coupling"], known["threshold_fixed_hidden"]
    value = flow.critical_coupling(8, 4)
    checks = [
        relative("K_c(8, 4)", value, float(reference["value"]), 2e-15, reference["source"]),
        relative(
            "W(K_c) at M = 8, N = 4",
            trained_weight(value, 8, 4),
            flow.critical_weight(8, 4),
            4e-15,
            "1/√(MN)",
        ),
    ]
    largest = 2**parameters.boundary_exponent
    last = {name: float(column[-1] or 0) for name, column in phases.columns.items()}
    for N, text in fixed["value"].items():
        # half a unit of the printed digit
        tolerance = 0.5 * 10.0 ** -len(text.split(".")[1])
        limit = flow.critical_coupling_limit(int(N))
        checks.append(absolute(f"lim K_c at N = {N}, M → ∞", limit, float(text), tolerance, fixed["source"]))
    for N in FIXED:
        name = f"K_c at N = {N}, M = {largest}"
        limit = flow.critical_coupling_limit(N)
        tolerance = 2.0 / largest
        checks.append(absolute(name, last[f"K_c_N_{N}"], limit, tolerance, "limit, error of order 1/M"))
    for ratio in RATIOS:
        for order, size in ((0, largest**-0.5), (1, 1 / largest)):
            gap = last[f"K_c_ratio_{ratio:g}"] - last[f"law_{order}_ratio_{ratio:g}"]
            name = f"K_c − its law to order M^(−{order}/2) at N = {ratio:g} M, M = {largest}"
            # the next coefficients lie between 0.1 and 1 for these ratios
            checks.append(
                Check(name, f"{gap:.3e}", "0", gap, 1.2 * size, "absolute", "next order of the law")
            )
    return {
        "phase_boundary": phases,
        "thresholds_of_ranges": range_table(parameters.boundary_exponent),
    }, checks


def draw_boundary(result: HasTables, ax: Any = None) -> Any:
    """Draw the phase diagram of the trained flow: K_c over M with its laws, T for ranges (pass two axes)."""
    data, ranges = columns(result, "phase_boundary"), columns(result, "thresholds_of_ranges")
    with styled():
        axes = axes_of(ax, 2, (11.0, 4.4))
        left, right = axes
        M = data["n_visible"]
        for colour, ratio in zip(COLOURS, RATIOS, strict=False):
            label = "N = M" if ratio == 1 else f"N = {ratio:g} M"
            left.semilogx(M, data[f"K_c_ratio_{ratio:g}"], "o", ms=4, color=colour, label=label)
            left.semilogx(M, data[f"law_0_ratio_{ratio:g}"], color=colour, lw=1, ls="--")
            left.semilogx(M, data[f"law_1_ratio_{ratio:g}"], color=colour, lw=1.2)
        for colour, N in zip(COLOURS[len(RATIOS) :], FIXED, strict=False):
            left.semilogx(M, data[f"K_c_N_{N}"], "s-", ms=3, lw=1, color=colour, label=f"N = {N}")
        left.plot([], [], color="black", lw=1, ls="--", label="¼ ln M + const.")
        left.plot([], [], color="black", lw=1.2, label="with M$^{-1/2}$")
        left.text(
            0.97, 0.03, "flow goes to m = 0 (T = ∞)", transform=left.transAxes, ha="right", style="italic"
        )
        left.text(0.45, 0.95, "flow orders", transform=left.transAxes, va="top", ha="right", style="italic")
        left.set(
            xlabel="visible units M",
            ylabel="threshold coupling $K_c$",
            title="Trained at one temperature",
            ylim=(0, None),
        )
        left.legend(loc="upper left", bbox_to_anchor=(0.0, 0.9), fontsize=8.5, ncols=1)
        right.loglog(
            ranges["n_visible"],
            ranges["T_flow"],
            "o-",
            ms=4,
            color=BLUE,
            label="one temperature, $T_{flow} = 1/K_c$",
        )
        for colour, low in zip((RED, ORANGE), RANGES_FROM, strict=True):
            right.loglog(
                ranges["n_visible"],
                ranges[f"T_high_from_T_{low:g}"],
                "s-",
                ms=4,
                color=colour,
                label=f"T uniform on [{low:g}, $T_{{high}}$]",
            )
        right.set(
            xlabel="visible units M",
            ylabel="highest temperature whose flow orders, $J/k_B$",
            title="Trained on ranges, N = M/2",
        )
        right.set_yticks([0.5, 1, 2, 5, 10, 20], ["0.5", "1", "2", "5", "10", "20"])
        right.minorticks_off()
        right.legend(loc="best", fontsize=9)
        return axes


FIGURES: dict[str, Drawing] = {
    "phase_boundary": draw_boundary,
}
