"""The renormalization group and the RBM flow side by side: temperature against step, same configurations."""

from __future__ import annotations

from typing import Any

import numpy as np

from rbmflow import flow, thermometer
from rbmflow.arguments import SpinArray
from rbmflow.estimate import Estimate
from rbmflow.experiments.reproduction.stage import Findings, Parameters
from rbmflow.experiments.style import COLOURS, GREY, Drawing, HasTables, axes_of, columns, legend_line, styled
from rbmflow.experiments.tables import Cell, Check, Table, columns_of
from rbmflow.ising import Ring, Torus
from rbmflow.ising.onsager import CRITICAL_TEMPERATURE
from rbmflow.ising.solved import Solved
from rbmflow.networks import RBM
from rbmflow.rg import block_spins, decimate, decimate_spins
from rbmflow.sampling import training_set
from rbmflow.training import CD, SGD, fit
from rbmflow.weight import trained_weight

RING_SITES, RING_TEMPERATURES, RING_ROWS = 64, (0.5, 1.0, 2.0), 4000
TORUS_TEMPERATURES, TORUS_ROWS = (2.0, CRITICAL_TEMPERATURE, 2.6), 1000
TRAINING_TEMPERATURES = tuple(k / 4 for k in range(25))
N_STEPS, N_BLOCKINGS = 6, 3
RING_TABLE, TORUS_TABLE = "side_by_side_ring", "side_by_side_torus"
COPY = 6.0


def stage(parameters: Parameters, rng: np.random.Generator) -> Findings:
    """On the ring decimation and three machines, on a torus block spins and a trained machine."""
    sources = rng.spawn(2)
    ring, checks = _ring(sources[0])
    torus = _torus(
        16 if max(parameters.lattice_sides) >= 16 else 8, parameters.n_training_samples, sources[1]
    )
    return {RING_TABLE: ring, TORUS_TABLE: torus}, checks


