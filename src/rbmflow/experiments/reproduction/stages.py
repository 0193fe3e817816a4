"""The stages that follow the thesis: its figures and statements, as tables and checked numbers."""

from __future__ import annotations

from math import comb

import numpy as np

from rbmflow import flow, rg
from rbmflow.experiments.reproduction.stage import DIGITS, Findings, Parameters, digits, references, relative
from rbmflow.experiments.tables import Check, Table, columns_of, named_columns
from rbmflow.ising import Ring
from rbmflow.networks import RBM
from rbmflow.precision import context
from rbmflow.spins import all_states
from rbmflow.weight import f, g, kl_uniform, trained_weight


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
            named_columns(
                [("step", list(range(9))), *((f"from_K_{orbit[0]:g}", orbit.tolist()) for orbit in orbits.T)]
            ),
        ),
    }
    n_sites, checks = 16, []
    for coupling, start in ((-0.7, 0.2), (0.5, 0.0), (1.0, -0.3)):
        old = Ring(n_sites).log_partition(coupling) + n_sites * start
        new = rg.decimate(coupling, start)
        renormalized = Ring(n_sites // 2).log_partition(new.K) + n_sites // 2 * new.K0
        name = f"ln Z'(K', K0') at K = {coupling}, K0 = {start}, M = {n_sites}"
        checks.append(relative(name, float(renormalized), float(old), 1e-14, "ln Z(K, K0) before decimation"))
    exact = rg.decimate("1", "0.25", dps=60)
    renormalized = Ring(8).log_partition(exact.K, dps=60) + 8 * exact.K0
    checks.append(
        digits(
            "ln Z'(K', K0') at K = 1, K0 = 1/4, M = 16",
            renormalized,
            Ring(16).log_partition("1", dps=60) + 4,
            50,
        )
    )
    return tables, checks


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
    sides = [(f"g_K_{K:g}", g(W, K, M).tolist()) for K in couplings]
    columns = named_columns([("W", W.tolist()), ("f", f(W, M, N).tolist()), *sides])
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
        relative("g(W, 1) at the trained weight", float(g(root, 1.0, M)), literal, 1e-14, source),
        relative(
            "f(W) at the trained weight",
            float(f(root, M, N)),
            float(slope),
            1e-14,
            "hidden sum (eq. 73, 100)",
        ),
        relative("f(W) = g(W, 1) at the trained weight", float(f(root, M, N)), literal, 1e-14, source),
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
        checks.append(relative(f"{name}, float64", value, float(row["W"]), 4e-15, known["weights_source"]))
        exact = trained_weight(row["K"], m, n, dps=DIGITS)
        checks.append(digits(f"{name}, {DIGITS} digits", exact, row["W"], DIGITS, known["weights_source"]))
        rows.append((m, n, row["K"], float(value), context(DIGITS).nstr(exact, DIGITS)))
    kl = known["kl"]
    value = kl_uniform(trained_weight(1.0, 8, 4), 1.0, 8, 4)
    checks.append(relative("KL(q‖p) at W(1), nats", float(value), float(kl["value"]), 1e-14, kl["source"]))
    names = ("n_visible", "n_hidden", "K", "W", "W_40_digits")
    tables["trained_weights"] = Table("Trained weights to 40 digits", columns_of(names, rows))
    return tables, checks


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
