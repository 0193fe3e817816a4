"""What the flow is: a property of the parameters.

Exact machines of one chain, their flows, and the optimum that decimates.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rbmflow import flow
from rbmflow.experiments.reproduction.stage import Findings, Parameters, absolute, relative
from rbmflow.experiments.style import BLUE, GREEN, ORANGE, RED, Drawing, HasTables, axes_of, columns, styled
from rbmflow.experiments.tables import Cell, Check, Table, columns_of, tables_of
from rbmflow.ising import Law, Ring, Torus, state_law
from rbmflow.networks import RBM, hidden_law, kl_divergence
from rbmflow.rg import decimate
from rbmflow.roots import bracketed_root
from rbmflow.spins import all_states
from rbmflow.state_law import StateLaw
from rbmflow.training import LBFGS, Exact, GibbsOperator, fit
from rbmflow.weight import trained_weight, trained_weight_from_law

COPY = 6.0
"""Weight of the copies in decimating machines: KL 3.4e-9 at K = 1."""
LOCAL_THRESHOLD = float(np.log(np.cosh(1.0)) / 2)
"""K at which 2w = 1 for the local machine, cosh 2w = e^(2K): 0.21689."""
SETTLE_STEPS = 4000
STATIONARY_SITES, STATIONARY_K, STATIONARY_ROWS = 64, 0.5, 2000
OPTIMUM_STARTS = 6
TORUS_K, TORUS_COPY = 0.4407, 8.0
RANGE_SIDE = 6
KINDS = (
    ("uniform", BLUE, "uniform, trained"),
    ("local", ORANGE, "local pairs, exact"),
    ("decimating", GREEN, "decimating"),
)


def stage(parameters: Parameters, rng: np.random.Generator) -> Findings:
    """Three machines of one chain, deterministic against stochastic flow, s₁ = 1, and the free optimum."""
    sources = rng.spawn(3)
    found = (
        _machines_of_a_chain(parameters),
        _stationary(parameters, sources[0]),
        _threshold_of_singular_values(sources[1]),
        _optimum(sources[2]),
        _ranges_on_a_torus(),
    )
    return tables_of(tables for tables, _ in found), [check for _, checks in found for check in checks]


def machines(M: int, N: int, K: float) -> dict[str, RBM]:
    """Return the uniform machine trained at K, and the local and decimating ones, exact for the ring."""
    return {
        "uniform": RBM.uniform(M, N, float(trained_weight(K, M, N))),
        "local": RBM.local_ring(M, K),
        "decimating": RBM.decimating(Ring(M), K, COPY),
    }


def settled(rbm: RBM) -> float:
    """Return m of the mean-field flow from the aligned state, when it has settled."""
    return float(flow.mean_field(rbm, np.ones((1, rbm.n_visible)), n_steps=SETTLE_STEPS).mean())


def _machines_of_a_chain(parameters: Parameters) -> Findings:
    M, N = parameters.n_visible, parameters.n_hidden
    thresholds = (LOCAL_THRESHOLD, float(flow.critical_coupling(M, N)))
    couplings = np.sort([*np.linspace(0.02, 1.5, max(11, parameters.n_points // 4)), *thresholds])
    rows: list[tuple[Cell, ...]] = []
    for K in couplings.tolist():
        law = state_law(Ring(M), K)
        row: list[Cell] = [K]
        for name, rbm in machines(M, N, K).items():
            uniform = flow.uniform_fixed_points(float(rbm.weights[0, 0]), M, N) if name == "uniform" else None
            row += [
                uniform.magnetization[-1] if uniform is not None else settled(rbm),
                float(flow.spectrum(rbm).singular_values[0]), max(kl_divergence(law, rbm), 0.0),
            ]  # fmt: skip
        rows.append(tuple(row))
    kinds = ("uniform", "local", "decimating")
    names = ["K"] + [f"{kind}_{quantity}" for kind in kinds for quantity in ("m", "s_1", "kl_nats")]
    caption = (
        f"Where the mean-field flow of three machines of the ring ends, M = {M}; "
        f"decimating with copy weight {COPY:g}"
    )
    table = Table(caption, columns_of(names, rows))
    checks = [
        relative(
            "K at which v = 0 becomes unstable under the local machine",
            _root_of_gain(M), LOCAL_THRESHOLD, 1e-12, "½ ln cosh 1",
        ),
        absolute("m of the local flow below, K = 0.2", settled(RBM.local_ring(M, 0.2)), 0.0, 1e-9, "s₁ < 1"),
        relative(
            "m of the local flow at K = 0.5",
            settled(RBM.local_ring(M, 0.5)), _root_of_pair(0.5), 1e-12, "m = tanh(2w tanh 2wm)",
        ),
        absolute(
            "KL of the local machine at K = 1, nats",
            kl_divergence(state_law(Ring(M), 1.0), RBM.local_ring(M, 1.0)),
            0.0, 1e-13, "exact by tracing out h",
        ),
    ]  # fmt: skip
    return {"three_flows": table}, checks


def _root_of_gain(M: int) -> float:
    """The coupling at which the largest singular value of the local machine is 1."""

    def surplus(K: float) -> float:
        return float(flow.spectrum(RBM.local_ring(M, K)).singular_values[0]) - 1

    return bracketed_root(surplus, 0.01, 1.0, absolute=1e-15)


def _root_of_pair(K: float) -> float:
    """The positive solution of m = tanh(2w tanh 2wm), cosh 2w = e^(2K)."""
    double = np.arccosh(np.exp(2 * K))
    return bracketed_root(
        lambda m: float(np.tanh(double * np.tanh(double * m))) - m, 0.1, 1.0, absolute=1e-15
    )


def _stationary(parameters: Parameters, rng: np.random.Generator) -> Findings:
    """The local machine of a ring: Gibbs sampling keeps the exact law, the mean-field flow leaves it."""
    ring, K = Ring(STATIONARY_SITES), STATIONARY_K
    rbm = RBM.local_ring(ring.n_sites, K)
    spins = ring.sample(K, STATIONARY_ROWS, rng=rng)
    rows: list[tuple[Cell, ...]] = []
    checks: list[Check] = []
    for name, step in (
        ("gibbs", flow.gibbs),
        ("mean_field_sampled", flow.mean_field_sampled),
        ("mean_field", flow.mean_field),
    ):
        path = flow.orbit(
            step, rbm, spins, parameters.n_steps, observables=flow.lattice_observables(ring), rng=rng
        )
        for index, (energy, order) in enumerate(
            zip(path.observables["energy"], path.order_parameter, strict=True)
        ):
            rows.append((name, index, energy.mean, energy.stderr, order.mean, order.stderr))
        if name == "gibbs":
            exact = float(ring.energy(K))
            checks.append(
                Check(
                    f"energy per site after {parameters.n_steps} Gibbs steps, M = {ring.n_sites}, K = {K:g}",
                    str(path.observables["energy"][-1]),
                    f"{exact:.6g}",
                    path.observables["energy"][-1].deviation(exact),
                    5.0,
                    "standard errors",
                    "closed form: the flow is stationary",
                )
            )
    law = state_law(Ring(8), 0.7)
    operator = GibbsOperator(RBM.local_ring(8, 0.7))
    drift = float(np.abs(operator.push(law.probabilities, 1) - law.probabilities).max())
    checks.append(
        absolute("change of q by a Gibbs step, as a matrix, M = 8, K = 0.7", drift, 0.0, 1e-15, "q T = q")
    )
    names = ("map", "step", "energy", "energy_stderr", "order_parameter", "order_parameter_stderr")
    caption = f"The local machine of a ring of {ring.n_sites} at K = {K:g}: flows from exact samples"
    return {"stationary_flow": Table(caption, columns_of(names, rows))}, checks


def _threshold_of_singular_values(rng: np.random.Generator) -> Findings:
    """Random weights scaled to s₁ on both sides of 1."""
    weights = rng.normal(size=(12, 7))
    weights /= np.linalg.norm(weights, 2)
    rows: list[tuple[Cell, ...]] = []
    for s_1 in (0.5, 0.9, 0.98, 1.02, 1.1, 1.5, 3.0):
        v = flow.mean_field(RBM(s_1 * weights), rng.uniform(-1, 1, (50, 12)), n_steps=SETTLE_STEPS)
        rows.append((s_1, float(np.abs(v).max()), float(np.abs(v).max(axis=1).min())))
    table = Table(
        "Random weights of 12 × 7 units scaled to a largest singular value s₁: "
        "|v_i| after the mean-field flow of 50 starts",
        columns_of(("s_1", "largest", "largest_of_the_smallest"), rows),
    )
    checks = [
        absolute(
            "largest |v_i| after the flow, s₁ = 0.98",
            float(rows[2][1] or 0.0), 0.0, 1e-12, "s₁ < 1 contracts",
        ),
        absolute(
            "starts that stay at 0 with s₁ = 1.02",
            float(float(rows[3][2] or 0.0) < 1e-3), 0.0, 0.0, "s₁ > 1 leaves 0",
        ),
    ]  # fmt: skip
    return {"threshold_of_singular_values": table}, checks


def _optimum(rng: np.random.Generator) -> Findings:
    """Free training with half as many hidden units finds the decimated ring; on a torus, one sublattice."""
    M, N, K = 8, 4, 1.0
    law = state_law(Ring(M), K)
    runs = [
        fit(
            RBM(rng.normal(0, 0.5, (M, N))), law, negative=Exact(), optimizer=LBFGS(), n_epochs=500, rng=1,
            record=["kl"],
        )
        for _ in range(OPTIMUM_STARTS)
    ]  # fmt: skip
    divergences = [kl_divergence(law, one.model) for one in runs]
    best = runs[int(np.argmin(divergences))].model
    coarse = float(decimate(K).K)
    ring = state_law(Ring(N), coarse)
    rows: list[tuple[Cell, ...]] = [
        (
            "trained",
            None,
            min(divergences),
            _neighbour_correlation(best),
            float(np.linalg.norm(best.weights, 2)),
        )
    ]
    for copy in (2.0, 3.0, 4.0, 6.0, 8.0):
        rbm = RBM.decimating(Ring(M), K, copy)
        rows.append(
            (
                "decimating", copy, kl_divergence(law, rbm), _neighbour_correlation(rbm),
                float(np.linalg.norm(rbm.weights, 2)),
            )
        )  # fmt: skip
    exact = float(Ring(N).correlation(coarse, 1))
    table = Table(
        f"Machines of {M} + {N} units for the ring at K = {K:g}: "
        f"hidden correlation, decimated ring {exact:.6f}",
        columns_of(("machine", "copy_weight", "kl_nats", "hidden_correlation", "s_1"), rows),
    )
    decimating = RBM.decimating(Ring(M), K, COPY)
    torus = Torus(4, 4)
    sublattice = RBM.decimating(torus, TORUS_K, TORUS_COPY)
    checks = [
        absolute(
            "hidden neighbours' correlation, best of six free trainings",
            _neighbour_correlation(best), exact, 0.002, "tanh K' = tanh² K (eq. 48)",
        ),
        absolute("KL of that machine, nats", min(divergences), 0.0, 1e-4, "a machine that decimates exists"),
        absolute(
            "law of the hidden layer against the decimated ring",
            _largest_difference(hidden_law(decimating), ring), 0.0, 1e-14, "eq. 48, all 16 states",
        ),
        absolute(
            "law of the hidden layer against one sublattice, 4 × 4 torus",
            _largest_difference(hidden_law(sublattice), _marginal(torus)),
            0.0, 1e-14, "sum over the other sublattice",
        ),
        absolute(
            "KL of that machine, nats, K = 0.4407",
            kl_divergence(state_law(torus, TORUS_K), sublattice),
            1.27e-12, 2e-13, "theory of the copies, e^(−4c)",
        ),
    ]  # fmt: skip
    return {"optimum": table}, checks


def _ranges_on_a_torus() -> Findings:
    """Uniform machines trained on a torus at sets of temperatures with and without the critical one."""
    torus = Torus(RANGE_SIDE, RANGE_SIDE)
    M = N = torus.n_sites
    temperatures = np.arange(25) / 4
    laws = torus.magnetization_law(
        np.divide(1.0, temperatures, out=np.full(25, np.inf), where=temperatures > 0)
    )
    sets = {
        "0, 0.25, ..., 6": temperatures >= 0,
        "0.25, ..., 6": temperatures > 0,
        "0, ..., 6 without 2 to 2.75": (temperatures < 2) | (temperatures > 2.75),
        "2 to 2.75": (temperatures >= 2) & (temperatures <= 2.75),
        "2.5, ..., 6": temperatures >= 2.5,
        "3.5, ..., 6": temperatures >= 3.5,
        "4, ..., 6 (type H)": temperatures >= 4,
    }
    rows: list[tuple[Cell, ...]] = []
    for name, chosen in sets.items():
        law = Law(laws.values, laws.probabilities[chosen].mean(axis=0))
        W = float(trained_weight_from_law(law, N))
        rows.append((name, W, M * N * W * W, flow.uniform_fixed_points(W, M, N).magnetization[-1]))
    table = Table(
        f"Uniform machines trained on the {RANGE_SIDE} × {RANGE_SIDE} torus (exact laws), N = M: "
        "gain MNW² and |m| at the fixed point",
        columns_of(("temperatures", "W", "gain", "fixed_point_m"), rows),
    )
    return {"ranges_on_a_torus": table}, []


def _neighbour_correlation(rbm: RBM) -> float:
    """Mean |⟨h h'⟩| over hidden units that copy neighbouring sites of one sublattice of a ring."""
    order = np.argsort(np.abs(rbm.weights).argmax(axis=0))
    correlations = np.abs(hidden_law(rbm).correlations[np.ix_(order, order)])
    return float(np.mean([correlations[i, (i + 1) % len(order)] for i in range(len(order))]))


