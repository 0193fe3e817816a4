"""The trained uniform weight at couplings of one's choice and of data of one's own, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from rbmflow.experiments.style import BLUE, ORANGE, RED, HasTables, axes_of, columns, styled
from rbmflow.experiments.tables import Cell, Digits, Table, columns_of, digits_of
from rbmflow.flow import critical_weight
from rbmflow.weight import f, trained_weight

DOUBLE_DIGITS = 15
CURVE_POINTS = 301
LARGEST_SHOWN = 20.0
"""Coupling up to which a curve is drawn."""


def weights_table(couplings: Sequence[str], n_visible: int, n_hidden: int, dps: int | None = None) -> Table:
    """Return W(K), the gain M N W² and where the flow goes, for couplings given as text.

    Examples
    --------
    >>> weights_table(["1"], 8, 4).columns
    {'K': ['1'], 'W': ['0.306308329811523'], 'gain': ['3.00239337318159'], 'flow': ['orders']}
    """
    if dps is None:
        found: list[Any] = np.asarray(
            trained_weight([_number(one) for one in couplings], n_visible, n_hidden)
        ).tolist()
        texts = [Digits(f"{W:.15g}") for W in found]
    else:
        found = list(trained_weight(couplings, n_visible, n_hidden, dps=dps))
        texts = [digits_of(W, dps) for W in found]
    exact = dps is not None and dps > DOUBLE_DIGITS
    rows: list[tuple[Cell, ...]] = [
        (K if exact else Digits(K), text, *_gain_and_fate(float(W), n_visible, n_hidden))
        for K, text, W in zip(couplings, texts, found, strict=True)
    ]
    caption = f"Trained uniform weight, M = {n_visible}, N = {n_hidden}"
    return Table(caption, columns_of(("K", "W", "gain", "flow"), rows))


def certified_table(
    couplings: Sequence[str], n_visible: int, n_hidden: int, digits: int = DOUBLE_DIGITS
) -> Table:
    """Return bounds of W(K) that are proven, for couplings given as text; needs the extra ``certify``."""
    from rbmflow.weight import certified_weight

    rows: list[tuple[Cell, ...]] = []
    for K in couplings:
        found = certified_weight(K, n_visible, n_hidden, digits=digits)
        only = found.unique_on == ("0", "inf")
        rows.append((K, found.lower, found.upper, found.unique_by if only else "not shown"))
    caption = f"Bounds of the trained uniform weight by ball arithmetic, M = {n_visible}, N = {n_hidden}"
    return Table(caption, columns_of(("K", "lower", "upper", "no_other_root"), rows))


def _gain_and_fate(W: float, n_visible: int, n_hidden: int) -> tuple[Digits, str]:
    orders = critical_weight(n_visible, n_hidden) < W
    return Digits(f"{n_visible * n_hidden * W * W:.15g}"), "orders" if orders else "goes to m = 0"


def _number(text: str) -> float:
    try:
        return float(Fraction(text)) if "/" in text else float(text)
    except (ValueError, ZeroDivisionError, OverflowError):
        raise ValueError(f"K={text!r}: a number is needed") from None


def curve_table(couplings: Sequence[str], n_visible: int, n_hidden: int) -> Table:
    """Return W(K) finely from 0 to beyond the largest finite coupling."""
    given = [abs(value) for value in map(_number, couplings) if abs(value) <= LARGEST_SHOWN]
    K = np.linspace(0.0, 1.1 * max([*given, 1.0]), CURVE_POINTS)
    W = np.asarray(trained_weight(K, n_visible, n_hidden))
    columns: dict[str, list[Any]] = {"K": K.tolist(), "W": W.tolist()}
    columns["gain"] = (n_visible * n_hidden * W * W).tolist()
    return Table(f"W(K), M = {n_visible}, N = {n_hidden}", columns)


def data_table(spins: Any, n_hidden: int) -> Table:
    """Return the weight that equal weights acquire on rows of spins, with its standard error."""
    from rbmflow.weight import trained_weight_from_samples

    found = trained_weight_from_samples(spins, n_hidden)
    n_samples, M = np.shape(spins)
    gain, fate = _gain_and_fate(found.mean, M, n_hidden)
    row = (n_samples, M, Digits(f"{found.mean:.15g}"), Digits(f"{found.stderr:.3g}"), gain, fate)
    names = ("n_samples", "n_visible", "W", "stderr", "gain", "flow")
    return Table(f"Uniform weight trained on the data, N = {n_hidden}", columns_of(names, [row]))


def sides_table(spins: Any, n_hidden: int) -> Table:
    """Return the two sides ⟨V tanh WV⟩, of the machine and of the data, around the weight where they meet."""
    from rbmflow.weight import trained_weight_from_samples

    found = trained_weight_from_samples(spins, n_hidden).mean
    M = np.shape(spins)[1]
    V, counts = np.unique(np.sum(spins, axis=1, dtype=np.int64), return_counts=True)
    W = np.linspace(0.0, 2.2 * found if 0 < found < np.inf else 3.0, CURVE_POINTS)
    data = (V * np.tanh(W[:, None] * V)) @ (counts / counts.sum())
    columns: dict[str, list[Any]] = {"W": W.tolist(), "machine": np.asarray(f(W, M, n_hidden)).tolist()}
    columns["data"] = data.tolist()
    return Table(f"⟨V tanh WV⟩ of the machine and of the data, M = {M}, N = {n_hidden}", columns)


def draw_weight(result: HasTables, ax: Any = None, *, n_visible: int, n_hidden: int) -> Any:
    """Draw W(K), the couplings that were asked for, and the weight above which the flow orders."""
    curve, asked = columns(result, "weight_curve"), columns(result, "weight")
    K, W = np.array([_number(str(one)) for one in asked["K"]]), np.asarray(asked["W"], dtype=float)
    with styled():
        ax = axes_of(ax)
        ax.plot(curve["K"], curve["W"], color=BLUE, label="W(K)")
        shown = (np.abs(K) <= curve["K"][-1]) & np.isfinite(W)
        ax.plot(K[shown], W[shown], "o", color=RED, zorder=3, label="asked for")
        ax.axhline(
            critical_weight(n_visible, n_hidden),
            color="black",
            lw=1,
            ls="--",
            label="1/√(MN): the flow orders above",
        )
        ax.set(xlabel="K = βJ", ylabel="trained weight W", title=result.tables["weight"].caption)
        ax.legend()
        return ax


def draw_weight_of_data(result: HasTables, ax: Any = None) -> Any:
    """Draw the two sides of the equation for data of one's own, and the weight at which they meet."""
    sides, found = columns(result, "f_and_g"), columns(result, "weight")
    W, stderr = float(found["W"][0]), float(found["stderr"][0])
    with styled():
        ax = axes_of(ax)
        ax.plot(sides["W"], sides["machine"], color=BLUE, label="machine")
        ax.plot(sides["W"], sides["data"], color=ORANGE, label="data")
        if np.isfinite(W):
            ax.axvspan(W - stderr, W + stderr, color=RED, alpha=0.2, lw=0)
            ax.axvline(W, color=RED, lw=1, ls="--", label=f"W = {W:.5g}, ± {stderr:.2g}")
        ax.set(xlabel="W", ylabel="⟨V tanh WV⟩", title=result.tables["weight"].caption, ylim=(0, None))
        ax.legend(loc="lower right")
        return ax
