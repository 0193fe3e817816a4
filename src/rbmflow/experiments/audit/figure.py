"""The figure of an audit: six panels."""

from __future__ import annotations

from typing import Any

import numpy as np

from rbmflow.experiments.audit.chains import FROM_DATA, FROM_RANDOM
from rbmflow.experiments.style import BLUE, GREEN, GREY, ORANGE, HasTables, axes_of, columns, styled

COLOURS = {FROM_DATA: BLUE, FROM_RANDOM: ORANGE, "rows": GREY}


def draw_audit(result: HasTables, ax: Any = None) -> Any:
    """Draw likelihoods, singular values, fixed points, couplings, memory and free energies (six axes)."""
    panels = (_likelihoods, _modes, _fixed_points, _couplings, _memory, _free_energies)
    with styled():
        axes = axes_of(ax, len(panels), (13.5, 7.6), 2)
        for panel, draw in zip(axes, panels, strict=True):
            panel.set_axisbelow(True)
            draw(result, panel)
        return axes


def _absent(panel: Any, title: str, why: str) -> None:
    panel.text(0.5, 0.5, why, ha="center", va="center", color=GREY, transform=panel.transAxes)
    panel.set(xticks=[], yticks=[], xlabel=" ", ylabel=" ", title=title)
    panel.grid(visible=False)


def _likelihoods(result: HasTables, panel: Any) -> None:
    title = "Log-likelihood of the rows"
    if "likelihood" not in result.tables:
        _absent(panel, title, "needs data")
        return
    found = columns(result, "likelihood")
    n = 3
    for place, colour in zip(range(n), (BLUE, ORANGE, GREY), strict=True):
        mean, error = found["mean"][place], found["stderr"][place]
        panel.barh(place, mean, height=0.6, color=colour, alpha=0.5)
        bounds = [[mean - found["lower"][place]], [found["upper"][place] - mean]]
        if np.isfinite(bounds).all() and max(bounds[0][0], bounds[1][0]) > 0:
            panel.errorbar([mean], [place], xerr=bounds, color=GREY, capsize=6, lw=1)
        panel.errorbar([mean], [place], xerr=[error], color="black", capsize=3, fmt="o", ms=4)
        panel.text(0, place, f"{mean:.4g}  ".replace("-", "−"), ha="right", va="center")
    panel.set(yticks=range(n), xlabel="nats per row", title=title)
    panel.set_yticklabels([str(name).replace(" ", "\n") for name in found["law"][:n]])
    panel.invert_yaxis()


def _modes(result: HasTables, panel: Any) -> None:
    found = columns(result, "singular_values")
    panel.plot(found["mode"], found["singular_value"], "o", ms=3.5, color=BLUE)
    panel.axhline(1, color=GREY, lw=1, ls="--", label="v = 0 is unstable above, without biases")
    panel.set(xlabel="mode", ylabel="singular value of W", title="Singular values", ylim=(0, None))
    panel.legend(fontsize=8.5)


def _fixed_points(result: HasTables, panel: Any) -> None:
    title = "Fixed points of the mean-field map"
    if "fixed_points" not in result.tables or not result.tables["fixed_points"].columns["stable"]:
        _absent(panel, title, "none known")
        return
    found = columns(result, "fixed_points")
    for stable, marker, name in ((True, "o", "stable"), (False, "x", "unstable")):
        here = found["stable"] == stable
        panel.plot(
            found["magnetization"][here],
            found["free_energy"][here],
            marker,
            ms=5,
            color=BLUE if stable else ORANGE,
            label=name,
        )
    ln_z = result.tables["log_partition"].columns["log_partition"][0]
    panel.axhline(-float(ln_z), color=GREY, lw=1, ls="--", label="−ln Z")  # type: ignore[arg-type]
    panel.set(xlabel="magnetization", ylabel="free energy", title=title)
    panel.legend(fontsize=8.5)


def _couplings(result: HasTables, panel: Any) -> None:
    title = "Effective couplings"
    if "couplings" not in result.tables:
        _absent(panel, title, "not computed")
        return
    found = columns(result, "couplings")
    for order, name, colour in ((1, "fields", BLUE), (2, "pairs", ORANGE), (3, "triples", GREEN)):
        sizes = np.abs(found["coupling"][found["order"] == order])
        sizes = sizes[sizes > 0]
        panel.loglog(np.arange(1, len(sizes) + 1), sizes, color=colour, label=name)
    panel.set(xlabel="rank", ylabel="|J|", title=title)
    panel.legend(fontsize=8.5)


def _memory(result: HasTables, panel: Any) -> None:
    found = columns(result, "chains")
    for name in dict.fromkeys(found["begun_in"]):
        here = found["begun_in"] == name
        panel.errorbar(
            found["sweeps"][here],
            found["memory"][here],
            found["memory_stderr"][here],
            fmt="o-",
            ms=3,
            lw=1.2,
            color=COLOURS[str(name)],
            label=f"begun in {name}",
        )
    panel.axhline(0, color=GREY, lw=1, ls="--")
    panel.set_xscale("symlog", linthresh=1)
    panel.set_xlim(left=0)
    panel.set(xlabel="sweeps", ylabel="memory of the start", title="What chains remember")
    panel.legend(fontsize=8.5)


def _free_energies(result: HasTables, panel: Any) -> None:
    found = columns(result, "free_energies")
    edges = np.append(found["from"], found["to"][-1])
    for name in list(found)[2:]:
        colour = COLOURS[name.removeprefix("begun in ")]
        filled = name == "rows"
        panel.stairs(
            found[name], edges, fill=filled, alpha=0.4 if filled else 1, lw=1.5, color=colour, label=name
        )
    panel.set(xlabel="free energy F(v)", ylabel="share", title="Free energies")
    panel.legend(fontsize=8.5)
