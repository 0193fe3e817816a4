"""The two forms of the equation in ball arithmetic, at points and on whole boxes of W.

Magnetizations are V = M − 2k ≥ 0, k = 0 … M // 2, both signs together; s = e^(−2W). Every method encloses:
what is returned as true holds for every weight of the box and every law within the balls of the data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import comb
from typing import Any


@dataclass(frozen=True)
class Box:
    """Weights between two exact ends, ``0 ≤ left ≤ right``."""

    left: Any
    right: Any

    @property
    def ball(self) -> Any:
        """A ball that holds all of them."""
        return self.left.union(self.right)


class RingBalls:
    """Both sides of the equation for one law of the data, given by balls.

    Parameters
    ----------
    flint : module
        python-flint, at the precision wanted.
    n_visible, n_hidden : int
        Units in each layer.
    weights : list of arb
        Weight of the states with k spins down relative to one aligned state, k = 0 … M // 2.
    """

    flint: Any
    M: int
    N: int
    values: list[int]
    multiplicity: list[int]
    data: list[Any]
    total: Any
    states: list[int]

    def __init__(self, flint: Any, n_visible: int, n_hidden: int, weights: list[Any]) -> None:
        self.flint, self.M, self.N = flint, n_visible, n_hidden
        self.values = [n_visible - 2 * k for k in range(n_visible // 2 + 1)]
        self.multiplicity = [2 if V else 1 for V in self.values]
        self.data = [m * weight for m, weight in zip(self.multiplicity, weights, strict=True)]
        self.total = sum(self.data[1:], self.data[0])
        self.states = [m * comb(n_visible, k) for k, m in enumerate(self.multiplicity)]
        self._known: dict[tuple[str, int], tuple[Any, Any]] = {}

    @cached_property
    def law(self) -> list[Any]:
        """The law of the data."""
        return [weight / self.total for weight in self.data]

    @cached_property
    def free(self) -> list[Any]:
        """The law of independent spins."""
        scale = self.flint.arb(2) ** self.M
        return [count / scale for count in self.states]

    def _once(self, compute: Callable[[Any], Any], W: Any) -> Any:
        """Return ``compute(W)``, kept for the box on the other side of this end."""
        key = compute.__name__, id(W)
        if key not in self._known:
            self._known[key] = W, compute(W)  # holding W keeps its identity its own
        return self._known[key][1]

    def log_ratio(self, deficits: list[Any], model: list[Any]) -> Any:
        """``ln ⟨D⟩_p − ln ⟨D⟩_q`` of what `deficits_and_model` gives: positive below the root."""
        return (_dot(model, deficits) * self.total / (_dot(self.data, deficits) * _sum(model))).log()

    def deficits_and_model(self, W: Any) -> tuple[list[Any], list[Any]]:
        """D and the weights of p relative to one aligned state, at a weight that may be a ball."""
        tails, model = self._tails_and_model(W)
        return self._deficits(tails), model

    def _deficits(self, tails: list[Any]) -> list[Any]:
        return [self.flint.arb(0), *(2 * k + tail - tails[0] for k, tail in enumerate(tails[1:], 1))]

    def _tails_and_model(self, W: Any) -> tuple[list[Any], list[Any]]:
        """``V (1 − tanh WV)`` and the weights of p relative to one aligned state."""
        powers = [self.flint.arb(1)]
        s = (-2 * W).exp()
        for _ in range(self.M):
            powers.append(powers[-1] * s)
        top = 1 / (1 + powers[self.M])
        tails = [2 * V * powers[V] / (1 + powers[V]) for V in self.values]
        model = [
            count * (powers[k] * (1 + powers[V]) * top) ** self.N
            for k, (count, V) in enumerate(zip(self.states[1:], self.values[1:], strict=True), 1)
        ]
        model.insert(0, self.flint.arb(2))
        return tails, model

    def _deficit_means(self, box: Box) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
        """Lower and upper bounds of ⟨D⟩_p and ⟨D⟩_q on a box.

        The weights ``(cosh WV/cosh WM)^N`` and ``V (1 − tanh WV)`` fall with W, so that the
        ends of the box bound them.
        """
        wide, narrow = (self._once(self._tails_and_model, W) for W in (box.left, box.right))
        low = [
            (2 * k + tail - wide[0][0]).nonnegative_part() for k, tail in enumerate(narrow[0])
        ]  # D is never negative
        high = [2 * k + tail - narrow[0][0] for k, tail in enumerate(wide[0])]
        low[0] = high[0] = self.flint.arb(0)
        model = _dot(narrow[1], low) / _sum(wide[1]), _dot(wide[1], high) / _sum(narrow[1])
        return model, (_dot(self.law, low), _dot(self.law, high))

    def positive_on(self, box: Box) -> bool:
        """Whether g > f on the whole box, which may begin at 0."""
        if box.left > 0 and self._data_order(box.left) > self._model_order(box.right):
            return True
        if self._weak_difference(box) > 0:
            return True
        if not box.left > 0:
            return False
        (model, _), (_, data) = self._deficit_means(box)
        return bool(model > data)

    def negative_on(self, box: Box) -> bool:
        """Whether g < f on the whole box."""
        if self._data_order(box.right) < self._model_order(box.left):
            return True
        if self._weak_difference(box) < 0:
            return True
        (_, model), (data, _) = self._deficit_means(box)
        return bool(model < data)

    def falls_on(self, box: Box) -> bool:
        """Whether the logarithm of a ratio of the two sides falls with W on the whole box.

        The sides are those of the weak or the strong form.
        """
        return bool(self._weak_slope(box) > 0 or self.strong_slope(box.ball) < 0)

    def rises_with_coupling(self, box: Box, counts: tuple[tuple[int, ...], ...], x: Any) -> bool:
        """Whether ``∂g/∂K = Cov_q(α, V tanh WV) > 0`` on the whole box, α = M − 4j for j pairs of walls."""
        order = self._order_ratio(box)
        walls = [self.flint.arb(0)]
        for k, row in enumerate(counts, 1):
            value = self.flint.arb(0)
            for j in range(len(row), 0, -1):
                value = (value + j * row[j - 1]) * x
            walls.append(self.multiplicity[k] * value)
        pairs = _sum(walls) / self.total
        centre = _dot(self.law, order).mid()
        # −4 Cov(j, T), T relative to a number near its mean
        parts = [
            (w - pairs * weight) * (t - centre) for w, weight, t in zip(walls, self.data, order, strict=True)
        ]
        return bool(_sum(parts) < 0)

    def _data_order(self, W: Any) -> Any:
        """g(W)."""
        return _dot(self.law, self._orders(W))

    def _model_order(self, W: Any) -> Any:
        """f(W)."""
        _, model = self._once(self._tails_and_model, W)
        return _dot(model, self._once(self._orders, W)) / _sum(model)

    def _orders(self, W: Any) -> list[Any]:
        """``V tanh WV``."""
        return [V * (W * V).tanh() for V in self.values]

    def _order_ratio(self, box: Box) -> list[Any]:
        """``V tanh WV/W = V² tanhc WV`` on a box; tanhc falls from 1, so that its ends enclose it."""
        return [
            V * V * a.union(b)
            for V, a, b in zip(
                self.values,
                self._once(self._tanhcs, box.left),
                self._once(self._tanhcs, box.right),
                strict=True,
            )
        ]

    def _tanhcs(self, W: Any) -> list[Any]:
        """``tanh WV/(WV)``, 1 at WV = 0."""
        return [
            t / (W * V * V) if V and W > 0 else self.flint.arb(1)
            for V, t in zip(self.values, self._once(self._orders, W), strict=True)
        ]

    def _growths(self, W: Any) -> list[Any]:
        """``cosh^N WV − 1``."""
        return [(self.N * (2 * (W * V / 2).sinh() ** 2).log1p()).expm1() for V in self.values]

    def _model_excess(self, box: Box) -> list[Any]:
        """``p − b = b (e^u − A)/A``, u = N ln cosh WV, which rises with W: enclosed by its ends."""
        ends = zip(self._once(self._growths, box.left), self._once(self._growths, box.right), strict=True)
        change = [a.union(b) for a, b in ends]
        mean = _dot(self.free, change)
        return [b * (c - mean) / (1 + mean) for b, c in zip(self.free, change, strict=True)]

    def _weak_means(self, box: Box) -> tuple[list[Any], list[Any], list[Any]]:
        """T less a number near its mean, p − b and q − b."""
        order = self._order_ratio(box)
        centre = _dot(self.free, order).mid()
        excess = [q - b for q, b in zip(self.law, self.free, strict=True)]
        return [t - centre for t in order], self._model_excess(box), excess

    def _weak_difference(self, box: Box) -> Any:
        """``⟨T⟩_q − ⟨T⟩_p`` as sums over the excesses, T = V tanh WV/W."""
        order, model, data = self._weak_means(box)
        return _dot(data, order) - _dot(model, order)

    def _weak_slope(self, box: Box) -> Any:
        """``d/d ln W`` of ``ln ⟨T⟩_p − ln ⟨T⟩_q``, T relative to its mean over independent spins."""
        order, model, data = self._weak_means(box)
        mean = _dot(self.free, order)
        order = [t - mean for t in order]
        W = box.ball
        change = [
            V * V * ((W * V).sech() ** 2 - t) for V, t in zip(self.values, self._tanhc(box), strict=True)
        ]
        shift = _dot(self.free, change)
        change = [c - shift for c in change]
        tilt = [self.N * W * W * V * V * t for V, t in zip(self.values, self._tanhc(box), strict=True)]
        law = [b + e for b, e in zip(self.free, model, strict=True)]
        model_mean, data_mean = _dot(model, order), _dot(data, order)
        if not (model_mean > 0 and data_mean > 0):
            return self.flint.arb(0)
        covariance = _sum([p * (t - model_mean) * u for p, t, u in zip(law, order, tilt, strict=True)])
        return (_dot(model, change) + covariance) / model_mean - _dot(data, change) / data_mean

    def _tanhc(self, box: Box) -> list[Any]:
        return [
            t / (V * V) if V else self.flint.arb(1)
            for t, V in zip(self._order_ratio(box), self.values, strict=True)
        ]

    def strong_slope(self, W: Any) -> Any:
        """``d/dW`` of ``ln ⟨D⟩_p − ln ⟨D⟩_q``; the tilt of p is −N D."""
        tails, model = self._tails_and_model(W)
        deficits = self._deficits(tails)
        sharp = [tail * (2 * V - tail) for V, tail in zip(self.values, tails, strict=True)]  # V² sech² WV
        change = [self.flint.arb(0), *(sharp[0] - value for value in sharp[1:])]
        norm, first = _sum(model), _dot(model, deficits)
        data = _dot(self.data, deficits)
        if not (first > 0 and data > 0):
            return self.flint.arb(0)
        second = _dot(model, [d * d for d in deficits])
        return (
            _dot(model, change) / first
            - self.N * (second / first - first / norm)
            - _dot(self.data, change) / data
        )


def _sum(terms: list[Any]) -> Any:
    return sum(terms[1:], terms[0])


def _dot(first: list[Any], second: list[Any]) -> Any:
    return _sum([a * b for a, b in zip(first, second, strict=True)])