def _largest_difference(found: StateLaw, wanted: StateLaw) -> float:
    """The largest difference of two laws over all states in one order."""
    return float(np.abs(found.probabilities - wanted.probabilities).max())


def _marginal(torus: Torus) -> StateLaw:
    """The exact law of the even sublattice, states in their usual order."""
    law = state_law(torus, TORUS_K)
    kept, _ = torus.sublattices()
    index = (law.states[:, kept] > 0) @ (1 << np.arange(len(kept)))
    weights = np.bincount(index, weights=law.probabilities).astype(np.float64)
    return StateLaw(all_states(len(kept)), weights)


def draw_three_flows(result: HasTables, ax: Any = None) -> Any:
    """Draw m*, s₁ and the divergence left of three machines of one chain over K (pass three axes)."""
    data = columns(result, "three_flows")
    with styled():
        axes = axes_of(ax, 3, (14.0, 4.2))
        for name, colour, label in KINDS:
            axes[0].plot(data["K"], data[f"{name}_m"], color=colour, label=label)
            axes[1].plot(data["K"], data[f"{name}_s_1"], color=colour)
            axes[2].plot(data["K"], np.maximum(data[f"{name}_kl_nats"], 1e-17), color=colour)
        axes[0].axvline(LOCAL_THRESHOLD, color=ORANGE, lw=1, ls=":")
        axes[1].axhline(1, color="black", lw=1, ls="--")
        axes[1].text(data["K"][-1], 1.0, "v = 0 unstable above ", ha="right", va="bottom", fontsize=9)
        axes[0].set(
            ylabel="m of the mean-field flow from v = 1, settled",
            title="Three machines of one chain, three flows",
        )
        axes[1].set(ylabel="largest singular value s₁ of W", title="Whether v = 0 is stable")
        axes[2].set(yscale="log", ylabel="KL(q‖p), nats", title="How well each represents the chain")
        axes[2].text(
            data["K"][-1], 1.5e-17, "0 to rounding ", color=ORANGE, ha="right", va="bottom", fontsize=9
        )
        for panel in axes:
            panel.set_xlabel("K = βJ")
        axes[0].legend(loc="lower right")
        return axes


def draw_stationary_flow(result: HasTables, ax: Any = None) -> Any:
    """Draw energy and |m| along three flows of the exact local machine (pass two axes)."""
    data = columns(result, "stationary_flow")
    with styled():
        axes = axes_of(ax, 2, (10.0, 4.0))
        for name, colour, label in (
            ("gibbs", BLUE, "Gibbs"),
            ("mean_field_sampled", ORANGE, "mean field, sampled"),
            ("mean_field", RED, "mean field"),
        ):
            here = data["map"] == name
            for panel, quantity in zip(axes, ("energy", "order_parameter"), strict=True):
                panel.errorbar(
                    data["step"][here], data[quantity][here], data[f"{quantity}_stderr"][here],
                    fmt="o-", ms=3, lw=1.2, color=colour, label=label,
                )  # fmt: skip
        axes[0].set(ylabel="energy per site, J", title="One exact machine, three maps")
        axes[1].set(ylabel="|m|", title="Only Gibbs sampling keeps the law")
        for panel in axes:
            panel.set_xlabel("step v → h → v")
        axes[0].legend(loc="lower left")
        return axes


FIGURES: dict[str, Drawing] = {
    "three_flows": draw_three_flows,
    "stationary_flow": draw_stationary_flow,
}
