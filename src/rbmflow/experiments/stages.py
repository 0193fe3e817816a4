"""The stages of a reproduction: what the thesis states, recomputed, as tables and checked numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from math import comb
from typing import Any

import numpy as np

from rbmflow import flow, rg
from rbmflow.arguments import check_integer
from rbmflow.experiments.record import Check, Table, columns_of
from rbmflow.ising import Ring
from rbmflow.networks import RBM
from rbmflow.precision import context
from rbmflow.spins import all_states
from rbmflow.weight import f, g, kl_uniform, trained_weight

THESIS_VISIBLE, THESIS_HIDDEN = 8, 4
DIGITS = 40


@dataclass(frozen=True)
class Parameters:
    """What is computed, and how much of it.

    Attributes
    ----------
    n_visible, n_hidden : int
        The thesis' architecture, M = 8 and N = 4.
    n_points : int
        Points on each curve.
    enumeration_sites : int
        Longest ring whose configurations are all visited.
    n_samples : int
        Configurations in each ensemble that flows.
    flow_couplings : tuple of float
        Couplings at which the ensembles are drawn.
    trained_at : tuple of float
        Couplings at which the machines of the flow are trained; T = 0 comes in addition.
    n_steps : int
        Steps of the flow.
    boundary_exponent : int
        The phase boundary reaches ``M = 2**boundary_exponent``.
    n_threads : int or None
        Threads of the enumeration; no result depends on it.
    """

    n_visible: int = THESIS_VISIBLE
    n_hidden: int = THESIS_HIDDEN
    n_points: int = 601
    enumeration_sites: int = 36
    n_samples: int = 1_000_000
    flow_couplings: tuple[float, ...] = (0.1, 0.5, 1.0)
    trained_at: tuple[float, ...] = (0.3, 0.5, 1.0, 2.0)
    n_steps: int = 12
    boundary_exponent: int = 16
    n_threads: int | None = None

    def __post_init__(self) -> None:
        for name, minimum in (("n_points", 11), ("enumeration_sites", 8), ("n_samples", 100), ("n_steps", 1)):
            check_integer(name, getattr(self, name), minimum)
        check_integer("boundary_exponent", self.boundary_exponent, 3, 20)

    @classmethod
    def quick(cls) -> Parameters:
        """Return a reduced set for a first look, a few seconds of work."""
        return cls(n_points=121, enumeration_sites=24, n_samples=20_000, boundary_exponent=10)


Findings = tuple[dict[str, Table], list[Check]]


def references() -> dict[str, Any]:
    """Return the independently computed numbers that ship with the package."""
    text = files("rbmflow.experiments").joinpath("reference.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def _relative(name: str, computed: float, reference: float, tolerance: float, source: str) -> Check:
    difference = abs(computed - reference) / abs(reference)
    return Check(
        name, repr(float(computed)), repr(float(reference)), difference, tolerance, "relative", source
    )


def decimation(parameters: Parameters, _rng: np.random.Generator) -> Findings:
    """Fig. 2: K' against K, orbits of the flow, and the identity Z(K, K0) = Z'(K', K0')."""
    K = np.linspace(0.0, 3.0, parameters.n_points)
    orbits = rg.decimation_flow([3.0, 2.0, 1.0, 0.5], 8)
    tables = {
        "fig2_decimation_map": Table(
            "Decimation, tanh K' = tanh² K (eq. 48), and its spin-independent term (eq. 49)",
            {
                "K": K.tolist(),
                "K_renormalized": np.asarray(rg.decimate(K).K).tolist(),
                "K0_renormalized": np.asarray(rg.decimate(K).K0).tolist(),
            },
        ),
        "fig2_decimation_flow": Table(
            "Couplings after repeated decimation",
            {"step": list(range(9))} | {f"from_K_{orbit[0]:g}": orbit.tolist() for orbit in orbits.T},
        ),
    }
    n_sites, checks = 16, []
    for coupling, start in ((-0.7, 0.2), (0.5, 0.0), (1.0, -0.3)):
        old = Ring(n_sites).log_partition(coupling) + n_sites * start
        new = rg.decimate(coupling, start)
        renormalized = Ring(n_sites // 2).log_partition(new.K) + n_sites // 2 * new.K0
        name = f"ln Z'(K', K0') at K = {coupling}, K0 = {start}, M = {n_sites}"
        checks.append(
            _relative(name, float(renormalized), float(old), 1e-14, "ln Z(K, K0) before decimation")
        )
    exact = rg.decimate("1", "0.25", dps=60)
    renormalized = Ring(8).log_partition(exact.K, dps=60) + 8 * exact.K0
    checks.append(
        _digits(
            "ln Z'(K', K0') at K = 1, K0 = 1/4, M = 16",
            renormalized,
            Ring(16).log_partition("1", dps=60) + 4,
            50,
        )
    )
    return tables, checks


def _digits(
    name: str, computed: Any, reference: Any, digits: int, source: str = "ln Z(K, K0) before decimation"
) -> Check:
    """Compare two multiprecision numbers to a number of significant digits."""
    ctx = context(digits + 20)
    a, b = ctx.convert(computed), ctx.convert(reference)
    difference = float(abs(a - b) / abs(b))
    return Check(
        name, ctx.nstr(a, digits), ctx.nstr(b, digits), difference, 10.0 ** (1 - digits), "relative", source
    )


def counting(parameters: Parameters, _rng: np.random.Generator) -> Findings:
    """Every configuration visited, against the closed form; the classes of small rings."""
    rows, checks = [], []
    known = references()["classes"]
    lengths = [*range(3, 17), *range(20, parameters.enumeration_sites + 1, 2)]
    for n_sites in lengths:
        closed = Ring(n_sites).degeneracies()
        visited = Ring(n_sites).enumerate(n_threads=parameters.n_threads)
        rows.append((n_sites, len(closed), closed.total, visited == closed))
        reference = known["value"].get(str(n_sites))
        if reference is not None:
            name = f"classes (α, V) of the ring of {n_sites}"
            difference = abs(len(visited) - reference)
            checks.append(
                Check(name, str(len(visited)), str(reference), difference, 0.0, "exact", known["source"])
            )
    wrong = sum(not row[-1] for row in rows)
    name = f"rings of 3 to {lengths[-1]} sites whose brute-force counts differ from the closed form"
    checks.append(Check(name, str(wrong), "0", wrong, 0.0, "exact", "(M/k) C(n−1, k−1) C(M−n−1, k−1)"))
    table = Ring(parameters.n_visible).degeneracies()
    tables = {
        "counts_of_rings": Table(
            "Rings whose 2^M configurations were all visited",
            columns_of(("n_sites", "classes", "configurations", "equal_to_closed_form"), rows),
        ),
        "degeneracies": Table(
            f"Configurations of the ring of {parameters.n_visible} for each α and V",
            columns_of(("alpha", "magnetization", "count"), list(table.rows())),
        ),
    }
    return tables, checks


def intersection(parameters: Parameters, _rng: np.random.Generator) -> Findings:
    """Figs. 3 and 5: f(W) and g(W, K) and where they meet; the literal eq. 69 over all states."""
    M, N = parameters.n_visible, parameters.n_hidden
    W = np.linspace(0.0, 1.6, parameters.n_points)
    couplings = (1.0, 2.0, 3.0)
    columns = {"W": W.tolist(), "f": f(W, M, N).tolist()}
    columns |= {f"g_K_{K:g}": g(W, K, M).tolist() for K in couplings}
    tables = {"fig3_fig5_f_and_g": Table(f"The two sides of eq. 74, M = {M}, N = {N}", columns)}
    root = trained_weight(1.0, M, N)
    spins = all_states(M).astype(float)
    alpha, V = (spins * np.roll(spins, 1, axis=1)).sum(axis=1), spins.sum(axis=1)
    boltzmann = np.exp(1.0 * alpha)
    literal = float((boltzmann * V * np.tanh(root * V)).sum() / boltzmann.sum())
    hidden = {h: comb(N, (N + h) // 2) for h in range(-N, N + 1, 2)}
    weight = {h: d * np.cosh(h * root) ** M for h, d in hidden.items()}
    slope = sum(weight[h] * M * h * np.tanh(h * root) for h in hidden) / sum(weight.values()) / N
    source = "sum over the 2^8 configurations (eq. 69)"
    return tables, [
        _relative("g(W, 1) at the trained weight", float(g(root, 1.0, M)), literal, 1e-14, source),
        _relative(
            "f(W) at the trained weight",
            float(f(root, M, N)),
            float(slope),
            1e-14,
            "hidden sum (eq. 73, 100)",
        ),
        _relative("f(W) = g(W, 1) at the trained weight", float(f(root, M, N)), literal, 1e-14, source),
    ]


def weights(parameters: Parameters, _rng: np.random.Generator) -> Findings:
    """Fig. 4: W(K), and every reference value in float64 and to 40 digits."""
    M, N = parameters.n_visible, parameters.n_hidden
    K = np.linspace(0.0, 3.0, parameters.n_points)
    W = trained_weight(K, M, N)
    tables = {
        "fig4_trained_weight": Table(
            f"Trained weight, its gain M N W² and the divergence left, M = {M}, N = {N}",
            {
                "K": K.tolist(),
                "W": W.tolist(),
                "gain": (M * N * W**2).tolist(),
                "kl_nats": kl_uniform(W, K, M, N).tolist(),
            },
        )
    }
    known, checks, rows = references(), [], []
    for row in known["weights"]:
        m, n = row["n_visible"], row["n_hidden"]
        value = trained_weight(float(row["K"]), m, n)
        name = f"W({row['K']}), M = {m}, N = {n}"
        checks.append(_relative(f"{name}, float64", value, float(row["W"]), 4e-15, known["weights_source"]))
        exact = trained_weight(row["K"], m, n, dps=DIGITS)
        checks.append(_digits(f"{name}, {DIGITS} digits", exact, row["W"], DIGITS, known["weights_source"]))
        rows.append((m, n, row["K"], float(value), context(DIGITS).nstr(exact, DIGITS)))
    kl = known["kl"]
    value = kl_uniform(trained_weight(1.0, 8, 4), 1.0, 8, 4)
    checks.append(_relative("KL(q‖p) at W(1), nats", float(value), float(kl["value"]), 1e-14, kl["source"]))
    names = ("n_visible", "n_hidden", "K", "W", "W_40_digits")
    tables["trained_weights"] = Table("Trained weights to 40 digits", columns_of(names, rows))
    return tables, checks


def limits(parameters: Parameters, _rng: np.random.Generator) -> Findings:
    """The limits of W(K), f and g that the thesis draws conclusions from, at 40 digits."""
    M, N = parameters.n_visible, parameters.n_hidden
    ctx = context(DIGITS)
    rows: list[tuple[str, str, str, str, float]] = []
    checks = []

    def add(quantity: str, at: str, value: Any, limit: Any, bound: float) -> None:
        a, b = ctx.convert(value), ctx.convert(limit)
        difference = float(abs(a - b))
        rows.append((quantity, at, ctx.nstr(a, 20), ctx.nstr(b, 20), difference))
        name = f"{quantity} at {at}"
        checks.append(
            Check(
                name,
                ctx.nstr(a, 20),
                ctx.nstr(b, 20),
                difference,
                bound,
                "absolute",
                "limit, error of the next order",
            )
        )

    add("W(K)", "K = 0", trained_weight("0", M, N, dps=DIGITS), 0, 0.0)
    for exponent in (2, 4, 6, 8):
        W = trained_weight(f"1e-{exponent}", M, N, dps=DIGITS)
        ratio = ctx.convert(W) ** 2 * N * (M - 1) / 2 * ctx.mpf(10) ** exponent
        add("W² N (M−1) / 2K", f"K = 1e-{exponent}", ratio, 1, 5 * 10.0**-exponent)
    shift = ctx.log(ctx.mpf(M * M - M % 2) / 8) / 2
    for coupling in (5, 10, 20, 40):
        W = ctx.convert(trained_weight(coupling, M, N, dps=DIGITS))
        # next term of the large-K law: (16/M²) s² / 2N, s = e^(−2W)
        bound = 10 * float(ctx.exp(-4 * W) / N)
        add("N W − 2K", f"K = {coupling}", N * W - 2 * coupling, -shift, bound)
    for weight in ("1", "4", "16"):
        bound = 4 * M * comb(M, 1) * float(ctx.exp(-2 * ctx.mpf(weight)))
        add("f(W)", f"W = {weight}", f(weight, M, N, dps=DIGITS), M, bound)
    for weight in ("1", "4", "16"):
        value = g(weight, "inf", M, dps=DIGITS)
        add("g(W, ∞)", f"W = {weight}", value, M * ctx.tanh(M * ctx.mpf(weight)), 1e-38)
    for coupling in (5, 10, 20):
        bound = M**3 * float(ctx.exp(-4 * ctx.mpf(coupling)))
        value = g("0.3", coupling, M, dps=DIGITS)
        add("g(0.3, K)", f"K = {coupling}", value, M * ctx.tanh(M * ctx.mpf("0.3")), bound)
    names = ("quantity", "at", "value", "limit", "difference")
    return {"limits": Table(f"Limits, M = {M}, N = {N}", columns_of(names, rows))}, checks


def ensembles(parameters: Parameters, rng: np.random.Generator) -> Findings:
    """Ensembles of exact samples at T ≠ 0 under machines trained at T = 0 and at T > 0."""
    M, N, n = parameters.n_visible, parameters.n_hidden, parameters.n_samples
    ring, rows, checks = Ring(M), [], []
    machines = [("T = 0", float("inf"))] + [(f"K = {K:g}", K) for K in parameters.trained_at]
    for K in parameters.flow_couplings:
        spins = ring.sample(K, n, rng=rng)
        zero = float(ring.magnetization_law(K).probabilities[M // 2])
        for label, trained in machines:
            W = trained_weight(trained, M, N)
            step = flow.sign if np.isinf(W) else flow.mean_field
            path = flow.orbit(step, RBM.uniform(M, N, 1.0 if np.isinf(W) else W), spins, parameters.n_steps)
            for index, (order, undecided) in enumerate(
                zip(path.order_parameter, path.undecided, strict=True)
            ):
                rows.append((K, label, float(W), index, order.mean, order.stderr, undecided))
            fixed = flow.uniform_fixed_points(W, M, N).magnetization[-1]
            exact = fixed * (1 - zero)
            final = path.order_parameter[-1]
            if np.isinf(W):
                name = f"⟨|m|⟩ after the sign map, ensemble at K = {K:g}"
                source = "1 − q(V = 0), exact law"
                z = final.deviation(exact)
                checks.append(Check(name, str(final), f"{exact:.6g}", z, 5.0, "standard errors", source))
            else:
                # the transient decays as multiplier^steps; what remains of it widens the tolerance
                decay = max(flow.uniform_fixed_points(W, M, N).multiplier[0], 0.0) ** parameters.n_steps
                tolerance = 5 * final.stderr + 2 * decay
                name = f"⟨|m|⟩ after {parameters.n_steps} steps, ensemble at K = {K:g}, trained at {label}"
                source = "m* (1 − q(V = 0)), fixed point of the flow"
                difference = abs(final.mean - exact)
                checks.append(
                    Check(name, str(final), f"{exact:.6g}", difference, tolerance, "absolute", source)
                )
    names = ("K_ensemble", "trained_at", "W", "step", "order_parameter", "stderr", "fraction_with_m_0")
    caption = f"Order parameter ⟨|m|⟩ along the flow, {n} exact samples each, M = {M}, N = {N}"
    return {"flow_of_ensembles": Table(caption, columns_of(names, rows))}, checks


def boundary(parameters: Parameters, _rng: np.random.Generator) -> Findings:
    """The phase boundary K_c(M) of the flow, for fixed N/M and for fixed N, with its asymptotes."""
    sizes = [2**k for k in range(2, parameters.boundary_exponent + 1)]
    columns: dict[str, list[Any]] = {"n_visible": sizes}
    for label, doubled in (("N_M_over_2", 1), ("N_M", 2), ("N_2M", 4)):
        hidden = [doubled * M // 2 for M in sizes]
        columns[f"K_c_{label}"] = [flow.critical_coupling(M, N) for M, N in zip(sizes, hidden, strict=True)]
        columns[f"asymptote_{label}"] = [
            threshold_asymptote(M, N) for M, N in zip(sizes, hidden, strict=True)
        ]
    for N in (1, 4):
        columns[f"K_c_N_{N}"] = [flow.critical_coupling(M, N) for M in sizes]
    known = references()
    reference, fixed = known["critical_coupling"], known["threshold_fixed_hidden"]
    value = flow.critical_coupling(8, 4)
    checks = [
        _relative("K_c(8, 4)", value, float(reference["value"]), 2e-15, reference["source"]),
        _relative(
            "W(K_c) at M = 8, N = 4",
            trained_weight(value, 8, 4),
            flow.critical_weight(8, 4),
            4e-15,
            "1/√(MN)",
        ),
    ]
    largest = sizes[-1]
    for N in (1, 4):
        expected = float(fixed["value"][str(N)])
        # half a unit of the printed digit, and the finite-size term of order 1/M
        tolerance = 0.5 * 10.0 ** -len(fixed["value"][str(N)].split(".")[1]) + 2.0 / largest
        computed = columns[f"K_c_N_{N}"][-1]
        name = f"K_c at N = {N}, M = {largest}"
        checks.append(
            Check(
                name,
                f"{computed:.6f}",
                str(expected),
                abs(computed - expected),
                tolerance,
                "absolute",
                fixed["source"],
            )
        )
    gap = abs(columns["K_c_N_M_over_2"][-1] - columns["asymptote_N_M_over_2"][-1])
    checks.append(
        Check(
            f"K_c − asymptote at N = M/2, M = {largest}",
            f"{gap:.2e}",
            "0",
            gap,
            2 / largest**0.5,
            "absolute",
            "O(M^(−1/2))",
        )
    )
    return {"phase_boundary": Table("Coupling K_c above which the trained flow orders", columns)}, checks


def threshold_asymptote(n_visible: int, n_hidden: int) -> float:
    """``¼ ln M + ½ ln[√12 Γ(3/4)/Γ(1/4) (1 + M/N)^(−1/2)]``, K_c for large M at fixed N/M."""
    from scipy.special import gamma

    amplitude = np.sqrt(12) * gamma(0.75) / gamma(0.25) / np.sqrt(1 + n_visible / n_hidden)
    return float(np.log(n_visible) / 4 + np.log(amplitude) / 2)


STAGES: dict[str, Callable[[Parameters, np.random.Generator], Findings]] = {
    "decimation": decimation,
    "counting": counting,
    "intersection": intersection,
    "weights": weights,
    "limits": limits,
    "ensembles": ensembles,
    "boundary": boundary,
}
