"""The trained weight for training data of any origin.

Only the histogram of the magnetization enters the equation. ``⟨V tanh WV⟩_p = ⟨V tanh WV⟩_q`` holds for any
law q over the configurations of M spins: other lattices, other dimensions, mixtures of temperatures, measured
data. W = 0 is the minimum of KL(q‖p) if ``⟨V²⟩_q ≤ M``, the value of independent spins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rbmflow.arguments import FloatArray, check_digits, check_integer, shown
from rbmflow.estimate import Estimate
from rbmflow.ising.law import Law, magnetizations
from rbmflow.precision import borrowed_context, settle, to_exact
from rbmflow.spins import check_spins
from rbmflow.weight.equation import MAX_UNITS, check_sizes, order_function
from rbmflow.weight.exact import exact_root
from rbmflow.weight.forms import Form, StrongForm, WeakForm, strong_from, window
from rbmflow.weight.solve import solve_form

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike

ROUNDING = 8 * np.finfo(float).eps
"""Below this ⟨V²⟩/M − 1 of float64 probabilities is their rounding."""
STRONG_START = 1.0
FLOAT_DIGITS, LARGEST_LOG = 12.0, 1e200
TOLERANCE = 1e-12
"""How far probabilities may be from symmetry and from the sum 1; rounding of 10⁷ entries stays below."""


def trained_weight_from_law(law: Law, n_hidden: int, *, dps: int | None = None) -> Any:
    """Return the weight that an RBM with equal weights acquires on data of a given law of the magnetization.

    The positive root of ``⟨V tanh WV⟩_p = ⟨V tanh WV⟩_q`` (thesis eq. 63), where KL(q‖p) has its minimum.
    There is exactly one for ``⟨V²⟩ > M``, unless all spins are aligned, and none otherwise: a theorem
    (docs/theory/uniqueness.md).

    Parameters
    ----------
    law : Law
        Of the magnetization of M ≥ 3 spins; its rows must sum to 1 and be symmetric under V → −V, as p is
        (`Law.symmetrized` makes them so: the equation depends on ``|V|`` only).
    n_hidden : int
        Hidden units N, at least 1.
    dps : int, optional
        Correct decimal digits, the probabilities taken as exact; float64 without it.

    Returns
    -------
    float, numpy.ndarray, mpmath.mpf or array of mpf
        In the leading shape of the probabilities: 0 where ``⟨V²⟩ ≤ M`` (in float64 up to rounding, 2e-15 M),
        infinite where all spins are aligned.

    See Also
    --------
    trained_weight_from_samples : The same for measured spins.
    rbmflow.ising.Law : A law of the magnetization.

    References
    ----------
    J. ter Hoeve, *Renormalization Group connected to Neural Networks*, thesis, Utrecht (2018), eq. 63.

    Examples
    --------
    >>> from rbmflow import Ring
    >>> print(round(trained_weight_from_law(Ring(8).magnetization_law(1.0), 4), 12))
    0.306308329812
    """
    rows = folded_rows(law)
    n_visible, n_hidden = check_sizes(law.n_sites, n_hidden)
    shape = law.probabilities.shape[:-1]
    if dps is None:
        return np.array([weight_of_histogram(row, n_visible, n_hidden) for row in rows]).reshape(shape)[()]
    digits = check_digits(dps)
    result = np.empty(int(np.prod(shape)), dtype=object)
    for index, row in enumerate(law.probabilities.reshape(-1, n_visible + 1)):
        result[index] = settle(lambda ctx, row=row: [_exact(ctx, row, n_visible, n_hidden)], digits)[0]
    return result.reshape(shape)[()]


def folded_rows(law: Law) -> FloatArray:
    """Return P(|V|), |V| = M, M − 2, …, in float64, a row for each law.

    Each law must be normalised and symmetric.
    """
    if not isinstance(law, Law):
        raise TypeError(f"law={shown(law)}: a rbmflow.Law is needed")
    probabilities = law.probabilities
    if probabilities.dtype.kind not in "iufO":
        raise TypeError(f"law.probabilities has dtype {probabilities.dtype}: real numbers are needed")
    if probabilities.dtype.kind == "O":
        with borrowed_context(30) as ctx:
            values = [float(to_exact(ctx, "law.probabilities", p)) for p in probabilities.flat]
        approximate = np.array(values).reshape(probabilities.shape)
    else:
        approximate = probabilities.astype(np.float64)
    if not np.isfinite(approximate).all() or (approximate < 0).any():
        raise ValueError(
            "law.probabilities holds a negative number, NaN or an infinity: probabilities are needed"
        )
    total = approximate.sum(axis=-1)
    if (np.abs(total - 1) > TOLERANCE).any():
        worst = total.flat[np.abs(total - 1).argmax()]
        raise ValueError(f"law.probabilities sum to {shown(float(worst))}: 1 is needed")
    if (np.abs(approximate - approximate[..., ::-1]) > TOLERANCE).any():
        raise ValueError(
            "law.probabilities differ for V and -V: a symmetric law is needed; law.symmetrized() makes it "
            "one, which changes no mean of an even function of V"
        )
    return fold(approximate.reshape(-1, law.n_sites + 1))


def fold(probabilities: FloatArray) -> FloatArray:
    """Return P(|V|), |V| = M, M − 2, …, 0 or 1, from P(V), V = −M, …, M along the last axis."""
    n = probabilities.shape[-1] - 1
    half = probabilities[..., : n // 2 + 1] + probabilities[..., ::-1][..., : n // 2 + 1]
    if n % 2 == 0:
        half[..., -1] = probabilities[..., n // 2]
    return half


def histogram_form(half: FloatArray, n_visible: int) -> Form | None:
    """Return the form of the equation for P(|V|), |V| = M, M − 2, …; None where the trained weight is 0."""
    view = window(n_visible)
    half = half / half.sum()
    excess = half - view.free
    surplus = float(excess @ view.values**2) / n_visible
    if surplus <= ROUNDING:
        return None
    if 1 + surplus > strong_from(n_visible):
        scale = half[1:].max()
        return StrongForm(view, half[1:] / scale, float(np.log(scale)))
    return WeakForm(view, excess)


def weight_of_histogram(half: FloatArray, n_visible: int, n_hidden: int) -> float:
    """Return the trained weight for P(|V|), |V| = M, M − 2, …, not necessarily normalised."""
    if not half[1:].any():
        return float("inf")
    form = histogram_form(half, n_visible)
    return 0.0 if form is None else solve_form(form, n_hidden)


def _exact(ctx: Any, row: Any, n_visible: int, n_hidden: int) -> Any:
    exact = [to_exact(ctx, "law.probabilities", p) for p in row]
    digits = ctx.dps
    ctx.prec = max(ctx.prec, *(p._mpf_[3] + 64 for p in exact))
    half = [a + b for a, b in zip(exact[: n_visible // 2 + 1], reversed(exact), strict=False)]
    if n_visible % 2 == 0:
        half[-1] = exact[n_visible // 2]
    ctx.dps = digits
    return exact_weight_of_histogram(ctx, half, n_visible, n_hidden)


def exact_weight_of_histogram(ctx: Any, data: list[Any], n_visible: int, n_hidden: int) -> Any:
    """Return the trained weight for weights of |V| = M, M − 2, …, to the precision of the context."""
    if not any(data[1:]):
        return ctx.inf
    # ⟨V²⟩ − M without a difference of rounded numbers: fdot is exact before its one rounding
    excess = [(n_visible - 2 * k) ** 2 - n_visible for k in range(len(data))]
    surplus = ctx.fdot(data, excess) / ctx.fsum(data) / n_visible
    if surplus <= 0:
        return ctx.zero
    spare = max(0, int(-1.5 * float(ctx.log10(surplus)))) + 10
    start, known = _start(ctx, data, surplus, n_visible, n_hidden)
    return exact_root(ctx, data, start, known, spare, n_visible, n_hidden)


def _start(ctx: Any, data: list[Any], surplus: Any, n_visible: int, n_hidden: int) -> tuple[Any, float]:
    """Return a first weight and its digits.

    From float64 where that resolves the law, else from its leading terms.
    """
    total = ctx.fsum(data)
    missing = ctx.fdot(data, [2 * k for k in range(len(data))]) / total
    if ctx.log(missing) < -LARGEST_LOG:  # s^N = ⟨M − V⟩/2M, the leading law of strong coupling
        return ctx.log(2 * n_visible / missing) / (2 * n_hidden), FLOAT_DIGITS
    if surplus > STRONG_START:
        scale = max(data[1:]) / total
        interior = np.array([float(p / total / scale) for p in data[1:]])
        form: Form = StrongForm(window(n_visible), interior, float(ctx.log(scale)))
        return ctx.mpf(solve_form(form, n_hidden)), 6.0
    if surplus > 1e-6:
        half = np.array([float(p / total) for p in data])
        return ctx.mpf(weight_of_histogram(half, n_visible, n_hidden)), 6.0
    # ⟨V²⟩_p − ⟨V²⟩_q = (W²/3) (⟨V⁴⟩_p − ⟨V⁴⟩_q) with ⟨V²⟩_p = M + N M (M − 1) W², ⟨V⁴⟩_p = 3M² − 2M
    fourth = ctx.fdot(data, [(n_visible - 2 * k) ** 4 for k in range(len(data))]) / ctx.fsum(data)
    slope = n_hidden * n_visible * (n_visible - 1) - (3 * n_visible**2 - 2 * n_visible - fourth) / 3
    return ctx.sqrt(surplus * n_visible / slope), 1.0


def trained_weight_from_samples(spins: ArrayLike, n_hidden: int) -> Estimate:
    """Return the trained weight for measured configurations, with its standard error.

    The histogram of ``|V|`` takes the place of the law: the equation is even in V, so data that prefer one
    sign are folded. The standard error is that of the delta method: g(W) is a mean of n independent values
    V tanh WV of standard deviation σ, and W shifts by ``δg/(∂f/∂W − ∂g/∂W)``. Where the weight is 0, the
    sample has ``⟨V²⟩ ≤ M`` and the law is no longer linear; the error is then the weight that one standard
    deviation of ⟨V²⟩ above M would give, ``[σ(V²)/(√n M N (M−1))]^½``.

    Time O(M) for each sample.

    Parameters
    ----------
    spins : array_like
        Independent configurations ±1, shape ``(n_samples, n_visible)``, two or more of three or more spins.
    n_hidden : int
        Hidden units N, at least 1.

    Returns
    -------
    Estimate
        ``tau = 0.5``; infinite, with infinite error, if every sample is aligned.

    See Also
    --------
    trained_weight_from_law : The same for a law that is known.
    rbmflow.training.learn : Weights that are not equal.

    Examples
    --------
    >>> from rbmflow import Ring
    >>> print(trained_weight_from_samples(Ring(8).sample(1.0, 100_000, rng=1), 4))
    0.3075 ± 0.0005
    """
    n_hidden = check_integer("n_hidden", n_hidden, 1, MAX_UNITS)
    configurations = check_spins("spins", spins)
    if configurations.ndim != 2 or configurations.shape[0] < 2 or configurations.shape[1] < 3:
        raise ValueError(
            f"spins has shape {configurations.shape}: (n_samples, n_visible) with at least 2 "
            "samples of 3 spins is needed"
        )
    n_samples, n_visible = configurations.shape
    down = (n_visible - np.abs(configurations.sum(axis=1, dtype=np.int64))) // 2
    half = np.bincount(down, minlength=n_visible // 2 + 1) / n_samples
    values = magnetizations(n_visible)[::-1][: len(half)].astype(np.float64)
    weight = weight_of_histogram(half, n_visible, n_hidden)
    if weight == 0.0:
        deviation = np.sqrt(_variance(half, values**2) / n_samples)
        error = np.sqrt(deviation / (n_visible * float(n_hidden) * (n_visible - 1)))
    elif np.isinf(weight):
        error = np.inf
    else:
        form = histogram_form(half, n_visible)
        assert form is not None
        slope = form.scale(weight) * form.sensitivity(weight, n_hidden) / weight
        error = np.sqrt(_variance(half, order_function(weight, values)) / n_samples) / slope
    return Estimate(weight, float(error), 0.5, float(n_samples), float("nan"))


def _variance(half: FloatArray, function: FloatArray) -> float:
    return float(half @ (function - half @ function) ** 2)