def _ring(rng: np.random.Generator) -> tuple[Table, list[Check]]:
    """Temperatures of decimated configurations, and of the same ones along flows of machines for them."""
    ring = Ring(RING_SITES)
    rows: list[tuple[Cell, ...]] = []
    checks: list[Check] = []
    for T in RING_TEMPERATURES:
        spins = ring.sample(1 / T, RING_ROWS, rng=rng)
        level, K = spins, 1 / T
        for step in range(N_BLOCKINGS + 1):
            coarse = Ring(level.shape[1])
            read = thermometer.EnergyThermometer(coarse).estimate(level)
            rows.append((T, "decimation", step, _finite(read.mean), _finite(read.stderr), 1 / K))
            if step:
                checks.append(_energy_check(f"{step} decimations", coarse, level, T, K))
            level, K = decimate_spins(level, coarse.n_sites), float(decimate(K).K)
        decimating = RBM.decimating(ring, 1 / T, COPY)
        hidden = decimating.sample_hidden(spins, rng)
        coarse, K = Ring(hidden.shape[1]), float(decimate(1 / T).K)
        checks.append(_energy_check("one step v → h of the decimating machine", coarse, hidden, T, K))
        machines = {
            "uniform, mean field": (
                flow.mean_field,
                RBM.uniform(
                    ring.n_sites, ring.n_sites // 2,
                    float(trained_weight(1 / T, ring.n_sites, ring.n_sites // 2)),
                ),
            ),
            "local, mean field": (flow.mean_field, RBM.local_ring(ring.n_sites, 1 / T)),
            "local, Gibbs": (flow.gibbs, RBM.local_ring(ring.n_sites, 1 / T)),
        }  # fmt: skip
        for name, (step_map, rbm) in machines.items():
            rows += [(T, name, *row, None) for row in _readings(step_map, rbm, ring, spins, rng)]
    names = ("T", "flow", "step", "reading", "stderr", "exact")
    caption = (
        f"Temperature of {RING_ROWS} configurations of a ring of {RING_SITES} along each flow, "
        "by the exact thermometer"
    )
    return Table(caption, columns_of(names, rows)), checks


def _energy_check(what: str, ring: Ring, spins: SpinArray, T: float, K: float) -> Check:
    """Compare the energy of coarse configurations with the ring's of the renormalized coupling."""
    energy = Estimate.from_independent(flow.lattice_observables(ring)["energy"](spins))
    exact = float(ring.energy(K))
    name = f"energy per site after {what}, samples at T = {T:g}"
    return Check(
        name,
        str(energy),
        f"{exact:.6g}",
        energy.deviation(exact),
        5.0,
        "standard errors",
        "tanh K' = tanh² K",
    )


def _torus(side: int, n_samples: int, rng: np.random.Generator) -> Table:
    """Block spins, and the flows of a machine trained at all temperatures."""
    lattice = Torus(side, side)
    data_rng, fresh_rng, start_rng, fit_rng, flow_rng = rng.spawn(5)
    data = training_set(lattice, TRAINING_TEMPERATURES, n_samples, rng=data_rng)
    fresh = training_set(lattice, TORUS_TEMPERATURES, TORUS_ROWS, rng=fresh_rng)
    rbm = RBM(start_rng.normal(0, 0.01, (lattice.n_sites, lattice.n_sites // 2)))
    batches = -(-len(data.configurations) // 100)
    rbm = fit(
        rbm,
        data,
        negative=CD(1),
        optimizer=SGD(0.01),
        n_epochs=max(1, 2500 // batches),
        rng=fit_rng,
        record=(),
    ).model
    rows: list[tuple[Cell, ...]] = []
    for T, spins in zip(TORUS_TEMPERATURES, fresh.spins, strict=True):
        level, here = spins, side
        for step in range(N_BLOCKINGS + 1):
            read = thermometer.EnergyThermometer(Torus(here, here)).estimate(level)
            rows.append((T, "block spins", step, _finite(read.mean), _finite(read.stderr)))
            if here < 8 or here % 2:
                break
            level, here = block_spins(level, (here, here), rng=flow_rng), here // 2
        for name, step_map in (("trained, mean field", flow.mean_field), ("trained, Gibbs", flow.gibbs)):
            rows += [(T, name, *row) for row in _readings(step_map, rbm, lattice, spins, flow_rng)]
    names = ("T", "flow", "step", "reading", "stderr")
    caption = (
        f"Temperature of {TORUS_ROWS} configurations of the {side} × {side} torus along each flow, "
        "read from the energy"
    )
    return Table(caption, columns_of(names, rows))


def _readings(
    step_map: Any, rbm: RBM, lattice: Solved, spins: Any, rng: np.random.Generator
) -> list[tuple[Cell, ...]]:
    meter = thermometer.EnergyThermometer(lattice)
    found: list[tuple[Cell, ...]] = []

    def read(step: int, batch: Any) -> None:
        estimate = meter.estimate(batch)
        found.append((step, _finite(estimate.mean), _finite(estimate.stderr)))

    flow.orbit(step_map, rbm, spins, N_STEPS, rng=rng, callback=read)
    return found


def _finite(value: float) -> Cell:
    return value if np.isfinite(value) else None


def draw_side_by_side(result: HasTables, ax: Any = None) -> Any:
    """Draw temperature against step for the RG and machines, on a ring and on a torus (pass four axes)."""
    with styled():
        axes = axes_of(ax, 4, (12.0, 8.0), 2)
        panels = (
            (axes[0], RING_TABLE, ("decimation",), "Ring: decimation"),
            (
                axes[1],
                RING_TABLE,
                ("uniform, mean field", "local, mean field", "local, Gibbs"),
                "Ring: machines",
            ),
            (axes[2], TORUS_TABLE, ("block spins",), "Torus: block spins, b = 2"),
            (
                axes[3],
                TORUS_TABLE,
                ("trained, mean field", "trained, Gibbs"),
                "Torus: machine trained at T = 0 ... 6",
            ),
        )
        for panel, table, flows, title in panels:
            data = columns(result, table)
            for T, colour in zip(np.unique(data["T"]), COLOURS, strict=False):
                for name, style in zip(flows, ("-", "--", ":"), strict=False):
                    here = (data["T"] == T) & (data["flow"] == name)
                    step, reading, stderr = (
                        data[key][here].astype(float) for key in ("step", "reading", "stderr")
                    )
                    panel.errorbar(
                        step, reading, np.nan_to_num(stderr), fmt="o" + style, ms=3.5, lw=1.3, color=colour
                    )
                    if name == "decimation":
                        panel.plot(step, data["exact"][here].astype(float), color="black", lw=0.8, ls=":")
            handles = [
                legend_line(color=colour, label=f"from T = {T:.4g}")
                for T, colour in zip(np.unique(data["T"]), COLOURS, strict=False)
            ]
            if len(flows) > 1:
                handles += [
                    legend_line(color=GREY, ls=style, label=name)
                    for name, style in zip(flows, ("-", "--", ":"), strict=False)
                ]
            else:
                handles += [legend_line(color="black", lw=0.8, ls=":", label="exact")] * (table == RING_TABLE)
            panel.set(title=title, ylabel="temperature read from the energy, $J/k_B$", xlabel="step")
            if table == RING_TABLE:
                panel.set(yscale="log", ylim=(0.3, 200))
            else:
                panel.set_ylim(1.2, 4.4)
                panel.axhline(CRITICAL_TEMPERATURE, color="black", lw=1, ls="--")
            panel.legend(
                handles=handles,
                fontsize=8,
                loc="upper right" if len(flows) > 1 else "upper left",
                ncols=2 if len(flows) > 1 else 1,
            )
            panel.set_xticks(range(int(np.max(data["step"][np.isin(data["flow"], flows)].astype(int))) + 1))
        return axes


FIGURES: dict[str, Drawing] = {
    "side_by_side": draw_side_by_side,
}
