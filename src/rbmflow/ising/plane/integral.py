"""Houtappel's integrals and their derivatives by K, in float64 and in arbitrary precision."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray
from rbmflow.ising.jets import added, divided, logarithm, multiplied, square_root
from rbmflow.ising.plane.kernels import Corner, Kernel

STEP, LAST = 1 / 128, 5.0  # of the double exponential rule: the first point is at e^(−π sinh 5)
ROUNDING = 1e-15
PANEL = 3.0


def mean_log(kernels: tuple[Kernel, Kernel], K: Any, order: int, ctx: Any = None) -> list[Any]:
    """Return the mean of ``ln(P + √Q)`` over ω at |K|, over the scale, and its derivatives by |K|.

    Examples
    --------
        >>> from rbmflow.ising.plane.kernels import triangular_kernels
        >>> value, = mean_log(triangular_kernels((1.0, 1.0, 1.0), 1), 0.0, 0)
        >>> print(round(value, 12), round(np.log(2), 12))
        0.693147180560 0.69314718056
    """
    integrand = _Integrand(kernels, K, order, ctx)
    return integrand.over_machine_numbers() if ctx is None else integrand.over_exact_numbers(ctx)


def is_critical(kernels: tuple[Kernel, Kernel], K: float) -> bool:
    """Return whether K cannot be told from the critical point in float64.

    Examples
    --------
        >>> from rbmflow.ising.plane.kernels import triangular_kernels
        >>> is_critical(triangular_kernels((1.0, 1.0, 1.0), 1), np.log(3) / 4)
        True
    """
    integrand = _Integrand(kernels, K, 1)
    root = integrand.kernel.corner.root.jet(K, 1)
    return bool(abs(root[0]) < ROUNDING < abs(root[1]))


class _Integrand:
    """``ln(P + √Q)`` at one K."""

    def __init__(self, kernels: tuple[Kernel, Kernel], K: Any, order: int, ctx: Any = None) -> None:
        self.order, self.fn = order, np if ctx is None else ctx
        sums = [
            kernel.D.jet(K, 0, ctx)[0] * kernel.a.jet(K, 0, ctx)[0] + kernel.product.jet(K, 0, ctx)[0]
            for kernel in kernels
        ]
        self.kernel = kernel = kernels[0 if sums[0] >= sums[1] else 1]
        self.D, self.a, bc = (part.jet(K, order, ctx) for part in (kernel.D, kernel.a, kernel.product))
        self.least: Any = None  # the angle where Q is least, if it is inside
        vertex = max(sums) / self.a[0] ** 2 if self.a[0] else None
        if vertex is not None and vertex < 1:
            self.least = self.fn.arccos(vertex) if ctx is None else ctx.acos(vertex)
            self.middle = divided(added(multiplied(self.D, self.a), bc), self.a)
            self.q = divided(kernel.depth.jet(K, order, ctx), multiplied(self.a, self.a))
        else:
            self.q = multiplied(
                _corner(kernel.corner, K, order, ctx), _corner(kernel.opposite, K, order, ctx)
            )
            rest = [2 * one for one in multiplied(self.a, added(self.D, [-one for one in self.a]))]
            self.slope = added(rest, [2 * one for one in bc])
        self.q[0] = self.q[0] if self.q[0] > 0 else 0 * self.q[0]

    def pieces(self, pi: Any) -> list[tuple[Any, int]]:
        """Lengths of the parts of 0 … π, and their directions from where Q is least."""
        return [(pi, 1)] if self.least is None else [(self.least, -1), (pi - self.least, 1)]

    def at(self, angle: Any, way: int) -> list[Any]:
        """``ln(P + √Q)`` and its derivatives at an angle from where Q is least."""
        sin = self.fn.sin
        if self.least is None:
            y = 2 * sin(angle / 2) ** 2
            x, square = 1 - y, multiplied(self.a, self.a)
            Q = [q + b * y + s * y * y for q, b, s in zip(self.q, self.slope, square, strict=True)]
        else:
            x = self.fn.cos(self.least + way * angle)
            z = [a * x - m for a, m in zip(self.a, self.middle, strict=True)]
            z[0] = self.a[0] * -2 * way * sin(self.least + way * angle / 2) * sin(angle / 2)
            Q = added(multiplied(z, z), self.q)
        root = square_root(Q, self.fn.sqrt)
        return logarithm([D - a * x + r for D, a, r in zip(self.D, self.a, root, strict=True)], self.fn.log)

    def over_machine_numbers(self) -> list[Any]:
        node, weight = _nodes()
        total = np.zeros(self.order + 1)
        with np.errstate(all="ignore"):
            for length, way in self.pieces(np.pi):
                for k, row in enumerate(self.at(length * node, way)):
                    known = np.isfinite(row)  # not where Q underflows
                    total[k] += length * (weight[known] @ row[known])
        return [float(one) / np.pi for one in total]

    def over_exact_numbers(self, ctx: Any) -> list[Any]:
        found = []
        for k in range(self.order + 1):
            total = ctx.zero
            for length, way in self.pieces(ctx.pi):
                total += self._piece(ctx, k, length, way)
            found.append(total / ctx.pi)
        return found

    def _piece(self, ctx: Any, k: int, length: Any, way: int) -> Any:
        """With ``ω = σ sinh t``, Q vanishes where t is π/2 from the real axis."""
        if self.least is None:
            width = ctx.sqrt(2 * self.q[0] / self.slope[0]) if self.slope[0] else ctx.one
        else:
            width = ctx.sqrt(self.q[0]) / (self.a[0] * ctx.sin(self.least))
        if width >= 1 or not width:
            return ctx.quad(lambda angle: self.at(angle, way)[k], [0, length])
        end = ctx.asinh(length / width)
        panels = ctx.linspace(0, end, 2 + int(end / PANEL))
        return ctx.quad(lambda t: self.at(width * ctx.sinh(t), way)[k] * width * ctx.cosh(t), panels)


def _corner(corner: Corner, K: Any, order: int, ctx: Any) -> list[Any]:
    """``D − a − b − c`` by the form in which nothing cancels."""
    if corner.falling.jet(K, 0, ctx)[0] <= 0:
        return corner.direct.jet(K, order, ctx)
    root = corner.root.jet(K, order, ctx)
    return divided(multiplied(root, root), corner.rest.jet(K, order, ctx))


@lru_cache(maxsize=1)
def _nodes() -> tuple[FloatArray, FloatArray]:
    """Points and weights of the double exponential rule on 0 … 1, which keeps the digits of small points."""
    t = STEP * np.arange(-int(LAST / STEP), int(LAST / STEP) + 1)
    node = 1 / (1 + np.exp(-np.pi * np.sinh(t)))
    weight = STEP * np.pi * np.cosh(t) * node * (1 - node)
    there = weight > 0
    return node[there], weight[there]
