"""Two forms of the equation f(W) = g(W), each free of cancellation where it is used.

Subtracting a constant from V tanh WV changes nothing, as both laws are normalised.

- `WeakForm`: with b the law of independent spins and T = V tanh WV/W less its mean under b,
  ``⟨T⟩_p = Σ (p − b) T`` and likewise ⟨T⟩_q. The excesses p − b and q − b are known to full relative
  precision: their covariances with T are no small differences of large numbers, however near to independence
  the data are.
- `StrongForm`: ``D = M tanh MW − V tanh VW ≥ 0`` vanishes for the aligned states, however much weight they
  carry.

Both give the residual r, negative below the root and positive above, with its derivatives by ln W and by K.
Magnetizations are |V|, largest first, both signs together.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rbmflow._kernels import magnetization
from rbmflow.arguments import FloatArray
from rbmflow.weight.equation import log_binomials, log_cosh_drop, order_function

WIDTHS = 16
"""Half-width of a window in standard deviations; beyond 13, with weight e^(−84), nothing counts."""


@dataclass(frozen=True)
class Window:
    """The magnetizations that carry weight, |V| = V_max, V_max − 2, …, 0 or 1.

    Attributes
    ----------
    n_visible : int
        Spins M.
    first : int
        Up spins of −V_max; 0 for all magnetizations.
    values : numpy.ndarray
        |V|.
    log_free : numpy.ndarray
        ``ln b(V)``, less its largest value with one sign.
    free : numpy.ndarray
        b(V), normalised.
    """

    n_visible: int
    first: int
    values: FloatArray
    log_free: FloatArray
    free: FloatArray


@lru_cache(maxsize=4)
def window(n_visible: int, first: int = 0) -> Window:
    """Return the window of |V| ≤ M − 2·first."""
    values = np.arange(n_visible - 2 * first, -1, -2, dtype=np.float64)
    log_free = log_binomials(n_visible, first)[: len(values)] + np.where(values == 0, 0.0, np.log(2.0))
    free = np.exp(log_free)
    return Window(n_visible, first, values, log_free, free / free.sum())


def window_for(n_visible: int, susceptibility: float) -> Window:
    """Return the window that laws of variance ``M χ`` or less need, wholly or nearly Gaussian ones.

    By the GHS inequality the ring's law has tails below those of a Gaussian of its variance. The machine's is
    a mixture, over the sum H of its hidden units, of binomial laws of variance below M around ``M tanh WH``,
    and ``f(W) = M ⟨H tanh WH⟩/N``: at the root f = g is at most ``⟨|V|⟩_q ≤ √(Mχ)``, and so is the mean of
    the centres, weighted with |H|/N. That nothing counts beyond the window was measured: up to gains MNW² of
    1,556 the roots with and without it agree to 4e-16.
    """
    half_width = WIDTHS * np.sqrt(n_visible * susceptibility) / 2
    return window(n_visible, n_visible // 2 - int(half_width) if half_width < 0.45 * n_visible else 0)


def strong_from(n_visible: int) -> float:
    """Return the susceptibility ⟨V²⟩/M from which on the strong form is the more precise one, as measured."""
    return max(min(n_visible / 3 + 1, 13.5), n_visible / 10)


def excess(gain: FloatArray, view: Window) -> FloatArray:
    """Return ``p − b`` of the law ``p ∝ b e^gain`` to full relative precision.

    The gain is at least 0 and vanishes at the smallest |V|.
    """
    top = max(0.0, float((view.log_free + gain).max()))
    scale = 1 / np.exp(view.log_free).sum()
    change = scale * np.where(
        gain < 1,
        np.exp(view.log_free - top) * np.expm1(np.minimum(gain, 1)),
        np.exp(view.log_free + gain - top) - np.exp(view.log_free - top),
    )
    total = change.sum()
    return np.asarray((change - total * view.free) / (total + np.exp(-top)))


def model_gain(W: float, n_hidden: int, view: Window) -> FloatArray:
    """Return ``N ln [cosh WV / cosh WV_min]``: ``p ∝ b e^gain``."""
    y = W * view.values
    with np.errstate(over="ignore"):
        log_cosh = np.where(
            y < 1, np.log1p(2 * np.sinh(y / 2) ** 2), y + np.log1p(np.exp(-2 * y)) - np.log(2)
        )
    return np.asarray(n_hidden * (log_cosh - log_cosh[-1]))


@dataclass(frozen=True)
class WeakForm:
    """``r = ln ⟨T⟩_p − ln ⟨T⟩_q``.

    Attributes
    ----------
    view : Window
        The magnetizations.
    excess : numpy.ndarray
        q − b.
    slope : numpy.ndarray or None
        ``d ln q/dK`` up to a constant, for laws of a coupling.
    """

    view: Window
    excess: FloatArray
    slope: FloatArray | None = None

    @property
    def surplus(self) -> float:
        """``χ − 1 = ⟨V²⟩_q/M − 1``."""
        return float(self.excess @ self.view.values**2) / self.view.n_visible

    def guess(self, n_hidden: int) -> float:
        """``M N W² = 1 − 1/χ`` of long rings, or ``N W = ½ ln (2M/⟨M − V⟩)`` of strong coupling."""
        M, values, surplus = self.view.n_visible, self.view.values, self.surplus
        weak = float(np.sqrt(surplus / (1 + surplus) / M / n_hidden))
        if surplus < 1:
            return weak
        missing = float((self.excess + self.view.free) @ (M - values))
        return max(weak, float(np.log(2 * M / missing)) / (4 * n_hidden))

    def residual(self, W: float, n_hidden: int) -> float:
        """Return r."""
        order = self._order(W)
        model = excess(model_gain(W, n_hidden, self.view), self.view)
        return float(np.log((model @ order) / (self.excess @ order)))

    def sensitivity(self, W: float, n_hidden: int) -> float:
        """Return ``dr/d ln W``."""
        view, y = self.view, W * self.view.values
        order = self._order(W)
        change = self._centred(
            (view.values / np.cosh(np.minimum(y, 350))) ** 2 - view.values * np.tanh(y) / W
        )
        model = excess(model_gain(W, n_hidden, view), view)
        tilt = n_hidden * y * np.tanh(y)
        mean = model @ order
        covariance = (model + view.free) @ ((order - mean) * tilt)
        return float((model @ change + covariance) / mean - (self.excess @ change) / (self.excess @ order))

    def residual_error(self, W: float, error: float) -> float:
        """Return how far r may be off if `excess` is off by a vector of norm `error`."""
        order = self._order(W)
        return error * float(np.linalg.norm(order) / (self.excess @ order))

    def response(self, W: float) -> float:
        """Return ``−dr/dK``, the logarithmic growth of ⟨T⟩_q with the coupling."""
        assert self.slope is not None
        order = self._order(W)
        mean = self.excess @ order
        return float((self.excess + self.view.free) @ ((order - mean) * self.slope) / mean)

    def scale(self, W: float) -> float:
        """Return ``d(f − g)/dr`` at the root."""
        return W * float(self.excess @ self._order(W))

    def _order(self, W: float) -> FloatArray:
        return weak_order(W, self.view)

    def _centred(self, function: FloatArray) -> FloatArray:
        return _centred(function, self.view)


def weak_order(W: float, view: Window) -> FloatArray:
    """Return ``T = V tanh WV/W`` less its mean over independent spins."""
    return _centred(order_function(W, view.values) / W, view)


def _centred(function: FloatArray, view: Window) -> FloatArray:
    return np.asarray(function - view.free @ function)


@dataclass(frozen=True)
class StrongForm:
    """``r = ln ⟨D⟩_q − ln ⟨D⟩_p``, over all magnetizations.

    Attributes
    ----------
    view : Window
        All magnetizations; the first is that of the aligned states.
    interior : numpy.ndarray
        ``q e^(−log_scale)`` without the aligned states.
    log_scale : float
        Logarithm of the unit of `interior`.
    slope : numpy.ndarray or None
        ``d ln [q / q(aligned)]/dK`` without the aligned states.
    """

    view: Window
    interior: FloatArray
    log_scale: float
    slope: FloatArray | None = None

    def guess(self, n_hidden: int) -> float:
        """``s^N = ⟨M − V⟩_q/2M``, s = e^(−2W), the leading law of strong coupling."""
        M = self.view.n_visible
        missing = np.log(self.interior @ (M - self.view.values[1:])) + self.log_scale
        return float(max(np.log(2 * M) - missing, 0.3) / (2 * n_hidden))

    def residual(self, W: float, n_hidden: int) -> float:
        """Return r."""
        deficit = self._deficit(W)
        log_model, log_norm = self._model(W, n_hidden)
        log_mean = _log_sum(log_model + np.log(deficit)) - log_norm
        return float(np.log(self.interior @ deficit) + self.log_scale - log_mean)

    def sensitivity(self, W: float, n_hidden: int) -> float:
        """Return ``dr/d ln W``; the tilt of p is ``−N W D``."""
        M, V = self.view.n_visible, self.view.values[1:]
        deficit = self._deficit(W)
        change = W * (_sech_squared(M, W) - _sech_squared(V, W))
        log_model, log_norm = self._model(W, n_hidden)
        biased = np.exp(log_model + np.log(deficit) - _log_sum(log_model + np.log(deficit)))
        mean = np.exp(_log_sum(log_model + np.log(deficit)) - log_norm)
        model = biased @ (change / deficit) - n_hidden * W * (biased @ deficit - mean)
        return float((self.interior @ change) / (self.interior @ deficit) - model)

    def residual_error(self, W: float, error: float) -> float:
        """Return how far r may be off if `interior` is off by a vector of norm `error`."""
        deficit = self._deficit(W)
        return error * float(np.linalg.norm(deficit) / (self.interior @ deficit))

    def response(self, W: float) -> float:
        """Return ``−dr/dK``."""
        assert self.slope is not None
        weight = self.interior * self._deficit(W)
        mean_slope = np.exp(self.log_scale) * (self.interior @ self.slope)
        return float(mean_slope - (weight @ self.slope) / weight.sum())

    def scale(self, W: float) -> float:
        """Return ``d(f − g)/dr`` at the root."""
        return float(np.exp(self.log_scale) * (self.interior @ self._deficit(W)))

    def _deficit(self, W: float) -> FloatArray:
        """``D = (M − V) tanh MW + V (tanh MW − tanh VW)``."""
        M, V = self.view.n_visible, self.view.values[1:]
        decay, top = np.exp(-2 * W * V), np.exp(-2 * W * M)
        gap = 2 * decay * -np.expm1(-2 * W * (M - V)) / ((1 + decay) * (1 + top))
        return np.asarray((M - V) * np.tanh(W * M) + V * gap)

    def _model(self, W: float, n_hidden: int) -> tuple[FloatArray, float]:
        """Logarithms of p without the aligned states, and of its norm with them, relative to one of these."""
        view = self.view
        log_model = view.log_free - view.log_free[0] + np.log(2) - n_hidden * log_cosh_drop(W, view.values)
        return log_model[1:], _log_sum(log_model)


def _sech_squared(V: float | FloatArray, W: float) -> FloatArray:
    """``V² sech² WV``."""
    return np.asarray((V / np.cosh(np.minimum(W * V, 350))) ** 2)


def _log_sum(logarithms: FloatArray) -> float:
    top = logarithms.max()
    return float(top + np.log(np.exp(logarithms - top).sum()))


Form = WeakForm | StrongForm


def ring_form(K: float, n_visible: int) -> Form:
    """Return the form of the equation for the ring at a positive, finite coupling."""
    view = window_for(n_visible, np.exp(2 * min(K, 300.0)))
    if not view.first and 0.5 * np.log(strong_from(n_visible)) < K:
        return ring_strong_form(K, n_visible)
    return ring_weak_form(K, view)


def ring_weak_form(K: float, view: Window) -> WeakForm:
    """Return the weak form for the ring at a coupling of at least 0, in a given window."""
    gain, slope = np.empty(len(view.values)), np.empty(len(view.values))
    magnetization.log_gain(view.n_visible, K, view.first, gain, slope)
    return WeakForm(view, excess(gain, view), slope)


def ring_strong_form(K: float, n_visible: int) -> StrongForm:
    """Return the strong form for the ring at a positive, finite coupling."""
    view = window(n_visible)
    logarithm, slope = np.empty(len(view.values)), np.empty(len(view.values))
    magnetization.log_law(n_visible, K, logarithm, slope)
    logarithm += np.where(view.values == 0, 0.0, np.log(2.0))
    top = float(logarithm[1:].max())
    return StrongForm(view, np.exp(logarithm[1:] - top), top - _log_sum(logarithm), slope[1:])
